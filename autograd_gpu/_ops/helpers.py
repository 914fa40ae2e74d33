"""What formulas share and that is no op of its own: raw views of masks, constants beside Tensors,
conjugates."""

import functools
from typing import Any

import numpy as np

from .._core.device import guard, library
from .._core.dtype import of, result_dtype
from .._core.library import LIBRARIES
from .._core.state import state
from .._core.tensor import Tensor, make

__all__ = [
    "binary",
    "conj",
    "is_complex",
    "like",
    "narrow",
    "no_gradient",
    "of_real_numbers",
    "raw",
    "unary",
    "where_it_is",
    "wide",
]


def raw(value: Any) -> Any:
    """The array of a Tensor; anything else as it is. For masks and counts, which have no
    derivative."""
    return value._array if isinstance(value, Tensor) else value


def like(array: Any, reference: Any) -> Any:
    """A constant array as the formula's other operands are: a Tensor beside Tensors, else raw; on
    their device."""
    beside = raw(reference).__class__
    if array.__class__ is not beside and array.__class__ is np.ndarray and beside in LIBRARIES:
        with guard(raw(reference)):
            array = LIBRARIES[beside].asarray(array)
    return make(array) if isinstance(reference, Tensor) else array


def where_it_is(function: Any) -> Any:
    """A composite that computes with raw arrays: with the device of its first tensor as the current
    one, which matters where there are several."""

    @functools.wraps(function)
    def run(*given: Any, **options: Any) -> Any:
        if not state.several_devices:
            return function(*given, **options)
        with guard(raw(next(iter((*given, *options.values())), None))):
            return function(*given, **options)

    return run


def no_gradient(grad: Any) -> Any:
    """Zeros where there is no influence: a constant even of a recorded or infinite gradient."""
    array = raw(grad)
    return like(library(array).zeros(array.shape, array.dtype), grad)


def is_complex(value: Any) -> bool:
    """Is this a complex array, Tensor or number?"""
    array = raw(value)
    return array.dtype.kind == "c" if hasattr(array, "dtype") else isinstance(array, complex)


def conj(value: Any) -> Any:
    """The complex conjugate in a formula; a real array or number is its own."""
    if value.__class__ is np.ndarray:  # nearly every formula of every pass comes by here
        return value if value.dtype.kind != "c" else value.conj()
    if value.__class__ is float or not is_complex(value):
        return value
    if isinstance(value, Tensor):
        from .complex import conj_physical

        return conj_physical(value)
    return value.conjugate() if isinstance(value, complex) else value.conj()


def wide(array: Any) -> Any:
    """Half types are computed in float32; anything else as it is."""
    return (
        array.astype(np.float32)
        if array.dtype.itemsize == 2 and array.dtype.kind not in "iu"
        else array
    )


def narrow(array: Any, dtype: np.dtype) -> Any:
    """The result of what was computed wide, in the half type that it came from."""
    return array.astype(dtype) if dtype.itemsize == 2 and dtype.kind not in "iu" else array


def unary(low: float, high: float) -> Any:
    """Samples of a function of one number that is smooth only in a domain."""
    return lambda t: [
        t(low=low, high=high),
        t(3, low=low, high=high),
        t(2, 3, 4, low=low, high=high),
        t(0),
    ]


def binary(low: float, high: float) -> Any:
    """Samples of a function of two numbers that is smooth only in a domain, with broadcasting and a
    number."""
    shapes = [
        ((), ()),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((), (2, 3)),
        ((0, 3), (1, 3)),
    ]
    return lambda t: [
        *((t(*a, low=low, high=high), t(*b, low=low, high=high)) for a, b in shapes),
        (t(2, 3, low=low, high=high), (low + high) / 2),
    ]


def of_real_numbers(name: str, complex_too: bool = False) -> Any:
    """A check: bools and, unless `complex_too`, complex numbers are refused."""

    def check(values: list) -> None:
        dtype = result_dtype([raw(v) for v in values], False)
        if dtype.kind == "b" or dtype.kind == "c" and not complex_too:
            raise NotImplementedError(f"\"{name}\" not implemented for '{of(dtype).legacy}'")

    return check
