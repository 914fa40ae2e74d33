"""CUDA as programs ask for it: `cuda.is_available()`. Tensors on CUDA devices are not there yet."""

from typing import Any

from ._core.device import cuda_status

__all__ = ["device_count", "is_available", "manual_seed", "manual_seed_all", "unavailable_reason"]


def is_available() -> bool:
    """Can tensors live on a CUDA device here? Never raises; `unavailable_reason()` says why not."""
    return cuda_status()[0]


def unavailable_reason() -> str:
    """Why `is_available()` is False; empty where it is True."""
    return cuda_status()[1]


def device_count() -> int:
    """How many CUDA devices can be used: 0 where `is_available()` is False."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the generator of the current CUDA device; without one nothing happens, as in PyTorch."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all CUDA devices; without any nothing happens, as in PyTorch."""
    int(seed)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"autograd_gpu.cuda.{name} is not there: this version computes on the CPU only "
        f"({unavailable_reason()})"
    )
