"""Reading and writing at integers, and the check of their range."""

import math
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import LAYOUT, MAX_DIMS
from .launch import blocks, kernel, key, launch
from .places import Lines, lines_of, masks_alone, one_by_one, spread

__all__ = ["first_bad", "flat_places", "gather_along", "last_named", "put_at", "read_at"]

_WORDS = {size: np.dtype(f"i{size}") for size in (1, 2, 4, 8)}
_LARGE = 1 << 31


def _words(array: Any) -> Any:
    """A contiguous array as integers of its width, since it is only moved; of complex128, whose
    elements count as two, the last dimension doubles."""
    dtype = array.dtype
    word = _WORDS.get(dtype.itemsize, _WORDS[8])
    return array if dtype == word else array.reshape(-1).view(word)


def _row(lines: Lines, array: Any) -> int:
    return lines.row * max(1, array.dtype.itemsize // 8)


@kernel("index_check")
def first_bad(xp: Library, index: Any, low: int, high: int) -> Any:
    """The smallest k with index[k] outside [low, high), n where there is none."""
    if index.dtype.char not in "liq":
        return NotImplemented
    n = index.size
    first = xp.full(1, n, np.int64)
    if n:
        flat = xp.ascontiguousarray(index)
        how = "index_check", "find", key(flat.dtype), blocks(n), 256
        launch(xp, *how, flat, first, n, low, high)
    return int(first[0]) if n else 0


# ---- reading


@kernel("index_select")
def read_at(xp: Library, input: Any, places: tuple) -> Any:
    """y[b, k, r] = x[b, index[k], r]"""
    lines = lines_of(xp, input.shape, places)
    if lines is None:
        return NotImplemented
    out = xp.empty(lines.shape, input.dtype)
    if out.size:
        x, to = _words(xp.ascontiguousarray(input)), _words(out)
        launch(
            xp, "index_select", "lines", key(x.dtype), blocks(to.size), 256, x, lines.index, to,
            lines.blocks, lines.length, _row(lines, input), lines.index.size,
        )  # fmt: skip
    return out


@kernel("gather")
def gather_along(xp: Library, input: Any, index: Any, dim: int) -> Any:
    """y[i, j] = x[i, index[i, j]] (for dim 1)"""
    if not index.size or not input.ndim or not index.ndim or input.dtype.itemsize > 8:
        return NotImplemented
    index = xp.ascontiguousarray(index.astype(np.int64, copy=False))
    x = _words(xp.ascontiguousarray(input)).reshape(input.shape)
    steps = [s // x.itemsize for s in x.strides]
    laid = _gather_layout(input.shape, index.shape, steps, dim)
    if laid is None:
        return NotImplemented
    out = xp.empty(index.shape, input.dtype)
    form = "long" if max(x.size, out.size) >= _LARGE else "int"
    launch(
        xp, "gather", form, key(x.dtype), blocks(out.size), 256, x, index, _words(out), out.size,
        laid, input.shape[dim], steps[dim],
    )  # fmt: skip
    return out


@kernel("flat_places")
def flat_places(xp: Library, index: Any, dim: int, size: tuple) -> Any:
    """p[i, j] = i n + index[i, j] (for dim 1)"""
    if not index.size or not size or not index.ndim:
        return NotImplemented
    index = xp.ascontiguousarray(index.astype(np.int64, copy=False))
    steps = [math.prod(size[d + 1 :]) for d in range(len(size))]
    laid = _gather_layout(size, index.shape, steps, dim)
    if laid is None:
        return NotImplemented
    out = xp.empty(index.shape, np.int64)
    form = "long" if max(math.prod(size), out.size) >= _LARGE else "int"
    launch(
        xp, "flat_places", form, "int64", blocks(out.size), 256, index, out, out.size, laid,
        steps[dim],
    )  # fmt: skip
    return out


def _gather_layout(size: tuple, shape: tuple, steps: list[int], dim: int) -> Any:
    """The index's shape with the input's strides, 0 along `dim`; dimensions beside it that are
    taken whole count as one. None where there are too many."""
    dims: list[tuple[int, int]] = []
    for d, n in enumerate(shape):
        step = 0 if d == dim else steps[d]
        joins = dims and d not in (dim, dim + 1) and size[d] == n and dims[-1][1] == step * n
        if joins:
            dims[-1] = dims[-1][0] * n, step
        else:
            dims.append((n, step))
    if len(dims) > MAX_DIMS:
        return None
    layout = np.zeros((), LAYOUT)
    layout["ndim"] = len(dims)
    layout["shape"][: len(dims)], layout["strides"][0, : len(dims)] = zip(*dims, strict=True)
    return layout


# ---- writing


@kernel("index_last")
def last_named(xp: Library, index: Any, length: int) -> Any:
    """The largest k with index[k] = i, -1 where there is none"""
    last = xp.full(length, -1, np.int32)
    if index.size and length:
        launch(
            xp, "index_last", "find", "int64", blocks(index.size), 256, index, last, length,
            index.size,
        )  # fmt: skip
    return last


@kernel("index_put")
def put_at(xp: Library, array: Any, places: tuple, values: Any) -> Any:
    """y[b, index[k], r] = v[b, k, r], where k is the last that names its line"""
    if not getattr(values, "ndim", 0) or not array.size:
        return NotImplemented  # one number: in any order
    if masks_alone(places):
        return NotImplemented
    lines = lines_of(xp, array.shape, places) or one_by_one(xp, array.shape, places)
    if lines.index.size >= _LARGE:
        return NotImplemented
    values = _words(spread(xp, values, lines.shape, array.dtype))
    if values.size:
        target = xp.ascontiguousarray(array)
        last = last_named(xp, lines.index, lines.length)
        launch(
            xp, "index_put", "lines", key(values.dtype), blocks(values.size), 256, values,
            lines.index, last, _words(target), lines.blocks, lines.length, _row(lines, array),
            lines.index.size,
        )  # fmt: skip
        if target is not array:
            array[...] = target
    return array
