"""Device memory: who holds how much, and what happens when it is full."""

import ctypes
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import hooks, lifetimes, streams

__all__ = [
    "ALIGNMENT", "LIVING", "BaseMemory", "Memory", "MemoryPointer", "MemoryPool",
    "OutOfMemoryError", "PinnedMemory", "PinnedMemoryPointer", "PinnedMemoryPool", "UnownedMemory",
    "adopt", "alloc", "alloc_pinned_memory", "get_allocator", "get_default_memory_pool",
    "get_default_pinned_memory_pool", "set_allocator", "using_allocator",
]  # fmt: skip

ALIGNMENT = 512  # bytes; an allocation occupies a multiple


class OutOfMemoryError(MemoryError):
    """No room for an allocation; the message is CuPy's."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        bound = f", limit set to: {limit:,} bytes" if limit else ""
        super().__init__(
            f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes{bound})."
        )


def rounded(size: int) -> int:
    """The bytes that an allocation of this size occupies."""
    return -(-size // ALIGNMENT) * ALIGNMENT


class Arena:
    """The memory of one device: `used` by living allocations, `idle` kept for the next ones."""

    def __init__(self, device: int) -> None:
        self.device = device
        self.capacity = 8 << 30
        self.limit = 0
        self.used = 0
        self.idle_bytes = 0
        self.idle: dict[tuple[int, int], list[Any]] = {}  # (stream, bytes): what to know of each
        self.lock = threading.RLock()  # a collection may free memory within an allocation

    def take(self, size: int, stream: int) -> None:
        """Room for an allocation. OutOfMemoryError where there is none."""
        room = rounded(size)
        with self.lock:
            blocks = self.idle.get((stream, room))
            if blocks:
                past = blocks.pop()
                self.idle_bytes -= room
                if past is not None:
                    lifetimes.reused(past, stream)
            elif not self._fits(room):
                gc.collect()
                self.clear()
                if not self._fits(room):
                    raise OutOfMemoryError(size, self.used + self.idle_bytes, self.limit)
            self.used += room

    def _fits(self, room: int) -> bool:
        bound = min(self.limit or self.capacity, self.capacity)
        return self.used + self.idle_bytes + room <= bound

    def give(self, size: int, stream: int, past: Any) -> None:
        """An allocation has died; `past`: what streams may still be doing with it."""
        room = rounded(size)
        with self.lock:
            self.used -= room
            self.idle_bytes += room
            self.idle.setdefault((stream, room), []).append(past)

    def clear(self) -> None:
        """Idle memory goes back to the device."""
        with self.lock:
            self.idle.clear()
            self.idle_bytes = 0

    @property
    def free(self) -> int:
        """Bytes of the device that nothing occupies."""
        return self.capacity - self.used - self.idle_bytes


ARENAS = tuple(Arena(device) for device in range(streams.MOST_DEVICES))


LIVING: "weakref.WeakValueDictionary[int, BaseMemory]" = weakref.WeakValueDictionary()
"""Every allocation there is: for those who are given addresses only, as cuBLAS is."""


class BaseMemory:
    """Bytes on a device: `ptr`, `size`, `device_id`. `root`: the host array that they are."""

    __slots__ = ("__weakref__", "device_id", "owner", "ptr", "root", "size", "users")

    def __init__(
        self, root: np.ndarray, ptr: int, size: int, device_id: int, owner: Any = None
    ) -> None:
        self.owner = owner
        self.root, self.ptr, self.size, self.device_id = root, ptr, size, device_id
        self.users: dict[int, int] | None = None  # {stream: its last piece of work here}
        LIVING[id(self)] = self

    @property
    def device(self) -> "streams.Device":
        """Where it lies."""
        return streams.Device(self.device_id)


class Memory(BaseMemory):
    """Memory of the pool, counted as long as it lives."""

    __slots__ = ("stream",)

    def __init__(self, root: np.ndarray, device_id: int) -> None:
        self.size = 0  # so that a failure below frees nothing
        self.stream = streams.current(device_id).key
        ARENAS[device_id].take(root.nbytes, self.stream)
        super().__init__(root, root.__array_interface__["data"][0], root.nbytes, device_id)
        hooks.malloced(device_id, root.nbytes, rounded(root.nbytes), self.ptr)

    def __del__(self) -> None:
        if self.size and not sys.is_finalizing():
            past = lifetimes.freed(self.users, self.stream) if self.users else None
            ARENAS[self.device_id].give(self.size, self.stream, past)


class UnownedMemory(BaseMemory):
    """Memory that somebody else owns, at an address; not counted."""

    __slots__ = ()

    def __init__(self, ptr: int, size: int, owner: Any, device_id: int = -1) -> None:
        super().__init__(_host_bytes(ptr, size), ptr, size, max(device_id, 0), owner)


def _host_bytes(address: int, size: int) -> np.ndarray:
    """Host memory at an address."""
    if not size:
        return np.empty(0, np.uint8)
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))


class MemoryPointer:
    """A place within a memory."""

    __slots__ = ("mem", "offset")

    def __init__(self, mem: BaseMemory, offset: int) -> None:
        self.mem, self.offset = mem, offset

    @property
    def ptr(self) -> int:
        """The address; 0 where nothing was allocated."""
        return self.mem.ptr + self.offset if self.mem.size else 0

    @property
    def device_id(self) -> int:
        """The device's number."""
        return self.mem.device_id

    @property
    def device(self) -> "streams.Device":
        """The device."""
        return self.mem.device

    def __int__(self) -> int:
        return self.ptr

    def __add__(self, offset: int) -> "MemoryPointer":
        return MemoryPointer(self.mem, self.offset + offset)

    def __sub__(self, offset: int) -> "MemoryPointer":
        return self + -offset

    def bytes(self, count: int) -> np.ndarray:
        """The host memory behind it."""
        return _host_bytes(self.ptr, count)

    def memset(self, value: int, count: int) -> None:
        """Set every byte."""
        self.bytes(count)[:] = value

    memset_async = memset

    def copy_from_device(self, source: "MemoryPointer", count: int) -> None:
        """Bytes of another place on a device."""
        self.bytes(count)[:] = source.bytes(count)

    copy_from_device_async = copy_from_device


class MemoryPool:
    """Counts of the current device; the memory itself is the host's."""

    def _arena(self) -> Arena:
        return ARENAS[streams.current_device()]

    def used_bytes(self) -> int:
        """Of living allocations."""
        return self._arena().used

    def free_bytes(self) -> int:
        """Kept for later allocations."""
        return self._arena().idle_bytes

    def total_bytes(self) -> int:
        """Both."""
        return self.used_bytes() + self.free_bytes()

    def n_free_blocks(self) -> int:
        """How many pieces are kept."""
        return sum(map(len, self._arena().idle.values()))

    def free_all_blocks(self, stream: Any = None) -> None:
        """Give back what is kept."""
        self._arena().clear()

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        """Bytes that the current device may give, or a fraction of its memory; 0 means all."""
        arena = self._arena()
        if size is not None and fraction is not None:
            raise ValueError("size and fraction cannot be specified at the same time")
        if fraction is not None:
            size = int(arena.capacity * fraction)
        if size is None or size < 0:
            raise ValueError(f"memory limit size out of range: {size}")
        arena.limit = size

    def get_limit(self) -> int:
        """What `set_limit` set."""
        return self._arena().limit

    def malloc(self, size: int) -> MemoryPointer:
        """New memory of the current device, full of bytes that nobody should rely on."""
        root = np.empty(size, np.uint8)
        found = adopt(root)  # before the memory is touched: there may be no room
        root.fill(0xFF)  # NaN, -1
        return found


def adopt(root: np.ndarray) -> MemoryPointer:
    """The host memory of an array as an allocation on the current device."""
    return MemoryPointer(Memory(root, streams.current_device()), 0)


_pool = MemoryPool()
_allocator = threading.local()
_everywhere: list[Callable[[int], MemoryPointer]] = [_pool.malloc]


def get_default_memory_pool() -> MemoryPool:
    """The pool of all devices."""
    return _pool


def get_allocator() -> Callable[[int], MemoryPointer]:
    """The function that allocates now."""
    return getattr(_allocator, "chosen", None) or _everywhere[0]


def set_allocator(allocator: Callable[[int], MemoryPointer] | None = None) -> None:
    """Allocate by `allocator(bytes)`; None goes back to the pool."""
    _everywhere[0] = allocator or _pool.malloc


@contextmanager
def using_allocator(allocator: Callable[[int], MemoryPointer] | None = None) -> Iterator[None]:
    """The same, for this thread and a while."""
    before = getattr(_allocator, "chosen", None)
    _allocator.chosen = allocator or _pool.malloc
    try:
        yield
    finally:
        _allocator.chosen = before


def alloc(size: int) -> MemoryPointer:
    """New memory by the allocator of the moment."""
    return get_allocator()(size)


class PinnedMemory(bytearray):
    """Host memory that a device could read by itself."""

    def __init__(self, size: int, flags: int = 0) -> None:
        super().__init__(size)
        self.size = size
        self.ptr = ctypes.addressof(ctypes.c_char.from_buffer(self)) if size else 0


class PinnedMemoryPointer(bytearray):
    """The beginning of pinned memory; a buffer, so `np.frombuffer` reads and writes it."""

    def __init__(self, mem: PinnedMemory, offset: int) -> None:
        if offset:
            raise ValueError("the stand-in has pointers to the beginning of pinned memory only")
        super().__init__(mem.size)
        self.mem = mem
        self.ptr = ctypes.addressof(ctypes.c_char.from_buffer(self)) if mem.size else 0

    def size(self) -> int:
        """Bytes from here on."""
        return len(self)


class PinnedMemoryPool:
    """Counts nothing: pinned memory of the stand-in is ordinary memory."""

    def malloc(self, size: int) -> PinnedMemoryPointer:
        """New pinned memory."""
        return PinnedMemoryPointer(PinnedMemory(size), 0)

    def free_all_blocks(self) -> None:
        """Nothing is kept."""

    def n_free_blocks(self) -> int:
        """None."""
        return 0


_pinned = PinnedMemoryPool()


def get_default_pinned_memory_pool() -> PinnedMemoryPool:
    """The pool of pinned memory."""
    return _pinned


def alloc_pinned_memory(size: int) -> PinnedMemoryPointer:
    """New pinned memory of the pool."""
    return _pinned.malloc(size)
