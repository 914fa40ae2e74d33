"""Operators of the stand-in's arrays, and what NumPy's own functions make of them."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from . import functions
from .arrays import BFLOAT16, ndarray

__all__ = ["attach"]

_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "divmod": "divmod",
    "lshift": "left_shift", "rshift": "right_shift", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "matmul": "matmul",
}  # fmt: skip
_COMPARED = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal",
}  # fmt: skip
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _module(name: str) -> Any:
    from .. import standin

    return getattr(standin, name)


def _leaves_it(self: ndarray, other: Any) -> bool:
    """Does the other operand want the operation (NEP 13, else by priority)?"""
    if other.__class__ is ndarray or isinstance(other, (int, float, complex, np.generic)):
        return False
    try:
        return other.__array_ufunc__ is None
    except AttributeError:
        return ndarray.__array_priority__ < getattr(other, "__array_priority__", 0)


def _binary(name: str, swapped: bool) -> Callable[[ndarray, Any], Any]:
    def run(self: ndarray, other: Any) -> Any:
        if _leaves_it(self, other):
            return NotImplemented
        function = _module(name)
        if other.__class__ is float and name == "power" and self.dtype.name == BFLOAT16:
            if not swapped:  # CuPy's operator makes float64 of it, its function float32
                other = np.float64(other)
        return function(other, self) if swapped else function(self, other)

    return run


def _in_place(name: str) -> Callable[[ndarray, Any], Any]:
    def run(self: ndarray, other: Any) -> Any:
        if _leaves_it(self, other):
            return NotImplemented
        return _module(name)(self, other, self)

    return run


def _unary(name: str) -> Callable[[ndarray], Any]:
    return lambda self: _module(name)(self)


def _array_ufunc(self: ndarray, function: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """`numpy.add(x, y)` of device arrays is the stand-in's `add`."""
    if isinstance(kwargs.get("out"), tuple) and len(kwargs["out"]) == 1:
        kwargs["out"] = kwargs["out"][0]
    try:
        mine = _module(function.__name__)
    except AttributeError:
        return NotImplemented
    return mine(*inputs, **kwargs) if method == "__call__" else getattr(mine, method)(
        *inputs, **kwargs
    )


def _array_function(self: ndarray, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """`numpy.sum(x)` of device arrays is the stand-in's `sum`."""
    if not all(issubclass(t, (ndarray, np.ndarray)) for t in types):
        return NotImplemented
    path = function.__module__.split(".")[1:]
    try:
        mine = reduce(lambda found, part: getattr(found, part), path[1:], _module(path[0])) if (
            path
        ) else None
        mine = functions.attribute("", function.__name__) if mine is None else getattr(
            mine, function.__name__
        )
    except AttributeError:
        return NotImplemented
    return mine(*args, **kwargs)


def attach() -> None:
    """Give the class its operators."""
    for short, name in _BINARY.items():
        setattr(ndarray, f"__{short}__", _binary(name, swapped=False))
        setattr(ndarray, f"__r{short}__", _binary(name, swapped=True))
        if short not in ("divmod", "matmul"):
            setattr(ndarray, f"__i{short}__", _in_place(name))
    for short, name in _COMPARED.items():
        setattr(ndarray, f"__{short}__", _binary(name, swapped=False))
    ndarray.__hash__ = None  # type: ignore[assignment]
    for short, name in _UNARY.items():
        setattr(ndarray, f"__{short}__", _unary(name))
    ndarray.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
    ndarray.__array_function__ = _array_function  # type: ignore[attr-defined]
