"""Windows of images as columns, and columns added back to images."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import FLOATS
from .._core.manifest.im2col import GRID
from .launch import blocks, kernel, key, launch

__all__ = ["columns", "grid_of", "images"]

_WORDS = {size: np.dtype(f"i{size}") for size in (1, 2, 4, 8)}
_LARGEST = (1 << 31) - 1

Numbers = tuple[int, ...]


@lru_cache(512)
def grid_of(
    size: Numbers, kernel: Numbers, stride: Numbers, pads: tuple[Numbers, ...], dilation: Numbers
) -> tuple[Any, Numbers]:
    """The structure for images of one to three dimensions, and how many windows there are. None for
    the structure where 32 bits do not hold the places in one dimension."""
    full = [n + a + b for n, (a, b) in zip(size, pads, strict=True)]
    dims = zip(full, kernel, stride, dilation, strict=True)
    fit = tuple([(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in dims])
    if len(size) > 3 or max(full, default=0) > _LARGEST // 4:
        return None, fit
    grid = np.ones((), GRID)
    grid["pad"] = 0
    before = tuple([a for a, _ in pads])
    told = size, kernel, fit, stride, before, dilation
    for name, numbers in zip(GRID.names or (), told, strict=True):
        grid[name][3 - len(size) :] = numbers
    return grid, fit


def columns(xp: Library, x: Any, grid: Any, fit: Numbers, taps: int) -> Any:
    """y[p, (u, v, w), (i, j, k)] = x[p, s i + d u - pad, ..]: (N, C, ...) to (N, C taps, L)."""
    x = xp.ascontiguousarray(x)
    out = xp.empty((x.shape[0], x.shape[1] * taps, math.prod(fit)), x.dtype)
    if out.size:
        word, planes = _WORDS[x.dtype.itemsize], x.shape[0] * x.shape[1]
        launch(
            xp, "im2col", "planes", key(word), blocks(planes * out.shape[2]), 256, x.view(word),
            out.view(word), planes, grid,
        )  # fmt: skip
    return out


def images(xp: Library, parts: Any, shape: Numbers, grid: Any) -> Any:
    """x[p, a, b, c] = the sum of y over the windows that hold it: back to a shape (N, C, ...)."""
    out = xp.empty(shape, parts.dtype)
    if out.size:
        launch(
            xp, "col2im", "planes", key(out.dtype), blocks(out.size), 256,
            xp.ascontiguousarray(parts), out, shape[0] * shape[1], grid,
        )  # fmt: skip
    return out


@kernel("im2col")
def im2col(xp: Library, input: Any, options: tuple) -> Any:
    """(N, C, H, W) to (N, C kH kW, L)"""
    taps, gap, pads, step = options
    grid, fit = grid_of(input.shape[2:], taps, step, pads, gap)
    if grid is None or input.dtype.itemsize not in _WORDS:
        return NotImplemented
    return columns(xp, input, grid, fit, math.prod(taps))


@kernel("col2im")
def col2im(xp: Library, input: Any, size: Numbers, options: tuple) -> Any:
    """(N, C kH kW, L) to (N, C, H, W)"""
    taps, gap, pads, step = options
    grid, _ = grid_of(tuple(size), taps, step, pads, gap)
    if grid is None or key(input.dtype) not in FLOATS:
        return NotImplemented
    return images(xp, input, (input.shape[0], input.shape[1] // math.prod(taps), *size), grid)
