"""NumPy's numbers and numeric arrays in a pickle: which there are, and how they are made safely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import brief, refusal

__all__ = ["CODES", "NumpyDtype", "fill_array", "numpy_array", "numpy_scalar"]

CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")


class NumpyDtype:
    """Stands for a NumPy dtype while its byte order is still to come."""

    __slots__ = ("_code", "_order")

    def __init__(self, args: tuple[Any, ...]) -> None:
        if not args or type(args[0]) is not str or args[0] not in CODES:
            raise refusal(f"The file holds the NumPy dtype {brief(args)}, which is not read")
        self._code, self._order = args[0], "|"

    def set_order(self, state: Any) -> None:
        """The pickle's BUILD: only the byte order is taken."""
        order = state[1] if type(state) is tuple and len(state) > 1 else None
        if type(order) is not str or order not in ("<", ">", "|", "="):
            raise refusal("The file holds a NumPy dtype with an unknown byte order")
        self._order = order

    def numpy(self) -> np.dtype:
        """The dtype."""
        return np.dtype(self._order + self._code)


def numpy_scalar(args: tuple[Any, ...], spend: Callable[[int], None]) -> Any:
    """`scalar(dtype, bytes)`: one number."""
    match args:
        case (NumpyDtype() as kind, bytes(data)) if len(data) == kind.numpy().itemsize:
            value = np.frombuffer(data, kind.numpy())[0]
            return value.astype(value.dtype.newbyteorder("="))
    raise refusal("The file makes a NumPy number of something that is none")


def numpy_array(args: tuple[Any, ...], spend: Callable[[int], None]) -> np.ndarray:
    """`_reconstruct(ndarray, (0,), b"b")`: an empty array that `fill_array` fills."""
    if not args or type(args[0]) is not str or args[0] != "numpy.ndarray":
        raise refusal("The file makes a NumPy array of another class")
    return np.empty(0)


def fill_array(target: np.ndarray, state: Any) -> None:
    """Give a new, empty array its contents."""
    match state:
        case (int(), tuple(shape), NumpyDtype() as kind, bool(fortran), bytes(data)):
            pass
        case _:
            raise refusal("The pickle fills an array with something that is no array")
    if target.shape != (0,) or any(type(n) is not int or n < 0 for n in shape):
        raise refusal("The pickle fills an array twice or with an impossible shape")
    try:
        full: Any = (1, shape, kind.numpy(), fortran, data)
        target.__setstate__(full)
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise refusal(f"The pickle has an array that does not fit: {error}") from error
