"""Functions of three tensors: interpolation and fused products."""

from typing import Any

import numpy as np

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .errors import needs
from .helpers import conj, narrow, wide

__all__ = ["addcdiv", "addcmul", "lerp"]


@op(kernel="lerp", where=(), promote="same", node="LerpBackward0")
def _lerp(xp, input: Array, end: Array, weight):
    """See `lerp`."""
    return _between(input, end, weight, abs(weight) < 0.5, xp)


_lerp.derivative(
    input=lambda grad, weight: grad * (1 - weight.conjugate()),
    end=lambda grad, weight: grad * weight.conjugate(),
)


@op(kernel="lerp", where=(), promote="same", node="LerpBackward1")
def _lerp_tensor(xp, input: Array, end: Array, weight: Array):
    """See `lerp`."""
    return _between(input, end, weight, xp.abs(weight) < 0.5, xp)


_lerp_tensor.derivative(
    input=lambda grad, weight: lerp_backward(grad, weight),
    end=lambda grad, weight: grad * conj(weight),
    weight=lambda grad, input, end: lerp_backward_weight(grad, input, end),
)


@composite(kernel="lerp_backward")
def lerp_backward(grad, weight):
    """g (1 - w)*"""
    return grad * conj(1 - weight)


@composite(kernel="lerp_backward_weight")
def lerp_backward_weight(grad, input, end):
    """g (b - a)*"""
    return grad * conj(end - input)


def _between(a: Any, b: Any, weight: Any, near: Any, xp: Any) -> Any:
    """Counted from the nearer end, so that weight 1 gives `b` exactly."""
    needs("lerp", a, "fc")
    dtype, a, b = a.dtype, wide(a), wide(b)
    gap = b - a
    if near is True:
        out = a + weight * gap
    elif near is False:
        out = b - gap * (1 - weight)
    else:
        out = xp.where(near, a + weight * gap, b - gap * (1 - weight))
    return narrow(out, dtype)


@composite(where=("", "Tensor"), inplace=True)
def lerp(input, end, weight, *, out=None):
    """A point on the way from a to b; elementwise, with broadcasting. `weight` is a number or a
    Tensor.

    y = a + w (b - a)            dL/da = g (1 - w)*,  dL/db = g w*,  dL/dw = g (b - a)*

    RuntimeError for different dtypes, NotImplementedError for integers.
    """
    for name, value in (("end", end), ("weight", weight)):
        if (
            isinstance(value, Tensor)
            and value.dtype is not input.dtype
            and (name == "end" or value.ndim)
        ):
            raise RuntimeError(
                f"expected dtype {input.dtype.legacy.lower()} for `{name}` but got dtype "
                f"{value.dtype.legacy.lower()}"
            )
    if isinstance(weight, Tensor):
        return _lerp_tensor(input, end, weight, out=out)
    return _lerp(input, end, weight.item() if isinstance(weight, np.generic) else weight, out=out)


@op(kernel=True, inplace=True, promote="same")
def addcmul(xp, input: Array, tensor1: Array, tensor2: Array, *, value=1):
    """A product added: y = a + v b c, elementwise, with broadcasting.

    dL/da = g,  dL/db = g (v c)*,  dL/dc = g (v b)*
    """
    value = int(value) if input.dtype.kind in "iu" else value
    return narrow(wide(input) + value * wide(tensor1) * wide(tensor2), input.dtype)


addcmul.derivative(
    input=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: addcmul_backward(grad, tensor2, value),
    tensor2=lambda grad, tensor1, value: addcmul_backward(grad, tensor1, value),
)


@composite(kernel="addcmul_backward")
def addcmul_backward(grad, factor, value):
    """g (v c)*"""
    return grad * conj(factor * value)


@op(kernel=True, inplace=True, promote="same")
def addcdiv(xp, input: Array, tensor1: Array, tensor2: Array, *, value=1):
    """A quotient added: y = a + v b / c, elementwise, with broadcasting.

    dL/da = g,  dL/db = g (v / c)*,  dL/dc = -g (v b / c^2)*

    RuntimeError for integers.
    """
    if input.dtype.kind in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is not supported: convert the tensors to a floating "
            "dtype first"
        )
    return narrow(wide(input) + value * (wide(tensor1) / wide(tensor2)), input.dtype)


addcdiv.derivative(
    input=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: addcdiv_backward(grad, tensor2, value),
    tensor2=lambda grad, tensor1, tensor2, value: addcdiv_backward_divisor(
        grad, tensor1, tensor2, value
    ),
)


@composite(kernel="addcdiv_backward")
def addcdiv_backward(grad, divisor, value):
    """g (v / c)*"""
    return grad * conj(value / divisor)


@composite(kernel="addcdiv_backward_divisor")
def addcdiv_backward_divisor(grad, dividend, divisor, value):
    """-g (v b / c^2)*"""
    return -grad * conj((dividend * value) / (divisor * divisor))


_lerp.samples(lambda t: [(t(2, 3), t(3), 0.3), (t(3), t(2, 1), 0.7), (t(), t(), 2)])
_lerp_tensor.samples(lambda t: [(t(2, 3), t(3), t(2, 1)), (t(3), t(3), t()), (t(), t(), t())])
lerp.samples(lambda t: [(t(2, 3), t(3), 0.3), (t(2, 3), t(3), t(2, 1))])
addcmul.samples(
    lambda t: [
        (t(2, 3), t(3), t(2, 1)),
        (t(3), t(3), t(), {"value": 0.5}),
        (t(), t(), t(), {"value": 2}),
    ]
)
addcdiv.samples(
    lambda t: [
        (t(2, 3), t(3), t(2, 1, low=0.5, high=2.0)),
        (t(3), t(3), t(low=0.5, high=2.0), {"value": 0.5}),
        (t(3), t(3), t(3, low=0.5, high=2.0), {"value": 2}),
    ]
)
