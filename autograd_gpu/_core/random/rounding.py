"""Rounding as a machine with fused multiply-add does it, and casts to the floating dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

f32, f64 = np.float32, np.float64

# Elements a pass works on: the buffers of one pass stay in the second-level cache.
BLOCK = 16384

# Below this many elements the elementary float64 functions are the C library's, so that every
# bit is PyTorch's; above it they are NumPy's, whose last bit differs now and then.
EXACT_BELOW = 65536

_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def digits(dtype: np.dtype) -> int:
    """Number of significant bits of a floating dtype; 0 for every other dtype."""
    return _DIGITS.get(dtype.name, 0)


def cast(values: NDArray, dtype: np.dtype) -> NDArray:
    """`values` in `dtype`; float64 reaches the 16-bit types through float32, as in PyTorch."""
    if digits(dtype) in (8, 11) and values.dtype == f64:
        values = values.astype(f32)
    return values.astype(dtype, copy=False)


def fma32(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> NDArray:
    """a*b + c of float32 values, rounded once.

    The product is exact in float64. The sum is rounded to odd there, which keeps enough of what
    it drops for the second rounding, to float32, to come out right (Boldo and Melquiond, 2008).
    """
    product = np.asarray(a, f32).astype(f64) * np.asarray(b, f32).astype(f64)
    return _add_to_odd(product, np.asarray(c, f32).astype(f64)).astype(f32)


def scale32(x: NDArray, factor: float, shift: float) -> NDArray:
    """x*factor + shift of a float32 array, rounded once: `fma32` at half its price.

    Rounding to float64 and then to float32 is right unless the float64 lies midway between two
    float32 neighbours, so only those are looked at again.
    """
    b, c = f32(factor), f32(shift)
    if max(abs(b), abs(c)) < 2.0**-80 or not (np.isfinite(b) and np.isfinite(c)):
        return fma32(x, b, c)  # results may be subnormal, where the midway test does not hold
    out = np.empty_like(x)
    for start in range(0, x.size, BLOCK):
        part = x[start : start + BLOCK]
        total = part.astype(f64)
        total *= f64(b)
        total += f64(c)
        out[start : start + BLOCK] = total
        low = total.view(np.int64) & 0x1FFFFFFF
        if (low == 0x10000000).any():
            out[start : start + BLOCK] = fma32(part, b, c)
    return out


def fma64(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> NDArray:
    """a*b + c of float64 values, rounded once (Boldo and Melquiond, 2008)."""
    a, b, c = np.broadcast_arrays(*(np.asarray(v, f64) for v in (a, b, c)))
    if not a.size:
        return np.empty(a.shape)
    with np.errstate(all="ignore"):
        product, error = _two_product(a, b)
        high, low = _two_sum(c, error)
        top, rest = _two_sum(product, high)
        out = top + _add_to_odd(rest, low)
        size = np.abs(product)
    plain = (a == 0) | (b == 0) | (size > 2.0**-900) & (size < 2.0**900)
    plain &= (np.abs(a) < 2.0**900) & (np.abs(b) < 2.0**900) & (np.abs(c) < 2.0**900)
    if not plain.all():  # the splitting above may overflow or lose bits there
        for where in zip(*np.nonzero(~plain), strict=True):
            out[where] = _fma_one(float(a[where]), float(b[where]), float(c[where]))
    return out


def scale64(x: NDArray, factor: float, shift: float) -> NDArray:
    """x*factor + shift of a flat float64 array, rounded once, in blocks."""
    out = np.empty_like(x)
    for start in range(0, x.size, BLOCK):
        out[start : start + BLOCK] = fma64(x[start : start + BLOCK], factor, shift)
    return out


def _fma_one(a: float, b: float, c: float) -> float:
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)):
        return a * b + c
    from fractions import Fraction

    exact = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        return float(exact) if exact else a * b + c
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")


def _two_sum(a: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """a + b rounded, and what the rounding dropped (Knuth)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _two_product(a: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """a * b rounded, and what the rounding dropped (Dekker, Veltkamp)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, error


def _split(a: NDArray) -> tuple[NDArray, NDArray]:
    spread = a * 134217729.0  # 2**27 + 1
    high = spread - (spread - a)
    return high, a - high


def _add_to_odd(a: NDArray, b: NDArray) -> NDArray:
    """a + b in float64; an inexact sum is given the neighbour with an odd last bit."""
    total, error = _two_sum(a, b)
    total = np.atleast_1d(total)
    bits = total.view(np.int64)
    even = (error != 0) & ((bits & 1) == 0)
    bits += even * np.where((error > 0) == (total > 0), 1, -1)
    return total.reshape(np.shape(error))


def libm(function: Callable[[float], float], values: NDArray) -> NDArray:
    """`function`, one of `math`'s, of every element of a flat float64 array."""
    return np.fromiter(map(function, values.tolist()), f64, values.size)


def settle(
    u: NDArray,
    fast: Callable[[NDArray], NDArray],
    exact: Callable[[NDArray], NDArray],
    finish: Callable[[NDArray], NDArray],
    coarse: bool,
) -> NDArray:
    """finish(exact(u)) at the price of finish(fast(u)), where `finish` rounds.

    `fast` and `exact` give float64 and agree to a few units in the last place. Where `finish`
    is coarse (to float32, to an integer) it hides that, except beside its jumps: elements on
    which it gives two answers within 2**-50 are computed again. Where it is not coarse, `exact`
    serves below `EXACT_BELOW` elements and `fast` above.
    """
    if u.size < 256 or (not coarse and u.size < EXACT_BELOW):
        return finish(exact(u))
    values = fast(u)
    out = finish(values)
    if coarse:
        unsure = finish(values * (1 + 2.0**-50)) != finish(values * (1 - 2.0**-50))
        if unsure.any():
            out[unsure] = finish(exact(u[unsure]))
    return out
