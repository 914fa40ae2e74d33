"""A Python number as an element of a dtype, with PyTorch's error where it does not fit."""

from typing import Any

import numpy as np

from .._core.dtype import category, of

__all__ = ["element"]

_NAMES = {"Char": "int8_t", "Byte": "uint8_t", "Short": "int16_t", "Int": "int", "Long": "int64_t"}


def element(dtype: Any, value: Any) -> Any:
    """The number, fractions cut off for integers. RuntimeError where the dtype cannot hold it."""
    kind = dtype.kind
    if kind == "c" or value.__class__ is float and category(dtype) == 2:
        return value
    if value.__class__ is complex:
        if value.imag:
            raise _overflow(dtype)
        value = value.real
    if kind == "b":
        return bool(value)
    if kind not in "iu":
        return float(value)
    info = np.iinfo(dtype)
    if value != value or not info.min - 1 < value < info.max + 1:
        raise _overflow(dtype)
    return int(value)


def _overflow(dtype: Any) -> RuntimeError:
    legacy = of(dtype).legacy
    return RuntimeError(
        f"value cannot be converted to type {_NAMES.get(legacy, legacy.lower())} without overflow"
    )
