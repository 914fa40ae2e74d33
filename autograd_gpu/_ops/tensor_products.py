"""Products of tensors of any dimension, crosses, powers and chains of matrices."""

import math
from typing import Any

from .._core.layout import normal_dim
from .declare import PUBLIC, Array, composite, op
from .helpers import conj
from .matmul import matmul, mm
from .shape import _permute, _reshape, unsqueeze

__all__ = ["chain_matmul", "cross", "kron", "matrix_power", "multi_dot", "tensordot"]
# ---- tensors of any dimension


@composite(where=("",))
def tensordot(a, b, dims=2, out=None):
    """The sums of products over chosen dimensions of two tensors.

    y_ij.. = sum_k a_i..k b_k..j
    dL/da = g b*,  dL/db = a* g, over the other's free dimensions

    `dims`: how many last dimensions of `a` meet how many first ones of `b`, or two lists of
    dimensions. RuntimeError where their sizes differ.
    """
    left, right = _contracted(a, b, dims)
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                "and second has "
                f"size {b.shape[j]} in dim {j}"
            )
    left = [normal_dim(d, a.ndim, "tensordot") for d in left]
    right = [normal_dim(d, b.ndim, "tensordot") for d in right]
    free_a = [d for d in range(a.ndim) if d not in left]
    free_b = [d for d in range(b.ndim) if d not in right]
    n = math.prod(a.shape[d] for d in left)
    size_a, size_b = [a.shape[d] for d in free_a], [b.shape[d] for d in free_b]
    flat_a = _reshape(_permute(a, (*free_a, *left)), (math.prod(size_a), n))
    flat_b = _reshape(_permute(b, (*right, *free_b)), (n, math.prod(size_b)))
    result = _reshape(mm(flat_a, flat_b), (*size_a, *size_b))
    return result if out is None else out.copy_(result)


def _contracted(a: Any, b: Any, dims: Any) -> tuple[list[int], list[int]]:
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return list(range(-dims, 0)), list(range(dims))
    left, right = ([d] if isinstance(d, int) else [int(i) for i in d] for d in dims)
    if len(left) != len(right):
        raise RuntimeError("both dimension lists should have same length")
    return left, right


@composite(where=("", "Tensor"))
def kron(input, other, *, out=None):
    """The Kronecker product: every element of `input` times the whole of `other`.

    y_(i p + k)(j q + l) = a_ij b_kl            dL/da = sums of g b*,  dL/db = sums of g a*
    """
    n = max(input.ndim, other.ndim)
    a = (1,) * (n - input.ndim) + tuple(input.shape)
    b = (1,) * (n - other.ndim) + tuple(other.shape)
    spread_a = tuple(x for s in a for x in (s, 1))
    spread_b = tuple(x for s in b for x in (1, s))
    pairs = _reshape(input, spread_a) * _reshape(other, spread_b)
    result = _reshape(pairs, tuple(x * y for x, y in zip(a, b, strict=True)))
    return result if out is None else out.copy_(result)


@op(where=(), node="LinalgCrossBackward0", promote="same")
def _cross(xp, input: Array, other: Array, dim):
    """See `linalg.cross`."""
    a, b = xp.broadcast_arrays(input, other)
    a, b = xp.moveaxis(a, dim, 0), xp.moveaxis(b, dim, 0)
    out = xp.empty_like(a)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        out[i] = a[j] * b[k] - a[k] * b[j]
    return xp.ascontiguousarray(xp.moveaxis(out, 0, dim))


_cross.derivative(
    input=lambda grad, other, dim: _cross(conj(other), grad, dim),
    other=lambda grad, input, dim: _cross(grad, conj(input), dim),
)


def _linalg_cross(input, other, *, dim=-1, out=None):
    """The cross product of vectors of length 3, along `dim`.

    y = a x b            dL/da = b* x g,  dL/db = g x a*

    The other dimensions broadcast. RuntimeError where the length along `dim` is not 3.
    """
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    n, m = input.shape[dim], other.shape[dim]
    if (n, m) != (3, 3):
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {n} and {m}"
        )
    ndim = max(input.ndim, other.ndim)
    return _cross(input, other, normal_dim(dim, ndim, "linalg.cross") - ndim, out=out)


@composite(where=("", "Tensor"))
def cross(input, other, dim=None, *, out=None):
    """The cross product of vectors of length 3, along `dim` (the first dimension of length 3 where
    it is None).

    y = a x b            dL/da = b* x g,  dL/db = g x a*

    RuntimeError where there is no such dimension.
    """
    if dim is None:
        dim = next((i for i, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return _linalg_cross(input, other, dim=dim, out=out)


@composite(where=("", "Tensor", "linalg"))
def matrix_power(A, n, *, out=None):
    """A square matrix (or a batch of them) to an integer power; a negative one is that of the
    inverse.

    y = A^n            dL/dA by the product rule, through the products it is made of

    RuntimeError for matrices that are not square.
    """
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        from .solve import check_square

        check_square(A, "linalg.matrix_power")
    if n < 0:
        from .solve import inv

        A, n = inv(A), -n
    result = _power(A, n)
    return result if out is None else out.copy_(result)


def _power(A: Any, n: int) -> Any:
    """By repeated squaring."""
    from .convert import clone

    if n == 0:
        from .._core.dtype import BY_NAME
        from .create_like import ones_like
        from .ranges import eye
        from .select import masked_fill

        nothing = masked_fill(A, ones_like(A, dtype=BY_NAME["bool"]), 0)  # whose derivative is 0
        return nothing + eye(A.shape[-1], dtype=A.dtype, device=A.device)
    if n == 1:
        return clone(A)
    result = None
    while n:
        if n & 1:
            result = A if result is None else matmul(result, A)
        n >>= 1
        A = matmul(A, A) if n else A
    return result


@composite(where=("linalg",))
def multi_dot(tensors, *, out=None):
    """The product of two or more matrices, in the order that needs the fewest multiplications.

    y = A_1 A_2 ... A_n            derivatives through the products

    The first and the last may be vectors. RuntimeError for sizes that do not fit.
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0].ndim == 1, tensors[-1].ndim == 1
    tensors[0] = unsqueeze(tensors[0], 0) if first else tensors[0]
    tensors[-1] = unsqueeze(tensors[-1], 1) if last else tensors[-1]
    for i, (a, b) in enumerate(zip(tensors, tensors[1:], strict=False)):
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a.shape)} and "
                f"{list(b.shape)} cannot be "
                "multiplied"
            )
    result = _chain(
        tensors,
        _best_splits([x.shape[0] for x in tensors] + [tensors[-1].shape[1]]),
        0,
        len(tensors) - 1,
    )
    size = tuple(([] if first else [result.shape[0]]) + ([] if last else [result.shape[1]]))
    result = _reshape(result, size)
    return result if out is None else out.copy_(result)


def _best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each product of neighbours, by dynamic programming over the number of
    multiplications.
    """
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            options = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(options)
    return split


def _chain(tensors: list, split: dict, i: int, j: int) -> Any:
    if i == j:
        return tensors[i]
    k = split[i, j]
    return mm(_chain(tensors, split, i, k), _chain(tensors, split, k + 1, j))


@composite(where=("",))
def chain_matmul(*matrices, out=None):
    """The product of matrices, in the best order; the old name of `linalg.multi_dot`."""
    if len(matrices) == 1:
        from .convert import clone

        return clone(matrices[0])
    return multi_dot(matrices, out=out)


tensordot.samples(
    lambda t: [
        (t(2, 3), t(3, 4), 1),
        (t(2, 3, 4), t(3, 4, 2)),
        (t(2, 3, 4), t(4, 2, 3), ([0, 2], [1, 0])),
        (t(2), t(3), 0),
    ]
)

kron.samples(lambda t: [(t(2, 3), t(3, 2)), (t(2), t(3)), (t(2), t(2, 2))])

cross.samples(lambda t: [(t(2, 3), t(2, 3)), (t(3, 2), t(3, 2)), (t(2, 3), t(2, 3), 1)])

matrix_power.samples(lambda t: [(t(3, 3), 3), (t(2, 3, 3), 2), (t(3, 3), 1), (t(3, 3), 0)])

multi_dot.samples(lambda t: [([t(2, 3), t(3, 4), t(4, 2)],), ([t(3), t(3, 4), t(4)],)])

PUBLIC.setdefault("linalg", {})["cross"] = _linalg_cross

PUBLIC["linalg"]["matmul"] = matmul
