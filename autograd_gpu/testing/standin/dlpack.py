"""DLPack for memory that only plays a device's: NumPy's capsules, with the device changed."""

import ctypes
from typing import Any

import numpy as np

from .arrays import writable

__all__ = ["CPU", "CUDA", "exported", "imported"]

CPU, CUDA = 1, 2  # kinds of device
_NAMES = (b"dltensor", b"dltensor_versioned")
_DEVICE_AT = {b"dltensor": 8, b"dltensor_versioned": 40}  # bytes from the structure's beginning

_python: Any = ctypes.pythonapi
_python.PyCapsule_IsValid.argtypes = [ctypes.py_object, ctypes.c_char_p]
_python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
_python.PyCapsule_GetPointer.restype = ctypes.c_void_p


def _relabel(capsule: Any, kind: int, number: int) -> Any:
    """Say in a capsule on which device its memory lies."""
    name = next((n for n in _NAMES if _python.PyCapsule_IsValid(capsule, n)), None)
    if name is None:
        raise BufferError("the DLPack capsule was used already")
    place = _python.PyCapsule_GetPointer(capsule, name) + _DEVICE_AT[name]
    ctypes.c_int32.from_address(place).value = kind
    ctypes.c_int32.from_address(place + 4).value = number
    return capsule


def exported(host: np.ndarray, number: int, options: dict[str, Any]) -> Any:
    """A capsule on a host array's memory, which says that it is a CUDA device's."""
    return _relabel(host.__dlpack__(**options), CUDA, number)


class _Host:
    """A capsule as NumPy takes it."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0


def imported(capsule: Any) -> np.ndarray:
    """The host array behind a capsule of `exported`."""
    return writable(np.from_dlpack(_Host(_relabel(capsule, CPU, 0))))  # type: ignore[arg-type]
