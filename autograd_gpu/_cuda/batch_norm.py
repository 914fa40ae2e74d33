"""Batch norm: sums over channels in two steps, then element by element."""

import math
from typing import Any

from .._core.library import Library
from .launch import blocks, kernel, key, launch
from .norm import instance, split, wide

__all__ = ["batch_norm", "batch_norm_backward", "batch_norm_update"]

_INT = 1 << 31
_LONG = 32  # elements of a channel of a sample, from which on a warp reads them together
_HELD = 16  # elements that a thread holds, as in batch_norm.cu


def _sizes(input: Any) -> tuple[int, int, int] | None:
    """(samples, channels, elements of a channel of a sample); None where they are too many."""
    samples, channels = input.shape[:2]
    length = math.prod(input.shape[2:])
    many = samples * length >= _INT or -(-samples // (8 * _HELD)) > 65535
    return None if many else (samples, channels, length)


def _ranges(samples: int, length: int) -> tuple[int, int, int, int]:
    """(threads, elements of a range, elements of a channel, ranges) for long rows."""
    total = samples * length
    threads = min(256, 32 * -(-total // (32 * _HELD)))
    return threads, threads * _HELD, total, -(-total // (threads * _HELD))


def _statistics(xp: Library, dtype: str, x: Any, sizes: tuple[int, int, int]) -> tuple[Any, Any]:
    """Mean and variance of each channel."""
    samples, channels, length = sizes
    kind, name = wide(x.dtype), "batch_norm"
    if length >= _LONG:
        threads, size, total, ranges = _ranges(samples, length)
        parts = [xp.empty(ranges * channels, kind) for _ in range(2)]
        options = size, total, channels, length
        launch(xp, name, "rows", dtype, ranges * channels, threads, x, *parts, *options)
        columns = 1
    else:
        size, total, ranges, columns = 8 * _HELD, samples, -(-samples // (8 * _HELD)), length
        n = channels * length
        parts = [xp.empty(ranges * n, kind) for _ in range(2)]
        grid = blocks(n, 32), ranges
        launch(xp, name, "columns", dtype, grid, (32, 8), x, *parts, samples, n, length)
    if ranges == 1 and columns == 1:
        return parts[0], parts[1]
    mean, variance = (xp.empty(channels, kind) for _ in range(2))
    merged = *parts, mean, variance, ranges, size, total, channels, columns
    launch(xp, name, "merge", dtype, blocks(channels, 8), (32, 8), *merged)
    return mean, variance


def _each(xp: Library, name: str, dtype: str, sizes: tuple[int, int, int], arrays: tuple,
          share: float, eps: float) -> Any:  # fmt: skip
    """What follows element by element; `arrays`: the operands, then those of the channels."""
    samples, channels, length = sizes
    first, second, *others = arrays
    out = xp.empty(first.shape, first.dtype)
    if length >= _LONG:
        rows = samples * channels
        together = 8 if length <= 1024 else 1  # rows of a block
        block = 256 // together, together
        launch(xp, name, "each row", dtype, blocks(rows, together), block, first, second, out,
               *others, rows, channels, length, share, eps)  # fmt: skip
    else:
        n = channels * length
        grid = blocks(n, 32), min(blocks(samples, 32), 65535)
        launch(xp, name, "each column", dtype, grid, (32, 8), first, second, out, *others,
               samples, n, length, share, eps)  # fmt: skip
    return out


def _flat(xp: Library, array: Any) -> Any:
    return None if array is None else xp.ascontiguousarray(array)


@kernel("batch_norm")
def batch_norm(xp: Library, input: Any, weight: Any, bias: Any, fixed_mean: Any,
               fixed_variance: Any, eps: float) -> Any:  # fmt: skip
    """The result, and the mean and variance of each channel."""
    dtype = instance("batch_norm", input, weight, bias)
    sizes = None if dtype is None else _sizes(input)
    if dtype is None or sizes is None:
        return NotImplemented
    x, w, b = _flat(xp, input), _flat(xp, weight), _flat(xp, bias)
    if fixed_mean is None:
        mean, variance = _statistics(xp, dtype, x, sizes)
    else:
        given = fixed_mean, fixed_variance
        mean, variance = (_flat(xp, s.astype(wide(x.dtype), copy=False)) for s in given)
    arrays = x, None, mean, variance, w, b, None, None
    return _each(xp, "batch_norm", dtype, sizes, arrays, 0, eps), mean, variance


def _sums(xp: Library, dtype: str, arrays: tuple, sizes: tuple[int, int, int],
          eps: float) -> list:  # fmt: skip
    """sum g and sum g h of each channel."""
    samples, channels, length = sizes
    kind, name = wide(arrays[0].dtype), "batch_norm_backward"
    if length >= _LONG:
        threads, size, total, ranges = _ranges(samples, length)
        parts = [xp.empty(ranges * channels, kind) for _ in range(2)]
        grid = ranges * channels
        launch(xp, name, "rows", dtype, grid, threads, *arrays, *parts, size, total, channels,
               length, eps)  # fmt: skip
        columns = 1
    else:
        n, columns = channels * length, length
        beside, ranges = split(samples, n)
        parts = [xp.empty(ranges * n, kind) for _ in range(2)]
        options = samples, n, length, eps
        launch(xp, name, "columns", dtype, (beside, ranges), (32, 8), *arrays, *parts, *options)
    if ranges == 1 and columns == 1:
        return parts
    made = [xp.empty(channels, kind) for _ in range(2)]
    sums = *parts, *made, ranges, channels, columns
    launch(xp, name, "finish", dtype, blocks(channels, 8), (32, 8), *sums)
    return made


@kernel("batch_norm_backward")
def batch_norm_backward(xp: Library, grad: Any, input: Any, weight: Any, mean: Any, variance: Any,
                        fixed: bool, eps: float, wanted: tuple) -> Any:  # fmt: skip
    """The gradients of input, weight and bias, None where one is not wanted."""
    name = "batch_norm_backward"
    dtype = instance(name, input, weight)
    sizes = None if dtype is None else _sizes(input)
    if dtype is None or sizes is None or grad.dtype != input.dtype:
        return NotImplemented
    g, x, sums, products, dx = _flat(xp, grad), _flat(xp, input), None, None, None
    m, v = _flat(xp, mean), _flat(xp, variance)
    if wanted[1] or wanted[2] or not fixed:
        sums, products = _sums(xp, dtype, (g, x, m, v), sizes, eps)
    if wanted[0]:
        share = 0.0 if fixed else 1 / (sizes[0] * sizes[2])
        second = None if fixed else x
        arrays = g, second, m, v, _flat(xp, weight), None, sums, products
        dx = _each(xp, name, dtype, sizes, arrays, share, eps)
    return dx, products if wanted[1] else None, sums if wanted[2] else None


@kernel("batch_norm_update")
def batch_norm_update(xp: Library, mean: Any, variance: Any, batch_mean: Any, batch_variance: Any,
                      momentum: float, unbias: float) -> Any:  # fmt: skip
    """The running statistics, written in place."""
    given = [s for s in (mean, variance) if s is not None]
    kinds = {(key(s.dtype), wide(s.dtype), s.flags.c_contiguous) for s in given}
    if kinds != {(key(mean.dtype), batch_mean.dtype, True)} or not mean.size:
        return NotImplemented
    grid = blocks(mean.size)
    launch(xp, "batch_norm_update", "update", key(mean.dtype), grid, 256, mean, variance,
           batch_mean, batch_variance, mean.size, momentum, unbias)  # fmt: skip
    return None
