"""What `x[places]` means as lines: (blocks, length, row) of an array and one vector of numbers."""

import math
from typing import Any, NamedTuple

import numpy as np

from .._core.library import Library

__all__ = ["Lines", "lines_of", "numbers"]

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
    masks = [p for p in places if p.__class__ is not slice and p.dtype.char == "?"]
    whole = all(p == _WHOLE for p in places if p.__class__ is slice)
    if not whole or len(masks) == sum(p.__class__ is not slice for p in places):
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
