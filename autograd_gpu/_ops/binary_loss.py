"""Cross entropies of two classes, from probabilities and from scores."""

import math

import numpy as np

from .._core.dtype import of
from .bounds import clamp
from .declare import Array, composite, op
from .elementwise import log, log1p
from .helpers import like, raw
from .loss import (
    real_floats,
    reduced,
    reduction_of,
    refuse_gradient,
    share,
)
from .select import masked_fill
from .smooth import sigmoid, softplus

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]
# ---- two classes


_LEAST = float(np.float32(1e-12))  # as PyTorch rounds it


@op(where=(), node="BinaryCrossEntropyBackward0")
def _bce(xp, input: Array, target: Array, weight: Array | None, reduction):
    """See `binary_cross_entropy`."""
    real_floats("binary_cross_entropy", input)
    if not bool(xp.all((input >= 0) & (input <= 1))):
        raise RuntimeError("all elements of input should be between 0 and 1")
    if target.dtype != input.dtype:
        a, b = of(target.dtype).legacy, of(input.dtype).legacy
        raise RuntimeError(f"Found dtype {a} but expected {b}")
    x = input.astype(np.float32) if input.dtype.itemsize == 2 else input
    losses = (target - 1) * xp.maximum(xp.log1p(-x), -100) - target * xp.maximum(xp.log(x), -100)
    if weight is not None:
        losses = losses * weight
    return reduced(xp, losses.astype(input.dtype), reduction)


@composite(kernel="bce_backward")
def _bce_input(grad, input, target, weight, reduction):
    """g w (x - t) / (x (1 - x)), the denominator not below 1e-12"""
    spread = (1 - input) * input
    spread = masked_fill(spread, like(raw(spread) < _LEAST, grad), _LEAST)
    d = input - target
    out = share(grad, reduction, raw(d).size) * d / spread
    return out if weight is None else out * weight


def _bce_target(grad, input, target, weight, reduction):
    """g w (ln(1 - x) - ln x), each logarithm not below -100"""
    slope = clamp(log1p(-input), -100) - clamp(log(input), -100)
    out = share(grad, reduction, raw(target).size) * slope
    return out if weight is None else out * weight


_bce.derivative(
    input=lambda grad, input, target, weight, reduction: _bce_input(
        grad, input, target, weight, reduction
    ),
    target=lambda grad, input, target, weight, reduction: _bce_target(
        grad, input, target, weight, reduction
    ),
)


@composite(where=("nn.functional",))
def binary_cross_entropy(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The cross entropy of probabilities of two classes.

    y = -w (t ln x + (1 - t) ln(1 - x))            dL/dx = g w (x - t) / (x (1 - x)) (/ n)

    Logarithms are not below -100. ValueError where the sizes differ, RuntimeError for x outside [0,
    1]. `binary_cross_entropy_with_logits` is more accurate.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is "
            "deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        weight = weight.expand(input.shape)
        refuse_gradient("binary_cross_entropy", weight=weight)
    return _bce(input, target, weight, reduction)


@op(where=(), promote="same", node="BinaryCrossEntropyWithLogitsBackward0")
def _bce_logits(
    xp, input: Array, target: Array, weight: Array | None, pos_weight: Array | None, reduction
):
    """See `binary_cross_entropy_with_logits`."""
    if input.dtype.kind == "c":
        real_floats("log_sigmoid_cpu", input)
    tail = xp.log1p(xp.exp(-xp.abs(input))) + xp.maximum(-input, 0)
    if pos_weight is not None:
        tail = tail * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * input + tail
    if weight is not None:
        losses = losses * weight
    return reduced(xp, losses, reduction)


@composite(kernel="bce_with_logits_backward")
def _bce_logits_input(grad, input, target, weight, pos_weight, reduction):
    """g w (sigmoid(x) - t); with positive weights p, g w ((1 - t) - (1 + (p - 1) t) (1 -
    sigmoid(x)))
    """
    if pos_weight is None:
        slope = sigmoid(input) - target
    else:
        slope = 1 - target - ((pos_weight - 1) * target + 1) * sigmoid(-input)
    out = slope * share(grad, reduction, raw(slope).size)
    return out if weight is None else out * weight


def _bce_logits_target(grad, input, target, weight, pos_weight, reduction):
    """-g w x, and (p - 1) ln(1 + e^-x) more with positive weights p"""
    slope = (
        -input if pos_weight is None else (pos_weight - 1) * softplus(-input, 1, math.inf) - input
    )
    out = slope * share(grad, reduction, raw(target).size)
    return out if weight is None else out * weight


_bce_logits.derivative(
    input=lambda grad, input, target, weight, pos_weight, reduction: _bce_logits_input(
        grad, input, target, weight, pos_weight, reduction
    ),
    target=lambda grad, input, target, weight, pos_weight, reduction: _bce_logits_target(
        grad, input, target, weight, pos_weight, reduction
    ),
)


@composite(where=("nn.functional",))
def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """The cross entropy of two classes, from scores; no overflow for any x.

    y = w ((1 - t) x + l ln(1 + e^-x)),  l = 1 + (p - 1) t
    dL/dx = g w (sigmoid(x) - t) (/ n) for p = 1

    `pos_weight` p: a factor for the positive class. ValueError where the sizes differ.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    refuse_gradient("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    return _bce_logits(input, target, weight, pos_weight, reduction)


binary_cross_entropy.samples(
    lambda t: [
        (t(2, 3, low=0.1, high=0.9), t(2, 3, low=0.1, high=0.9)),
        (
            t(3, low=0.1, high=0.9),
            t(3, low=0.1, high=0.9),
            t.fixed(3, low=0.5, high=1.0),
            {"reduction": "sum"},
        ),
    ]
)

binary_cross_entropy_with_logits.samples(
    lambda t: [
        (t(2, 3), t(2, 3, low=0.1, high=0.9)),
        (t(2, 3), t(2, 3, low=0.1, high=0.9), None, {"reduction": "none"}),
        (t(2, 3), t(2, 3, low=0.1, high=0.9), {"pos_weight": t.fixed(3, low=0.5, high=2.0)}),
    ]
)
