"""How sums are taken: fast, and accurate whatever the axis. What `sum`, `mean`, `var` and gradients
of broadcasts use.

NumPy adds pairwise only along the axis that is contiguous; along others its float32 error grows
with the number of rows (a million rows of 0.1 come out 1 % wrong), and short rows cost it a loop
each. Products with a vector of ones are faster by up to 30 times, and as accurate when no more than
256 rows are added at a time.
"""

import math
from typing import Any

import numpy as np

from .._core.library import KERNELS

__all__ = ["add_reduce", "extreme", "wide"]

_ROWS, _COLUMNS = 256, 4096
_add: Any = np.add.reduce
_ONES = {char: np.ones(_COLUMNS, char) for char in "fd"}


_SUM, _AMAX, _AMIN = (KERNELS.setdefault(name, {}) for name in ("sum", "amax", "amin"))


def _by_kernel(kernels: dict[type, Any], array: Any, dim: Any, keepdim: bool) -> Any:
    """What a device's kernel gives; NotImplemented where there is none for this array."""
    run = kernels.get(array.__class__)
    return NotImplemented if run is None else run(array, dim, keepdim)


def wide(array: Any) -> Any:
    """Half types as float32, in which they are accumulated and compared; others as they are."""
    return (
        array.astype(np.float32)
        if array.dtype.itemsize == 2 and array.dtype.kind not in "iu"
        else array
    )


def extreme(xp: Any, largest: bool, array: Any, dim: Any, keepdim: bool = False) -> Any:
    """The largest or smallest over `dim` (None, an int or a tuple, counted from the front)."""
    if xp is np:
        return (xp.maximum if largest else xp.minimum).reduce(array, dim, None, None, keepdim)
    out = _by_kernel(_AMAX if largest else _AMIN, array, dim, keepdim)
    if out is not NotImplemented:
        return out
    return (xp.amax if largest else xp.amin)(array, dim, None, keepdim)


def add_reduce(xp: Any, array: Any, dim: Any, keepdim: bool) -> Any:
    """Sum over `dim` (None, an int or a tuple, counted from the front). Integers as int64; half
    types in float32.
    """
    if xp is not np:
        out = _by_kernel(_SUM, array, dim, keepdim)
        if out is not NotImplemented:
            return out
    dtype = array.dtype
    if dtype.char not in "fd":
        return _other_types(xp, array, dim, keepdim)
    shape, ndim = array.shape, array.ndim
    if dim.__class__ is int:
        dim = (dim,)
    if xp is np and array.size:
        if dim is None or len(dim) == ndim:
            if ndim < 2 or array.flags.forc:
                return _add(array, None, None, None, keepdim)
            out = _add(array.ravel("K"))
            return out.reshape((1,) * ndim) if keepdim else out
        if ndim == 2 and array.flags.c_contiguous:
            out = _rows(array) if dim[0] == 0 else _columns(array)
            return (out[None] if dim[0] == 0 else out[:, None]) if keepdim else out
        out = _grouped(array, sorted(dim))
        if out is not None:
            return (
                out.reshape(tuple([1 if d in dim else n for d, n in enumerate(shape)]))
                if keepdim
                else out
            )
        if dtype.char == "f" and math.prod(shape[d] for d in dim) > _ROWS:
            return _add(array, dim, np.float64, None, keepdim).astype(dtype)
    return xp.add.reduce(array, dim, None, None, keepdim)


def _other_types(xp: Any, array: Any, dim: Any, keepdim: bool) -> Any:
    dtype = array.dtype
    if dtype.kind in "biu":
        if dtype.kind == "b" and dim is None and xp is np and not keepdim:
            return np.asarray(np.count_nonzero(array))
        return xp.add.reduce(array, dim, np.int64, None, keepdim)
    if dtype.kind == "c":
        if dtype.char == "F" and dim is not None:
            return xp.add.reduce(array, dim, np.complex128, None, keepdim).astype(dtype)
        return xp.add.reduce(array, dim, None, None, keepdim)
    return add_reduce(xp, array.astype(np.float32), dim, keepdim).astype(dtype)


def _rows(array: Any) -> Any:
    """The sum of the rows of a contiguous matrix: 256 at a time."""
    n, ones = len(array), _ONES[array.dtype.char]
    if n <= _ROWS:
        return ones[:n] @ array
    k = n // _ROWS
    part = _rows((ones[:_ROWS] @ array[: k * _ROWS].reshape(_ROWS, -1)).reshape(k, -1))
    return part if k * _ROWS == n else part + _rows(array[k * _ROWS :])


def _columns(array: Any) -> Any:
    """The sum of each row of a contiguous matrix."""
    n = array.shape[1]
    return array @ _ONES[array.dtype.char][:n] if n <= _COLUMNS else _add(array, 1)


def _grouped(array: Any, dims: list[int]) -> Any:
    """A contiguous array summed over runs of neighbouring dimensions, the last run first; None for
    other arrays.
    """
    if not array.flags.c_contiguous:
        if array.flags.f_contiguous:
            out = _grouped(array.T, [array.ndim - 1 - d for d in reversed(dims)])
            return out if out is None else out.T
        return None
    shape = list(array.shape)
    while dims:
        stop = dims.pop() + 1
        start = stop - 1
        while dims and dims[-1] == start - 1:
            start = dims.pop()
        a, n, b = math.prod(shape[:start]), math.prod(shape[start:stop]), math.prod(shape[stop:])
        if b == 1:
            array = _columns(array.reshape(a, n))
        elif a == 1:
            array = _rows(array.reshape(n, b))
        elif n <= _ROWS:
            array = np.matmul(_ONES[array.dtype.char][:n], array.reshape(a, n, b))
        else:
            array = _add(array.reshape(a, n, b), 1, np.float64).astype(array.dtype)
        del shape[start:stop]
    return array.reshape(shape)
