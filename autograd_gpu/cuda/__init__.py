"""CUDA devices, streams, events, memory, random numbers, and kernels of your own.

Everything imports without a GPU and without CuPy; what needs a device says so when it is called."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import random
from .devices import (
    can_device_access_peer,
    current_device,
    device,
    device_count,
    device_of,
    get_arch_list,
    get_device_capability,
    get_device_name,
    get_device_properties,
    init,
    is_available,
    is_bf16_supported,
    is_initialized,
    set_device,
    synchronize,
    unavailable_reason,
)  # fmt: skip
from .memory import (
    OutOfMemoryError,
    empty_cache,
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)  # fmt: skip
from .random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)  # fmt: skip
from .streams import (
    Event,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    set_stream,
    stream,
)  # fmt: skip

if TYPE_CHECKING:
    from .._cuda.checks import check_indices
    from .._cuda.custom_op import CustomOp, custom_op
    from .._cuda.raw_kernel import RawKernel

__all__ = [
    "CustomOp", "Event", "OutOfMemoryError", "RawKernel", "Stream", "StreamContext",
    "can_device_access_peer", "check_indices", "current_device", "current_stream", "custom_op",
    "default_stream",
    "device", "device_count", "device_of", "empty_cache", "get_arch_list",
    "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state",
    "get_rng_state_all", "init", "initial_seed", "is_available", "is_bf16_supported",
    "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved",
    "memory_stats", "memory_summary", "reset_max_memory_allocated", "reset_peak_memory_stats",
    "seed", "seed_all", "set_device", "set_per_process_memory_fraction", "set_rng_state",
    "set_rng_state_all", "set_stream", "stream", "synchronize", "unavailable_reason",
]  # fmt: skip

_LAZY = {
    "CustomOp": "custom_op", "RawKernel": "raw_kernel", "check_indices": "checks",
    "custom_op": "custom_op",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _LAZY:  # launching functions are imported when they are needed
        value = getattr(import_module(f".._cuda.{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    if name == "default_generators":
        return random.default_generators()
    raise AttributeError(f"module 'autograd_gpu.cuda' has no attribute '{name}'")
