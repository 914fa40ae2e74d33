"""Losses with a margin: of pairs, triplets, and of several classes or labels."""

import math
from typing import Any

from .._core.device import library
from .accumulate import add_at
from .activation import keep
from .bounds import clamp_min
from .classify import at_class, from_class
from .declare import Array, Index, composite, op
from .distances import pairwise_distance
from .elementwise import sqrt
from .errors import not_implemented
from .helpers import is_complex, like, raw, where_it_is
from .loss import reduce_loss, reduced, reduction_of, refuse_gradient, share
from .reduce import _sum
from .select import where
from .smooth import logsigmoid, sigmoid

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


@composite(where=("", "nn.functional"))
def hinge_embedding_loss(
    input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"
):
    """Distances that should be small (target 1) or at least a margin (target -1).

    y = x if t = 1 else max(0, m - x)            dL/dx = g if t = 1 else -g where x < m
    """
    reduction = reduction_of(reduction, size_average, reduce)
    zero = input * 0
    far = where(target != 1, clamp_min(margin - input, 0), zero)
    near = where(target != -1, input, zero)
    return reduce_loss(far + near, reduction)


@composite(where=("", "nn.functional"))
def margin_ranking_loss(
    input1, input2, target, margin=0.0, size_average=None, reduce=None, reduction="mean"
):
    """Which of two should be larger: the first for target 1, the second for -1.

    y = max(0, m - t (x1 - x2))            dL/dx1 = -g t, dL/dx2 = g t, where y > 0

    RuntimeError where the numbers of dimensions differ.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduce_loss(clamp_min(-target * (input1 - input2) + margin, 0), reduction)


@composite(where=("", "nn.functional"))
def cosine_embedding_loss(
    input1, input2, target, margin=0.0, size_average=None, reduce=None, reduction="mean"
):
    """The cosine of two vectors, to be 1 (target 1) or at most a margin (target -1).

    y = 1 - cos if t = 1 else max(0, cos - m)            derivatives through the cosine

    input1, input2: (N, D) or (D,), target: (N,) or ().
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.ndim != input1.ndim - 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found "
            "inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    least = 1e-12
    product = _sum(input1 * input2, -1)
    cosine = product / sqrt(
        (_sum(input1 * input1, -1) + least) * (_sum(input2 * input2, -1) + least)
    )
    zero = cosine * 0
    losses = where(target == 1, 1 - cosine, zero) + where(
        target == -1, clamp_min(cosine - margin, 0), zero
    )
    return reduce_loss(losses, reduction)


def _triplet_dimensions(anchor: Any, positive: Any, negative: Any) -> None:
    a, p, n = anchor.ndim, positive.ndim, negative.ndim
    if not a == p == n:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            "dimensions, but "
            f"got: anchor {a}D, positive {p}D, and negative {n}D inputs"
        )


@composite(where=("nn.functional",))
def triplet_margin_loss(
    anchor,
    positive,
    negative,
    margin=1.0,
    p=2,
    eps=1e-6,
    swap=False,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """An anchor should be nearer to one point than to another, by a margin.

    y = max(0, |a - p| - |a - n| + m)            derivatives through the distances

    `p`: of the norm. `swap`: the smaller of |a - n| and |p - n| counts (Balntas et al., BMVC 2016).
    ValueError for a margin that is not positive.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _triplet_dimensions(anchor, positive, negative)
    return _triplet(
        anchor,
        positive,
        negative,
        lambda a, b: pairwise_distance(a, b, p, eps),
        margin,
        swap,
        reduction,
    )


def _triplet(
    a: Any, p: Any, n: Any, distance: Any, margin: float, swap: bool, reduction: str
) -> Any:
    near, far = distance(a, p), distance(a, n)
    if swap:
        from .arithmetic import minimum

        far = minimum(far, distance(p, n))
    return reduce_loss(clamp_min(near - far + margin, 0), reduction)


@composite(where=("nn.functional",))
def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """`triplet_margin_loss` with a distance of one's own: a function of two tensors.

    y = max(0, d(a, p) - d(a, n) + m)            derivatives through the distances
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _triplet_dimensions(anchor, positive, negative)
    distance = distance_function or (lambda a, b: pairwise_distance(a, b, 2.0, 1e-6))
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


@op(where=(), promote="same", node="SoftMarginLossBackward0")
def _soft_margin_loss(xp, input: Array, target: Array, reduction):
    """See `soft_margin_loss`."""
    z = -target * input
    losses = xp.log1p(xp.exp(-xp.abs(z))) + xp.maximum(z, 0)
    return reduced(xp, losses, reduction)


_soft_margin_loss.derivative(
    input=lambda grad, input, target, reduction: soft_margin_loss_backward(
        grad, input, target, reduction
    )
)


@composite(kernel="soft_margin_loss_backward")
def soft_margin_loss_backward(grad, input, target, reduction):
    """-g t / (1 + e^(t x)), divided by n for the mean"""
    slope = -target * sigmoid(-target * input)
    return share(grad, reduction, raw(slope).size) * slope


@composite(where=("nn.functional",))
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The logistic loss of two classes, -1 and 1.

    y = ln(1 + e^(-t x))            dL/dx = -g t / (1 + e^(t x)) (/ n)
    """
    refuse_gradient("soft_margin_loss", target=target)
    if is_complex(input) or is_complex(target):
        raise RuntimeError("soft_margin_loss() does not support complex numbers")
    return _soft_margin_loss(input, target, reduction_of(reduction, size_average, reduce))


# ---- several classes


@op(where=(), node="MultiMarginLossBackward0")
def _multi_margin(xp, input: Array, target: Index, weight: Index | None, p, margin, reduction):
    """See `multi_margin_loss`; (N, C) scores, (N,) classes."""
    losses = _multi_margin_terms(xp, input, target, weight, p, margin)[0]
    return reduced(xp, losses.sum(1) / input.dtype.type(input.shape[1]), reduction)


def _multi_margin_terms(
    xp: Any, input: Any, target: Any, weight: Any, p: int, margin: float
) -> tuple:
    """(N, C): the loss of each pair of the class and another, and its derivative by the other's
    score.
    """
    if input.dtype.kind == "c":
        raise not_implemented("multi_margin_loss_cpu_kernel", input.dtype)
    n = len(input)
    rows = xp.arange(n)
    z = xp.maximum(margin - input[rows, target][:, None] + input, 0)
    slope = (z > 0).astype(input.dtype) if p == 1 else 2 * z
    terms = z if p == 1 else z * z
    factor = xp.ones((n, 1), input.dtype) if weight is None else weight[target][:, None]
    terms, slope = terms * factor, slope * factor
    terms[rows, target] = 0
    slope[rows, target] = 0
    return terms, slope


def _multi_margin_backward(grad, input, target, weight, p, margin, reduction):
    x, t = raw(input), raw(target)
    xp = library(x)
    n, classes = x.shape
    g = share(grad, reduction, n) * (1 / classes)
    g = g if raw(g).ndim == 0 else g.reshape((n, 1))
    if p == 1:
        slope = _multi_margin_terms(xp, x, t, raw(weight), p, margin)[1]
        slope[xp.arange(n), t] = -slope.sum(1)
        return g * like(slope, grad)
    # Twice the margin violated: a function of the scores, so that it can be differentiated again.
    index = like(t, grad)
    z = input - at_class(input, index).reshape((n, 1)) + margin
    other = xp.ones(x.shape, bool)
    other[xp.arange(n), t] = False
    slope = keep(z * 2.0, other & (raw(z) > 0))
    if weight is not None:
        slope = slope * like(raw(weight)[t][:, None], grad)
    slope = slope - from_class(_sum(slope, 1), index, x.shape)
    return g * slope


_multi_margin.derivative(
    input=lambda grad, input, target, weight, p, margin, reduction: _multi_margin_backward(
        grad, input, target, weight, p, margin, reduction
    )
)


@composite(where=("nn.functional",))
@where_it_is
def multi_margin_loss(
    input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The score of the class should be above all others by a margin.

    y_n = sum_(c != t) w_t max(0, m - x_t + x_c)^p / C
    dL/dx_c = g w_t p max(..)^(p - 1) / C

    input: (N, C) or (C,), target: (N,) or (). ValueError for p other than 1 and 2.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    single = input.ndim < 2
    x = input.reshape((1, input.numel())) if single else input
    if target.numel() != x.shape[0] or target.ndim > 1:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of "
            "input samples (batch "
            f"size). Expected target size [{x.shape[0]}], but got {list(target.shape)}. Input has "
            "shape "
            f"{list(input.shape)}."
        )
    t = raw(target)
    if t.size and (int(t.min()) < 0 or int(t.max()) >= x.shape[1]):
        raise RuntimeError("target out of range")
    out = _multi_margin(x, target.reshape((x.shape[0],)), weight, p, float(margin), reduction)
    return out.reshape(()) if single and reduction == "none" and target.ndim == 0 else out


@op(where=(), node="MultilabelMarginLossBackward0", constants=("slope",))
def _multilabel_margin(xp, input: Array, target: Index, reduction):
    """See `multilabel_margin_loss`; (N, C) scores and labels."""
    n, classes = input.shape
    upto = xp.cumsum(target < 0, 1) == 0  # labels before the first -1
    is_label = xp.zeros((n, classes), bool)
    rows = xp.broadcast_to(xp.arange(n)[:, None], target.shape)
    is_label[rows[upto], target[upto]] = True
    mine = xp.where(upto, input[rows, xp.where(upto, target, 0)], 0)
    z = 1 - mine[:, :, None] + input[:, None, :]
    active = upto[:, :, None] & ~is_label[:, None, :] & (z > 0)
    losses = xp.where(active, z, 0).sum((1, 2)) / input.dtype.type(classes or 1)
    slope = active.sum(1).astype(input.dtype)
    add_at(slope, (rows[upto], target[upto]), -active.sum(2)[upto].astype(input.dtype))
    return reduced(xp, losses, reduction), slope / input.dtype.type(classes or 1)


_multilabel_margin.derivative(
    input=lambda grad, slope, reduction: (
        _by_sample(share(grad, reduction, len(slope))) * like(raw(slope), grad)
    )
)


def _by_sample(grad):
    return grad if raw(grad).ndim == 0 else grad.reshape((len(grad), 1))


@composite(where=("nn.functional",))
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The scores of all labels of a sample should be above those of the other classes by 1.

    y_n = sum_(j label, c not) max(0, 1 - x_j + x_c) / C
    dL/dx by counting the pairs that violate it

    input: (N, C) or (C,); target: the labels of each sample, of the same shape, ended by -1.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    t = raw(target)
    if t.size and (int(t.min()) < -1 or int(t.max()) >= input.shape[-1]):
        raise RuntimeError("argument target is out of range")
    if input.ndim >= 2:
        return _multilabel_margin(input, target, reduction)
    n = input.numel()
    out = _multilabel_margin(input.reshape((1, n)), target.reshape((1, n)), reduction)
    return out.reshape(()) if reduction == "none" else out


@composite(where=("nn.functional",))
def multilabel_soft_margin_loss(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean over the classes of the logistic losses of each.

    y_n = -sum_c w_c (t ln s(x) + (1 - t) ln s(-x)) / C,  s the sigmoid
    dL/dx = g w (s(x) - t) / C
    """
    reduction = reduction_of(reduction, size_average, reduce)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    classes = input.shape[-1] if input.ndim else 1
    return reduce_loss(_sum(losses, -1) / (classes or math.nan), reduction)


hinge_embedding_loss.samples(lambda t: [(t(3, low=0.2, high=0.8), t(3, low=1.0, high=1.0))])
margin_ranking_loss.samples(lambda t: [(t(3), t(3), t(3, low=1.0, high=1.0), {"margin": 10.0})])
cosine_embedding_loss.samples(lambda t: [(t(2, 3), t(2, 3), t(2, low=1.0, high=1.0))])
triplet_margin_loss.samples(lambda t: [(t(2, 3), t(2, 3), t(2, 3), {"margin": 20.0})])
soft_margin_loss.samples(lambda t: [(t(2, 3), t.fixed(2, 3, low=1.0, high=1.0))])
multi_margin_loss.samples(
    lambda t: [(t(3, 4), t.int(4, 3), {"margin": 20.0}), (t(3, 4), t.int(4, 3), 2, 20.0)]
)
multilabel_soft_margin_loss.samples(lambda t: [(t(2, 3), t(2, 3, low=0.1, high=0.9))])
