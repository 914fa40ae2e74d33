"""Losses of classes: cross-entropy and the negative log likelihood, forward and backward."""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import FLOATS
from . import groups
from .launch import blocks, kernel, key, launch

__all__ = ["cross_entropy", "cross_entropy_backward", "nll_loss", "nll_loss_backward"]

NOWHERE = (1 << 63) - 1
_CODES = {"none": 0, "mean": 1, "sum": 2}
_ONE_BLOCK = 1 << 15  # scores that one block goes over as quickly as a second launch begins
_MOST_BLOCKS = 1024  # whose sums a second launch adds, whose errors the host reads
_int64 = np.dtype(np.int64)


def _wide(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


@lru_cache(4096)
def arranged(shape: tuple[int, ...], summed: bool, bounded: bool) -> groups.Tiles:
    """How scores (N, C, ...) are gone over. `summed`: by one block where that is enough. `bounded`:
    never by more than a second launch or the host can go through."""
    form, grid, block, sizes = groups.tiles(shape, 1)
    if summed and prod(sizes) <= _ONE_BLOCK:
        grid, block = (1, 1), groups.one_block(form, sizes[2], sizes[1])
    elif bounded:
        across = min(grid[0], _MOST_BLOCKS)
        grid = across, min(grid[1], max(1, _MOST_BLOCKS // across))
    return form, grid, block, sizes


def _unfit(input: Any, target: Any, weight: Any) -> bool:
    """Is this a call for the body: rare types, nothing to compute, errors?"""
    return (
        key(input.dtype) not in FLOATS
        or target.dtype != _int64
        or not input.size
        or weight is not None
        and (weight.dtype != input.dtype or weight.shape != (input.shape[1],))
    )


def _compact(xp: Library, *arrays: Any) -> list[Any]:
    return [a if a is None or a._c_contiguous else xp.ascontiguousarray(a) for a in arrays]


def _check(xp: Library, bad: Any, target: Any) -> None:
    """IndexError for the first target that is no class. It waits for the device."""
    if not xp.check_indices:
        return
    place = int(bad.get().min())
    if place != NOWHERE:
        wrong = int(target.reshape(-1)[place].get())
        raise IndexError(f"Target {wrong} is out of bounds.")


@kernel("cross_entropy")
def cross_entropy(
    xp: Library, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int,
    smoothing: float,
) -> Any:  # fmt: skip
    """The losses, the sum of their weights, the largest score and the sum of powers of each."""
    if _unfit(input, target, weight):
        return NotImplemented
    dtype = input.dtype
    name, wide, code = key(dtype), _wide(dtype), _CODES[reduction]
    form, grid, block, sizes = arranged(input.shape, code != 0, True)
    x, t, w = _compact(xp, input, target, weight)
    out = xp.ndarray(() if code else t.shape, dtype)
    tops, sums = xp.ndarray(t.shape, wide), xp.ndarray(t.shape, wide)
    total = xp.ndarray((), wide) if code == 1 else None
    partial = xp.ndarray((2, prod(grid)), wide) if code and prod(grid) > 1 else None
    bad = xp.ndarray(grid, _int64)
    results = out, tops, sums, total, partial, bad
    options = ignore_index, smoothing, code
    launch(xp, "cross_entropy", form, name, grid, block, x, t, w, *results, *sizes, *options)
    if partial is not None:
        arguments = partial, prod(grid), out, total, code
        launch(xp, "cross_entropy", "total", name, 1, 256, *arguments)
    _check(xp, bad, t)
    return out, 1.0 if total is None else total, tops, sums


@kernel("cross_entropy_backward")
def cross_entropy_backward(
    xp: Library, grad: Any, input: Any, target: Any, weight: Any, tops: Any, sums: Any, total: Any,
    reduction: str, ignore_index: int, smoothing: float,
) -> Any:  # fmt: skip
    """g w_t (1 - e) (p - 1 at t) + g e / n (p sum w - w)"""
    if _unfit(input, target, weight) or grad.dtype != input.dtype or tops.dtype != sums.dtype:
        return NotImplemented
    if tops.dtype != _wide(input.dtype) or reduction == "mean" and total.dtype != tops.dtype:
        return NotImplemented
    form, grid, block, sizes = arranged(input.shape, False, False)
    g, x, t, w, tops, sums = _compact(xp, grad, input, target, weight, tops, sums)
    out = xp.ndarray(x.shape, x.dtype)
    arrays = g, x, t, w, tops, sums, total if reduction == "mean" else None, out
    options = ignore_index, smoothing, _CODES[reduction]
    name = key(x.dtype)
    launch(xp, "cross_entropy_backward", form, name, grid, block, *arrays, *sizes, *options)
    return out


@kernel("nll_loss")
def nll_loss(
    xp: Library, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> Any:
    """The losses, the classes as indices, the factor of each sample."""
    if _unfit(input, target, weight):
        return NotImplemented
    dtype = input.dtype
    name, wide, code = key(dtype), _wide(dtype), _CODES[reduction]
    x, t, w = _compact(xp, input, target, weight)
    n, size = t.size, x.shape[1]
    threads = 1024 if code and n <= _ONE_BLOCK // 4 else 256
    grid = 1 if threads == 1024 else blocks(n, 256, _MOST_BLOCKS)
    out = xp.ndarray(() if code else t.shape, dtype)
    index, factor = xp.ndarray(t.shape, _int64), xp.ndarray(t.shape, wide)
    partial = xp.ndarray((2, grid), wide) if code and grid > 1 else None
    bad = xp.ndarray((grid,), _int64)
    sizes = n, size, x.size // (len(x) * size), ignore_index, code
    results = out, index, factor, partial, bad
    threads = min(threads, 32 * blocks(n, 32))
    launch(xp, "nll_loss", "items", name, grid, threads, x, t, w, *results, *sizes)
    if partial is not None:
        arguments = partial, grid, out, factor, n, code
        launch(xp, "nll_loss", "total", name, grid, 256, *arguments)
    _check(xp, bad, t)
    return out, index, factor


@kernel("nll_loss_backward")
def nll_loss_backward(
    xp: Library, grad: Any, input_shape: tuple[int, ...], index: Any, factor: Any
) -> Any:
    """g f at t, 0 elsewhere"""
    dtype = grad.dtype
    one = factor.__class__ is not xp.ndarray
    if key(dtype) not in FLOATS or not one and factor.dtype != _wide(dtype):
        return NotImplemented
    out = xp.ndarray(input_shape, dtype)
    if out.size:
        g, index = _compact(xp, grad, index)
        inner = prod(input_shape[2:])
        values = (None, factor) if one else (_compact(xp, factor)[0], 0.0)
        arrays = g, index, values[0], out
        sizes = out.size, input_shape[1], inner, values[1], bool(g.ndim)
        grid = blocks(out.size)
        launch(xp, "nll_loss_backward", "items", key(dtype), grid, 256, *arrays, *sizes)
    return out
