"""Indexing by CuPy's rules: what lies outside wraps around, nothing becomes a scalar."""

from typing import Any

import numpy as np

from . import calls
from .arrays import fresh, ndarray, view_of

__all__ = ["get", "host_key", "put", "take", "value_of"]

def _is_mask(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype == np.bool_


def _arrays(key: Any, found: list[ndarray]) -> list[Any]:
    """The parts of an index: slices, None, Ellipsis, whole numbers and host arrays."""
    parts = list(key) if isinstance(key, tuple) else [key]
    out: list[Any] = []
    for part in parts:
        if part.__class__ is ndarray:
            found.append(part)
            part = part._host
        elif isinstance(part, (list, tuple)):
            part = np.array(calls.unwrap([part], found)[0])
            part = part.astype(np.int64) if part.size == 0 else part
        if isinstance(part, np.ndarray) and part.dtype.kind not in "biu":
            raise IndexError("arrays used as indices must be of integer (or boolean) type")
        out.append(part)
    return out


def wrapped(index: np.ndarray, size: int) -> np.ndarray:
    """Indices modulo a dimension's length, as CuPy takes them."""
    return np.mod(index, size) if size else index


def host_key(shape: tuple[int, ...], key: Any, found: list[ndarray]) -> tuple[Any, ...]:
    """An index for NumPy, with every index of an array within its dimension."""
    parts = _arrays(key, found)
    taken = sum(p.ndim if _is_mask(p) else 1 for p in parts if p is not None and p is not ...)
    out: list[Any] = []
    axis = 0
    for part in parts:
        if part is ...:
            axis += len(shape) - taken
        elif _is_mask(part):
            axis += part.ndim
        elif part is not None:
            if isinstance(part, np.ndarray) and axis < len(shape):
                part = wrapped(part, shape[axis])
            axis += 1
        out.append(part)
    if not any(p is ... for p in out):
        out.append(...)
    return tuple(out)


def _by_arrays(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(p, np.ndarray) for p in parts)


def get(self: ndarray, key: Any) -> ndarray:
    """`self[key]`: a view where the index has no array in it, else a copy."""
    calls.record("ndarray.__getitem__", (self, key), {})
    found = [self]
    result = self._host[host_key(self._host.shape, key, found)]
    if len(found) > 1 or _by_arrays(key):  # one without dimensions, too, makes a copy
        result = result.copy()
    if calls.is_view(result, found[:1]):
        return view_of(self, result)
    calls.used(found)
    return fresh(np.ascontiguousarray(result).reshape(result.shape))


def value_of(value: Any, found: list[ndarray]) -> Any:
    """What is to be written, as NumPy takes it. ValueError for an array of NumPy's and a list."""
    if value.__class__ is ndarray:
        found.append(value)
        return value._host
    if isinstance(value, (list, tuple)) or isinstance(value, np.ndarray) and value.ndim:
        raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
    return value


def put(self: ndarray, key: Any, value: Any) -> None:
    """`self[key] = value`."""
    calls.record("ndarray.__setitem__", (self, key, value), {})
    found = [self]
    where = host_key(self._host.shape, key, found)
    value = value_of(value, found)
    calls.used(found)
    with np.errstate(all="ignore"):
        self._host[where] = value


def take(host: np.ndarray, indices: Any, axis: int | None = None, out: Any = None) -> Any:
    """NumPy's `take`, where what lies outside wraps around."""
    size = host.size if axis is None else host.shape[axis]
    return np.take(host, wrapped(np.asarray(indices), size), axis, out)
