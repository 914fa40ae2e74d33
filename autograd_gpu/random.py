"""The random number generator of the CPU: seeds and state, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, SupportsInt

from ._core.random import Generator, default_generator
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
    """Start the default generator's stream of a seed, and give the generator.

    The numbers that follow are those PyTorch draws on the CPU after the same call.

    Args:
        seed: -2**63 ... 2**64 - 1; ``int()`` is applied to it. Negative: seed + 2**64.

    Raises:
        ValueError: out of range, or a string that is no integer.
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator at a new random 64-bit seed, and give the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator started from."""
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
    """A block after which the default generator stands where it stood before.

    Args:
        devices: further devices whose generators to keep; on the CPU there are none.
        enabled: False makes the block an ordinary one.
        device_type: the type of `devices`.
    """
    if not enabled:
        yield
        return
    state = default_generator.state_bytes()
    try:
        yield
    finally:
        default_generator.load_state_bytes(state)
