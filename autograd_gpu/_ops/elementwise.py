"""Functions of one number, elementwise: exponentials, logarithms, roots, trigonometric and
hyperbolic functions, each with its derivative as a formula that has a kernel."""

import math

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .helpers import conj, is_complex, unary

__all__ = [
    "cos",
    "cosh",
    "exp",
    "log",
    "reciprocal",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


@op(kernel=True, inplace=True, promote="float")
def exp(xp, input: Array):
    """y = e^x            dL/dx = g y*"""
    return xp.exp(input)


exp.derivative(input=lambda grad, out: grad * conj(out))


@op(kernel=True, inplace=True, promote="float")
def exp2(xp, input: Array):
    """y = 2^x            dL/dx = g (y ln 2)*"""
    return xp.exp2(input)


exp2.derivative(input=lambda grad, out: exp2_backward(grad, out))


@composite(kernel="exp2_backward")
def exp2_backward(grad, out):
    """g (y ln 2)*"""
    return grad * (conj(out) * math.log(2))


@op(kernel=True, inplace=True, promote="float")
def expm1(xp, input: Array):
    """y = e^x - 1, accurate near 0            dL/dx = g (y + 1)*"""
    return xp.expm1(input)


expm1.derivative(input=lambda grad, out: expm1_backward(grad, out))


@composite(kernel="expm1_backward")
def expm1_backward(grad, out):
    """g (y + 1)*"""
    return grad * (conj(out) + 1)


@op(kernel=True, inplace=True, promote="float")
def log(xp, input: Array):
    """Natural logarithm.            y = ln x,  dL/dx = g / x*"""
    return xp.log(input)


log.derivative(input=lambda grad, input: grad / conj(input))
log.samples(unary(low=0.3, high=3.0))


@op(kernel=True, inplace=True, promote="float")
def log2(xp, input: Array):
    """y = log_2 x            dL/dx = g / (x ln 2)*"""
    return xp.log2(input)


log2.derivative(input=lambda grad, input: log2_backward(grad, input))
log2.samples(unary(low=0.3, high=3.0))


@composite(kernel="log2_backward")
def log2_backward(grad, input):
    """g / (x ln 2)*"""
    return grad / (conj(input) * math.log(2))


@op(kernel=True, inplace=True, promote="float")
def log10(xp, input: Array):
    """y = log_10 x            dL/dx = g / (x ln 10)*"""
    return xp.log10(input)


log10.derivative(input=lambda grad, input: log10_backward(grad, input))
log10.samples(unary(low=0.3, high=3.0))


@composite(kernel="log10_backward")
def log10_backward(grad, input):
    """g / (x ln 10)*"""
    return grad / (conj(input) * math.log(10))


@op(kernel=True, inplace=True, promote="float")
def log1p(xp, input: Array):
    """y = ln(1 + x), accurate near 0            dL/dx = g / (1 + x)*"""
    return xp.log1p(input)


log1p.derivative(input=lambda grad, input: log1p_backward(grad, input))
log1p.samples(unary(low=-0.5, high=3.0))


@composite(kernel="log1p_backward")
def log1p_backward(grad, input):
    """g / (1 + x)*"""
    return grad / (conj(input) + 1)


@op(kernel=True, inplace=True, promote="float")
def sqrt(xp, input: Array):
    """Square root.            y = x^(1/2),  dL/dx = g / (2 y)*"""
    return xp.sqrt(input)


sqrt.derivative(input=lambda grad, out: sqrt_backward(grad, out))
sqrt.samples(unary(low=0.3, high=3.0))


@composite(kernel="sqrt_backward")
def sqrt_backward(grad, out):
    """g / (2 y)*"""
    return grad / (conj(out) * 2)


@op(kernel=True, inplace=True, promote="float")
def rsqrt(xp, input: Array):
    """y = x^(-1/2)            dL/dx = -g (y^3)* / 2"""
    return 1 / xp.sqrt(input)


rsqrt.derivative(input=lambda grad, out: rsqrt_backward(grad, out))
rsqrt.samples(unary(low=0.3, high=3.0))


@composite(kernel="rsqrt_backward")
def rsqrt_backward(grad, out):
    """-g (y^3)* / 2"""
    return grad * conj(out * out * out) * -0.5


@op(kernel=True, inplace=True, promote="float")
def reciprocal(xp, input: Array):
    """y = 1 / x            dL/dx = -g (y^2)*"""
    return 1 / input


reciprocal.derivative(input=lambda grad, out: reciprocal_backward(grad, out))
reciprocal.samples(unary(low=0.3, high=3.0))


@composite(kernel="reciprocal_backward")
def reciprocal_backward(grad, out):
    """-g (y^2)*"""
    return -grad * conj(out * out)


@op(kernel=True, inplace=True, node="PowBackward0")
def square(xp, input: Array):
    """y = x^2            dL/dx = 2 g x*"""
    return input * input


square.derivative(input=lambda grad, input: square_backward(grad, input))


@composite(kernel="square_backward")
def square_backward(grad, input):
    """2 g x*"""
    if isinstance(grad, Tensor):  # recorded, it is a power, as in PyTorch
        from .power import pow

        return grad * conj(2.0 * pow(input, 1))
    return grad * conj(input * 2.0)


@op(kernel=True, inplace=True, promote="float")
def sin(xp, input: Array):
    """y = sin x            dL/dx = g cos(x)*"""
    return xp.sin(input)


sin.derivative(input=lambda grad, input: sin_backward(grad, input))


@composite(kernel="sin_backward")
def sin_backward(grad, input):
    """g cos(x)*"""
    return grad * conj(cos(input))


@op(kernel=True, inplace=True, promote="float")
def cos(xp, input: Array):
    """y = cos x            dL/dx = -g sin(x)*"""
    return xp.cos(input)


cos.derivative(input=lambda grad, input: cos_backward(grad, input))


@composite(kernel="cos_backward")
def cos_backward(grad, input):
    """-g sin(x)*"""
    return grad * -conj(sin(input))


@op(kernel=True, inplace=True, promote="float")
def tan(xp, input: Array):
    """y = tan x            dL/dx = g (1 + y^2)*"""
    return xp.tan(input)


tan.derivative(input=lambda grad, out: tan_backward(grad, out))
tan.samples(unary(low=-1.2, high=1.2))


@composite(kernel="tan_backward")
def tan_backward(grad, out):
    """g (1 + y^2)*"""
    return grad * conj(out * out + 1)


@op(kernel=True, inplace=True, promote="float")
def asin(xp, input: Array):
    """y = arcsin x            dL/dx = g / (1 - x^2)^(1/2)*"""
    return xp.arcsin(input)


asin.derivative(input=lambda grad, input: asin_backward(grad, input))
asin.samples(unary(low=-0.9, high=0.9))


@composite(kernel="asin_backward")
def asin_backward(grad, input):
    """g / (1 - x^2)^(1/2)*"""
    return grad * conj(rsqrt(1 - input * input))


@op(kernel=True, inplace=True, promote="float")
def acos(xp, input: Array):
    """y = arccos x            dL/dx = -g / (1 - x^2)^(1/2)*"""
    return xp.arccos(input)


acos.derivative(input=lambda grad, input: acos_backward(grad, input))
acos.samples(unary(low=-0.9, high=0.9))


@composite(kernel="acos_backward")
def acos_backward(grad, input):
    """-g / (1 - x^2)^(1/2)*"""
    return grad * -conj(rsqrt(1 - input * input))


@op(kernel=True, inplace=True, promote="float")
def atan(xp, input: Array):
    """y = arctan x            dL/dx = g / (1 + x^2)*"""
    return xp.arctan(input)


atan.derivative(input=lambda grad, input: atan_backward(grad, input))


@composite(kernel="atan_backward")
def atan_backward(grad, input):
    """g / (1 + x^2)*"""
    return grad / conj(input * input + 1)


@op(kernel=True, inplace=True, promote="float")
def sinh(xp, input: Array):
    """y = sinh x            dL/dx = g cosh(x)*"""
    return xp.sinh(input)


sinh.derivative(input=lambda grad, input: sinh_backward(grad, input))


@composite(kernel="sinh_backward")
def sinh_backward(grad, input):
    """g cosh(x)*"""
    return grad * conj(cosh(input))


@op(kernel=True, inplace=True, promote="float")
def cosh(xp, input: Array):
    """y = cosh x            dL/dx = g sinh(x)*"""
    return xp.cosh(input)


cosh.derivative(input=lambda grad, input: cosh_backward(grad, input))


@composite(kernel="cosh_backward")
def cosh_backward(grad, input):
    """g sinh(x)*"""
    return grad * conj(sinh(input))


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "nn.functional"))
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


@op(kernel=True, inplace=True, promote="float")
def asinh(xp, input: Array):
    """y = arsinh x            dL/dx = g / (x^2 + 1)^(1/2)*"""
    return xp.arcsinh(input)


asinh.derivative(input=lambda grad, input: asinh_backward(grad, input))


@composite(kernel="asinh_backward")
def asinh_backward(grad, input):
    """g / (x^2 + 1)^(1/2)*"""
    return grad * conj(rsqrt(input * input + 1))


@op(kernel=True, inplace=True, promote="float")
def acosh(xp, input: Array):
    """y = arcosh x            dL/dx = g / ((x - 1)^(1/2) (x + 1)^(1/2))*"""
    return xp.arccosh(input)


acosh.derivative(input=lambda grad, input: acosh_backward(grad, input))
acosh.samples(unary(low=1.2, high=3.0))


@composite(kernel="acosh_backward")
def acosh_backward(grad, input):
    """g / ((x - 1)^(1/2) (x + 1)^(1/2))*"""
    return grad * conj(_acosh_slope(input))


def _acosh_slope(input):
    if not is_complex(input):
        return rsqrt(input * input - 1)
    # x - -1 keeps an imaginary part of -0.0, which says on which side of the cut x lies.
    return rsqrt(input - 1) * rsqrt(input - -1)


@op(kernel=True, inplace=True, promote="float")
def atanh(xp, input: Array):
    """y = artanh x            dL/dx = g / (1 - x^2)*"""
    return xp.arctanh(input)


atanh.derivative(input=lambda grad, input: atanh_backward(grad, input))
atanh.samples(unary(low=-0.9, high=0.9))


@composite(kernel="atanh_backward")
def atanh_backward(grad, input):
    """g / (1 - x^2)*"""
    return grad / conj(1 - input * input)
