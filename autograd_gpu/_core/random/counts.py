"""Counts: Poisson and binomial numbers.

The Poisson sampler is NumPy's published one (MIT), the binomial sampler TensorFlow's (Apache
2.0); both are Hormann's transformed rejection beside an inversion for small means, and take the
constants and the order of operations from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .rounding import cast, f32, f64
from .stream import uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator

Draw = Callable[[], float]


def poisson(gen: Generator, rate: NDArray) -> NDArray:
    """A Poisson number for each rate of a flat array, in the rate's dtype; rates are >= 0."""
    with uniforms(gen, rate.size) as draw:
        values = [_poisson(draw, lam) for lam in rate.astype(f64).tolist()]
    return cast(np.array(values, f64), rate.dtype)


def _poisson(draw: Draw, lam: float) -> int:
    if lam >= 10:
        return _poisson_by_rejection(draw, lam)
    if lam == 0:
        return 0
    count, product, limit = 0, draw(), math.exp(-lam)
    while product > limit:
        product *= draw()
        count += 1
    return count


def _poisson_by_rejection(draw: Draw, lam: float) -> int:
    """Hormann, "The transformed rejection method for generating Poisson variables" (1993)."""
    b = 0.931 + 2.53 * math.sqrt(lam)
    a = -0.059 + 0.02483 * b
    inverse_alpha, squeeze = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    log_lam = math.log(lam)
    while True:
        u, v = draw() - 0.5, draw()
        near = 0.5 - abs(u)
        if near == 0:
            continue
        k = math.floor((2 * a / near + b) * u + lam + 0.43)
        if near >= 0.07 and v <= squeeze:
            return k
        if k < 0 or (near < 0.013 and v > near):
            continue
        height = _log(v) + math.log(inverse_alpha) - math.log(a / (near * near) + b)
        if height <= -lam + k * log_lam - math.lgamma(k + 1.0):
            return k


def _log(value: float) -> float:
    return math.log(value) if value else -math.inf


def binomial(gen: Generator, count: NDArray, prob: NDArray) -> NDArray:
    """Successes in count trials of probability prob, elementwise over two flat arrays."""
    kind = f64 if count.dtype == f64 else f32
    with uniforms(gen, count.size) as draw, np.errstate(all="ignore"):
        pairs = zip(count.astype(kind), prob.astype(kind), strict=True)
        values = [float(_binomial(draw, n, p, kind)) for n, p in pairs]
    return cast(np.array(values, f64), count.dtype)


def _binomial(draw: Draw, n: np.floating, p: np.floating, kind: type) -> float:
    if n <= 0 or p <= 0:
        return 0.0
    if p >= 1:
        return float(n)
    if p > 0.5:
        return float(n) - _binomial(draw, n, kind(1.0 - float(p)), kind)
    if n * p >= 10:
        return _binomial_by_rejection(draw, n, p, kind)
    scale, total, successes = float(kind(np.log1p(-p))), 0.0, 0
    while True:  # the gaps between successes are geometric
        u = draw()
        total += math.ceil(math.log(u) / scale) if u else math.inf
        if total > n:
            return float(successes)
        successes += 1


def _binomial_by_rejection(draw: Draw, n: np.floating, p: np.floating, kind: type) -> float:
    """BTRS of Hormann, "The generation of binomial random variates" (1993)."""
    deviation = float(kind(np.sqrt(n * p * (1 - p))))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * float(p)
    centre, squeeze, odds = float(n * p) + 0.5, 0.92 - 4.2 / b, float(p / (1 - p))
    alpha, mode = (2.83 + 5.1 / b) * deviation, math.floor((n + 1) * p)
    trials = float(n)
    while True:
        u, v = draw() - 0.5, draw()
        near = 0.5 - abs(u)
        if near == 0:
            continue
        k = math.floor((2 * a / near + b) * u + centre)
        if k < 0 or k > trials:
            continue
        if near >= 0.07 and v <= squeeze:
            return float(k)
        if _log(v * alpha / (a / (near * near) + b)) <= _log_ratio(trials, odds, mode, k):
            return float(k)


def _log_ratio(n: float, odds: float, mode: int, k: int) -> float:
    """log of P(k) / P(mode), by Stirling's formula."""
    return (
        (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1)))
        + (n + 1) * math.log((n - mode + 1) / (n - k + 1))
        + (k + 0.5) * math.log(odds * (n - k + 1) / (k + 1))
        + _stirling_rest(mode)
        + _stirling_rest(n - mode)
        - _stirling_rest(k)
        - _stirling_rest(n - k)
    )


_RESTS = (
    0.0810614667953272,
    0.0413406959554092,
    0.0276779256849983,
    0.02079067210376509,
    0.0166446911898211,
    0.0138761288230707,
    0.0118967099458917,
    0.0104112652619720,
    0.00925546218271273,
    0.00833056343336287,
)


def _stirling_rest(k: float) -> float:
    """log k! less Stirling's approximation of it."""
    if k < 10:
        return _RESTS[int(k)]
    square = (k + 1) * (k + 1)
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
