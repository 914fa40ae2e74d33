"""What a generator of a Philox stream draws: the distributions out of whole counters.

The methods of `Generator` for `algorithm="philox"`. Each fills `out`, a flat contiguous array of
any library, or a new NumPy array of n elements. Most are other functions of the words than the
methods for MT19937, whose form is PyTorch's on the CPU: these can begin at any element.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..device import library
from .choices import keep_factor
from .counted import (
    WORD,
    lanes,
    random_bernoulli,
    random_cauchy,
    random_exponential,
    random_integers,
    random_log_normal,
    random_normal,
    random_uniform,
)  # fmt: skip
from .integers import greatest, inward
from .layout import like
from .rounding import cast, digits, f32, f64

if TYPE_CHECKING:
    from .generator import Generator


def _real(gen: Generator, fill: Any, n: int, a: float, b: float, dtype: Any, out: Any) -> Any:
    out = np.empty(n, dtype) if out is None else out
    if out.size:
        fill(out, *gen.take(-(-out.size // lanes(out.dtype))), float(a), float(b))
    return out


def uniform(
    gen: Generator, n: int, low: float = 0.0, high: float = 1.0, dtype: Any = f32, out: Any = None
) -> Any:
    """n numbers of [low, high); of a complex dtype real and imaginary part by turns."""
    target = np.empty(n, dtype) if out is None else out
    _real(gen, random_uniform, n, low, high, None, _parts(target))
    return target


def normal(
    gen: Generator, n: int, mean: float = 0.0, std: float = 1.0, dtype: Any = f32,
    contiguous: bool = True, out: Any = None,
) -> Any:  # fmt: skip
    """n normal numbers; a complex number is two of deviation std/sqrt(2)."""
    target = np.empty(n, dtype) if out is None else out
    std = std / math.sqrt(2) if target.dtype.kind == "c" else std
    _real(gen, random_normal, n, mean, std, None, _parts(target))
    return target


def _parts(array: Any) -> Any:
    if array.dtype.kind != "c":
        return array
    return array.view(f32 if array.dtype.itemsize == 8 else f64)


def log_normal(
    gen: Generator, n: int, mean: float = 1.0, std: float = 2.0, dtype: Any = f32, out: Any = None
) -> Any:
    """e^z of n normal numbers."""
    return _real(gen, random_log_normal, n, mean, std, dtype, out)


def exponential(
    gen: Generator, n: int, rate: float = 1.0, dtype: Any = f32, out: Any = None
) -> Any:
    """n exponential numbers, none of them 0 before rounding to the dtype."""
    return _real(gen, random_exponential, n, rate, 0, dtype, out)


def cauchy(
    gen: Generator, n: int, median: float = 0.0, sigma: float = 1.0, dtype: Any = f32,
    out: Any = None,
) -> Any:  # fmt: skip
    """n Cauchy numbers."""
    return _real(gen, random_cauchy, n, median, sigma, dtype, out)


def geometric(gen: Generator, n: int, p: float, dtype: Any = f32, out: Any = None) -> Any:
    """n counts of trials: y = ceil(e / -log(1 - p)), e exponential in float64; 1 or more."""
    out = np.empty(n, dtype) if out is None else out
    xp, e = library(out), exponential(gen, n, out=like(out, n, f64))
    out[...] = cast(xp.maximum(xp.ceil(e / -math.log1p(-p)), 1), out.dtype)
    return out


def uniform53(gen: Generator, n: int) -> Any:
    """n float64 numbers k / 2**53."""
    return uniform(gen, n, dtype=f64)


def randint(
    gen: Generator, n: int, low: int, high: int, dtype: Any = np.int64, out: Any = None
) -> Any:
    """n integers of [low, high): y = w mod (high - low) + low, w of 64 bits for ranges above 2**16.

    Remainders of 32 bits favour some numbers of a large range by what PyTorch's do."""
    out = np.empty(n, dtype) if out is None else out
    if not n:
        return out
    span = (high - low) % 2**64
    whole = out if out.dtype == np.int64 else like(out, n, np.int64)
    counters = -(-n // (4 if 0 < span <= WORD else 2))
    random_integers(whole, *gen.take(counters), low, span)
    if whole is not out:
        out[...] = cast(whole.astype(f64), out.dtype) if digits(out.dtype) else whole
    return out


def random(
    gen: Generator, n: int, low: int | None = None, high: int | None = None, dtype: Any = np.int64,
    out: Any = None,
) -> Any:  # fmt: skip
    """n whole numbers as `Tensor.random_` draws them: see `integers.random`."""
    dtype = np.dtype(dtype) if out is None else out.dtype
    if low is None:
        low, high = 0, 2**63 if dtype == np.uint64 else greatest(dtype) + 1
    elif high is None:
        high = greatest(dtype) + 1
    elif digits(dtype):
        low, high = inward(low, high, dtype)
    return randint(gen, n, low, high, dtype, out)


def randperm(gen: Generator, n: int, dtype: Any = np.int64, out: Any = None) -> Any:
    """0 ... n-1 in the order of random keys of 64 bits."""
    out = np.empty(n, dtype) if out is None else out
    keys = randint(gen, n, 0, 2**64, out=like(out, n, np.int64))
    out[...] = library(out).argsort(keys, kind="stable")
    return out


def bernoulli(gen: Generator, n: int, p: float, out: Any = None) -> Any:
    """n trials with one probability: w < p 2**32, w a word."""
    out = np.empty(n, np.bool_) if out is None else out
    kept = out if out.dtype == np.bool_ else like(out, n, np.bool_)
    if n:
        random_bernoulli(kept, *gen.take(-(-n // 4)), round(p * 2**32))
    if kept is not out:
        out[...] = kept
    return out


def bernoulli_each(gen: Generator, p: Any) -> Any:
    """A trial for each probability of a flat array: u < p, u of the type it is computed in."""
    kind = f64 if p.dtype == f64 else f32
    return uniform(gen, p.size, out=like(p, p.size, kind)) < p.astype(kind, copy=False)


def dropout_noise(gen: Generator, n: int, p: float, dtype: Any = f32) -> Any:
    """n factors of dropout: bernoulli(1 - p) / (1 - p), rounded to `dtype`."""
    dtype = np.dtype(dtype)
    return bernoulli(gen, n, 1 - p).astype(dtype) * keep_factor(p, dtype)


def multinomial(gen: Generator, p: Any, count: int, replacement: bool = False) -> Any:
    """`count` indices for each row of weights.

    Without replacement, or for one index: the greatest of p / e, e exponential. With replacement:
    the first index whose running share of the sum, in float64, reaches a u of (0, 1].
    """
    xp, n = library(p), p.shape[-1]
    rows = p.reshape(-1, n)
    if replacement and count > 1:
        u = uniform(gen, len(rows) * count, out=like(p, len(rows) * count, f64))
        return _reached(xp, rows, 1 - u.reshape(-1, count)).reshape(*p.shape[:-1], count)
    kind = f64 if p.dtype == f64 else f32
    noise = exponential(gen, p.size, out=like(p, p.size, kind))
    keys = rows.astype(kind) / noise.reshape(rows.shape)
    if count == 1:
        chosen = xp.argmax(keys, axis=-1)[:, None]
    else:
        chosen = xp.argsort(-keys, axis=-1, kind="stable")[:, :count]
    return chosen.astype(np.int64).reshape(*p.shape[:-1], count)


def _reached(xp: Any, rows: Any, u: Any) -> Any:
    """By bisection in all rows at once: how many running shares lie below each u."""
    shares = xp.cumsum(rows.astype(f64), axis=-1)
    shares = shares / shares[:, -1:]
    below, n = xp.zeros(u.shape, np.int64), rows.shape[-1]
    for step in (2**bit for bit in reversed(range(n.bit_length()))):
        further = below + step
        last = xp.minimum(further, n) - 1
        below = xp.where((further <= n) & (xp.take_along_axis(shares, last, 1) < u), further, below)
    return xp.minimum(below, n - 1)
