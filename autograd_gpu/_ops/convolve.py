"""Convolutions over one, two or three dimensions, by matrix products of windows, and their transposes.

The convolution and its two gradients are three ops; each one's derivatives are the other two, so that any order is there.
"""

import math
import threading
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .reduce import _sum
from .shape import _reshape
from .windows import add_windows, out_sizes, padded, per_dimension, unpadded, windows

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

_ROOM = 1 << 22
"""Elements of the matrix of windows that are made at once, in memory that is kept: fresh pages cost more than copies."""

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
    """Where the windows of one convolution lie, and in which order of dimensions they are computed."""

    def __init__(self, size: tuple, weight: tuple, options: tuple) -> None:
        self.stride, self.pads, self.dilation, self.groups = options
        self.batch, self.channels = size[:2]
        self.out_channels, self.kernel = weight[0], weight[2:]
        self.spatial = tuple(s + a + b for s, (a, b) in zip(size[2:], self.pads, strict=True))
        self.fit = out_sizes(self.spatial, self.kernel, self.stride, self.dilation)
        self.length, self.depth = math.prod(self.fit), math.prod(weight[1:])
        # Where rows are short and samples many, the batch as the last dimension makes the copied runs long.
        self.cells = self.batch * self.groups * self.depth * self.length
        many = self.batch >= 32 and self.fit[-1] < 16 and len(self.fit) > 1
        self.batch_last = many and self.groups == 1 and self.cells <= _ROOM

    def cut(self, xp: Any, x: Any) -> Any:
        """The windows as a matrix: (N, groups, depth, length), or (depth, length * N) with the batch last."""
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
    """The gradient of the input: the weight's transpose times g, added back where the windows were cut out."""
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


@op(where=(), node="ConvolutionBackward0")
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
        grad, weight, tuple(input_shape), options
    ),
    weight=lambda grad, input, weight_shape, options: _convolution_weight(
        grad, input, tuple(weight_shape), options
    ),
    bias=lambda grad: _bias_gradient(grad),
)


@op(where=(), node="ConvolutionBackward0")
def _convolution_input(xp, output: Array, weight: Array, size, options):
    """The gradient of a convolution's input, from that of its output: the transposed convolution."""
    g, w = _wide(output, weight)
    return _to_input(xp, g, w, size, Geometry(size, w.shape, options)).astype(
        output.dtype, copy=False
    )


_convolution_input.derivative(
    output=lambda grad, weight, options: _convolution(grad, weight, None, options),
    weight=lambda grad, output, weight_shape, options: _convolution_weight(
        output, grad, weight_shape, options
    ),
)


@op(where=(), node="ConvolutionBackward0")
def _convolution_weight(xp, output: Array, input: Array, size, options):
    """The gradient of a convolution's weight, from that of its output."""
    g, x = _wide(output, input)
    out = _to_weight(xp, g, x, Geometry(x.shape, size, options))
    return out.reshape(size).astype(output.dtype, copy=False)


_convolution_weight.derivative(
    output=lambda grad, input, options: _convolution(input, grad, None, options),
    input=lambda grad, output, input_shape, options: _convolution_input(
        output, grad, input_shape, options
    ),
)


# ---- checks, and the public functions


def _refuse(input: Tensor, weight: Tensor, bias: Any, options: tuple) -> None:
    """PyTorch's errors for a convolution whose arguments do not fit."""
    stride, pads, dilation, groups = options
    _positive(stride, pads, dilation, groups)
    w, x = list(weight.shape), list(input.shape)
    if w[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{w} instead"
        )
    if w[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{w}] instead"
        )
    if x[1] != w[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {w}, expected input{x} to have {w[1] * groups} channels, but got "
            f"{x[1]} channels instead"
        )
    if bias is not None and tuple(bias.shape) != (w[0],):
        raise RuntimeError(
            f"Given weight of size {w}, expected bias to be 1-dimensional with {w[0]} elements, but got bias of size "
            f"{list(bias.shape)} instead"
        )
    size = [s + a + b for s, (a, b) in zip(x[2:], pads, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(w[2:], dilation, strict=True)]
    if any(s < r for s, r in zip(size, reach, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, size))}). Kernel size: "
            f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    _same_dtype(input, weight, bias)


def _positive(stride: tuple, pads: tuple, dilation: tuple, groups: int) -> None:
    if any(a < 0 or b < 0 for a, b in pads):
        raise RuntimeError("negative padding is not supported")
    if any(s <= 0 for s in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilation):
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def _same_dtype(input: Tensor, weight: Tensor, bias: Any) -> None:
    kind = of(input._array.dtype).legacy
    for other in (weight, bias):
        if other is not None and other._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected scalar type {kind} but found {of(other._array.dtype).legacy}"
            )


def _pads(padding: Any, n: int, kernel: tuple, stride: tuple, dilation: tuple) -> tuple:
    """Padding before and after each dimension; "same" puts the odd one after."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in per_dimension(padding, n, "padding", "convolution"))
    if padding == "valid":
        return ((0, 0),) * n
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def _convolve(
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """conv1d, conv2d and conv3d."""
    x, w = input._array, weight._array
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv{n}d, but got input of size: "
            f"{list(x.shape)}"
        )
    if w.ndim != n + 2:
        raise RuntimeError(
            f"Expected {n + 2}-dimensional weight for conv{n}d, but got weight of size {list(w.shape)} instead"
        )
    if x.ndim == n + 1:
        return _convolve(
            n, input.unsqueeze(0), weight, bias, stride, padding, dilation, groups
        ).squeeze(0)
    stride = per_dimension(stride, n, "stride", "convolution")
    dilation = per_dimension(dilation, n, "dilation", "convolution")
    pads = _pads(padding, n, w.shape[2:], stride, dilation)
    options = stride, pads, dilation, groups
    _refuse(input, weight, bias, options)
    return _convolution(input, weight, bias, options)


@composite(where=("", "nn.functional"))
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation over one dimension: see `conv2d`.

    input: (N, C, L) or (C, L), weight: (O, C / groups, k), bias: (O,).
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


@composite(where=("", "nn.functional"))
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of images with kernels.

    y[n, o, i, j] = b[o] + sum_c,u,v W[o, c, u, v] x[n, c, s i + d u - p, s j + d v - p]
    dL/dx: the transposed convolution of g with W;  dL/dW: g correlated with x;  dL/db = sum g

    input: (N, C, H, W) or (C, H, W), weight: (O, C / groups, kH, kW), bias: (O,). `padding`: lengths, "valid" or
    "same" (stride 1). Half types are added in float32. RuntimeError for sizes, dtypes and options that do not fit.
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


@composite(where=("", "nn.functional"))
def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation over three dimensions: see `conv2d`.

    input: (N, C, D, H, W) or (C, D, H, W), weight: (O, C / groups, kD, kH, kW), bias: (O,).
    """
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    extra: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    """conv_transpose1d, 2d and 3d: a convolution's gradient, as a layer."""
    if input.ndim == n + 1:
        args = (stride, padding, extra, groups, dilation)
        return _transposed(n, input.unsqueeze(0), weight, bias, *args).squeeze(0)
    if input.ndim != n + 2:
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv_transpose{n}d, but got input of size: "
            f"{list(input.shape)}"
        )
    stride = per_dimension(stride, n, "stride", "convolution")
    padding = per_dimension(padding, n, "padding", "convolution")
    extra = per_dimension(extra, n, "output_padding", "convolution")
    dilation = per_dimension(dilation, n, "dilation", "convolution")
    pads = tuple((p, p) for p in padding)
    _positive(stride, pads, dilation, groups)
    _refuse_transposed(input, weight, bias, stride, extra, dilation, groups)
    kernel = weight.shape[2:]
    size = tuple(
        (s - 1) * t - 2 * p + d * (k - 1) + e + 1
        for s, t, p, d, k, e in zip(
            input.shape[2:], stride, padding, dilation, kernel, extra, strict=True
        )
    )
    full = (input.shape[0], weight.shape[1] * groups, *size)
    out = _convolution_input(input, weight, full, (stride, pads, dilation, groups))
    return out if bias is None else out + bias.reshape((-1,) + (1,) * n)


def _refuse_transposed(
    input: Tensor,
    weight: Tensor,
    bias: Any,
    stride: tuple,
    extra: tuple,
    dilation: tuple,
    groups: int,
) -> None:
    w, x = list(weight.shape), list(input.shape)
    if x[1] != w[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {w}, expected input{x} to have {w[0]} channels, but got {x[1]} "
            "channels instead"
        )
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        names = ("depth", "height", "width")[-len(extra) :]
        groups_of = (("output_padding", extra), ("stride", stride), ("dilation", dilation))
        text = " ".join(
            f"{what}_{n}: {v}" for what, vs in groups_of for n, v in zip(names, vs, strict=True)
        )
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got {text}"
        )
    if bias is not None and tuple(bias.shape) != (w[1] * groups,):
        raise RuntimeError(
            f"Given transposed=1, weight of size {w}, expected bias to be 1-dimensional with {w[1] * groups} elements, "
            f"but got bias of size {list(bias.shape)} instead"
        )
    _same_dtype(input, weight, bias)


@composite(where=("", "nn.functional"))
def conv_transpose1d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The transpose of a convolution over one dimension: see `conv_transpose2d`."""
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(where=("", "nn.functional"))
def conv_transpose2d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The transpose of a convolution, which enlarges: each input element adds its multiple of the kernel.

    y = b + the gradient that `conv2d` with W would give its input for x            dL/dx = conv2d(g, W)

    input: (N, C, H, W) or (C, H, W), weight: (C, O / groups, kH, kW), bias: (O,). `output_padding` tells apart the
    sizes that a stride maps onto one. RuntimeError for arguments that do not fit.
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(where=("", "nn.functional"))
def conv_transpose3d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The transpose of a convolution over three dimensions: see `conv_transpose2d`."""
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


conv1d.samples(
    lambda t: [
        (t(2, 2, 5), t(3, 2, 2), t(3)),
        (t(2, 5), t(3, 2, 3)),
        (t(1, 2, 6), t(2, 1, 2), t(2), 2, 1, 2, 2),
    ]
)
conv2d.samples(
    lambda t: [
        (t(2, 2, 4, 4), t(3, 2, 2, 3), t(3)), (t(2, 4, 4), t(3, 2, 3, 3)), (t(1, 2, 4, 5), t(4, 1, 2, 2), None, 2, 1, 1, 2),
        (t(1, 1, 4, 4), t(1, 1, 2, 2), None, 1, "same"), (t(1, 1, 5, 5), t(1, 1, 2, 2), None, 1, 0, 2),
    ]
)  # fmt: skip
conv3d.samples(lambda t: [(t(1, 1, 3, 3, 3), t(2, 1, 2, 2, 2), t(2))])
conv_transpose2d.samples(
    lambda t: [
        (t(1, 2, 3, 3), t(2, 3, 2, 2), t(3)),
        (t(1, 2, 2, 3), t(2, 1, 3, 2), t(2), 2, 1, 1, 2),
    ]
)
