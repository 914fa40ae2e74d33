"""Saving and loading tensors and plain values in PyTorch's zip format; no code is ever run."""

from __future__ import annotations

import hashlib
import io
import mmap as _mmap
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, Any

from ._serialization.allowed import Names
from ._serialization.atomic import write_file
from ._serialization.container import Archive
from ._serialization.decode import Decoder
from ._serialization.encode import Encoder
from ._serialization.errors import FileError, TruncatedFileError
from ._serialization.location import locator
from ._serialization.storages import LoadedStorages, SavedStorages
from ._serialization.writing import ArchiveWriter

__all__ = ["FileError", "TruncatedFileError", "load", "save"]

_NEWEST_VERSION = 10  # of the record layout; PyTorch 2.13 writes 3


def save(obj: Any, f: Any) -> None:
    """Save an object of tensors and plain values so that `load`, and PyTorch's `load`, read it.

    Args:
        obj: tensors, Parameters, None, bool, int, float, complex, str, bytes, bytearray, list,
            tuple, dict, OrderedDict, Counter, set, frozenset, Size, dtype, device, NumPy's numbers
            and numeric arrays, nested as you like; state dictionaries of modules and optimizers.
            Not modules: save `module.state_dict()`.
        f: a path, or a binary file object with `write`.

    A path is replaced in one step, after everything was written and synced: when saving fails, the
    file that was there before is untouched. Tensors that share memory share it after loading, and
    the memory is saved once; a small view of a large tensor therefore saves the large one
    (`clone()` it to save less). `requires_grad` is kept, `grad` and the graph are not. PyTorch's
    reader refuses frozensets and NumPy's numbers and arrays unless asked to trust the file.

    Raises:
        pickle.PicklingError: something inside `obj` is of another type.
        RuntimeError: tensors of different dtypes share one memory.
        FileNotFoundError, IsADirectoryError, PermissionError, OSError: as the system says.
    """
    storages = SavedStorages()
    pickled = Encoder(storages).encode(obj)

    def fill(file: Any) -> None:
        _write(file.write, pickled, storages)

    if isinstance(f, (str, bytes, os.PathLike)):
        write_file(f, fill)
    elif hasattr(f, "write"):
        if isinstance(f, io.TextIOBase):
            raise TypeError("save: expected a file opened in binary mode ('wb'), got a text file")
        fill(f)
    else:
        raise TypeError(f"save: expected a path or a binary file, got {type(f).__name__}")


def _write(write: Callable[[Any], Any], pickled: bytes, storages: SavedStorages) -> None:
    archive = ArchiveWriter(write)
    sums = [archive.add("data.pkl", pickled)]
    archive.add(".format_version", b"1")
    archive.add(".storage_alignment", b"64")
    archive.add("byteorder", sys.byteorder.encode())
    sums += [archive.add(f"data/{i}", storages.payload(i)) for i in range(len(storages.roots))]
    archive.add("version", b"3\n")
    digest = hashlib.sha256(repr(sums).encode()).digest()
    archive.add(".data/serialization_id", b"%040d" % (int.from_bytes(digest, "big") % 10**40))
    archive.finish()


def load(
    f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None
) -> Any:
    """Load what `save`, or PyTorch's `save`, has written. No code of the file is ever run.

    Args:
        f: a path, or a binary file object with `read`, `seek` and `tell`.
        map_location: where tensors go: None (the device they were saved from), a device or its
            name, a dictionary from names to names, or a function `(storage, location)` that
            returns the storage, `storage.cpu()`, `storage.cuda(i)` or None.
        weights_only: accepted for PyTorch's sake. False reads no more than True does: files that
            need code to be read are refused either way.
        mmap: True maps the file into memory (a path only): values are read when they are first
            used, writes to them stay in memory, and their checksums are not verified.

    Otherwise every byte of the contents is verified against its CRC-32.

    Raises:
        FileError: the file is damaged, hostile or not a checkpoint; it names the file and its
            size. TruncatedFileError (also an EOFError) where it ends early.
        pickle.UnpicklingError: the file holds objects that only code could make; the message
            begins with "Weights only load failed" and names what was refused.
        FileNotFoundError, IsADirectoryError, PermissionError: as the system says.
        RuntimeError: tensors were saved from a GPU, and there is none.
    """
    locate = locator(map_location)
    with ExitStack() as stack:
        if isinstance(f, (str, bytes, os.PathLike)):
            file: IO[bytes] = stack.enter_context(open(f, "rb"))
            label = f"{os.fsdecode(f)!r}"
        elif mmap:
            raise ValueError("load: mmap=True needs a path, f must be a string filename")
        else:
            file, label = _checked_file(f), f"the file {getattr(f, 'name', type(f).__name__)!r}"
        archive = Archive(file, f"load: {label}")
        return _read(archive, locate, _map(file) if mmap else None)


def _checked_file(f: Any) -> Any:
    if not all(hasattr(f, name) for name in ("read", "seek", "tell")):
        raise TypeError(
            "load: expected a path or a binary file that has read, seek and tell, "
            f"got {type(f).__name__}"
        )
    if isinstance(f, io.TextIOBase):
        raise TypeError("load: expected a file opened in binary mode ('rb'), got a text file")
    return f


def _map(file: IO[bytes]) -> _mmap.mmap:
    return _mmap.mmap(file.fileno(), 0, access=_mmap.ACCESS_COPY)


def _read(archive: Archive, locate: Any, mapped: _mmap.mmap | None) -> Any:
    _check_version(archive)
    storages = LoadedStorages(archive, locate, mapped)
    names = Names(archive.error)
    decoder = names.decoder = Decoder(archive.read("data.pkl"), names.find, storages.get)
    try:
        obj = decoder.decode()
    except pickle.UnpicklingError as error:
        error.args = (f"{error} ({archive.label}, {archive.size:,} bytes)",)
        raise
    for name in archive.entries.keys() - archive.verified:
        if mapped is None or not name.startswith("data/"):
            archive.read(name)
    return obj


def _check_version(archive: Archive) -> None:
    text = archive.read("version") if "version" in archive.entries else b"3"
    if not text.strip().isdigit() or not 1 <= int(text[:20]) <= _NEWEST_VERSION:
        raise archive.error(
            f"has record version {text[:20]!r}; versions 1 to {_NEWEST_VERSION} are read"
        )
