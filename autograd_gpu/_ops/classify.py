"""The negative log likelihood of classes: nll_loss."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.tensor import Tensor
from .declare import Array, Index, composite, op
from .helpers import conj, like, raw
from .loss import reduction_of, refuse_gradient

__all__ = ["nll_loss"]


_INT64, _UNSIGNED = np.dtype(np.int64), np.dtype(np.uint64)


def class_numbers(xp: Any, target: Any, classes: int, ignore_index: int) -> tuple[Any, Any]:
    """Targets as indices, and a mask of those to ignore (None where there are none).

    RuntimeError for a wrong dtype, IndexError for a class that there is not. One comparison as
    unsigned numbers finds negative ones too.
    """
    if target.dtype is _INT64 and target.ndim and target.flags.c_contiguous and target.size:
        largest = xp.maximum.reduce(target.view(_UNSIGNED), None)
        if largest < classes and not 0 <= ignore_index < classes:
            return target, None
    if target.dtype.char not in "lB" and target.dtype != np.int64:
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {of(target.dtype).legacy}"
        )
    target = target.astype(np.int64) if target.dtype.char == "B" else target
    if not target.size:
        return target, None
    ignored = target == ignore_index
    safe = xp.where(ignored, 0, target)
    wrong = (safe < 0) | (safe >= classes)
    if wrong.any():
        raise IndexError(f"Target {int(safe[wrong].ravel()[0])} is out of bounds.")
    return safe, ignored if ignored.any() else None


@lru_cache(64)
def _counted(n: int) -> Any:
    return np.arange(n)


def places(xp: Any, index: Any) -> tuple:
    """The index of one class for each sample: (N,) picks of (N, C), (N, d) of (N, C, d)."""
    rows = _counted(len(index)) if xp is np else xp.arange(len(index))
    return (rows, index) if index.ndim == 1 else (rows[:, None], index, xp.arange(index.shape[1]))


@op(where=(), name="_at_class")
def at_class(xp, input: Array, index: Index):
    """y_n = x_n,index_n            dL/dx: `from_class`"""
    return input[places(xp, index)]


@op(where=(), name="_from_class")
def from_class(xp, input: Array, index: Index, size):
    """Zeros, but for the classes given.            dL/dx: `at_class`"""
    out = xp.zeros(size, input.dtype)
    out[places(xp, index)] = input
    return out


at_class.derivative(input=lambda grad, index, input_shape: from_class(grad, index, input_shape))
from_class.derivative(input=lambda grad, index: at_class(grad, index))


def _nll_forward(
    xp: Any, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> tuple:
    """The loss, the class numbers, and the factor of each sample's log probability in the loss."""
    index, ignored = class_numbers(xp, target, input.shape[1], ignore_index)
    picked = input[places(xp, index)]
    kind = picked.dtype.type
    if weight is None and ignored is None:
        n = picked.size or math.nan
        if reduction == "none":
            return -picked, index, -1.0
        half = picked.dtype.itemsize == 2
        total = -xp.add.reduce(picked.astype(np.float32) if half else picked, None)
        if reduction == "mean":
            total = total / n
        if half:
            total = total.astype(input.dtype)
        return total, index, -1.0 if reduction == "sum" else -1 / n
    factor = xp.ones(picked.shape, input.dtype) if weight is None else weight[index]
    if ignored is not None:
        factor = xp.where(ignored, kind(0), factor)
        picked = xp.where(ignored, kind(0), picked)
    losses = -picked * factor
    if reduction == "none":
        return losses, index, -factor
    total = losses.sum()
    if reduction == "mean":
        parts = factor.sum()
        return total / parts, index, -factor / parts if parts else xp.zeros_like(factor)
    return total, index, -factor


@composite(kernel="nll_loss_backward")
def _nll_backward(grad, input_shape, index, factor):
    """g times its factor at each sample's class, 0 elsewhere"""
    index = raw(index)
    if grad.__class__ is np.ndarray and index.ndim == 1:
        out = np.zeros(input_shape, grad.dtype)
        out[_counted(len(index)), index] = grad * conj(factor)
        return out
    factor = raw(factor)
    kind = raw(grad).dtype
    xp = library(raw(grad))
    factors = xp.broadcast_to(xp.asarray(conj(factor), kind), index.shape)
    return from_class(grad * like(factors, grad), like(index, grad), input_shape)


def _check_weight(weight: Any, input: Any) -> None:
    classes = input.shape[1]
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            "got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    if weight is not None and weight.dtype != input.dtype:
        a, b = of(input.dtype).legacy, of(weight.dtype).legacy
        raise RuntimeError(f"expected scalar type {a} but found {b}")


@op(where=(), node="NllLossBackward0", kernel="nll_loss", constants=("index", "factor"))
def _nll_loss(xp, input: Array, target: Index, weight: Index | None, reduction, ignore_index):
    """Log probabilities (N, C), classes (N,); see `nll_loss`."""
    if weight is not None:
        _check_weight(weight, input)
    return _nll_forward(xp, input, target, weight, reduction, ignore_index)


@op(where=(), node="NllLoss2DBackward0", kernel="nll_loss", constants=("index", "factor"))
def _nll_loss_many(xp, input: Array, target: Index, weight: Index | None, reduction, ignore_index):
    """Log probabilities (N, C, d), classes (N, d); see `nll_loss`."""
    if weight is not None:
        _check_weight(weight, input)
    return _nll_forward(xp, input, target, weight, reduction, ignore_index)


for _f in (_nll_loss, _nll_loss_many):
    _f.derivative(
        input=lambda grad, input_shape, index, factor: _nll_backward(
            grad, input_shape, index, factor
        )
    )


@composite(where=("nn.functional",))
def nll_loss(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"
):
    """The negative log likelihood of classes, from log probabilities.

    y_n = -w_t x_n,t            dL/dx_n,t = -w_t g (/ sum of w for the mean)

    input: (C,), (N, C) or (N, C, d1, ...), target: class numbers (), (N,) or (N, d1, ...).
    `weight`: (C,), a factor for each class. Samples of class `ignore_index` do not count.
    `reduction`: "mean", "sum" or "none". IndexError for a class that there is not; ValueError and
    RuntimeError for sizes and dtypes that do not fit.
    """
    if reduction != "mean" or size_average is not None or reduce is not None:
        reduction = reduction_of(reduction, size_average, reduce)
    n, m = input._array.ndim, target._array.ndim
    if n == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if n == 2 and m == 1 and input._array.shape[0] == target._array.shape[0]:
        if weight is not None:
            refuse_gradient("nll_loss_forward", weight=weight)
        return _nll_loss(input, target, weight, reduction, ignore_index)
    if n == 1:
        return _one_sample(input, target, weight, reduction, ignore_index)
    return _many(input, target, weight, reduction, ignore_index)


def _one_sample(
    input: Tensor, target: Tensor, weight: Any, reduction: str, ignore_index: int
) -> Tensor:
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.ndim == 1 and target.shape[0] != 1:
        raise ValueError(
            f"Expected input batch_size (1) to match target batch_size ({target.shape[0]})."
        )
    refuse_gradient("nll_loss_forward", weight=weight)
    out = _nll_loss(input.unsqueeze(0), target.reshape(1), weight, reduction, ignore_index)
    return out.reshape(()) if reduction == "none" else out


def _many(input: Tensor, target: Tensor, weight: Any, reduction: str, ignore_index: int) -> Tensor:
    shape, given = tuple(input.shape), tuple(target.shape)
    if not given or shape[0] != given[0]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({given[0] if given else 0})."
        )
    wanted = (shape[0], *shape[2:])
    if len(shape) == 2:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if wanted != given:
        if len(shape) == 4 and len(given) == 3:
            raise RuntimeError(f"size mismatch (got input: {list(shape)} , target: {list(given)}")
        raise RuntimeError(f"Expected target size {list(wanted)}, got {list(given)}")
    rest = math.prod(shape[2:])
    refuse_gradient("nll_loss2d_forward", weight=weight)
    out = _nll_loss_many(
        input.reshape(shape[0], shape[1], rest),
        target.reshape(shape[0], rest),
        weight,
        reduction,
        ignore_index,
    )
    return out.reshape(wanted) if reduction == "none" else out


nll_loss.samples(
    lambda t: [
        (t(3, 4), t.int(4, 3)),
        (t(4), t.int(4)),
        (t(2, 3, 4), t.int(3, 2, 4), {"reduction": "none"}),
        (t(3, 4), t.int(4, 3), t.fixed(4, low=0.5, high=1.0)),
        (t(3, 4), t.int(4, 3), {"reduction": "sum"}),
    ]
)
