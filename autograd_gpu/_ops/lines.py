"""What kernels do of indexing, in NumPy's words: reading and writing at integers, and the check of
their range. Adding at integers is in `accumulate`."""

from typing import Any

import numpy as np

from .._core.device import library
from .declare import composite

__all__ = ["first_bad", "outside", "put_at", "read_at"]


@composite(kernel="index_select")
def read_at(input, places):
    """input[places], contiguous. `places`: whole slices, and arrays of integers that are in range
    or masks."""
    last, before = places[-1], len(places) - 1
    lines = last.__class__ is not slice and last.dtype.char != "?" and input.flags.c_contiguous
    if lines and before < input.ndim and all(p.__class__ is slice for p in places[:before]):
        return input.take(last, before)  # twice as fast where rows are long
    out = input[places]
    return out if out.flags.c_contiguous else library(out).ascontiguousarray(out)


@composite(kernel="index_put")
def put_at(array, places, values):
    """array[places] = values, in place; of several values for one element the last stays."""
    array[places] = values


@composite(kernel="index_last")
def last_named(index, length):
    """For each number below `length` the largest k where index[k] is this number, or -1; as int32.

    What `put_at` needs where many threads write at once."""
    out = library(index).full(length, -1, np.int32)
    out[index] = library(index).arange(len(index), dtype=np.int32)
    return out


@composite(kernel="index_check")
def first_bad(index, low, high):
    """The smallest k for which index.reshape(-1)[k] is not in [low, high); its size if there is
    none."""
    bad = ((index < low) | (index >= high)).reshape(-1)
    return int(bad.argmax()) if bad.any() else index.size


def outside(index: Any, low: int, high: int) -> int | None:
    """The first number of an index that is not in [low, high), or None.

    A CUDA device would read and write elsewhere without a word, so every op that takes indices asks
    this; the answer costs a wait for the device. `cuda.check_indices(False)` turns it off there.
    """
    if index.__class__ is np.ndarray:
        bad = (index < low) | (index >= high)
        return int(index[bad].reshape(-1)[0]) if bad.any() else None
    if not index.size or not library(index).check_indices:
        return None
    k = first_bad(index, low, high)
    return None if k == index.size else int(index.reshape(-1)[k])
