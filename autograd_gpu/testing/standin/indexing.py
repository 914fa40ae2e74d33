"""Indexing by CuPy's rules: what lies outside wraps around, nothing becomes a scalar."""

from typing import Any

import numpy as np

from . import calls
from .arrays import fresh, ndarray, view_of

__all__ = ["get", "put", "scatter", "take"]

_SCATTERED = {
    "scatter_add": np.add, "scatter_max": np.maximum, "scatter_min": np.minimum,
}  # fmt: skip


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


def _host_key(shape: tuple[int, ...], key: Any, found: list[ndarray]) -> tuple[Any, ...]:
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


def get(self: ndarray, key: Any) -> ndarray:
    """`self[key]`: a view where the index has no array in it, else a copy."""
    calls.record("ndarray.__getitem__", (self, key), {})
    found = [self]
    result = self._host[_host_key(self._host.shape, key, found)]
    if calls.is_view(result, found[:1]):
        return view_of(self, result)
    calls.used(found)
    return fresh(np.ascontiguousarray(result).reshape(result.shape))


def _value(value: Any, found: list[ndarray]) -> Any:
    if value.__class__ is ndarray:
        found.append(value)
        return value._host
    if isinstance(value, np.ndarray) and value.ndim:
        raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
    return value


def put(self: ndarray, key: Any, value: Any) -> None:
    """`self[key] = value`."""
    calls.record("ndarray.__setitem__", (self, key, value), {})
    found = [self]
    host_key = _host_key(self._host.shape, key, found)
    value = _value(value, found)
    calls.used(found)
    with np.errstate(all="ignore"):
        self._host[host_key] = value


def scatter(self: ndarray, name: str, key: Any, value: Any) -> None:
    """`scatter_add`, `scatter_max`, `scatter_min`: repeated indices all count."""
    calls.record("ndarray." + name, (self, key, value), {})
    found = [self]
    host_key = _host_key(self._host.shape, key, found)
    value = _value(value, found)
    calls.used(found)
    with np.errstate(all="ignore"):
        _SCATTERED[name].at(self._host, host_key, value)


def take(host: np.ndarray, indices: Any, axis: int | None = None, out: Any = None) -> Any:
    """NumPy's `take`, where what lies outside wraps around."""
    size = host.size if axis is None else host.shape[axis]
    return np.take(host, wrapped(np.asarray(indices), size), axis, out)
