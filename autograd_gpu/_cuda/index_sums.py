"""Adding and reducing at integers that may repeat."""

from typing import Any

import numpy as np

from .._core import determinism
from .._core.library import Library
from .launch import blocks, kernel, key, launch
from .places import Lines, lines_of, masks_alone, numbers, one_by_one, spread

__all__ = ["add_at", "reduce_at"]


@kernel("index_add")
def add_at(xp: Library, out: Any, places: tuple, values: Any) -> Any:
    """y[b, index[k], r] += v[b, k, r]"""
    if masks_alone(places):
        return NotImplemented
    lines = lines_of(xp, out.shape, places) or one_by_one(xp, out.shape, places)
    values = spread(xp, values, lines.shape, out.dtype)
    if not values.size:
        return out
    target = xp.ascontiguousarray(out)
    if target.dtype.kind == "c":
        parts = target.dtype.char.lower()
        lines = lines._replace(row=lines.row * 2)
        flat = target.reshape(-1).view(parts), lines, values.reshape(-1).view(parts)
        _reduce(xp, "index_add", "sum", *flat)
    else:
        _reduce(xp, "index_add", "sum", target, lines, values)
    if target is not out:
        out[...] = target
    return out


@kernel("index_reduce")
def reduce_at(xp: Library, flat: Any, places: Any, values: Any, reduce: str) -> Any:
    """y[index[k]] = F(y[index[k]], v[k])"""
    if not flat.flags.c_contiguous:
        return NotImplemented
    index = places.reshape(-1).astype(np.int64, copy=False)
    lines = Lines(1, flat.size, 1, index, values.shape)
    if values.size and flat.dtype.kind == "c":
        _multiply_in_turn(xp, flat, index, values)
    elif values.size:
        _reduce(xp, "index_reduce", reduce, flat, lines, xp.ascontiguousarray(values))
    return flat


def _multiply_in_turn(xp: Library, flat: Any, index: Any, values: Any) -> None:
    """Complex numbers: the first of every element's factors, then the second, ..."""
    order = xp.argsort(index, kind="stable")
    ordered = index[order]
    counts = xp.bincount(ordered)
    turn = xp.arange(index.size) - (xp.cumsum(counts) - counts)[ordered]
    for k in range(int(counts.max())):
        taken = order[turn == k]
        flat[index[taken]] *= values[taken]




def _reduce(xp: Library, name: str, reduce: str, out: Any, lines: Lines, values: Any) -> None:
    """Into `out`, which is contiguous. Half types are added up in float32, small integers in
    int32, and rounded once."""
    kind = out.dtype.kind
    wide: Any = None
    if out.dtype.itemsize == 2 and kind not in "iu":
        wide = np.float32
    elif kind in "biu" and out.dtype.itemsize < 4:
        wide, values = np.int32, values.astype(np.int32)
    total = out if wide is None else out.astype(wide)
    if determinism.demanded() and kind not in "biu" or reduce != "sum":
        _sorted(xp, name, reduce, total, lines, values)
    else:
        launch(
            xp, name, "atomic", key(values.dtype), blocks(values.size), 256, values, lines.index,
            total, lines.blocks, lines.length, lines.row, lines.index.size,
        )  # fmt: skip
    if wide is not None:
        out[...] = total.astype(out.dtype)


def _sorted(xp: Library, name: str, reduce: str, out: Any, lines: Lines, values: Any) -> None:
    """The values of one line side by side, taken in their order: always the same sum."""
    index = numbers(xp, lines.index, lines.length)
    order = xp.argsort(index, kind="stable")
    form = "columns" if reduce == "sum" and lines.row >= 32 else "warps"
    threads = values.size * (1 if form == "columns" else 32)
    launch(
        xp, name, ("sorted" if reduce == "sum" else reduce) + "_" + form, key(values.dtype),
        blocks(threads), 256, values, index[order], order, out, lines.blocks, lines.length,
        lines.row, index.size,
    )  # fmt: skip
