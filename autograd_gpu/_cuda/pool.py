"""Pooling by the maximum and by the mean, of fixed and of adaptive windows."""

from functools import lru_cache
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import FLOATS
from .._core.manifest.pool import POOL_LINE
from .launch import blocks, kernel, key, launch

__all__ = []

_LARGEST = (1 << 31) - 1


@lru_cache(512)
def _line(*numbers: int) -> Any:
    return np.array(numbers, POOL_LINE)


def _fixed(size: tuple, plan: Any) -> tuple[Any, ...]:
    """The windows of a plan, along both dimensions."""
    dims = zip(size, plan.fit, plan.kernel, plan.stride, plan.pad, plan.dilation, strict=True)
    return tuple([_line(*d) for d in dims])


def _adaptive(size: tuple, fit: tuple) -> tuple[Any, ...]:
    return tuple([_line(n, f, 0, 1, 0, 1) for n, f in zip(size, fit, strict=True)])


def _fits(*arrays: Any) -> bool:
    """Are these floats of one dtype, with planes that 32 bits can count along?"""
    first = arrays[0]
    return key(first.dtype) in FLOATS and all(
        a.dtype == first.dtype and max(a.shape[-2:]) < _LARGEST // 4 for a in arrays
    )


def _run(xp: Library, name: str, out: Any, lines: tuple, *arrays: Any, options: tuple = ()) -> Any:
    """Launch: a thread for each element of `out`, which is among `arrays`. Gives `out`."""
    planes = out.size // max(1, out.shape[-2] * out.shape[-1])
    if out.size:
        launch(
            xp, name, "planes", key(out.dtype), blocks(out.size), 256, *arrays, planes, *lines,
            *options,
        )  # fmt: skip
    return out


# ---- the maximum


def _largest(xp: Library, input: Any, fit: tuple, lines: tuple) -> Any:
    x = xp.ascontiguousarray(input)
    out = xp.empty((*x.shape[:-2], *fit), x.dtype)
    places = xp.empty(out.shape, np.int64)
    return _run(xp, "max_pool", out, lines, x, out, places), places


@kernel("max_pool")
def max_pool(xp: Library, input: Any, plan: Any) -> Any:
    """The maxima of windows, and where they are in a flattened plane."""
    if not _fits(input):
        return NotImplemented
    return _largest(xp, input, plan.fit, _fixed(input.shape[-2:], plan))


@kernel("adaptive_max_pool")
def adaptive_max_pool(xp: Library, input: Any, size: tuple) -> Any:
    """The same for windows that give a size."""
    if not _fits(input) or 0 in size:
        return NotImplemented
    return _largest(xp, input, size, _adaptive(input.shape[-2:], size))


@kernel("max_pool_backward")
def max_pool_backward(xp: Library, grad: Any, indices: Any, size: tuple, plan: Any = None) -> Any:
    """The sum of g over the windows whose maximum an element is."""
    if not _fits(grad) or indices.dtype != np.int64:
        return NotImplemented
    fixed = plan is not None
    lines = _fixed(size[-2:], plan) if fixed else _adaptive(size[-2:], grad.shape[-2:])
    out = xp.empty(size, grad.dtype)
    g, places = xp.ascontiguousarray(grad), xp.ascontiguousarray(indices)
    return _run(xp, "max_pool_backward", out, lines, g, places, out)


@kernel("max_blocks")
def max_blocks(xp: Library, input: Any, kernel: tuple) -> Any:
    """The maxima of windows side by side."""
    if not _fits(input):
        return NotImplemented
    lines, fit = _side_by_side(input.shape[-2:], kernel)
    x = xp.ascontiguousarray(input)
    out = xp.empty((*x.shape[:-2], *fit), x.dtype)
    return _run(xp, "max_pool", out, lines, x, out, None)


@kernel("max_blocks_backward")
def max_blocks_backward(xp: Library, grad: Any, input: Any, best: Any, kernel: tuple) -> Any:
    """g at the first element of each window that is its maximum"""
    if not _fits(grad, input, best):
        return NotImplemented
    lines, fit = _side_by_side(input.shape[-2:], kernel)
    covered = all(n == f * k for n, f, k in zip(input.shape[-2:], fit, kernel, strict=True))
    out = (xp.empty if covered else xp.zeros)(input.shape, grad.dtype)
    arrays = [xp.ascontiguousarray(a) for a in (grad, input, best)]
    return _run(xp, "max_blocks_backward", out, lines, *arrays, out)


def _side_by_side(size: tuple, kernel: tuple) -> tuple[tuple, tuple]:
    fit = tuple([n // k for n, k in zip(size, kernel, strict=True)])
    dims = zip(size, fit, kernel, strict=True)
    return tuple([_line(n, f, k, k, 0, 1) for n, f, k in dims]), fit


# ---- the mean


def _mean(xp: Library, input: Any, fit: tuple, lines: tuple, count_pad: bool, divisor: Any) -> Any:
    x = xp.ascontiguousarray(input)
    out = xp.empty((*x.shape[:-2], *fit), x.dtype)
    return _run(xp, "avg_pool", out, lines, x, out, options=(count_pad, divisor or 0))


def _spread(
    xp: Library, grad: Any, size: tuple, lines: tuple, count_pad: bool, divisor: Any
) -> Any:
    g = xp.ascontiguousarray(grad)
    out = xp.empty((*g.shape[:-2], *size), g.dtype)
    return _run(xp, "avg_pool_backward", out, lines, g, out, options=(count_pad, divisor or 0))


@kernel("avg_pool")
def avg_pool(xp: Library, input: Any, plan: Any, count_pad: bool, divisor: Any) -> Any:
    """The means of windows."""
    if not _fits(input):
        return NotImplemented
    lines = _fixed(input.shape[-2:], plan)
    return _mean(xp, input, plan.fit, lines, count_pad, divisor)


@kernel("avg_pool_backward")
def avg_pool_backward(
    xp: Library, grad: Any, plan: Any, size: tuple, count_pad: bool, divisor: Any
) -> Any:
    """The sum of g / n over the windows that an element is in."""
    if not _fits(grad):
        return NotImplemented
    return _spread(xp, grad, size[-2:], _fixed(size[-2:], plan), count_pad, divisor)


@kernel("adaptive_avg_pool")
def adaptive_avg_pool(xp: Library, input: Any, size: tuple) -> Any:
    """The means of windows that give a size."""
    if not _fits(input) or 0 in size:
        return NotImplemented
    return _mean(xp, input, size, _adaptive(input.shape[-2:], size), True, None)


@kernel("adaptive_avg_pool_backward")
def adaptive_avg_pool_backward(xp: Library, output: Any, size: tuple) -> Any:
    """The sum of g / n over the windows that an element is in."""
    if not _fits(output) or 0 in output.shape[-2:]:
        return NotImplemented
    return _spread(xp, output, size, _adaptive(size, output.shape[-2:]), True, None)
