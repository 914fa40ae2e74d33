"""Putting the stand-in in CuPy's place, and listening to what is asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from . import calls
from .arrays import ndarray

__all__ = ["Call", "activate", "record_calls", "use"]


_installed: list[Any] = []


class Call(NamedTuple):
    """A call as far as a library's acceptance of it goes: arrays are (dtype, shape, strides)."""

    name: str
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]


def use() -> None:
    """Make the stand-in the CUDA library of this process."""
    import autograd_gpu.testing.standin as standin

    from ..._core import library

    _installed.append(library.install(standin))


@contextmanager
def activate() -> Iterator[None]:
    """The same for a while."""
    from ..._core import library

    use()
    try:
        yield
    finally:
        library.uninstall(_installed.pop())


@contextmanager
def record_calls() -> Iterator[dict[Call, int]]:
    """A dictionary that counts every distinct call within the context."""
    seen: dict[Call, int] = {}

    def listen(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        call = Call(name, described(args), tuple((k, described(kwargs[k])) for k in sorted(kwargs)))
        seen[call] = seen.get(call, 0) + 1

    calls.recorders.append(listen)
    try:
        yield seen
    finally:
        calls.recorders.remove(listen)


def described(value: Any) -> Any:
    """What of an argument matters, hashable."""
    if isinstance(value, ndarray):
        return ("array", value.dtype, value.shape, value.strides)
    if isinstance(value, np.ndarray):
        return ("numpy", value.dtype, value.shape, value.strides)
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(described, value))
    if isinstance(value, np.generic):
        return ("scalar", value.dtype)
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    try:
        hash(value)
    except TypeError:
        return ("object", repr(value))
    return value
