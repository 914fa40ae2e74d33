"""Convolutions over one, two or three dimensions, by matrix products of windows, and their
transposes.

The convolution and its two gradients are three ops; each one's derivatives are the other two, so
that any order is there.
"""

import math
import threading
from typing import Any

import numpy as np

from .declare import Array, op
from .helpers import conj
from .reduce import _sum
from .shape import _reshape
from .windows import add_windows, out_sizes, padded, unpadded, windows

__all__ = []

_ROOM = 1 << 22
"""Elements of the matrix of windows that are made at once, in memory that is kept: fresh pages cost
more than copies.
"""

_memory = threading.local()


def _workspace(xp: Any, shape: tuple, dtype: Any) -> Any:
    """An array with anything in it, to be used up before the next one is asked for."""
    size = math.prod(shape)
    if xp is not np or size > _ROOM:
        return xp.empty(shape, dtype)
    kept = _memory.__dict__.get(dtype.char)
    if kept is None or kept.size < size:
        kept = _memory.__dict__[dtype.char] = np.empty(size, dtype)
    return kept[:size].reshape(shape)


class Geometry:
    """Where the windows of one convolution lie, and in which order of dimensions they are cut."""

    def __init__(self, size: tuple, weight: tuple, options: tuple) -> None:
        self.stride, self.pads, self.dilation, self.groups = options
        self.batch, self.channels = size[:2]
        self.out_channels, self.kernel = weight[0], weight[2:]
        self.spatial = tuple(s + a + b for s, (a, b) in zip(size[2:], self.pads, strict=True))
        self.fit = out_sizes(self.spatial, self.kernel, self.stride, self.dilation)
        self.length, self.depth = math.prod(self.fit), math.prod(weight[1:])
        # Where rows are short and samples many, the batch as the last dimension makes the copied
        # runs long.
        self.cells = self.batch * self.groups * self.depth * self.length
        many = self.batch >= 32 and self.fit[-1] < 16 and len(self.fit) > 1
        self.batch_last = many and self.groups == 1 and self.cells <= _ROOM

    def cut(self, xp: Any, x: Any) -> Any:
        """The windows as a matrix: (N, groups, depth, length), or (depth, length * N) with the
        batch last.
        """
        axis = 1 if self.batch_last else 2
        full = padded(xp, _batch_to_end(xp, x) if self.batch_last else x, self.pads, axis)
        view = windows(xp, full, axis, self.kernel, self.stride, self.dilation)
        if self.batch_last:
            shape: tuple = (self.depth, self.length * self.batch)
        else:
            shape = (len(x), self.groups, self.depth, self.length)
            if math.prod(self.kernel) == 1 and view.flags.c_contiguous:
                return view.reshape(shape)
        out = _workspace(xp, view.shape, x.dtype)
        out[...] = view
        return out.reshape(shape)

    def pieces(self) -> list[slice]:
        """Ranges of samples whose windows are made at once."""
        step = (
            max(1, _ROOM * self.batch // self.cells) if self.cells > _ROOM else max(self.batch, 1)
        )
        return [slice(i, i + step) for i in range(0, self.batch, step)]

    def split(self, weight: Any) -> Any:
        """The weight as matrices: (groups, out / groups, depth)."""
        return weight.reshape(self.groups, self.out_channels // self.groups, self.depth)

    def grouped(self, grad: Any) -> Any:
        """A gradient of the output as (N, groups, out / groups, length)."""
        return grad.reshape(len(grad), self.groups, self.out_channels // self.groups, self.length)


def _batch_to_end(xp: Any, x: Any) -> Any:
    """(N, C, ...) as contiguous (C, ..., N): one transpose of a matrix."""
    n, rest = len(x), x.shape[1:]
    return xp.ascontiguousarray(x.reshape(n, math.prod(rest)).T).reshape(*rest, n)


def _batch_to_front(xp: Any, x: Any) -> Any:
    """(C, ..., N) as contiguous (N, C, ...)."""
    n, rest = x.shape[-1], x.shape[:-1]
    return xp.ascontiguousarray(x.reshape(math.prod(rest), n).T).reshape(n, *rest)


def _wide(*arrays: Any) -> tuple:
    """Half types as float32."""
    return tuple(
        a.astype(np.float32) if a.dtype.itemsize == 2 and a.dtype.kind not in "iu" else a
        for a in arrays
    )


def _forward(xp: Any, x: Any, weight: Any, g: Geometry) -> Any:
    """The convolution: the weight times the windows."""
    if g.batch_last:
        flat = weight.reshape(g.out_channels, g.depth).dot(g.cut(xp, x))
        return _batch_to_front(xp, flat.reshape(g.out_channels, *g.fit, g.batch))
    matrices = g.split(weight)
    out = xp.empty((g.batch, g.groups, g.out_channels // g.groups, g.length), x.dtype)
    for rows in g.pieces():
        xp.matmul(matrices, g.cut(xp, x[rows]), out=out[rows])
    return out.reshape(g.batch, g.out_channels, *g.fit)


def _to_weight(xp: Any, grad: Any, x: Any, g: Geometry) -> Any:
    """The gradient of the weight: g times the windows, summed over samples and places."""
    if g.batch_last:
        return g.cut(xp, x).dot(_last(xp, grad, g).T).T
    grad = g.grouped(grad)
    total = xp.zeros((g.groups, g.out_channels // g.groups, g.depth), grad.dtype)
    step = max(1, _ROOM // max(1, total.size))
    for piece in g.pieces():
        part, grads = g.cut(xp, x[piece]), grad[piece]
        for i in range(0, len(part), step):
            products = xp.matmul(grads[i : i + step], part[i : i + step].swapaxes(-1, -2))
            total += products.sum(0)
    return total


def _last(xp: Any, grad: Any, g: Geometry) -> Any:
    """A gradient of the output as (out, length * N)."""
    return _batch_to_end(xp, grad).reshape(g.out_channels, g.length * g.batch)


def _to_input(xp: Any, grad: Any, weight: Any, size: tuple, g: Geometry) -> Any:
    """The gradient of the input: the weight's transpose times g, added back where the windows were
    cut out.
    """
    if g.batch_last:
        parts = _workspace(xp, (g.depth, g.length * g.batch), grad.dtype)
        xp.dot(weight.reshape(g.out_channels, g.depth).T, _last(xp, grad, g), out=parts)
        parts = parts.reshape(g.channels, *g.kernel, *g.fit, g.batch)
        out = xp.zeros((g.channels, *g.spatial, g.batch), grad.dtype)
        add_windows(out, parts, 1, g.kernel, g.stride, g.dilation)
        return _batch_to_front(xp, unpadded(out, g.pads, 1))
    matrices, grads = g.split(weight).swapaxes(-1, -2), g.grouped(grad)
    out = xp.zeros((g.batch, g.channels, *g.spatial), grad.dtype)
    for piece in g.pieces():
        part = grads[piece]
        parts = _workspace(xp, (len(part), g.groups, g.depth, g.length), grad.dtype)
        xp.matmul(matrices, part, out=parts)
        parts = parts.reshape(len(part), g.channels, *g.kernel, *g.fit)
        add_windows(out[piece], parts, 2, g.kernel, g.stride, g.dilation)
    return xp.ascontiguousarray(unpadded(out, g.pads, 2))


# ---- the three ops; `options` is (stride, padding before and after, dilation, groups)


@op(where=(), kernel="convolution", node="ConvolutionBackward0")
def _convolution(xp, input: Array, weight: Array, bias: Array | None, options):
    """See `conv2d`."""
    x, w = _wide(input, weight)
    out = _forward(xp, x, w, Geometry(x.shape, w.shape, options))
    if bias is not None:
        out += bias.reshape(-1, *(1,) * (out.ndim - 2))
    return out if x is input else out.astype(input.dtype)


def _bias_gradient(grad):
    """The sum over samples and places."""
    n, channels = grad.shape[:2]
    return _sum(_sum(_reshape(grad, (n, channels, math.prod(grad.shape[2:]))), 2), 0)


_convolution.derivative(
    input=lambda grad, weight, input_shape, options: _convolution_input(
        grad, conj(weight), tuple(input_shape), options
    ),
    weight=lambda grad, input, weight_shape, options: _convolution_weight(
        grad, conj(input), tuple(weight_shape), options
    ),
    bias=lambda grad: _bias_gradient(grad),
)


@op(where=(), kernel="convolution_input", node="ConvolutionBackward0")
def _convolution_input(xp, output: Array, weight: Array, size, options):
    """The gradient of a convolution's input, from its output's: the transposed convolution."""
    g, w = _wide(output, weight)
    return _to_input(xp, g, w, size, Geometry(size, w.shape, options)).astype(
        output.dtype, copy=False
    )


_convolution_input.derivative(
    output=lambda grad, weight, options: _convolution(grad, conj(weight), None, options),
    weight=lambda grad, output, weight_shape, options: _convolution_weight(
        conj(output), grad, weight_shape, options
    ),
)


@op(where=(), kernel="convolution_weight", node="ConvolutionBackward0")
def _convolution_weight(xp, output: Array, input: Array, size, options):
    """The gradient of a convolution's weight, from that of its output."""
    g, x = _wide(output, input)
    out = _to_weight(xp, g, x, Geometry(x.shape, size, options))
    return out.reshape(size).astype(output.dtype, copy=False)


_convolution_weight.derivative(
    output=lambda grad, input, options: _convolution(conj(input), grad, None, options),
    input=lambda grad, output, input_shape, options: _convolution_input(
        conj(output), grad, input_shape, options
    ),
)
