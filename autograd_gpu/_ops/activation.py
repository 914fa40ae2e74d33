"""Activations, elementwise: relu and its smooth and piecewise kin, with the `inplace=` forms of nn.functional."""

import math
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.layout import normal_dim
from .._core.tensor import Tensor
from .along import slice_along
from .declare import PUBLIC, Array, composite, op
from .elementwise import exp, tanh
from .general import write_inplace
from .helpers import like, raw
from .index import _basic, _embed
from .select import masked_fill
from .shape import _reshape, sum_to_shape

__all__ = [
    "celu", "elu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "keep", "leaky_relu", "logsigmoid",
    "mish", "relu", "selu", "silu", "softplus", "softshrink", "threshold", "widened",
]  # fmt: skip


def widened(name: str, array: Any, function: Any) -> Any:
    """`function(array)`, computed in float32 for half types. NotImplementedError for integers and bools."""
    if array.dtype.char in "fd":
        return function(array)
    if array.dtype.kind in "biu":
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(array.dtype).legacy}'")
    if array.dtype.itemsize == 2:
        return function(array.astype(np.float32)).astype(array.dtype)
    return function(array)


def keep(grad, mask):
    """The gradient where a raw mask holds, 0 elsewhere, also where the gradient is infinite or NaN.

    A product is several times faster than a choice; whether it met 0 * inf is seen in one sum of squares.
    """
    if grad.__class__ is np.ndarray and grad.dtype.char in "fd":
        out = grad * mask
        flat = out.ravel("K")
        if flat.dot(flat) < math.inf:
            return out
        return np.where(mask, grad, grad.dtype.type(0))
    return masked_fill(grad, like(~mask, grad), 0)


# ---- relu and other broken lines


@op(inplace=True)
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
    return keep(grad, raw(out) != 0)


@op(where=())
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
    return grad * like(positive + (1 - positive) * negative_slope, grad)


@op(where=())
def threshold(xp, input: Array, threshold, value):
    """x above a threshold, a fixed value elsewhere.

    y = x if x > t else v            dL/dx = g where x > t, 0 elsewhere
    """
    return xp.where(input <= threshold, input.dtype.type(value), input)


threshold.derivative(input=lambda grad, input, threshold: keep(grad, ~(raw(input) <= threshold)))


@op(where=())
def hardtanh(xp, input: Array, min_val=-1.0, max_val=1.0):
    """x cut off at both ends.

    y = min(max(x, a), b)            dL/dx = g where a < x < b, 0 elsewhere (at the ends too)
    """
    if input.dtype.char == "?":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    low, high = input.dtype.type(min_val), input.dtype.type(max_val)
    return xp.minimum(xp.maximum(input, low), high)


hardtanh.derivative(
    input=lambda grad, input, min_val, max_val: keep(
        grad, ~((raw(input) <= min_val) | (raw(input) >= max_val))
    )
)


@op(where=(), name="relu6", node="HardtanhBackward0")
def relu6(xp, input: Array):
    """y = min(max(x, 0), 6)            dL/dx = g where 0 < x < 6, 0 elsewhere"""
    return xp.minimum(xp.maximum(input, 0), input.dtype.type(6))


relu6.derivative(input=lambda grad, input: keep(grad, ~((raw(input) <= 0) | (raw(input) >= 6))))


@op(where=())
def hardsigmoid(xp, input: Array):
    """A sigmoid of three straight lines.

    y = min(max(x + 3, 0), 6) / 6            dL/dx = g / 6 where -3 < x < 3, 0 elsewhere
    """
    return widened("hardsigmoid_cpu", input, lambda x: xp.minimum(xp.maximum(x + 3, 0), 6) / 6)


hardsigmoid.derivative(
    input=lambda grad, input: keep(grad, (raw(input) > -3) & (raw(input) < 3)) * (1 / 6)
)


@op(where=())
def hardswish(xp, input: Array):
    """x times the hard sigmoid.

    y = x min(max(x + 3, 0), 6) / 6            dL/dx = g (2 x + 3) / 6 for -3 < x < 3, g above, 0 below

    Source: Howard et al., Searching for MobileNetV3, ICCV 2019.
    """
    return widened("hardswish_cpu", input, lambda x: x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6)


hardswish.derivative(input=lambda grad, input: _hardswish_backward(grad, input))


def _hardswish_backward(grad, input):
    x = raw(input)
    middle = keep(grad * (input * (1 / 3) + 0.5), (x > -3) & (x < 3))
    return middle + keep(grad, ~((x <= -3) | (x < 3)))


@op()
def hardshrink(xp, input: Array, lambd=0.5):
    """0 near 0, x elsewhere.

    y = 0 if -l <= x <= l else x            dL/dx = 0 if -l <= x <= l else g
    """
    return widened(
        "hardshrink_cpu",
        input,
        lambda x: xp.where((x >= -lambd) & (x <= lambd), x.dtype.type(0), x),
    )


hardshrink.derivative(
    input=lambda grad, input, lambd: keep(grad, ~((raw(input) >= -lambd) & (raw(input) <= lambd)))
)


@op(where=("nn.functional",))
def softshrink(xp, input: Array, lambd=0.5):
    """x moved towards 0 by l, and 0 within l of 0.

    y = sign(x) max(|x| - l, 0)            dL/dx = 0 if -l <= x <= l else g

    RuntimeError for a negative l.
    """
    if not lambd >= 0:
        kind = of(input.dtype)
        top = np.finfo(np.float32 if input.dtype.itemsize == 2 else input.dtype).max
        raise RuntimeError(
            f"lambda must be in range [0, {top:.6g}] for input dtype {kind.legacy}, but found {lambd:g}"
        )
    return widened(
        "softshrink_check", input, lambda x: xp.maximum(x - lambd, 0) + xp.minimum(x + lambd, 0)
    )


softshrink.derivative(
    input=lambda grad, input, lambd: keep(grad, ~((raw(input) >= -lambd) & (raw(input) <= lambd)))
)


# ---- elu and its kin: one formula, three names


def _elu_forward(xp: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    def compute(x: Any) -> Any:
        return xp.maximum(x, 0) * scale + xp.expm1(xp.minimum(x, 0) * input_scale) * (alpha * scale)

    return widened("elu_cpu", input, compute)


@composite(kernel="elu_backward")
def elu_backward(grad, input, alpha, scale, input_scale):
    """g s where x > 0, else g s a c e^(c x)"""
    positive = like(~(raw(input) <= 0), grad)
    below = exp(masked_fill(input, positive, 0) * input_scale) * (input_scale * alpha * scale)
    return grad * masked_fill(below, positive, scale)


@op(where=())
def elu(xp, input: Array, alpha=1.0):
    """Exponential linear unit.

    y = x if x > 0 else a (e^x - 1)            dL/dx = g if x > 0 else g a e^x

    Source: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289.
    """
    return _elu_forward(xp, input, alpha, 1.0, 1.0)


elu.derivative(input=lambda grad, input, alpha: elu_backward(grad, input, alpha, 1.0, 1.0))


@op(inplace=False, where=())
def celu(xp, input: Array, alpha=1.0):
    """Continuously differentiable elu.

    y = x if x > 0 else a (e^(x / a) - 1)            dL/dx = g if x > 0 else g e^(x / a)

    RuntimeError for a = 0. Source: Barron, arXiv:1704.07483.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _elu_forward(xp, input, alpha, 1.0, 1.0 / alpha)


celu.derivative(input=lambda grad, input, alpha: elu_backward(grad, input, alpha, 1.0, 1.0 / alpha))

# The fixed point of mean 0 and variance 1: see the source of `selu`.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@op(where=(), node="EluBackward0")
def selu(xp, input: Array):
    """Scaled elu, which keeps mean 0 and variance 1.

    y = s x if x > 0 else s a (e^x - 1)            dL/dx = s g if x > 0 else s a g e^x

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515.
    """
    return _elu_forward(xp, input, _SELU_ALPHA, _SELU_SCALE, 1.0)


selu.derivative(input=lambda grad, input: elu_backward(grad, input, _SELU_ALPHA, _SELU_SCALE, 1.0))


# ---- smooth ones


@op(where=(), name="_logistic", node="SigmoidBackward0")
def sigmoid(xp, input: Array):
    """1 / (1 + e^-x), for formulas; e^-x may overflow to infinity, which is right."""
    return 1 / (1 + xp.exp(-input))


sigmoid.derivative(input=lambda grad, out: grad * ((1 - out) * out))


@op(where=())
def silu(xp, input: Array):
    """x times its sigmoid, also called swish.

    y = x s,  s = 1 / (1 + e^-x)            dL/dx = g s (1 + x (1 - s))

    Source: Hendrycks and Gimpel, arXiv:1606.08415; Elfwing, Uchibe and Doya, arXiv:1702.03118.
    """
    return widened("silu_cpu", input, lambda x: x / (1 + xp.exp(-x)))


silu.derivative(input=lambda grad, input: silu_backward(grad, input))


@composite(kernel="silu_backward")
def silu_backward(grad, input):
    """g s (1 + x (1 - s))"""
    s = sigmoid(input)
    return grad * s * (input * (1 - s) + 1)


@op(where=())
def mish(xp, input: Array):
    """y = x tanh(ln(1 + e^x))            dL/dx = g (t + x s (1 - t^2)),  t = tanh(ln(1 + e^x)),  s = sigmoid(x)

    Source: Misra, arXiv:1908.08681.
    """
    return widened("mish_cpu", input, lambda x: x * xp.tanh(_log1p_exp(xp, x)))


def _log1p_exp(xp: Any, x: Any) -> Any:
    """ln(1 + e^x) without overflow."""
    return xp.log1p(xp.exp(-xp.abs(x))) + xp.maximum(x, 0)


mish.derivative(input=lambda grad, input: mish_backward(grad, input))


@composite(kernel="mish_backward")
def mish_backward(grad, input):
    """g (t + x s (1 - t^2))"""
    t = tanh(softplus(input, 1, 20))
    return grad * (t + input * sigmoid(input) * (1 - t * t))


@op(where=(), name="logsigmoid", node="LogSigmoidBackward0")
def logsigmoid(xp, input: Array):
    """The logarithm of the sigmoid, for any x without overflow.

    y = -ln(1 + e^-x)            dL/dx = g / (1 + e^x)
    """
    return widened(
        "log_sigmoid_cpu", input, lambda x: xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))
    )


logsigmoid.derivative(input=lambda grad, input: grad * sigmoid(-input))


@op(where=())
def softplus(xp, input: Array, beta=1, threshold=20):
    """A smooth relu; linear where beta x is above the threshold.

    y = ln(1 + e^(b x)) / b            dL/dx = g / (1 + e^(-b x)),  g above the threshold
    """

    def compute(x: Any) -> Any:
        scaled = x * beta
        return xp.where(scaled > threshold, x, _log1p_exp(xp, scaled) / beta)

    return widened("softplus_cpu", input, compute)


softplus.derivative(
    input=lambda grad, input, beta, threshold: softplus_backward(grad, input, beta, threshold)
)


@composite(kernel="softplus_backward")
def softplus_backward(grad, input, beta, threshold):
    """g / (1 + e^(-b x)), or g above the threshold"""
    linear = like(raw(input) * beta > threshold, grad)
    return grad * masked_fill(sigmoid(input * beta), linear, 1)


# ---- the faces: nn.functional takes `inplace`, and a few names end in an underscore


def _expose(function: Any, named: tuple[str, ...] = (), methods: tuple[str, ...] = ()) -> None:
    """nn.functional.f(input, ..., inplace=False) for an op f, and f_ in the places of `named`."""
    name = function.op.name
    entry, params = function.op, function.op.params

    def run(input: Tensor, *args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        if len(args) == len(params):  # `inplace` came by position
            *args, inplace = args  # type: ignore[assignment]
        return (
            write_inplace(entry, input, tuple(args), kwargs)
            if inplace
            else function(input, *args, **kwargs)
        )

    def in_place(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return write_inplace(entry, input, args, kwargs)

    run.__name__ = run.__qualname__ = name
    run.__doc__, run.__module__ = function.__doc__, function.__module__
    run.op = entry  # type: ignore[attr-defined]
    in_place.__name__ = in_place.__qualname__ = name + "_"
    in_place.__doc__ = (
        f"In-place form of `{name}`: the result is written into the input, which is returned."
    )
    PUBLIC["nn.functional"][name] = run
    for place in named:
        PUBLIC[place][name + "_"] = in_place
        if place == "" and name not in PUBLIC[""]:
            PUBLIC[""][name] = function


def _expose_all() -> None:
    both, functional = ("", "nn.functional"), ("nn.functional",)
    for function in (relu, selu, celu, threshold):
        _expose(function, both)
    for function in (elu, leaky_relu):
        _expose(function, functional)
    for function in (relu6, silu, mish, hardsigmoid, hardswish):
        _expose(function)
    PUBLIC["nn.functional"]["hardshrink"] = hardshrink
    PUBLIC["nn.functional"]["logsigmoid"] = logsigmoid
    PUBLIC["nn.functional"]["softplus"] = softplus


_expose_all()


def _hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if inplace:
        return write_inplace(hardtanh.op, input, (min_val, max_val), {})
    return hardtanh(input, min_val, max_val)


def _hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place form of `hardtanh`."""
    return _hardtanh(input, min_val, max_val, inplace=True)


_hardtanh.__name__, _hardtanh.__doc__ = "hardtanh", hardtanh.__doc__
PUBLIC["nn.functional"].update(hardtanh=_hardtanh, hardtanh_=_hardtanh_)


@composite(where=("nn.functional",))
def tanhshrink(input):
    """y = x - tanh x            dL/dx = g tanh^2 x"""
    return input - tanh(input)


@composite(where=("nn.functional",))
def softsign(input):
    """y = x / (1 + |x|)            dL/dx = g / (1 + |x|)^2"""
    return input / (input.abs() + 1)


@op(where=())
def glu(xp, input: Array, dim=-1):
    """Gated linear unit: one half of `dim` times the sigmoid of the other.

    y = a s(b)            dL/da = g s,  dL/db = g a s (1 - s)

    RuntimeError where the length of `dim` is odd. Source: Dauphin et al., arXiv:1612.08083.
    """
    if not input.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = normal_dim(dim, input.ndim, "glu")
    if input.shape[dim] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}"
        )

    def compute(x: Any) -> Any:
        a, b = xp.split(x, 2, dim)
        return a / (1 + xp.exp(-b))

    return widened("glu_cpu", input, compute)


glu.derivative(input=lambda grad, input, dim: _glu_backward(grad, input, dim))
PUBLIC["nn.functional"]["glu"] = glu


def _glu_backward(grad, input, dim):
    size = tuple(input.shape)
    dim = normal_dim(dim, len(size), "glu")
    middle = size[dim] // 2
    front = slice_along(len(size), dim, 0, middle, 1)
    back = slice_along(len(size), dim, middle, 2 * middle, 1)
    a, s = _basic(input, front), sigmoid(_basic(input, back))
    return _embed(grad * s, size, front) + _embed(grad * a * (s * (1 - s)), size, back)


@op(where=(), node="PreluKernelBackward0")
def _prelu(xp, input: Array, weight: Array):
    """See `prelu`; the weight broadcasts."""
    return xp.where(input > 0, input, input * weight)


_prelu.derivative(
    input=lambda grad, input, weight: _prelu_input(grad, input, weight),
    weight=lambda grad, input, weight_shape: sum_to_shape(
        keep(grad * input, ~(raw(input) > 0)), weight_shape
    ),
)


def _prelu_input(grad, input, weight):
    positive = raw(input) > 0
    return keep(grad, positive) + keep(grad * weight, ~positive)


@composite(where=("", "Tensor", "nn.functional"))
def prelu(input, weight):
    """A leaky relu whose slope is learned: one number, or one for each channel (dimension 1).

    y = x if x > 0 else w x            dL/dx = g if x > 0 else w g,  dL/dw = sum of g x where x <= 0

    RuntimeError for other numbers of slopes. Source: He, Zhang, Ren and Sun, arXiv:1502.01852.
    """
    if input.dtype != weight.dtype:
        a, b = input.dtype.legacy, weight.dtype.legacy
        raise RuntimeError(f"prelu: Type promoting not supported. Got {a} and {b}")
    n = weight.numel()
    if n == 1:
        return _prelu(input, _reshape(weight, ()))
    channels = input.shape[1] if input.ndim > 1 else 1
    if n != channels:
        raise RuntimeError(
            f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} and channel "
            f"size = {channels}."
        )
    return _prelu(input, _reshape(weight, (n,) + (1,) * (input.ndim - 2)))


for _f in (elu, celu, selu, silu, mish, logsigmoid, softplus, hardsigmoid, hardswish):
    _f.samples(lambda t: [(t(),), (t(3),), (t(2, 3, 4),), (t(0),), (t.strided(2, 3),)])
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
