"""Factorisations of matrices: cholesky, qr, eigh, svd; and the norms and inverses that follow from them."""

import math
from typing import Any

import numpy as np

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .diagonal import diag_embed, diagonal, tril
from .elementwise import abs
from .extremes import amax, amin
from .helpers import like, raw
from .index import _basic
from .matmul import adjoint, matmul
from .norms import vector_norm
from .reduce import _sum
from .returns import result_type
from .select import masked_fill
from .shape import _permute, unsqueeze
from .solve import LinAlgError, _inv, check_matrix, check_square, first_failing
from .join import cat

__all__ = [
    "cholesky",
    "cond",
    "eigh",
    "eigvalsh",
    "matrix_norm",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "svd",
    "svdvals",
]


# ---- Cholesky


def _not_positive(matrix: Any) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return True
    return False


@op(where=(), node="LinalgCholeskyExBackward0")
def _cholesky(xp, A: Array, upper):
    """See `linalg.cholesky`."""
    check_square(A, "linalg.cholesky")
    try:
        out = xp.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        where, matrix = first_failing(A, _not_positive)
        order = next(k for k in range(1, len(matrix) + 1) if _not_positive(matrix[:k, :k]))
        raise LinAlgError(
            f"linalg.cholesky: {where}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {order} is not positive-definite)."
        ) from None
    return xp.ascontiguousarray(out.swapaxes(-1, -2).conj()) if upper else out


def _cholesky_backward(grad, out, upper):
    """L^-H P(L^H g) L^-1, made symmetric; P takes the lower triangle and half of the diagonal"""
    grad, factor = (adjoint(grad), adjoint(out)) if upper else (grad, out)
    inner = matmul(adjoint(factor), grad)
    lower = tril(inner) - diag_embed(diagonal(inner, 0, -2, -1)) * 0.5
    inverse = _inv(factor)
    full = matmul(adjoint(inverse), matmul(lower, inverse))
    return (full + adjoint(full)) * 0.5


_cholesky.derivative(A=lambda grad, out, upper: _cholesky_backward(grad, out, upper))


@composite(where=("linalg",))
def cholesky(A, *, upper=False, out=None):
    """The triangular root of a positive definite matrix, or of each of a batch.

    A = L L^H            dL/dA = (S + S^H) / 2,  S = L^-H P(L^H g) L^-1, P the lower triangle with half the diagonal

    Only the lower triangle of A is read. `upper`: L^H is returned. LinAlgError for a matrix that is not positive
    definite. Source of the derivative: Murray, arXiv:1602.07527.
    """
    return _cholesky(A, upper, out=out)


# ---- QR


@op(
    where=(),
    outputs=("Q", "R"),
    relays=("Q", "R"),
    node="LinalgQrBackward0",
    result=result_type("linalg_qr", "Q", "R"),
)
def _qr(xp, A: Array, mode):
    """See `linalg.qr`."""
    q, r = xp.linalg.qr(A, mode)
    return q, r


def _qr_backward(grad_Q, grad_R, Q, R, mode):
    rows, columns = Q.shape[-2], R.shape[-1]
    if mode == "complete" and rows > columns:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        )
    if rows >= columns:
        return _qr_tall(grad_Q, grad_R, Q, R)
    # A = (X Y), R = (U V) with square X and U: X = Q U and Y = Q V.
    left, right = (..., slice(0, rows)), (..., slice(rows, columns))
    grad_u, grad_v = _basic(grad_R, left), _basic(grad_R, right)
    y = matmul(Q, _basic(R, right))
    grad_x = _qr_tall(grad_Q + matmul(y, adjoint(grad_v)), grad_u, Q, _basic(R, left))
    return cat([grad_x, matmul(Q, grad_v)], -1)


def _qr_tall(grad_Q, grad_R, Q, R):
    """(g_Q + Q C(M)) R^-H,  M = R g_R^H - g_Q^H Q, C copies the lower triangle into the upper one"""
    m = matmul(R, adjoint(grad_R)) - matmul(adjoint(grad_Q), Q)
    symmetric = tril(m) + adjoint(tril(m, -1))
    return matmul(grad_Q + matmul(Q, symmetric), adjoint(_inv(R)))


_qr.derivative(A=lambda grad_Q, grad_R, Q, R, mode: _qr_backward(grad_Q, grad_R, Q, R, mode))


@composite(where=("linalg",))
def qr(A, mode="reduced", *, out=None):
    """Orthonormal columns times an upper triangle.

    A = Q R            dL/dA = (g_Q + Q C(M)) R^-H,  M = R g_R^H - g_Q^H Q, C(M) the lower triangle, mirrored

    `mode`: "reduced", "complete" (Q is square), or "r" (Q is empty; not differentiable). RuntimeError for others.
    """
    check_matrix(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    if mode == "r":
        if A.requires_grad:
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
                "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
            )
        return result_type("linalg_qr", "Q", "R")((A.new_empty((0,)), _qr(A, "reduced")[1]))
    return _qr(A, mode, out=out)


# ---- eigenvalues of symmetric matrices


@op(
    where=(), outputs=("eigenvalues", "eigenvectors"), relays=("eigenvalues", "eigenvectors"),
    node="LinalgEighBackward0", result=result_type("linalg_eigh", "eigenvalues", "eigenvectors"),
)  # fmt: skip
def _eigh(xp, A: Array, UPLO):
    """See `linalg.eigh`."""
    check_square(A, "linalg.eigh")
    values, vectors = xp.linalg.eigh(A, UPLO)
    return values, vectors


def _without_diagonal(matrix):
    """0 on the diagonal."""
    n = matrix.shape[-1]
    return masked_fill(matrix, like(np.eye(n, dtype=bool), matrix), 0)


def _gaps(values):
    """E_ij = v_j - v_i, and 1 on the diagonal, which is not used."""
    n = values.shape[-1]
    gaps = unsqueeze(values, -2) - unsqueeze(values, -1)
    return masked_fill(gaps, like(np.eye(n, dtype=bool), values), 1)


def _eigh_backward(grad_eigenvalues, grad_eigenvectors, eigenvalues, eigenvectors):
    """V (diag(g_v) + (V^H g_V) / E) V^H,  E_ij = v_j - v_i"""
    inner = _without_diagonal(matmul(adjoint(eigenvectors), grad_eigenvectors) / _gaps(eigenvalues))
    inner = inner + diag_embed(grad_eigenvalues)
    return matmul(eigenvectors, matmul(inner, adjoint(eigenvectors)))


_eigh.derivative(
    A=lambda grad_eigenvalues, grad_eigenvectors, eigenvalues, eigenvectors: _eigh_backward(
        grad_eigenvalues, grad_eigenvectors, eigenvalues, eigenvectors
    )
)


@composite(where=("linalg",))
def eigh(A, UPLO="L", *, out=None):
    """The eigenvalues, ascending, and eigenvectors of a symmetric (Hermitian) matrix.

    A = V diag(v) V^H            dL/dA = V (diag(g_v) + (V^H g_V) / E) V^H,  E_ij = v_j - v_i

    `UPLO`: the triangle that is read. The derivative by the vectors is not finite where eigenvalues are equal.
    """
    return _eigh(A, UPLO, out=out)


@composite(where=("linalg",))
def eigvalsh(A, UPLO="L", *, out=None):
    """The eigenvalues of a symmetric (Hermitian) matrix, ascending: see `eigh`."""
    result = _eigh(A, UPLO)[0]
    return result if out is None else out.copy_(result)


# ---- singular values


@op(
    where=(), outputs=("U", "S", "Vh"), relays=("U", "S", "Vh"), node="LinalgSvdBackward0",
    result=result_type("linalg_svd", "U", "S", "Vh"),
)  # fmt: skip
def _svd(xp, A: Array, full_matrices):
    """See `linalg.svd`."""
    check_matrix(A, "linalg.svd")
    u, s, vh = xp.linalg.svd(A, full_matrices)
    return u, s, vh


def _svd_backward(grad_U, grad_S, grad_Vh, U, S, Vh):
    """U ((K(U^H g_U) / E) S + S (K(V^H g_V) / E) + diag(g_S)) V^H, and what lies outside of U and V.

    K(X) = X - X^H, E_ij = s_j^2 - s_i^2.
    """
    k = S.shape[-1]
    if U.shape[-1] > k or Vh.shape[-2] > k:
        columns, rows = (..., slice(0, k)), (..., slice(0, k), slice(None))
        U, grad_U, Vh, grad_Vh = (
            _basic(U, columns),
            _basic(grad_U, columns),
            _basic(Vh, rows),
            _basic(grad_Vh, rows),
        )
    gaps = _gaps(S * S)
    uh, v, grad_V = adjoint(U), adjoint(Vh), adjoint(grad_Vh)
    left, right = matmul(uh, grad_U), matmul(Vh, grad_V)
    row, column = unsqueeze(S, -2), unsqueeze(S, -1)
    inner = _without_diagonal((left - adjoint(left)) / gaps) * row
    inner = inner + column * _without_diagonal((right - adjoint(right)) / gaps) + diag_embed(grad_S)
    out = matmul(U, matmul(inner, Vh))
    if U.shape[-2] > k:
        outside = grad_U - matmul(U, left)
        out = out + matmul(outside / row, Vh)
    if Vh.shape[-1] > k:
        outside = grad_V - matmul(v, right)
        out = out + matmul(U, adjoint(outside / row))
    return out


_svd.derivative(
    A=lambda grad_U, grad_S, grad_Vh, U, S, Vh: _svd_backward(grad_U, grad_S, grad_Vh, U, S, Vh)
)


@composite(where=("linalg",))
def svd(A, full_matrices=True, *, driver=None, out=None):
    """The singular values, descending, and both sets of singular vectors.

    A = U diag(S) Vh            dL/dA = U ((K(U^H g_U) / E) S + S (K(V^H g_V) / E) + diag(g_S)) V^H + ...

    K(X) = X - X^H, E_ij = s_j^2 - s_i^2; what lies outside of U and V is added. The derivative by the vectors is
    not finite where singular values are equal. `full_matrices`: U and Vh are square.
    """
    return _svd(A, full_matrices, out=out)


@composite(where=("linalg",))
def svdvals(A, *, driver=None, out=None):
    """The singular values, descending: see `svd`."""
    result = _svd(A, False)[1]
    return result if out is None else out.copy_(result)


@composite(where=("linalg",))
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
    from .._core.tensor import make

    check_matrix(A, "linalg.matrix_rank")
    s = raw(svdvals(A.detach()))
    return make(np.asarray((s > _tolerance(A, s, atol, rtol)).sum(-1)))


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

    "fro": the root of the sum of squares; "nuc": the sum of the singular values; 2, -2: the largest, the smallest
    singular value; inf, -inf: the largest, smallest sum of |a| of a row; 1, -1: of a column.
    derivatives through these steps

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

    Without `ord` and `dim`: the root of the sum of the squares of all elements. With one dimension, or of a 1-D
    tensor: a vector norm. With two dimensions, or of a 2-D tensor with `ord`: a matrix norm. RuntimeError for others.
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

qr.samples(lambda t: [(t(3, 3),), (t(4, 2),), (t(2, 4),)])
svdvals.samples(lambda t: [(t(3, 2),), (t(2, 3),)])
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
