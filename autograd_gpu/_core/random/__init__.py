"""Random numbers on arrays: on the CPU PyTorch's for the same seed, on CUDA those of Philox."""

from .devices import (
    cuda_generator,
    cuda_states,
    default_for,
    load_cuda_states,
    seed_cuda,
    seed_everything,
)  # fmt: skip
from .generator import DEFAULT_SEED, Generator, default_generator
from .layout import draw, empty_like, fill, in_memory_order, like

__all__ = [
    "DEFAULT_SEED", "Generator", "cuda_generator", "cuda_states", "default_for",
    "default_generator", "draw", "empty_like", "fill", "in_memory_order", "like",
    "load_cuda_states", "seed_cuda", "seed_everything",
]  # fmt: skip
