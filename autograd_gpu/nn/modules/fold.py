"""Windows of images as columns and back: Fold, Unfold."""
from __future__ import annotations

from ..._core.tensor import Tensor
from .. import functional as F
from ._layer import layer
from .module import Module

__all__ = ["Fold", "Unfold"]

Size = int | tuple[int, ...]


@layer
class Unfold(Module):
    """(N, C, H, W) to (N, C kh kw, L): each of the L windows as a column."""

    kernel_size: Size
    dilation: Size = 1
    padding: Size = 0
    stride: Size = 1

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


@layer
class Fold(Module):
    """(N, C kh kw, L) to (N, C, *output_size): columns added where their windows lie.

    The transpose of `Unfold`, not its inverse, where windows overlap.
    """

    output_size: Size
    kernel_size: Size
    dilation: Size = 1
    padding: Size = 0
    stride: Size = 1

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )
