"""The error function and its kin: erf, erfc, erfcx, erfinv, and the normal distribution's ndtr,
ndtri, log_ndtr.
"""

import math
from typing import Any

import numpy as np

from .declare import Array, composite, op
from .elementwise import exp
from .errors import not_implemented
from .helpers import unary

__all__ = ["erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]

_ROOT_PI = math.sqrt(math.pi)
_ROOT_TWO = math.sqrt(2.0)

# W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation
# 23 (1969): three
# ranges, each exact to 1e-18 before rounding. Numerators and denominators, highest power first.
_SMALL = (
    (
        1.85777706184603153e-1,
        3.16112374387056560,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (
        1.0,
        2.36012909523441209e1,
        2.44024637934444173e2,
        1.28261652607737228e3,
        2.84423683343917062e3,
    ),
)
_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
     1.23033935480374942e3),
)  # fmt: skip
_LARGE = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
# erf(x) / x in x^2 for |x| <= 3.92, where float32 reaches 1; our own weighted least-squares fit,
# relative error 2e-8.
_SINGLE = (
    (2.050247008656358e-06, 0.0002848695174776601, 0.003764906285375437, 0.05274651268051805,
     0.19038950015255188, 1.1283791463565664),
    (3.8092697543191686e-05, 0.001162369049825175, 0.014967781323030848, 0.11410213067165328,
     0.5020610451396177, 1.0),
)  # fmt: skip
_TABLE = np.array(_SINGLE, np.float32).T[..., None].copy()


def ratio(xp: Any, coefficients: tuple, z: Any) -> Any:
    """A quotient of two polynomials in z, by Horner's rule."""
    values = []
    for series in coefficients:
        out = z * series[0]
        for c in series[1:-1]:
            out += c
            out *= z
        values.append(out + series[-1])
    values[0] /= values[1]
    return values[0]


def pieces(x: Any, cases: list) -> Any:
    """Each element by the function of its range: `cases` holds masks and functions."""
    out = x.copy()
    for mask, function in cases:
        if mask.all():
            return function(x)
        if mask.any():
            out[mask] = function(x[mask])
    return out


def _erf_small(xp: Any, x: Any) -> Any:
    return x * ratio(xp, _SMALL, x * x)


def _scaled_tail(xp: Any, a: Any) -> Any:
    """exp(a^2) erfc(a) for a > 0.46875."""

    def far(a: Any) -> Any:
        z = 1 / (a * a)
        return (1 / _ROOT_PI - z * ratio(xp, _LARGE, z)) / a

    near = a <= 4
    return pieces(a, [(near, lambda a: ratio(xp, _MIDDLE, a)), (~near, far)])


def _gauss(xp: Any, a: Any) -> Any:
    """exp(-a^2), with the square in two parts, so that its rounding does not count."""
    head = xp.trunc(a * 16) / 16
    return xp.exp(-head * head) * xp.exp(-(a - head) * (a + head))


def _erf_array(xp: Any, x: Any) -> Any:
    a = xp.abs(x)
    small = a <= 0.46875
    bounded = lambda x: xp.minimum(xp.abs(x), 6.0)
    tail = lambda a: _gauss(xp, a) * _scaled_tail(xp, a)
    return pieces(x, [
        (small, lambda x: _erf_small(xp, x)),
        (~small, lambda x: xp.copysign(1 - tail(bounded(x)), x)),
    ])  # fmt: skip


def erfc_array(xp: Any, x: Any) -> Any:
    """erfc of a float64 array."""
    low = lambda x: xp.maximum(x, -6.0)
    high = lambda x: xp.minimum(x, 28.0)
    return pieces(x, [
        (xp.abs(x) <= 0.46875, lambda x: 1 - _erf_small(xp, x)),
        (x > 0.46875, lambda x: _gauss(xp, high(x)) * _scaled_tail(xp, high(x))),
        (x < -0.46875, lambda x: 2 - _gauss(xp, -low(x)) * _scaled_tail(xp, -low(x))),
    ])  # fmt: skip


def erfcx_array(xp: Any, x: Any) -> Any:
    """exp(x^2) erfc(x) of a float64 array."""
    return pieces(x, [
        (xp.abs(x) <= 0.46875, lambda x: xp.exp(x * x) * (1 - _erf_small(xp, x))),
        (x > 0.46875, lambda x: _scaled_tail(xp, x)),
        (x < -0.46875, lambda x: 2 / _gauss(xp, xp.maximum(x, -30.0)) - _scaled_tail(xp, -x)),
    ])  # fmt: skip


def _erf_single(xp: Any, x: Any) -> Any:
    """erf of a float32 array, in blocks that stay in the cache; numerator and denominator side by
    side.
    """
    table = xp.asarray(_TABLE)
    flat, out = x.reshape(-1), xp.empty(x.size, x.dtype)
    for i in range(0, x.size, 32768):
        # At 4.1 the fit lies 6e-7 above 1: whatever the rounding, the result is cut to exactly 1.
        c = xp.minimum(xp.maximum(flat[i : i + 32768], -4.1), 4.1)
        z = c * c
        both = z * table[0]
        for row in table[1:-1]:
            both += row
            both *= z
        both += table[-1]
        out[i : i + 32768] = c * (both[0] / both[1])
    return xp.minimum(xp.maximum(out, -1, out=out), 1, out=out).reshape(x.shape)


_KERNELS = {n: f"{n}_vml_cpu" for n in ("erf", "erfc", "erfinv", "i0", "lgamma")}
_KERNELS |= {"digamma": "digamma", "ndtr": "erf_vml_cpu"}
"""What PyTorch calls the function in its errors, where that is another name."""


def in_double(xp: Any, name: str, function: Any, input: Any) -> Any:
    """A function of float64 arrays on any real array. NotImplementedError for complex numbers."""
    if input.dtype.kind == "c":
        raise not_implemented(_KERNELS.get(name, f"{name}_cpu"), input.dtype)
    out = function(xp, xp.asarray(input, np.float64))
    return out if input.dtype.kind in "biu" else out.astype(input.dtype, copy=False)


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "special"))
def erf(xp, input: Array):
    """The error function.

    y = 2 / pi^(1/2) * integral of e^(-t^2) from 0 to x            dL/dx = g 2 / pi^(1/2) e^(-x^2)

    Exact to 2 units in the last place (float32: 4). NotImplementedError for complex numbers.
    Source: W. J. Cody (1969).
    """
    if input.dtype.kind == "f" and input.dtype.itemsize <= 4:
        return _erf_single(xp, xp.asarray(input, np.float32)).astype(input.dtype, copy=False)
    return in_double(xp, "erf", _erf_array, input)


erf.derivative(input=lambda grad, input: erf_backward(grad, input, 2 / _ROOT_PI))


@composite(kernel="erf_backward")
def erf_backward(grad, input, factor):
    """g c e^(-x^2)"""
    return grad * factor * exp(-(input * input))


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "special"))
def erfc(xp, input: Array):
    """The rest of the error function, without loss in the tail.

    y = 1 - erf(x)            dL/dx = -g 2 / pi^(1/2) e^(-x^2)

    NotImplementedError for complex numbers. Source: W. J. Cody (1969).
    """
    return in_double(xp, "erfc", erfc_array, input)


erfc.derivative(input=lambda grad, input: erf_backward(grad, input, -2 / _ROOT_PI))


@op(promote="float", where=("special",))
def erfcx(xp, input: Array):
    """The scaled rest of the error function, which does not underflow.

    y = e^(x^2) erfc(x)            dL/dx = g (2 x y - 2 / pi^(1/2))

    NotImplementedError for complex numbers. Source: W. J. Cody (1969).
    """
    return in_double(xp, "erfcx", erfcx_array, input)


erfcx.derivative(input=lambda grad, input, out: erfcx_backward(grad, input, out))


@composite(kernel="erfcx_backward")
def erfcx_backward(grad, input, out):
    """g (2 x y - 2 / pi^(1/2))"""
    return grad * (out * input * 2.0 - 2 / _ROOT_PI)


# ---- inverses


def _inverse(xp: Any, p: Any, q: Any) -> Any:
    """The x >= 0 with erf(x) = p = 1 - q: S. Winitzki's closed form (2008), good to 0.2 %, then
    Halley's steps.
    """
    far, a = p > 0.1, 0.147
    line = xp.log(q * (1 + p))
    head = 2 / (math.pi * a) + line / 2
    x = xp.where(far, xp.sqrt(xp.sqrt(head * head - line / a) - head), p * (_ROOT_PI / 2))
    for _ in range(3):
        square = xp.exp(x * x)
        step = xp.where(far, q * square - erfcx_array(xp, x), (_erf_array(xp, x) - p) * square) * (
            _ROOT_PI / 2
        )
        x = x - step / (1 + x * step)
    return x


def _erfinv_array(xp: Any, y: Any) -> Any:
    p = xp.abs(y)
    x = xp.copysign(_inverse(xp, p, 1 - p), y)
    return xp.where(p < 1, x, xp.where(p == 1, xp.copysign(math.inf, y), math.nan))


@op(kernel=True, inplace=True, promote="float", where=("", "Tensor", "special"))
def erfinv(xp, input: Array):
    """The inverse of the error function: NaN outside of [-1, 1], infinite at its ends.

    y with erf(y) = x            dL/dx = g pi^(1/2) / 2 e^(y^2)

    NotImplementedError for complex numbers.
    """
    return in_double(xp, "erfinv", _erfinv_array, input)


erfinv.derivative(input=lambda grad, out: erfinv_backward(grad, out))


@composite(kernel="erfinv_backward")
def erfinv_backward(grad, out):
    """g pi^(1/2) / 2 e^(y^2)"""
    return grad * (_ROOT_PI / 2) * exp(out * out)


# ---- the normal distribution


@op(kernel=True, promote="float", where=("special",))
def ndtr(xp, input: Array):
    """The normal distribution: the area under the bell curve left of x, without loss in the tail.

    y = erfc(-x / 2^(1/2)) / 2            dL/dx = g (2 pi)^(-1/2) e^(-x^2 / 2)

    NotImplementedError for complex numbers.
    """
    return in_double(xp, "ndtr", lambda xp, x: erfc_array(xp, x / -_ROOT_TWO) / 2, input)


ndtr.derivative(input=lambda grad, input: ndtr_backward(grad, input))


@composite(kernel="ndtr_backward")
def ndtr_backward(grad, input):
    """g (2 pi)^(-1/2) e^(-x^2 / 2)"""
    return grad * (1 / math.sqrt(2 * math.pi)) * exp(input * input * -0.5)


@op(promote="float", where=("special",))
def ndtri(xp, input: Array):
    """The inverse of the normal distribution: NaN outside of [0, 1], infinite at its ends.

    y with ndtr(y) = x            dL/dx = g (2 pi)^(1/2) e^(y^2 / 2)

    NotImplementedError for complex numbers.
    """
    return in_double(xp, "ndtri", _ndtri_array, input)


def _ndtri_array(xp: Any, y: Any) -> Any:
    q = 2 * xp.minimum(y, 1 - y)
    x = xp.copysign(_inverse(xp, 1 - q, q) * _ROOT_TWO, y - 0.5)
    inside = (y > 0) & (y < 1)
    return xp.where(
        inside, x, xp.where((y == 0) | (y == 1), xp.copysign(math.inf, y - 0.5), math.nan)
    )


ndtri.derivative(input=lambda grad, out: ndtri_backward(grad, out))


@composite(kernel="ndtri_backward")
def ndtri_backward(grad, out):
    """g (2 pi)^(1/2) e^(y^2 / 2)"""
    return grad * math.sqrt(2 * math.pi) * exp(out * out * 0.5)


@op(promote="float", where=("special",))
def log_ndtr(xp, input: Array):
    """The logarithm of the normal distribution, which is finite far to the left.

    y = log(ndtr(x))            dL/dx = g (2 / pi)^(1/2) / erfcx(-x / 2^(1/2))

    NotImplementedError for complex numbers.
    """
    return in_double(xp, "log_ndtr", _log_ndtr_array, input)


def _log_ndtr_array(xp: Any, x: Any) -> Any:
    left = x < -1
    return pieces(x, [
        (left, lambda x: xp.log(erfcx_array(xp, x / -_ROOT_TWO) / 2) - x * x / 2),
        (~left, lambda x: xp.log1p(erfc_array(xp, x / _ROOT_TWO) / -2)),
    ])  # fmt: skip


log_ndtr.derivative(
    input=lambda grad, input: grad * math.sqrt(2 / math.pi) / erfcx(input * (-1 / _ROOT_TWO))
)

erfinv.samples(unary(-0.9, 0.9))
ndtri.samples(unary(0.05, 0.95))
