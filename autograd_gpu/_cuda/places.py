"""What `x[places]` means as lines: (blocks, length, row) of an array and one vector of numbers."""

import math
from typing import Any, NamedTuple

import numpy as np

from .._core.library import Library

__all__ = ["Lines", "lines_of", "masks_alone", "numbers", "one_by_one", "spread"]

_WHOLE = slice(None)


class Lines(NamedTuple):
    """x seen as (blocks, length, row); `index`, a vector of int64, names lines of every block;
    `shape` is that of x[places]. A negative number counts from the end."""

    blocks: int
    length: int
    row: int
    index: Any
    shape: tuple[int, ...]


def lines_of(xp: Library, size: tuple[int, ...], places: tuple) -> Lines | None:
    """The lines of an array of this size that places name: None where they are masks alone or part
    of a dimension, or where arrays stand apart (`x[i, :, j]`, whose dimensions come first).

    IndexError for arrays that do not broadcast."""
    spread = _without_masks(xp, places)
    if spread is None:
        return None
    named = [k for k, p in enumerate(spread) if p.__class__ is not slice]
    first, last = named[0], named[-1] + 1
    if last - first != len(named):
        return None
    index = _linear(xp, spread[first:last], size[first:last])
    shape = (*size[:first], *index.shape, *size[last:])
    return Lines(
        math.prod(size[:first]), math.prod(size[first:last]), math.prod(size[last:]),
        xp.ascontiguousarray(index.reshape(-1)), shape,
    )  # fmt: skip


def _without_masks(xp: Library, places: tuple) -> list | None:
    """The places with the numbers of what is True for each mask beside arrays of integers."""
    if masks_alone(places) or any(p.__class__ is slice and p != _WHOLE for p in places):
        return None
    out: list[Any] = []
    for p in places:
        out += xp.nonzero(p) if p.__class__ is not slice and p.dtype.char == "?" else (p,)
    return out


def _linear(xp: Library, arrays: list, lengths: tuple[int, ...]) -> Any:
    """Arrays of integers for several dimensions as one, of places in row-major order."""
    if len(arrays) == 1:
        return arrays[0].astype(np.int64, copy=False)
    try:
        np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        shapes = " ".join(str(a.shape) for a in arrays)
        raise IndexError(
            f"shape mismatch: indexing arrays could not be broadcast together with shapes {shapes}"
        ) from None
    total: Any = 0
    for array, n in zip(arrays, lengths, strict=True):
        total = total * n + numbers(xp, array, n)
    return total


def numbers(xp: Library, index: Any, length: int) -> Any:
    """Indices as int64, those from the end counted from the front."""
    index = index.astype(np.int64, copy=False)
    return xp.where(index < 0, index + length, index)


def masks_alone(places: tuple) -> bool:
    """Are there masks only, which name no element twice?"""
    return all(p.__class__ is slice or p.dtype.char == "?" for p in places)


def one_by_one(xp: Library, size: tuple[int, ...], places: tuple) -> Lines:
    """Each element that places name, for those which name no lines."""
    index = xp.arange(math.prod(size)).reshape(size)[places]
    return Lines(1, math.prod(size), 1, xp.ascontiguousarray(index.reshape(-1)), index.shape)


def spread(xp: Library, values: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Values of a shape and dtype, contiguous. ValueError where they do not broadcast."""
    if not hasattr(values, "dtype") or isinstance(values, np.generic):
        return xp.full(shape, values, dtype)
    wide = xp.broadcast_to(values, shape).astype(dtype, copy=False)
    return xp.ascontiguousarray(wide)
