"""Gamma and Dirichlet numbers.

The gamma sampler is Marsaglia and Tsang's, "A simple method for generating gamma variables"
(2000), in the order of operations that NumPy published (MIT).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .normal import single_normals
from .rounding import f32, f64
from .uniform import uniform53

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator

_THIRD = f32(1) / f32(3)
_SQUEEZE = float(f32(0.0331))


def standard_gamma(gen: Generator, alpha: NDArray) -> NDArray:
    """A gamma number of scale 1 for each shape of a flat float32 or float64 array."""
    kind, tiny = alpha.dtype.type, float(np.finfo(alpha.dtype).tiny)
    values = [max(tiny, _gamma(gen, a, kind)) if a != 0 else tiny for a in alpha]
    return np.array(values, alpha.dtype)


def _gamma(gen: Generator, alpha: np.floating, kind: type) -> float:
    scale = 1.0
    if alpha < 1:  # a draw for alpha + 1, scaled down
        power = float(f32(1.0) / alpha) if kind is f32 else 1.0 / float(alpha)
        scale = math.pow(1 - float(uniform53(gen, 1)[0]), power)
        alpha = kind(alpha + kind(1))
    d = float(kind(alpha - kind(_THIRD)))
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = float(single_normals(gen, 1)[0])
        y = 1.0 + c * x
        if y <= 0:
            continue
        v, u, square = y * y * y, 1 - float(uniform53(gen, 1)[0]), x * x
        if u < 1.0 - _SQUEEZE * square * square:
            return scale * d * v
        if math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def dirichlet(gen: Generator, alpha: NDArray) -> NDArray:
    """Shares that sum to 1 over the last dimension: float64 gammas over their sum."""
    gammas = standard_gamma(gen, alpha.astype(f64).reshape(-1)).reshape(alpha.shape)
    shares = (gammas / gammas.sum(-1, keepdims=True)).astype(alpha.dtype)
    kind = alpha.dtype.type
    return np.clip(shares, np.finfo(alpha.dtype).tiny, np.nextafter(kind(1), kind(0)))
