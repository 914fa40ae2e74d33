"""The stand-in for `cupy.cuda`: devices, streams, events, memory, without a driver."""

from types import SimpleNamespace
from typing import Any

from . import hooks, streams
from .memory import (
    ARENAS,
    BaseMemory,
    Memory,
    MemoryPointer,
    MemoryPool,
    OutOfMemoryError,
    PinnedMemory,
    PinnedMemoryPointer,
    PinnedMemoryPool,
    UnownedMemory,
    alloc,
    alloc_pinned_memory,
    get_allocator,
    get_default_memory_pool,
    get_default_pinned_memory_pool,
    set_allocator,
    using_allocator,
)  # fmt: skip
from .streams import (
    CUDARuntimeError,
    Device,
    Event,
    ExternalStream,
    Stream,
    get_current_stream,
    get_elapsed_time,
)  # fmt: skip

__all__ = [
    "Device", "Event", "ExternalStream", "MemoryPointer", "MemoryPool", "OutOfMemoryError",
    "PinnedMemory", "PinnedMemoryPointer", "PinnedMemoryPool", "Stream", "UnownedMemory", "alloc",
    "alloc_pinned_memory", "get_allocator", "get_current_stream",
    "get_default_memory_pool", "get_default_pinned_memory_pool", "get_device_id",
    "get_elapsed_time", "is_available", "memory", "runtime", "set_allocator", "using_allocator",
]  # fmt: skip


def is_available() -> bool:
    """Always."""
    return True


def get_device_id() -> int:
    """The current device's number."""
    return streams.current_device()


def get_local_runtime_version() -> int:
    """That of CUDA 13.0."""
    return 13000


def _properties(device: int) -> dict[str, Any]:
    streams.Device(device).__enter__().__exit__()
    return {
        "name": b"Stand-in", "totalGlobalMem": ARENAS[device].capacity, "major": 9, "minor": 0,
        "multiProcessorCount": 132, "warpSize": 32, "maxThreadsPerBlock": 1024,
        "sharedMemPerBlock": 49152, "maxThreadsPerMultiProcessor": 2048,
        "regsPerMultiprocessor": 65536, "l2CacheSize": 50 << 20,
        "maxGridSize": (2147483647, 65535, 65535),
    }  # fmt: skip


memory_hook = hooks.memory_hook
memory = SimpleNamespace(
    BaseMemory=BaseMemory, Memory=Memory, MemoryPointer=MemoryPointer, MemoryPool=MemoryPool,
    OutOfMemoryError=OutOfMemoryError, UnownedMemory=UnownedMemory, alloc=alloc,
    get_allocator=get_allocator, set_allocator=set_allocator, using_allocator=using_allocator,
)  # fmt: skip
runtime = SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    getDeviceCount=lambda: streams.DEVICES,
    getDevice=streams.current_device,
    setDevice=streams.set_device,
    getDeviceProperties=_properties,
    memGetInfo=lambda: streams.Device().mem_info,
    deviceCanAccessPeer=lambda device, peer: 0,
    deviceSynchronize=lambda: streams.Device().synchronize(),
    streamSynchronize=lambda stream: streams.ExternalStream(stream).synchronize(),
    driverGetVersion=lambda: 13000,
    runtimeGetVersion=lambda: 13000,
    is_hip=False,
)
stream = SimpleNamespace(
    Stream=Stream, Event=Event, ExternalStream=ExternalStream,
    get_current_stream=get_current_stream, get_elapsed_time=get_elapsed_time,
)  # fmt: skip
