"""Diagonals and triangles of matrices: diagonal, diag, diag_embed, tril, triu, trace."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._core.device import as_device, move
from .._core.dtype import numpy_of
from .._core.layout import normal_dim, restride
from .._core.tensor import make
from .declare import Array, composite, op
from .shape import _expand, _reshape

__all__ = [
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "trace",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
]


def _diagonal_of(xp: Any, array: Any, shift: int, dim1: int, dim2: int) -> Any:
    """The diagonal as a writable view, its dimension the last."""
    first, second = array.shape[dim1], array.shape[dim2]
    length = max(min(first, second - shift) if shift >= 0 else min(first + shift, second), 0)
    cut, by = (dim2, shift) if shift >= 0 else (dim1, -shift)
    part = array[(*(slice(None),) * cut, slice(by, None))] if by and length else array
    rest = [d for d in range(array.ndim) if d not in (dim1, dim2)]
    size = (*(array.shape[d] for d in rest), length)
    step = array.strides[dim1] + array.strides[dim2]
    return restride(xp, part, size, (*(array.strides[d] for d in rest), step))


def _two_dims(dim1: Any, dim2: Any, ndim: int) -> tuple[int, int]:
    first, second = normal_dim(dim1, ndim, "diagonal"), normal_dim(dim2, ndim, "diagonal")
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


@op(view=True)
def diagonal(xp, input: Array, offset=0, dim1=0, dim2=1):
    """The diagonal of the matrices in two dimensions, as the last dimension; a view.

    y[i] = x[i, i + offset]            dL/dx = g on the diagonal, 0 elsewhere

    `offset` > 0: above the main diagonal, < 0: below.
    """
    return _diagonal_of(xp, input, offset, *_two_dims(dim1, dim2, input.ndim))


@op(where=(), node="DiagonalBackwardBackward0")
def _diagonal_backward(xp, grad: Array, size, offset, dim1, dim2):
    """Zeros of a size with a given diagonal."""
    out = xp.zeros(size, grad.dtype)
    _diagonal_of(xp, out, offset, *_two_dims(dim1, dim2, len(size)))[...] = grad
    return out


diagonal.derivative(
    input=lambda grad, input_shape, offset, dim1, dim2: _diagonal_backward(
        grad, input_shape, offset, dim1, dim2
    )
)
_diagonal_backward.derivative(
    grad=lambda grad, offset, dim1, dim2: diagonal(grad, offset, dim1, dim2)
)
diagonal.samples(
    lambda t: [(t(3, 4),), (t(3, 4), 1), (t(3, 4), -2), (t(2, 3, 4), 0, 2, 1), (t(3, 3), 3)]
)
_diagonal_backward.samples(lambda t: [(t(3), (3, 4), 0, 0, 1), (t(2, 2), (2, 4, 4), 2, 1, 2)])


@op()
def diag_embed(xp, input: Array, offset=0, dim1=-2, dim2=-1):
    """Square matrices, zero but for a diagonal, which is the last dimension of the input.

    y[i, i + offset] = x[i]            dL/dx[i] = g[i, i + offset]
    """
    ndim = input.ndim + 1
    first, second = _two_dims(dim1, dim2, ndim)
    side = input.shape[-1] + abs(offset)
    size = list(input.shape[:-1])
    for d in sorted((first, second)):
        size.insert(d, side)
    out = xp.zeros(tuple(size), input.dtype)
    _diagonal_of(xp, out, offset, first, second)[...] = input
    return out


diag_embed.derivative(input=lambda grad, offset, dim1, dim2: diagonal(grad, offset, dim1, dim2))
diag_embed.samples(lambda t: [(t(3),), (t(2, 3), 1), (t(2, 3), -1, 0, 2)])


@composite(where=("", "Tensor"))
def diag(input, diagonal=0, *, out=None):
    """A vector as the diagonal of a square matrix, or the diagonal of a matrix as a vector; a copy.

    RuntimeError for other than 1 or 2 dimensions.
    """
    ndim = len(input.shape)
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    if ndim == 1:
        return diag_embed(input, diagonal, out=out)
    return _diagonal_copy(input, diagonal, out=out)


@op(where=(), node="DiagonalBackward0_copy")
def _diagonal_copy(xp, input: Array, offset):
    """The diagonal of a matrix, as a copy."""
    return input.diagonal(offset).copy()


_diagonal_copy.derivative(
    input=lambda grad, input_shape, offset: _diagonal_backward(grad, input_shape, offset, 0, 1)
)
_diagonal_copy.samples(lambda t: [(t(3, 4), -1)])


@composite(where=("", "Tensor"))
def diagflat(input, offset=0):
    """All elements, row by row, as the diagonal of a square matrix.

    dL/dx = g on the diagonal
    """
    return diag_embed(_reshape(input, (-1,)), offset)


diag.samples(lambda t: [(t(3),), (t(3), 1), (t(3, 4), -1)])
diagflat.samples(lambda t: [(t(2, 2),), (t(),), (t(3), -1)])


def _at_least_2d(name: str, array: Any) -> None:
    if array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


def _below(xp: Any, size: tuple[int, int], shift: int) -> Any:
    """True on and below a diagonal; small masks are kept, since models ask for the same ones again
    and again.
    """
    if xp is np and math.prod(size) <= 1 << 18:
        return _mask(*size, shift)
    return xp.arange(size[1]) - shift <= xp.arange(size[0])[:, None]


@lru_cache(16)
def _mask(rows: int, columns: int, shift: int) -> Any:
    mask = np.arange(columns) - shift <= np.arange(rows)[:, None]
    mask.flags.writeable = False
    return mask


@op(inplace=True)
def tril(xp, input: Array, diagonal=0):
    """The lower triangles of matrices, 0 above the diagonal.

    y[i, j] = x[i, j] where j - i <= diagonal, else 0            dL/dx = tril(g)

    RuntimeError for less than 2 dimensions.
    """
    _at_least_2d("tril", input)
    return xp.where(_below(xp, input.shape[-2:], diagonal), input, input.dtype.type(0))


@op(inplace=True)
def triu(xp, input: Array, diagonal=0):
    """The upper triangles of matrices, 0 below the diagonal.

    y[i, j] = x[i, j] where j - i >= diagonal, else 0            dL/dx = triu(g)

    RuntimeError for less than 2 dimensions.
    """
    _at_least_2d("triu", input)
    return xp.where(_below(xp, input.shape[-2:], diagonal - 1), input.dtype.type(0), input)


tril.derivative(input=lambda grad, diagonal: tril(grad, diagonal))
triu.derivative(input=lambda grad, diagonal: triu(grad, diagonal))
for _function in (tril, triu):
    _function.samples(lambda t: [(t(3, 4),), (t(3, 3), 1), (t(2, 3, 3), -1)])


@op()
def trace(xp, input: Array):
    """The sum of the diagonal of a matrix.            dL/dx = g on the diagonal, 0 elsewhere

    Integers are summed as int64. RuntimeError for other than 2 dimensions.
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    kind = input.dtype.kind
    wide = np.int64 if kind in "biu" else np.float32 if input.dtype.itemsize == 2 else None
    total = input.diagonal().sum(dtype=wide)
    return total if kind in "biu" else total.astype(input.dtype)


trace.derivative(input=lambda grad, input_shape: _on_diagonal(grad, input_shape))
trace.samples(lambda t: [(t(3, 3),), (t(2, 4),)])


def _on_diagonal(grad: Any, size: tuple) -> Any:
    return _diagonal_backward(_expand(_reshape(grad, (1,)), (min(size),)), size, 0, 0, 1)


@composite(where=("",))
def tril_indices(row, col, offset=0, *, dtype=None, device=None, layout=None):
    """Rows and columns of the elements of a lower triangle: a matrix of 2 rows, int64 unless
    `dtype` says otherwise.
    """
    return _triangle(np.tril, row, col, offset, dtype, device)


@composite(where=("",))
def triu_indices(row, col, offset=0, *, dtype=None, device=None, layout=None):
    """Rows and columns of the elements of an upper triangle: a matrix of 2 rows, int64 unless
    `dtype` says otherwise.
    """
    return _triangle(np.triu, row, col, offset, dtype, device)


def _triangle(part: Any, row: int, col: int, shift: int, dtype: Any, device: Any) -> Any:
    for name, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{name} must be non-negative, got {n}")
    found = np.stack(np.nonzero(part(np.ones((row, col), bool), shift)))
    array = found.astype(np.int64 if dtype is None else numpy_of(dtype))
    place = as_device(device)
    return make(array if place.type == "cpu" else move(array, place))
