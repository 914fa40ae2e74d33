"""Box-Muller in blocks of 16, with the float32 polynomials that PyTorch's vector code uses.

The polynomials are those of Cephes (Moshier): log on [sqrt(1/2), sqrt(2)), sin and cos on
[-pi/4, pi/4]. Every a*b + c in them is fused. Here a fused step is a float64 product and sum
rounded to float32; for each of the 2**24 possible uniforms that gives the same bits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .rounding import EXACT_BELOW, f32, f64, libm, scale32, scale64

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIRS = 8192  # radius and angle pairs worked on at once

_LOG = (
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_LN2_HIGH, _LN2_LOW = f32(0.693359375), f32(-2.12194440e-4)
_SIN = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_QUARTER_PI = (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)


def _fused(a: NDArray, b: NDArray | float, c: NDArray | float, out: NDArray, work: NDArray) -> None:
    """out = a*b + c rounded to float32; float64 arrays that hold float32 values, as all here.

    `out` may be `a` or `b`, not `c`.
    """
    np.multiply(a, b, out=out)
    np.add(out, c, out=out)
    np.copyto(work, out, casting="unsafe")
    np.copyto(out, work)


def _horner(x: NDArray, coefficients: tuple[float, ...], work: NDArray) -> NDArray:
    first, second, *others = (float(f32(c)) for c in coefficients)
    out = np.empty_like(x)
    _fused(x, first, second, out, work)
    for c in others:
        _fused(out, x, c, out, work)
    return out


def log32(u: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithm of float32 numbers in [2**-24, 1]."""
    bits = u.view(np.int32)
    exponent = ((bits >> 23) - 126).astype(f32)
    mantissa = ((bits & 0x007FFFFF) | 0x3F000000).view(f32)  # in [1/2, 1)
    low = mantissa < f32(0.707106781186547524)
    exponent -= low
    x = mantissa - f32(1)
    x += mantissa * low
    z = x * x
    wide, square, work = x.astype(f64), z.astype(f64), np.empty_like(x)
    y = _horner(wide, (7.0376836292e-2, *_LOG), work)
    y = (y.astype(f32) * x).astype(f64)
    _fused(y, square, (exponent * _LN2_LOW).astype(f64), y, work)
    _fused(square, -0.5, y, square, work)
    x += work
    wide[...] = x
    _fused(exponent.astype(f64), float(_LN2_HIGH), wide, y, work)
    return work


def sincos32(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sine and cosine of float32 numbers in [0, 2 pi]."""
    octant = (x * f32(1.27323954473516)).astype(np.int32)
    octant += 1
    octant &= ~1
    turns, wide, work = octant.astype(f64), x.astype(f64), np.empty_like(x)
    step = np.empty_like(wide)
    for part in _QUARTER_PI:  # exact in float64, so rounding comes after each
        np.multiply(turns, float(f32(part)), out=step)
        np.add(wide, step, out=wide)
        np.copyto(work, wide, casting="unsafe")
        np.copyto(wide, work)
    x = wide.astype(f32)
    z = x * x
    square = z.astype(f64)
    cosine = _horner(square, _COS, work)
    cosine = (cosine.astype(f32) * z).astype(f64)
    _fused(cosine, square, (z * f32(-0.5)).astype(f64), cosine, work)
    c = cosine.astype(f32) + f32(1)
    sine = _horner(square, _SIN, work)
    sine = (sine.astype(f32) * z).astype(f64)
    _fused(sine, wide, wide, sine, work)
    s = sine.astype(f32)
    swap = (octant & 2) != 0
    sin, cos = np.where(swap, c, s), np.where(swap, s, c)
    # The sign bit of each: octants 4 and 6 turn the sine, octants 2 and 4 the cosine.
    sin.view(np.int32)[...] ^= (octant & 4) << 29
    cos.view(np.int32)[...] ^= (~(octant - 2) & 4) << 29
    return sin, cos


def _halves(blocks: NDArray) -> tuple[NDArray, NDArray]:
    """The first and the last 8 of every 16, each as one flat array."""
    eight = blocks.view(np.dtype((np.void, 8 * blocks.itemsize)))
    first, last = (np.ascontiguousarray(eight[k::2]).view(blocks.dtype) for k in (0, 1))
    return first, last


def _box32(radius: NDArray, angle: NDArray) -> tuple[NDArray, NDArray]:
    r = log32(f32(1) - radius)
    r *= f32(-2)
    np.sqrt(r, out=r)
    s, c = sincos32(angle * f32(2 * math.pi))
    c *= r
    s *= r
    return c, s


def _box64(radius: NDArray, angle: NDArray, exact: bool) -> tuple[NDArray, NDArray]:
    angle = angle * (2 * math.pi)
    if exact:
        logarithm = libm(math.log, 1 - radius)
        cos, sin = libm(math.cos, angle), libm(math.sin, angle)
    else:
        logarithm, cos, sin = np.log(1 - radius), np.cos(angle), np.sin(angle)
    r = np.sqrt(-2 * logarithm)
    return r * cos, r * sin


def box_muller(uniforms: NDArray, mean: float, std: float, exact: bool = True) -> NDArray:
    """Normals of uniforms, in their place: of each 16 the first 8 give radii, the last 8 angles.

    r = sqrt(-2 log(1 - u)),  t = 2 pi v,  and the block is r cos t (8) and r sin t (8), each
    times std plus mean in one rounding. float32: every bit is PyTorch's. float64: likewise
    where `exact`; else log, sin and cos are NumPy's (0.2 % of values differ, by 2 ulp at most).
    """
    flat = uniforms.reshape(-1)
    double = flat.dtype == f64
    for start in range(0, flat.size, 2 * _PAIRS):
        part = flat[start : start + 2 * _PAIRS]
        radius, angle = _halves(part)
        halves = _box64(radius, angle, exact) if double else _box32(radius, angle)
        eight = part.view(np.dtype((np.void, 8 * part.itemsize)))
        for k, half in enumerate(halves):
            if (mean, std) != (0, 1):
                half = scale64(half, std, mean) if double else scale32(half, std, mean)
            eight[k::2] = half.view(eight.dtype)
    return uniforms


def exact_for(n: int) -> bool:
    """Whether n float64 elements are few enough for the C library's functions."""
    return n < EXACT_BELOW
