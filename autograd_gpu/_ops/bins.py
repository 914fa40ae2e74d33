"""Places among boundaries, and counts."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.tensor import Tensor, make
from .declare import Index, composite, op

__all__ = ["bincount", "bucketize", "histc", "searchsorted"]


@op(where=())
def _searchsorted(xp, sorted_sequence: Index, input: Index, right, out_int32):
    """See `searchsorted`."""
    side = "right" if right else "left"
    if sorted_sequence.ndim == 1:
        out = xp.searchsorted(sorted_sequence, input, side)
    else:
        n = sorted_sequence.shape[-1]
        rows, wanted = (
            sorted_sequence.reshape(-1, n),
            input.reshape(math.prod(input.shape[:-1]), -1),
        )
        found = [
            xp.searchsorted(row, values, side) for row, values in zip(rows, wanted, strict=True)
        ]
        out = xp.stack(found).reshape(input.shape) if found else xp.zeros(input.shape, np.int64)
    if input.dtype.kind not in "biu":
        out = xp.where(input != input, sorted_sequence.shape[-1], out)
    return xp.asarray(out).astype(np.int32 if out_int32 else np.int64)


def _wrapped(value: Any, beside: Tensor) -> Tensor:
    """A number as a tensor, of the type of what it is compared with unless that would round it."""
    if isinstance(value, Tensor):
        return value
    dtype = beside._array.dtype
    keep = isinstance(value, int) or dtype.kind not in "biu"
    return make(library(beside._array).asarray(value, dtype if keep else None))


@composite(where=("",))
def searchsorted(
    sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None, out=None
):
    """Where values would go in an ascending sequence, so that it stays in order.

    y = i with s_{i-1} < x <= s_i, or with right=True (side="right") s_{i-1} <= x < s_i

    `sorted_sequence`: (n,), or (*, n) with values (*, m), row by row; `sorter` gives the order of
    one that is not sorted. Values: a tensor or a number. int64, or int32 with `out_int32`. NaN goes
    to the end. RuntimeError for shapes that do not fit.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left "
            "while right was True"
        )
    given = isinstance(input, Tensor)
    input = _wrapped(input, sorted_sequence)
    _check_boundaries(sorted_sequence, input, given)
    if sorter is not None:
        sorted_sequence = make(
            np.take_along_axis(sorted_sequence._array, _checked(sorter, sorted_sequence), -1)
        )
    return _searchsorted(sorted_sequence, input, right or side == "right", out_int32, out=out)


def _check_boundaries(sequence: Tensor, input: Tensor, given: bool) -> None:
    a, b = tuple(sequence.shape), tuple(input.shape)
    if not a:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 "
            "dimension"
        )
    if len(a) > 1 and not b:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
            f"dimension is 1, but we got boundaries tensor dim({len(a)}) and input value's dim(0) "
            "numel(1)"
        )
    if len(a) > 1 and a[:-1] != b[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(a)} and input value tensor {list(b)}"
        )


def _checked(sorter: Tensor, sequence: Tensor) -> Any:
    array = sorter._array
    if array.shape != sequence._array.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
            f"tensor {list(sequence.shape)}and got sorter tensor {list(array.shape)}"
        )
    if array.dtype != np.int64:
        raise RuntimeError(
            "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype "
            f"{of(array.dtype).legacy}"
        )
    if array.size and not (0 <= array.min() and array.max() < array.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return array


@composite(where=("",))
def bucketize(input, boundaries, *, out_int32=False, right=False, out=None):
    """The bucket of each value between ascending boundaries: `searchsorted` with the arguments
    exchanged.

    y = i with b_{i-1} < x <= b_i, or with right=True b_{i-1} <= x < b_i. RuntimeError unless
    `boundaries` is a vector.
    """
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return _searchsorted(boundaries, _wrapped(input, boundaries), right, out_int32, out=out)


@op()
def bincount(xp, input: Index, weights: Index | None = None, minlength=0):
    """How often each of 0, 1, 2, ... is in a vector of integers; with `weights`, the sum of its
    weights.

    The length is that of the largest number plus 1, at least `minlength`. int64; float32 for
    weights of float32, else float64. RuntimeError for negative numbers and for lengths that do not
    fit. Not differentiable.
    """
    if input.dtype.kind not in "iu":
        raise NotImplementedError(
            f"\"bincount_cpu\" not implemented for '{of(input.dtype).legacy}'"
        )
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1 or input.size and int(input.min()) < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return (
            xp.bincount(input, minlength=minlength) if input.size else xp.zeros(minlength, np.int64)
        )
    if weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    dtype = np.float32 if weights.dtype == np.float32 else np.float64
    return (
        xp.bincount(input, weights, minlength).astype(dtype)
        if input.size
        else xp.zeros(minlength, dtype)
    )


@op()
def histc(xp, input: Index, bins=100, min=0, max=0):
    """How many elements fall into each of `bins` equal intervals of [min, max]; the last holds its
    upper end.

    With min = max, the range of the data is taken. Elements outside of it and NaN are not counted.
    The dtype is that of the input. RuntimeError for no bins, a range that is not finite, or max
    below min. Not differentiable.
    """
    if input.dtype.kind not in "fV":
        raise NotImplementedError(
            f"\"histogram_cpu\" not implemented for '{of(input.dtype).legacy}'"
        )
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(min), float(max)
    if low == high and input.size:
        low, high = float(input.min()), float(input.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    values = input[(input >= low) & (input <= high)]
    place = ((values - low) * bins / (high - low)).astype(np.int64)
    place[place == bins] = bins - 1
    return xp.bincount(place, minlength=bins).astype(input.dtype)


_searchsorted.samples(lambda t: [(t.int(5, 0), t.int(5, 2, 3), False, False)])
bincount.samples(lambda t: [(t.int(5, 9),), (t.int(5, 9), t.int(4, 9), 7)])
histc.samples(lambda t: [(t(20), 5), (t(4, 5), 4, -1, 1)])
