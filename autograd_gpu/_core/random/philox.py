"""Philox4x32-10, a counter-based stream: word i is a function of the seed and of i alone."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

__all__ = ["Philox", "philox4x32", "philox_rounds"]

_STATE = struct.Struct("<QQ")  # seed, words drawn
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_COUNTERS = 8192  # counters worked on at once


def philox_rounds(x0: Any, x1: Any, x2: Any, x3: Any, seed: int) -> tuple[Any, Any, Any, Any]:
    """Ten rounds: four 32-bit words out of the four of the counter, in uint64 arrays.

    Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
    """
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        first, second = x0 * _MULTIPLIERS[0], x2 * _MULTIPLIERS[1]
        x0, x2 = (second >> _HALF) ^ x1 ^ np.uint64(k0), (first >> _HALF) ^ x3 ^ np.uint64(k1)
        x1, x3 = second & _LOW, first & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return x0, x1, x2, x3


def philox4x32(counters: Any, seed: int, xp: Any = np) -> Any:
    """Four 32-bit words for each 64-bit counter, as uint64 (n, 4).

    The counter fills the two low words of the 128-bit counter; the seed is the key.
    """
    zero = xp.zeros_like(counters)
    words = philox_rounds(counters & _LOW, counters >> _HALF, zero, zero, seed)
    return xp.stack(words, axis=-1)


class Philox:
    """The words of Philox4x32-10 under the face of `Mersenne`.

    Word i is lane i % 4 of counter i // 4, so any device can make any stretch of the stream. Whole
    arrays begin at a whole counter: `take`.
    """

    name = "philox"
    state_bytes = _STATE.size

    def __init__(self) -> None:
        self._seed = 0
        self.position = 0

    def reseed(self, seed: int) -> None:
        """Begin the stream of `seed`, an integer in [0, 2**64)."""
        self._seed, self.position = seed, 0

    def take(self, counters: int) -> tuple[int, int]:
        """The seed and the first of that many counters, which nothing else will be given."""
        first = -(-self.position // 4)
        self.position = 4 * (first + counters) % 2**64
        return self._seed, first

    def words(self, n: int) -> Any:
        """The next n words, each below 2**32, in a new uint64 array."""
        first, lead = divmod(self.position, 4)
        count = -(-(lead + n) // 4)
        self.position += n
        out = np.empty((count, 4), np.uint64)
        for start in range(0, count, _COUNTERS):
            stop = min(start + _COUNTERS, count)
            counters = np.arange(start, stop, dtype=np.uint64) + np.uint64(first)
            out[start:stop] = philox4x32(counters, self._seed)
        return out.reshape(-1)[lead : lead + n]

    def skip(self, n: int) -> None:
        """Drop the next n words."""
        self.position += n

    def mark(self) -> Any:
        """The place in the stream, for `back`."""
        return self._seed, self.position

    def back(self, mark: Any) -> None:
        """Return to a place that `mark` gave."""
        self._seed, self.position = mark

    def dump(self, seed: int, cached: float | None) -> bytes:
        """The 16 state bytes, those of PyTorch's generators on CUDA: seed, words drawn."""
        return _STATE.pack(seed, self.position)

    def load(self, data: bytes) -> tuple[int, float | None]:
        """Take up state bytes; gives the initial seed in them, and that no normal is cached."""
        self._seed, self.position = _STATE.unpack(data)
        return self._seed, None
