"""Batches in page-locked memory, for `DataLoader(pin_memory=True)`."""

from collections.abc import Mapping
from typing import Any

from ..._core.tensor import Tensor

__all__ = ["pinned"]


def pinned(batch: Any) -> Any:
    """The batch with every tensor in page-locked memory; what has a `pin_memory` method of its own
    decides itself."""
    if isinstance(batch, Tensor) or hasattr(batch, "pin_memory"):
        return batch.pin_memory()
    if isinstance(batch, Mapping):
        return {key: pinned(value) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(pinned, batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(map(pinned, batch))
    return batch
