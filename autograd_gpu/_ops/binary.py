"""Functions of two and three numbers beyond arithmetic: angles, logarithms of sums, interpolation,
fused products.
"""

import math

import numpy as np

from .._core.dtype import of
from .._core.tensor import Tensor
from .arithmetic import mul
from .declare import Array, composite, op
from .elementwise import log
from .errors import needs
from .helpers import conj, is_complex, like, narrow, no_gradient, raw, wide
from .power import pow
from .returns import result_type
from .select import masked_fill
from .special import log_of, sigmoid, times_log

__all__ = ["atan2", "float_power", "hypot", "logaddexp", "xlogy"]


@op(kernel=True, inplace=True, promote="float")
def atan2(xp, input: Array, other: Array):
    """The angle of the point (b, a), in (-pi, pi]; elementwise, with broadcasting.

    y = arctan(a / b) in the right quadrant
    dL/da = g b / (a^2 + b^2),  dL/db = -g a / (a^2 + b^2)

    The derivatives at (0, 0) are 0. NotImplementedError for complex numbers.
    """
    needs("atan2", input, "biuf")
    return xp.arctan2(input, other)


atan2.derivative(
    input=lambda grad, input, other: atan2_backward(grad, input, other),
    other=lambda grad, input, other: atan2_backward_other(grad, input, other),
)


@composite(kernel="atan2_backward")
def atan2_backward(grad, input, other):
    """g b / (a^2 + b^2)"""
    return grad * other * _inverse_square(input, other)


@composite(kernel="atan2_backward_other")
def atan2_backward_other(grad, input, other):
    """-g a / (a^2 + b^2)"""
    return grad * -input * _inverse_square(input, other)


def _inverse_square(a, b):
    """1 / (a^2 + b^2), and 0 at (0, 0)."""
    square = a * a + b * b
    zero = raw(square) == 0
    return masked_fill(1 / masked_fill(square, like(zero, square), 1), like(zero, square), 0)


@op(kernel=True, inplace=True, promote="same")
def hypot(xp, input: Array, other: Array):
    """The length of the hypotenuse, without overflow of the squares; elementwise, with
    broadcasting.

    y = (a^2 + b^2)^(1/2)            dL/da = g a / y,  dL/db = g b / y

    The derivatives at (0, 0) are 0, as of every norm (PyTorch gives NaN). NotImplementedError but
    for floating dtypes.
    """
    needs("hypot", input, "f")
    return xp.hypot(input, other)


hypot.derivative(
    input=lambda grad, input, out: hypot_backward(grad, input, out),
    other=lambda grad, other, out: hypot_backward(grad, other, out),
)


@composite(kernel="hypot_backward")
def hypot_backward(grad, side, length):
    """g side / length, and 0 where the length is 0."""
    zero = like(raw(length) == 0, length)
    return grad * masked_fill(side / masked_fill(length, zero, 1), zero, 0)


# ---- logarithms


@op(kernel=True, promote="same")
def logaddexp(xp, input: Array, other: Array):
    """The logarithm of a sum of exponentials, without overflow; elementwise, with broadcasting.

    y = log(e^a + e^b)
    dL/da = g / (1 + e^(b - a)),  dL/db = g / (1 + e^(a - b))            (conjugated)

    NotImplementedError for integers.
    """
    needs("logaddexp", input, "fc")
    if input.dtype.kind == "c":
        larger = input.real >= other.real
        return xp.where(larger, input, other) + xp.log1p(
            xp.exp(xp.where(larger, other - input, input - other))
        )
    return xp.logaddexp(input, other)


logaddexp.derivative(
    input=lambda grad, input, other: logaddexp_backward(grad, input, other),
    other=lambda grad, input, other: logaddexp_backward(grad, other, input),
)


@composite(kernel="logaddexp_backward")
def logaddexp_backward(grad, input, other):
    """g / (1 + e^(b - a))*"""
    return grad * conj(sigmoid(input - other))


@op(kernel=True, promote="same")
def logaddexp2(xp, input: Array, other: Array):
    """The same to the base 2.

    y = log2(2^a + 2^b)            dL/da = g / (1 + 2^(b - a)),  dL/db = g / (1 + 2^(a - b))

    NotImplementedError for integers and complex numbers.
    """
    needs("logaddexp2", input, "f")
    return xp.logaddexp2(input, other)


logaddexp2.derivative(
    input=lambda grad, input, other: logaddexp2_backward(grad, input, other),
    other=lambda grad, input, other: logaddexp2_backward(grad, other, input),
)


@composite(kernel="logaddexp2_backward")
def logaddexp2_backward(grad, input, other):
    """g / (1 + 2^(b - a))"""
    return grad * sigmoid((input - other) * math.log(2))


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "special"))
def xlogy(xp, input: Array | float, other: Array | float):
    """y = a log b, and 0 where a = 0 (unless b is NaN); elementwise, with broadcasting.

    dL/da = g log b (0 where a = 0 and b <= 0),  dL/db = g a / b
    """
    return times_log(xp, input, other, 0)


xlogy.derivative(
    input=lambda grad, input, other: _xlogy_backward(grad, input, other),
    other=lambda grad, input, other: xlogy_backward_other(grad, input, other),
)


@composite(kernel="xlogy_backward_other")
def xlogy_backward_other(grad, input, other):
    """g a / b"""
    return grad * input / other


@composite(kernel="xlogy_backward")
def _xlogy_backward(grad, input, other):
    zero = like((raw(input) == 0) & (raw(other) <= 0), grad)
    return masked_fill(grad * (log(other) if hasattr(other, "dtype") else log_of(other)), zero, 0)


# ---- signs, powers, steps


@op(kernel=True, inplace=True, promote="float")
def copysign(xp, input: Array, other: Array | float):
    """y = |a| with the sign of b; elementwise, with broadcasting.

    dL/da = g y / a, 0 where a = 0;  dL/db = 0
    """
    needs("copysign", input, "f")
    return narrow(
        xp.copysign(wide(input), wide(other) if hasattr(other, "dtype") else other), input.dtype
    )


copysign.derivative(
    input=lambda grad, input, out: _copysign_backward(grad, input, out), other=no_gradient
)


@composite(kernel="copysign_backward")
def _copysign_backward(grad, input, out):
    ratio = masked_fill(raw(out) / raw(input), raw(input) == 0, 0)
    return grad * like(ratio, grad)


@composite(where=("", "Tensor"))
def float_power(input, exponent, *, out=None):
    """The power computed in float64 (complex128 where one is complex): y = a^b; see `pow`.

    Either may be a number. TypeError for two numbers.
    """
    for name, value, other in (("input", input, exponent), ("exponent", exponent, input)):
        if (
            not isinstance(value, (Tensor, int, float, complex))
            or not isinstance(value, Tensor)
            and not isinstance(other, Tensor)
        ):
            raise TypeError(
                f"float_power(): argument '{name}' must be Tensor, not {type(value).__name__}"
            )
    wide = np.dtype("c16" if is_complex(input) or is_complex(exponent) else "f8")
    base, power = (
        v.to(of(wide)) if isinstance(v, Tensor) else wide.type(v).item() for v in (input, exponent)
    )
    return pow(base, power, out=out)


def _float_power_(self, exponent):
    """In-place form of `float_power`. RuntimeError unless this tensor has the result's dtype."""
    wanted = of(np.dtype("c16" if is_complex(self) or is_complex(exponent) else "f8"))
    if self.dtype is not wanted:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype.legacy} but the operation's "
            "result requires dtype "
            f"{wanted.legacy}"
        )
    return self.pow_(exponent)


Tensor.float_power_ = _float_power_  # type: ignore[attr-defined]
float_power.op.inplace = ("float_power_",)


@op(kernel="heaviside", where=(), promote="same", node="HeavisideBackward0")
def _heaviside(xp, input: Array, values: Array):
    """See `heaviside`."""
    step = (input > 0).astype(input.dtype)
    return xp.where(input == 0, values, step)


_heaviside.derivative(
    input=no_gradient, values=lambda grad, input: heaviside_backward(grad, input)
)


@composite(kernel="heaviside_backward")
def heaviside_backward(grad, input):
    """g where x = 0, else 0"""
    return masked_fill(grad, like(raw(input) != 0, grad), 0)


@composite(where=("", "Tensor"), inplace=True)
def heaviside(input, values, *, out=None):
    """The step function; elementwise, with broadcasting.

    y = 0 where x < 0, v where x = 0, 1 where x > 0            dL/dx = 0,  dL/dv = g where x = 0

    RuntimeError for complex numbers and for different dtypes.
    """
    if is_complex(input) or is_complex(values):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if isinstance(values, Tensor) and values.dtype is not input.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return _heaviside(input, values, out=out)


@composite(where=("", "Tensor"), inplace=True)
def ldexp(input, other, *, out=None):
    """y = a 2^b, elementwise, with broadcasting.            dL/da = g 2^b,  dL/db = g y log 2"""
    return mul(input, pow(2.0, other), out=out)


@op(outputs=("mantissa", "exponent"), result=result_type("frexp", "mantissa", "exponent"))
def frexp(xp, input: Array):
    """Mantissa and exponent: x = m 2^e with 1/2 <= |m| < 1, e an int32 (both 0 of 0).
    dL/dx = g_m 2^-e

    RuntimeError but for floating dtypes.
    """
    if input.dtype.kind in "biuc":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = xp.frexp(input)
    return mantissa, exponent.astype(np.int32)


frexp.derivative(
    input=lambda grad, exponent: grad * like(2.0 ** -raw(exponent).astype(raw(grad).dtype), grad)
)


@op(inplace=True, promote="same")
def nextafter(xp, input: Array, other: Array):
    """The number next to a towards b, elementwise, with broadcasting; no derivative.
    NotImplementedError for integers.
    """
    needs("nextafter", input, "f")
    return xp.nextafter(input, other)


@op(inplace=True, promote="same")
def gcd(xp, input: Array, other: Array):
    """The greatest common divisor of integers, elementwise, with broadcasting; gcd(0, 0) = 0."""
    needs("gcd", input, "iu")
    return xp.gcd(input, other)


@op(inplace=True, promote="same")
def lcm(xp, input: Array, other: Array):
    """The least common multiple of integers, elementwise, with broadcasting; lcm(0, x) = 0."""
    needs("lcm", input, "iu")
    return xp.lcm(input, other)


# ---- degrees


@op(kernel=True, inplace=True, promote="float")
def deg2rad(xp, input: Array):
    """Degrees to radians: y = x pi / 180            dL/dx = g pi / 180

    RuntimeError for complex numbers.
    """
    if input.dtype.kind == "c":
        raise RuntimeError("deg2rad is not supported for complex tensors.")
    return narrow(wide(input) * (math.pi / 180), input.dtype)


deg2rad.derivative(input=lambda grad: grad * (math.pi / 180))


@op(kernel=True, inplace=True, promote="float")
def rad2deg(xp, input: Array):
    """Radians to degrees: y = x 180 / pi            dL/dx = g 180 / pi

    RuntimeError for complex numbers.
    """
    if input.dtype.kind == "c":
        raise RuntimeError("rad2deg is not supported for complex tensors.")
    return narrow(wide(input) * (180 / math.pi), input.dtype)


rad2deg.derivative(input=lambda grad: grad * (180 / math.pi))

hypot.samples(lambda t: [(t(2, 3), t(3)), (t(), t()), (t(2, 1), t(1, 3)), (t(0), t(0))])
xlogy.samples(lambda t: [(t(2, 3), t(3, low=0.3, high=2.0)), (t(3), 2.0), (t(), t(low=0.3))])
copysign.samples(lambda t: [(t(2, 3), t(3)), (t(3), -1.0), (t(), t(2))])
float_power.samples(lambda t: [(t(3, low=0.3, high=2.0), t(2, 3)), (t(3), 2)])
_heaviside.samples(lambda t: [(t(2, 3), t(3)), (t(), t())])
heaviside.samples(
    lambda t: [(t(2, 3).detach(), t(3).detach()), (t(4).detach(), t().detach())]
)  # PyTorch has no derivative
ldexp.samples(lambda t: [(t(2, 3), t(3)), (t(3), t.int(4, 3))])
for _f in (gcd, lcm):
    _f.samples(lambda t: [(t.int(30, 2, 3), t.int(30, 3)), (t.int(30), t.int(30))])
