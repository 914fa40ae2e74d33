"""Numbers out of counters: how a Philox stream fills an array, on every device alike.

Each function fills a flat, contiguous array `out` from the counters `counter`, `counter + 1`, ...
of a seed: element i depends on the seed, the counter and i alone. These bodies run on arrays of any
library; on CUDA the kernels of `kernels/random.cu` run instead and give the same bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..device import library
from ..library import KERNELS
from .elementary import exp_of, log_of, turn
from .philox import philox4x32

__all__ = [
    "WORD", "lanes", "random_bernoulli", "random_cauchy", "random_exponential", "random_integers",
    "random_log_normal", "random_normal", "random_uniform",
]  # fmt: skip

_BLOCK = 16384  # elements that NumPy works on at once
_MASK21, _MASK24 = np.uint64(0x1FFFFF), np.uint64(0xFFFFFF)
_ONE, _HALF = np.uint64(1), np.uint64(32)


def lanes(dtype: np.dtype) -> int:
    """How many numbers come out of one counter: of float64 two, of other dtypes four."""
    return 2 if dtype == np.float64 else 4


def _kernel(each: Callable[..., int]) -> Callable[[Any], Any]:
    """The fill of a body's name: a kernel on arrays that have one, else the body, for NumPy in
    blocks that stay in the cache. `each(out, *parameters)`: how many elements a counter gives."""

    def wrap(body: Any) -> Any:
        kernels = KERNELS.setdefault(body.__name__, {})

        @functools.wraps(body)
        def fill(out: Any, seed: int, counter: int, *parameters: Any) -> Any:
            run = kernels.get(out.__class__)
            if run is not None and run(out, seed, counter, *parameters) is not NotImplemented:
                return out
            xp, count = library(out), each(out, *parameters)
            step = _BLOCK if xp is np else max(1, out.size)
            for start in range(0, out.size, step):
                part = out[start : start + step]
                counters = xp.arange(-(-part.size // count), dtype=np.uint64)
                counters += np.uint64((counter + start // count) % 2**64)
                words = philox4x32(counters, seed, xp)
                part[...] = body(xp, words, out.dtype, *parameters).reshape(-1)[: part.size]
            return out

        return fill

    return wrap


def _real(body: Any) -> Any:
    """A fill of real numbers: the body is given its parameters in the type it computes in."""

    @functools.wraps(body)
    def real(xp: Any, words: Any, dtype: np.dtype, a: float, b: float) -> Any:
        wide = np.float64 if dtype == np.float64 else np.float32
        with np.errstate(all="ignore"):
            return body(xp, words, dtype, wide(a), wide(b)).astype(dtype, copy=False)

    return _kernel(lambda out, *_: lanes(out.dtype))(real)


def _numbers(words: Any, number: type) -> Any:
    """Words as they are for float32, numbers of 53 bits out of pairs of them for float64."""
    if number is np.float32:
        return words
    return (words[:, 0::2] & _MASK21) << _HALF | words[:, 1::2]


def _from_zero(words: Any, number: type) -> Any:
    """Uniform numbers of [0, 1): 24 bits of a word, or 53 of two."""
    if number is np.float32:
        return (words & _MASK24).astype(number) * number(2.0**-24)
    return _numbers(words, number).astype(number) * number(2.0**-53)


def _to_one(words: Any, number: type) -> Any:
    """Uniform numbers of (0, 1], the logarithm of which is finite."""
    if number is np.float32:
        return words.astype(number) * number(2.0**-32) + number(2.0**-33)
    return (_numbers(words, number) + _ONE).astype(number) * number(2.0**-53)


def _centred(words: Any, number: type) -> Any:
    """Uniform numbers of (-1/2, 1/2): odd multiples of 2**-25 or 2**-54."""
    bits = 24 if number is np.float32 else 53
    whole = words & _MASK24 if number is np.float32 else _numbers(words, number)
    odd = whole.astype(np.int64) * 2 + (1 - 2**bits)
    return odd.astype(number) * number(2.0 ** -(bits + 1))


@_real
def random_uniform(xp: Any, words: Any, dtype: np.dtype, a: Any, b: Any) -> Any:
    """y = a + (b - a) u, and a where that rounds to b."""
    y = (_from_zero(words, type(a)) * (b - a) + a).astype(dtype, copy=False)
    low, high = (np.asarray(end).astype(dtype)[()] for end in (a, b))
    return xp.where(y >= high, low, y)


def _normal(xp: Any, words: Any, a: Any, b: Any) -> Any:
    number = type(a)
    to_one, from_zero = _to_one(words, number), _from_zero(words, number)
    r = xp.sqrt(log_of(xp.ascontiguousarray(to_one[:, 0::2])) * number(-2))
    sine, cosine = turn(xp, from_zero[:, 1::2])
    return xp.stack([r * cosine, r * sine], axis=-1) * b + a


@_real
def random_normal(xp: Any, words: Any, dtype: np.dtype, a: Any, b: Any) -> Any:
    """y = a + b r cos t and a + b r sin t in turn, r = (-2 log v)^(1/2), t = 2 pi u (Box-Muller)"""
    return _normal(xp, words, a, b)


@_real
def random_log_normal(xp: Any, words: Any, dtype: np.dtype, a: Any, b: Any) -> Any:
    """y = e^z, z as of `random_normal`."""
    return exp_of(xp, _normal(xp, words, a, b))


@_real
def random_exponential(xp: Any, words: Any, dtype: np.dtype, a: Any, b: Any) -> Any:
    """y = -log(v) / a, never 0; b counts for nothing."""
    number = type(a)
    least = number(2.0**-25 if number is np.float32 else 2.0**-54)
    e = log_of(_to_one(words, number)) * number(-1)
    return xp.maximum(e, least) / a


@_real
def random_cauchy(xp: Any, words: Any, dtype: np.dtype, a: Any, b: Any) -> Any:
    """y = a + b tan(pi (u - 1/2))"""
    number = type(a)
    sine, cosine = turn(xp, _centred(words, number) * number(0.5))
    return sine / cosine * b + a


WORD = 2**16
"""Ranges up to this one take one word a number: its remainders favour none by more than 2**-16."""


@_kernel(lambda out, a, m: 4 if 0 < m <= WORD else 2)
def random_integers(xp: Any, words: Any, dtype: np.dtype, a: int, m: int) -> Any:
    """y = a + w mod m in int64, w one word or two; m = 0 stands for 2**64."""
    if m > WORD or not m:
        words = words[:, 0::2] << _HALF | words[:, 1::2]
    if m:
        words = words % np.uint64(m)
    return (words + np.uint64(a % 2**64)).astype(dtype)


@_kernel(lambda out, m: 4)
def random_bernoulli(xp: Any, words: Any, dtype: np.dtype, m: int) -> Any:
    """y = w < m, w one word."""
    return words < np.uint64(m)
