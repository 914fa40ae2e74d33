"""The default generators: one of the CPU and one of each CUDA device, and what seeds them all."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ..device import cuda, device
from .generator import Generator, checked_seed, default_generator

__all__ = [
    "cuda_generator", "cuda_states", "default_for", "load_cuda_states", "seed_cuda",
    "seed_everything",
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
    """Seed the generators of all CUDA devices, those that nobody has used yet when somebody
    does. ValueError for a seed out of range."""
    seed = checked_seed(seed)
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


def cuda_states(devices: Iterable[int] | None = None) -> tuple[dict[int, bytes], list[int] | None]:
    """Where the generators of these CUDA devices stand, for `load_cuda_states`; None: of all of
    them, and what those will be seeded with that nobody has used yet."""
    if devices is None:
        with _lock:
            return {i: g.state_bytes() for i, g in _generators.items()}, list(_planned)
    return {i: cuda_generator(i).state_bytes() for i in devices}, None


def load_cuda_states(states: tuple[dict[int, bytes], list[int] | None]) -> None:
    """Go back to what `cuda_states` gave. Where that was all devices, a younger generator starts
    anew, if it began with a seed that was known then."""
    held, planned = states
    with _lock:
        for index, data in held.items():
            _generators[index].load_state_bytes(data)
        if planned is not None:
            _planned[:] = planned
            for index in set(_generators) - set(held) if planned else ():
                _generators[index].manual_seed(planned[0])
