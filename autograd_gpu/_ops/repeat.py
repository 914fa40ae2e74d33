"""Copies of a tensor's elements in other places: flip, roll, rot90, repeat, tile,
repeat_interleave.
"""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.layout import normal_dim, normal_dims
from .._core.size import size_from
from .._core.tensor import Tensor, make
from .convert import clone
from .declare import Array, composite, op
from .helpers import raw, where_it_is
from .reduce import _sum
from .rows import index_select
from .shape import _expand, _reshape, unsqueeze

__all__ = ["flip", "fliplr", "flipud", "repeat_interleave", "roll", "rot90", "tile"]


@op(where=(), node="FlipBackward0")
def _flip(xp, input: Array, dims):
    """See `flip`."""
    return xp.flip(input, dims).copy()


_flip.derivative(input=lambda grad, dims: _flip(grad, dims))


@composite(where=("", "Tensor"))
def flip(input, *dims):
    """The elements in reverse order along the named dimensions; a copy.            y = flip(x),
    dL/dx = flip(g)

    IndexError for a dimension that is not there, RuntimeError for one that is named twice.
    """
    if not dims:
        raise TypeError('flip() missing 1 required positional arguments: "dims"')
    dims = size_from(dims, "flip")
    return _flip(input, normal_dims(dims, len(input.shape), "flip") if dims else ())


@composite(where=("", "Tensor"))
def fliplr(input):
    """Columns in reverse order. RuntimeError for less than 2 dimensions."""
    if len(input.shape) < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return _flip(input, (1,))


@composite(where=("", "Tensor"))
def flipud(input):
    """Rows in reverse order. RuntimeError for a 0-d tensor."""
    if not input.shape:
        raise RuntimeError("Input must be >= 1-d.")
    return _flip(input, (0,))


@op(where=(), node="RollBackward0")
def _roll(xp, input: Array, shifts, dims):
    """See `roll`."""
    return xp.roll(input, shifts, dims or None)


_roll.derivative(input=lambda grad, shifts, dims: _roll(grad, _opposite(shifts), dims))


def _opposite(shifts: Any) -> Any:
    return tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts


@composite(where=("", "Tensor"))
def roll(input, shifts, dims=()):
    """The elements moved along dimensions; what falls off one end comes back at the other.

    y[i] = x[i - shift]            dL/dx = g, moved back

    Without `dims` the tensor is treated as one long row. RuntimeError where shifts and dims are not
    as many.
    """
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = dims if isinstance(dims, (tuple, list)) else (dims,)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if len(shifts) != len(dims) and (dims or len(shifts) != 1):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    if not dims:
        return _roll(input, shifts[0], ())
    return _roll(input, tuple(shifts), tuple(normal_dim(d, len(input.shape), "roll") for d in dims))


@op()
def rot90(xp, input: Array, k=1, dims=(0, 1)):
    """Turned by k quarters, in the plane of two dimensions, from the first to the second.

    dL/dx = g, turned back

    RuntimeError for less than 2 dimensions or equal `dims`.
    """
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    first, second = (normal_dim(d, input.ndim, "rot90") for d in dims)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    return xp.rot90(input, k, (first, second)).copy()


rot90.derivative(input=lambda grad, k, dims: rot90(grad, -k, dims))


@op(where=(), node="RepeatBackward0")
def _repeat(xp, input: Array, sizes):
    """See `Tensor.repeat`."""
    shape = (1,) * (len(sizes) - input.ndim) + input.shape
    if any(n < 0 for n in sizes):
        size = [r * n for r, n in zip(sizes, shape, strict=True)]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(size)}: {size}")
    split = tuple(n for both in zip((1,) * len(shape), shape, strict=True) for n in both)
    wide = xp.broadcast_to(input.reshape(split), _interleaved(sizes, shape))
    return wide.reshape(tuple(r * n for r, n in zip(sizes, shape, strict=True))).copy()


def _interleaved(sizes: tuple, shape: tuple) -> tuple:
    return tuple(n for both in zip(sizes, shape, strict=True) for n in both)


def _repeat_backward(grad, shape, sizes):
    """The sum over all copies."""
    full = (1,) * (len(sizes) - len(shape)) + tuple(shape)
    parts = _reshape(grad, _interleaved(sizes, full))
    return _reshape(_sum(parts, tuple(range(0, 2 * len(full), 2))), shape) if full else grad


_repeat.derivative(
    input=lambda grad, input_shape, sizes: _repeat_backward(grad, input_shape, sizes)
)


@composite(where=("Tensor",))
def repeat(input, *repeats):
    """The tensor laid side by side, `repeats` times along each dimension (new ones in front).

    y = copies of x            dL/dx = sum of g over the copies

    RuntimeError for fewer numbers than dimensions, or negative ones.
    """
    sizes = size_from(repeats, "repeat")
    if len(sizes) < len(input.shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    return _repeat(input, sizes)


@composite(where=("", "Tensor"))
def tile(input, *dims):
    """As `repeat`, with missing numbers of copies taken as 1.

    dL/dx = sum of g over the copies
    """
    sizes = size_from(dims, "tile")
    return _repeat(input, (1,) * (len(input.shape) - len(sizes)) + sizes)


@composite(where=("", "Tensor"))
@where_it_is
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Every slice of a dimension (by default, every element of the flattened input) repeated in
    place.

    y = (x0, x0, x1, x1, ...)            dL/dx[i] = sum of g over the copies of x[i]

    `repeats`: a number, or a tensor with one for each slice; alone, as
    `repeat_interleave(repeats)`: the index of each copy. RuntimeError for a negative number or
    another length.
    """
    if repeats is None:
        counts = _counts(input)
        return _copies(counts)
    if dim is None:
        input, dim = _reshape(input, (-1,)), 0
    shape = tuple(input.shape)
    dim = normal_dim(dim, len(shape), "repeat_interleave")
    if isinstance(repeats, int):
        if repeats < 0:
            raise RuntimeError("Repeats must be non-negative")
        if not shape:
            input, shape = _reshape(input, (1,)), (1,)
        wide = (*shape[: dim + 1], repeats, *shape[dim + 1 :])
        return _reshape(
            clone(_expand(unsqueeze(input, dim + 1), wide)),
            (*shape[:dim], shape[dim] * repeats, *shape[dim + 1 :]),
        )
    counts = _counts(repeats)
    if counts.size == 1:
        counts = counts.reshape(1).repeat(shape[dim])
    if counts.size != shape[dim]:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{counts.size} and input.size({dim}) = {shape[dim]}"
        )
    return index_select(input, dim, _copies(counts))


def _copies(counts: Any) -> Tensor:
    """0 as often as the first count says, 1 as often as the second, ..."""
    xp = library(counts)
    return make(xp.repeat(xp.arange(counts.size), counts if xp is np else counts.tolist()))


def _counts(repeats: Any) -> Any:
    array = raw(repeats) if isinstance(repeats, (Tensor, np.ndarray)) else np.asarray(repeats)
    if array.dtype.kind not in "iu":
        from .._core.dtype import of

        raise NotImplementedError(
            f"\"repeat_interleave_cpu\" not implemented for '{of(array.dtype).legacy}'"
        )
    if array.ndim > 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if array.size and int(array.min()) < 0:
        raise RuntimeError("repeats can not be negative")
    return array


flip.samples(lambda t: [(t(2, 3), 0), (t(2, 3), (0, 1)), (t(2, 3, 2), -1, 0), (t(), ())])
fliplr.samples(lambda t: [(t(2, 3),)])
flipud.samples(lambda t: [(t(2, 3),), (t(3),)])
roll.samples(lambda t: [(t(2, 3), 1), (t(2, 3), (1, -4), (0, 1)), (t(5), 2, 0), (t(0), 1)])
rot90.samples(lambda t: [(t(2, 3),), (t(2, 3, 2), 2, (0, 2)), (t(2, 3), -1, (1, 0))])
repeat.samples(lambda t: [(t(2, 3), 2, 3), (t(3), (2, 2)), (t(), 3), (t(2), 0)])
tile.samples(lambda t: [(t(2, 3), 2), (t(3), (2, 2)), (t(2, 2), (3, 1, 2))])
repeat_interleave.samples(
    lambda t: [(t(2, 3), 2), (t(2, 3), 3, 0), (t(2, 3), t.int(4, 3), 1), (t(), 2)]
)
