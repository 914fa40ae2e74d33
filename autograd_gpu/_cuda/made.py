"""Functions of `xp` that make arrays, through the kernels that fill and copy: CuPy's own cost
several times as much of the host."""

from typing import Any

import numpy as np

from .._core.differences import replaces
from .._core.library import Library
from .convert import copy_into, fill_into

__all__ = ["ascontiguousarray", "full", "ones", "ones_like", "zeros", "zeros_like"]


def _filled(xp: Library, shape: Any, dtype: Any, value: Any) -> Any:
    out = xp.ndarray(shape, np.dtype(dtype))
    if fill_into(xp, out, value) is NotImplemented:
        out[...] = value
    return out


@replaces("zeros")
def zeros(xp: Library, shape: Any, dtype: Any = float) -> Any:
    """As NumPy's, row by row."""
    return _filled(xp, shape, dtype, 0)


@replaces("ones")
def ones(xp: Library, shape: Any, dtype: Any = float) -> Any:
    """As NumPy's, row by row."""
    return _filled(xp, shape, dtype, 1)


@replaces("full")
def full(xp: Library, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """As NumPy's, row by row."""
    if dtype is None:
        return xp.module.full(shape, fill_value)
    return _filled(xp, shape, dtype, fill_value)


@replaces("zeros_like")
def zeros_like(xp: Library, a: Any, dtype: Any = None) -> Any:
    """As NumPy's, row by row."""
    return _filled(xp, a.shape, dtype or a.dtype, 0)


@replaces("ones_like")
def ones_like(xp: Library, a: Any, dtype: Any = None) -> Any:
    """As NumPy's, row by row."""
    return _filled(xp, a.shape, dtype or a.dtype, 1)


@replaces("ascontiguousarray")
def ascontiguousarray(xp: Library, a: Any, dtype: Any = None) -> Any:
    """As NumPy's; the array itself where it lies row by row already. (CuPy's gives what has no
    dimensions one.)"""
    if a.__class__ is not xp.ndarray:
        return xp.module.ascontiguousarray(a, dtype)
    wanted = a.dtype if dtype is None else np.dtype(dtype)
    if a._c_contiguous and a.dtype == wanted:
        return a
    out = xp.ndarray(a.shape, wanted)
    if copy_into(xp, out, a) is NotImplemented:
        out[...] = a
    return out
