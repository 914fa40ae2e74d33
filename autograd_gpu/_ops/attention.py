"""Scaled dot-product attention."""

import math
from typing import Any

import numpy as np

from .._core.tensor import make
from .declare import Array, Index, composite, op
from .dropout import dropout
from .helpers import like, raw
from .matmul import matmul
from .shape import mT
from .softmax import _prepared, _sums, softmax_backward

__all__ = ["scaled_dot_product_attention"]


@op(where=(), node="SafeSoftmaxBackward0")
def _safe_softmax(xp, input: Array, hidden: Index | None):
    """The softmax over the last dimension, with 0 where `hidden` is True, and all zeros where all
    is -inf.
    """
    x, dim = _prepared("softmax", input, -1)
    if not x.size:
        return input.copy()
    out = x.copy() if hidden is None else x + _lowered(xp, hidden, x.dtype)
    top = xp.maximum.reduce(out, dim, None, None, True)
    top[top == -math.inf] = 0
    out -= top
    xp.exp(out, out)
    total = _sums(xp, out, dim)
    total[total == 0] = 1
    out /= total
    return out.astype(input.dtype, copy=False)


def _lowered(xp: Any, hidden: Any, dtype: Any) -> Any:
    """-inf where True, 0 elsewhere: what is added to scores."""
    return xp.where(hidden, dtype.type(-math.inf), dtype.type(0))


_safe_softmax.derivative(input=lambda grad, out: softmax_backward(grad, out, -1))


def _check(query: Any, key: Any, value: Any, mask: Any, causal: bool) -> None:
    kinds = {str(t.dtype) for t in (query, key, value)}
    if len(kinds) > 1:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype.name} key.dtype: {key.dtype.name} and value.dtype: {value.dtype.name} "
            "instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim}, key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if mask is not None and causal:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when "
            "is_causal=True"
        )
    if mask is not None and raw(mask).dtype.kind != "b" and mask.dtype != query.dtype:
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            "attn_mask.dtype: "
            f"{mask.dtype.name} and  query.dtype: {query.dtype.name} instead."
        )


@composite(where=("nn.functional",))
def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """Each query's mean of the values, weighted by how well the keys fit.

    y = softmax(q k^T s + m) v            derivatives through these steps

    query: (*, L, E), key: (*, S, E), value: (*, S, F), mask: broadcast to (*, L, S), True where a
    key counts, or numbers that are added. s is 1 / E^(1/2) where `scale` is None. `is_causal`:
    query i sees keys 0 ... i. A query that sees no key gives zeros. `enable_gqa`: fewer heads of
    keys and values are repeated to those of the queries. RuntimeError for arguments that do not
    fit. Source: Vaswani et al., arXiv:1706.03762.
    """
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa and query.ndim > 2:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    factor = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale
    scores, hidden = matmul(query * factor, mT(key)), None
    if is_causal:
        hidden = like(_above(*scores.shape[-2:]), scores)
    elif attn_mask is not None and raw(attn_mask).dtype.kind == "b":
        hidden = make(~raw(attn_mask))
    elif attn_mask is not None:
        scores = scores + attn_mask
    if hidden is not None and hidden.ndim > scores.ndim:
        scores = scores.expand(np.broadcast_shapes(hidden.shape, scores.shape))
    weights = _safe_softmax(scores, hidden)
    if dropout_p:
        weights = dropout(weights, dropout_p, True)
    return matmul(weights, value)


def _above(rows: int, columns: int) -> Any:
    """True above the diagonal: what a causal mask hides."""
    return np.arange(columns) > np.arange(rows)[:, None]


scaled_dot_product_attention.samples(
    lambda t: [
        (t(2, 3, 4), t(2, 5, 4), t(2, 5, 2)),
        (t(1, 2, 3, 4), t(1, 2, 3, 4), t(1, 2, 3, 4), {"is_causal": True}),
        (t(3, 4), t(3, 4), t(3, 4), t(3, 3)),
    ]
)
