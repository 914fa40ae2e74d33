"""The default generators: one of the CPU and one of each CUDA device, and what seeds them all."""

from __future__ import annotations

import threading

from ..device import cuda, device
from .generator import Generator, default_generator

__all__ = [
    "cuda_generator", "cuda_states", "default_for", "load_cuda_states", "seed_cuda", "seed_everything",
]  # fmt: skip

_generators: dict[int, Generator] = {}
_planned: list[int] = []  # the seed of generators that nobody has used yet; empty: a random one
_lock = threading.Lock()


def default_for(place: device) -> Generator:
    """The generator that draws for a device where none is given. RuntimeError where there is no
    such device."""
    if place.type == "cpu":
        return default_generator
    index = place.index
    if index is None:
        index = cuda().current_device()
    found = _generators.get(index)
    return cuda_generator(index) if found is None else found


def cuda_generator(index: int) -> Generator:
    """The default generator of a CUDA device, made and seeded when it is first asked for."""
    with _lock:
        if index not in _generators:
            made = Generator(device("cuda", index))
            if _planned:
                made.manual_seed(_planned[0])
            else:
                made.seed()
            _generators[index] = made
        return _generators[index]


def seed_cuda(seed: int) -> None:
    """Seed the generators of all CUDA devices, those that nobody has used yet when somebody does."""
    with _lock:
        for generator in _generators.values():
            generator.manual_seed(seed)
        _planned[:] = [seed]


def seed_everything(seed: int) -> Generator:
    """Seed the CPU's default generator and those of all CUDA devices, and give the CPU's.
    ValueError for a seed out of range; then nothing is seeded."""
    default_generator.manual_seed(seed)
    seed_cuda(seed)
    return default_generator


def cuda_states() -> tuple[dict[int, bytes], list[int]]:
    """Where all CUDA generators stand, for `load_cuda_states`."""
    with _lock:
        return {i: g.state_bytes() for i, g in _generators.items()}, list(_planned)


def load_cuda_states(states: tuple[dict[int, bytes], list[int]]) -> None:
    """Go back to what `cuda_states` gave. A generator that is younger is forgotten."""
    held, planned = states
    with _lock:
        _planned[:] = planned
        for index in list(_generators):
            if index in held:
                _generators[index].load_state_bytes(held[index])
            else:
                del _generators[index]
