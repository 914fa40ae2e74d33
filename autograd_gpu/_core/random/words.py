"""The Mersenne Twister as a stream of 32-bit words, and its state as PyTorch writes it."""

from __future__ import annotations

import ctypes
import struct
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD = struct.Struct("<QiiQ")  # initial seed, words left, seeded, next
_TAIL = struct.Struct("<dddi4xf?3x")  # ., cached normal, ., cached?, (a float cache, unused)
_WORDS = 624
STATE_BYTES = _HEAD.size + 8 * _WORDS + _TAIL.size


_IMAGE = 4 * (_WORDS + 1)  # NumPy's state in memory: the key, and the place in it


@cache
def _is_readable() -> bool:
    """Does the state lie in memory as we know it? NumPy's own property takes 80 us each way, since
    it goes word by word; a copy takes 1 us."""
    bits = np.random.MT19937(1)
    bits.random_raw(5, output=False)
    state = bits.state["state"]
    image = np.frombuffer(ctypes.string_at(bits.ctypes.state_address, _IMAGE), np.uint32)
    return bool((image[:-1] == state["key"]).all() and image[-1] == state["pos"])


class Mersenne:
    """MT19937 with the classic 32-bit seeding (Matsumoto and Nishimura, 1998).

    Only the low 32 bits of a seed decide the numbers. NumPy makes the words; this class keeps
    beside them what NumPy does not: whether any word has been drawn since seeding, which the
    state bytes show.
    """

    name = "mt19937"
    state_bytes = STATE_BYTES

    def __init__(self) -> None:
        self.reseed(0)

    def reseed(self, seed: int) -> None:
        """Begin the stream of `seed`, an integer in [0, 2**64)."""
        self._start = seed & 0xFFFFFFFF
        self._fresh = True
        self.__dict__.pop("_bits", None)

    @cached_property
    def _bits(self) -> np.random.MT19937:
        """NumPy's generator, made when it is first needed: to import numpy.random takes 20 ms."""
        start = np.random.RandomState(self._start).get_state(legacy=False)
        bits = np.random.MT19937(0)
        bits.state = {"bit_generator": "MT19937", "state": start["state"]}
        return bits

    def words(self, n: int) -> NDArray[np.uint64]:
        """The next n words, each below 2**32, in a new uint64 array."""
        if not n:
            return np.empty(0, np.uint64)
        self._fresh = False
        return self._bits.random_raw(n)

    def skip(self, n: int) -> None:
        """Drop the next n words."""
        if n:
            self._fresh = False
            self._bits.random_raw(n, output=False)

    def mark(self) -> Any:
        """The place in the stream, for `back`."""
        if "_bits" not in self.__dict__:
            return None, self._start
        if _is_readable():
            return ctypes.string_at(self._bits.ctypes.state_address, _IMAGE), self._fresh
        state = self._bits.state["state"]
        return (state["key"].tobytes(), state["pos"]), self._fresh

    def back(self, mark: Any) -> None:
        """Return to a place that `mark` gave."""
        state, fresh = mark
        if state is None:
            self.reseed(fresh)
            return
        if state.__class__ is bytes:
            ctypes.memmove(self._bits.ctypes.state_address, state, _IMAGE)
        else:
            self._set(np.frombuffer(state[0], np.uint32), state[1])
        self._fresh = fresh

    def _set(self, key: NDArray[np.uint32], position: int) -> None:
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}

    def dump(self, seed: int, cached: float | None) -> bytes:
        """PyTorch's 5056 state bytes."""
        state = self._bits.state["state"]
        drawn = 0 if self._fresh else int(state["pos"])
        left = 1 if self._fresh else _WORDS + 1 - drawn
        head = _HEAD.pack(seed, left, 1, drawn)
        tail = _TAIL.pack(0.0, cached or 0.0, 0.0, cached is not None, 0.0, False)
        return head + state["key"].astype("<u8").tobytes() + tail

    def load(self, data: bytes) -> tuple[int, float | None]:
        """Take up state bytes; gives the initial seed and the cached normal in them."""
        seed, left, seeded, drawn = _HEAD.unpack_from(data)
        if not (seeded and 0 < left <= _WORDS and drawn <= _WORDS):
            raise RuntimeError(
                f"Invalid mt19937 state: seeded {seeded}, words left {left} (of 1..{_WORDS}), "
                f"next word {drawn} (of 0..{_WORDS})"
            )
        key = np.frombuffer(data, "<u8", _WORDS, _HEAD.size).astype(np.uint32)
        position = _WORDS if left == 1 else drawn
        self._set(key, position)
        self._fresh = left == 1 and drawn == 0
        _, cached, _, has, _, _ = _TAIL.unpack_from(data, _HEAD.size + 8 * _WORDS)
        return seed, cached if has else None
