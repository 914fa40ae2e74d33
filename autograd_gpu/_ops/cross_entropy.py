"""The cross entropy of scores with classes or probabilities: cross_entropy."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.tensor import Tensor
from .classify import (
    _check_weight,
    _counted,
    class_numbers,
    from_class,
    nll_loss,
    places,
)
from .declare import Array, Index, composite, op
from .elementwise import exp
from .helpers import like, raw, wide
from .loss import reduce_loss, reduction_of, refuse_gradient
from .reduce import _sum
from .registry import KERNELS
from .shape import _reshape
from .softmax import _log_softmax, _prepared, _softmax
from .summing import add_reduce, extreme

__all__ = ["cross_entropy"]

# ---- on the CPU: the usual case in one pass


_BLOCK = 1 << 16

_LARGE = 1 << 15


@op(where=(), node="NllLossBackward0", caches=("powers", "sums"))
def _fused(xp, input: Array, target: Index, reduction):
    """Mean or sum of the cross entropies of (N, C) scores and valid class numbers, in one pass over
    each block.

    The powers e^(x - max) and their sums are kept, so that the gradient is one scaling.
    """
    n, classes = input.shape
    powers = xp.empty_like(input)
    top, sums = xp.empty((n, 1), input.dtype), xp.empty((n, 1), input.dtype)
    step = max(1, _BLOCK // classes) if xp is np else n
    for i in range(0, n, step):
        rows = slice(i, i + step)
        part = powers[rows]
        xp.maximum.reduce(input[rows], 1, None, top[rows], True)
        xp.subtract(input[rows], top[rows], part)
        xp.exp(part, part)
        xp.add.reduce(part, 1, None, sums[rows], True)
    losses = xp.log(sums) + top - input[places(xp, target)][:, None]
    total = losses.sum()
    return total / input.dtype.type(n) if reduction == "mean" else total, powers, sums


_fused.derivative(
    input=lambda grad, input, target, powers, sums, reduction: _fused_backward(
        grad, input, target, powers, sums, reduction
    )
)


def _fused_backward(grad, input, target, powers, sums, reduction):
    """g (softmax(x) - 1 at the class), divided by n for the mean"""
    n = len(input)
    grad = grad * (1 / n) if reduction == "mean" else grad
    if powers is None:
        ones = like(np.ones(n, raw(grad).dtype), grad)
        return grad * (_softmax(input, 1) - from_class(ones, target, tuple(input.shape)))
    out = powers * (grad / sums)
    out[_counted(n), target] -= grad
    return out


# ---- where a device has a kernel for it: classes, weights and smoothing in one op


@op(
    where=(), node="NllLossBackward0", kernel="cross_entropy", constants=("total",),
    caches=("tops", "sums"),
)  # fmt: skip
def _of_classes(
    xp, input: Array, target: Index, weight: Index | None, reduction, ignore_index, smoothing
):
    """Cross entropies of (N, C, ...) scores and (N, ...) classes: see `cross_entropy`.

    Besides: the sum of the weights, where the mean needs it; the largest score of each sample and
    its sum of e^(x - largest), from which the gradient is computed."""
    x, _ = _prepared("log_softmax", input, 1)
    index, ignored = class_numbers(xp, target, x.shape[1], ignore_index)
    tops = extreme(xp, True, x, 1)
    apart = x - tops[:, None]
    sums = add_reduce(xp, xp.exp(apart), 1, False)
    logs = xp.log(sums)
    own = xp.take_along_axis(apart, index[:, None], 1)[:, 0]
    factor = xp.ones(index.shape, x.dtype) if weight is None else wide(weight)[index]
    losses = (logs - own) * factor
    if smoothing:
        each = (logs[:, None] - apart) * _by_class(xp, weight, x)
        others = add_reduce(xp, each, 1, False) * x.dtype.type(smoothing / x.shape[1])
        losses = losses * x.dtype.type(1 - smoothing) + others
    if ignored is not None:
        factor, losses = (xp.where(ignored, x.dtype.type(0), a) for a in (factor, losses))
    total = add_reduce(xp, factor, None, False) if reduction == "mean" else 1.0
    if reduction != "none":
        losses = add_reduce(xp, losses, None, False) / total
    return losses.astype(input.dtype), total, tops, sums


def _by_class(xp: Any, weight: Any, x: Any) -> Any:
    """The classes' weights, 1 without, as the scores' shape broadcasts."""
    weight = xp.ones(x.shape[1], x.dtype) if weight is None else weight.astype(x.dtype)
    return weight.reshape(-1, *[1] * (x.ndim - 2))


def _formula(grad, input, target, weight, tops, sums, total, reduction, ignore_index, smoothing):
    return _of_classes_backward(
        grad, input, target, weight, tops, sums, total, reduction, ignore_index, smoothing
    )


_of_classes.derivative(input=_formula)


@composite(kernel="cross_entropy_backward")
def _of_classes_backward(
    grad, input, target, weight, tops, sums, total, reduction, ignore_index, smoothing
):
    """g w_t (1 - e) (p - 1 at t) + g e / n (p sum w - w), p the softmax"""
    recorded, t, total = tops is None, raw(target), raw(total)
    x = raw(input) if recorded else wide(raw(input))
    xp, weight = library(x), raw(weight)
    counts = t != ignore_index
    index = xp.where(counts, t, 0).astype(np.int64)
    share = counts.astype(x.dtype)
    if reduction == "mean":
        share = share * (1 / float(total) if total else 0.0)
    weights = _by_class(xp, weight, x)
    own = share * weights.reshape(-1)[index] * (1 - smoothing)
    others = share * (smoothing / x.shape[1])
    here = index[:, None] == xp.arange(x.shape[1]).reshape(-1, *[1] * (x.ndim - 2))
    if reduction == "none":
        grad = _reshape(grad, (t.shape[0], 1, *t.shape[1:]))
    own, others, here, weights = (
        like(a.astype(x.dtype), grad) for a in (own[:, None], others[:, None], here, weights)
    )
    p = _softmax(input, 1) if recorded else exp(x - tops[:, None]) / sums[:, None]
    out = own * (p - here)
    if smoothing:
        out = out + others * (p * weights.sum() - weights)
    out = grad * out
    return out if recorded else out.astype(input.dtype)


_of_classes.samples(
    lambda t: [
        (t(3, 4), t.int(4, 3), None, "mean", -100, 0.0),
        (t(2, 3, 4), t.int(3, 2, 4), None, "none", 1, 0.2),
        (t(3, 4), t.int(4, 3), t.fixed(4, low=0.5, high=1.0), "sum", -100, 0.2),
    ]
)

_IN_ONE = KERNELS["cross_entropy"]  # the classes of arrays that there is a kernel for


def _in_one(input: Tensor, target: Tensor, weight: Any, reduction: str, *options: Any) -> Any:
    """The one op where these are scores and classes; None where not, which has errors elsewhere."""
    x, t = input._array, target._array
    if x.ndim == 1 and t.shape in ((), (1,)):
        out = _in_one(input.unsqueeze(0), target.reshape(1), weight, reduction, *options)
        return out if out is None else out.reshape(())
    if x.ndim < 2 or t.shape != (x.shape[0], *x.shape[2:]) or x.dtype.kind in "biuc":
        return None
    _check_class_weight(weight, input, "")
    refuse_gradient("nll_loss_forward", weight=weight)
    _check_weight(raw(weight), x)
    return _of_classes(input, target, weight, reduction, *options)


# ---- both


@composite(where=("nn.functional",))
def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """The cross entropy of scores and classes: the log softmax, then the negative log likelihood.

    y_n = -w_t ln softmax(x_n)_t
    dL/dx = g w_t (softmax(x) - 1 at t) (/ sum of w for the mean)

    input: (C,), (N, C) or (N, C, d1, ...). target: class numbers (), (N,) or (N, d1, ...), or
    probabilities of the input's shape: y_n = -sum_c w_c t_n,c ln softmax(x_n)_c, and the mean
    divides by N. `weight`: (C,). `ignore_index`: samples of this class do not count.
    `label_smoothing` e: the target becomes (1 - e) t + e / C. IndexError for a class that there is
    not; ValueError and RuntimeError for arguments that do not fit.
    """
    if reduction != "mean" or size_average is not None or reduce is not None:
        reduction = reduction_of(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    x, t = _array(input, 1, "self"), _array(target, 2, "target")
    if x.shape == t.shape:
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if x.__class__ in _IN_ONE:
        out = _in_one(input, target, weight, reduction, ignore_index, label_smoothing)
        if out is not None:
            return out
    if label_smoothing:
        return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)
    if weight is not None:
        _check_class_weight(weight, input, "")
    elif x.size >= _LARGE and _usual(x, t, ignore_index, reduction):
        return _fused(input, target, reduction)
    logs = _log_softmax(input, 0 if x.ndim == 1 else 1)
    return nll_loss(logs, target, weight, None, ignore_index, None, reduction)


def _array(value: Any, place: int, name: str) -> Any:
    try:
        return value._array
    except AttributeError:
        raise TypeError(
            f"cross_entropy_loss(): argument '{name}' (position {place}) must be Tensor, not "
            f"{type(value).__name__}"
        ) from None


def _check_class_weight(weight: Any, input: Tensor, prefix: str) -> None:
    classes = input.shape[0 if input.ndim == 1 else 1] if input.ndim else 1
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no "
            "classes but got weight "
            f"tensor of shape: {list(weight.shape)}"
        )


def _usual(x: Any, t: Any, ignore_index: int, reduction: str) -> bool:
    """Is this the case of the fused op: (N, C) floats, (N,) valid classes, none ignored, a mean or
    a sum?
    """
    if x.ndim != 2 or t.shape != x.shape[:1] or x.dtype.char not in "fd" or reduction == "none":
        return False
    if t.dtype != np.int64 or not isinstance(x, np.ndarray):
        return False
    return bool(t.min() >= 0 and t.max() < x.shape[1] and not (t == ignore_index).any())


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    if not target.is_floating_point():
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype.legacy}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    _check_class_weight(weight, input, "cross_entropy: ")
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    logs = _log_softmax(input, dim) * target
    if weight is not None:
        logs = logs * weight.reshape([-1 if d == dim else 1 for d in range(input.ndim)])
    if reduction == "none":
        return -_sum(logs, dim)
    total = -logs.sum()
    return (
        total / (input.numel() // classes if classes else math.nan)
        if reduction == "mean"
        else total
    )


def _smoothed(
    input: Tensor, target: Tensor, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """(1 - e) of the class's loss and e / C of the sum of all classes' losses."""
    _check_class_weight(weight, input, "")
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    logs = _log_softmax(input, dim)
    loss = nll_loss(logs, target, weight, None, ignore_index, None, reduction)
    if weight is not None:
        logs = logs * weight.reshape([-1 if d == dim else 1 for d in range(input.ndim)])
    ignored = raw(target) == ignore_index
    smooth = -_sum(logs, dim).masked_fill(like(np.asarray(ignored), input), 0.0)
    if reduction == "mean":
        smooth = smooth.sum() / _counted_weight(weight, target, ignored)
    else:
        smooth = reduce_loss(smooth, reduction)
    return (1 - smoothing) * loss + smooth * (smoothing / classes)


def _counted_weight(weight: Any, target: Tensor, ignored: Any) -> Any:
    """The sum of the weights of the samples that count; their number where there are no weights."""
    t = raw(target)
    if weight is None:
        return float((~ignored).sum()) or math.nan
    safe = np.where(ignored, 0, t) if isinstance(t, np.ndarray) else t * ~ignored
    with np.errstate(over="ignore", invalid="ignore"):
        return float((raw(weight)[safe] * ~ignored).sum()) or math.nan


cross_entropy.samples(
    lambda t: [
        (t(3, 4), t.int(4, 3)),
        (t(4), t.int(4)),
        (t(2, 3, 4), t.int(3, 2, 4), {"reduction": "none"}),
        (t(3, 4), t.int(4, 3), t.fixed(4, low=0.5, high=1.0), {"label_smoothing": 0.2}),
        (t(3, 4), t(3, 4, low=0.1, high=0.9)),
    ]
)
