"""`view(dtype)`: the same bytes as another type."""

from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.layout import offset
from .._core.tensor import Tensor

__all__ = ["seen_as"]


def seen_as(input: Tensor, dtype: Any) -> Tensor:
    """The same bytes as another type: no history, as PyTorch has it, but the same version."""
    array, wanted = input._array, dtype.numpy
    if wanted.itemsize != array.itemsize:
        _check_bytes(array, wanted)
    out = input.detach()  # type: ignore[attr-defined]
    out._array = array.view(wanted)
    return out


def _check_bytes(array: Any, dtype: np.dtype) -> None:
    """PyTorch's errors for elements of another size."""
    rule = f"to view {of(array.dtype).legacy} as {of(dtype).legacy} (different element sizes)"
    if not array.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {rule}")
    if array.strides[-1] != array.itemsize and array.shape[-1] > 1:
        step = array.strides[-1] // array.itemsize
        raise RuntimeError(f"self.stride(-1) must be 1 {rule}, but got {step}")
    ratio = dtype.itemsize // array.itemsize
    if ratio > 1:
        if array.shape[-1] % ratio:
            raise RuntimeError(
                f"self.size(-1) must be divisible by {ratio} {rule}, but got {array.shape[-1]}"
            )
        if offset(array) % ratio:
            raise RuntimeError(
                f"self.storage_offset() must be divisible by {ratio} {rule}, but got "
                f"{offset(array)}"
            )
