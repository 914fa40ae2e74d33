"""Special functions in closed form: sigmoid, logit, sinc, entr, xlog1py."""

import math
from typing import Any

from .declare import Array, composite, op
from .elementwise import cos, log, log1p, sin
from .errors import not_implemented
from .helpers import conj, like, narrow, raw, unary, wide
from .select import masked_fill

__all__ = ["entr", "logit", "sigmoid", "sinc", "xlog1py"]


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "nn.functional"))
def sigmoid(xp, input: Array):
    """The logistic function.

    y = 1 / (1 + e^-x)            dL/dx = g (y (1 - y))*
    """
    half = input.dtype.itemsize == 2 and input.dtype.kind not in "iu"
    out = xp.exp(-(input.astype("f4") if half else input))
    if out.ndim:
        out += 1
        out = xp.divide(1, out, out=out)
    else:
        out = 1 / (1 + out)
    return out.astype(input.dtype) if half else out


sigmoid.derivative(input=lambda grad, out: sigmoid_backward(grad, out))


@composite(kernel="sigmoid_backward")
def sigmoid_backward(grad, out):
    """g (y (1 - y))*"""
    return grad * conj((1 - out) * out)


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "special"))
def logit(xp, input: Array, eps=None):
    """The inverse of the logistic function: NaN outside of [0, 1], infinite at its ends.

    y = log(x / (1 - x))            dL/dx = g / (x (1 - x))

    `eps`: x is first brought into [eps, 1 - eps], and the derivative is 0 outside.
    NotImplementedError for complex numbers.
    """
    if input.dtype.kind == "c":
        raise not_implemented("logit_cpu", input.dtype)
    x = wide(input) if eps is None else xp.minimum(xp.maximum(wide(input), eps), 1 - eps)
    return narrow(xp.log(x / (1 - x)), input.dtype)


logit.derivative(input=lambda grad, input, eps: _logit_backward(grad, input, eps))


@composite(kernel="logit_backward")
def _logit_backward(grad, input, eps):
    """g / (x (1 - x)) within the bounds; outside 0, or NaN where there are none."""
    x, low = raw(input), 0.0 if eps is None else eps
    outside = like((x < low) | (x > 1 - low), grad)
    return masked_fill(grad / (input * (1 - input)), outside, math.nan if eps is None else 0.0)


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "special"))
def sinc(xp, input: Array):
    """The normalised sine quotient.

    y = sin(pi x) / (pi x), 1 at 0
    dL/dx = g (pi x cos(pi x) - sin(pi x))* / (pi x^2)*, 0 at 0
    """
    zero = input == 0
    angle = wide(input) * math.pi
    one = angle.dtype.type(1)
    angle = xp.where(zero, one, angle)
    return narrow(xp.where(zero, one, xp.sin(angle) / angle), input.dtype)


sinc.derivative(input=lambda grad, input: _sinc_backward(grad, input))


@composite(kernel="sinc_backward")
def _sinc_backward(grad, input):
    """g (pi x cos(pi x) - sin(pi x))* / (pi x^2)*, 0 at 0"""
    zero = like(raw(input) == 0, grad)
    x = masked_fill(input, like(raw(input) == 0, input), 1)
    angle = x * math.pi
    slope = (angle * cos(angle) - sin(angle)) / (angle * x)
    return masked_fill(grad * conj(slope), zero, 0)


@op(kernel=True, promote="float", where=("special",), node="SpecialXlog1PyBackward0")
def xlog1py(xp, input: Array | float, other: Array | float):
    """y = a log(1 + b), and 0 where a = 0 (unless b is NaN); elementwise, with broadcasting.

    dL/da = g log(1 + b) (0 where a = 0 and b <= -1),  dL/db = g a / (1 + b)
    """
    return times_log(xp, input, other, 1)


def times_log(xp: Any, input: Any, other: Any, shift: int) -> Any:
    """a log(b + shift), 0 where a = 0 (unless b is NaN); either may be a number."""
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    if dtype.kind == "c":
        raise not_implemented("xlog1py_cpu" if shift else "xlogy_cpu", dtype)
    factor = wide(input) if hasattr(input, "dtype") else input
    if hasattr(other, "dtype"):
        product = factor * (xp.log1p if shift else xp.log)(wide(other))
    else:
        product = factor * log_of(other + shift)
    known = xp.logical_and(xp.equal(input, 0), xp.equal(other, other))
    return narrow(xp.where(known, xp.zeros((), product.dtype), product), dtype)


xlog1py.derivative(
    input=lambda grad, input, other: _xlog1py_backward(grad, input, other),
    other=lambda grad, input, other: xlog1py_backward_other(grad, input, other),
)


@composite(kernel="xlog1py_backward_other")
def xlog1py_backward_other(grad, input, other):
    """g a / (1 + b)"""
    return grad * input / (other + 1)


@composite(kernel="xlog1py_backward")
def _xlog1py_backward(grad, input, other):
    zero = like((raw(input) == 0) & (raw(other) <= -1), grad)
    return masked_fill(
        grad * (log1p(other) if hasattr(other, "dtype") else log_of(1 + other)), zero, 0
    )


def log_of(number: float) -> float:
    """The logarithm of a Python number, as arrays have it: infinite at 0, NaN below."""
    return math.log(number) if number > 0 else -math.inf if number == 0 else math.nan


@op(kernel=True, promote="float", where=("special",), node="SpecialEntrBackward0")
def entr(xp, input: Array):
    """A term of the entropy.

    y = -x log x, 0 at 0, -inf below            dL/dx = -g (1 + log x)

    NotImplementedError for complex numbers.
    """
    if input.dtype.kind == "c":
        raise not_implemented("entr_cpu", input.dtype)
    value = -input * xp.log(input)
    value = xp.where(input == 0, input.dtype.type(0), value)
    return xp.where(input < 0, input.dtype.type(-math.inf), value)


entr.derivative(input=lambda grad, input: entr_backward(grad, input))


@composite(kernel="entr_backward")
def entr_backward(grad, input):
    """-g (1 + log x)"""
    return grad * -(log(input) + 1)


logit.samples(
    lambda t: [
        *unary(0.1, 0.9)(t),
        (t(5, low=0.3, high=0.7), 0.2),
        (t(5, low=-0.5, high=-0.1), 0.2),
    ]
)
xlog1py.samples(
    lambda t: [
        (t(2, 3), t(3, low=0.0, high=2.0)),
        (t(3), 2.0),
        (2.0, t(3, low=0.0)),
        (t(), t(low=0.0)),
        (t(0), t(0)),
    ]
)
entr.samples(unary(0.2, 2.0))
