"""Windows of images as columns, and columns added back to images: unfold, fold."""

import math
from typing import Any

from .declare import PUBLIC, Array, composite, op
from .windows import add_windows, out_sizes, padded, unpadded, windows

__all__ = ["fold", "image_windows"]


@op(where=(), kernel="im2col", node="Im2ColBackward0")
def _im2col(xp, input: Array, options):
    """(N, C, H, W) to (N, C kH kW, L); see `unfold`."""
    kernel, dilation, pads, stride = options
    n, channels = input.shape[:2]
    view = windows(xp, padded(xp, input, pads, 2), 2, kernel, stride, dilation)
    return view.reshape(n, channels * math.prod(kernel), math.prod(view.shape[4:]))


@op(where=(), kernel="col2im", node="Col2ImBackward0")
def _col2im(xp, input: Array, size, options):
    """(N, C kH kW, L) to (N, C, H, W); see `fold`."""
    kernel, dilation, pads, stride = options
    full = tuple(s + a + b for s, (a, b) in zip(size, pads, strict=True))
    fit = out_sizes(full, kernel, stride, dilation)
    n, channels = input.shape[0], input.shape[1] // math.prod(kernel)
    out = xp.zeros((n, channels, *full), input.dtype)
    add_windows(out, input.reshape(n, channels, *kernel, *fit), 2, kernel, stride, dilation)
    return xp.ascontiguousarray(unpadded(out, pads, 2))


_im2col.derivative(
    input=lambda grad, input_shape, options: _col2im(grad, tuple(input_shape[2:]), options)
)
_col2im.derivative(input=lambda grad, options: _im2col(grad, options))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[-1]))


def _options(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple:
    kernel, gap, pad, step = (_pair(v) for v in (kernel_size, dilation, padding, stride))
    for name, numbers in (("kernel size", kernel), ("dilation", gap), ("stride", step)):
        if min(numbers) <= 0:
            raise RuntimeError(f"{name} should be greater than zero, but got {numbers}")
    if min(pad) < 0:
        raise RuntimeError(f"padding should be non-negative, but got {pad}")
    return kernel, gap, tuple((p, p) for p in pad), step


@composite()
def image_windows(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of images as columns.

    y[n, (c, u, v), (i, j)] = x[n, c, s i + d u - p, s j + d v - p]            dL/dx = `fold` of g

    input: (N, C, H, W) or (C, H, W); output: (N, C kH kW, L) with L windows. RuntimeError where
    none fits.
    """
    if input.ndim == 3:
        return image_windows(input.unsqueeze(0), kernel_size, dilation, padding, stride).squeeze(0)
    if input.ndim != 4:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size for input, but "
            f"got: {list(input.shape)}"
        )
    options = _options(kernel_size, dilation, padding, stride)
    kernel, gap, pads, step = options
    size = tuple(s + a + b for s, (a, b) in zip(input.shape[2:], pads, strict=True))
    fit = out_sizes(size, kernel, step, gap)
    if min(fit) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(input.shape[2:])}, kernel_size={kernel}, "
            f"dilation={gap}, "
            f"padding={_pair(padding)}, calculated shape of the array of sliding blocks as {fit}, "
            "but its components "
            "must be at least one."
        )
    return _im2col(input, options)


@composite(where=("nn.functional",))
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns added back to where `unfold` took them from.

    x[n, c, s i + d u - p, s j + d v - p] += y[n, (c, u, v), (i, j)]
    dL/dy = `unfold` of g

    input: (N, C kH kW, L) or (C kH kW, L); output: (N, C, *output_size). RuntimeError for sizes
    that do not fit.
    """
    if input.ndim == 2:
        return fold(
            input.unsqueeze(0), output_size, kernel_size, dilation, padding, stride
        ).squeeze(0)
    options, size = _options(kernel_size, dilation, padding, stride), _pair(output_size)
    kernel, gap, pads, step = options
    if input.ndim != 3 or input.shape[1] % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            "but got "
            f"input.size(1)={input.shape[1]} and kernel_size={kernel}."
        )
    full = tuple(s + a + b for s, (a, b) in zip(size, pads, strict=True))
    fit = out_sizes(full, kernel, step, gap)
    if math.prod(fit) != input.shape[2] or min(fit) < 1:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={gap}, "
            f"padding={_pair(padding)}, stride={step}, "
            "expected size of input's dimension 2 to match the calculated number of sliding "
            f"blocks {fit[0]} * {fit[1]} "
            f"= {math.prod(fit)}, but got input.size(2)={input.shape[2]}."
        )
    return _col2im(input, size, options)


# Tensor.unfold is another function, which has the name in the registry.
PUBLIC["nn.functional"]["unfold"] = image_windows
image_windows.__name__ = image_windows.__qualname__ = "unfold"

image_windows.samples(lambda t: [(t(1, 2, 4, 4), 2), (t(1, 4, 5), (2, 3), 1, 1, 2)])
fold.samples(lambda t: [(t(1, 8, 9), (4, 4), 2)])
