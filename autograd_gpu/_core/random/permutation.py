"""Random permutations: the Fisher-Yates shuffle, also as whole-array operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .integers import words64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .generator import Generator

_FEW = 4096  # below this a plain loop is as fast
_MANY = (2**32 - 1) // 20  # from here on the shuffle is another one, with 64-bit words


def randperm(gen: Generator, n: int, dtype: np.dtype | type = np.int64) -> NDArray:
    """A random order of 0 ... n-1: for i = 0 ... n-2, swap p[i] and p[i + word % (n-i)].

    From n = 214 748 364 on, where one word is too coarse, an inside-out shuffle with two words
    a step. Every value is PyTorch's.
    """
    if n >= _MANY:
        return _inside_out(gen, n).astype(dtype)
    if n < 2:
        return np.arange(n).astype(dtype)
    words = gen.words(n - 1)
    words %= np.arange(n, 1, -1, dtype=np.uint64)
    target = words.view(np.int64)
    target += np.arange(n - 1)
    return (_shuffle_one_by_one if n < _FEW else _shuffle)(target, n).astype(dtype, copy=False)


def _shuffle_one_by_one(target: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    p = list(range(n))
    for i, j in enumerate(target.tolist()):
        p[i], p[j] = p[j], p[i]
    return np.array(p, np.int64)


def _shuffle(target: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The swaps (i, target[i]), i rising and target[i] >= i, without a loop over them.

    Let v[i] be the value at place i just before swap i. The last earlier swap that aimed at i
    put its own v there; if none did, v[i] = i. So v follows a chain of swaps downwards, and
    pointer jumping resolves all chains in about log2 of the longest. The final p[i] is what lay
    at target[i]: the v of the last earlier swap with the same target, or, where there is none,
    target[i] itself (v[i] if that is i).
    """
    size = n - 1
    goal = target.astype(np.int32)  # half the memory: the time goes into cache misses
    before = _previous_with_same(goal)
    at = np.arange(n, dtype=np.int32)
    source = at.copy()
    source[goal] = at[:size]  # of equal targets the last stays: the last swap that aimed there
    own = np.flatnonzero((goal == at[:size]) & (source[:size] == at[:size]))
    earlier = before[own]  # a swap of a place with itself moves nothing
    source[own] = np.where(earlier < 0, own, earlier)

    pending = np.flatnonzero(source != at)
    near = source[pending]
    while pending.size:
        nearer = source[near]
        moved = np.flatnonzero(nearer != near)
        pending, near = pending[moved], nearer[moved]
        source[pending] = near

    p = np.empty(n, np.int64)
    p[:size] = goal
    alone = np.flatnonzero((goal == at[:size]) & (before < 0))
    p[alone] = source[alone]
    repeated = np.flatnonzero(before >= 0)
    p[repeated] = source[before[repeated]]
    p[size] = source[size]
    return p


def _previous_with_same(goal: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each place the last earlier place with the same value, or -1: a radix sort by value."""
    low = np.argsort(goal.astype(np.uint16), kind="stable")  # by the low 16 bits
    step = low[np.argsort((goal >> 16).astype(np.uint16)[low], kind="stable")]
    ordered = goal[step]
    later = np.flatnonzero(ordered[1:] == ordered[:-1])
    before = np.full(goal.size, -1, np.int32)
    before[step[later + 1]] = step[later]
    return before


def _inside_out(gen: Generator, n: int) -> NDArray[np.int64]:
    p = np.empty(n, np.int64)
    block = 2**20
    for start in range(0, n, block):
        stop = min(start + block, n)
        places = words64(gen, stop - start) % np.arange(start + 1, stop + 1, dtype=np.uint64)
        for i, j in enumerate(places.tolist(), start):
            p[i] = p[j]
            p[j] = i
    return p
