"""Convolutions and transposed convolutions as functions: options, checks, unbatched inputs."""

from typing import Any

from .._core.dtype import of
from .._core.tensor import Tensor
from .convolve import _convolution, _convolution_input
from .declare import composite
from .windows import per_dimension

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]
# ---- checks, and the public functions


def _refuse(input: Tensor, weight: Tensor, bias: Any, options: tuple) -> None:
    """PyTorch's errors for a convolution whose arguments do not fit."""
    stride, pads, dilation, groups = options
    _positive(stride, pads, dilation, groups)
    w, x = list(weight.shape), list(input.shape)
    if w[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            "got weight of size "
            f"{w} instead"
        )
    if w[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            "but got weight of "
            f"size [{w}] instead"
        )
    if x[1] != w[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {w}, expected input{x} to have "
            f"{w[1] * groups} channels, but got "
            f"{x[1]} channels instead"
        )
    if bias is not None and tuple(bias.shape) != (w[0],):
        raise RuntimeError(
            f"Given weight of size {w}, expected bias to be 1-dimensional with {w[0]} elements, "
            "but got bias of size "
            f"{list(bias.shape)} instead"
        )
    size = [s + a + b for s, (a, b) in zip(x[2:], pads, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(w[2:], dilation, strict=True)]
    if any(s < r for s, r in zip(size, reach, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, size))}). Kernel "
            "size: "
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
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv{n}d, but got "
            "input of size: "
            f"{list(x.shape)}"
        )
    if w.ndim != n + 2:
        raise RuntimeError(
            f"Expected {n + 2}-dimensional weight for conv{n}d, but got weight of size "
            f"{list(w.shape)} instead"
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

    input: (N, C, H, W) or (C, H, W), weight: (O, C / groups, kH, kW), bias: (O,). `padding`:
    lengths, "valid" or "same" (stride 1). Half types are added in float32. RuntimeError for sizes,
    dtypes and options that do not fit.
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
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv_transpose{n}d, "
            "but got input of size: "
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
            f"Given transposed=1, weight of size {w}, expected input{x} to have {w[0]} channels, "
            f"but got {x[1]} "
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
            f"Given transposed=1, weight of size {w}, expected bias to be 1-dimensional with "
            f"{w[1] * groups} elements, "
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
    """The transpose of a convolution, which enlarges: each input element adds its multiple of the
    kernel.

    y = b + the gradient that `conv2d` with W would give its input for x
    dL/dx = conv2d(g, W)

    input: (N, C, H, W) or (C, H, W), weight: (C, O / groups, kH, kW), bias: (O,). `output_padding`
    tells apart the sizes that a stride maps onto one. RuntimeError for arguments that do not fit.
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
        (t(2, 2, 4, 4), t(3, 2, 2, 3), t(3)),
        (t(2, 4, 4), t(3, 2, 3, 3)),
        (t(1, 2, 4, 5), t(4, 1, 2, 2), None, 2, 1, 1, 2),
        (t(1, 1, 4, 4), t(1, 1, 2, 2), None, 1, "same"),
        (t(1, 1, 5, 5), t(1, 1, 2, 2), None, 1, 0, 2),
    ]
)

conv3d.samples(lambda t: [(t(1, 1, 3, 3, 3), t(2, 1, 2, 2, 2), t(2))])

conv_transpose2d.samples(
    lambda t: [
        (t(1, 2, 3, 3), t(2, 3, 2, 2), t(3)),
        (t(1, 2, 2, 3), t(2, 1, 3, 2), t(2), 2, 1, 1, 2),
    ]
)
