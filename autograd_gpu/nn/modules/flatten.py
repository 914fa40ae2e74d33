"""Layers that change a tensor's shape: Flatten, Unflatten."""
from __future__ import annotations

from ..._core.tensor import Tensor
from ._layer import layer
from .module import Module

__all__ = ["Flatten", "Unflatten"]


@layer
class Flatten(Module):
    """The dimensions from start_dim to end_dim as one: (N, C, H, W) to (N, C H W) by default."""

    start_dim: int = 1
    end_dim: int = -1

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)


class Unflatten(Module):
    """One dimension as several: the inverse of `Flatten`.

    dim: which. unflattened_size: the lengths, of which one may be -1. TypeError if it is not a
    tuple or list of ints.
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            kind = type(unflattened_size).__name__
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {kind}")
        for i, length in enumerate(unflattened_size):
            if not isinstance(length, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(length).__name__} at pos {i}"
                )
        if not isinstance(dim, int):
            raise TypeError(
                f"dim must be an int (named dimensions are not supported), but found {dim!r}"
            )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
