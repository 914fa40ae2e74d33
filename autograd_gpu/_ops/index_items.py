"""What stands between the brackets of `x[...]`: its parts, their dimensions, and errors.

Nothing here computes.
"""

import warnings
from typing import Any

import numpy as np

from .._core.library import RAW
from .._core.tensor import Tensor
from ..autograd.views import edge_of

__all__ = ["as_tuple", "basic_key", "checked_slice", "explained", "read_item", "width_of"]


def checked_slice(key: slice) -> slice:
    """The slice. ValueError for a step of zero or less."""
    step = key.step
    if step is not None and step.__index__() <= 0:
        raise ValueError(
            "step must be greater than zero" if step.__index__() else "slice step cannot be zero"
        )
    return key


def as_tuple(index: Any) -> tuple:
    """The index as a tuple. A list that holds slices, None, Ellipsis, sequences or tensors counts
    as one.
    """
    if index.__class__ is tuple:
        return index
    if isinstance(index, tuple):
        return tuple(index)
    if isinstance(index, (list, range)) and len(index) < 32 and any(_structured(i) for i in index):
        warnings.warn(
            "indexing with a list that holds slices, sequences or tensors means x[tuple(list)] "
            "here and is deprecated; write x[tuple(list)]",
            UserWarning,
            stacklevel=4,
        )
        return tuple(index)
    return (index,)


def _structured(item: Any) -> bool:
    return (
        item is None
        or item is Ellipsis
        or isinstance(item, (slice, list, tuple, Tensor, np.ndarray))
    )


def basic_key(index: tuple) -> tuple | None:
    """The index with an Ellipsis in it, so that NumPy gives a view always; None where there are
    arrays and the like.
    """
    dots = False
    for item in index:
        kind = item.__class__
        if kind is slice:
            checked_slice(item)
        elif item is Ellipsis and not dots:
            dots = True
        elif kind is not int and item is not None:
            return None
    return index if dots else (*index, ...)


def width_of(item: Any) -> int:
    """How many dimensions an item takes."""
    if item is None or item is Ellipsis or item.__class__ is bool:
        return 0
    if item.__class__ in (int, slice):
        return 1
    return item.ndim if item.dtype.char == "?" else 1


def read_item(item: Any) -> Any:
    """An int, bool, slice, None, Ellipsis, or an array of integers or bools."""
    if item is None or item is Ellipsis or item.__class__ in (int, slice, bool):
        return item
    if isinstance(item, Tensor):
        edge_of(item)
        return _array_item(item._array)
    if item.__class__ in RAW or isinstance(item, np.ndarray):
        return _array_item(item)
    if isinstance(item, (list, tuple, range)):
        return _list_item(item)
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(item, "__index__"):
        return item.__index__()
    name = (
        type(item).__name__
        if type(item).__module__ == "builtins"
        else f"{type(item).__module__}.{type(item).__name__}"
    )
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {name})"
    )


def _array_item(array: Any) -> Any:
    char = array.dtype.char
    if char == "B":
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool "
            "instead.",
            UserWarning,
            stacklevel=5,
        )
        array, char = array.astype(bool), "?"
    if array.ndim == 0 and array.dtype.kind in "bi":
        return bool(array) if char == "?" else int(array)
    if char not in "?liq":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return array


def _list_item(item: Any) -> Any:
    array = np.asarray(_plain(item))
    if array.dtype.kind not in "bifu":
        raise TypeError(f"cannot use {item!r} as an index")
    return array if array.dtype.kind == "b" else array.astype(np.int64)


def _plain(item: Any) -> Any:
    if isinstance(item, (list, tuple, range)):
        return [_plain(i) for i in item]
    return item._array if isinstance(item, Tensor) else item


def explained(shape: tuple, index: Any, error: IndexError) -> Exception:
    """PyTorch's words for an IndexError that came of `index` on a tensor of this shape."""
    text = str(error)
    if not shape and isinstance(index, slice):
        return IndexError("slice() cannot be applied to a 0-dim tensor.")
    if not shape and (index.__class__ is int or isinstance(index, np.integer)):
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` "
            "in C++ to convert a 0-dim tensor to a number"
        )
    if not text or "too many indices" in text:
        return IndexError(f"too many indices for tensor of dimension {len(shape)}")
    if "could not be broadcast together" in text:
        shapes = [
            s.strip(" ,").split(",")
            for s in text.rpartition("shapes ")[2].replace("(", "").split(")")
            if s.strip()
        ]
        listed = ", ".join(f"[{', '.join(n for n in s if n)}]" for s in shapes)
        return IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
        )
    if "axis" in text or "fit" in text:
        return _misplaced(shape, index) or IndexError(text.replace("for axis", "for dimension"))
    return error


def _misplaced(shape: tuple, index: Any) -> Exception | None:
    """The error for the first integer or mask that does not fit its dimension."""
    items = [read_item(i) for i in as_tuple(index)]
    named = sum(width_of(i) for i in items)
    dim = 0
    for item in items:
        if item.__class__ is int and not -(2**63) <= item < 2**63:
            return ValueError("Overflow when unpacking long long")
        if item.__class__ is int and not -shape[dim] <= item < shape[dim]:
            return IndexError(
                f"index {item} is out of bounds for dimension {dim} with size {shape[dim]}"
            )
        if hasattr(item, "dtype") and item.dtype.char == "?":
            for i, n in enumerate(item.shape):
                if n != shape[dim + i]:
                    return IndexError(
                        f"The shape of the mask {list(item.shape)} at index {i} does not match the "
                        f"shape of the indexed tensor {list(shape)} at index {dim + i}"
                    )
        dim += len(shape) - named if item is Ellipsis else width_of(item)
    return None
