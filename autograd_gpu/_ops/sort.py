"""Sorting, and the k largest."""

from typing import Any

import numpy as np

from .._core.layout import normal_dim
from .along import pick, selected, slice_along
from .declare import Array, composite, op
from .returns import result_type
from .summing import wide

__all__ = ["argsort", "msort", "sort", "topk"]

_SORT = result_type("sort", "values", "indices")


def order(xp: Any, array: Any, dim: int, descending: bool) -> Any:
    """The indices that sort: stable, and NaN counts as the largest."""
    array = array.swapaxes(dim, -1)
    array = wide(array) if array.dtype.kind == "V" else array
    n = array.shape[-1]
    if xp is np and 16 < n < 1 << 32 and (array.dtype.char in "fi" or array.dtype.itemsize == 2):
        index = _packed_order(array, descending)
    elif descending:
        # Sorted from the back, and read from the back: what is equal keeps its order.
        index = (n - 1 - _argsort(xp, array[..., ::-1]))[..., ::-1].copy()
    else:
        index = _argsort(xp, array)
    return xp.ascontiguousarray(index.swapaxes(dim, -1))


def _argsort(xp: Any, array: Any) -> Any:
    return array.argsort(axis=-1, kind="stable") if xp is np else array.argsort(axis=-1)


def _packed_order(array: Any, descending: bool) -> Any:
    """Key and index as the two halves of one int64: NumPy sorts integers two to three times as fast
    as indices.
    """
    if array.dtype.kind in "iu":
        key = array.astype(np.int64)
    else:
        array = array.astype(np.float32) + np.float32(0)  # no -0
        key = np.where(array != array, np.float32(np.nan), array).view(np.int32).astype(np.int64)
        key ^= (key >> 63) & 0x7FFFFFFF  # negative floats count downwards
    key = ~key if descending else key
    key <<= 32
    key |= np.arange(array.shape[-1])
    key.sort(axis=-1)
    key &= 0xFFFFFFFF
    return key


def _sorted(xp, input, dim, descending):
    if input.dtype.kind == "c":
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    dim = normal_dim(dim, input.ndim, "sort")
    if not input.ndim:
        return input.copy(), xp.zeros((), np.int64)
    index = order(xp, input, dim, descending)
    return pick(input, index, dim), index


@op(where=(), node="SortBackward0", outputs=("values", "indices"), result=_SORT)
def _sort(xp, input: Array, dim, descending):
    """See `sort`."""
    return _sorted(xp, input, dim, descending)


@op(where=(), node="SortBackward1", outputs=("values", "indices"), result=_SORT)
def _sort_stable(xp, input: Array, dim, descending):
    """See `sort`."""
    return _sorted(xp, input, dim, descending)


for _f in (_sort, _sort_stable):
    _f.derivative(
        input=lambda grad, indices, input_shape, dim: selected(
            grad, indices, input_shape, normal_dim(dim, len(input_shape)), True
        )
    )


@composite(where=("", "Tensor"))
def sort(input, dim=-1, descending=False, *, stable=None, out=None):
    """The elements along `dim` in order, and where they were: a tuple (values, indices).

    y_i = x at index i            dL/dx = g, put back where it came from

    What is equal keeps its order, whether `stable` is asked for or not; NaN counts as the largest.
    RuntimeError for complex numbers.
    """
    if isinstance(dim, bool):  # sort(stable, dim, descending) of older calls
        raise TypeError("sort(): argument 'dim' must be int, not bool")
    return (_sort if stable is None else _sort_stable)(input, dim, bool(descending), out=out)


@op()
def argsort(xp, input: Array, dim=-1, descending=False, *, stable=False):
    """The indices that sort along `dim`; as in `sort`. Not differentiable."""
    return _sorted(xp, input, dim, bool(descending))[1]


@composite(where=("", "Tensor"))
def msort(input, *, out=None):
    """The elements sorted along the first dimension; see `sort`."""
    values = _sort(input, 0, False)[0]
    return values if out is None else out.copy_(values)


@op(outputs=("values", "indices"), result=result_type("topk", "values", "indices"))
def topk(xp, input: Array, k, dim=-1, largest=True, sorted=True):
    """The k largest (or smallest) elements along `dim`, in order, and where they are: a tuple
    (values, indices).

    y_i = x at index i            dL/dx = g, put back where it came from, 0 elsewhere

    Of equal elements the first are taken; NaN counts as the largest. RuntimeError for a k that is
    negative or larger than the dimension, and for bools and complex numbers.
    """
    if input.dtype.kind in "bc":
        raise RuntimeError(
            f"topk does not support {'bool' if input.dtype.kind == 'b' else 'complex'} dtypes on "
            "CPU"
        )
    dim = normal_dim(dim, input.ndim, "topk")
    n = input.shape[dim] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError("selected index k out of range")
    if not input.ndim:
        return input.copy() if k else input.reshape(1)[:0], xp.zeros(
            (1,) if not k else (), np.int64
        )[... if k else slice(0)]
    index = _first(xp, wide(input), k, dim, largest)
    return pick(input, index, dim), index


def _first(xp: Any, array: Any, k: int, dim: int, largest: bool) -> Any:
    """The indices of the first k in order. Few of many are found by a partition, in linear time."""
    n = array.shape[dim]
    if (
        xp is not np
        or not k
        or k * 8 > n
        or array.dtype.kind == "f"
        and bool((array != array).any())
    ):
        return order(xp, array, dim, largest)[slice_along(array.ndim, dim, None, k)]
    lanes = array.swapaxes(dim, -1)
    at = n - k if largest else k - 1
    bound = np.partition(lanes, at, -1)[..., at, None]
    beyond, equal = (lanes > bound if largest else lanes < bound), lanes == bound
    room = k - beyond.sum(-1, keepdims=True)
    taken = beyond | equal & (equal.cumsum(-1) <= room)
    index = taken.nonzero()[-1].reshape(*lanes.shape[:-1], k)
    first = order(np, pick(lanes, index, lanes.ndim - 1), lanes.ndim - 1, largest)
    return np.ascontiguousarray(pick(index, first, lanes.ndim - 1).swapaxes(dim, -1))


topk.derivative(
    input=lambda grad, indices, input_shape, dim: selected(
        grad, indices, input_shape, normal_dim(dim, len(input_shape)), True
    )
)


for _f in (_sort, _sort_stable):
    _f.samples(
        lambda t: [
            (t(5), 0, False),
            (t(2, 3, 4), 1, True),
            (t.strided(3, 4), 0, False),
            (t(), -1, False),
        ]
    )
argsort.samples(lambda t: [(t(5),), (t(2, 3, 4), 1, True), (t(40), {"stable": True})])
sort.samples(lambda t: [(t(5),), (t(2, 3), 0, True), (t(40, 2), {"stable": True, "dim": 0})])
msort.samples(lambda t: [(t(5),), (t(4, 3),)])
topk.samples(lambda t: [(t(5), 2), (t(2, 3, 4), 2, 1, False), (t(40), 3), (t.strided(3, 4), 1, 0)])
