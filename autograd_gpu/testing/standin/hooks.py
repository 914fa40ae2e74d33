"""Hooks that see every allocation, as `cupy.cuda.memory_hook`."""

from types import SimpleNamespace
from typing import Any

__all__ = ["MemoryHook", "malloced", "memory_hook"]

_active: list["MemoryHook"] = []


class MemoryHook:
    """A context in which `malloc_postprocess` is called after every allocation. Of CuPy's six
    moments the stand-in knows this one."""

    name = "MemoryHook"

    def __enter__(self) -> "MemoryHook":
        if any(hook.name == self.name for hook in _active):
            raise KeyError(f"memory hook {self.name} already exists")
        _active.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _active.remove(self)

    def malloc_postprocess(self, **details: Any) -> None:
        """Called with device_id, size, mem_size, mem_ptr and pmem_id."""


def malloced(device: int, size: int, mem_size: int, ptr: int) -> None:
    """Tell the hooks of an allocation."""
    for hook in _active:
        hook.malloc_postprocess(
            device_id=device, size=size, mem_size=mem_size, mem_ptr=ptr, pmem_id=ptr
        )


memory_hook = SimpleNamespace(MemoryHook=MemoryHook)
