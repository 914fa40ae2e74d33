"""Arrays as a kernel sees them: copies that end where a page begins that nobody may touch."""

import ctypes
import mmap
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["REGION", "GuardError", "Guarded", "regions_of"]

PAGE = mmap.PAGESIZE
ALIGNMENT = 512  # what a GPU's allocations have; an array keeps its place within 512 bytes
CANARY = 0xA5
REGION = struct.Struct("=3Q")  # `Buffer` of runtime.h: address, bytes, bytes of an item
_NONE, _READ_WRITE, _PRIVATE_ANONYMOUS = 0, 3, 0x22

_libc: Any = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class GuardError(RuntimeError):
    """A kernel wrote between an array and its guard page."""


class Block(NamedTuple):
    """A range of memory that arrays occupy, and its copy."""

    begin: int  # the arrays' own memory
    end: int
    grain: int  # bytes of the smallest item
    copy: int  # where `begin` went
    base: int  # the mapping: a guard, room, a guard
    room: int


def _bounds(array: np.ndarray) -> tuple[int, int]:
    """The addresses of the first byte and of the byte behind the last."""
    if not array.size:
        return array.ctypes.data, array.ctypes.data
    low, high = np.lib.array_utils.byte_bounds(array)
    return int(low), int(high)


def _merged(arrays: Sequence[np.ndarray]) -> list[tuple[int, int, int]]:
    """(begin, end, grain) of the memory of all arrays; what overlaps stays together."""
    spans: list[tuple[int, int, int]] = []
    for begin, end, grain in sorted((*_bounds(a), a.itemsize) for a in arrays):
        if spans and begin < spans[-1][1]:
            last = spans.pop()
            begin, end, grain = last[0], max(end, last[1]), min(grain, last[2])
        spans.append((begin, end, grain))
    return spans


def regions_of(arrays: Sequence[np.ndarray], blocks: Sequence[Block]) -> bytes:
    """What the checker allows a kernel to touch: arrays where they lie, and copies."""
    spans = [(begin, end - begin, grain) for begin, end, grain in _merged(arrays) if end > begin]
    spans += [(b.copy, b.end - b.begin, b.grain) for b in blocks if b.end > b.begin]
    return b"".join(REGION.pack(*span) for span in spans)


class Guarded:
    """A context in which every array has a copy between two guard pages.

    `where(array)` is its address there. `commit()` brings what was written back, and raises
    GuardError where the bytes between an array and its guards have changed.
    """

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        """See the class; nothing is copied yet."""
        self.arrays = arrays
        self.blocks: list[Block] = []

    def __enter__(self) -> "Guarded":
        """Make the copies."""
        for begin, end, grain in _merged(self.arrays):
            self.blocks.append(self._copy(begin, end, grain))
        return self

    def __exit__(self, *error: object) -> None:
        """Free them."""
        for block in self.blocks:
            _libc.munmap(block.base, block.room + 2 * PAGE)
        self.blocks.clear()

    def _copy(self, begin: int, end: int, grain: int) -> Block:
        size = end - begin
        room = -(-max(size + ALIGNMENT, 1) // PAGE) * PAGE
        base = _libc.mmap(None, room + 2 * PAGE, _READ_WRITE, _PRIVATE_ANONYMOUS, -1, 0)
        if base in (None, ctypes.c_void_p(-1).value):
            raise MemoryError(f"no memory for a guarded copy of {size} bytes")
        last = base + PAGE + room
        # As near to the upper guard as the alignment to 16 bytes of the original allows.
        copy = last - size - (last - size - begin) % 16
        ctypes.memset(base + PAGE, CANARY, room)
        ctypes.memmove(copy, begin, size)
        for guard in (base, last):
            _libc.mprotect(guard, PAGE, _NONE)
        return Block(begin, end, grain, copy, base, room)

    def _block(self, array: np.ndarray) -> Block:
        begin, end = _bounds(array)
        return next(b for b in self.blocks if b.begin <= begin and end <= b.end)

    def where(self, array: np.ndarray) -> int:
        """The address of the array's first element within the guarded copy."""
        block = self._block(array)
        return block.copy + array.ctypes.data - block.begin

    def commit(self) -> None:
        """Write back what may be written, after looking at the bytes around it."""
        for block in self.blocks:
            size, first = block.end - block.begin, block.base + PAGE
            before = ctypes.string_at(first, block.copy - first)
            behind_at = block.copy + size
            behind = ctypes.string_at(behind_at, first + block.room - behind_at)
            for text, side in ((before, "before the first"), (behind, "behind the last")):
                if text.strip(bytes([CANARY])):
                    raise GuardError(
                        f"out of bounds: wrote {side} byte of an array of {size} bytes"
                    )
        for array in self.arrays:
            if array.flags.writeable and array.size:
                begin, end = _bounds(array)
                block = self._block(array)
                ctypes.memmove(begin, block.copy + begin - block.begin, end - begin)
