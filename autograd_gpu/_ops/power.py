"""Powers: pow of tensors and numbers, each way round."""

import cmath
import math

import numpy as np

from .._core.dtype import result_dtype
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .elementwise import log
from .helpers import binary, conj, is_complex, like, no_gradient, of_real_numbers, raw
from .select import masked_fill

__all__ = ["pow"]


def _check_pow(values: list) -> None:
    exponent = values[1]
    if exponent is not True:
        of_real_numbers("pow", True)(values)
    if (
        exponent.__class__ is int
        and exponent < 0
        and result_dtype([raw(v) for v in values], False).kind in "iu"
    ):
        raise RuntimeError("Integers to negative integer powers are not allowed.")


# ---- powers: PyTorch names nodes by what the exponent is


@op(kernel="pow_number", where=(), promote="same", node="PowBackward0", check=_check_pow)
def _pow_number(xp, input: Array, other: Array | float):
    """x to a number; see `pow`."""
    return _power(xp, input, other)


_pow_number.derivative(input=lambda grad, input, other: _pow_backward(grad, input, other))


@op(kernel="pow_tensor", where=(), promote="same", node="PowBackward1", check=_check_pow)
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
            return xp.where(
                other >= 0, magnitude, xp.where(xp.abs(input) == 1, magnitude, 0)
            ).astype(input.dtype)
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
    if other.__class__ in (int, float):
        if other == -1:
            return 1 / input
        if other == -2:
            return 1 / (input * input)
        if other == -0.5:
            return 1 / xp.sqrt(input)
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


@op(
    kernel="rpow",
    where=(),
    promote="same",
    node="PowBackward2",
    check=of_real_numbers("pow", True),
)
def _rpow(xp, input: Array, other: Array | float):
    """A number to the power of a tensor."""
    return xp.power(other if input.dtype.kind in "iub" else xp.asarray(other, input.dtype), input)


_rpow.derivative(input=lambda grad, out, other: _rpow_backward(grad, out, other))


@composite(kernel="rpow_backward")
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

pow.samples(
    lambda t: (
        [
            (t(3), 2),
            (t(3), 3),
            (t(2, 3, low=0.5, high=2.0), 0.5),
            (t(2, low=0.5, high=2.0), -1.5),
            (t(3), 0),
        ]
        + binary(low=0.5, high=2.0)(t)
    )
)
_pow_number.samples(lambda t: [(t(3), 2), (t(3, low=0.5, high=2.0), 1.5)])
_pow_tensor.samples(binary(low=0.5, high=2.0))
_rpow.samples(lambda t: [(t(3), 2.0), (t(2, 3), 0.5), (t(), 3)])
