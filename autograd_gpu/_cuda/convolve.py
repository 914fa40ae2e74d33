"""Convolution and its two gradients: windows as columns by a kernel, then matrix products."""

import math
from typing import Any, NamedTuple

import numpy as np

from .._core.library import Library
from .._core.manifest import FLOATS
from .gemm import gemm_of
from .im2col import columns, grid_of, images
from .launch import kernel, key

__all__ = []

_ROOM = 1 << 28
"""Bytes of the matrix of windows, or of products, that are made at once."""

Numbers = tuple[int, ...]


class _Shapes(NamedTuple):
    """One convolution: its windows, and sizes as matrices."""

    grid: Any
    fit: Numbers
    groups: int
    outs: int  # channels of the output in a group
    depth: int  # elements of a window in a group
    length: int  # windows of an image
    taps: int  # elements of a window in a channel
    itself: bool  # are the windows the image's elements?


def _shapes(size: Numbers, weight: Numbers, options: tuple) -> _Shapes:
    stride, pads, dilation, groups = options
    kernel = tuple(weight[2:])
    grid, fit = grid_of(tuple(size[2:]), kernel, tuple(stride), tuple(pads), tuple(dilation))
    plain = math.prod(kernel) == math.prod(stride) == 1 and not any(map(any, pads))
    return _Shapes(
        grid, fit, groups, weight[0] // groups, math.prod(weight[1:]), math.prod(fit),
        math.prod(kernel), plain,
    )  # fmt: skip


def _pieces(batch: int, each: int) -> list[slice]:
    """Ranges of samples, of `each` bytes, that are done at once."""
    step = max(1, _ROOM // max(1, each))
    return [slice(i, min(i + step, batch)) for i in range(0, batch, step)]


def _windows(xp: Library, x: Any, s: _Shapes) -> Any:
    """(N, groups, depth, length) of samples."""
    cut = x if s.itself else columns(xp, x, s.grid, s.fit, s.taps)
    return xp.ascontiguousarray(cut).reshape(len(x), s.groups, s.depth, s.length)


def _matrices(xp: Library, weight: Any, s: _Shapes) -> Any:
    return xp.ascontiguousarray(weight).reshape(s.groups, s.outs, s.depth)


def _taken(s: _Shapes, *arrays: Any) -> bool:
    first = arrays[0].dtype
    same = all(a.dtype == first for a in arrays)
    return same and key(first) in FLOATS and s.grid is not None and all(a.size for a in arrays)


@kernel("convolution")
def convolution(xp: Library, input: Any, weight: Any, bias: Any, options: tuple) -> Any:
    """The weight times the windows."""
    s = _shapes(input.shape, weight.shape, options)
    if not _taken(s, input, weight):
        return NotImplemented
    gemm, batch = gemm_of(xp), len(input)
    out = xp.empty((batch, s.groups, s.outs, s.length), input.dtype)
    matrices = _matrices(xp, weight, s)
    for rows in _pieces(batch, s.groups * s.depth * s.length * input.itemsize):
        made = gemm.matmul(matrices, _windows(xp, input[rows], s), out=out[rows])
        if made is NotImplemented:
            return made
    out = out.reshape(batch, weight.shape[0], *s.fit)
    if bias is not None:
        out += bias.reshape(-1, *(1,) * len(s.fit))
    return out


@kernel("convolution_input")
def convolution_input(xp: Library, output: Any, weight: Any, size: Numbers, options: tuple) -> Any:
    """The weight's transpose times g, added back where the windows were cut out."""
    s = _shapes(size, weight.shape, options)
    if not _taken(s, output, weight):
        return NotImplemented
    gemm, batch = gemm_of(xp), len(output)
    out = xp.empty(tuple(size), output.dtype)
    matrices = _matrices(xp, weight, s).swapaxes(1, 2)
    g = xp.ascontiguousarray(output).reshape(batch, s.groups, s.outs, s.length)
    for rows in _pieces(batch, s.groups * s.depth * s.length * output.itemsize):
        parts = gemm.matmul(matrices, g[rows])
        if parts is NotImplemented:
            return parts
        n = len(parts)
        out[rows] = (
            parts.reshape(n, *size[1:]) if s.itself else images(xp, parts, (n, *size[1:]), s.grid)
        )
    return out


@kernel("convolution_weight")
def convolution_weight(xp: Library, output: Any, input: Any, size: Numbers, options: tuple) -> Any:
    """g times the windows' transpose, summed over the samples."""
    s = _shapes(input.shape, size, options)
    if not _taken(s, output, input):
        return NotImplemented
    gemm, batch = gemm_of(xp), len(input)
    wide = np.float32 if output.itemsize == 2 else output.dtype
    total = xp.zeros((s.groups, s.outs, s.depth), wide)
    g = xp.ascontiguousarray(output).reshape(batch, s.groups, s.outs, s.length)
    each = s.groups * s.depth * max(s.length, s.outs) * input.itemsize
    for rows in _pieces(batch, each):
        products = gemm.matmul(g[rows], _windows(xp, input[rows], s).swapaxes(2, 3))
        if products is NotImplemented:
            return products
        total += products.sum(0, dtype=wide)
    return total.reshape(tuple(size)).astype(output.dtype, copy=False)
