"""The Gaussian error linear unit, exact and by a hyperbolic tangent."""

import math
from typing import Any

from .activation import widened
from .declare import PUBLIC, Array, composite, op
from .elementwise import exp, tanh
from .errorfunction import erf

__all__ = ["gelu"]

_ROOT_HALF = math.sqrt(0.5)
_INNER, _CUBIC = math.sqrt(2 / math.pi), 0.044715


@op(kernel=True, where=(), caches=("below",))
def gelu(xp, input: Array, *, approximate="none"):
    """x times the probability that a normal number is below it.

    y = x (1 + erf(x / 2^(1/2))) / 2
    dL/dx = g (P(x) + x p(x)), P and p the normal distribution

    `approximate="tanh"`: y = x (1 + tanh((2 / pi)^(1/2) (x + 0.044715 x^3))) / 2. RuntimeError for
    other names. Source: Hendrycks and Gimpel, arXiv:1606.08415.
    """
    if approximate == "tanh":
        return widened("GeluKernelImpl", input, lambda x: _by_tanh(xp, x)), None
    if approximate != "none":
        raise RuntimeError("approximate argument must be either none or tanh.")
    below = widened("GeluKernelImpl", input, _below)
    return input * below, below


def _below(x):
    """The probability that a normal number is below x."""
    return (erf(x * _ROOT_HALF) + 1) * 0.5


def _by_tanh(xp: Any, x: Any) -> Any:
    return 0.5 * x * (1 + xp.tanh((x + x * x * x * _CUBIC) * _INNER))


gelu.derivative(
    input=lambda grad, input, below, approximate: gelu_backward(grad, input, below, approximate)
)


@composite(kernel="gelu_backward")
def gelu_backward(grad, input, below, approximate):
    """g (P(x) + x p(x)), or the derivative of the approximation"""
    if approximate == "tanh":
        square = input * input
        t = tanh((input + square * input * _CUBIC) * _INNER)
        slope = (square * (3 * _CUBIC) + 1) * _INNER
        return grad * ((t + 1) * 0.5 + input * (1 - t * t) * slope * 0.5)
    below = _below(input) if below is None else below
    density = exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
    return grad * (below + input * density)


PUBLIC["nn.functional"]["gelu"] = gelu

gelu.samples(
    lambda t: [(t(3),), (t(2, 3), {"approximate": "tanh"}), (t(),), (t(0),), (t.strided(2, 3),)]
)
