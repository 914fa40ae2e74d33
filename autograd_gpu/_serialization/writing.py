"""Writing the zip container of a checkpoint, laid out as PyTorch 2.13 lays it out.

Entries are stored, in the folder `archive`, and the bytes of each begin at a multiple of 64 (the
padding is an extra field in the local header), so that a reader may map the file into memory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["ArchiveWriter"]

_ALIGNMENT = 64
_FULL = 0xFFFFFFFF
_UTF8 = 0x0800
_DATE = 0x21  # 1 January 1980: equal contents give equal files
_CHUNK = 1 << 26


class ArchiveWriter:
    """Sends entries through `write` one after another; `finish` adds the directory."""

    def __init__(self, write: Callable[[Any], Any]) -> None:
        self._write = write
        self._at = 0
        self._directory: list[bytes] = []

    def add(self, name: str, data: Any) -> int:
        """Append one entry; `data` is any contiguous buffer. Returns its CRC-32."""
        view = memoryview(data)
        view = view.cast("B") if view.nbytes else memoryview(b"")
        path, size, crc, start = f"archive/{name}".encode(), view.nbytes, zlib.crc32(view), self._at
        long, far = size >= _FULL, start >= _FULL
        extra = struct.pack("<2H2Q", 1, 16, size, size) if long else b""
        pad = -(start + 30 + len(path) + len(extra) + 4) % _ALIGNMENT
        extra += struct.pack("<2s H", b"FB", pad) + b"Z" * pad
        short = _FULL if long else size
        version = 45 if long or far else 20
        common = struct.pack(
            "<5H3L2H", version, _UTF8, 0, 0, _DATE, crc, short, short, len(path), len(extra)
        )
        self._put(b"PK\x03\x04" + common + path + extra)
        self._put(view)
        wide = struct.pack("<2Q", size, size) if long else b""
        wide += struct.pack("<Q", start) if far else b""
        wide = struct.pack("<2H", 1, len(wide)) + wide if wide else b""
        place = struct.pack("<3H2L", 0, 0, 0, 0, _FULL if far else start)
        central = struct.pack("<H", version) + common[:-2] + struct.pack("<H", len(wide)) + place
        self._directory.append(b"PK\x01\x02" + central + path + wide)
        return crc

    def finish(self) -> None:
        """Write the directory and its ends (always with Zip64's, as PyTorch does)."""
        start, count = self._at, len(self._directory)
        size = sum(map(len, self._directory))
        for part in self._directory:
            self._put(part)
        end = self._at
        ends = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
        ends += struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
        few = min(count, 0xFFFF)
        ends += struct.pack(
            "<4s4H2LH", b"PK\x05\x06", 0, 0, few, few, min(size, _FULL), min(start, _FULL), 0
        )
        self._put(ends)

    def _put(self, data: Any) -> None:
        view = memoryview(data)
        while view.nbytes:
            count = self._write(view[:_CHUNK])
            count = min(view.nbytes, _CHUNK) if count is None else count  # raw files write less
            view = view[count:]
            self._at += count
