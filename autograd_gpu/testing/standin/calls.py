"""How every operation of the stand-in goes: unwrap, refuse, compute with NumPy, wrap."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import lifetimes, streams
from .arrays import fresh, ndarray, root_of, view_of

__all__ = ["Recorder", "call", "record", "recorders", "unwrap", "used", "wrap"]

Recorder = Callable[[str, tuple[Any, ...], dict[str, Any]], None]
recorders: list[Recorder] = []
"""Each is told of every call: its name, arguments and keyword arguments."""


def record(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Tell whoever listens of a call."""
    for recorder in recorders:
        recorder(name, args, kwargs)


def unwrap(values: Sequence[Any], found: list[ndarray], numpy_too: bool = False) -> list[Any]:
    """Host arrays for device arrays, which are added to `found`, also within lists and tuples.
    TypeError for an array of NumPy's."""
    out: list[Any] = []
    for value in values:
        kind = value.__class__
        if kind is ndarray:
            found.append(value)
            out.append(value._host)
        elif kind is list or kind is tuple:
            out.append(kind(unwrap(value, found, numpy_too)))
        elif isinstance(value, np.ndarray) and not numpy_too:
            raise TypeError(f"Unsupported type {type(value)}")
        else:
            out.append(value)
    return out


def wrap(result: Any, found: Sequence[ndarray]) -> Any:
    """What NumPy returned as the stand-in's: one of the arrays of the call, a view of one, or a
    new array; every number of NumPy's is an array without dimensions."""
    if result.__class__ is np.ndarray:
        root = root_of(result)
        for array in found:
            if array._host is result:
                return array
        for array in found:
            if array._memory.root is root:
                return view_of(array, result)
        return fresh(result)
    if isinstance(result, np.generic):
        return fresh(np.array(result))
    if isinstance(result, tuple) and type(result) is not tuple:
        return type(result)(*(wrap(r, found) for r in result))
    if isinstance(result, (tuple, list)):
        return type(result)(wrap(r, found) for r in result)
    return result


def used(arrays: Sequence[ndarray]) -> None:
    """The current stream works on these arrays. ValueError for an array of another device."""
    here = streams.current_device()
    for array in arrays:
        there = array._memory.device_id
        if there != here:
            raise ValueError(
                f"The device where the array resides ({there}) is different from the current "
                f"device ({here}). Peer access is unavailable between these devices."
            )
    if lifetimes.is_on():
        stream = streams.current(here).key
        ticket = lifetimes.submit(stream)
        for array in arrays:
            owner = array._memory
            owner.users = {**(owner.users or {}), stream: ticket}


def is_view(result: Any, found: Sequence[ndarray]) -> bool:
    """Does a result share memory with an array of the call?"""
    if result.__class__ is not np.ndarray:
        return False
    root = root_of(result)
    return any(a._memory.root is root for a in found)


def call(
    name: str, compute: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
    numpy_too: bool = False, packed: bool = False,
) -> Any:  # fmt: skip
    """`compute(*args, **kwargs)` on host arrays. `name`: "" for a call that was recorded already.
    `numpy_too`: arrays of NumPy's may be arguments.
    `packed`: a new result is row-major whatever NumPy makes of it."""
    if recorders and name:
        record(name, args, kwargs)
    found: list[ndarray] = []
    hosts = unwrap(args, found, numpy_too)
    if kwargs:
        values = unwrap(list(kwargs.values()), found, numpy_too)
        kwargs = dict(zip(kwargs, values, strict=True))
    with np.errstate(all="ignore"):
        result = compute(*hosts, **kwargs)
    if found and not is_view(result, found):
        used(found)
        if packed:
            result = _row_major(result)
    elif lifetimes.is_on() and found:
        used(found)
    return wrap(result, found)


def _row_major(result: Any) -> Any:
    if result.__class__ is tuple:
        return tuple(map(_row_major, result))
    if result.__class__ is np.ndarray and not result.flags.c_contiguous:
        return result.copy("C")
    return result
