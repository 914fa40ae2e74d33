"""Functions of one number, elementwise: exponentials, logarithms, roots, trigonometric and
hyperbolic functions."""

import math
from typing import Any

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .helpers import conj, is_complex, like, no_gradient, raw, unary

__all__ = [
    "abs",
    "cos",
    "cosh",
    "exp",
    "log",
    "reciprocal",
    "sgn",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


@op(inplace=True, promote="float")
def exp(xp, input: Array):
    """y = e^x            dL/dx = g y*"""
    return xp.exp(input)


exp.derivative(input=lambda grad, out: grad * conj(out))


@op(inplace=True, promote="float")
def exp2(xp, input: Array):
    """y = 2^x            dL/dx = g (y ln 2)*"""
    return xp.exp2(input)


exp2.derivative(input=lambda grad, out: grad * (conj(out) * math.log(2)))


@op(inplace=True, promote="float")
def expm1(xp, input: Array):
    """y = e^x - 1, accurate near 0            dL/dx = g (y + 1)*"""
    return xp.expm1(input)


expm1.derivative(input=lambda grad, out: grad * (conj(out) + 1))


@op(inplace=True, promote="float")
def log(xp, input: Array):
    """Natural logarithm.            y = ln x,  dL/dx = g / x*"""
    return xp.log(input)


log.derivative(input=lambda grad, input: grad / conj(input))
log.samples(unary(low=0.3, high=3.0))


@op(inplace=True, promote="float")
def log2(xp, input: Array):
    """y = log_2 x            dL/dx = g / (x ln 2)*"""
    return xp.log2(input)


log2.derivative(input=lambda grad, input: grad / (conj(input) * math.log(2)))
log2.samples(unary(low=0.3, high=3.0))


@op(inplace=True, promote="float")
def log10(xp, input: Array):
    """y = log_10 x            dL/dx = g / (x ln 10)*"""
    return xp.log10(input)


log10.derivative(input=lambda grad, input: grad / (conj(input) * math.log(10)))
log10.samples(unary(low=0.3, high=3.0))


@op(inplace=True, promote="float")
def log1p(xp, input: Array):
    """y = ln(1 + x), accurate near 0            dL/dx = g / (1 + x)*"""
    return xp.log1p(input)


log1p.derivative(input=lambda grad, input: grad / (conj(input) + 1))
log1p.samples(unary(low=-0.5, high=3.0))


@op(inplace=True, promote="float")
def sqrt(xp, input: Array):
    """Square root.            y = x^(1/2),  dL/dx = g / (2 y)*"""
    return xp.sqrt(input)


sqrt.derivative(input=lambda grad, out: grad / (conj(out) * 2))
sqrt.samples(unary(low=0.3, high=3.0))


@op(inplace=True, promote="float")
def rsqrt(xp, input: Array):
    """y = x^(-1/2)            dL/dx = -g (y^3)* / 2"""
    return 1 / xp.sqrt(input)


rsqrt.derivative(input=lambda grad, out: grad * conj(out * out * out) * -0.5)
rsqrt.samples(unary(low=0.3, high=3.0))


@op(inplace=True, promote="float")
def reciprocal(xp, input: Array):
    """y = 1 / x            dL/dx = -g (y^2)*"""
    return 1 / input


reciprocal.derivative(input=lambda grad, out: -grad * conj(out * out))
reciprocal.samples(unary(low=0.3, high=3.0))


@op(inplace=True, node="PowBackward0")
def square(xp, input: Array):
    """y = x^2            dL/dx = 2 g x*"""
    return input * input


square.derivative(input=lambda grad, input: _square_backward(grad, input))


def _square_backward(grad, input):
    if isinstance(grad, Tensor):  # recorded, it is a power, as in PyTorch
        from .power import pow

        return grad * conj(2.0 * pow(input, 1))
    return grad * conj(input * 2.0)


@op(inplace=True, promote="float")
def sin(xp, input: Array):
    """y = sin x            dL/dx = g cos(x)*"""
    return xp.sin(input)


sin.derivative(input=lambda grad, input: grad * conj(cos(input)))


@op(inplace=True, promote="float")
def cos(xp, input: Array):
    """y = cos x            dL/dx = -g sin(x)*"""
    return xp.cos(input)


cos.derivative(input=lambda grad, input: grad * -conj(sin(input)))


@op(inplace=True, promote="float")
def tan(xp, input: Array):
    """y = tan x            dL/dx = g (1 + y^2)*"""
    return xp.tan(input)


tan.derivative(input=lambda grad, out: grad * conj(out * out + 1))
tan.samples(unary(low=-1.2, high=1.2))


@op(inplace=True, promote="float")
def asin(xp, input: Array):
    """y = arcsin x            dL/dx = g / (1 - x^2)^(1/2)*"""
    return xp.arcsin(input)


asin.derivative(input=lambda grad, input: grad * conj(rsqrt(1 - input * input)))
asin.samples(unary(low=-0.9, high=0.9))


@op(inplace=True, promote="float")
def acos(xp, input: Array):
    """y = arccos x            dL/dx = -g / (1 - x^2)^(1/2)*"""
    return xp.arccos(input)


acos.derivative(input=lambda grad, input: grad * -conj(rsqrt(1 - input * input)))
acos.samples(unary(low=-0.9, high=0.9))


@op(inplace=True, promote="float")
def atan(xp, input: Array):
    """y = arctan x            dL/dx = g / (1 + x^2)*"""
    return xp.arctan(input)


atan.derivative(input=lambda grad, input: grad / conj(input * input + 1))


@op(inplace=True, promote="float")
def sinh(xp, input: Array):
    """y = sinh x            dL/dx = g cosh(x)*"""
    return xp.sinh(input)


sinh.derivative(input=lambda grad, input: grad * conj(cosh(input)))


@op(inplace=True, promote="float")
def cosh(xp, input: Array):
    """y = cosh x            dL/dx = g sinh(x)*"""
    return xp.cosh(input)


cosh.derivative(input=lambda grad, input: grad * conj(sinh(input)))


@op(inplace=True, promote="float", where=("", "Tensor", "nn.functional"))
def tanh(xp, input: Array):
    """Hyperbolic tangent.

    y = tanh x            dL/dx = g (1 - y^2)*
    """
    return xp.tanh(input)


tanh.derivative(input=lambda grad, out: tanh_backward(grad, out))


@composite(kernel="tanh_backward")
def tanh_backward(grad, out):
    """g (1 - y^2)*"""
    return grad * conj(1 - out * out)


@op(inplace=True, promote="float")
def asinh(xp, input: Array):
    """y = arsinh x            dL/dx = g / (x^2 + 1)^(1/2)*"""
    return xp.arcsinh(input)


asinh.derivative(input=lambda grad, input: grad * conj(rsqrt(input * input + 1)))


@op(inplace=True, promote="float")
def acosh(xp, input: Array):
    """y = arcosh x            dL/dx = g / ((x - 1)^(1/2) (x + 1)^(1/2))*"""
    return xp.arccosh(input)


acosh.derivative(input=lambda grad, input: grad * conj(_acosh_slope(input)))
acosh.samples(unary(low=1.2, high=3.0))


def _acosh_slope(input):
    return rsqrt(input - 1) * rsqrt(input + 1) if is_complex(input) else rsqrt(input * input - 1)


@op(inplace=True, promote="float")
def atanh(xp, input: Array):
    """y = artanh x            dL/dx = g / (1 - x^2)*"""
    return xp.arctanh(input)


atanh.derivative(input=lambda grad, input: grad / conj(1 - input * input))
atanh.samples(unary(low=-0.9, high=0.9))


# ---- sign and size


@op(inplace=True, where=("", "Tensor"), methods=("__abs__",))
def abs(xp, input: Array):
    """The absolute value; of complex numbers the modulus, which is real.

    y = |x|            dL/dx = g sgn(x)            (0 at 0)
    """
    return xp.abs(input)


abs.derivative(input=lambda grad, input: grad * sgn(input))
abs.samples(unary(low=0.2, high=2.0))


@op(inplace=True)
def sgn(xp, input: Array):
    """The sign: x / |x|, and 0 at 0; of a real number -1, 0 or 1.

    dL/dx = 0 for real numbers, (g - Re(g sgn(x)*) sgn(x)) / |x| for complex ones (0 at 0)
    """
    return _signs(xp, input)


def _signs(xp, input):
    if input.dtype.kind == "c":
        size = xp.abs(input)
        return xp.where(size == 0, 0, input / xp.where(size == 0, 1, size)).astype(input.dtype)
    if input.dtype.char == "?":
        return input.copy()
    return (input > 0).astype(input.dtype) - (input < 0).astype(input.dtype)  # NaN gives 0


sgn.derivative(input=lambda grad, input, out: _sgn_backward(grad, input, out))
sgn.samples(unary(low=0.2, high=2.0))


def _sgn_backward(grad, input, out):
    if not is_complex(input):
        return no_gradient(grad)
    from .complex import real
    from .select import masked_fill

    size = abs(input)
    zero = like(raw(size) == 0, grad)
    safe = masked_fill(size, zero, 1)
    return masked_fill((grad - real(grad * conj(out)) * out) / safe, zero, 0)


@op(inplace=True)
def sign(xp, input: Array):
    """-1, 0 or 1; NaN gives 0. Its derivative is 0. RuntimeError for complex numbers: see `sgn`."""
    if input.dtype.kind == "c":
        raise RuntimeError("Unlike NumPy, torch.sign doesn't allow complex numbers; use torch.sgn.")
    return _signs(xp, input)


sign.derivative(input=no_gradient)
sign.samples(unary(low=0.2, high=2.0))


# ---- rounding: derivatives are 0


def _integers_unchanged(xp: Any, function: Any, input: Any) -> Any:
    return input.copy() if input.dtype.kind in "iu" else function(input)


@op(inplace=True)
def floor(xp, input: Array):
    """The largest integer not above x. Its derivative is 0."""
    return _integers_unchanged(xp, xp.floor, input)


@op(inplace=True)
def ceil(xp, input: Array):
    """The smallest integer not below x. Its derivative is 0."""
    return _integers_unchanged(xp, xp.ceil, input)


@op(inplace=True)
def trunc(xp, input: Array):
    """x without its fraction. Its derivative is 0."""
    return _integers_unchanged(xp, xp.trunc, input)


@op(inplace=True)
def round(xp, input: Array, *, decimals=0):
    """The nearest integer, halves to even; with `decimals`, the nearest multiple of 10^-decimals.
    Its derivative is 0."""
    if not decimals:
        return _integers_unchanged(xp, xp.rint, input)
    scale = 10.0 ** abs_int(decimals)
    return xp.rint(input * scale) / scale if decimals > 0 else xp.rint(input / scale) * scale


def abs_int(n: int) -> int:
    """|n| of a Python integer (`abs` is the op here)."""
    return n if n >= 0 else -n


for _f in (floor, ceil, trunc, round):
    _f.derivative(input=no_gradient)
    _f.samples(unary(low=0.1, high=0.4))


@op(inplace=True)
def frac(xp, input: Array):
    """The fraction: y = x - trunc(x)            dL/dx = g"""
    return input - xp.trunc(input)


frac.derivative(input=lambda grad: grad)
frac.samples(unary(low=1.1, high=1.9))
