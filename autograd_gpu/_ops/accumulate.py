"""Adding at indices that may repeat: what backward formulas of indexing, gather and embedding end
in.
"""

import math
from typing import Any

import numpy as np

from .declare import composite

__all__ = ["add_at", "add_rows"]


@composite(kernel="index_add")
def add_at(out, places, values):
    """out[places] += values, in place, where an element that is named k times gets k values.

    `places`: slices and, side by side or apart, arrays of integers; or masks, which name no element
    twice.
    """
    advanced = [i for i, p in enumerate(places) if p.__class__ is not slice]
    if all(places[i].dtype.char == "?" for i in advanced):
        out[places] += values
        return
    adjacent = advanced[-1] - advanced[0] == len(advanced) - 1
    whole = all(p == slice(None) for p in places if p.__class__ is slice)
    mixed = any(places[i].dtype.char == "?" for i in advanced)
    if not adjacent or not whole or mixed or not out.flags.c_contiguous:
        np.add.at(out, places, values)
        return
    first, last = advanced[0], advanced[-1] + 1
    head, size, tail = out.shape[:first], out.shape[first:last], out.shape[last:]
    index = _linear(places[first:last], size)
    values = np.broadcast_to(values, (*head, *index.shape, *tail))
    blocks, length, row = math.prod(head), math.prod(size), math.prod(tail)
    index = index.reshape(-1)
    if blocks != 1:
        index = (np.arange(blocks)[:, None] * length + index).reshape(-1)
    if out.size and index.size:
        add_rows(out.reshape(blocks * length, row), index, values.reshape(len(index), row))


def _linear(indices: tuple, size: tuple[int, ...]) -> Any:
    """Integer arrays for several dimensions as one array of places in row-major order; negative
    ones count back.
    """
    total: Any = 0
    for index, n in zip(indices, size, strict=True):
        if index.size and int(index.min()) < 0:
            index = np.where(index < 0, index + n, index)
        total = total * n + index
    return total


def add_rows(out: Any, index: Any, values: Any) -> None:
    """out[index[k]] += values[k] for every k, for matrices; no index is negative.

    Single numbers are counted with weights, in float64. Longer rows are brought together by index:
    the second of each group is added to the first, then the third, ..., for all groups at once.
    NumPy's `add.at` takes 5 to 20 times as long.
    """
    kind = out.dtype.kind
    if len(index) <= 16:
        for k, row in zip(index.tolist(), values, strict=True):
            out[k] += row
    elif out.shape[1] == 1 and kind in "fc" and len(index) * 16 > len(out):
        out[:, 0] += _count(index, values[:, 0], len(out)).astype(out.dtype)
    elif out.dtype.itemsize == 2 and kind not in "iu":
        wide = np.zeros(out.shape, np.float32)
        add_rows(wide, index, values.astype(np.float32))
        out += wide.astype(out.dtype)
    else:
        _add_groups(out, index, values)


# Members of a group that are added one by one; what is left of a large group is summed at once.
_DEPTH = 32


def _add_groups(out: Any, index: Any, values: Any) -> None:
    small = index.astype(np.uint16) if len(out) < 1 << 16 else index  # those are sorted by radix
    order = np.argsort(small, kind="stable")
    ordered = index[order]
    fresh = np.empty(len(ordered), bool)
    fresh[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    starts = np.flatnonzero(fresh)
    if len(starts) == len(index):
        out[index] += values
        return
    counts = np.diff(starts, append=len(index))
    largest = np.argsort(-counts, kind="stable")
    starts, counts = starts[largest], counts[largest]
    total = values.take(order[starts], 0)
    for k in range(1, min(int(counts[0]), _DEPTH)):
        having = int(np.searchsorted(-counts, -k))  # so many groups have more than k members
        total[:having] += values.take(order[starts[:having] + k], 0)
    for group in range(int(np.searchsorted(-counts, -_DEPTH))):
        rest = order[starts[group] + _DEPTH : starts[group] + counts[group]]
        total[group] += np.ones(len(rest), out.dtype) @ values.take(rest, 0)
    out[ordered[starts]] += total


def _count(index: Any, column: Any, length: int) -> Any:
    if column.dtype.kind == "c":
        return np.bincount(index, column.real, length) + 1j * np.bincount(
            index, column.imag, length
        )
    return np.bincount(index, column.astype(np.float64), length)
