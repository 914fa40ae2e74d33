"""Logarithm, exponential, sine and cosine in plain arithmetic: the same bits on every device.

NumPy's own depend on the processor and CUDA's are others again. These are series of Taylor after an
exact reduction of the argument, without fused multiply-add, operation for operation those of
`kernels/philox.cuh`; float32 and float64, each to about one unit in the last place.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

__all__ = ["exp_of", "log_of", "turn"]


class _Format(NamedTuple):
    """What differs between the two types: bits, digits of ln 2, lengths of series."""

    bits: type
    mantissa: int
    bias: int
    half: int  # the bits of the square root of 1/2
    ln2_high: float  # so few digits that k ln2_high is exact
    ln2_low: float
    log_terms: int
    sin_terms: int
    exp_terms: int
    largest_exponent: float


_FORMATS = {
    np.dtype("f4"): _Format(
        np.int32, 23, 127, 0x3F3504F3, 0.693145751953125, 1.4286068203094173e-06, 4, 4, 7, 120.0
    ),
    np.dtype("f8"): _Format(
        np.int64, 52, 1023, 0x3FE6A09E667F3BCD, 0.6931471805601177, -1.7239444525614835e-13,
        10, 8, 14, 800.0,
    ),
}  # fmt: skip
_SIN = [(-1) ** k / math.factorial(2 * k + 1) for k in range(1, 9)]
_COS = [(-1) ** k / math.factorial(2 * k) for k in range(2, 10)]
_EXP = [1 / math.factorial(k) for k in range(15)]


def log_of(x: Any) -> Any:
    """The logarithm of normal numbers above 0.

    x = 2^k (1 + f), s = f / (2 + f): ln(1 + f) = f - (f^2/2 - s (f^2/2 + R)),
    R = 2 s^2 / 3 + 2 s^4 / 5 + ...
    """
    form, number = _FORMATS[x.dtype], x.dtype.type
    bits = x.view(form.bits)
    k = (bits - form.half) >> form.mantissa
    f = (bits - (k << form.mantissa)).view(x.dtype) - number(1)
    s = f / (f + number(2))
    z, half = s * s, f * f * number(0.5)
    rest = _series(z, [2 / (2 * i + 1) for i in range(1, form.log_terms + 1)]) * z
    e = k.astype(x.dtype)
    low = s * (half + rest) + e * number(form.ln2_low)
    return e * number(form.ln2_high) - ((half - low) - f)


def turn(xp: Any, w: Any) -> tuple[Any, Any]:
    """Sine and cosine of 2 pi w, |w| of 1 or less."""
    form, number = _FORMATS[w.dtype], w.dtype.type
    quarters = xp.rint(w * number(4))
    t = (w - quarters * number(0.25)) * number(2 * math.pi)
    z = t * t
    s = _series(z, _SIN[: form.sin_terms]) * z * t + t
    c = (_series(z, _COS[: form.sin_terms]) * z * z - z * number(0.5)) + number(1)
    quadrant = quarters.astype(np.int32) & 3
    swap = (quadrant & 1) != 0
    sine, cosine = xp.where(swap, c, s), xp.where(swap, s, c)
    sine = xp.where((quadrant & 2) != 0, -sine, sine)
    return sine, xp.where(((quadrant + 1) & 2) != 0, -cosine, cosine)


def exp_of(xp: Any, x: Any) -> Any:
    """e^x = 2^k e^r, r = x - k ln 2."""
    form, number = _FORMATS[x.dtype], x.dtype.type
    x = xp.clip(x, number(-form.largest_exponent), number(form.largest_exponent))
    k = xp.rint(x * number(1 / math.log(2)))
    r = (x - k * number(form.ln2_high)) - k * number(form.ln2_low)
    y = _series(r, _EXP[: form.exp_terms + 1])
    whole = xp.where(k == k, k, number(0)).astype(form.bits)
    first = whole >> 1
    for part in (first, whole - first):
        y = y * ((part + form.bias) << form.mantissa).view(x.dtype)
    return y


def _series(x: Any, coefficients: list[float]) -> Any:
    """c0 + x (c1 + x (c2 + ...))"""
    number = x.dtype.type
    *others, last = coefficients
    out = number(last)
    for c in reversed(others):
        out = x * out
        out += number(c)
    return out
