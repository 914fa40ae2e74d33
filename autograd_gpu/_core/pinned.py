"""Page-locked host memory, from which a device copies while the program goes on."""

import math
from typing import Any

import numpy as np

from .device import cuda, cuda_status
from .layout import owner
from .tensor import Tensor, make

__all__ = ["is_pinned", "pin_memory"]


def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Is it in page-locked memory?"""
    if self._array.__class__ is not np.ndarray:
        return False
    base = owner(self._array).base
    return type(getattr(base, "obj", base)).__name__ == "PinnedMemoryPointer"


def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """A copy in page-locked memory, from where `to("cuda", non_blocking=True)` does not wait;
    itself where it lies there already. RuntimeError for a tensor that is not on the CPU, and where
    there is no CUDA device."""
    if self._array.__class__ is not np.ndarray:
        raise RuntimeError(
            f"cannot pin '{self.type()}' only dense CPU tensors can be pinned"  # type: ignore[attr-defined]
        )
    if is_pinned(self):
        return self
    available, why = cuda_status()
    if not available:
        raise RuntimeError(
            f"Cannot access accelerator device when none is available: pin_memory() needs CUDA, "
            f"and {why}"
        )
    array = self._array
    memory = cuda().module.cuda.alloc_pinned_memory(max(array.nbytes, 1))
    out = np.frombuffer(memory, array.dtype, math.prod(array.shape)).reshape(array.shape)
    out[...] = array
    return make(out)


def _bind() -> None:
    t: Any = Tensor
    t.is_pinned, t.pin_memory = is_pinned, pin_memory


_bind()
