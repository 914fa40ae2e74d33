"""Normal numbers: one at a time with a cached second, or in blocks of 16."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .boxmuller import box_muller, exact_for
from .rounding import BLOCK, cast, f32, f64, libm, scale64, settle
from .uniform import uniform24, uniform53

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator


def _pairs(gen: Generator, pairs: int, exact: bool) -> NDArray:
    """Box-Muller pairs r cos t, r sin t, one after another, of two float64 uniforms each."""
    u = uniform53(gen, 2 * pairs)
    angle, v = (2 * math.pi) * u[0::2], -u[1::2]
    if exact:
        logarithm, cos, sin = libm(math.log1p, v), libm(math.cos, angle), libm(math.sin, angle)
    else:
        logarithm, cos, sin = np.log1p(v), np.cos(angle), np.sin(angle)
    r = np.sqrt(-2 * logarithm)
    np.multiply(r, cos, out=u[0::2])
    np.multiply(r, sin, out=u[1::2])
    return u


def single_normals(gen: Generator, n: int, mean: float = 0.0, std: float = 1.0) -> NDArray:
    """n float64 normals of the one-at-a-time path.

    A pair of float64 uniforms u, v gives r cos t now and r sin t for the next call, with
    r = sqrt(-2 log(1 - v)) and t = 2 pi u. The spare one waits in the generator, unscaled, and
    survives every other kind of draw.
    """
    if not n:
        return np.empty(0)
    used = gen.cached_normal is not None
    count = (n - used + 1) // 2
    out = np.empty(2 * count + used)
    if used:
        out[0] = gen.cached_normal
    for start in range(used, out.size, BLOCK):
        part = out[start : start + BLOCK]
        part[...] = _pairs(gen, part.size // 2, exact_for(n))
    gen.cached_normal = float(out[n]) if out.size > n else None
    out = out[:n]
    return out if (mean, std) == (0, 1) else scale64(out, std, mean)


def normal(
    gen: Generator,
    n: int,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: np.dtype | type = f32,
    contiguous: bool = True,
) -> NDArray:
    """n normal numbers in a floating or complex dtype, in the order they are drawn.

    Fewer than 16, or `contiguous` false (the target has gaps or another order of dimensions):
    the one-at-a-time path. Else blocks of 16; where n is no multiple of 16, sixteen more
    uniforms draw the last 16 elements again. A complex number is two reals with std/sqrt(2).

    Every bit is PyTorch's, but for float64 outputs of 65536 elements or more: of these 0.2 %
    (blocks) or 3.4 % (one at a time) differ, by at most 2 units in the last place. Other dtypes
    on the one-at-a-time path could differ there too, about once in 10**9 numbers.
    """
    dtype = np.dtype(dtype)
    mean, std = float(mean), float(std)
    if dtype.kind == "c":
        real = f32 if dtype.itemsize == 8 else f64
        return normal(gen, 2 * n, mean, std / math.sqrt(2), real, contiguous).view(dtype)
    if n < 16 or not contiguous:
        return cast(single_normals(gen, n, mean, std), dtype)
    draw = uniform53 if dtype == f64 else uniform24
    whole, ragged = n - n % 16, n % 16
    if not ragged:
        return cast(box_muller(draw(gen, n), mean, std, exact_for(n)), dtype)
    if dtype.itemsize == 2:
        drawn = draw(gen, whole + 16)
    else:  # these draw for the ragged end too, and drop it
        drawn = draw(gen, n + 16)
        drawn = np.concatenate([drawn[:whole], drawn[n:]])
    box_muller(drawn, mean, std, exact_for(n))
    return cast(np.concatenate([drawn[: n - 16], drawn[whole:]]), dtype)


def log_normal(
    gen: Generator, n: int, mean: float = 1.0, std: float = 2.0, dtype: np.dtype | type = f32
) -> NDArray:
    """exp of n normals of the one-at-a-time path, whatever n is.

    PyTorch's bits; in float64 from 65536 elements on, 7 % of values differ, by up to about 15
    units in the last place (exp magnifies the normal's last bit).
    """
    dtype = np.dtype(dtype)
    values = single_normals(gen, n, float(mean), float(std))
    return settle(values, np.exp, _exp, lambda v: cast(v, dtype), coarse=dtype != f64)


def _exp(values: NDArray) -> NDArray:
    return libm(lambda v: math.exp(v) if v < 709.78 else float(np.exp(v)), values)
