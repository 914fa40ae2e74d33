"""Factorisations of matrices: cholesky, qr, eigh, svd."""

from typing import Any

import numpy as np

from .declare import Array, composite, op
from .diagonal import diag_embed, diagonal, tril
from .helpers import is_complex, like, raw
from .index import _basic
from .join import cat
from .matmul import adjoint, matmul
from .returns import result_type
from .select import masked_fill
from .shape import unsqueeze
from .solve import LinAlgError, _inv, check_matrix, check_square, first_failing

__all__ = ["cholesky", "eigh", "eigvalsh", "qr", "svd", "svdvals"]


def _same_whatever_the_phase(op: str, quantity: str, *products: Any) -> None:
    """RuntimeError where the loss depends on the phases of complex vectors, which are arbitrary:
    then the imaginary parts of the diagonals of V^H g_V do not cancel."""
    diagonals = [raw(p).diagonal(0, -2, -1).imag for p in products]
    size = abs(diagonals[0]) * 1e-2 + 1e-2
    if not bool((abs(sum(diagonals)) <= size).all()):
        vectors = "singular vectors" if op == "svd_backward" else "eigenvectors"
        raise RuntimeError(
            f"{op}: The {vectors} in the complex case are specified up to multiplication by "
            f"e^{{i phi}}. The specified loss function depends on this {quantity} ill-defined."
        )


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
            f"linalg.cholesky: {where}The factorization could not be completed because the input "
            "is not "
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

    A = L L^H
    dL/dA = (S + S^H) / 2,  S = L^-H P(L^H g) L^-1, P the lower triangle with half the diagonal

    Only the lower triangle of A is read. `upper`: L^H is returned. LinAlgError for a matrix that is
    not positive definite. Source of the derivative: Murray, arXiv:1602.07527.
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
    """(g_Q + Q C(M)) R^-H,  M = R g_R^H - g_Q^H Q, C(M) the lower triangle, mirrored"""
    m = matmul(R, adjoint(grad_R)) - matmul(adjoint(grad_Q), Q)
    half = tril(m) - diag_embed(diagonal(m, 0, -2, -1)) * 0.5
    return matmul(grad_Q + matmul(Q, half + adjoint(half)), adjoint(_inv(R)))


_qr.derivative(A=lambda grad_Q, grad_R, Q, R, mode: _qr_backward(grad_Q, grad_R, Q, R, mode))


@composite(where=("linalg",))
def qr(A, mode="reduced", *, out=None):
    """Orthonormal columns times an upper triangle.

    A = Q R
    dL/dA = (g_Q + Q C(M)) R^-H,  M = R g_R^H - g_Q^H Q, C(M) the lower triangle, mirrored

    `mode`: "reduced", "complete" (Q is square), or "r" (Q is empty; not differentiable).
    RuntimeError for others.
    """
    check_matrix(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    if mode == "r":
        if A.requires_grad:
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
                "Please use "
                "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
            )
        return result_type("linalg_qr", "Q", "R")((A.new_empty((0,)), _qr(A, "reduced")[1]))
    return _qr(A, mode, out=out)


# ---- eigenvalues of symmetric matrices


@op(
    where=(),
    outputs=("eigenvalues", "eigenvectors"),
    relays=("eigenvalues", "eigenvectors"),
    node="LinalgEighBackward0",
    result=result_type("linalg_eigh", "eigenvalues", "eigenvectors"),
)
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
    """V (diag(g_v) + K(V^H g_V) / E) V^H,  K(X) = (X - X^H) / 2, E_ij = v_j - v_i"""
    turned = matmul(adjoint(eigenvectors), grad_eigenvectors)
    if is_complex(turned):
        _same_whatever_the_phase("linalg_eigh_backward", "quantity, so it is", turned)
    skew = (turned - adjoint(turned)) * 0.5
    inner = _without_diagonal(skew / _gaps(eigenvalues))
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

    A = V diag(v) V^H
    dL/dA = V (diag(g_v) + K(V^H g_V) / E) V^H,  K(X) = (X - X^H) / 2, E_ij = v_j - v_i

    `UPLO`: the triangle that is read. The derivative by the vectors is not finite where eigenvalues
    are equal.
    """
    return _eigh(A, UPLO, out=out)


@composite(where=("linalg",))
def eigvalsh(A, UPLO="L", *, out=None):
    """The eigenvalues of a symmetric (Hermitian) matrix, ascending: see `eigh`."""
    result = _eigh(A, UPLO)[0]
    return result if out is None else out.copy_(result)


# ---- singular values


@op(
    where=(),
    outputs=("U", "S", "Vh"),
    relays=("U", "S", "Vh"),
    node="LinalgSvdBackward0",
    result=result_type("linalg_svd", "U", "S", "Vh"),
)
def _svd(xp, A: Array, full_matrices):
    """See `linalg.svd`."""
    check_matrix(A, "linalg.svd")
    u, s, vh = xp.linalg.svd(A, full_matrices)
    return u, s, vh


def _svd_backward(grad_U, grad_S, grad_Vh, U, S, Vh):
    """U ((K(U^H g_U) / E) S + S (K(V^H g_V) / E) + diag(g_S)) V^H, and what lies outside of U and
    V.

    K(X) = X - X^H, E_ij = s_j^2 - s_i^2. Complex vectors turn in their phase besides:
    + K(U^H g_U)_ii / 2 s_i.
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
    skew = left - adjoint(left)
    inner = _without_diagonal(skew / gaps) * row
    inner = inner + column * _without_diagonal((right - adjoint(right)) / gaps) + diag_embed(grad_S)
    if is_complex(inner):
        _same_whatever_the_phase("svd_backward", "phase term, making it", left, right)
        inner = inner + diag_embed(diagonal(skew, 0, -2, -1) / (S * 2))
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

    A = U diag(S) Vh
    dL/dA = U ((K(U^H g_U) / E) S + S (K(V^H g_V) / E) + diag(g_S)) V^H + ...

    K(X) = X - X^H, E_ij = s_j^2 - s_i^2; what lies outside of U and V is added. The derivative by
    the vectors is not finite where singular values are equal. `full_matrices`: U and Vh are square.
    """
    return _svd(A, full_matrices, out=out)


@composite(where=("linalg",))
def svdvals(A, *, driver=None, out=None):
    """The singular values, descending: see `svd`."""
    result = _svd(A, False)[1]
    return result if out is None else out.copy_(result)


qr.samples(lambda t: [(t(3, 3),), (t(4, 2),), (t(2, 4),)])
svdvals.samples(lambda t: [(t(3, 2),), (t(2, 3),)])
