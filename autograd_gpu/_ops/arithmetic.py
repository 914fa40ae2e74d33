"""Arithmetic: add, sub, mul, div, pow and their kin, with the operators of Tensor."""

import cmath
import math
from typing import Any

import numpy as np

from .._core.dtype import of, result_dtype
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .elementwise import log, reciprocal
from .helpers import binary, conj, is_complex, like, no_gradient, raw
from .select import masked_fill

__all__ = ["add", "div", "mul", "neg", "pow", "rsub", "sub"]


def _scaled(input: Any, other: Any, alpha: Any) -> Any:
    if alpha.__class__ is float and input.dtype.kind in "iub":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return alpha * other


def _without_bools(values: list) -> None:
    if any(v.__class__ is bool or getattr(raw(v), "dtype", None) == bool for v in values):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )


def _of_real_numbers(name: str, complex_too: bool = False) -> Any:
    """A check: bools and, unless `complex_too`, complex numbers are refused."""

    def check(values: list) -> None:
        dtype = result_dtype([raw(v) for v in values], False)
        if dtype.kind == "b" or dtype.kind == "c" and not complex_too:
            raise NotImplementedError(f"\"{name}\" not implemented for '{of(dtype).legacy}'")

    return check


def _check_pow(values: list) -> None:
    exponent = values[1]
    if exponent is not True:
        _of_real_numbers("pow", True)(values)
    if exponent.__class__ is int and exponent < 0 and result_dtype([raw(v) for v in values], False).kind in "iu":
        raise RuntimeError("Integers to negative integer powers are not allowed.")


@op(methods=("__add__", "__radd__"), inplace=True, promote="same")
def add(xp, input: Array, other: Array | float, *, alpha=1):
    """Sum, elementwise, with broadcasting.

    y = a + alpha b            dL/da = g,  dL/db = alpha g
    """
    return input + other if alpha.__class__ is int and alpha == 1 else input + _scaled(input, other, alpha)


add.derivative(
    input=lambda grad: grad,
    other=lambda grad, alpha: grad if alpha.__class__ is int and alpha == 1 else grad * alpha,
)


@add.write
def _(xp, input, other, *, alpha=1):
    xp.add(input, other if alpha == 1 else alpha * other, out=input, casting="unsafe")


@op(methods=("__sub__",), inplace=True, promote="same", check=_without_bools)
def sub(xp, input: Array, other: Array | float, *, alpha=1):
    """Difference, elementwise, with broadcasting. RuntimeError for two bools.

    y = a - alpha b            dL/da = g,  dL/db = -alpha g
    """
    _no_bools("Subtraction, the `-` operator,", input)
    return input - other if alpha.__class__ is int and alpha == 1 else input - _scaled(input, other, alpha)


sub.derivative(
    input=lambda grad: grad,
    other=lambda grad, alpha: -grad if alpha.__class__ is int and alpha == 1 else grad * -alpha,
)


@sub.write
def _(xp, input, other, *, alpha=1):
    _no_bools("Subtraction, the `-` operator,", input)
    xp.subtract(input, other if alpha == 1 else alpha * other, out=input, casting="unsafe")


def _no_bools(what: str, array: Any) -> None:
    if array.dtype.char == "?":
        raise RuntimeError(
            f"{what} with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
        )


@op(where=("",), methods=("__rsub__",), promote="same", node="RsubBackward1", check=_without_bools)
def rsub(xp, input: Array, other: Array | float, *, alpha=1):
    """Difference with the operands exchanged.

    y = b - alpha a            dL/da = -alpha g,  dL/db = g
    """
    _no_bools("Subtraction, the `-` operator,", input)
    return other - input if alpha == 1 else other - _scaled(input, input, alpha)


rsub.derivative(input=lambda grad, alpha: -grad if alpha == 1 else grad * -alpha, other=lambda grad: grad)


@op(methods=("__mul__", "__rmul__"), inplace=True, promote="same")
def mul(xp, input: Array, other: Array | float):
    """Product, elementwise, with broadcasting.

    y = a b            dL/da = g b*,  dL/db = g a*            (* : complex conjugate)
    """
    return input * other


mul.derivative(input=lambda grad, other: grad * conj(other), other=lambda grad, input: grad * conj(input))


@mul.write
def _(xp, input, other):
    xp.multiply(input, other, out=input, casting="unsafe")


@op(name="_true_div", where=(), methods=("__truediv__",), inplace=False, promote="float", node="DivBackward0")
def _true_div(xp, input: Array, other: Array | float):
    """Quotient of real or complex numbers; see `div`."""
    return input / other


_true_div.derivative(
    input=lambda grad, other: grad / conj(other),
    other=lambda grad, input, other: -grad * conj((input / other) / other),
)
_true_div.samples(binary(low=0.5, high=2.0))


@op(name="_div_rounded", where=(), promote="same", node="DivBackward1", check=_of_real_numbers("div_floor"))
def _div_rounded(xp, input: Array, other: Array | float, *, rounding_mode):
    """Quotient rounded towards minus infinity ("floor") or zero ("trunc"); its derivative is 0."""
    return _rounded(xp, input, other, rounding_mode)


_div_rounded.derivative(input=no_gradient, other=no_gradient)


def _rounded(xp, input, other, mode):
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, other)
        quotient = xp.floor_divide(input, other)
        if mode == "trunc":
            quotient = quotient + ((quotient < 0) & (quotient * other != input))
        return quotient
    if mode == "floor":
        # NumPy's floor division corrects for the remainder as PyTorch's does; x // 0 follows the true quotient.
        zero = xp.equal(other, 0)
        return xp.where(zero, input / other, xp.floor_divide(input, other))
    return xp.trunc(input / other)


def _refuse_integer_zero(xp, other):
    if (other == 0) if isinstance(other, int) else bool(xp.any(xp.equal(other, 0))):
        raise RuntimeError("ZeroDivisionError: integer division or modulo by zero")


@composite(where=("", "Tensor"))
def div(input, other, *, rounding_mode=None, out=None):
    """Quotient, elementwise, with broadcasting. Integers give the default float unless a rounding mode is given.

    y = a / b            dL/da = g / b*,  dL/db = -g (a / b^2)*

    `rounding_mode`: None, "trunc" (towards zero) or "floor"; RuntimeError for anything else.
    """
    if rounding_mode is None:
        return _true_div(input, other, out=out)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")
    return _div_rounded(input, other, rounding_mode=rounding_mode, out=out)


@op(methods=("__floordiv__",), promote="same", inplace=True, check=_of_real_numbers("div_floor"))
def floor_divide(xp, input: Array, other: Array | float):
    """The quotient rounded towards minus infinity: y = floor(a / b). Not differentiable."""
    return _rounded(xp, input, other, "floor")


@op(where=(), methods=("__rfloordiv__",), promote="same", check=_of_real_numbers("div_floor"))
def rfloordiv(xp, input: Array, other: Array | float):
    """y = floor(b / a): `number // tensor`. Not differentiable."""
    if other.__class__ is float and input.dtype.kind in "iub":
        return xp.floor_divide(other, input)  # of another dtype: the call is done again, promoted
    return _rounded(xp, xp.full_like(input, other) if not hasattr(other, "dtype") else other, input, "floor")


@op(methods=("__mod__",), promote="same", inplace=True, check=_of_real_numbers("remainder"))
def remainder(xp, input: Array, other: Array | float):
    """The remainder of a floor division, with the sign of `other`.

    y = a - b floor(a / b)            dL/da = g,  dL/db = -g floor(a / b)
    """
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, other)
    return xp.remainder(input, other)


remainder.derivative(
    input=lambda grad: grad, other=lambda grad, input, other: -grad * floor_divide(input, other)
)
remainder.samples(lambda t: [(t(3, low=2.2, high=2.8), t(3, low=0.9, high=1.0)), (t(2, low=2.2, high=2.8), 1.5)])


@op(where=(), methods=("__rmod__",), promote="same", check=_of_real_numbers("remainder"))
def rmod(xp, input: Array, other: Array | float):
    """`number % tensor`: y = b - a floor(b / a).            dL/da = -g floor(b / a)"""
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, input)
    return xp.remainder(other, input)


rmod.derivative(input=lambda grad, input, other: -grad * rfloordiv(input, other), other=lambda grad: grad)


@op(promote="same", inplace=True, check=_of_real_numbers("fmod"))
def fmod(xp, input: Array, other: Array | float):
    """The remainder of a division rounded towards zero, with the sign of `input`.

    y = a - b trunc(a / b)            dL/da = g,  dL/db = -g trunc(a / b)
    """
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, other)
    return xp.fmod(input, other)


fmod.derivative(
    input=lambda grad: grad,
    other=lambda grad, input, other: -grad * _div_rounded(input, other, rounding_mode="trunc"),
)
fmod.samples(lambda t: [(t(3, low=2.2, high=2.8), t(3, low=0.9, high=1.0)), (t(2, low=2.2, high=2.8), 1.5)])


@op(methods=("__neg__",), inplace=True)
def neg(xp, input: Array):
    """y = -x            dL/dx = -g

    RuntimeError for bools.
    """
    if input.dtype.char == "?":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    return -input


neg.derivative(input=lambda grad: -grad)


@op(methods=("__pos__",), view=True)
def positive(xp, input: Array):
    """The tensor itself, as a view.            y = x,  dL/dx = g"""
    return input[...]


positive.derivative(input=lambda grad: grad)


# ---- powers: PyTorch names nodes by what the exponent is


@op(where=(), promote="same", node="PowBackward0", check=_check_pow)
def _pow_number(xp, input: Array, other: Array | float):
    """x to a number; see `pow`."""
    return _power(xp, input, other)


_pow_number.derivative(input=lambda grad, input, other: _pow_backward(grad, input, other))


@op(where=(), promote="same", node="PowBackward1", check=_check_pow)
def _pow_tensor(xp, input: Array, other: Array | float):
    """x to a tensor; see `pow`."""
    return _power(xp, input, other)


def _power(xp, input, other):
    if input.dtype.kind == "b":
        return xp.power(input, other)  # of another dtype: the call is done again, promoted
    if input.dtype.kind in "iu":
        if xp.any(xp.less(other, 0)) and not hasattr(other, "dtype"):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if hasattr(other, "dtype") and bool(xp.any(other < 0)):
            # PyTorch: 1 / x^n in integers, so 0 but for bases 1 and -1
            magnitude = xp.power(input, xp.abs(other))
            return xp.where(other >= 0, magnitude, xp.where(xp.abs(input) == 1, magnitude, 0)).astype(input.dtype)
    if other.__class__ in (int, float):
        if other == 2:
            return input * input
        if other == 0.5:
            return xp.sqrt(input)
        if other == 3:
            return input * input * input
    if input.dtype.kind == "c":
        return _complex_power(xp, input, other)
    return xp.power(input, other)


def _complex_power(xp, input, other):
    out = xp.power(input, other)
    return xp.where(xp.equal(other, 0), xp.ones_like(out), out)


_pow_tensor.derivative(
    input=lambda grad, input, other: _pow_backward(grad, input, other),
    other=lambda grad, out, input, other: _pow_backward_exponent(grad, input, other, out),
)


@composite(kernel="pow_backward")
def _pow_backward(grad, input, other):
    """dL/dx = g (n x^(n-1))*, and 0 where n = 0."""
    if not hasattr(other, "dtype"):
        if other == 0:
            return no_gradient(grad)
        if other == 2 and not isinstance(grad, Tensor):  # recorded, it stays a power, as in PyTorch
            return grad * conj(input * 2.0)
        return grad * conj(_pow_number(input, other - 1) * other)
    result = grad * conj(other * _pow_tensor(input, other - 1))
    return masked_fill(result, like(raw(other) == 0, grad), 0)


@composite(kernel="pow_backward_exponent")
def _pow_backward_exponent(grad, input, other, out):
    """dL/dn = g (x^n log x)*, and 0 where x = 0 and n >= 0."""
    mask = (raw(input) == 0) & (raw(other).real >= 0)
    return masked_fill(grad * conj(out * log(input)), like(mask, grad), 0)


@composite(where=("", "Tensor"), methods=("__pow__",), inplace=True)
def pow(input, exponent, *, out=None):
    """Power, elementwise, with broadcasting.

    y = x^n            dL/dx = g (n x^(n-1))*,  dL/dn = g (x^n log x)*

    With n = 0: y = 1, dL/dx = 0 for every x. Integers to negative integer powers: RuntimeError.
    """
    if not isinstance(input, Tensor) and isinstance(exponent, Tensor):
        return _rpow(exponent, input, out=out)
    if isinstance(exponent, (Tensor, np.ndarray)):
        return _pow_tensor(input, exponent, out=out)
    if not isinstance(exponent, (int, float, complex, np.generic)):
        return NotImplemented
    return _pow_number(input, exponent, out=out)


@op(where=(), promote="same", node="PowBackward2", check=_of_real_numbers("pow", True))
def _rpow(xp, input: Array, other: Array | float):
    """A number to the power of a tensor."""
    return xp.power(other if input.dtype.kind in "iub" else xp.asarray(other, input.dtype), input)


_rpow.derivative(input=lambda grad, out, other: _rpow_backward(grad, out, other))


def _rpow_backward(grad, out, other):
    """dL/dx of c^x: g (c^x log c)*; for c = 0: 0 where x >= 0."""
    if other == 0:
        result = grad * (out * -math.inf)
        return masked_fill(result, like(raw(out) <= 1, grad), 0)
    if isinstance(other, complex) or is_complex(out):
        return grad * conj(out * cmath.log(other))
    return grad * (out * (math.log(other) if other > 0 else math.nan))


def _tensor_rpow(self, other):
    """`number ** tensor`."""
    if isinstance(other, (int, float, complex)):
        return _rpow(self, other)
    return NotImplemented


Tensor.__rpow__ = _tensor_rpow  # type: ignore[attr-defined]
Tensor.__ipow__ = Tensor.pow_  # type: ignore[attr-defined]


def _div_inplace(self, other, *, rounding_mode=None):
    """In-place form of `div`."""
    from .general import write_inplace

    if rounding_mode is None:
        return write_inplace(_true_div.op, self, (other,), {})
    return write_inplace(_div_rounded.op, self, (other,), {"rounding_mode": rounding_mode})


@_true_div.write
def _(xp, input, other):
    xp.divide(input, other, out=input, casting="unsafe")


Tensor.div_ = Tensor.__itruediv__ = _div_inplace  # type: ignore[attr-defined]
div.op.inplace = ("div_", "__itruediv__")


@op(promote="same")
def maximum(xp, input: Array, other: Array):
    """The larger of two, elementwise; NaN where either is NaN.

    y = max(a, b)            dL/da = g where a > b, g / 2 where a = b; dL/db likewise
    """
    return xp.maximum(input, other)


maximum.derivative(
    input=lambda grad, input, other: _extreme_share(grad, input, other),
    other=lambda grad, input, other: _extreme_share(grad, other, input),
)


@op(promote="same")
def minimum(xp, input: Array, other: Array):
    """The smaller of two, elementwise; NaN where either is NaN.

    y = min(a, b)            dL/da = g where a < b, g / 2 where a = b; dL/db likewise
    """
    return xp.minimum(input, other)


minimum.derivative(
    input=lambda grad, input, other: _extreme_share(grad, other, input),
    other=lambda grad, input, other: _extreme_share(grad, input, other),
)


def _extreme_share(grad, a, b):
    """g where a > b, half of it on ties, 0 where a < b; beside a NaN, g."""
    a, b = raw(a), raw(b)
    share = 1.0 - (a < b) - 0.5 * (a == b)
    return grad * like(share.astype(raw(grad).dtype), grad)


def _rtruediv(self, other):
    """`number / tensor`, as PyTorch computes it: the reciprocal times the number."""
    if isinstance(other, (int, float, complex, np.generic, np.ndarray)):
        return reciprocal(self) * other
    return NotImplemented


Tensor.__rtruediv__ = _rtruediv  # type: ignore[attr-defined]

div.samples(binary(low=0.5, high=2.0))
pow.samples(
    lambda t: [(t(3), 2), (t(3), 3), (t(2, 3, low=0.5, high=2.0), 0.5), (t(2, low=0.5, high=2.0), -1.5), (t(3), 0)]
    + binary(low=0.5, high=2.0)(t)
)
_pow_number.samples(lambda t: [(t(3), 2), (t(3, low=0.5, high=2.0), 1.5)])
_pow_tensor.samples(binary(low=0.5, high=2.0))
_rpow.samples(lambda t: [(t(3), 2.0), (t(2, 3), 0.5), (t(), 3)])
_div_rounded.samples(lambda t: [(t(3, low=2.2, high=2.8), 1.0, {"rounding_mode": "floor"})])
