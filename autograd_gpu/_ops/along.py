"""Internal ops along one dimension: picking by index, putting back, shifting, reversing; for sorts,
scans and extremes.
"""

from typing import Any

import numpy as np

from .accumulate import add_at
from .declare import Array, Index, op

__all__ = ["cell", "pick", "place", "reverse", "selected", "shift", "slice_along"]


def cell(index: Any, dim: int, xp: Any = np) -> tuple:
    """The index that stands for `index` along `dim` and for itself along the other dimensions."""
    ndim = index.ndim
    grid = [xp.arange(n).reshape((-1,) + (1,) * (ndim - d - 1)) for d, n in enumerate(index.shape)]
    grid[dim] = index
    return tuple(grid)


def slice_along(
    ndim: int, dim: int, start: int | None, stop: int | None, step: int | None = None
) -> tuple:
    """The index that cuts a range out of one dimension."""
    return (slice(None),) * dim + (slice(start, stop, step),) + (slice(None),) * (ndim - dim - 1)


@op(where=(), name="_pick")
def pick(xp, input: Array, index: Index, dim, unique=True):
    """y[i, j] = x[i, index[i, j]] (for dim 1).            dL/dx: `place`

    `unique`: no element is picked twice.
    """
    return input[cell(index, dim, xp)] if input.ndim else input.reshape(index.shape).copy()


pick.derivative(
    input=lambda grad, index, dim, input_shape, unique: place(grad, index, dim, input_shape, unique)
)


@op(where=(), name="_place")
def place(xp, input: Array, index: Index, dim, size, unique=True):
    """Zeros of shape `size`, with x added at the indices along `dim`.            dL/dx: `pick`"""
    if not size:
        return input.reshape(())
    if unique:
        out = xp.zeros(size, input.dtype)
        out[cell(index, dim, xp)] = input
        return out
    wide = np.float32 if input.dtype.itemsize == 2 else input.dtype
    if xp is np and input.dtype.kind == "f":
        lanes = np.ravel_multi_index(cell(index, dim), size).ravel()
        total = np.bincount(lanes, input.ravel(), int(np.prod(size)))
        return total.astype(input.dtype).reshape(size)
    out = xp.zeros(size, wide)
    add_at(out, cell(index, dim, xp), input.astype(wide))
    return out.astype(input.dtype)


place.derivative(input=lambda grad, index, dim, unique: pick(grad, index, dim, unique))


def selected(grad, index, size, dim, keepdim, unique=True):
    """The gradient of a reduction that selects one element a lane: it goes to that element."""
    from .shape import _reshape

    if not keepdim and size:
        kept = (*size[:dim], 1, *size[dim + 1 :])
        grad, index = _reshape(grad, kept), _reshape(index, kept)
    return place(grad, index, dim, tuple(size), unique)


@op(where=(), name="_shift")
def shift(xp, input: Array, dim, by, fill=0):
    """The elements moved by `by` places along `dim`; what comes in is `fill`.

    dL/dx = g, moved back
    """
    ndim, n = input.ndim, input.shape[dim]
    out = xp.full_like(input, fill)
    if abs(by) < n:
        to, source = (
            slice_along(ndim, dim, max(by, 0), n + min(by, 0)),
            slice_along(ndim, dim, max(-by, 0), n - max(by, 0)),
        )
        out[to] = input[source]
    return out


shift.derivative(input=lambda grad, dim, by: shift(grad, dim, -by))


@op(where=(), name="_reverse")
def reverse(xp, input: Array, dim):
    """The elements along `dim` in reverse order, as a copy.            dL/dx = g, reversed"""
    return (
        input[slice_along(input.ndim, dim, None, None, -1)].copy() if input.ndim else input.copy()
    )


reverse.derivative(input=lambda grad, dim: reverse(grad, dim))


for _f, _sampler in (
    (pick, lambda t: [(t(3, 4), t.int(3, 1, 4), 0), (t(2, 3), t.int(3, 2, 5), 1, False)]),
    (
        place,
        lambda t: [
            (t(2, 5), t.int(3, 2, 5), 1, (2, 3), False),
            (t(1, 4), t.int(3, 1, 4), 0, (3, 4)),
        ],
    ),
    (shift, lambda t: [(t(3, 4), 0, 1), (t(3, 4), 1, -2, 1), (t(2), 0, 5)]),
    (reverse, lambda t: [(t(3, 4), 1), (t(3), 0)]),
):
    _f.samples(_sampler)
