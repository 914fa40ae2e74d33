"""Single elements along a dimension, or of the whole, named by an array of integers: gather, take,
take_along_dim, put.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.layout import normal_dim
from .accumulate import add_at, add_rows
from .declare import Array, Index, composite, op
from .helpers import raw
from .index import _accumulated
from .lines import outside, put_at, read_at
from .rows import bounded, first_outside
from .shape import _expand, _reshape

__all__ = ["gather", "put", "take", "take_along_dim"]


@composite(kernel="flat_places")
def flat_places(index, dim, size):
    """Row-major places of the elements (i, ..., index[i, ..., j], ...) of an array of this size."""
    ndim, xp = len(size), library(index)
    if not ndim or not index.ndim:
        return index.astype(np.int64)
    step = math.prod(size[dim + 1 :])
    index = index.astype(np.int64, copy=False)
    beside = math.prod(index.shape[:dim]) * math.prod(index.shape[dim + 1 :])
    offsets = _kept_offsets if xp is np and beside <= 4096 else _offsets
    return (index if step == 1 else index * step) + offsets(xp, index.shape, dim, size)


def _offsets(xp: Any, shape: tuple[int, ...], dim: int, size: tuple[int, ...]) -> Any:
    """Where the lines along `dim` begin, of length 1 along it."""
    total: Any = 0
    for d, n in enumerate(shape):
        if d != dim and n > 1:
            places = xp.arange(n) * math.prod(size[d + 1 :])
            total = total + places.reshape((n,) + (1,) * (len(size) - d - 1))
    return total


_kept_offsets = lru_cache(32)(_offsets)


@composite(kernel="gather")
def gather_along(input, index, dim):
    """y[i, j] = x[i, index[i, j]] (for dim 1); each number of the index is in [0, length)."""
    return input.reshape(-1).take(flat_places(index, dim, input.shape))


def check_index(
    name: str, index: Any, dim: int, size: tuple[int, ...], what: str = "input"
) -> None:
    """PyTorch's errors for an index of another dtype, dimension or range."""
    if index.dtype.char not in "liq":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    if max(index.ndim, 1) != max(len(size), 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {what} tensor")
    n = size[dim] if size else 1
    if not bounded(index, n):
        raise RuntimeError(
            f"index {first_outside(index, n)} is out of bounds for dimension {dim} with size {n}"
        )


@op(node="GatherBackward0")
def gather(xp, input: Array, dim, index: Index, *, sparse_grad=False):
    """The elements of a dimension that an array of integers names.

    y[i, j] = x[i, index[i, j]] (for dim 1)
    dL/dx[i, k] = sum of g[i, j] where index[i, j] = k

    `index` has the dimensions of `input`, none longer but `dim`. RuntimeError for an index that is
    longer, out of range
    (negative too) or no integer. `sparse_grad` changes nothing: gradients are dense.
    """
    dim = normal_dim(dim, input.ndim, "gather")
    if not index.size and index.dtype.char in "liq":
        return xp.empty(index.shape, input.dtype)
    check_index("gather", index, dim, input.shape)
    for d, n in enumerate(index.shape):
        if d != dim and n > input.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no "
                f"larger than self {list(input.shape)} apart from dimension {dim}"
            )
    return gather_along(input, index, dim)


gather.derivative(
    input=lambda grad, dim, index, input_shape: _gather_backward(grad, dim, index, input_shape)
)
gather.samples(
    lambda t: [
        (t(2, 3), 1, t.int(3, 2, 4)),
        (t(3, 2, 4), 0, t.int(3, 2, 1, 3)),
        (t(), 0, t.int(1)),
        (t(3), -1, t.int(3)),
    ]
)


@op(where=(), node="ScatterAddBackward0")
def _gather_backward(xp, grad: Array, dim, index: Index, size):
    """Zeros of a size, with g[i, j] added at (i, index[i, j]) (for dim 1)."""
    out = xp.zeros(size, grad.dtype)
    add_flat(out, flat_places(index, normal_dim(dim, len(size)), size), grad)
    return out


def add_flat(out: Any, places: Any, values: Any) -> None:
    """Add values at row-major places of an array that is contiguous."""
    if not places.size:
        return
    if out.__class__ is np.ndarray:
        add_rows(out.reshape(-1, 1), places.reshape(-1), values.reshape(-1, 1))
    else:
        add_at(out.reshape(-1), (places.reshape(-1),), values.reshape(-1))


_gather_backward.derivative(grad=lambda grad, dim, index: gather(grad, dim, index))
_gather_backward.samples(
    lambda t: [(t(2, 4), 1, t.int(3, 2, 4), (2, 3)), (t(2, 2), 0, t.int(3, 2, 2), (3, 4))]
)


@op(node="TakeBackward0")
def take(xp, input: Array, index: Index):
    """The elements of the flattened input that an array of integers names, in the shape of that
    array.

    y[k] = x.flatten()[index[k]]            dL/dx[i] = sum of g[k] where index[k] = i

    Negative indices count back. IndexError for an index out of range, RuntimeError for one that is
    not int64.
    """
    _check_flat("take", index, input.size)
    return read_at(input.reshape(-1), (index,))


def _check_flat(name: str, index: Any, numel: int) -> None:
    if index.dtype.char not in "lq":
        raise RuntimeError(
            f"{name}(): Expected a long tensor for index, but got {of(index.dtype).legacy}"
        )
    bad = outside(index, -numel, numel)
    if bad is not None:
        raise IndexError(
            f"out of range: tried to access index {bad} on a tensor of {numel} elements."
        )


take.derivative(
    input=lambda grad, index, input_shape: _reshape(
        _accumulated(grad, (math.prod(input_shape),), (raw(index),)), input_shape
    )
)
take.samples(lambda t: [(t(2, 3), t.int(6, 4)), (t(2, 3), t.int(6)), (t(3), t.int(3, 2, 2))])


@op(inplace=True, node="PutBackward0")
def put(xp, input: Array, index: Index, source: Array, accumulate=False):
    """A copy of `input`, in which the elements of the flattened tensor that `index` names are those
    of `source`.

    y[index[k]] = s[k] (or += s[k])            dL/dx = g, 0 where replaced;  dL/ds[k] = g[index[k]]

    IndexError for an index out of range, RuntimeError for another dtype or number of elements.
    """
    out = xp.array(input, order="C")
    _put_flat(xp, out, index, source, accumulate)
    return out


@put.write
def _(xp, input, index, source, accumulate=False):
    if input.flags.c_contiguous:
        _put_flat(xp, input, index, source, accumulate)
    else:
        out = input.copy("C")
        _put_flat(xp, out, index, source, accumulate)
        input[...] = out


def _put_flat(xp: Any, out: Any, index: Any, source: Any, accumulate: bool) -> None:
    _check_flat("put_", index, out.size)
    if out.dtype != source.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{of(out.dtype).legacy} and source.dtype = {of(source.dtype).legacy}"
        )
    if index.size != source.size:
        raise RuntimeError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.size}, index.numel() = {index.size}"
        )
    if accumulate:
        add_flat(out, index % max(out.size, 1), source)
    else:
        put_at(out.reshape(-1), (index.reshape(-1),), source.reshape(-1))


put.derivative(
    input=lambda grad, index, accumulate: (
        grad if accumulate else put(grad, index, like_zeros(grad, index))
    ),
    source=lambda grad, index, source_shape: _reshape(take(grad, index), source_shape),
)
put.samples(lambda t: [(t(2, 3), t.int(6, 3), t(3), True), (t(2, 3), t.int(1, 1), t(1))])


def like_zeros(grad: Any, index: Any) -> Any:
    """Zeros in the shape of an index, beside a gradient."""
    from .helpers import like

    array = raw(grad)
    return like(library(array).zeros(raw(index).shape, array.dtype), grad)


@composite(where=("", "Tensor"))
def take_along_dim(input, indices, dim=None, *, out=None):
    """The elements of a dimension that `indices` names; the other dimensions broadcast. As argsort
    and argmax give them.

    y[i, j] = x[i, indices[i, j]] (for dim 1); without `dim`, of the flattened input
    dL/dx: as `gather`

    RuntimeError for indices that are not int64 or have another number of dimensions.
    """
    if raw(indices).dtype.char not in "lq":
        raise RuntimeError(
            "torch.take_along_dim(): dtype of indices should be Long but got "
            f"{of(raw(indices).dtype).legacy}"
        )
    if dim is None:
        return gather(_reshape(input, (-1,)), 0, _reshape(indices, (-1,)), out=out)
    size, places = tuple(input.shape), tuple(indices.shape)
    if len(size) != len(places):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {len(size)} dimensions for input, and {len(places)} dimensions for indices"
        )
    dim = normal_dim(dim, len(size), "take_along_dim")
    both = np.broadcast_shapes(
        size[:dim] + (1,) + size[dim + 1 :], places[:dim] + (1,) + places[dim + 1 :]
    )
    wide = _expand(input, (*both[:dim], size[dim], *both[dim + 1 :]))
    return gather(
        wide, dim, _expand(indices, (*both[:dim], places[dim], *both[dim + 1 :])), out=out
    )


take_along_dim.samples(
    lambda t: [(t(2, 3), t.int(3, 2, 1), 1), (t(2, 3), t.int(6, 4)), (t(2, 1), t.int(2, 2, 3), 0)]
)
