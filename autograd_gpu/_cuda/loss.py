"""Losses of classes: cross-entropy and the negative log likelihood, forward and backward."""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import FLOATS
from . import groups
from .launch import blocks, kernel, key
from .prepared import Kept, prepared

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


_kept = Kept()


@kernel("cross_entropy")
def cross_entropy(
    xp: Library, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int,
    smoothing: float,
) -> Any:  # fmt: skip
    """The losses, the sum of their weights, the largest score and the sum of powers of each."""
    if _unfit(input, target, weight):
        return NotImplemented
    dtype, code, options = input.dtype, _CODES[reduction], (ignore_index, smoothing)
    mark = xp, "forward", dtype, input.shape, code, options
    found = _kept.get(mark) or _kept.keep(mark, _entropy(xp, dtype, input.shape, code, options))
    run, end, grid, wide = found
    x, t, w = _compact(xp, input, target, weight)
    new = xp.new_array
    out, tops, sums = new(() if code else t.shape, dtype), new(t.shape, wide), new(t.shape, wide)
    total = new((), wide) if code == 1 else None
    partial = new((2, prod(grid)), wide) if end is not None else None
    bad = new(grid, _int64)
    run(x, t, w, out, tops, sums, total, partial, bad)
    if end is not None:
        end(partial, out, total)
    _check(xp, bad, t)
    return out, 1.0 if total is None else total, tops, sums


def _entropy(xp: Library, dtype: Any, shape: tuple[int, ...], code: int, options: tuple) -> tuple:
    """(the launch, the second one or None, the grid, the type that is computed in)"""
    name, types = "cross_entropy", key(dtype)
    form, grid, block, sizes = arranged(shape, code != 0, True)
    end = None
    if code and prod(grid) > 1:
        end = prepared(xp, name, "total", types, 1, 256, prod(grid), code)
    run = prepared(xp, name, form, types, grid, block, *sizes, *options, code)
    return run, end, grid, _wide(dtype)


@kernel("cross_entropy_backward")
def cross_entropy_backward(
    xp: Library, grad: Any, input: Any, target: Any, weight: Any, tops: Any, sums: Any, total: Any,
    reduction: str, ignore_index: int, smoothing: float,
) -> Any:  # fmt: skip
    """g w_t (1 - e) (p - 1 at t) + g e / n (p sum w - w)"""
    dtype, shape, code = input.dtype, input.shape, _CODES[reduction]
    if _unfit(input, target, weight) or grad.dtype != dtype or tops.dtype != sums.dtype:
        return NotImplemented
    if tops.dtype != _wide(dtype) or code == 1 and total.dtype != tops.dtype:
        return NotImplemented
    mark = xp, "backward", dtype, shape, code, ignore_index, smoothing
    run = _kept.get(mark)
    if run is None:
        form, grid, block, sizes = arranged(shape, False, False)
        numbers = *sizes, ignore_index, smoothing, code
        name = "cross_entropy_backward"
        run = _kept.keep(mark, prepared(xp, name, form, key(dtype), grid, block, *numbers))
    arrays = _compact(xp, grad, input, target, weight, tops, sums)
    out = xp.new_array(shape, dtype)
    run(*arrays, total if code == 1 else None, out)
    return out


@kernel("nll_loss")
def nll_loss(
    xp: Library, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> Any:
    """The losses, the classes as indices, the factor of each sample."""
    if _unfit(input, target, weight):
        return NotImplemented
    dtype, shape, code = input.dtype, input.shape, _CODES[reduction]
    mark = xp, "likelihood", dtype, shape, code, ignore_index
    found = _kept.get(mark) or _kept.keep(mark, _likelihood(xp, dtype, shape, code, ignore_index))
    run, end, grid, wide = found
    x, t, w = _compact(xp, input, target, weight)
    new, size = xp.new_array, t.shape
    out, index, factor = new(() if code else size, dtype), new(size, _int64), new(size, wide)
    partial = new((2, grid), wide) if end is not None else None
    bad = new((grid,), _int64)
    run(x, t, w, out, index, factor, partial, bad)
    if end is not None:
        end(partial, out, factor)
    _check(xp, bad, t)
    return out, index, factor


def _likelihood(xp: Library, dtype: Any, shape: tuple[int, ...], code: int, ignore: int) -> tuple:
    """(the launch, the second one or None, the grid, the type that is computed in)"""
    name, types, inner = "nll_loss", key(dtype), prod(shape[2:])
    n = shape[0] * inner
    grid, threads, end = blocks(n, 256, _MOST_BLOCKS), 256, None
    if code and n <= _ONE_BLOCK // 8:
        grid, threads = 1, min(512, 32 * blocks(n, 32))
    if code and grid > 1:
        end = prepared(xp, name, "total", types, grid, 256, grid, n, code)
    run = prepared(xp, name, "items", types, grid, threads, n, shape[1], inner, ignore, code)
    return run, end, grid, _wide(dtype)


@kernel("nll_loss_backward")
def nll_loss_backward(
    xp: Library, grad: Any, input_shape: tuple[int, ...], index: Any, factor: Any
) -> Any:
    """g f at t, 0 elsewhere"""
    dtype = grad.dtype
    one = factor.__class__ is not xp.ndarray
    if key(dtype) not in FLOATS or not one and factor.dtype != _wide(dtype):
        return NotImplemented
    number = factor if one else 0.0
    out = xp.new_array(input_shape, dtype)
    n = out.size
    if n:
        mark = xp, "likelihood backward", dtype, input_shape, number, grad.ndim
        run = _kept.get(mark)
        if run is None:
            sizes = n, input_shape[1], prod(input_shape[2:]), number, grad.ndim > 0
            name = "nll_loss_backward"
            run = _kept.keep(mark, prepared(xp, name, "items", key(dtype), blocks(n), 256, *sizes))
        g, index, factors = _compact(xp, grad, index, None if one else factor)
        run(g, index, factors, out)
    return out
