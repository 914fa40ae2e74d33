"""Numbers that are a function of one float64 uniform: exponential, Cauchy, geometric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .rounding import BLOCK, cast, f32, f64, fma64, libm, settle
from .uniform import uniform53

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .generator import Generator

    Function = Callable[[NDArray], NDArray]


def _transform(
    gen: Generator,
    n: int,
    dtype: np.dtype,
    fast: Function,
    exact: Function,
    finish: Function,
    coarse: bool,
) -> NDArray:
    """n values of finish(function(u)), in blocks that stay in the cache."""
    if not coarse:
        return settle(uniform53(gen, n), fast, exact, finish, coarse)
    out = np.empty(n, dtype)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        part[...] = settle(uniform53(gen, part.size), fast, exact, finish, coarse)
    return out


def exponential(gen: Generator, n: int, rate: float = 1.0, dtype: np.dtype | type = f32) -> NDArray:
    """n exponential numbers: y = -log(1 - u) / rate.

    PyTorch's bits in every dtype but float64 of 65536 elements or more, where 7 % of values
    differ, by 1 ulp.
    """
    dtype, factor = np.dtype(dtype), -1.0 / rate
    return _transform(
        gen,
        n,
        dtype,
        lambda u: factor * np.log1p(-u),
        lambda u: factor * libm(math.log1p, -u),
        lambda v: cast(v, dtype),
        coarse=dtype != f64,
    )


def cauchy(
    gen: Generator, n: int, median: float = 0.0, sigma: float = 1.0, dtype: np.dtype | type = f32
) -> NDArray:
    """n Cauchy numbers: y = median + sigma tan(pi (u - 1/2)), the sum fused.

    PyTorch's bits; in float64 from 65536 elements on, 0.5 % of tangents differ by 1 ulp.
    """
    dtype = np.dtype(dtype)
    with np.errstate(over="ignore"):
        return _transform(
            gen,
            n,
            dtype,
            lambda u: np.tan(math.pi * (u - 0.5)),
            lambda u: libm(math.tan, math.pi * (u - 0.5)),
            lambda v: cast(fma64(sigma, v, median), dtype),
            coarse=dtype != f64,
        )


def geometric(gen: Generator, n: int, p: float, dtype: np.dtype | type = f32) -> NDArray:
    """n counts of trials up to the first success: y = ceil(log(u) / log(1 - p))."""
    dtype, scale = np.dtype(dtype), math.log1p(-p)
    with np.errstate(divide="ignore"):
        return _transform(
            gen,
            n,
            dtype,
            lambda u: np.log(u) / scale,
            lambda u: libm(lambda v: math.log(v) if v else -math.inf, u) / scale,
            lambda v: cast(np.ceil(v), dtype),
            coarse=True,
        )
