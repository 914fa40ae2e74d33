"""Distances and angles between vectors."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of, promote
from .._core.tensor import make
from .declare import Array, composite, op
from .errors import mismatch
from .helpers import like, no_gradient, raw, where_it_is
from .norms import length, norm_backward, vector_norm
from .reduce import _sum
from .rows import index_add, index_select
from .select import masked_fill
from .shape import _reshape

__all__ = ["cdist", "cosine_similarity", "dist", "normalize", "pairwise_distance", "pdist"]


@op(promote="bool")
def dist(xp, input: Array, other: Array, p=2):
    """The length of a difference, over all elements; the tensors broadcast.

    y = (sum |a - b|^p)^(1/p)            dL/da = g sgn(a - b) (|a - b| / y)^(p-1), and 0 where a = b

    RuntimeError for integers.
    """
    if input.dtype.kind in "biu":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{of(input.dtype).legacy} instead."
        )
    return length(xp, input - other, float(p), None, False)


dist.derivative(
    input=lambda grad, input, other, out, p: norm_backward(
        grad, input - other, out, float(p), None, False
    ),
    other=lambda grad, input, other, out, p: norm_backward(
        grad, other - input, out, float(p), None, False
    ),
)


def _common_shape(*tensors: Any) -> tuple[int, ...]:
    shapes = [tuple(t.shape) for t in tensors]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise mismatch(shapes) or error from None


@composite(where=("", "nn.functional"))
@where_it_is
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors along `dim`; the two tensors broadcast.

    y = a . b / (max(|a|, eps) max(|b|, eps))            dL/da = g (b / |b| - y a / |a|) / |a|

    Where |a| is below eps, 1 / eps stands for 1 / |a|, so the derivative is finite. RuntimeError
    for integers.
    """
    common = promote(raw(x1).dtype, raw(x2).dtype)
    if common.kind in "biuc":
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {of(common).legacy}"
        )
    shape = _common_shape(x1, x2)
    x1, x2 = x1.to(of(common)).expand(shape), x2.to(of(common)).expand(shape)
    a, b = (
        _at_least(vector_norm(x1, 2, dim, True), eps),
        _at_least(vector_norm(x2, 2, dim, True), eps),
    )
    return _sum((x1 / a) * (x2 / b), dim)


def _at_least(lengths: Any, eps: float) -> Any:
    """The lengths raised to `eps`, with the derivative of the lengths as they were."""
    array = raw(lengths)
    return lengths + make(library(array).maximum(array.dtype.type(eps) - array, 0))


@composite(where=("nn.functional",))
@where_it_is
def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """Vectors along `dim` divided by their length, or by `eps` where they are shorter.

    y = x / max(|x|_p, eps)            dL/dx = (g - (g . y) d|x|/dx) / |x|; g / eps where |x| < eps

    RuntimeError for integers, IndexError for a dimension that is not there (the default is 1, also
    for vectors).
    """
    from .division import div

    size = vector_norm(input, p, dim, True)
    short = like(raw(size) < eps, size)
    return div(input, masked_fill(size, short, eps).expand(tuple(input.shape)), out=out)


@composite(where=("", "nn.functional"))
def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The length of the difference of vectors in the last dimension.

    y = |a - b + eps|_p            dL/da as of `linalg.vector_norm`
    """
    return _norm(x1 - x2 + eps, float(p), -1, keepdim)


@op(where=(), node="NormBackward1")
def _norm(xp, input: Array, p, dim, keepdim):
    """`vector_norm` under the name that the graph of a pairwise distance has for it."""
    return length(xp, input, p, dim, keepdim)


_norm.derivative(
    input=lambda grad, input, out, p, dim, keepdim: norm_backward(grad, input, out, p, dim, keepdim)
)
_norm.samples(lambda t: [(t(3, 4), 2.0, -1, False)])


# ---- all pairs of rows


@op(where=("",), promote="bool")
def cdist(xp, x1: Array, x2: Array, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The distances between all rows of two batches of matrices.

    y_ij = |a_i - b_j|_p            dL/da_i = sum_j of g_ij d|a_i - b_j|/da_i, where a_i = b_j: 0

    (*, m, k) and (*, n, k) give (*, m, n). The differences themselves are measured, whatever
    `compute_mode` says; it is there for the sake of the signature. RuntimeError for integers,
    vectors, different k, and negative p.
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
        if x.dtype.kind not in "fV":
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {of(x.dtype).legacy}"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    return length(xp, x1[..., :, None, :] - x2[..., None, :, :], float(p), -1, False)


def _cdist_backward(grad, x1, x2, out, p, wanted):
    a, b = raw(x1).shape, raw(x2).shape
    apart = _reshape(x1, (*a[:-1], 1, a[-1])) - _reshape(x2, (*b[:-2], 1, *b[-2:]))
    each = norm_backward(grad, apart, out, float(p), -1, False)
    return _sum(each, -2) if wanted[0] else None, -_sum(each, -3) if wanted[1] else None


cdist.derivative(_cdist_backward, of=("x1", "x2"))


@op(where=("", "nn.functional"))
def pdist(xp, input: Array, p=2.0):
    """The distances between the rows of a matrix, each pair once.

    y = |x_i - x_j|_p for i < j, row by row            derivatives as of `cdist`

    (n, k) gives (n (n - 1) / 2,). RuntimeError for tensors that are no matrices, integers, and
    negative p.
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if input.dtype.kind not in "fV":
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    i, j = np.triu_indices(len(input), 1)
    return length(xp, input[xp.asarray(i)] - input[xp.asarray(j)], float(p), -1, False)


def _pdist_backward(grad, input, out, p):
    i, j = (like(k, input) for k in np.triu_indices(len(raw(input)), 1))
    apart = index_select(input, 0, i) - index_select(input, 0, j)
    each = norm_backward(grad, apart, out, float(p), -1, False)
    return index_add(index_add(no_gradient(input), 0, i, each), 0, j, -each)


pdist.derivative(input=_pdist_backward)


dist.samples(
    lambda t: [
        (t(3), t(3)),
        (t(2, 3), t(3), 1),
        (t(2, 3), t(2, 1), math.inf),
        (t(2, 3), t(2, 3), 3),
    ]
)
cosine_similarity.samples(
    lambda t: [(t(2, 3), t(2, 3)), (t(3), t(3), 0), (t(2, 3, 4), t(3, 1), -1)]
)
normalize.samples(lambda t: [(t(2, 3),), (t(2, 3), 1, 0), (t.strided(3, 4), 3.0)])
pairwise_distance.samples(lambda t: [(t(2, 3), t(2, 3)), (t(2, 3), t(3), 1.0)])
cdist.samples(lambda t: [(t(3, 2), t(4, 2)), (t(2, 3, 2), t(4, 2), 1.0), (t(3, 2), t(4, 2), 3.0)])
pdist.samples(lambda t: [(t(4, 3),), (t(4, 3), 1.0)])
