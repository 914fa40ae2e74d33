"""Channels to pixels and back: PixelShuffle, PixelUnshuffle."""
from __future__ import annotations

from ..._core.tensor import Tensor
from .. import functional as F
from ._layer import layer
from .module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


@layer
class PixelShuffle(Module):
    """(*, C r^2, H, W) to (*, C, H r, W r) with r = upscale_factor: r^2 channels become the pixels
    of an r x r block (Shi et al. 2016, arXiv:1609.05158)."""

    upscale_factor: int

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)


@layer
class PixelUnshuffle(Module):
    """(*, C, H r, W r) to (*, C r^2, H, W) with r = downscale_factor: undoes `PixelShuffle`."""

    downscale_factor: int

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)
