"""Where CuPy does otherwise than NumPy: functions that stand for CuPy's own, by name.

Each takes the library first and then NumPy's arguments. CI holds this list against the calls that
ops make and the CuPy that is installed (`tests/standin/test_audit.py`)."""

from collections.abc import Callable
from typing import Any

__all__ = ["REPLACED"]

REPLACED: dict[str, Callable[..., Any]] = {}
"""name in NumPy -> the function that does the same on CUDA arrays."""


def replaces(name: str) -> Callable[[Any], Any]:
    """Declare a difference."""

    def wrap(function: Any) -> Any:
        REPLACED[name] = function
        return function

    return wrap


@replaces("from_host")
def from_host(xp: Any, array: Any) -> Any:
    """A copy of a NumPy array on the current device; CuPy keeps no negative strides."""
    return xp.module.asarray(array)
