"""Conversions, copies and fills: into new arrays, and into arrays of any strides."""

import math
from typing import Any

import numpy as np

from .._core.library import Library
from .elementwise import MANY, layout_of, number_type
from .launch import find, kernel, key

__all__ = ["cast", "clone", "copy_into", "fill", "fill_into"]

_BLOCK = (256,)
_LARGEST = 3.4028234663852886e38  # of float32
_CASTS = frozenset((
    "float32", "float64", "float16", "bfloat16", "int64", "int32", "bool", "uint8",
))  # fmt: skip


@kernel("cast")
def cast(xp: Library, input: Any, dtype: Any) -> Any:
    """The elements in another type, in the order of the input's memory."""
    return _converted(xp, input, np.dtype(dtype))


@kernel("clone")
def clone(xp: Library, input: Any, memory_format: Any = None) -> Any:
    """A copy, in the order of the input's memory."""
    return _converted(xp, input, input.dtype)


def _converted(xp: Library, input: Any, dtype: np.dtype) -> Any:
    if key(input.dtype) not in _CASTS or key(dtype) not in _CASTS:
        return NotImplemented
    plain = input._c_contiguous
    out = xp.ndarray(input.shape, dtype) if plain else xp.empty_like(input, dtype)
    if input.size and _copy(xp, out, input, plain) is NotImplemented:
        return NotImplemented
    return out


@kernel("copy_into")
def copy_into(xp: Library, target: Any, source: Any) -> Any:
    """Write an array, broadcast and converted, into another; that one."""
    if source.__class__ is not xp.ndarray or target is source or _overlap(target, source):
        return NotImplemented
    if key(source.dtype) not in _CASTS or key(target.dtype) not in _CASTS:
        return NotImplemented
    if source.shape != target.shape:
        source = xp.broadcast_to(source, target.shape)
    plain = target._c_contiguous and source._c_contiguous
    return _copy(xp, target, source, plain) if target.size else target


def _overlap(a: Any, b: Any) -> bool:
    """Might they share memory? Then the order of reading and writing would matter."""
    return a.data.mem is b.data.mem


def _copy(xp: Library, out: Any, source: Any, plain: bool) -> Any:
    n, pair = source.size, f"{key(source.dtype)}:{key(out.dtype)}"
    if plain:
        each = 256 * 16 // max(source.itemsize, out.itemsize)
        _run(xp, "cast", "packed", pair, out, -(-n // each), (out, np.int64(n), source))
        return out
    laid = layout_of((source, out), xp.ndarray)
    if laid is None or n >= MANY:
        return NotImplemented
    arguments = (out, np.int64(n), laid[2], source)
    _run(xp, "cast", "strided", pair, out, -(-n // 256), arguments)
    return out


@kernel("fill")
def fill(xp: Library, input: Any, value: Any) -> Any:
    """A new array of the input's shape with one number."""
    return fill_into(xp, xp.empty_like(input), value)


@kernel("fill_into")
def fill_into(xp: Library, target: Any, value: Any) -> Any:
    """Write one number everywhere into an array; that one. Declines what is no number, or not one
    of the array's type."""
    dtype = key(target.dtype)
    if dtype not in _CASTS or value.__class__ not in (int, float, bool):
        return NotImplemented
    if dtype == "float32" and _LARGEST < abs(value) < math.inf:  # the body refuses it
        return NotImplemented
    wide = np.dtype(np.int32) if dtype == "uint8" else target.dtype
    try:
        number = number_type(wide)(value)
    except (TypeError, ValueError, OverflowError):
        return NotImplemented
    n = target.size
    if not n:
        return target
    if target._c_contiguous:
        grid = -(-n // (256 * 16 // target.itemsize))
        _run(xp, "fill", "packed", dtype, target, grid, (target, np.int64(n), number))
        return target
    laid = layout_of((target,), xp.ndarray)
    if laid is None or n >= MANY:
        return NotImplemented
    arguments = (target, np.int64(n), laid[2], number)
    _run(xp, "fill", "strided", dtype, target, -(-n // 256), arguments)
    return target


def _run(
    xp: Library, name: str, form: str, dtype: str, out: Any, grid: int, arguments: tuple
) -> None:
    """Launch on the device of the arrays, which are known to be of the right types."""
    device = out.data.device_id if xp.several_devices else 0
    run = xp.instances.get((name, form, dtype, device)) or find(xp, name, form, dtype, device)
    if xp.several_devices and device != xp.current_device():
        with xp.device(device):
            run.function((grid,), _BLOCK, arguments)
    else:
        run.function((grid,), _BLOCK, arguments)
