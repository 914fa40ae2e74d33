"""The modified Bessel functions of the first kind, plain and scaled: i0, i0e, i1, i1e."""

import math
from typing import Any

from .declare import Array, op
from .errorfunction import in_double, pieces
from .helpers import like, raw
from .select import masked_fill
from .signs import sgn

__all__ = ["i0", "i0e", "i1", "i1e"]

_NEAR = 20.0


def _series(xp: Any, x: Any, order: int) -> Any:
    """e^-x I_order(x) by the power series: (x/2)^order sum (x^2/4)^k / (k! (k + order)!), all terms
    positive.
    """
    z = x * x / 4
    out = xp.ones_like(x)
    for k in range(48, 0, -1):
        out = 1 + out * (z / (k * (k + order)))
    return out * (x / 2) ** order * xp.exp(-x)


def _expansion(xp: Any, x: Any, order: int) -> Any:
    """The same for large x: (2 pi x)^(-1/2) sum of (-1)^k a_k / x^k, a_k of Hankel's expansion."""
    out = xp.ones_like(x)
    for k in range(30, 0, -1):
        out = 1 + out * (((2 * k - 1) ** 2 - 4 * order * order) / (8 * k)) / x
    return out / xp.sqrt(2 * math.pi * x)


def _scaled(order: int) -> Any:
    """The array function e^-|x| I_order(x)."""

    def function(xp: Any, x: Any) -> Any:
        a = xp.abs(x)
        near = a <= _NEAR
        out = pieces(
            a,
            [(near, lambda a: _series(xp, a, order)), (~near, lambda a: _expansion(xp, a, order))],
        )
        return xp.copysign(out, x) if order else out

    return function


def _plain(order: int) -> Any:
    """The array function I_order(x)."""

    def function(xp: Any, x: Any) -> Any:
        half = xp.exp(xp.abs(x) / 2)
        return _scaled(order)(xp, x) * half * half

    return function


@op(inplace=True, promote="float", where=("", "Tensor", "special"))
def i0(xp, input: Array):
    """The modified Bessel function of order 0.

    y = I0(x) = sum over k of (x^2 / 4)^k / (k!)^2            dL/dx = g I1(x)

    NotImplementedError for complex numbers. Source: the power series, Hankel's expansion above 20.
    """
    return in_double(xp, "i0", _plain(0), input)


i0.derivative(input=lambda grad, input: grad * i1(input))


@op(promote="float", where=("special",), node="SpecialI0EBackward0")
def i0e(xp, input: Array):
    """The same, scaled so that it does not overflow.

    y = e^-|x| I0(x)            dL/dx = g (i1e(x) - sgn(x) y)
    """
    return in_double(xp, "i0e", _scaled(0), input)


i0e.derivative(input=lambda grad, input, out: grad * (i1e(input) - sgn(input) * out))


@op(promote="float", where=("special",), node="SpecialI1Backward0")
def i1(xp, input: Array):
    """The modified Bessel function of order 1.

    y = I1(x)            dL/dx = g (I0(x) - y / x), g / 2 at 0

    NotImplementedError for complex numbers. Source: the power series, Hankel's expansion above 20.
    """
    return in_double(xp, "i1", _plain(1), input)


i1.derivative(input=lambda grad, input, out: grad * (i0(input) - _quotient(out, input)))


@op(promote="float", where=("special",), node="SpecialI1EBackward0")
def i1e(xp, input: Array):
    """The same, scaled so that it does not overflow.

    y = e^-|x| I1(x)            dL/dx = g (i0e(x) - (sgn(x) + 1 / x) y), g / 2 at 0
    """
    return in_double(xp, "i1e", _scaled(1), input)


i1e.derivative(
    input=lambda grad, input, out: grad * (i0e(input) - sgn(input) * out - _quotient(out, input))
)


def _quotient(out, input):
    """I1(x) / x, and its limit 1/2 at 0."""
    zero = like(raw(input) == 0, input)
    return masked_fill(out / masked_fill(input, zero, 1), zero, 0.5)
