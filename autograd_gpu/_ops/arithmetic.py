"""Arithmetic: add, sub, mul, neg, maximum and minimum, with their operators."""

from typing import Any

from .declare import Array, composite, op
from .helpers import conj, like, raw

__all__ = ["add", "maximum", "minimum", "mul", "neg", "positive", "rsub", "sub"]


def _scaled(input: Any, other: Any, alpha: Any) -> Any:
    if alpha.__class__ is float and input.dtype.kind in "iub":
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    return alpha * other


def _without_bools(values: list) -> None:
    if any(v.__class__ is bool or str(getattr(raw(v), "dtype", "")) == "bool" for v in values):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )


@op(kernel=True, methods=("__add__", "__radd__"), inplace=True, promote="same")
def add(xp, input: Array, other: Array | float, *, alpha=1):
    """Sum, elementwise, with broadcasting.

    y = a + alpha b            dL/da = g,  dL/db = alpha* g
    """
    return (
        input + other
        if alpha.__class__ is int and alpha == 1
        else input + _scaled(input, other, alpha)
    )


add.derivative(
    input=lambda grad: grad,
    other=lambda grad, alpha: grad if alpha.__class__ is int and alpha == 1 else grad * conj(alpha),
)


@add.write
def _(xp, input, other, *, alpha=1):
    xp.add(input, other if alpha == 1 else alpha * other, out=input, casting="unsafe")


@op(kernel=True, methods=("__sub__",), inplace=True, promote="same", check=_without_bools)
def sub(xp, input: Array, other: Array | float, *, alpha=1):
    """Difference, elementwise, with broadcasting. RuntimeError for two bools.

    y = a - alpha b            dL/da = g,  dL/db = -alpha* g
    """
    _no_bools("Subtraction, the `-` operator,", input)
    return (
        input - other
        if alpha.__class__ is int and alpha == 1
        else input - _scaled(input, other, alpha)
    )


sub.derivative(
    input=lambda grad: grad,
    other=lambda grad, alpha: (
        -grad if alpha.__class__ is int and alpha == 1 else grad * -conj(alpha)
    ),
)


@sub.write
def _(xp, input, other, *, alpha=1):
    _no_bools("Subtraction, the `-` operator,", input)
    xp.subtract(input, other if alpha == 1 else alpha * other, out=input, casting="unsafe")


def _no_bools(what: str, array: Any) -> None:
    if array.dtype.char == "?":
        raise RuntimeError(
            f"{what} with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )


@op(
    kernel=True,
    where=("",),
    methods=("__rsub__",),
    promote="same",
    node="RsubBackward1",
    check=_without_bools,
)
def rsub(xp, input: Array, other: Array | float, *, alpha=1):
    """Difference with the operands exchanged.

    y = b - alpha a            dL/da = -alpha* g,  dL/db = g
    """
    _no_bools("Subtraction, the `-` operator,", input)
    return other - input if alpha == 1 else other - _scaled(input, input, alpha)


rsub.derivative(
    input=lambda grad, alpha: -grad if alpha == 1 else grad * -conj(alpha),
    other=lambda grad: grad,
)


@op(kernel=True, methods=("__mul__", "__rmul__"), inplace=True, promote="same")
def mul(xp, input: Array, other: Array | float):
    """Product, elementwise, with broadcasting.

    y = a b            dL/da = g b*,  dL/db = g a*            (* : complex conjugate)
    """
    return input * other


mul.derivative(
    input=lambda grad, other: grad * conj(other), other=lambda grad, input: grad * conj(input)
)


@mul.write
def _(xp, input, other):
    xp.multiply(input, other, out=input, casting="unsafe")


@op(kernel=True, methods=("__neg__",), inplace=True)
def neg(xp, input: Array):
    """y = -x            dL/dx = -g

    RuntimeError for bools.
    """
    if input.dtype.char == "?":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    return -input


neg.derivative(input=lambda grad: -grad)


@composite(where=("", "Tensor"), methods=("__pos__",))
def positive(input):
    """The tensor itself.            y = x,  dL/dx = g

    RuntimeError for bools.
    """
    if raw(input).dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@op(kernel=True, promote="same")
def maximum(xp, input: Array, other: Array):
    """The larger of two, elementwise; NaN where either is NaN.

    y = max(a, b)            dL/da = g where a > b, g / 2 where a = b; dL/db likewise

    RuntimeError for complex numbers.
    """
    if input.dtype.kind == "c":
        raise RuntimeError("maximum not implemented for complex tensors.")
    return xp.maximum(input, other)


maximum.derivative(
    input=lambda grad, input, other: maximum_backward(grad, input, other),
    other=lambda grad, input, other: maximum_backward(grad, other, input),
)


@op(kernel=True, promote="same")
def minimum(xp, input: Array, other: Array):
    """The smaller of two, elementwise; NaN where either is NaN.

    y = min(a, b)            dL/da = g where a < b, g / 2 where a = b; dL/db likewise

    RuntimeError for complex numbers.
    """
    if input.dtype.kind == "c":
        raise RuntimeError("minimum not implemented for complex tensors.")
    return xp.minimum(input, other)


minimum.derivative(
    input=lambda grad, input, other: maximum_backward(grad, other, input),
    other=lambda grad, input, other: maximum_backward(grad, input, other),
)


@composite(kernel="maximum_backward")
def maximum_backward(grad, a, b):
    """g where a > b, half of it on ties, 0 where a < b; beside a NaN, g."""
    a, b = raw(a), raw(b)
    share = 1.0 - (a < b) - 0.5 * (a == b)
    return grad * like(share.astype(raw(grad).dtype), grad)
