"""Padding of signals, images and volumes: by zeros, a constant, reflection, copies or a wrap."""
from __future__ import annotations

from typing import ClassVar

from ..._core.tensor import Tensor
from .. import functional as F
from ._make import ntuple
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip

Size = int | tuple[int, ...]


class _Pad(Module):
    """Pads the last `dimensions` dimensions in a mode of `F.pad`.

    padding: one length for all sides, or (left, right), then (top, bottom), then (front, back).
    A negative length cuts off.
    """

    dimensions: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = ntuple(padding, 2 * self.dimensions)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Pads with `value`."""

    mode = "constant"

    def __init__(self, padding: Size, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    """Pads with zeros."""

    def __init__(self, padding: Size) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(_ConstantPad):
    """(*, L) with a constant on both sides. padding: one length or (left, right)."""

    dimensions = 1


class ConstantPad2d(_ConstantPad):
    """(*, H, W) with a constant around. padding: one length or (left, right, top, bottom)."""

    dimensions = 2


class ConstantPad3d(_ConstantPad):
    """(*, D, H, W) with a constant around. padding: one length or six, last dimension first."""

    dimensions = 3


class ZeroPad1d(_ZeroPad):
    """(*, L) with zeros on both sides. padding: one length or (left, right)."""

    dimensions = 1


class ZeroPad2d(_ZeroPad):
    """(*, H, W) with zeros around. padding: one length or (left, right, top, bottom)."""

    dimensions = 2


class ZeroPad3d(_ZeroPad):
    """(*, D, H, W) with zeros around. padding: one length or six, last dimension first."""

    dimensions = 3


class ReflectionPad1d(_Pad):
    """(N, C, L) or (C, L) mirrored at its ends, which are not repeated: c b | a b c | b a."""

    dimensions, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) mirrored at its borders, which are not repeated."""

    dimensions, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) mirrored at its borders, which are not repeated."""

    dimensions, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """(N, C, L) or (C, L) with its ends repeated: a a | a b c | c c."""

    dimensions, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) with its borders repeated."""

    dimensions, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) with its borders repeated."""

    dimensions, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """(N, C, L) or (C, L) that goes on from the other end: b c | a b c | a b."""

    dimensions, mode = 1, "circular"


class CircularPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) that goes on from the other side."""

    dimensions, mode = 2, "circular"


class CircularPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) that goes on from the other side."""

    dimensions, mode = 3, "circular"
