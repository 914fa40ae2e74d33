"""Steps of optimizers, norms and clipping of gradients: many tensors in one launch."""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import KERNELS
from .._core.manifest.optim import MAX_TENSORS, TENSORS
from .launch import kernel, key, launch

__all__ = ["adam", "clip_by_norm", "rmsprop", "sgd", "tables", "total_norm"]

THREADS = 256
CHUNK, LARGE_CHUNK = 4096, 16384  # elements of a block: of a step, of a norm


def tables(rows: Sequence[Sequence[Any]], chunk: int) -> Iterator[tuple[Any, int, list[Any]]]:
    """(structure `Tensors`, number of its blocks, its arrays) until all rows are in one; a row has
    the arrays of one tensor in each list, or None. Tensors without elements are left out."""
    rows = [row for row in rows if row[0].size]
    for start in range(0, len(rows), MAX_TENSORS):
        part = rows[start : start + MAX_TENSORS]
        many = len(part)
        table = np.zeros((), TENSORS)
        at = table["at"]
        for k, column in enumerate(zip(*part, strict=True)):
            if column[0] is not None:
                at[k, :many] = [a.data.ptr for a in column]
        sizes = [_numbers(row[0]) for row in part]
        first = list(accumulate((-(-size // chunk) for size in sizes), initial=0))
        table["size"][:many] = sizes
        table["first"][: many + 1] = first
        table["chunk"], table["count"] = chunk, many
        yield table, first[-1], [a for row in part for a in row if a is not None]


def _numbers(array: Any) -> int:
    """Its elements, of a complex one twice as many: real and imaginary parts."""
    return array.size * 2 if array.dtype.kind == "c" else array.size


def _real(dtype: np.dtype) -> np.dtype:
    """The type of the parts of complex numbers; of others their own."""
    return np.dtype(dtype.char.lower()) if dtype.kind == "c" else dtype


def _kind(name: str, arrays: Sequence[Any]) -> str | None:
    """The type of the kernel's instance for arrays of one type; None where there is none."""
    dtype = arrays[0].dtype
    found = key(_real(dtype))
    if found not in KERNELS[name].dtypes or any(a.dtype != dtype for a in arrays):
        return None
    return found


# ---- steps


def _step(xp: Library, name: str, rows: list[list[Any]], *options: Any) -> Any:
    """A step of all rows (parameter, gradient, states). A gradient may lie in any order."""
    for row in rows:
        if not row[1]._c_contiguous:
            row[1] = xp.ascontiguousarray(row[1])
    present = [a for row in rows for a in row if a is not None]
    dtype = _kind(name, present)
    if dtype is None or not all(a._c_contiguous for a in present):
        return NotImplemented
    for table, grid, also in tables(rows, CHUNK):
        launch(xp, name, "step", dtype, grid, THREADS, table, *options, also=also)
    return None


@kernel("sgd")
def sgd(xp: Library, rows: list[list[Any]], constants: tuple) -> Any:
    """One step of SGD, with the constants of its formula in `optim.sgd`."""
    lr, momentum, share, *rest = constants
    decay, nesterov, maximize, first = rest
    share = 1 if share is None else share
    return _step(xp, "sgd", rows, lr, momentum or 0, share, decay or 0, nesterov, maximize, first)


@kernel("adam")
def adam(xp: Library, rows: list[list[Any]], constants: tuple) -> Any:
    """One step of Adam or AdamW, with the constants of its formula in `optim.adam`."""
    size, eps, weight, old, beta, rest, shrink, decay, maximize = constants
    shrink = 1 if shrink is None else shrink
    return _step(xp, "adam", rows, size, eps, weight, old, beta, rest, shrink, decay or 0,
                 maximize, len(rows[0]) == 5)  # fmt: skip


@kernel("rmsprop")
def rmsprop(xp: Library, rows: list[list[Any]], constants: tuple) -> Any:
    """One step of RMSprop, with the constants of its formula in `optim.rmsprop`."""
    lr, alpha, rest, weight, old, eps, decay, momentum, centered, maximize = constants
    if len(rows[0]) == 4 and momentum is None:  # the mean of gradients has the last place
        rows = [[p, g, v, None, m] for p, g, v, m in rows]
    return _step(xp, "rmsprop", rows, lr, alpha, rest, weight, old, eps, decay or 0,
                 momentum or 0, centered, maximize)  # fmt: skip


# ---- norms


def _dense(array: Any) -> bool:
    return bool(array._c_contiguous or array.flags.f_contiguous)


@kernel("total_norm")
def total_norm(xp: Library, arrays: list[Any], order: float) -> Any:
    """The norm of all elements of all arrays: each block gives its share, one block adds them."""
    form = {2.0: "two", 1.0: "one", math.inf: "inf"}.get(order)
    dtype = _kind("total_norm", arrays)
    empty = any(not a.size for a in arrays)
    if dtype is None or form is None or order != 2 and arrays[0].dtype.kind == "c":
        return NotImplemented
    if empty and (form == "inf" or not any(a.size for a in arrays)):
        return NotImplemented
    rows = [[a if _dense(a) else xp.ascontiguousarray(a)] for a in arrays]
    made = list(tables(rows, LARGE_CHUNK))
    partial = xp.empty(sum(grid for _, grid, _ in made), np.float64)
    start = 0
    for table, grid, also in made:
        arguments = table, partial, start
        launch(xp, "total_norm", form, dtype, grid, THREADS, *arguments, also=also)
        start += grid
    out = xp.empty((), _real(arrays[0].dtype))
    launch(xp, "total_norm", form + " whole", dtype, 1, 2 * THREADS, partial, out, start)
    return out


@kernel("clip_by_norm")
def clip_by_norm(xp: Library, arrays: list[Any], norm: Any, most: float) -> Any:
    """The arrays scaled in place so that their norm is at most `most`; nothing waits for it."""
    dtype = _kind("clip_by_norm", arrays)
    fits = norm.__class__ is xp.ndarray and norm.size == 1 and dtype == key(norm.dtype)
    if dtype is None or not fits or not all(map(_dense, arrays)):
        return NotImplemented
    for table, grid, also in tables([[a] for a in arrays], LARGE_CHUNK):
        launch(xp, "clip_by_norm", "scale", dtype, grid, THREADS, table, norm, most, also=also)
    return None
