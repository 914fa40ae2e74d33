"""Losses of classifiers: nll_loss and cross_entropy."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.tensor import Tensor
from .declare import Array, Index, composite, op
from .helpers import like, raw
from .loss import reduce_loss, reduction_of, refuse_gradient
from .reduce import _sum
from .softmax import _log_softmax, _softmax

__all__ = ["cross_entropy", "nll_loss"]


def class_numbers(xp: Any, target: Any, classes: int, ignore_index: int) -> tuple[Any, Any]:
    """Targets as indices, and a mask of those to ignore (None where there are none).

    RuntimeError for a wrong dtype, IndexError for a class that there is not. One comparison as
    unsigned numbers finds negative ones too.
    """
    if target.dtype.char not in "lB" and target.dtype != np.int64:
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {of(target.dtype).legacy}"
        )
    target = target.astype(np.int64) if target.dtype.char == "B" else target
    if not target.size:
        return target, None
    wide = target if target.flags.c_contiguous and target.ndim else xp.ascontiguousarray(target)
    if int(wide.view(np.uint64).max()) < classes and not 0 <= ignore_index < classes:
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
            return -picked, index, kind(-1)
        total = -(picked.astype(np.float32) if picked.dtype.itemsize == 2 else picked).sum()
        return (
            (kind(total), index, kind(-1))
            if reduction == "sum"
            else (kind(total / n), index, kind(-1 / n))
        )
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


def _nll_backward(grad, input_shape, index, factor):
    """g times its factor at each sample's class, 0 elsewhere"""
    index = raw(index)
    if grad.__class__ is np.ndarray and index.ndim == 1:
        out = np.zeros(input_shape, grad.dtype)
        out[_counted(len(index)), index] = grad * factor
        return out
    factor = np.broadcast_to(raw(factor), index.shape) if raw(grad).ndim == 0 else raw(factor)
    return from_class(grad * like(factor, grad), like(index, grad), input_shape)


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


@op(where=(), node="NllLossBackward0", constants=("index", "factor"))
def _nll_loss(xp, input: Array, target: Index, weight: Index | None, reduction, ignore_index):
    """Log probabilities (N, C), classes (N,); see `nll_loss`."""
    if weight is not None:
        _check_weight(weight, input)
    return _nll_forward(xp, input, target, weight, reduction, ignore_index)


@op(where=(), node="NllLoss2DBackward0", constants=("index", "factor"))
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


# ---- cross entropy


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


@composite(kernel="cross_entropy_backward")
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
    reduction = reduction_of(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    if _array(input, "input").shape == _array(target, "target").shape:
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if label_smoothing:
        return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)
    if (
        weight is None
        and input._array.size >= _LARGE
        and _usual(input, target, ignore_index, reduction)
    ):
        return _fused(input, target, reduction)
    _check_class_weight(weight, input, "")
    dim = 0 if input._array.ndim == 1 else 1
    return nll_loss(_log_softmax(input, dim), target, weight, None, ignore_index, None, reduction)


def _array(value: Any, name: str) -> Any:
    try:
        return value._array
    except AttributeError:
        raise TypeError(
            f"cross_entropy_loss(): argument '{'self' if name == 'input' else name}' (position "
            f"{1 if name == 'input' else 2}) must be Tensor, not {type(value).__name__}"
        ) from None


def _check_class_weight(weight: Any, input: Tensor, prefix: str) -> None:
    classes = input.shape[0 if input.ndim == 1 else 1] if input.ndim else 1
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no "
            "classes but got weight "
            f"tensor of shape: {list(weight.shape)}"
        )


def _usual(input: Tensor, target: Tensor, ignore_index: int, reduction: str) -> bool:
    """Is this the case of the fused op: (N, C) floats, (N,) valid classes, none ignored, a mean or
    a sum?
    """
    x, t = input._array, target._array
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


nll_loss.samples(
    lambda t: [
        (t(3, 4), t.int(4, 3)),
        (t(4), t.int(4)),
        (t(2, 3, 4), t.int(3, 2, 4), {"reduction": "none"}),
        (t(3, 4), t.int(4, 3), t.fixed(4, low=0.5, high=1.0)),
        (t(3, 4), t.int(4, 3), {"reduction": "sum"}),
    ]
)
cross_entropy.samples(
    lambda t: [
        (t(3, 4), t.int(4, 3)),
        (t(4), t.int(4)),
        (t(2, 3, 4), t.int(3, 2, 4), {"reduction": "none"}),
        (t(3, 4), t.int(4, 3), t.fixed(4, low=0.5, high=1.0), {"label_smoothing": 0.2}),
        (t(3, 4), t(3, 4, low=0.1, high=0.9)),
    ]
)
