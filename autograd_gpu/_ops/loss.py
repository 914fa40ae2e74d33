"""What losses share, and losses of differences: squared, absolute, Huber."""

import warnings
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.state import recording
from .._core.tensor import Tensor
from .activation import hardtanh
from .declare import Array, composite, op
from .helpers import raw
from .reduce import _mean_all, _sum_all
from .signs import abs, sgn
from .summing import add_reduce

__all__ = [
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "reduce_loss",
    "reduced",
    "reduction_of",
    "refuse_gradient",
    "share",
    "smooth_l1_loss",
]


# ---- what all losses share


def reduction_of(reduction: str, size_average: Any = None, reduce: Any = None) -> str:
    """The checked reduction; its two old forms give a warning. ValueError for an unknown one."""
    if size_average is not None or reduce is not None:
        average = True if size_average is None else size_average
        reduction = "none" if reduce is False else "mean" if average else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' "
            "instead.",
            stacklevel=3,
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(xp: Any, losses: Any, reduction: str) -> Any:
    """The losses of single elements, their sum, or their mean (NaN of none). Half types are added
    in float32.
    """
    if reduction == "none":
        return losses
    if xp is not np:
        return _sum_all(losses) if reduction == "sum" else _mean_all(losses)
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
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the "
            "same size.",
            stacklevel=3,
        )


def real_floats(name: str, array: Any) -> None:
    """NotImplementedError for a loss of integers or complex numbers."""
    if array.dtype.kind in "biuc":
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(array.dtype).legacy}'")


def refuse_gradient(name: str, **given: Any) -> None:
    """RuntimeError for an argument that has no derivative but requires one."""
    for argument, value in given.items():
        if value is not None and value.requires_grad and recording():
            raise RuntimeError(
                f"The function '{name}' is not differentiable with respect to argument "
                f"'{argument}'. This input cannot have requires_grad True."
            )


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
        real_floats("mse_cpu", d)
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

    `reduction`: "mean", "sum" or "none". `weight`: a factor for each element; the mean is divided
    by their sum. Warns where the sizes differ. ValueError for an unknown reduction.
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
    real_floats("huber_cpu", input)
    d = xp.abs(input - target)
    return reduced(xp, xp.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta)), reduction)


@composite(kernel="huber_loss_backward")
def _huber_backward(grad, input, target, reduction, delta):
    """g min(max(x - t, -D), D), divided by n for the mean"""
    d = input - target
    return hardtanh(d, -delta, delta) * share(grad, reduction, raw(d).size)


_huber_loss.derivative(
    input=lambda grad, input, target, reduction, delta: _huber_backward(
        grad, input, target, reduction, delta
    ),
    target=lambda grad, input, target, reduction, delta: _huber_backward(
        grad, target, input, reduction, delta
    ),
)


@composite(where=("nn.functional",))
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Squared where the difference is small, absolute where it is large.

    y = d^2 / 2 if |d| <= D else D (|d| - D / 2),  d = x - t
    dL/dx = g min(max(d, -D), D) (/ n)

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
    real_floats("smooth_l1_cpu", input)
    d = xp.abs(input - target)
    if beta == 0:
        return reduced(xp, d, reduction)
    return reduced(xp, xp.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta), reduction)


@composite(kernel="smooth_l1_loss_backward")
def _smooth_l1_backward(grad, input, target, reduction, beta):
    """g min(max((x - t) / b, -1), 1), or its limit for b = 0, divided by n for the mean"""
    d = input - target
    slope = hardtanh(d / beta, -1.0, 1.0) if beta else sgn(d)
    return slope * share(grad, reduction, raw(d).size)


_smooth_l1_loss.derivative(
    input=lambda grad, input, target, reduction, beta: _smooth_l1_backward(
        grad, input, target, reduction, beta
    ),
    target=lambda grad, input, target, reduction, beta: _smooth_l1_backward(
        grad, target, input, reduction, beta
    ),
)


@composite(where=("nn.functional",))
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squared where the difference is small, absolute where it is large.

    y = d^2 / (2 b) if |d| < b else |d| - b / 2,  d = x - t
    dL/dx = g min(max(d / b, -1), 1) (/ n)

    RuntimeError for b < 0; b = 0 gives `l1_loss`. Source: Girshick, Fast R-CNN, arXiv:1504.08083.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    warn_of_sizes(input, target)
    return _smooth_l1_loss(input, target, reduction, float(beta))


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
