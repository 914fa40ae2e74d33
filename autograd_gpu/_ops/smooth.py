"""Smooth activations: elu and its kin, silu, mish, softplus."""

from typing import Any

from .activation import (
    hardsigmoid,
    hardswish,
    widened,
)
from .declare import Array, composite, op
from .elementwise import exp, tanh
from .helpers import conj, is_complex, like, raw
from .select import masked_fill
from .special import sigmoid_backward

__all__ = ["celu", "elu", "logsigmoid", "mish", "selu", "silu", "softplus"]
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


@op(kernel=True, where=())
def elu(xp, input: Array, alpha=1.0):
    """Exponential linear unit.

    y = x if x > 0 else a (e^x - 1)            dL/dx = g if x > 0 else g a e^x

    Source: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289.
    """
    return _elu_forward(xp, input, alpha, 1.0, 1.0)


elu.derivative(input=lambda grad, input, alpha: elu_backward(grad, input, alpha, 1.0, 1.0))


@op(kernel=True, inplace=False, where=())
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


@op(kernel=True, where=(), node="EluBackward0")
def selu(xp, input: Array):
    """Scaled elu, which keeps mean 0 and variance 1.

    y = s x if x > 0 else s a (e^x - 1)            dL/dx = s g if x > 0 else s a g e^x

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515.
    """
    return _elu_forward(xp, input, _SELU_ALPHA, _SELU_SCALE, 1.0)


selu.derivative(input=lambda grad, input: elu_backward(grad, input, _SELU_ALPHA, _SELU_SCALE, 1.0))

# ---- smooth ones


@op(kernel="sigmoid", where=(), name="_logistic", node="SigmoidBackward0")
def sigmoid(xp, input: Array):
    """1 / (1 + e^-x), for formulas; e^-x may overflow to infinity, which is right."""
    return 1 / (1 + xp.exp(-input))


sigmoid.derivative(input=lambda grad, out: sigmoid_backward(grad, out))


@op(kernel=True, where=())
def silu(xp, input: Array):
    """x times its sigmoid, also called swish.

    y = x s,  s = 1 / (1 + e^-x)            dL/dx = g s (1 + x (1 - s))

    Source: Hendrycks and Gimpel, arXiv:1606.08415; Elfwing, Uchibe and Doya, arXiv:1702.03118.
    """
    return widened("silu_cpu", input, lambda x: x / (1 + xp.exp(-x)), "biu")


silu.derivative(input=lambda grad, input: silu_backward(grad, input))


@composite(kernel="silu_backward")
def silu_backward(grad, input):
    """g (s (1 + x (1 - s)))*"""
    s = sigmoid(input)
    if is_complex(s):
        return grad * conj(s * (input * (1 - s) + 1))
    return grad * s * (input * (1 - s) + 1)


@op(kernel=True, where=())
def mish(xp, input: Array):
    """y = x tanh(ln(1 + e^x))
    dL/dx = g (t + x s (1 - t^2)),  t = tanh(ln(1 + e^x)),  s = sigmoid(x)

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


@op(kernel=True, where=(), name="logsigmoid", node="LogSigmoidBackward0")
def logsigmoid(xp, input: Array):
    """The logarithm of the sigmoid, for any x without overflow.

    y = -ln(1 + e^-x)            dL/dx = g / (1 + e^x)
    """
    return widened(
        "log_sigmoid_cpu", input, lambda x: xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))
    )


logsigmoid.derivative(input=lambda grad, input: logsigmoid_backward(grad, input))


@composite(kernel="logsigmoid_backward")
def logsigmoid_backward(grad, input):
    """g / (1 + e^x)"""
    return grad * sigmoid(-input)


@op(kernel=True, where=())
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


@composite(where=("nn.functional",))
def tanhshrink(input):
    """y = x - tanh x            dL/dx = g tanh^2 x"""
    return input - tanh(input)


@composite(where=("nn.functional",))
def softsign(input):
    """y = x / (1 + |x|)            dL/dx = g / (1 + |x|)^2"""
    return input / (input.abs() + 1)


for _f in (elu, celu, selu, silu, mish, logsigmoid, softplus, hardsigmoid, hardswish):
    _f.samples(lambda t: [(t(),), (t(3),), (t(2, 3, 4),), (t(0),), (t.strided(2, 3),)])
