"""Cutting a tensor into views: unbind, split, chunk, tensor_split."""

from typing import Any

from .._core.layout import normal_dim
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .helpers import raw
from .index import _slice
from .join import cat, stack

__all__ = [
    "chunk",
    "dsplit",
    "hsplit",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unbind",
    "vsplit",
]


@op(view="many")
def unbind(xp, input: Array, dim=0):
    """The slices of a dimension, as a tuple of views without it.

    y_k = x[k] (for dim 0)            dL/dx = the stack of all g_k, 0 for a slice that got none

    IndexError for a dimension that is not there.
    """
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = normal_dim(dim, input.ndim, "unbind")
    before = (slice(None),) * dim
    return [input[(*before, k, ...)] for k in range(input.shape[dim])]


unbind.derivative(input=lambda grads, dim: stack(grads, dim))


def _cut(array: Any, dim: int, sizes: Any) -> list:
    before, start, out = (slice(None),) * dim, 0, []
    for n in sizes:
        out.append(array[(*before, slice(start, start + n))])
        start += n
    return out


@op(view="many", where=(), node="SplitBackward0")
def _split(xp, input: Array, size, dim):
    """Pieces of one length; see `split`."""
    if not input.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normal_dim(dim, input.ndim, "split")
    n = input.shape[dim]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
        )
    pieces = max(-(-n // size), 1) if size else 1
    return _cut(input, dim, [size] * (pieces - 1) + [n - size * (pieces - 1)])


@op(view="many", where=("", "Tensor"))
def split_with_sizes(xp, input: Array, split_sizes, dim=0):
    """Pieces of the given lengths along a dimension, as a tuple of views; see `split`."""
    if not input.ndim:
        raise RuntimeError("split_with_sizes expects at least a 1-dimensional tensor")
    dim = normal_dim(dim, input.ndim, "split")
    n, sizes = input.shape[dim], list(split_sizes)
    if any(k < 0 for k in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={sizes}"
        )
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
            f"dimension {dim}), but got split_sizes={sizes}"
        )
    return _cut(input, dim, sizes)


_split.derivative(input=lambda grads, dim: cat(grads, dim))
split_with_sizes.derivative(input=lambda grads, dim: cat(grads, dim))


@composite(where=("", "Tensor"))
def split(input, split_size_or_sections, dim=0):
    """Pieces along a dimension, as a tuple of views: all of one length but the last, or of the
    lengths in a list.

    (y_1, y_2, ...) = x            dL/dx = (g_1, g_2, ...), 0 for a piece that got none

    RuntimeError for a length that is negative or 0, or lengths that do not sum up to the dimension.
    In-place operations on the pieces are refused while gradients are recorded.
    """
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(input, split_size_or_sections, dim)
    return _split(input, split_size_or_sections.__index__(), dim)


@composite(where=("", "Tensor"))
def chunk(input, chunks, dim=0):
    """At most so many pieces of one length (the last may be shorter), as a tuple of views; see
    `split`.

    RuntimeError for `chunks` below 1.
    """
    shape = raw(input).shape
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = shape[normal_dim(dim, len(shape), "chunk")]
    if n == 0:
        return split_with_sizes(input, [0] * chunks, dim)
    return _split(input, -(-n // chunks), dim)


@composite(where=("", "Tensor"))
def tensor_split(input, indices_or_sections, dim=0):
    """So many pieces, longer ones first, or pieces that end at the given indices, as a tuple of
    views.

    dL/dx = the pieces' gradients, side by side. RuntimeError for less than 1 piece.
    """
    name = "tensor_split"
    if not input.shape:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    dim = normal_dim(dim, len(input.shape), name)
    n, given = input.shape[dim], indices_or_sections
    if isinstance(given, Tensor):
        given = given.tolist()  # type: ignore[attr-defined]
    before = (slice(None),) * dim
    if isinstance(given, (tuple, list)):
        ends = [*given, n]
        keys = [slice(a, b) for a, b in zip([0, *given], ends, strict=True)]
        keys = [slice(k.start, max(k.stop, k.start)) if 0 <= k.stop < k.start else k for k in keys]
    else:
        if given <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {given}")
        short, longer = divmod(n, given)
        ends = [k * short + min(k, longer) for k in range(given + 1)]
        keys = [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    return tuple(_slice(input, (*before, key)) for key in keys)


def _split_at(name: str, least: int, dim: int, input: Any, given: Any) -> tuple:
    ndim = len(input.shape)
    if ndim < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
            f"with {ndim} dimensions!"
        )
    if isinstance(given, int):
        if given <= 0 or input.shape[dim] % given:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the "
                f"dimension {input.shape[dim]} is not divisible by the split_size {given}!"
            )
    return tensor_split(input, given, dim)


@composite(where=("", "Tensor"))
def hsplit(input, indices_or_sections):
    """`tensor_split` by columns (a vector: by elements), into equal pieces. RuntimeError where they
    cannot be equal.
    """
    return _split_at("hsplit", 1, 0 if len(input.shape) == 1 else 1, input, indices_or_sections)


@composite(where=("", "Tensor"))
def vsplit(input, indices_or_sections):
    """`tensor_split` by rows, into equal pieces. RuntimeError for less than 2 dimensions."""
    return _split_at("vsplit", 2, 0, input, indices_or_sections)


@composite(where=("", "Tensor"))
def dsplit(input, indices_or_sections):
    """`tensor_split` by the third dimension, into equal pieces. RuntimeError for less than 3
    dimensions.
    """
    return _split_at("dsplit", 3, 2, input, indices_or_sections)


unbind.samples(lambda t: [(t(2, 3),), (t(2, 3), 1), (t(2, 3, 4), -2), (t(2),)])
_split.samples(lambda t: [(t(5, 2), 2, 0), (t(2, 3), 3, -1)])
split.samples(lambda t: [(t(5, 2), 2), (t(2, 3), [1, 2], 1)])
split_with_sizes.samples(lambda t: [(t(5, 2), [2, 0, 3]), (t(2, 3), (1, 2), 1)])
chunk.samples(lambda t: [(t(5, 2), 2), (t(2, 3), 2, 1), (t(0), 2)])
tensor_split.samples(lambda t: [(t(5, 2), 2), (t(5), (1, 3)), (t(2, 3), 4, 1)])
hsplit.samples(lambda t: [(t(2, 4), 2), (t(4), [1])])
vsplit.samples(lambda t: [(t(4, 2), 2)])
dsplit.samples(lambda t: [(t(2, 2, 4), 2)])
