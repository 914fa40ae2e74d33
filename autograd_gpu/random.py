"""Random number generators: seeds and state, under PyTorch's names. Those of CUDA: `cuda`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, SupportsInt

from ._core.device import cuda, device
from ._core.random import (
    Generator,
    cuda_states,
    default_generator,
    load_cuda_states,
    seed_cuda,
    seed_everything,
)
from ._core.tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


def manual_seed(seed: SupportsInt | str) -> Generator:
    """Start the streams of a seed on all devices, and give the CPU's default generator.

    The numbers that follow on the CPU are those PyTorch draws there after the same call.

    Args:
        seed: -2**63 ... 2**64 - 1; ``int()`` is applied to it. Negative: seed + 2**64.

    Raises:
        ValueError: out of range, or a string that is no integer.
    """
    return seed_everything(int(seed))


def seed() -> int:
    """Start the default generators of all devices at a new random 64-bit seed, and give it."""
    chosen = default_generator.seed()
    seed_cuda(chosen)
    return chosen


def initial_seed() -> int:
    """The seed that the CPU's default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state: a uint8 tensor of the 5056 bytes that PyTorch has, too."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Take up a state that `get_rng_state` gave, here or in PyTorch.

    Raises:
        TypeError: not a uint8 tensor.
        RuntimeError: a wrong number of bytes, or bytes that are no state.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """A block after which the default generators stand where they stood before.

    Args:
        devices: the CUDA devices whose generators to keep, as numbers, names or devices; None: all.
        enabled: False makes the block an ordinary one.
        device_type: the type of `devices`, "cuda" or "cpu".

    Raises:
        RuntimeError: a device that is none of CUDA's.
    """
    if not enabled:
        yield
        return
    kept = _numbers(devices, device_type)
    state, others = default_generator.state_bytes(), cuda_states(kept)
    try:
        yield
    finally:
        default_generator.load_state_bytes(state)
        load_cuda_states(others)


def _numbers(devices: Iterable[Any] | None, device_type: str | None) -> list[int] | None:
    """The numbers of CUDA devices; None for all of them."""
    if device_type not in (None, "cuda", "cpu"):
        raise RuntimeError(f"fork_rng: no module of a device type {device_type!r}")
    if device_type == "cpu" or devices is None:
        return None if device_type != "cpu" else []
    places = [device(d) for d in devices]
    if any(p.type != "cuda" for p in places):
        raise RuntimeError(f"fork_rng: expected CUDA devices, but got {places}")
    return [cuda(p).current_device() if p.index is None else p.index for p in places]
