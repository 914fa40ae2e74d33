"""Putting tensors together: cat, stack, hstack ..., block_diag, meshgrid, broadcasting of several,
atleast_nd.
"""

from typing import Any

import numpy as np

from .._core.layout import normal_dim
from .._core.tensor import Tensor, make
from .declare import Arrays, composite, op
from .index import _slice
from .shape import _reshape, unsqueeze

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "cat",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "row_stack",
    "stack",
    "vstack",
]


@op(where=("",), promote="same")
def cat(xp, tensors: Arrays, dim=0):
    """Tensors side by side along a dimension that they have.

    y = (x_1, x_2, ...)            dL/dx_k = the part of g

    The other dimensions must be equal; dtypes are promoted; vectors without elements are skipped
    whatever the others' shapes. ValueError for no tensor, RuntimeError for shapes that do not fit.
    """
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    try:
        return xp.concatenate(tensors, normal_dim(dim, tensors[0].ndim, "cat"))
    except (ValueError, IndexError):
        return _cat_filled(xp, tensors, dim)


def _cat_filled(xp: Any, tensors: Any, dim: Any) -> Any:
    """Without the empty vectors; the error where that does not help."""
    real = [a for a in tensors if a.shape != (0,)] or tensors[:1]
    dim = normal_dim(dim, real[0].ndim, "cat")
    try:
        return xp.concatenate(real, dim)
    except ValueError:
        raise _misfit([a.shape for a in tensors], real[0].shape, dim) from None


def _misfit(shapes: list, first: tuple, dim: int) -> RuntimeError:
    for k, shape in enumerate(shapes):
        if not shape:
            return RuntimeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated")
    for k, shape in enumerate(shapes):
        if shape == (0,):
            continue
        if len(shape) != len(first):
            return RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
            )
        for d, (a, b) in enumerate(zip(first, shape, strict=True)):
            if d != dim and a != b:
                return RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {a} but "
                    f"got size {b} for tensor number {k} in the list."
                )
    return RuntimeError(f"cat: the shapes {[list(s) for s in shapes]} do not fit")


cat.derivative(lambda grad, tensors_shape, dim: _parts(grad, tensors_shape, dim), of=("tensors",))


def _parts(grad: Any, shapes: tuple, dim: int) -> list:
    dim = normal_dim(dim, len(grad.shape))
    before, start, out = (slice(None),) * dim, 0, []
    for shape in shapes:
        if shape == (0,) and len(grad.shape) != 1:
            out.append(
                _reshape(_slice(grad, (*before, slice(0, 0))), (-1,))[:0]
                if 0 in grad.shape
                else _empty(grad)
            )
            continue
        out.append(_slice(grad, (*before, slice(start, start + shape[dim]))))
        start += shape[dim]
    return out


def _empty(grad: Any) -> Any:
    return _slice(_reshape(grad, (-1,)), (slice(0, 0),))


@op(where=("",), promote="same")
def stack(xp, tensors: Arrays, dim=0):
    """Tensors of one shape along a new dimension.

    y[k] = x_k (for dim 0)            dL/dx_k = g[k]

    RuntimeError for no tensor or unequal shapes; dtypes are promoted.
    """
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].shape
    dim = normal_dim(dim, len(first) + 1, "stack")
    try:
        return xp.stack(tensors, dim) if xp is not np else _stacked(tensors, dim)
    except ValueError:
        k, other = next((k, a.shape) for k, a in enumerate(tensors) if a.shape != first)
        raise RuntimeError(
            f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
            f"{list(other)} at entry {k}"
        ) from None


def _stacked(arrays: Any, dim: int) -> Any:
    """np.stack in half of its time; ValueError where the shapes differ."""
    key = (*(slice(None),) * dim, None)
    return np.concatenate([a[key] for a in arrays], dim)


stack.derivative(
    lambda grad, tensors_shape, dim: _slices(grad, len(tensors_shape), dim), of=("tensors",)
)


def _slices(grad: Any, count: int, dim: int) -> list:
    from .index import _select

    before = (slice(None),) * normal_dim(dim, len(grad.shape))
    return [_select(grad, (*before, k, ...)) for k in range(count)]


@composite(where=("",))
def concat(tensors, dim=0, *, out=None):
    """`cat` under another name."""
    return cat(tensors, dim, out=out)


@composite(where=("",))
def concatenate(tensors, dim=0, *, out=None):
    """`cat` under NumPy's name."""
    return cat(tensors, dim, out=out)


def _listed(name: str, tensors: Any) -> list:
    if isinstance(tensors, Tensor) or not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(tensors)


@composite(where=("",))
def hstack(tensors, *, out=None):
    """Side by side: `cat` along the columns (vectors: along their elements)."""
    parts = [_at_least(t, 1) for t in _listed("hstack", tensors)]
    return cat(parts, 0 if len(parts[0].shape) == 1 else 1, out=out)


@composite(where=("",))
def vstack(tensors, *, out=None):
    """One below the other: `cat` along the rows, vectors as rows."""
    return cat([_at_least(t, 2) for t in _listed("vstack", tensors)], 0, out=out)


@composite(where=("",))
def row_stack(tensors, *, out=None):
    """`vstack` under another name."""
    return vstack(tensors, out=out)


@composite(where=("",))
def dstack(tensors, *, out=None):
    """One behind the other: `cat` along the third dimension."""
    return cat([_at_least(t, 3) for t in _listed("dstack", tensors)], 2, out=out)


@composite(where=("",))
def column_stack(tensors, *, out=None):
    """Side by side, vectors (and numbers) as columns."""
    parts = [
        t if len(t.shape) > 1 else _reshape(t, (-1, 1)) for t in _listed("column_stack", tensors)
    ]
    return cat(parts, 1, out=out)


def _at_least(t: Any, ndim: int) -> Any:
    shape = tuple(t.shape)
    if len(shape) >= ndim:
        return t
    if not shape:
        return _reshape(t, (1,) * ndim)
    if ndim == 3:
        return unsqueeze(unsqueeze(t, 0), -1) if len(shape) == 1 else unsqueeze(t, -1)
    return unsqueeze(t, 0)


def _each(tensors: tuple, ndim: int) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        return tuple(_at_least(t, ndim) for t in tensors[0])
    if len(tensors) == 1:
        return _at_least(tensors[0], ndim)
    return tuple(_at_least(t, ndim) for t in tensors)


@composite(where=("",))
def atleast_1d(*tensors):
    """Each tensor with at least 1 dimension; a 0-d tensor becomes a vector of one."""
    return _each(tensors, 1)


@composite(where=("",))
def atleast_2d(*tensors):
    """Each tensor with at least 2 dimensions; a vector becomes a row."""
    return _each(tensors, 2)


@composite(where=("",))
def atleast_3d(*tensors):
    """Each tensor with at least 3 dimensions; a matrix becomes a stack of width 1."""
    return _each(tensors, 3)


# ---- block_diag


@op(where=(), promote="same", node="BlockDiagBackward0")
def _block_diag(xp, tensors: Arrays):
    """See `block_diag`."""
    blocks = [a.reshape((1,) * (2 - a.ndim) + a.shape) for a in tensors]
    out = xp.zeros(
        (sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)), blocks[0].dtype
    )
    row = column = 0
    for b in blocks:
        out[row : row + b.shape[0], column : column + b.shape[1]] = b
        row, column = row + b.shape[0], column + b.shape[1]
    return out


def _blocks(grad: Any, shapes: tuple) -> list:
    row = column = 0
    out = []
    for shape in shapes:
        n, m = (1,) * (2 - len(shape)) + shape
        part = _slice(
            _slice(grad, (slice(row, row + n),)), (slice(None), slice(column, column + m))
        )
        out.append(_reshape(part, shape))
        row, column = row + n, column + m
    return out


_block_diag.derivative(lambda grad, tensors_shape: _blocks(grad, tensors_shape), of=("tensors",))


@composite(where=("",))
def block_diag(*tensors):
    """A matrix, zero but for the given matrices along its diagonal; vectors count as rows, 0-d
    tensors as 1 by 1.

    dL/dx_k = the block of g. RuntimeError for more than 2 dimensions.
    """
    for k, t in enumerate(tensors):
        if len(t.shape) > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {k} has "
                f"{len(t.shape)} dimensions"
            )
    if not tensors:
        return make(np.zeros((1, 0), np.float32))
    return _block_diag(list(tensors))


def _pair(t: Any) -> list:
    return [t(2, 3), t(2, 3)]


cat.samples(
    lambda t: [(_pair(t),), ([t(2, 1), t(2, 3)], -1), ([t(2, 3), t(0)],), ([t(3), t(2), t(0)],)]
)
stack.samples(lambda t: [(_pair(t),), (_pair(t), 1), (_pair(t), -1), ([t(), t()],)])
for _f in (concat, concatenate, vstack, row_stack, hstack, dstack, column_stack):
    _f.samples(lambda t: [(_pair(t),)])
hstack.samples(lambda t: [([t(2), t(3)],), (_pair(t),), ([t(), t(2)],)])
_block_diag.samples(lambda t: [([t(2, 3), t(2), t()],)])
block_diag.samples(lambda t: [(t(2, 3), t(2), t())])
for _f in (atleast_1d, atleast_2d, atleast_3d):
    _f.samples(lambda t: [(t(),), (t(2),), (t(2, 2),)])
