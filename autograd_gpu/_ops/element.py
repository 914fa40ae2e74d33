"""A Python number as an element of a dtype, with PyTorch's error where it does not fit."""

import math
from typing import Any

import numpy as np

from .._core.dtype import category, of

__all__ = ["element"]

_NAMES = {
    "Char": "int8_t", "Byte": "uint8_t", "Short": "int16_t", "Int": "int", "Long": "int64_t",
    "ComplexFloat": "c10::complex<float>",
}  # fmt: skip
_SINGLE = float(np.finfo(np.float32).max)


def element(dtype: Any, value: Any) -> Any:
    """The number, fractions cut off for integers; uint8 takes negative ones as what is left below
    256. RuntimeError where the dtype cannot hold it, but for half types, where it becomes infinite.
    """
    kind = dtype.kind
    if kind == "c" or value.__class__ is float and category(dtype) == 2:
        if dtype.itemsize == 4 << (kind == "c") and _SINGLE < _size(value) < math.inf:
            raise _overflow(dtype)
        return value
    if kind == "b":
        return bool(value)
    if value.__class__ is complex:
        if value.imag:
            raise _overflow(dtype)
        value = value.real
    if kind not in "iu":
        return element(dtype, float(value))
    info = np.iinfo(dtype)
    if kind == "u" and -info.max <= value < 0 and isinstance(value, int):
        return value % (info.max + 1)
    if not info.min <= value <= info.max:
        raise _overflow(dtype)
    return int(value)


def _size(value: Any) -> float:
    if value.__class__ is complex:
        return max(abs(value.real), abs(value.imag))
    return abs(value)


def _overflow(dtype: Any) -> RuntimeError:
    legacy = of(dtype).legacy
    return RuntimeError(
        f"value cannot be converted to type {_NAMES.get(legacy, legacy.lower())} without overflow"
    )
