"""Divergences and negative log likelihoods: kl_div, poisson_nll_loss, gaussian_nll_loss."""

import math
import warnings

from .convert import _cast
from .declare import composite
from .elementwise import exp, log
from .errors import not_implemented
from .helpers import is_complex, like, raw, where_it_is
from .loss import (
    reduce_loss,
    reduction_of,
)
from .select import masked_fill

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]
# ---- divergences and likelihoods


@composite(where=("nn.functional",))
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The Kullback-Leibler divergence of a distribution from one whose logarithm is the input.

    y = t (ln t - x), or e^t (t - x) with `log_target`            dL/dx = -g t (/ n)

    `reduction`: "batchmean" (the sum divided by the first length, which is the divergence), "mean",
    "sum", "none".
    """
    from .binary import xlogy

    if reduction == "batchmean":
        mode = "sum"
    else:
        mode = reduction = reduction_of(reduction, size_average, reduce)
        if mode == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support "
                "size. 'batchmean' "
                "divides only by the batch size, and aligns with the KL div math definition. "
                "'mean' will be changed "
                "to behave the same as 'batchmean' in the next major release.",
                stacklevel=2,
            )
    if is_complex(input) or is_complex(target):
        raise RuntimeError("kl_div: Complex inputs not supported.")
    losses = (
        exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    )
    loss = reduce_loss(losses, mode)
    return loss / input.shape[0] if reduction == "batchmean" and input.ndim else loss


@composite(where=("nn.functional",))
def poisson_nll_loss(
    input,
    target,
    log_input=True,
    full=False,
    size_average=None,
    eps=1e-8,
    reduce=None,
    reduction="mean",
):
    """The negative log likelihood of Poisson counts.

    y = e^x - t x, or x - t ln(x + eps) without `log_input`            dL/dx = g (e^x - t)

    `full` adds Stirling's approximation of ln t! where t > 1.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + 0.5 * log(target * (2 * math.pi))
        losses = losses + masked_fill(stirling, like(raw(target) <= 1, target), 0)
    return reduce_loss(losses, reduction)


@composite(where=("nn.functional",))
@where_it_is
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log likelihood of normal numbers with mean x and variance v.

    y = (ln v + (x - t)^2 / v) / 2
    dL/dx = g (x - t) / v,  dL/dv = g (1 / v - (x - t)^2 / v^2) / 2

    v is not below `eps`, without effect on its gradient. `full` adds ln(2 pi) / 2. ValueError for
    negative variances and for a size of v that fits neither x nor x without its last dimension.
    """
    if is_complex(var):
        raise not_implemented("lt_cpu", raw(var).dtype)
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = input.detach() * 0 + var
    elif bool((raw(var) < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if tuple(input.shape[:-1]) == tuple(var.shape):
            var = var.unsqueeze(-1)
        elif tuple(input.shape[:-1]) != tuple(var.shape[:-1]) or var.shape[-1] != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(reduction + " is not valid")
    low = like(raw(var) < eps, var)
    var = var + _cast(masked_fill(eps - var.detach(), like(~raw(low), var), 0), var._array.dtype)
    losses = 0.5 * (log(var) + (input - target) ** 2 / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduce_loss(losses, reduction)


kl_div.samples(
    lambda t: [
        (t(2, 3), t(2, 3, low=0.1, high=0.9), {"reduction": "batchmean"}),
        (t(3), t(3), {"reduction": "sum", "log_target": True}),
    ]
)

poisson_nll_loss.samples(
    lambda t: [
        (t(3), t(3, low=0.2, high=4.0)),
        (t(3, low=0.5, high=2.0), t(3), {"log_input": False}),
    ]
)

gaussian_nll_loss.samples(
    lambda t: [
        (t(2, 3), t(2, 3), t(2, 3, low=0.5, high=2.0)),
        (t(2, 3), t(2, 3), t(2, low=0.5, high=2.0)),
    ]
)
