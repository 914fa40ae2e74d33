"""The windows of pooling: sizes and checks."""

import math
from typing import Any

import numpy as np

from .._core.dtype import of

__all__ = []


# ---- sizes and checks


def _pair(value: Any, name: str, function: str) -> tuple[int, int]:
    numbers = (
        (int(value),) if isinstance(value, (int, np.integer)) else tuple(int(v) for v in value)
    )
    if len(numbers) not in (1, 2):
        raise RuntimeError(
            f"{function}: {name} must either be a single int, or a tuple of two ints"
        )
    return numbers * 2 if len(numbers) == 1 else numbers  # type: ignore[return-value]


def _fit(n: int, kernel: int, stride: int, pad: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows there are. With ceil_mode one may stand out at the end, but must begin
    within the input.
    """
    room = n + 2 * pad - dilation * (kernel - 1) - 1
    out = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (out - 1) * stride >= n + pad:
        out -= 1
    return out


class Plan:
    """One pooling: the window's sizes, checked against the input's shape."""

    def __init__(
        self,
        name: str,
        shape: tuple,
        kernel: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool,
    ) -> None:
        self.kernel = _pair(kernel, "kernel_size", name)
        empty = stride is None or not isinstance(stride, int) and len(stride) == 0
        self.stride = self.kernel if empty else _pair(stride, "stride", name)
        self.pad = _pair(padding, "padding", name)
        self.dilation = _pair(dilation, "dilation", name)
        self._check(name, shape)
        dims = zip(shape[-2:], self.kernel, self.stride, self.pad, self.dilation, strict=True)
        self.fit = tuple(_fit(*d, ceil_mode) for d in dims)
        if min(self.fit) < 1:
            sizes = [f"({shape[-3]}x{h}x{w})" for h, w in (shape[-2:], self.fit)]
            raise RuntimeError(
                f"Given input size: {sizes[0]}. Calculated output size: {sizes[1]}. Output size "
                "is too small"
            )
        reach = zip(self.fit, self.kernel, self.stride, self.dilation, strict=True)
        ends = [(f - 1) * s + d * (k - 1) + 1 for f, k, s, d in reach]
        self.pads = tuple(
            (p, max(0, e - n - p)) for p, e, n in zip(self.pad, ends, shape[-2:], strict=True)
        )
        size = zip(shape[-2:], self.kernel, self.pads, strict=True)
        self.blocks = (
            self.stride == self.kernel
            and all(pads == (0, 0) for _, _, pads in size)
            and self.dilation == (1, 1)
        )

    def _check(self, name: str, shape: tuple) -> None:
        if min(self.stride) == 0:
            raise RuntimeError("stride should not be zero")
        if min(self.kernel) <= 0:
            kh, kw = self.kernel
            raise RuntimeError(
                f"kernel size should be greater than zero, but got kH: {kh} kW: {kw}"
            )
        if min(self.dilation) <= 0:
            dh, dw = self.dilation
            raise RuntimeError(
                f"dilation should be greater than zero, but got dilationH: {dh} dilationW: {dw}"
            )
        for k, p, d in zip(self.kernel, self.pad, self.dilation, strict=True):
            if p < 0:
                raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
            if p > (d * (k - 1) + 1) // 2:
                raise RuntimeError(
                    f"pad should be at most half of effective kernel size, but got pad={p}, "
                    f"kernel_size={k} and "
                    f"dilation={d}"
                )
        if len(shape) not in (3, 4) or math.prod(shape[-3:]) == 0:
            if len(shape) in (3, 4):
                raise RuntimeError(
                    "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for "
                    "input, but "
                    f"got:{list(shape)}"
                )
            raise RuntimeError("non-empty 3D or 4D (batch mode) tensor expected for input")


def refuse_kinds(name: str, dtype: np.dtype) -> None:
    """NotImplementedError for bools and complex numbers, which have no windows' maxima or means."""
    if dtype.kind in "bc":
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(dtype).legacy}'")


def _line(value: Any) -> tuple[int, int]:
    """An option of one dimension as that of two, of which the first is trivial."""
    return 1, int(value if isinstance(value, (int, np.integer)) else value[0])
