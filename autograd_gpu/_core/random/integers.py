"""Whole numbers of a range, in integer and floating dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .rounding import BLOCK, cast, digits, f64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator

_FEW = 1024
_WIDE = 2**28  # from this range on, a number takes two words


def words64(gen: Generator, n: int) -> NDArray[np.uint64]:
    """n 64-bit words: a first 32-bit word above a second."""
    pairs = gen.words(2 * n).reshape(n, 2)
    out = pairs[:, 0] << np.uint64(32)
    out |= pairs[:, 1]
    return out


def _remainder(words: NDArray[np.uint64], span: int) -> NDArray[np.uint64]:
    """words % span, in place; words below 2**32 go through float64, which is faster."""
    if words.size < _FEW or span >= _WIDE:
        words %= np.uint64(span)
    elif span & (span - 1) == 0:
        words &= np.uint64(span - 1)
    else:  # the rounded quotient may be one too large or one too small
        signed = words.view(np.int64)
        quotient = (signed * (1.0 / span)).astype(np.int64)
        quotient *= span
        signed -= quotient
        signed += (signed < 0) * np.int64(span)
        signed -= (signed >= span) * np.int64(span)
    return words


def randint(
    gen: Generator, n: int, low: int, high: int, dtype: np.dtype | type = np.int64
) -> NDArray:
    """n integers of [low, high): y = word % (high - low) + low.

    One word a number while high - low < 2**28, else two. `dtype` may be a floating one; the
    bounds must then be numbers that it holds (`random` sees to that).
    """
    dtype, span = np.dtype(dtype), high - low
    out = np.empty(n, dtype)
    shift = np.uint64(low % 2**64)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        words = gen.words(part.size) if span < _WIDE else words64(gen, part.size)
        if span < 2**64:
            words = _remainder(words, span)
        if low:
            words += shift  # modulo 2**64, so a negative `low` comes out right
        values = words.view(np.int64)
        part[...] = cast(values.astype(f64), dtype) if digits(dtype) else values
    return out


def random(
    gen: Generator,
    n: int,
    low: int | None = None,
    high: int | None = None,
    dtype: np.dtype | type = np.int64,
) -> NDArray:
    """n whole numbers as `Tensor.random_` draws them.

    Both bounds: [low, high), moved inward to numbers that a floating dtype holds. `high` None:
    from `low` to the dtype's greatest (floating: 2**digits), included. Both None: from 0 to
    that greatest.
    """
    dtype = np.dtype(dtype)
    if low is None:
        return _unbounded(gen, n, dtype)
    if high is None:
        if dtype == np.int64 and low == -(2**63):
            return words64(gen, n).view(np.int64)
        high = greatest(dtype) + 1
    elif digits(dtype):
        low, high = inward(low, high, dtype)
    return randint(gen, n, low, high, dtype)


def greatest(dtype: np.dtype) -> int:
    if digits(dtype):
        return 2 ** digits(dtype)
    return 1 if dtype == np.bool_ else int(np.iinfo(dtype).max)


def _unbounded(gen: Generator, n: int, dtype: np.dtype) -> NDArray:
    two = dtype.itemsize == 8
    words = words64(gen, n) if two else gen.words(n)
    words %= np.uint64(greatest(dtype) + 1) if dtype != np.uint64 else np.uint64(2**63)
    return cast(words.astype(f64), dtype) if digits(dtype) else words.astype(dtype)


def inward(low: int, high: int, dtype: np.dtype) -> tuple[int, int]:
    """Bounds whose ends a floating dtype holds, within [low, high)."""
    bits = digits(dtype)

    def held(value: int) -> int:
        rounded = float(cast(np.array([float(value)]), dtype)[0])
        return int(rounded) if np.isfinite(rounded) else value

    if held(low + 1) < low:
        low = held(low + 1) + 2 ** (abs(low + 1).bit_length() - bits)
    if held(high - 1) >= high:
        high = held(high - 1) - 2 ** (abs(high - 1).bit_length() - bits)
    return low, high
