"""Square matrices: inverses, solutions of linear equations, determinants."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.tensor import Tensor
from .declare import PUBLIC, Array, composite, op
from .elementwise import log
from .helpers import conj, is_complex, like, raw
from .matmul import adjoint, matmul
from .returns import result_type
from .select import masked_fill
from .shape import unsqueeze

__all__ = ["LinAlgError", "det", "inv", "logdet", "slogdet", "solve"]


class LinAlgError(RuntimeError):
    """A matrix is singular, or not positive definite."""


PUBLIC.setdefault("linalg", {})["LinAlgError"] = LinAlgError


def check_matrix(A: Any, name: str) -> None:
    """RuntimeError for other than floating or complex matrices."""
    array = raw(A)
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if array.dtype.kind in "biu":
        kind = of(array.dtype).legacy
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {kind}"
        )
    if array.dtype.itemsize == 2:
        kind = of(array.dtype).legacy
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {kind}")


def check_square(A: Any, name: str) -> None:
    """The same, and for matrices that are not square."""
    check_matrix(A, name)
    n, m = raw(A).shape[-2:]
    if n != m:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {n} by {m} matrices"
        )


def first_failing(array: Any, fails: Any) -> tuple[str, Any]:
    """How an error names the first matrix of a batch that fails, and that matrix."""
    if array.ndim == 2:
        return "", array
    flat = array.reshape(math.prod(array.shape[:-2]), *array.shape[-2:])
    place = next((i for i, matrix in enumerate(flat) if fails(matrix)), 0)
    return f"(Batch element {place}): ", flat[place]


def _singular(matrix: Any) -> bool:
    try:
        np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return True
    return False


def _zero_pivot(matrix: Any) -> int:
    """Which diagonal element elimination with row exchanges finds to be 0; counted from 1."""
    a = matrix.copy()
    for k in range(len(a)):
        best = k + int(np.abs(a[k:, k]).argmax())
        if a[best, k] == 0:
            return k + 1
        a[[k, best]] = a[[best, k]]
        a[k + 1 :] -= np.outer(a[k + 1 :, k] / a[k, k], a[k])
    return len(a)


@op(where=(), node="LinalgInvExBackward0")
def _inv(xp, A: Array):
    """See `linalg.inv`."""
    check_square(A, "linalg.inv")
    try:
        return xp.linalg.inv(A)
    except np.linalg.LinAlgError:
        where, matrix = first_failing(A, _singular)
        raise LinAlgError(
            f"linalg.inv: {where}The diagonal element {_zero_pivot(matrix)} is zero, the inversion "
            "could not be completed because the input matrix is singular."
        ) from None


_inv.derivative(A=lambda grad, out: -matmul(adjoint(out), matmul(grad, adjoint(out))))


@composite(where=("linalg",))
def inv(A, *, out=None):
    """The inverse of a square matrix, or of each of a batch.

    y = A^-1            dL/dA = -y^H g y^H

    LinAlgError for a singular matrix, RuntimeError for other than square matrices of floats.
    """
    return _inv(A, out=out)


@composite(where=("", "Tensor"))
def inverse(input, *, out=None):
    """The inverse: see `linalg.inv`."""
    return _inv(input, out=out)


@op(where=(), node="LinalgSolveExBackward0", promote="same")
def _solve(xp, A: Array, B: Array, vector):
    """See `linalg.solve`."""
    try:
        return xp.linalg.solve(A, B[..., None])[..., 0] if vector else xp.linalg.solve(A, B)
    except np.linalg.LinAlgError:
        where, _ = first_failing(A, _singular)
        raise LinAlgError(
            f"torch.linalg.solve: {where}The solver failed because the input matrix is singular."
        ) from None


def _solve_right(grad, A, vector):
    """A^-H g"""
    return _solve(adjoint(A), grad, vector)


def _solve_matrix(grad, A, out, vector):
    """-(A^-H g) y^H"""
    inner = _solve(adjoint(A), grad, vector)
    if vector:
        return -unsqueeze(inner, -1) * unsqueeze(conj(out), -2)
    return -matmul(inner, adjoint(out))


_solve.derivative(
    A=lambda grad, A, out, vector: _solve_matrix(grad, A, out, vector),
    B=lambda grad, A, vector: _solve_right(grad, A, vector),
)


@composite(where=("linalg",))
def solve(A, B, *, left=True, out=None):
    """The solution of linear equations with a square matrix.

    y = A^-1 B            dL/dB = A^-H g,  dL/dA = -(A^-H g) y^H

    A: (*, n, n), B: (*, n, k) or vectors (*, n); batches broadcast. `left=False`: y A = B instead.
    LinAlgError for a singular matrix, RuntimeError for sizes that do not fit.
    """
    check_square(A, "linalg.solve")
    a, b = tuple(A.shape), tuple(B.shape)
    vector = len(b) == 1 or len(a) - 1 == len(b) and b == a[:-1]
    if not left:
        if vector:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for "
                "left=False. "
                "In this case linalg.solve is equivalent to B / A.squeeze(-1)"
            )
        result = solve(A.mT, B.mT).mT
        return result if out is None else out.copy_(result)
    rows, columns = (b[-1], 1) if vector else b[-2:]
    if rows != a[-1]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation AX = B "
            f"({a[-2]}x{a[-1]} and {rows}x{columns})"
        )
    if A.dtype != B.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype.legacy} and "
            f"B of type {B.dtype.legacy} instead"
        )
    return _solve(A, B, vector, out=out)


# ---- determinants


@op(where=(), node="LinalgDetBackward0")
def _det(xp, A: Array):
    """See `linalg.det`."""
    check_square(A, "linalg.det")
    return xp.asarray(xp.linalg.det(A), A.dtype)


_det.derivative(A=lambda grad, A, out: _det_backward(grad, A, out))


def _det_backward(grad, A, out):
    """g conj(det A) A^-H: the conjugate of the matrix of cofactors, which singular matrices have
    too.
    """
    if isinstance(A, Tensor) and _nearly_singular(raw(A)):
        return unsqueeze(unsqueeze(grad, -1), -1) * conj(_minors(A))
    if bool((raw(out) != 0).all()):
        return unsqueeze(unsqueeze(grad * conj(out), -1), -1) * adjoint(_inv(A))
    return unsqueeze(unsqueeze(grad, -1), -1) * like(_cofactors(raw(A)).conj(), grad)


def _nearly_singular(array: Any) -> bool:
    """Is a matrix singular up to rounding? Then det(A) A^-H is a good gradient, but its own
    derivative is not."""
    s = library(array).linalg.svd(array, compute_uv=False)
    if not s.shape[-1]:
        return False
    return bool((s[..., -1] <= s[..., 0] * (s.shape[-1] * np.finfo(s.dtype).eps)).any())


def _minors(A):
    """The cofactors as determinants without a row and a column, which can be differentiated
    whatever the rank; they take n^4 numbers."""
    n = A.shape[-1]
    if n == 1:
        return A * 0 + 1
    places = np.arange(n)
    others = np.array([np.delete(places, k) for k in places])
    picked = A[..., others[:, None, :, None], others[None, :, None, :]]
    signs = (-1.0) ** (places[:, None] + places)
    return _det(picked) * like(signs.astype(raw(A).dtype), A)


def _cofactors(array: Any) -> Any:
    """det(A) A^-T of any square matrix, from its singular values."""
    xp = library(array)
    u, s, vh = xp.linalg.svd(array)
    n = s.shape[-1]
    rest = xp.broadcast_to(s[..., None, :], (*s.shape, n)).copy()
    rest[..., xp.arange(n), xp.arange(n)] = 1
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    return sign[..., None, None] * ((u * rest.prod(-1)[..., None, :]) @ vh).conj()


@composite(where=("linalg",))
def det(A, *, out=None):
    """The determinant of a square matrix, or of each of a batch.

    y = det A            dL/dA = g (det A)* A^-H, the cofactors, also of a singular matrix

    RuntimeError for other than square matrices of floats.
    """
    return _det(A, out=out)


@op(
    where=(),
    outputs=("sign", "logabsdet"),
    relays=("sign", "logabsdet"),
    node="LinalgSlogdetBackward0",
    result=result_type("linalg_slogdet", "sign", "logabsdet"),
)
def _slogdet(xp, A: Array):
    """See `linalg.slogdet`."""
    check_square(A, "linalg.slogdet")
    sign, size = xp.linalg.slogdet(A)
    kind = np.dtype(A.dtype.char.lower()) if A.dtype.kind == "c" else A.dtype
    return xp.asarray(sign, A.dtype), xp.asarray(size, kind)


def _slogdet_backward(grad_sign, grad_logabsdet, A, sign):
    """g A^-H; of complex matrices (g - i Im(conj(g_sign) sign)) A^-H"""
    weight = grad_logabsdet
    if is_complex(A):
        turn = conj(grad_sign) * sign
        weight = weight - (turn - conj(turn)) * 0.5
    return unsqueeze(unsqueeze(weight, -1), -1) * adjoint(_inv(A))


_slogdet.derivative(
    A=lambda grad_sign, grad_logabsdet, A, sign: _slogdet_backward(
        grad_sign, grad_logabsdet, A, sign
    )
)


@composite(where=("linalg", ""))
def slogdet(A, *, out=None):
    """The sign and the logarithm of the absolute value of the determinant, without overflow.

    det A = sign e^logabsdet            dL/dA = g A^-H

    -inf for a singular matrix. RuntimeError for other than square matrices of floats.
    """
    return _slogdet(A, out=out)


@composite(where=("", "Tensor"))
def logdet(input):
    """The logarithm of the determinant; NaN where that is negative, -inf where it is 0.

    y = ln det A            dL/dA = g A^-H
    """
    check_square(input, "logdet")
    sign, size = _slogdet(input)
    if is_complex(input):
        return log(sign) + size
    return masked_fill(size, like(raw(sign) < 0, input), math.nan)


def _bind() -> None:
    from .._core.tensor import Tensor

    t: Any = Tensor
    t.det, t.slogdet = det, slogdet
    PUBLIC[""]["det"] = det


_bind()


inv.samples(lambda t: [(t(3, 3),), (t(2, 2, 2),)])
solve.samples(lambda t: [(t(3, 3), t(3, 2)), (t(3, 3), t(3)), (t(2, 2, 2), t(2, 2))])
det.samples(lambda t: [(t(3, 3),), (t(2, 2, 2),)])
slogdet.samples(lambda t: [(t(3, 3),), (t(2, 2, 2),)])
