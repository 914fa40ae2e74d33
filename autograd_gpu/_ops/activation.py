"""Activations of straight pieces: relu, leaky_relu, hardtanh, the shrinks; and what all activations
share.
"""

import math
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .errors import not_implemented
from .helpers import like, no_gradient, raw
from .select import masked_fill

__all__ = [
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "keep",
    "leaky_relu",
    "level",
    "pieces",
    "relu",
    "softshrink",
    "threshold",
    "widened",
]


def widened(name: str, array: Any, function: Any, refused: str = "biuc") -> Any:
    """`function(array)`, computed in float32 for half types. NotImplementedError for the `refused`
    kinds of dtypes: integers, bools and, but for few functions, complex numbers.
    """
    if array.dtype.char in "fd":
        return function(array)
    if array.dtype.kind in refused:
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(array.dtype).legacy}'")
    if array.dtype.itemsize == 2:
        return function(array.astype(np.float32)).astype(array.dtype)
    return function(array)


def keep(grad, mask):
    """The gradient where a raw mask holds, 0 elsewhere, also where the gradient is infinite or NaN.

    A product is several times faster than a choice; whether it met 0 * inf is seen in one sum of
    squares.
    """
    if grad.__class__ is np.ndarray and grad.dtype.char in "fd":
        out = grad * mask
        flat = out.ravel("K")
        if flat.dot(flat) < math.inf:
            return out
        return np.where(mask, grad, grad.dtype.type(0))
    return masked_fill(grad, like(~mask, grad), 0)


@op(where=(), node="ThresholdBackwardBackward0")
def _level(xp, slope: Array, input: Array):
    """`slope`, which depends on `input` in steps only: with a derivative of 0 rather than none."""
    return slope


_level.derivative(slope=lambda grad: grad, input=no_gradient)
_level.samples(lambda t: [(t(2, 3), t(2, 3))])


def pieces(grad, mask, input):
    """`keep` for a function of straight pieces. Recorded, the result can be differentiated by
    `input`, as in PyTorch: a network of such functions has a Hessian of zeros.
    """
    return level(keep(grad, mask), input)


def level(slope, input):
    """The slope of a straight piece, where recorded with a derivative of 0 by `input`."""
    return _level(slope, input) if isinstance(slope, Tensor) else slope


# ---- relu and other broken lines


@op(kernel=True, inplace=True)
def relu(xp, input: Array):
    """The positive part.

    y = max(x, 0)            dL/dx = g where x > 0, 0 elsewhere (at 0 too; NaN lets g pass)

    RuntimeError for bools. Source: Nair and Hinton, ICML 2010.
    """
    if input.dtype.kind in "bc":
        _refuse_relu(input)
    return xp.maximum(input, 0)


def _refuse_relu(input: Any) -> None:
    if input.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    raise NotImplementedError("clamp is not supported for complex types")


relu.derivative(input=lambda grad, out: relu_backward(grad, out))


@relu.write
def _(xp, input):
    if input.dtype.kind in "bc":
        _refuse_relu(input)
    xp.maximum(input, 0, out=input)


@composite(kernel="relu_backward")
def relu_backward(grad, out):
    """g where y is not 0: y is never negative, and NaN is not 0."""
    return pieces(grad, raw(out) != 0, out)


@op(kernel=True, where=())
def leaky_relu(xp, input: Array, negative_slope=0.01):
    """x where it is positive, else a multiple of it.

    y = x if x > 0 else s x            dL/dx = g if x > 0 else s g

    Source: Maas, Hannun and Ng, ICML 2013.
    """
    larger = xp.maximum if negative_slope <= 1 else xp.minimum
    return widened("leaky_relu_cpu", input, lambda x: larger(x, x * negative_slope))


leaky_relu.derivative(
    input=lambda grad, input, negative_slope: leaky_relu_backward(grad, input, negative_slope)
)


@composite(kernel="leaky_relu_backward")
def leaky_relu_backward(grad, input, negative_slope):
    """g if x > 0 else s g"""
    positive = (raw(input) > 0).astype(raw(grad).dtype)
    return level(grad * like(positive + (1 - positive) * negative_slope, grad), input)


@op(kernel=True, where=())
def threshold(xp, input: Array, threshold, value):
    """x above a threshold, a fixed value elsewhere.

    y = x if x > t else v            dL/dx = g where x > t, 0 elsewhere
    """
    if input.dtype.kind == "c":
        raise not_implemented("threshold_cpu", input.dtype)
    return xp.where(input <= threshold, input.dtype.type(value), input)


threshold.derivative(
    input=lambda grad, input, threshold: threshold_backward(grad, input, threshold)
)


@composite(kernel="threshold_backward")
def threshold_backward(grad, input, threshold):
    """0 where x <= t, else g"""
    return pieces(grad, ~(raw(input) <= threshold), input)


@op(kernel=True, where=())
def hardtanh(xp, input: Array, min_val=-1.0, max_val=1.0):
    """x cut off at both ends.

    y = min(max(x, a), b)            dL/dx = g where a < x < b, 0 elsewhere (at the ends too)
    """
    if input.dtype.char in "?FD":
        if input.dtype.char != "?":
            _refuse_relu(input)
        raise RuntimeError("Bool inputs not supported for hardtanh")
    low, high = input.dtype.type(min_val), input.dtype.type(max_val)
    return xp.minimum(xp.maximum(input, low), high)


hardtanh.derivative(
    input=lambda grad, input, min_val, max_val: hardtanh_backward(grad, input, min_val, max_val)
)


@composite(kernel="hardtanh_backward")
def hardtanh_backward(grad, input, min_val, max_val):
    """0 where x <= a or x >= b, else g"""
    return pieces(grad, ~((raw(input) <= min_val) | (raw(input) >= max_val)), input)


@op(kernel=True, where=(), name="relu6", node="HardtanhBackward0")
def relu6(xp, input: Array):
    """y = min(max(x, 0), 6)            dL/dx = g where 0 < x < 6, 0 elsewhere"""
    if input.dtype.kind == "c":
        _refuse_relu(input)
    return xp.minimum(xp.maximum(input, 0), input.dtype.type(6))


relu6.derivative(input=lambda grad, input: hardtanh_backward(grad, input, 0, 6))


@op(kernel=True, where=())
def hardsigmoid(xp, input: Array):
    """A sigmoid of three straight lines.

    y = min(max(x + 3, 0), 6) / 6            dL/dx = g / 6 where -3 < x < 3, 0 elsewhere
    """
    return widened("hardsigmoid_cpu", input, lambda x: xp.minimum(xp.maximum(x + 3, 0), 6) / 6)


hardsigmoid.derivative(input=lambda grad, input: hardsigmoid_backward(grad, input))


@composite(kernel="hardsigmoid_backward")
def hardsigmoid_backward(grad, input):
    """g / 6 where -3 < x < 3, else 0"""
    return keep(grad, (raw(input) > -3) & (raw(input) < 3)) * (1 / 6)


@op(kernel=True, where=())
def hardswish(xp, input: Array):
    """x times the hard sigmoid.

    y = x min(max(x + 3, 0), 6) / 6
    dL/dx = g (2 x + 3) / 6 for -3 < x < 3, g above, 0 below

    Source: Howard et al., Searching for MobileNetV3, ICCV 2019.
    """
    return widened("hardswish_cpu", input, lambda x: x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6)


hardswish.derivative(input=lambda grad, input: hardswish_backward(grad, input))


@composite(kernel="hardswish_backward")
def hardswish_backward(grad, input):
    """g (2 x + 3) / 6 where -3 < x < 3, 0 below, g above"""
    x = raw(input)
    middle = keep(grad * (input * (1 / 3) + 0.5), (x > -3) & (x < 3))
    return middle + keep(grad, ~((x <= -3) | (x < 3)))


@op(kernel=True)
def hardshrink(xp, input: Array, lambd=0.5):
    """0 near 0, x elsewhere.

    y = 0 if -l <= x <= l else x            dL/dx = 0 if -l <= x <= l else g
    """
    return widened(
        "hardshrink_cpu",
        input,
        lambda x: xp.where((x >= -lambd) & (x <= lambd), x.dtype.type(0), x),
    )


hardshrink.derivative(input=lambda grad, input, lambd: shrink_backward(grad, input, lambd))


@composite(kernel="shrink_backward")
def shrink_backward(grad, input, lambd):
    """0 where -l <= x <= l, else g"""
    return pieces(grad, ~((raw(input) >= -lambd) & (raw(input) <= lambd)), input)


@op(kernel=True, where=("nn.functional",))
def softshrink(xp, input: Array, lambd=0.5):
    """x moved towards 0 by l, and 0 within l of 0.

    y = sign(x) max(|x| - l, 0)            dL/dx = 0 if -l <= x <= l else g

    RuntimeError for a negative l.
    """
    if not lambd >= 0:
        kind = of(input.dtype)
        top = np.finfo(np.float32 if input.dtype.itemsize == 2 else input.dtype).max
        raise RuntimeError(
            f"lambda must be in range [0, {top:.6g}] for input dtype {kind.legacy}, but found "
            f"{lambd:g}"
        )
    return widened(
        "softshrink_check", input, lambda x: xp.maximum(x - lambd, 0) + xp.minimum(x + lambd, 0)
    )


softshrink.derivative(input=lambda grad, input, lambd: shrink_backward(grad, input, lambd))
for _f in (relu, leaky_relu, relu6):
    _f.samples(
        lambda t: [
            (t(2, 3, low=0.5, high=2.0),),
            (t(4, low=-2.0, high=-0.5),),
            (t(),),
            (t(0),),
            (t.strided(2, 3),),
        ]
    )
hardtanh.samples(
    lambda t: [(t(3, low=-0.9, high=0.9),), (t(3, low=1.5, high=2.0),), (t(2, 3), -10.0, 10.0)]
)
threshold.samples(
    lambda t: [(t(3, low=0.5, high=2.0), 0.2, 5.0), (t(3, low=-1.0, high=0.0), 0.2, 5.0)]
)
for _f in (hardshrink, softshrink):
    _f.samples(
        lambda t: [
            (t(3, low=0.6, high=2.0),),
            (t(3, low=-0.4, high=0.4),),
            (t(3, low=-2.0, high=-0.6), 0.5),
        ]
    )
