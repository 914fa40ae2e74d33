"""Yes or no, and one of many: Bernoulli trials, dropout noise, multinomial draws."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .rounding import BLOCK, cast, f32, f64
from .transforms import exponential
from .uniform import bits53, uniform24, uniform53

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator


def bernoulli(gen: Generator, n: int, p: float) -> NDArray[np.bool_]:
    """n trials with one probability: u < p, u a float64 uniform (two words a trial)."""
    out = np.empty(n, np.bool_)
    limit = math.ceil(p * 2.0**53)  # k / 2**53 < p  is  k < ceil(p 2**53)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        np.less(bits53(gen, part.size), limit, out=part)
    return out


def bernoulli_each(gen: Generator, p: NDArray) -> NDArray[np.bool_]:
    """A trial for each probability of a flat array: u < p, u a float32 uniform.

    A float64 array takes float64 uniforms; the 16-bit types are widened to float32.
    """
    if p.dtype == f64:
        return uniform53(gen, p.size) < p
    return uniform24(gen, p.size) < p.astype(f32, copy=False)


def dropout_noise(gen: Generator, n: int, p: float, dtype: np.dtype | type = f32) -> NDArray:
    """n factors of dropout, 0 < p < 1: bernoulli(1 - p) / (1 - p), rounded to `dtype`."""
    dtype = np.dtype(dtype)
    kept, factor = bernoulli(gen, n, 1 - p), keep_factor(p, dtype)
    return np.multiply(kept, factor, dtype=dtype) if dtype.kind == "f" else kept * factor


@functools.lru_cache(64)
def keep_factor(p: float, dtype: np.dtype) -> Any:
    """1 / (1 - p), p < 1, as dropout multiplies with it: rounded to `dtype`."""
    work = f64 if dtype == f64 else f32
    return cast(np.array(work(1) / work(1 - p)), dtype)[()]


def multinomial(
    gen: Generator, p: NDArray, count: int, replacement: bool = False
) -> NDArray[np.int64]:
    """`count` indices for the row p (1-D), or for each row of p (2-D), with weights p.

    Without replacement, or for one index: the greatest of p / e, e exponential (one an
    element). Exact ties of these keys come in index order, which PyTorch leaves open. With
    replacement: for a uniform u the first index whose running share of the sum reaches u.
    """
    if replacement and count > 1:
        rows = p.reshape(-1, p.shape[-1])
        out = np.empty((len(rows), count), np.int64)
        for drawn, row in zip(out, rows, strict=True):
            drawn[:] = np.searchsorted(_shares(row), uniform53(gen, count), side="left")
        return out.reshape(*p.shape[:-1], count)
    noise = exponential(gen, p.size, 1.0, p.dtype).reshape(p.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        keys = p / noise
    if count == 1:
        return np.argmax(keys, axis=-1)[..., None].astype(np.int64)
    return np.argsort(-keys, axis=-1, kind="stable")[..., :count].astype(np.int64)


def _shares(row: NDArray) -> NDArray[np.float64]:
    shares = np.add.accumulate(row)
    shares = shares / shares[-1]
    shares[-1] = 1
    return shares.astype(f64)
