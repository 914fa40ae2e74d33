"""Division: div and its roundings, remainders, and their operators."""

import numpy as np

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .elementwise import reciprocal
from .helpers import binary, conj, no_gradient, of_real_numbers

__all__ = ["div", "floor_divide", "fmod", "remainder"]


@op(
    kernel="true_div",
    name="_true_div",
    where=(),
    methods=("__truediv__",),
    inplace=False,
    promote="float",
    node="DivBackward0",
)
def _true_div(xp, input: Array, other: Array | float):
    """Quotient of real or complex numbers; see `div`."""
    return input / other


_true_div.derivative(
    input=lambda grad, other: grad / conj(other),
    other=lambda grad, input, other: div_backward_other(grad, input, other),
)
_true_div.samples(binary(low=0.5, high=2.0))


@composite(kernel="div_backward_other")
def div_backward_other(grad, input, other):
    """-g (a / b^2)*"""
    return -grad * conj((input / other) / other)


@op(
    kernel="div_rounded",
    name="_div_rounded",
    where=(),
    promote="same",
    node="DivBackward1",
    check=of_real_numbers("div_floor_cpu"),
)
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
        # NumPy's floor division corrects for the remainder as PyTorch's does; x // 0 follows the
        # true quotient.
        zero = xp.equal(other, 0)
        return xp.where(zero, input / other, xp.floor_divide(input, other))
    return xp.trunc(input / other)


def _refuse_integer_zero(xp, other):
    if (other == 0) if isinstance(other, int) else bool(xp.any(xp.equal(other, 0))):
        raise RuntimeError("ZeroDivisionError: integer division or modulo by zero")


@composite(where=("", "Tensor"))
def div(input, other, *, rounding_mode=None, out=None):
    """Quotient, elementwise, with broadcasting. Integers give the default float unless a rounding
    mode is given.

    y = a / b            dL/da = g / b*,  dL/db = -g (a / b^2)*

    `rounding_mode`: None, "trunc" (towards zero) or "floor"; RuntimeError for anything else.
    """
    if rounding_mode is None:
        return _true_div(input, other, out=out)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'"
        )
    return _div_rounded(input, other, rounding_mode=rounding_mode, out=out)


@op(
    kernel=True,
    methods=("__floordiv__",),
    promote="same",
    inplace=True,
    check=of_real_numbers("div_floor_cpu"),
)
def floor_divide(xp, input: Array, other: Array | float):
    """The quotient rounded towards minus infinity: y = floor(a / b). Not differentiable."""
    return _rounded(xp, input, other, "floor")


@op(where=(), methods=("__rfloordiv__",), promote="same", check=of_real_numbers("div_floor_cpu"))
def rfloordiv(xp, input: Array, other: Array | float):
    """y = floor(b / a): `number // tensor`. Not differentiable."""
    if other.__class__ is float and input.dtype.kind in "iub":
        return xp.floor_divide(other, input)  # of another dtype: the call is done again, promoted
    return _rounded(
        xp, xp.full_like(input, other) if not hasattr(other, "dtype") else other, input, "floor"
    )


@op(
    kernel=True,
    methods=("__mod__",),
    promote="same",
    inplace=True,
    check=of_real_numbers("remainder_cpu"),
)
def remainder(xp, input: Array, other: Array | float):
    """The remainder of a floor division, with the sign of `other`.

    y = a - b floor(a / b)            dL/da = g,  dL/db = -g floor(a / b)
    """
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, other)
    return xp.remainder(input, other)


remainder.derivative(
    input=lambda grad: grad,
    other=lambda grad, input, other: remainder_backward_other(grad, input, other),
)


@composite(kernel="remainder_backward_other")
def remainder_backward_other(grad, input, other):
    """-g floor(a / b)"""
    return -grad * floor_divide(input, other)


remainder.samples(
    lambda t: [(t(3, low=2.2, high=2.8), t(3, low=0.9, high=1.0)), (t(2, low=2.2, high=2.8), 1.5)]
)


@op(where=(), methods=("__rmod__",), promote="same", check=of_real_numbers("remainder_cpu"))
def rmod(xp, input: Array, other: Array | float):
    """`number % tensor`: y = b - a floor(b / a).            dL/da = -g floor(b / a)"""
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, input)
    return xp.remainder(other, input)


rmod.derivative(
    input=lambda grad, input, other: -grad * rfloordiv(input, other), other=lambda grad: grad
)


@op(kernel=True, promote="same", inplace=True, check=of_real_numbers("fmod_cpu"))
def fmod(xp, input: Array, other: Array | float):
    """The remainder of a division rounded towards zero, with the sign of `input`.

    y = a - b trunc(a / b)            dL/da = g,  dL/db = -g trunc(a / b)
    """
    if input.dtype.kind in "iu":
        _refuse_integer_zero(xp, other)
    return xp.fmod(input, other)


fmod.derivative(
    input=lambda grad: grad,
    other=lambda grad, input, other: fmod_backward_other(grad, input, other),
)


@composite(kernel="fmod_backward_other")
def fmod_backward_other(grad, input, other):
    """-g trunc(a / b)"""
    return -grad * _div_rounded(input, other, rounding_mode="trunc")


fmod.samples(
    lambda t: [(t(3, low=2.2, high=2.8), t(3, low=0.9, high=1.0)), (t(2, low=2.2, high=2.8), 1.5)]
)


def _div_inplace(self, other, *, rounding_mode=None):
    """In-place form of `div`."""
    if rounding_mode is None:
        return _divide_into(self, other)
    from .inplace import write_inplace

    return write_inplace(_div_rounded.op, self, (other,), {"rounding_mode": rounding_mode})


_divide_into = _true_div.op.inplace_method("div_")


@_true_div.write
def _(xp, input, other):
    xp.divide(input, other, out=input, casting="unsafe")


Tensor.div_ = Tensor.__itruediv__ = _div_inplace  # type: ignore[attr-defined]
div.op.inplace = ("div_", "__itruediv__")


def _rtruediv(self, other):
    """`number / tensor`, as PyTorch computes it: the reciprocal times the number."""
    if isinstance(other, (int, float, complex, np.generic, np.ndarray)):
        return reciprocal(self) * other
    return NotImplemented


Tensor.__rtruediv__ = _rtruediv  # type: ignore[attr-defined]

div.samples(binary(low=0.5, high=2.0))
_div_rounded.samples(lambda t: [(t(3, low=2.2, high=2.8), 1.0, {"rounding_mode": "floor"})])
