"""Pooling: the maximum or mean of windows of a signal or an image."""
from __future__ import annotations

from typing import Any

from ..._core.tensor import Tensor
from .. import functional as F
from ._layer import layer
from ._make import ntuple
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d",
]  # fmt: skip

Size = int | tuple[int, ...]


class _MaxPoolNd(Module):
    """What max pooling of all dimensions shares: its options."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def options(self) -> dict[str, Any]:
        """The keyword arguments for the functions."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "ceil_mode": self.ceil_mode,
            "return_indices": self.return_indices,
        }

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The maximum of each window of (N, C, L) or (C, L).

    stride is kernel_size by default; padding, at most half the kernel, is with -inf; dilation is
    the step within a window. return_indices: also where each maximum is. ceil_mode: a window may
    stand out at the end.
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool1d(input, self.kernel_size, **self.options())


class MaxPool2d(_MaxPoolNd):
    """The maximum of each window of (N, C, H, W) or (C, H, W).

    stride is kernel_size by default; padding, at most half the kernel, is with -inf; dilation is
    the step within a window. return_indices: also where each maximum is, as an index into the
    flattened H x W. ceil_mode: a window may stand out at the end.
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(input, self.kernel_size, **self.options())


class AvgPool1d(Module):
    """The mean of each window of (N, C, L) or (C, L).

    stride is kernel_size by default; padding is with zeros, which `count_include_pad` counts.
    ceil_mode: a window may stand out at the end.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = ntuple(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else ntuple(stride, 1)
        self.padding = ntuple(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window of (N, C, H, W) or (C, H, W).

    stride is kernel_size by default; padding is with zeros, which `count_include_pad` counts;
    divisor_override divides the sums in place of the count. ceil_mode: a window may stand out at
    the end.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


@layer
class AdaptiveAvgPool1d(Module):
    """The means of output_size windows that cover a signal (N, C, L) or (C, L) evenly."""

    output_size: Any

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


@layer
class AdaptiveAvgPool2d(Module):
    """The means of windows that cover an image (N, C, H, W) or (C, H, W) evenly.

    output_size: (rows, columns), or one number for both; None keeps the image's own.
    """

    output_size: Any

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


@layer(show=("output_size",))
class AdaptiveMaxPool1d(Module):
    """The maxima of output_size windows that cover a signal (N, C, L) or (C, L) evenly.

    return_indices: also where each maximum is.
    """

    output_size: Any
    return_indices: bool = False

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


@layer(show=("output_size",))
class AdaptiveMaxPool2d(Module):
    """The maxima of windows that cover an image (N, C, H, W) or (C, H, W) evenly.

    output_size: (rows, columns), or one number for both; None keeps the image's own.
    return_indices: also where each maximum is.
    """

    output_size: Any
    return_indices: bool = False

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)
