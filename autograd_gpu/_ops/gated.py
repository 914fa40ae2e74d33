"""Activations with a gate or a learned slope: glu, prelu."""

from typing import Any

from .._core.layout import normal_dim
from .activation import keep, level, widened
from .along import slice_along
from .declare import PUBLIC, Array, composite, op
from .errors import not_implemented
from .helpers import raw
from .index import _basic, _embed
from .shape import _reshape, sum_to_shape
from .smooth import sigmoid

__all__ = ["glu", "prelu"]


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
    a, b = _basic(input, front), _basic(input, back)
    out = _embed(glu_backward(grad, b), size, front)
    return out + _embed(glu_backward_gate(grad, a, b), size, back)


@composite(kernel="glu_backward")
def glu_backward(grad, gate):
    """g s,  s = 1 / (1 + e^-b)"""
    return grad * sigmoid(gate)


@composite(kernel="glu_backward_gate")
def glu_backward_gate(grad, input, gate):
    """g a s (1 - s),  s = 1 / (1 + e^-b)"""
    s = sigmoid(gate)
    return grad * input * (s * (1 - s))


@op(kernel="prelu", where=(), node="PreluKernelBackward0")
def _prelu(xp, input: Array, weight: Array):
    """See `prelu`; the weight broadcasts."""
    if input.dtype.kind == "c":
        raise not_implemented("prelu_cpu", input.dtype)
    return xp.where(input > 0, input, input * weight)


_prelu.derivative(
    input=lambda grad, input, weight: prelu_backward(grad, input, weight),
    weight=lambda grad, input, weight_shape: sum_to_shape(
        prelu_backward_weight(grad, input), weight_shape
    ),
)


@composite(kernel="prelu_backward")
def prelu_backward(grad, input, weight):
    """g where x > 0, else g w"""
    positive = raw(input) > 0
    return level(keep(grad, positive) + keep(grad * weight, ~positive), input)


@composite(kernel="prelu_backward_weight")
def prelu_backward_weight(grad, input):
    """0 where x > 0, else g x"""
    return keep(grad * input, ~(raw(input) > 0))


@composite(where=("", "Tensor", "nn.functional"))
def prelu(input, weight):
    """A leaky relu whose slope is learned: one number, or one for each channel (dimension 1).

    y = x if x > 0 else w x            dL/dx = g if x > 0 else w g,  dL/dw = sum of g x where x <= 0

    RuntimeError for other numbers of slopes. Source: He, Zhang, Ren and Sun, arXiv:1502.01852.
    """
    if input.dtype != weight.dtype:
        a, b = input.dtype.legacy, weight.dtype.legacy
        raise RuntimeError(f"prelu: Type promoting not supported. Got {a} and {b}")
    if weight.device != input.device:  # a single slope would pass for a number
        raise RuntimeError(
            "prelu(): Expected all tensors to be on the same device, but found at least two "
            f"devices, {input.device} and {weight.device}!"
        )
    n = weight.numel()
    if n == 1:
        return _prelu(input, _reshape(weight, ()))
    channels = input.shape[1] if input.ndim > 1 else 1
    if n != channels:
        raise RuntimeError(
            f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} "
            "and channel "
            f"size = {channels}."
        )
    return _prelu(input, _reshape(weight, (n,) + (1,) * (input.ndim - 2)))


glu.samples(lambda t: [(t(2, 4),), (t(4, 3), 0), (t(2, 6, 3), 1), (t(0, 2),)])
_prelu.samples(
    lambda t: [
        (t(2, 3, low=0.5, high=2.0), t(3)),
        (t(2, 3, low=-2.0, high=-0.5), t()),
        (t(low=-2.0, high=-0.5), t()),
    ]
)
prelu.samples(
    lambda t: [
        (t(2, 3, 4, low=-2.0, high=-0.5), t(3)),
        (t(2, 3, low=0.5, high=2.0), t(1)),
    ]
)
