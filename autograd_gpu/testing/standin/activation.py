"""Putting the stand-in in CuPy's place, and listening to what is asked of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from . import calls, streams
from .arrays import ndarray

__all__ = ["Call", "activate", "described", "rebuilt", "record_calls", "use"]


_installed: list[Any] = []


class Call(NamedTuple):
    """A call as far as a library's acceptance of it goes: arrays are (dtype, shape, strides)."""

    name: str
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]


def use(devices: int = 1) -> None:
    """Make the stand-in the CUDA library of this process, with one device or two."""
    from ..._core import library
    from .. import standin

    streams.DEVICES = devices
    _installed.append(library.install(standin))


@contextmanager
def activate(devices: int = 1) -> Iterator[None]:
    """The same for a while."""
    from ..._core import library

    before = streams.DEVICES
    use(devices)
    try:
        yield
    finally:
        library.uninstall(_installed.pop())
        streams.DEVICES = before


@contextmanager
def record_calls() -> Iterator[dict[Call, int]]:
    """A dictionary that counts every distinct call within the context."""
    seen: dict[Call, int] = {}

    def listen(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = tuple((k, described(kwargs[k])) for k in sorted(kwargs))
        call = Call(name, described(args)[1:], named)
        seen[call] = seen.get(call, 0) + 1

    calls.recorders.append(listen)
    try:
        yield seen
    finally:
        calls.recorders.remove(listen)


def described(value: Any) -> Any:
    """What of an argument matters, hashable: a tuple that begins with its kind."""
    kind = type(value)
    if kind is ndarray or isinstance(value, np.ndarray):
        name = "array" if kind is ndarray else "numpy"
        return name, value.dtype, value.shape, value.strides
    if isinstance(value, (list, tuple)):
        return ("list" if kind is list else "tuple", *map(described, value))
    if isinstance(value, np.generic):
        return "scalar", value.dtype
    if isinstance(value, slice):
        return ("slice", *map(described, (value.start, value.stop, value.step)))
    if kind in (float, complex):
        return (kind.__name__,)  # of any value
    try:
        hash(value)
    except TypeError:
        return "object", repr(value)
    return "value", kind.__name__, value  # 1, 1.0 and True are equal, and not the same


def rebuilt(description: Any, array: Callable[..., Any]) -> Any:
    """An argument that `described` described, full of zeros; device arrays are made by
    `array(dtype, shape, strides)`. ValueError for an object that is not known."""
    kind, *rest = description
    if kind == "array":
        return array(*rest)
    if kind == "numpy":
        return np.zeros(rest[1], rest[0])
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(rebuilt(r, array) for r in rest)
    if kind == "scalar":
        return rest[0].type(0)
    if kind == "slice":
        return slice(*(rebuilt(r, array) for r in rest))
    if kind in ("float", "complex"):
        return {"float": 0.5, "complex": 0.5j}[kind]
    if kind == "value":
        return rest[1]
    raise ValueError(f"cannot be made again: {rest[0]}")
