"""Norms of matrices, and what follows from singular values: pinv, matrix_rank, cond."""

import math
from typing import Any

import numpy as np

from .._core.tensor import Tensor
from .declare import composite
from .extremes import amax, amin
from .factor import (
    _svd,
    cholesky,
    svdvals,
)
from .helpers import like, raw, where_it_is
from .matmul import adjoint, matmul
from .norms import vector_norm
from .reduce import _sum
from .select import masked_fill
from .shape import _permute, unsqueeze
from .signs import abs
from .solve import _inv, check_matrix

__all__ = ["cond", "matrix_norm", "matrix_rank", "pinv"]


@composite(where=("linalg",))
@where_it_is
def pinv(A, *, atol=None, rtol=None, hermitian=False, out=None):
    """The Moore-Penrose inverse: singular values not above max(atol, rtol s_1) count as 0.

    y = V diag(1 / s) U^H            derivatives through the factorisation

    `rtol`: the dtype's eps times the larger length where neither is given.
    """
    check_matrix(A, "linalg.pinv")
    u, s, vh = _svd(A, False)
    limit = _tolerance(A, raw(s), atol, rtol)
    small = like(raw(s) <= limit, s)
    inverse = masked_fill(1 / masked_fill(s, small, 1), small, 0)
    result = matmul(adjoint(vh) * unsqueeze(inverse, -2), adjoint(u))
    return result if out is None else out.copy_(result)


def _tolerance(A: Any, s: Any, atol: Any, rtol: Any) -> Any:
    """Up to where a singular value counts as 0."""
    if rtol is None:
        rtol = 0.0 if atol else float(np.finfo(s.dtype).eps) * max(A.shape[-2:])
    largest = s.max(-1, keepdims=True) if s.shape[-1] else s
    return np.maximum(raw(atol) if atol is not None else 0.0, raw(rtol) * largest)


@composite(where=("linalg",))
def matrix_rank(A, *, atol=None, rtol=None, hermitian=False, out=None):
    """How many singular values are above max(atol, rtol s_1). Not differentiable."""
    from .._core.tensor import as_array, make

    check_matrix(A, "linalg.matrix_rank")
    s = raw(svdvals(A.detach()))
    return make(as_array((s > _tolerance(A, s, atol, rtol)).sum(-1)))


# ---- norms of matrices


def _pair_last(A: Any, dim: Any) -> tuple[Any, tuple[int, int]]:
    """The two dimensions of the matrices, counted from the front."""
    from .._core.layout import normal_dim

    rows, columns = (normal_dim(d, A.ndim, "linalg.matrix_norm") for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    return A, (rows, columns)


@composite(where=("linalg",))
def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None, out=None):
    """The norm of a matrix, or of each of a batch.

    "fro": the root of the sum of squares; "nuc": the sum of the singular values; 2, -2: the
    largest, the smallest singular value; inf, -inf: the largest, smallest sum of |a| of a row; 1,
    -1: of a column. derivatives through these steps

    RuntimeError for other orders and for integers.
    """
    check_matrix(A, "linalg.matrix_norm")
    if dtype is not None:
        A = A.to(dtype)
    A, (rows, columns) = _pair_last(A, dim)
    if ord == "fro":
        result = vector_norm(A, 2, (rows, columns), keepdim)
    elif ord in ("nuc", 2, -2):
        result = _by_singular_values(A, ord, rows, columns, keepdim)
    elif ord in (1, -1, math.inf, -math.inf):
        along, over = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = _sum(abs(A), along, True)
        result = (amax if ord > 0 else amin)(sums, over, True)
        result = result if keepdim else result.squeeze((rows, columns))
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    return result if out is None else out.copy_(result)


def _by_singular_values(A: Any, ord: Any, rows: int, columns: int, keepdim: bool) -> Any:
    others = [d for d in range(A.ndim) if d not in (rows, columns)]
    s = svdvals(_permute(A, (*others, rows, columns)))
    result = _sum(s, -1) if ord == "nuc" else amax(s, -1) if ord == 2 else amin(s, -1)
    if keepdim:
        for d in sorted((rows, columns)):
            result = unsqueeze(result, d)
    return result


def _linalg_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None, out=None):
    """The norm of vectors or matrices: see `vector_norm` and `matrix_norm`.

    Without `ord` and `dim`: the root of the sum of the squares of all elements. With one dimension,
    or of a 1-D tensor: a vector norm. With two dimensions, or of a 2-D tensor with `ord`: a matrix
    norm. RuntimeError for others.
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype, out=out)
    if dim is None and A.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{A.ndim}D."
        )
    dims = tuple(range(A.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
    if len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype, out=out)
    return vector_norm(A, ord, dims[0], keepdim, dtype=dtype, out=out)


def _publish() -> None:
    from .declare import PUBLIC

    _linalg_norm.__name__ = _linalg_norm.__qualname__ = "norm"
    PUBLIC["linalg"]["norm"] = _linalg_norm
    Tensor.cholesky = _method_cholesky  # type: ignore[attr-defined]
    Tensor.pinverse = PUBLIC[""]["pinverse"] = _method_pinverse  # type: ignore[attr-defined]


def _method_cholesky(self: Tensor, upper: bool = False) -> Tensor:
    """The triangular root: see `linalg.cholesky`."""
    return cholesky(self, upper=upper)


def _method_pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse: see `linalg.pinv`."""
    return pinv(input, rtol=rcond)


@composite(where=("linalg",))
def cond(A, p=None, *, out=None):
    """The condition number of a matrix: its norm times that of its inverse.

    y = |A|_p |A^-1|_p; for p None, 2 and -2 the ratio of the extreme singular values
    """
    check_matrix(A, "linalg.cond")
    if p is None or p in (2, -2):
        s = svdvals(A)
        first, last = s.select(-1, 0), s.select(-1, -1)
        result = last / first if p == -2 else first / last
    else:
        result = matrix_norm(A, p) * matrix_norm(_inv(A), p)
    return result if out is None else out.copy_(result)


_publish()

pinv.samples(lambda t: [(t(3, 2),), (t(2, 2),)])

matrix_norm.samples(
    lambda t: [
        (t(2, 3),),
        (t(2, 3), "nuc"),
        (t(2, 3), 1),
        (t(2, 3, 4), math.inf, (0, 2)),
        (t(2, 3), 2),
    ]
)
