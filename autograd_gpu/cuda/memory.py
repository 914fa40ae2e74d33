"""Device memory: how much is used, kept, free; and giving it back. All numbers are bytes.

Arrays come from CuPy's pool, which keeps what was freed for the next array."""

from typing import Any

from .._core.errors import OutOfMemoryError
from ._state import index_of, lib

__all__ = [
    "OutOfMemoryError", "empty_cache", "max_memory_allocated", "max_memory_reserved",
    "mem_get_info", "memory_allocated", "memory_reserved", "memory_stats", "memory_summary",
    "reset_max_memory_allocated", "reset_peak_memory_stats", "set_per_process_memory_fraction",
]  # fmt: skip

_peaks: dict[int, int] = {}
_watch: list[Any] = []


def _pool(what: str) -> Any:
    return lib(what).module.get_default_memory_pool()


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays occupy."""
    with lib("memory_allocated").device(index_of(device, "memory_allocated")):
        return int(_pool("memory_allocated").used_bytes())


def memory_reserved(device: Any = None) -> int:
    """Bytes that the pool holds: those of arrays, and those kept for the next ones."""
    with lib("memory_reserved").device(index_of(device, "memory_reserved")):
        return int(_pool("memory_reserved").total_bytes())


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays occupied at once since `reset_peak_memory_stats`.

    Watching every allocation costs about a microsecond each, so it begins with that call; before
    it, this is what the pool holds: an upper bound of it, since the pool only grows as needed."""
    index = index_of(device, "max_memory_allocated")
    if index not in _peaks:
        return memory_reserved(index)
    _peaks[index] = max(_peaks[index], memory_allocated(index))
    return _peaks[index]


def max_memory_reserved(device: Any = None) -> int:
    """Bytes that the pool holds; it gives nothing back but in `empty_cache`."""
    return memory_reserved(device)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Count `max_memory_allocated` anew, and watch allocations from now on."""
    index = index_of(device, "reset_peak_memory_stats")
    _peaks[index] = memory_allocated(index)
    if not _watch:
        _watch.append(_watcher())
        _watch[0].__enter__()


reset_max_memory_allocated = reset_peak_memory_stats


def _watcher() -> Any:
    module = lib("reset_peak_memory_stats").module

    class Watcher(module.cuda.memory_hook.MemoryHook):  # type: ignore[misc, name-defined]
        """Sees every allocation."""

        name = "autograd_gpu peak"

        def malloc_postprocess(self, *, device_id: int, **_: Any) -> None:
            """Called by the pool after it found memory."""
            if device_id in _peaks:
                with module.cuda.Device(device_id):
                    used = int(module.get_default_memory_pool().used_bytes())
                _peaks[device_id] = max(_peaks[device_id], used)

    return Watcher()


def empty_cache() -> None:
    """Give what the pool keeps back to the device. Nothing happens without a CUDA device."""
    from .._core.library import installed

    if installed() is not None:
        _pool("empty_cache").free_all_blocks()
        lib("empty_cache").module.get_default_pinned_memory_pool().free_all_blocks()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free, total) bytes of a device, as its driver counts."""
    free, total = lib("mem_get_info").device(index_of(device, "mem_get_info")).mem_info
    return int(free), int(total)


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Let the pool hold no more than a share of the device's memory. ValueError outside 0..1."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0-1")
    index = index_of(device, "set_per_process_memory_fraction")
    with lib("set_per_process_memory_fraction").device(index):
        _pool("set_per_process_memory_fraction").set_limit(
            size=max(1, int(mem_get_info(index)[1] * fraction))  # 0 would be no limit
        )


def memory_stats(device: Any = None) -> dict[str, int]:
    """The numbers of this module under PyTorch's names; those that CuPy's pool does not count are
    absent."""
    return {
        "allocated_bytes.all.current": memory_allocated(device),
        "allocated_bytes.all.peak": max_memory_allocated(device),
        "reserved_bytes.all.current": memory_reserved(device),
        "reserved_bytes.all.peak": max_memory_reserved(device),
    }


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The same as a table, with the device's free memory."""
    index = index_of(device, "memory_summary")
    free, total = mem_get_info(index)
    rows = {
        "allocated by arrays": memory_allocated(index),
        "most allocated": max_memory_allocated(index),
        "held by the pool": memory_reserved(index),
        "free on the device": free,
        "of the device": total,
    }
    lines = [f"| {name:<22} | {value:>20,} B |" for name, value in rows.items()]
    width = len(lines[0])
    title = f"| CUDA memory, device {index}".ljust(width - 1) + "|"
    rule = "|" + "-" * (width - 2) + "|"
    return "\n".join([rule, title, rule, *lines, rule])
