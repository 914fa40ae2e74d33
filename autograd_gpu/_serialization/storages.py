"""Storages: the stretches of memory that tensors are views of, in arrays and in files.

PyTorch saves a tensor as (storage, offset, size, strides) and each storage once, so that tensors
which share memory still share it after loading. Here a storage is the array at the end of the
chain of `.base`.
"""

from __future__ import annotations

import math
import mmap
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._core.device import cpu, device, device_of, library, move
from .._core.dtype import BY_NAME, bfloat16, dtype, of
from .container import Archive
from .errors import brief, refusal

__all__ = ["LoadedStorages", "SavedStorages", "Storage", "StorageType", "strided"]


class StorageType(NamedTuple):
    """What a file's `torch FloatStorage` stands for; `untyped` storages count bytes."""

    name: str
    dtype_name: str

    def dtype(self) -> dtype:
        """The element type. ImportError where bfloat16 needs a package that is not there."""
        return bfloat16() if self.dtype_name == "bfloat16" else BY_NAME[self.dtype_name]


STORAGE_TYPES = {
    **{d.legacy + "Storage": StorageType(d.legacy + "Storage", n) for n, d in BY_NAME.items()},
    "BFloat16Storage": StorageType("BFloat16Storage", "bfloat16"),
    "UntypedStorage": StorageType("UntypedStorage", "uint8"),
}


# ---- saving


class Saved(NamedTuple):
    """How the file refers to an array's memory."""

    type_name: str
    key: str
    location: str
    numel: int
    offset: int
    strides: tuple[int, ...]


class SavedStorages:
    """Collects the storages of the arrays that are saved, each once."""

    def __init__(self) -> None:
        self.roots: list[Any] = []  # keeps them alive, so that an id stays one array's
        self._known: dict[int, tuple[str, str]] = {}

    def place(self, array: Any) -> Saved:
        """Find or add the storage of an array, and where the array lies in it.

        RuntimeError where the storage was saved under another dtype before: the file format knows
        one dtype a storage.
        """
        root, offset = _root(array), 0
        if root is not None:
            offset = _address(array) - _address(root)
            fits = array.size == 0 or 0 <= offset < _bytes(root)
        if root is None or not fits or not _is_expressible(array, root, offset):
            array = root = library(array).array(array, order="C", copy=True)
            offset = 0
        name = of(array.dtype).legacy + "Storage"
        key, first = self._known.setdefault(id(root), (str(len(self.roots)), name))
        if first != name:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                f"types (got {name} after {first}); clone() one of them first"
            )
        if int(key) == len(self.roots):
            self.roots.append(root)
        size = array.itemsize
        strides = tuple(s // size for s in array.strides)
        count = _bytes(root) // size
        where = str(device_of(array))
        return Saved(name, key, where, count, offset // size if array.size else 0, strides)

    def payload(self, index: int) -> Any:
        """The bytes of a storage, as a buffer, on the host."""
        root = self.roots[index]
        flat = root.reshape(-1) if root.flags.c_contiguous else root.T.reshape(-1)
        return move(flat.view(np.uint8), cpu) if root.size else b""


def _root(array: Any) -> Any:
    """The array that owns an array's memory; None if it is not one block."""
    kind = np.ndarray if isinstance(array, np.ndarray) else type(array)
    root = array
    while root.base is not None:
        base = root.base
        if not isinstance(base, kind):
            base = getattr(base, "base", None)  # as_strided puts a dummy in between
        if not isinstance(base, kind):
            break
        root = base
    flags = root.flags
    return root if flags.c_contiguous or flags.f_contiguous else None


def _address(array: Any) -> int:
    found = array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr
    return int(found)


def _bytes(array: Any) -> int:
    return int(array.size * array.itemsize)


def _is_expressible(array: Any, root: Any, offset: int) -> bool:
    """Can the file say this view? Strides are whole and not negative there, bytes native."""
    size = array.itemsize
    if array.size and (offset % size or any(s < 0 or s % size for s in array.strides)):
        return False
    return _bytes(root) % size == 0 and array.dtype.isnative and not root.dtype.hasobject


# ---- loading


class Storage(NamedTuple):
    """A loaded storage: a one-dimensional array, and whether it counts bytes."""

    array: Any
    untyped: bool


class LoadedStorages:
    """Gives the storages of an archive, each read once, moved to where `locate` says.

    Args:
        archive: the container.
        locate: from a location tag of the file (`"cpu"`, `"cuda:0"`) to the device.
        mapped: the file as a private memory map: bytes are then read when they are first used,
            and their checksums are not verified.
    """

    def __init__(
        self,
        archive: Archive,
        locate: Callable[[str, int], device],
        mapped: mmap.mmap | None = None,
    ) -> None:
        self._archive, self._locate, self._mapped = archive, locate, mapped
        self._raw: dict[str, Any] = {}
        order = archive.read("byteorder") if "byteorder" in archive.entries else b"little"
        if order not in (b"little", b"big"):
            raise archive.error(
                f"is damaged: byteorder is {brief(order)}, expected 'little' or 'big'"
            )
        self._swap = order.decode() != sys.byteorder

    def get(self, reference: Any) -> Storage:
        """The storage that a persistent id of the pickle names."""
        match reference:
            case (str(tag), StorageType() as kind, str(key), str(location), int(count)):
                pass
            case _:
                tag = ""
        if tag != "storage":
            raise refusal("The file refers to something outside that is no storage")
        untyped, kind_dtype = kind.name == "UntypedStorage", kind.dtype()
        name = f"data/{key}"
        entry = self._archive.entries.get(name)
        if entry is None:
            raise self._archive.error(f"is damaged: it has no entry {brief(name)}")
        if count * kind_dtype.itemsize != entry.size:
            raise self._archive.error(
                f"is damaged: the storage {brief(name)} should hold {count:,} elements of "
                f"{kind_dtype.itemsize} bytes, its entry has {entry.size:,} bytes"
            )
        if key not in self._raw:
            where = self._locate(location, entry.size)
            raw = self._read(name, entry.size)
            if self._swap and not untyped:
                _swap(raw, kind_dtype)
            self._raw[key] = move(raw.view(kind_dtype.numpy), where)
        return Storage(self._raw[key].view(kind_dtype.numpy), untyped)

    def _read(self, name: str, size: int) -> np.ndarray:
        if self._mapped is not None and size:
            raw = np.frombuffer(self._mapped, np.uint8, size, self._archive.where(name))
            if raw.ctypes.data % 16 == 0:
                return raw
        raw = np.empty(size, np.uint8)
        self._archive.read_into(name, raw)
        return raw


def _swap(raw: np.ndarray, kind: dtype) -> None:
    unit = kind.itemsize // 2 if kind.is_complex else kind.itemsize
    raw.view(f"u{unit}").byteswap(inplace=True)


def strided(storage: Storage, kind: dtype | None, offset: Any, size: Any, stride: Any) -> Any:
    """A view of a storage, every number of it checked against the storage.

    ValueError with the reason where it is not inside the storage.
    """
    array = storage.array if kind is None else storage.array.view(kind.numpy)
    if type(size) is not tuple or type(stride) is not tuple or len(size) != len(stride):
        raise ValueError(f"sizes {brief(size)} and strides {brief(stride)} do not fit together")
    numbers = (offset, *size, *stride)
    if any(type(n) is not int or not 0 <= n < 2**62 for n in numbers) or len(size) > 64:
        raise ValueError(
            f"offset {brief(offset)}, sizes {brief(size)} or strides {brief(stride)} are no lengths"
        )
    if not math.prod(size):
        return library(array).empty(size, array.dtype)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if last >= array.size:
        raise ValueError(
            f"a tensor of size {list(size)}, strides {list(stride)} and offset {offset} "
            f"does not fit in a storage of {array.size:,} elements"
        )
    steps = tuple(s * array.itemsize for s in stride)
    if isinstance(array, np.ndarray):
        return np.ndarray(size, array.dtype, array, offset * array.itemsize, steps)
    return library(array).lib.stride_tricks.as_strided(array[offset:], size, steps)
