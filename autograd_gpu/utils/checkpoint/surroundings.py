"""What a recomputation must find as the forward found it: random numbers and devices."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from ..._core.device import device, get_default_device
from ..._core.library import installed
from ..._core.random import (
    Generator,
    cuda_generator,
    cuda_states,
    default_generator,
    load_cuda_states,
)
from ..._core.tensor import Tensor
from ...cuda.random import get_rng_state, set_rng_state

__all__ = ["Surroundings", "get_device_states", "set_device_states"]


class Surroundings:
    """Where the default generators stand now, on the CPU and on every CUDA device, and which
    devices are the default and the current one."""

    def __init__(self, preserve_rng_state: bool = True) -> None:
        xp = installed()
        self.default = get_default_device()
        self.current = xp.current_device() if xp is not None else 0
        self.random = preserve_rng_state
        if preserve_rng_state:
            self.states = _states()

    def complete(self) -> None:
        """After the forward: a generator that it was the first to use began at its seed."""
        if not self.random:
            return
        held, planned = self.states[1]
        for index in set(cuda_states()[0]) - set(held):
            began = Generator(device("cuda", index))
            began.manual_seed(cuda_generator(index).initial_seed())
            held[index] = began.state_bytes()

    @contextmanager
    def restored(self) -> Iterator[None]:
        """A block in which all is as it was; after it the generators stand where they stood."""
        xp = installed()
        there = xp.device(self.current) if xp is not None and xp.several_devices else nullcontext()
        with self.default, there:
            if not self.random:
                yield
                return
            before = _states()
            _load(self.states)
            try:
                yield
            finally:
                _load(before)


def _states() -> tuple[Any, tuple]:
    return default_generator.mark(), cuda_states()


def _load(states: tuple[Any, tuple]) -> None:
    default_generator.back(states[0])
    load_cuda_states(states[1])


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The CUDA devices of the tensors among the arguments, also of those in lists, tuples and
    dicts: their numbers, and where their generators stand."""
    found = sorted({index for value in args for index in _devices(value)})
    return found, [get_rng_state(index) for index in found]


def _devices(value: Any) -> Iterable[int]:
    if isinstance(value, Tensor):
        return () if value.is_cpu else (value._array.device.id,)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return ()
    return {index for each in value for index in _devices(each)}


def set_device_states(
    devices: Iterable[int], states: Iterable[Tensor], *, device_type: str | None = None
) -> None:
    """Put the generators of CUDA devices where `get_device_states` found them.

    Raises:
        RuntimeError: there is no such device, or `device_type` is no kind of device.
        ValueError: not one state a device.
    """
    if device(device_type or "cuda").type == "cpu":
        return
    for index, state in zip(devices, states, strict=True):
        set_rng_state(state, index)
