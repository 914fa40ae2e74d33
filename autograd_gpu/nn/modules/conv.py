"""Convolutions of signals, images and volumes, and their transposes."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..._core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ._make import fresh, ntuple
from .module import Module

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
]  # fmt: skip

Size = int | tuple[int, ...]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What convolutions and their transposes share: the options, checked, and the parameters."""

    weight: Parameter
    bias: Parameter | None
    convolve: Callable[..., Tensor]
    dimensions: int
    transposed: bool
    output_padding: tuple[int, ...]

    def _set_options(
        self, channels: tuple[int, int], kernel_size: Size, stride: Size, padding: str | Size,
        dilation: Size, groups: int, padding_mode: str,
    ) -> None:  # fmt: skip
        n = self.dimensions
        check_channels(*channels, groups)
        self.in_channels, self.out_channels = channels
        self.kernel_size, self.stride = ntuple(kernel_size, n), ntuple(stride, n)
        self.padding = padding if isinstance(padding, str) else ntuple(padding, n)
        self.dilation, self.groups, self.padding_mode = ntuple(dilation, n), groups, padding_mode
        check_padding(self.padding, self.stride, padding_mode)

    def _add_parameters(self, bias: bool, device: Any, dtype: Any) -> None:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        shape = (first, second // self.groups, *self.kernel_size)
        self.weight = fresh(*shape, device=device, dtype=dtype)
        new_bias = fresh(self.out_channels, device=device, dtype=dtype) if bias else None
        self.register_parameter("bias", new_bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: the weight, then the bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in = math.prod(self.weight.shape[1:])
        if self.bias is not None and fan_in != 0:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        n = self.dimensions
        for name, usual in (
            ("padding", (0,) * n), ("dilation", (1,) * n), ("output_padding", (0,) * n),
            ("groups", 1), ("padding_mode", "zeros"),
        ):  # fmt: skip
            value = getattr(self, name)
            if name == "padding_mode" and self.bias is None:
                text += ", bias=False"
            text += "" if value == usual else f", {name}={value}"
        return text


class _ConvNd(_Convolution):
    """Convolutions of all dimensions."""

    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        channels = in_channels, out_channels
        self._set_options(
            channels, kernel_size, stride, padding, dilation, groups, padding_mode
        )
        self.output_padding = (0,) * self.dimensions
        self._reversed_padding_repeated_twice = border(self)
        self._add_parameters(bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with given parameters; padding other than zeros is put on the input first."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            border = self._reversed_padding_repeated_twice
            input, padding = F.pad(input, border, mode=self.padding_mode), 0
        convolve = type(self).convolve
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_ConvNd):
    """Cross-correlation of (N, C, L) or (C, L) with kernels, plus a bias.

    out[n, o, t] = bias[o] + sum_c,k weight[o, c, k] in[n, c, stride t + dilation k - padding]

    padding: a length, "valid" (none) or "same" (the output is as long as the input; stride 1).
    groups: channels are split into so many groups that do not see each other.
    weight: (out_channels, in_channels / groups, kernel_size); weight and bias begin uniform in
    +-1 / sqrt(fan in). ValueError for options that do not fit together.
    """

    dimensions = 1

    @staticmethod
    def convolve(*args: Any) -> Tensor:
        return F.conv1d(*args)


class Conv2d(_ConvNd):
    """Cross-correlation of (N, C, H, W) or (C, H, W) with kernels, plus a bias.

    out[n, o, y, x] = bias[o] + sum_c,i,j weight[o, c, i, j] in[n, c, s y + d i - p, s x + d j - p]
    with stride s, dilation d, padding p in each direction.

    padding: lengths, "valid" (none) or "same" (the output is as large as the input; stride 1).
    groups: channels are split into so many groups that do not see each other.
    weight: (out_channels, in_channels / groups, *kernel_size); weight and bias begin uniform in
    +-1 / sqrt(fan in). ValueError for options that do not fit together.
    """

    dimensions = 2

    @staticmethod
    def convolve(*args: Any) -> Tensor:
        return F.conv2d(*args)


class Conv3d(_ConvNd):
    """Cross-correlation of (N, C, D, H, W) or (C, D, H, W) with kernels, plus a bias.

    The three-dimensional form of `Conv2d`, with the same options and errors.
    """

    dimensions = 3

    @staticmethod
    def convolve(*args: Any) -> Tensor:
        return F.conv3d(*args)


class _ConvTransposeNd(_Convolution):
    """Transposes of convolutions of all dimensions."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}'
            )
        super().__init__()
        channels = in_channels, out_channels
        self._set_options(
            channels, kernel_size, stride, padding, dilation, groups, padding_mode
        )
        self.output_padding = ntuple(output_padding, self.dimensions)
        self._add_parameters(bias, device, dtype)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Apply the layer; output_size picks one of the sizes that the stride leaves open."""
        extra = self.output_padding
        if output_size is not None:
            extra = missing_padding(self, input, tuple(output_size))
        return type(self).convolve(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
            self.dilation,
        )  # fmt: skip


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of `Conv1d` as a linear map: (N, C, L) or (C, L) to a longer signal.

    The output is as long as an input that `Conv1d` with these options would map to L:
    (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1.
    weight: (in_channels, out_channels / groups, kernel_size); weight and bias begin uniform in
    +-1 / sqrt(fan in). ValueError for options that do not fit together.
    """

    dimensions = 1

    @staticmethod
    def convolve(*args: Any) -> Tensor:
        return F.conv_transpose1d(*args)


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of `Conv2d` as a linear map: (N, C, H, W) or (C, H, W) to a larger image.

    The options, sizes and errors are those of `ConvTranspose1d`, in each direction.
    """

    dimensions = 2

    @staticmethod
    def convolve(*args: Any) -> Tensor:
        return F.conv_transpose2d(*args)


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of `Conv3d` as a linear map: (N, C, D, H, W) or (C, D, H, W).

    The options, sizes and errors are those of `ConvTranspose1d`, in each direction.
    """

    dimensions = 3

    @staticmethod
    def convolve(*args: Any) -> Tensor:
        return F.conv_transpose3d(*args)


def check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    """Both numbers of channels must be multiples of the number of groups (ValueError)."""
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    for name, channels in (("in", in_channels), ("out", out_channels)):
        if channels % groups:
            raise ValueError(f"{name}_channels must be divisible by groups")


def check_padding(padding: Any, stride: tuple[int, ...], mode: str) -> None:
    """Padding by name is "same" or "valid", "same" is for stride 1, the mode is one of four."""
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of 'valid', 'same'"
            )
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if mode not in PADDING_MODES:
        raise ValueError(f"padding_mode must be one of {PADDING_MODES}, but got {mode!r}")


def border(conv: Any) -> tuple[int, ...]:
    """The padding as `F.pad` wants it: last dimension first, before and after each."""
    lengths: list[int] = []
    for i in reversed(range(conv.dimensions)):
        if conv.padding == "same":
            total = conv.dilation[i] * (conv.kernel_size[i] - 1)
            lengths += [total // 2, total - total // 2]
        else:
            lengths += [0 if conv.padding == "valid" else conv.padding[i]] * 2
    return tuple(lengths)


def missing_padding(conv: Any, input: Tensor, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The output_padding that gives a wanted size (ValueError if none does).

    wanted: the lengths in each direction, perhaps after those of batch and channels.
    """
    n = conv.dimensions
    lead = input.dim() - n
    if len(wanted) == n + lead:
        wanted = wanted[lead:]
    if len(wanted) != n:
        raise ValueError(
            f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
            f"{n + lead} elements (got {len(wanted)})"
        )
    least = tuple(
        (input.size(lead + i) - 1) * conv.stride[i] - 2 * conv.padding[i]
        + conv.dilation[i] * (conv.kernel_size[i] - 1) + 1
        for i in range(n)
    )  # fmt: skip
    most = tuple(size + stride - 1 for size, stride in zip(least, conv.stride, strict=True))
    if any(not a <= size <= b for a, size, b in zip(least, wanted, most, strict=True)):
        raise ValueError(
            f"requested an output size of {wanted}, but valid sizes range from {least} to {most} "
            f"(for an input of {tuple(input.shape[lead:])})"
        )
    return tuple(size - a for size, a in zip(wanted, least, strict=True))
