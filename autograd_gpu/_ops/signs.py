"""Signs, sizes and roundings of numbers, elementwise."""

from typing import Any

from .declare import Array, composite, op
from .errors import not_implemented
from .helpers import conj, is_complex, like, no_gradient, raw, unary

__all__ = ["abs", "ceil", "floor", "frac", "round", "sgn", "sign", "trunc"]


@op(kernel=True, inplace=True, where=("", "Tensor"), methods=("__abs__",))
def abs(xp, input: Array):
    """The absolute value; of complex numbers the modulus, which is real.

    y = |x|            dL/dx = g sgn(x)            (0 at 0)
    """
    return xp.abs(input)


@abs.write
def _(xp, input):
    if input.dtype.kind == "c":
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    xp.abs(input, out=input)


abs.derivative(input=lambda grad, input: abs_backward(grad, input))
abs.samples(unary(low=0.2, high=2.0))


@composite(kernel="abs_backward")
def abs_backward(grad, input):
    """g sgn(x)"""
    return grad * sgn(input)


@op(kernel="sign", inplace=True)
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


@op(kernel=True, inplace=True)
def sign(xp, input: Array):
    """-1, 0 or 1; NaN gives 0. Its derivative is 0. NotImplementedError for complex numbers: see
    `sgn`.
    """
    if input.dtype.kind == "c":
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use "
            "torch.sgn instead."
        )
    return _signs(xp, input)


sign.derivative(input=no_gradient)
sign.samples(unary(low=0.2, high=2.0))


# ---- rounding: derivatives are 0


def _integers_unchanged(function: Any, input: Any) -> Any:
    if input.dtype.kind in "iuc":
        if input.dtype.kind == "c":
            name = function.__name__
            if name == "rint":
                raise not_implemented("round_vml_cpu", input.dtype)
            raise NotImplementedError(f"{name} is not supported for complex inputs")
        return input.copy()
    return function(input)


@op(kernel=True, inplace=True)
def floor(xp, input: Array):
    """The largest integer not above x. Its derivative is 0."""
    return _integers_unchanged(xp.floor, input)


@op(kernel=True, inplace=True)
def ceil(xp, input: Array):
    """The smallest integer not below x. Its derivative is 0."""
    return _integers_unchanged(xp.ceil, input)


@op(kernel=True, inplace=True)
def trunc(xp, input: Array):
    """x without its fraction. Its derivative is 0."""
    return _integers_unchanged(xp.trunc, input)


@op(kernel=True, inplace=True)
def round(xp, input: Array, *, decimals=0):
    """The nearest integer, halves to even; with `decimals`, the nearest multiple of 10^-decimals.
    Its derivative is 0."""
    if not decimals:
        return _integers_unchanged(xp.rint, input)
    scale = 10.0 ** abs_int(decimals)
    return xp.rint(input * scale) / scale if decimals > 0 else xp.rint(input / scale) * scale


def abs_int(n: int) -> int:
    """|n| of a Python integer (`abs` is the op here)."""
    return n if n >= 0 else -n


for _f in (floor, ceil, trunc, round):
    _f.derivative(input=no_gradient)
    _f.samples(unary(low=0.1, high=0.4))


@op(kernel=True, inplace=True)
def frac(xp, input: Array):
    """The fraction: y = x - trunc(x)            dL/dx = g"""
    try:
        return input - xp.trunc(input)
    except TypeError:
        raise not_implemented("frac_cpu", input.dtype) from None


frac.derivative(input=lambda grad: grad)
frac.samples(unary(low=1.1, high=1.9))
