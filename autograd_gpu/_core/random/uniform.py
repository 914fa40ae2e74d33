"""Uniform numbers: 24 bits of one word, or 53 bits of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .rounding import BLOCK, cast, f32, f64, scale32, scale64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator

_MASK24, _MASK21 = np.uint64(0xFFFFFF), np.uint64(0x1FFFFF)
_HALF = np.uint64(32)


def uniform24(gen: Generator, n: int) -> NDArray[np.float32]:
    """n float32 numbers k / 2**24, k the low 24 bits of one word each."""
    out = np.empty(n, f32)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        words = gen.words(part.size)
        words &= _MASK24
        np.copyto(part, words.view(np.int64), casting="unsafe")
        part *= f32(2.0**-24)
    return out


def bits53(gen: Generator, n: int) -> NDArray[np.int64]:
    """n integers below 2**53: 21 bits of a first word above the 32 of a second."""
    words = gen.words(2 * n).reshape(n, 2)
    out = words[:, 0] & _MASK21
    out <<= _HALF
    out |= words[:, 1]
    return out.view(np.int64)


def uniform53(gen: Generator, n: int) -> NDArray[np.float64]:
    """n float64 numbers k / 2**53, of two words each."""
    out = np.empty(n, f64)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        np.multiply(bits53(gen, part.size), 2.0**-53, out=part)
    return out


def uniform(
    gen: Generator,
    n: int,
    low: float = 0.0,
    high: float = 1.0,
    dtype: np.dtype | type = f32,
) -> NDArray:
    """n numbers of [low, high) in a floating or complex dtype, in the order they are drawn.

    y = u (high - low) + low, fused, then rounded to the dtype; a y that comes out as `high` is
    replaced by `low`. float64 takes two words a number, all other dtypes one; a complex number
    is its real and then its imaginary part. Every bit is PyTorch's.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        real = f32 if dtype.itemsize == 8 else f64
        return uniform(gen, 2 * n, low, high, real).view(dtype)
    double = dtype == f64
    values = uniform53(gen, n) if double else uniform24(gen, n)
    if (low, high) != (0, 1):
        if double:
            values = scale64(values, high - low, low)
        else:
            values = scale32(values, float(f32(high) - f32(low)), low)
    elif dtype.itemsize >= 4:
        return values  # u < 1 always
    values = cast(values, dtype)
    top, bottom = (cast(np.array([v], f64), dtype)[0] for v in (high, low))
    values[values == top] = bottom
    return values
