"""Convolutions: Conv1d, Conv2d."""
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

__all__ = ["Conv1d", "Conv2d"]

Size = int | tuple[int, ...]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions of all dimensions share: the options, checked, and the parameters."""

    weight: Parameter
    bias: Parameter | None
    convolve: Callable[..., Tensor]
    dimensions: int

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
        n = self.dimensions
        check_channels(in_channels, out_channels, groups)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = ntuple(kernel_size, n), ntuple(stride, n)
        self.padding = padding if isinstance(padding, str) else ntuple(padding, n)
        self.dilation = ntuple(dilation, n)
        self.transposed, self.output_padding = False, (0,) * n
        self.groups, self.padding_mode = groups, padding_mode
        check_padding(self.padding, self.stride, padding_mode)
        self._reversed_padding_repeated_twice = border(self)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = fresh(*shape, device=device, dtype=dtype)
        new_bias = fresh(out_channels, device=device, dtype=dtype) if bias else None
        self.register_parameter("bias", new_bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: the weight, then the bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in = math.prod(self.weight.shape[1:])
        if self.bias is not None and fan_in != 0:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(self.bias, -bound, bound)

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
