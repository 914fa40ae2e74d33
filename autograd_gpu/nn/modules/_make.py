"""Small helpers of layers' constructors: fresh parameters, sizes given as one number or several."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..parameter import Parameter

__all__ = ["fresh", "ntuple"]


def fresh(*size: int, device: Any = None, dtype: Any = None) -> Parameter:
    """A parameter of a size whose values are not set yet."""
    from ... import empty  # the package's face is complete when a layer is made

    return Parameter(empty(*size, device=device, dtype=dtype))


def ntuple(value: int | Iterable[int], n: int) -> tuple[int, ...]:
    """One number for all `n` dimensions, or the numbers as they were given."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n
