"""Losses that compare element by element: squared, absolute, Huber, cross entropies of two classes, divergences."""

import math
import warnings
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.tensor import Tensor
from .activation import hardtanh, sigmoid, softplus
from .bounds import clamp
from .convert import _cast
from .declare import Array, composite, op
from .elementwise import abs, exp, log, log1p, sgn
from .helpers import like, raw
from .select import masked_fill
from .summing import add_reduce

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "huber_loss", "kl_div",
    "l1_loss", "mse_loss", "poisson_nll_loss", "reduce_loss", "reduced", "reduction_of", "share", "smooth_l1_loss",
]  # fmt: skip


# ---- what all losses share


def reduction_of(reduction: str, size_average: Any = None, reduce: Any = None) -> str:
    """The checked reduction; its two old forms give a warning. ValueError for an unknown one."""
    if size_average is not None or reduce is not None:
        average = True if size_average is None else size_average
        reduction = "none" if reduce is False else "mean" if average else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(xp: Any, losses: Any, reduction: str) -> Any:
    """The losses of single elements, their sum, or their mean (NaN of none). Half types are added in float32."""
    if reduction == "none":
        return losses
    if losses.dtype.itemsize == 2:
        return reduced(xp, losses.astype(np.float32), reduction).astype(losses.dtype)
    total = add_reduce(xp, losses, None, False)
    return total if reduction == "sum" else total / losses.dtype.type(losses.size)


def share(grad, reduction: str, n: int):
    """The gradient of one element's loss, given that of the result: it broadcasts."""
    return grad * (1 / (n or 1)) if reduction == "mean" else grad


def reduce_loss(losses: Any, reduction: str) -> Any:
    """The same as `reduced`, of Tensors."""
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def warn_of_sizes(input: Tensor, target: Tensor) -> None:
    """The warning that a loss is about to broadcast."""
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def refuse_integers(name: str, array: Any) -> None:
    """NotImplementedError for a loss of integers."""
    if array.dtype.kind in "biu":
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(array.dtype).legacy}'")


def weighted(losses: Any, weight: Any, reduction: str) -> Any:
    """Losses times weights; their mean divides by the sum of the weights."""
    total = losses * weight
    if reduction == "mean":
        return total.sum() / weight.expand(total.shape).sum()
    return reduce_loss(total, reduction)


def _same_size(input: Tensor, weight: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")


# ---- differences


@op(where=(), promote="same", node="MseLossBackward0")
def _mse_loss(xp, input: Array, target: Array, reduction):
    """See `mse_loss`."""
    d = input - target
    if d.dtype.char not in "fd" or reduction == "none":
        refuse_integers("mse_cpu", d)
        wide = d.astype(np.float32) if d.dtype.itemsize == 2 else d
        return reduced(xp, wide * wide, reduction).astype(d.dtype)
    flat = d.ravel()
    total = flat.dot(flat)
    return total if reduction == "sum" else total / d.dtype.type(d.size)


@composite(kernel="mse_loss_backward")
def _mse_backward(grad, input, target, reduction):
    """2 g (x - t), divided by n for the mean"""
    d = input - target
    return d * share(grad * 2.0, reduction, raw(d).size)


_mse_loss.derivative(
    input=lambda grad, input, target, reduction: _mse_backward(grad, input, target, reduction),
    target=lambda grad, input, target, reduction: _mse_backward(grad, target, input, reduction),
)


@composite(where=("nn.functional",))
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The squared difference.

    y = (x - t)^2, its mean or its sum            dL/dx = 2 g (x - t) (/ n),  dL/dt = -dL/dx

    `reduction`: "mean", "sum" or "none". `weight`: a factor for each element; the mean is divided by their sum.
    Warns where the sizes differ. ValueError for an unknown reduction.
    """
    if reduction != "mean" or size_average is not None or reduce is not None:
        reduction = reduction_of(reduction, size_average, reduce)
    if input._array.shape != target._array.shape:
        warn_of_sizes(input, target)
    if weight is None:
        return _mse_loss(input, target, reduction)
    _same_size(input, weight)
    return weighted(_mse_loss(input, target, "none"), weight, reduction)


@composite(where=("nn.functional",))
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The absolute difference.

    y = |x - t|, its mean or its sum            dL/dx = g sign(x - t) (/ n), 0 at x = t

    `reduction`, `weight` and warnings as of `mse_loss`.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    warn_of_sizes(input, target)
    losses = abs(input - target)
    if weight is not None:
        _same_size(input, weight)
        return weighted(losses, weight, reduction)
    return reduce_loss(losses, reduction)


@op(where=(), promote="same", node="HuberLossBackward0")
def _huber_loss(xp, input: Array, target: Array, reduction, delta):
    """See `huber_loss`."""
    refuse_integers("huber_cpu", input)
    d = xp.abs(input - target)
    return reduced(xp, xp.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta)), reduction)


def _huber_backward(grad, input, target, reduction, delta):
    d = input - target
    return hardtanh(d, -delta, delta) * share(grad, reduction, raw(d).size)


_huber_loss.derivative(
    input=lambda grad, input, target, reduction, delta: _huber_backward(
        grad, input, target, reduction, delta
    ),
    target=lambda grad, input, target, reduction, delta: (
        -_huber_backward(grad, input, target, reduction, delta)
    ),
)


@composite(where=("nn.functional",))
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Squared where the difference is small, absolute where it is large.

    y = d^2 / 2 if |d| <= D else D (|d| - D / 2),  d = x - t            dL/dx = g min(max(d, -D), D) (/ n)

    RuntimeError for D <= 0; else as `mse_loss`. Source: Huber, Ann. Math. Statist. 35 (1964).
    """
    reduction = reduction_of(reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    warn_of_sizes(input, target)
    if weight is None:
        return _huber_loss(input, target, reduction, float(delta))
    _same_size(input, weight)
    return reduce_loss(_huber_loss(input, target, "none", float(delta)) * weight, reduction)


@op(where=(), promote="same", node="SmoothL1LossBackward0")
def _smooth_l1_loss(xp, input: Array, target: Array, reduction, beta):
    """See `smooth_l1_loss`."""
    refuse_integers("smooth_l1_cpu", input)
    d = xp.abs(input - target)
    if beta == 0:
        return reduced(xp, d, reduction)
    return reduced(xp, xp.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta), reduction)


def _smooth_l1_backward(grad, input, target, reduction, beta):
    d = input - target
    slope = hardtanh(d / beta, -1.0, 1.0) if beta else sgn(d)
    return slope * share(grad, reduction, raw(d).size)


_smooth_l1_loss.derivative(
    input=lambda grad, input, target, reduction, beta: _smooth_l1_backward(
        grad, input, target, reduction, beta
    ),
    target=lambda grad, input, target, reduction, beta: (
        -_smooth_l1_backward(grad, input, target, reduction, beta)
    ),
)


@composite(where=("nn.functional",))
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squared where the difference is small, absolute where it is large.

    y = d^2 / (2 b) if |d| < b else |d| - b / 2,  d = x - t            dL/dx = g min(max(d / b, -1), 1) (/ n)

    RuntimeError for b < 0; b = 0 gives `l1_loss`. Source: Girshick, Fast R-CNN, arXiv:1504.08083.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    warn_of_sizes(input, target)
    return _smooth_l1_loss(input, target, reduction, float(beta))


# ---- two classes


_LEAST = float(np.float32(1e-12))  # as PyTorch rounds it


@op(where=(), node="BinaryCrossEntropyBackward0")
def _bce(xp, input: Array, target: Array, weight: Array | None, reduction):
    """See `binary_cross_entropy`."""
    refuse_integers("binary_cross_entropy", input)
    if not bool(xp.all((input >= 0) & (input <= 1))):
        raise RuntimeError("all elements of input should be between 0 and 1")
    if target.dtype != input.dtype:
        a, b = of(target.dtype).legacy, of(input.dtype).legacy
        raise RuntimeError(f"Found dtype {a} but expected {b}")
    x = input.astype(np.float32) if input.dtype.itemsize == 2 else input
    losses = (target - 1) * xp.maximum(xp.log1p(-x), -100) - target * xp.maximum(xp.log(x), -100)
    if weight is not None:
        losses = losses * weight
    return reduced(xp, losses.astype(input.dtype), reduction)


def _bce_input(grad, input, target, weight, reduction):
    """g w (x - t) / (x (1 - x)), the denominator not below 1e-12"""
    spread = (1 - input) * input
    spread = masked_fill(spread, like(raw(spread) < _LEAST, grad), _LEAST)
    out = share(grad, reduction, raw(input).size) * (input - target) / spread
    return out if weight is None else out * weight


def _bce_target(grad, input, target, weight, reduction):
    """g w (ln(1 - x) - ln x), each logarithm not below -100"""
    slope = clamp(log1p(-input), -100) - clamp(log(input), -100)
    out = share(grad, reduction, raw(target).size) * slope
    return out if weight is None else out * weight


_bce.derivative(
    input=lambda grad, input, target, weight, reduction: _bce_input(
        grad, input, target, weight, reduction
    ),
    target=lambda grad, input, target, weight, reduction: _bce_target(
        grad, input, target, weight, reduction
    ),
)


@composite(where=("nn.functional",))
def binary_cross_entropy(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The cross entropy of probabilities of two classes.

    y = -w (t ln x + (1 - t) ln(1 - x))            dL/dx = g w (x - t) / (x (1 - x)) (/ n)

    Logarithms are not below -100. ValueError where the sizes differ, RuntimeError for x outside [0, 1].
    `binary_cross_entropy_with_logits` is more accurate.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is "
            "deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        weight = weight.expand(input.shape)
    return _bce(input, target, weight, reduction)


@op(where=(), promote="same", node="BinaryCrossEntropyWithLogitsBackward0")
def _bce_logits(
    xp, input: Array, target: Array, weight: Array | None, pos_weight: Array | None, reduction
):
    """See `binary_cross_entropy_with_logits`."""
    tail = xp.log1p(xp.exp(-xp.abs(input))) + xp.maximum(-input, 0)
    if pos_weight is not None:
        tail = tail * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * input + tail
    if weight is not None:
        losses = losses * weight
    return reduced(xp, losses, reduction)


@composite(kernel="bce_with_logits_backward")
def _bce_logits_input(grad, input, target, weight, pos_weight, reduction):
    """g w (sigmoid(x) - t); with positive weights p, g w ((1 - t) - (1 + (p - 1) t) (1 - sigmoid(x)))"""
    if pos_weight is None:
        slope = sigmoid(input) - target
    else:
        slope = 1 - target - ((pos_weight - 1) * target + 1) * sigmoid(-input)
    out = slope * share(grad, reduction, raw(slope).size)
    return out if weight is None else out * weight


def _bce_logits_target(grad, input, target, weight, pos_weight, reduction):
    """-g w x, and (p - 1) ln(1 + e^-x) more with positive weights p"""
    slope = (
        -input if pos_weight is None else (pos_weight - 1) * softplus(-input, 1, math.inf) - input
    )
    out = slope * share(grad, reduction, raw(target).size)
    return out if weight is None else out * weight


_bce_logits.derivative(
    input=lambda grad, input, target, weight, pos_weight, reduction: _bce_logits_input(
        grad, input, target, weight, pos_weight, reduction
    ),
    target=lambda grad, input, target, weight, pos_weight, reduction: _bce_logits_target(
        grad, input, target, weight, pos_weight, reduction
    ),
)


@composite(where=("nn.functional",))
def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """The cross entropy of two classes, from scores; no overflow for any x.

    y = w ((1 - t) x + l ln(1 + e^-x)),  l = 1 + (p - 1) t            dL/dx = g w (sigmoid(x) - t) (/ n) for p = 1

    `pos_weight` p: a factor for the positive class. ValueError where the sizes differ.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    return _bce_logits(input, target, weight, pos_weight, reduction)


# ---- divergences and likelihoods


@composite(where=("nn.functional",))
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The Kullback-Leibler divergence of a distribution from one whose logarithm is the input.

    y = t (ln t - x), or e^t (t - x) with `log_target`            dL/dx = -g t (/ n)

    `reduction`: "batchmean" (the sum divided by the first length, which is the divergence), "mean", "sum", "none".
    """
    from .binary import xlogy

    if reduction == "batchmean":
        mode = "sum"
    else:
        mode = reduction = reduction_of(reduction, size_average, reduce)
        if mode == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
                "divides only by the batch size, and aligns with the KL div math definition. 'mean' will be changed "
                "to behave the same as 'batchmean' in the next major release.",
                stacklevel=2,
            )
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
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log likelihood of normal numbers with mean x and variance v.

    y = (ln v + (x - t)^2 / v) / 2            dL/dx = g (x - t) / v,  dL/dv = g (1 / v - (x - t)^2 / v^2) / 2

    v is not below `eps`, without effect on its gradient. `full` adds ln(2 pi) / 2. ValueError for negative
    variances and for a size of v that fits neither x nor x without its last dimension.
    """
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


mse_loss.samples(
    lambda t: [
        (t(2, 3), t(2, 3)),
        (t(2, 3), t(2, 3), {"reduction": "sum"}),
        (t(4), t(4), {"reduction": "none"}),
        (t(), t()),
    ]
)
l1_loss.samples(lambda t: [(t(2, 3, low=1.0, high=2.0), t(2, 3, low=-1.0, high=0.0))])
for _f in (huber_loss, smooth_l1_loss):
    _f.samples(
        lambda t: [
            (t(2, 3, low=0.1, high=0.4), t(2, 3, low=-0.4, high=-0.1)),
            (t(3, low=2.0, high=3.0), t(3, low=-1.0, high=0.0), {"reduction": "none"}),
        ]
    )
binary_cross_entropy.samples(
    lambda t: [
        (t(2, 3, low=0.1, high=0.9), t(2, 3, low=0.1, high=0.9)),
        (
            t(3, low=0.1, high=0.9),
            t(3, low=0.1, high=0.9),
            t(3, low=0.5, high=1.0),
            {"reduction": "sum"},
        ),
    ]
)
binary_cross_entropy_with_logits.samples(
    lambda t: [
        (t(2, 3), t(2, 3, low=0.1, high=0.9)),
        (t(2, 3), t(2, 3, low=0.1, high=0.9), None, {"reduction": "none"}),
        (t(2, 3), t(2, 3, low=0.1, high=0.9), {"pos_weight": t(3, low=0.5, high=2.0)}),
    ]
)
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
