"""Random number generators of CUDA devices: seeds and state, under PyTorch's names.

Every device has a Philox generator of its own. The same seed gives the numbers that a Philox
generator on the CPU gives, `Generator(algorithm="philox")`, to the last bit.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, SupportsInt

from .._core.device import cuda_status
from .._core.random import Generator, cuda_generator, seed_cuda
from .._core.tensor import Tensor
from ._state import index_of, runtime

__all__ = [
    "get_rng_state", "get_rng_state_all", "initial_seed", "manual_seed", "manual_seed_all", "seed",
    "seed_all", "set_rng_state", "set_rng_state_all",
]  # fmt: skip


def default_generators() -> tuple[Generator, ...]:
    """The default generator of each device; none without a device."""
    if not cuda_status()[0]:
        return ()
    count = runtime("default_generators").getDeviceCount()
    return tuple(cuda_generator(index) for index in range(count))


def manual_seed(seed: SupportsInt | str) -> None:
    """Start the current device's generator at a seed, -2**63 ... 2**64 - 1. Without a device
    nothing happens, as in PyTorch.

    Raises:
        ValueError: out of range, or a string that is no integer.
    """
    seed = int(seed)
    if cuda_status()[0]:
        cuda_generator(index_of(None, "manual_seed")).manual_seed(seed)


def manual_seed_all(seed: SupportsInt | str) -> None:
    """Start the generators of all devices at a seed, -2**63 ... 2**64 - 1.

    Raises:
        ValueError: out of range, or a string that is no integer.
    """
    seed_cuda(int(seed))


def seed() -> None:
    """Start the current device's generator at a random seed. Without a device nothing happens."""
    manual_seed(secrets.randbits(64))


def seed_all() -> None:
    """Start the generators of all devices at one random seed."""
    seed_cuda(secrets.randbits(64))


def initial_seed() -> int:
    """The seed that the current device's generator started from.

    Raises:
        RuntimeError: there is no device.
    """
    return cuda_generator(index_of(None, "initial_seed")).initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    """The state of a device's generator: 16 bytes, seed and offset, in a uint8 tensor on the CPU.

    Args:
        device: a number, a name or a device; "cuda" is the current one.

    Raises:
        RuntimeError: there is no such device.
    """
    return cuda_generator(index_of(device, "get_rng_state")).get_state()


def get_rng_state_all() -> list[Tensor]:
    """The states of all devices' generators."""
    return [generator.get_state() for generator in default_generators()]


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Take up a state that `get_rng_state` gave.

    Raises:
        TypeError: not a uint8 tensor.
        RuntimeError: a wrong number of bytes, or no such device.
    """
    cuda_generator(index_of(device, "set_rng_state")).set_state(new_state)


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """Take up states that `get_rng_state_all` gave: the first is the first device's.

    Raises:
        TypeError: not a uint8 tensor.
        RuntimeError: a wrong number of bytes, or more states than devices.
    """
    for index, state in enumerate(new_states):
        set_rng_state(state, index)
