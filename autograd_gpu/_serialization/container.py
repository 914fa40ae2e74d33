"""Reading the zip container of a checkpoint: strict, bounded by the file's size, verified.

Only what PyTorch writes is accepted: stored (uncompressed) entries in one top folder, Zip64 or not.
A stored entry cannot be larger than the file, entries may not overlap, so that everything read
together is never more than the file. The layout is that of PKWARE's APPNOTE, sections 4.3.7
(local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (ends, Zip64).
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any, NamedTuple

from .errors import FileError, TruncatedFileError

__all__ = ["Archive", "Entry"]

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_FULL = 0xFFFFFFFF  # a 32-bit field whose value is in the Zip64 extra field

MAX_ENTRIES = 1_000_000
_CHUNK = 1 << 24
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number before PyTorch 1.6


class Entry(NamedTuple):
    """One file of the archive; `limit` is where the next thing in the archive begins."""

    name: str
    crc: int
    size: int
    header: int
    limit: int


class Archive:
    """The entries of a checkpoint, by their names below the top folder: `data.pkl`, `data/0` ...

    Args:
        file: a binary file object that can seek; the archive runs from where it stands to its end.
        label: what error messages call the file.

    Raises:
        FileError: it is not such an archive; TruncatedFileError where it ends early.
    """

    def __init__(self, file: IO[bytes], label: str) -> None:
        self._file, self.label = file, label
        self.start = file.tell()
        self.size = file.seek(0, 2) - self.start
        self.verified: set[str] = set()
        self._refuse_other_formats()
        self.entries = self._directory()

    def error(self, text: str, kind: type[FileError] = FileError) -> FileError:
        """A FileError that names the file and its size."""
        return kind(f"{self.label} ({self.size:,} bytes): {text}")

    def _at(self, offset: int, count: int) -> bytes:
        self._file.seek(self.start + offset)
        data = self._file.read(count)
        if len(data) != count:
            raise self.error(
                f"ends early: {count:,} bytes were expected at {offset:,}, {len(data):,} are there",
                TruncatedFileError,
            )
        return data

    def _refuse_other_formats(self) -> None:
        head = self._at(0, min(self.size, 300))
        if not head:
            raise self.error("is empty, expected a checkpoint", TruncatedFileError)
        if head.startswith(_LEGACY[: len(head)]):
            raise self.error(
                "is in PyTorch's legacy format (not a zip, written before version 1.6 or with "
                "_use_new_zipfile_serialization=False), which is not read here; load it with "
                "PyTorch and save it again"
            )
        if head[257:262] == b"ustar":
            raise self.error("is in PyTorch's legacy tar format (before 0.1.10), which is not read")
        if not head.startswith(b"PK\x03\x04"[: len(head)]):
            raise self.error(
                f"is not a checkpoint: expected a zip archive, got {bytes(head[:8])!r}..."
            )

    # ---- the directory

    def _ends(self) -> tuple[int, int, int]:
        """Where the central directory is: number of entries, size, offset."""
        tail_size = min(self.size, _END.size + 0xFFFF)
        tail, base = self._at(self.size - tail_size, tail_size), self.size - tail_size
        at = tail.rfind(b"PK\x05\x06")
        while at >= 0:
            if at + _END.size <= len(tail):
                _, _, _, _, count, size, offset, comment = _END.unpack_from(tail, at)
                if at + _END.size + comment == len(tail):
                    return self._zip64_ends(base + at, count, size, offset)
            at = tail.rfind(b"PK\x05\x06", 0, at)
        raise self.error(
            "is truncated or damaged: the directory of the zip archive is not at its end",
            TruncatedFileError,
        )

    def _zip64_ends(self, end: int, count: int, size: int, offset: int) -> tuple[int, int, int]:
        if end >= _LOCATOR.size + _END64.size:
            signature, _, at, _ = _LOCATOR.unpack(self._at(end - _LOCATOR.size, _LOCATOR.size))
            if signature == b"PK\x06\x07":
                end -= _LOCATOR.size
                if at + _END64.size > end:
                    raise self.error(f"is damaged: its directory's end cannot be at {at:,}")
                fields = _END64.unpack(self._at(at, _END64.size))
                if fields[0] != b"PK\x06\x06":
                    raise self.error("is damaged: the Zip64 end of its directory is not there")
                count, size, offset, end = fields[7], fields[8], fields[9], at
        if offset + size > end or count * _CENTRAL.size > size:
            raise self.error(
                f"is damaged: a directory of {count:,} entries and {size:,} bytes "
                f"cannot be at {offset:,}"
            )
        if count > MAX_ENTRIES:
            raise self.error(f"has {count:,} entries; at most {MAX_ENTRIES:,} are read")
        return count, size, offset

    def _directory(self) -> dict[str, Entry]:
        count, size, offset = self._ends()
        data, at, found = self._at(offset, size), 0, []
        for _ in range(count):
            if at + _CENTRAL.size > size:
                raise self.error("is damaged: the directory of the zip archive ends early")
            name, crc, length, header, at = self._central(data, at)
            found.append((header, name, crc, length))
        if at != size:
            raise self.error("is damaged: the directory of the zip archive has the wrong size")
        found.sort()
        limits = [header for header, *_ in found[1:]] + [offset]
        entries: dict[str, Entry] = {}
        for (header, name, crc, length), limit in zip(found, limits, strict=True):
            if header + _LOCAL.size + len(name.encode()) + length > limit:
                raise self.error(
                    f"is damaged: the entry {name!r} of {length:,} bytes at {header:,} overlaps "
                    f"what follows at {limit:,}"
                )
            if entries.setdefault(name, Entry(name, crc, length, header, limit)).header != header:
                raise self.error(f"is damaged or hostile: the entry {name!r} is there twice")
        return self._below_top(entries)

    def _central(self, data: bytes, at: int) -> tuple[str, int, int, int, int]:
        fields = _CENTRAL.unpack_from(data, at)
        signature, _, _, flags, method, _, _, crc, packed, size, n, extra, comment = fields[:13]
        header = fields[16]
        at += _CENTRAL.size
        if signature != b"PK\x01\x02" or at + n + extra + comment > len(data):
            raise self.error("is damaged: the directory of the zip archive cannot be read")
        try:
            name = data[at : at + n].decode()
        except UnicodeDecodeError:
            raise self.error("is damaged: the name of an entry is not UTF-8") from None
        if method or flags & 1:
            raise self.error(
                f"holds {name!r} compressed (method {method}) or encrypted; checkpoints are stored"
            )
        wide = [size, packed, header]
        self._zip64_fields(wide, data[at + n : at + n + extra], name)
        if wide[0] != wide[1]:
            raise self.error(
                f"is damaged: {name!r} is declared as {wide[0]:,} bytes, stored as {wide[1]:,}"
            )
        return name, crc, wide[0], wide[2], at + n + extra + comment

    def _zip64_fields(self, values: list[int], extra: bytes, name: str) -> None:
        """Replace the values that did not fit into 32 bits."""
        if _FULL not in values:
            return
        at = 0
        while at + 4 <= len(extra):
            tag, length = struct.unpack_from("<2H", extra, at)
            if tag == 1:
                body = extra[at + 4 : at + 4 + length]
                for i, value in enumerate(values):
                    if value == _FULL and len(body) >= 8:
                        values[i], body = int.from_bytes(body[:8], "little"), body[8:]
                return
            at += 4 + length
        raise self.error(f"is damaged: the size of {name!r} is missing")

    def _below_top(self, entries: dict[str, Entry]) -> dict[str, Entry]:
        for name in entries:
            parts = name.split("/")
            if "\\" in name or "\0" in name or ".." in parts or "" in parts[:-1]:
                raise self.error(f"is damaged or hostile: it holds an entry called {name!r}")
        tops = {name.partition("/")[0] for name in entries}
        if len(tops) != 1 or next(iter(tops)) + "/data.pkl" not in entries:
            raise self.error("is a zip archive but not a checkpoint: it has no entry 'data.pkl'")
        below = {name.partition("/")[2]: entry for name, entry in entries.items()}
        if "constants.pkl" in below:
            raise self.error("is a TorchScript program, not a checkpoint; programs are not loaded")
        return below

    # ---- contents

    def where(self, name: str) -> int:
        """The offset, from the start of the file object, of an entry's bytes."""
        entry = self.entries[name]
        fields = _LOCAL.unpack(self._at(entry.header, _LOCAL.size))
        length, extra = fields[9], fields[10]
        begin = entry.header + _LOCAL.size + length + extra
        stored = self._at(entry.header + _LOCAL.size, length) if length < 0x1000 else b""
        if fields[0] != b"PK\x03\x04" or stored != entry.name.encode():
            raise self.error(f"is damaged: {entry.name!r} is not at {entry.header:,}")
        if begin + entry.size > entry.limit:
            raise self.error(
                f"is damaged: {entry.name!r} of {entry.size:,} bytes at {begin:,} overlaps "
                f"what follows at {entry.limit:,}"
            )
        return self.start + int(begin)

    def read_into(self, name: str, buffer: Any) -> None:
        """Fill `buffer` (writable, of exactly the entry's size) and verify the checksum."""
        entry, view = self.entries[name], memoryview(buffer).cast("B")
        self._file.seek(self.where(name))
        done = crc = 0
        while done < entry.size:
            part = view[done : done + _CHUNK]
            got = self._fill(part)
            if not got:
                raise self.error(
                    f"ends early inside {name!r}: {entry.size:,} bytes were expected, "
                    f"{done:,} are there",
                    TruncatedFileError,
                )
            crc = zlib.crc32(part[:got], crc)
            done += got
        if crc != entry.crc:
            raise self.error(
                f"is damaged: the checksum of {name!r} ({entry.size:,} bytes) is {crc:08x}, "
                f"expected {entry.crc:08x}"
            )
        self.verified.add(name)

    def _fill(self, part: memoryview) -> int:
        if hasattr(self._file, "readinto"):
            count: int | None = self._file.readinto(part)
            return count or 0
        data = self._file.read(len(part))
        part[: len(data)] = data
        return len(data)

    def read(self, name: str) -> bytes:
        """The bytes of an entry, their checksum verified."""
        buffer = bytearray(self.entries[name].size)
        self.read_into(name, buffer)
        return bytes(buffer)
