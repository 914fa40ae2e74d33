"""Random numbers on arrays, equal to PyTorch's on the CPU for the same seed."""

from .generator import DEFAULT_SEED, Generator, default_generator
from .layout import empty_like, fill, in_memory_order

__all__ = [
    "DEFAULT_SEED",
    "Generator",
    "default_generator",
    "empty_like",
    "fill",
    "in_memory_order",
]
