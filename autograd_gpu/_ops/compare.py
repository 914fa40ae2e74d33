"""Comparisons and tests of numbers: masks, which have no derivative."""

from typing import Any

import numpy as np

from .._core.dtype import default, of
from .._core.tensor import Tensor, make
from .declare import Array, composite, op
from .errors import not_implemented
from .prepare import number as _number

__all__ = ["allclose", "eq", "equal", "ge", "gt", "isclose", "isfinite", "isnan", "le", "lt", "ne"]


def _pair(input: Any, other: Any) -> tuple[Any, Any]:
    """The operands in one type: integers beside a Python float are floats, Python's ints wrap
    around.
    """
    if other.__class__ is float and input.dtype.kind in "biu":
        return input.astype(default()), other
    if other.__class__ is int and input.dtype.kind in "iu":
        return input, _number(other, input.dtype)
    return input, other


def _ordered(name: str, input: Any, other: Any) -> tuple[Any, Any]:
    if input.dtype.kind == "c" or other.__class__ is complex:
        raise not_implemented(f"{name}_cpu", input.dtype)
    return _pair(input, other)


@op(kernel=True, methods=("__eq__",), inplace=True, promote="bool")
def eq(xp, input: Array, other: Array | float):
    """y = (a == b), elementwise, with broadcasting; NaN equals nothing. `==` with what is no number
    gives False.
    """
    return xp.equal(*_pair(input, other))


@op(kernel=True, methods=("__ne__",), inplace=True, promote="bool")
def ne(xp, input: Array, other: Array | float):
    """y = (a != b), elementwise, with broadcasting; NaN differs from all. `!=` with what is no
    number gives True.
    """
    return xp.not_equal(*_pair(input, other))


@op(kernel=True, methods=("__lt__",), inplace=True, promote="bool")
def lt(xp, input: Array, other: Array | float):
    """y = (a < b), elementwise, with broadcasting; False beside NaN. NotImplementedError for
    complex numbers.
    """
    return xp.less(*_ordered("lt", input, other))


@op(kernel=True, methods=("__le__",), inplace=True, promote="bool")
def le(xp, input: Array, other: Array | float):
    """y = (a <= b), elementwise, with broadcasting; False beside NaN. NotImplementedError for
    complex numbers.
    """
    return xp.less_equal(*_ordered("le", input, other))


@op(kernel=True, methods=("__gt__",), inplace=True, promote="bool")
def gt(xp, input: Array, other: Array | float):
    """y = (a > b), elementwise, with broadcasting; False beside NaN. NotImplementedError for
    complex numbers.
    """
    return xp.greater(*_ordered("gt", input, other))


@op(kernel=True, methods=("__ge__",), inplace=True, promote="bool")
def ge(xp, input: Array, other: Array | float):
    """y = (a >= b), elementwise, with broadcasting; False beside NaN. NotImplementedError for
    complex numbers.
    """
    return xp.greater_equal(*_ordered("ge", input, other))


# ---- nearly equal, all equal


@op(where=(), promote="bool")
def _isclose(xp, input: Array, other: Array, rtol, atol, equal_nan):
    """See `isclose`."""
    close = input == other
    if equal_nan:
        close = close | (xp.isnan(input) & xp.isnan(other))
    if input.dtype.kind in "biu":
        input, other = input.astype(np.float64), other.astype(np.float64)
    elif input.dtype.itemsize == 2:
        input, other = input.astype(np.float32), other.astype(np.float32)
    gap = xp.abs(input - other)
    return close | (xp.isfinite(gap) & (gap <= atol + xp.abs(rtol * other)))


@composite(where=("", "Tensor"))
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Are they equal up to a tolerance? Elementwise, with broadcasting.

    y = |a - b| <= atol + rtol |b|; infinities are close to themselves, NaN to NaN only with
    `equal_nan`

    RuntimeError for different dtypes or a negative tolerance.
    """
    if not isinstance(other, Tensor):
        raise TypeError(
            f"isclose(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}"
        )
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{input.dtype.legacy} did not match {other.dtype.legacy}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    return _isclose(input, other, rtol, atol, equal_nan)


@composite(where=("", "Tensor"))
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Are all elements close? A Python bool; see `isclose`."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


@composite(where=("", "Tensor"))
def equal(input, other):
    """Have two tensors the same size and equal elements? A Python bool; NaN equals nothing, dtypes
    may differ.
    """
    if not isinstance(other, Tensor):
        raise TypeError(
            f"equal(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}"
        )
    return input._array.shape == other._array.shape and bool(
        eq(input.detach(), other.detach())._array.all()
    )


# ---- what kind of number is it?


@op(kernel=True)
def isnan(xp, input: Array):
    """Which elements are NaN (of complex numbers: in either part)?"""
    return xp.isnan(input)


@op(kernel=True)
def isinf(xp, input: Array):
    """Which elements are infinite (of complex numbers: in either part)?"""
    return xp.isinf(input)


@op(kernel=True)
def isfinite(xp, input: Array):
    """Which elements are neither infinite nor NaN?"""
    return xp.isfinite(input)


def _infinite(xp: Any, name: str, input: Any, sign: float) -> Any:
    if input.dtype.kind == "c":
        raise RuntimeError(f"{name} does not support complex inputs.")
    if input.dtype.kind in "biu":
        return xp.zeros(input.shape, bool)
    return input == sign


@op()
def isposinf(xp, input: Array):
    """Which elements are plus infinity? RuntimeError for complex numbers."""
    return _infinite(xp, "isposinf", input, float("inf"))


@op()
def isneginf(xp, input: Array):
    """Which elements are minus infinity? RuntimeError for complex numbers."""
    return _infinite(xp, "isneginf", input, float("-inf"))


@op()
def isreal(xp, input: Array):
    """Which elements have no imaginary part? All real ones."""
    return input.imag == 0 if input.dtype.kind == "c" else xp.ones(input.shape, bool)


@op()
def signbit(xp, input: Array):
    """Which elements have their sign set: negative ones, and -0.0. NotImplementedError for complex
    numbers.
    """
    if input.dtype.kind == "c":
        raise NotImplementedError("signbit is not implemented for complex tensors.")
    return input < 0 if input.dtype.kind in "biu" else xp.signbit(input)


# ---- about a tensor as a whole


@composite(where=("",))
def is_tensor(obj):
    """Is this a Tensor?"""
    return isinstance(obj, Tensor)


def _about(name: str, input: Any) -> Any:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    return of(input._array.dtype)


@composite(where=("",))
def is_floating_point(input):
    """Is the dtype float16, bfloat16, float32 or float64?"""
    return _about("is_floating_point", input).is_floating_point


@composite(where=("",))
def is_inference(input):
    """Was this tensor made in inference mode?"""
    _about("is_inference", input)
    return input.is_inference()


@composite(where=("",))
def is_complex(input):
    """Is the dtype complex64 or complex128?"""
    return _about("is_complex", input).is_complex


@composite(where=("",))
def is_signed(input):
    """Can the dtype hold negative numbers?"""
    return _about("is_signed", input).is_signed


@composite(where=("", "Tensor"))
def is_nonzero(input):
    """Is the only element other than zero? RuntimeError where there is not exactly one."""
    _about("is_nonzero", input)
    return bool(input)


@composite(where=("", "Tensor"))
def is_same_size(input, other):
    """Have two tensors the same size?"""
    return input._array.shape == other._array.shape


@composite(where=("", "Tensor"))
def is_conj(input):
    """Is this a view that is conjugated only when read? There are none here: `conj` computes."""
    return False


@composite(where=("", "Tensor"))
def is_neg(input):
    """Is this a view that is negated only when read? There are none here."""
    return False


for _f in (eq, ne, lt, le, gt, ge):
    _f.samples(
        lambda t: [(t(2, 3), t(3)), (t(), t(2)), (make(np.arange(3)), 1), (t(3), 0.5), (t(0), t(0))]
    )
