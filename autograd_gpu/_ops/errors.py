"""PyTorch's errors for what NumPy says in its own words."""

from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.errors import OutOfMemoryError
from .._core.layout import dim_error
from .._core.library import explained

__all__ = ["explain", "needs", "not_implemented", "two_devices", "wrong_type"]


def explain(op: Any, arrays: list, error: Exception) -> Exception | None:
    """The error to raise instead of one that a forward raised; None to leave it."""
    of_cuda = explained(f"{op.name}()", error)
    if of_cuda is not None:
        return of_cuda
    if isinstance(error, np.exceptions.AxisError):
        return dim_error(error.axis or 0, error.ndim or 0)
    if isinstance(error, MemoryError) and not isinstance(error, OutOfMemoryError):
        return OutOfMemoryError(f"{op.name}(): {error}")
    if isinstance(error, ValueError) and op.broadcasts:
        shapes = [a.shape for a in arrays if hasattr(a, "shape")]
        return mismatch(shapes)
    return None


def mismatch(shapes: list[tuple]) -> RuntimeError | None:
    """The error for shapes that do not broadcast; None if they do."""
    for i, a in enumerate(shapes):
        for b in shapes[i + 1 :]:
            ndim = max(len(a), len(b))
            for d in range(-1, -min(len(a), len(b)) - 1, -1):
                if a[d] != b[d] and 1 not in (a[d], b[d]):
                    return RuntimeError(
                        f"The size of tensor a ({a[d]}) must match the size of tensor b ({b[d]}) "
                        "at non-singleton "
                        f"dimension {ndim + d}"
                    )
    return None


def two_devices(op: Any, first: Any, second: Any) -> RuntimeError:
    """An op was given tensors that are not on one device."""
    return RuntimeError(
        f"{op.name}(): Expected all tensors to be on the same device, but found at least two "
        f"devices, {first} and {second}!"
    )


def wrong_type(op: Any, value: Any, name: str, wanted: str = "Tensor") -> TypeError:
    """The TypeError for an argument that is no tensor."""
    place = op.params.index(name) + 1 if name in op.params else 1
    return TypeError(
        f"{op.name.lstrip('_')}(): argument '{name}' (position {place}) must be {wanted}, not "
        f"{type(value).__name__}"
    )


def not_implemented(kernel: str, dtype: np.dtype) -> NotImplementedError:
    """The error for a dtype that a function does not compute with."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{of(dtype).legacy}'")


def needs(name: str, array: Any, kinds: str) -> None:
    """NotImplementedError for an array of a dtype of another kind (NumPy's letters)."""
    if array.dtype.kind not in kinds and of(array.dtype).name != "bfloat16":
        raise not_implemented(f"{name}_cpu", array.dtype)
