"""Products of vectors, matrices and batches of matrices: matmul, mm, bmm, mv, dot, vdot."""

import math
from typing import Any

import numpy as np

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .factors import cannot_multiply, legacy_name, product, same_dtype_of_factors
from .helpers import conj
from .shape import _reshape, mH, mT, unsqueeze

__all__ = ["bmm", "dot", "matmul", "mm", "mv", "vdot"]


@op(kernel=True)
def mm(xp, input: Array, mat2: Array):
    """The product of two matrices.

    y = A B            dL/dA = g B^H,  dL/dB = A^H g

    (n, k) and (k, m) give (n, m). RuntimeError for other than matrices, for sizes that do not fit
    and for different dtypes. Half types are added in float32.
    """
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if input.dtype is not mat2.dtype:
        same_dtype_of_factors(input, mat2)
    try:
        if input.dtype.char in "fd" and input.size <= 4096:
            return input.dot(mat2)
        return product(xp, input, mat2)
    except ValueError:
        raise cannot_multiply(input, mat2) from None


mm.derivative(
    input=lambda grad, mat2: times_adjoint(grad, mat2),
    mat2=lambda grad, input: adjoint_times(input, grad),
)


@composite(kernel="times_adjoint")
def times_adjoint(a, b):
    """A B^H, for matrices and batches of them; a matrix B is that of all A."""
    if b.ndim > 2:
        return _batched(a, adjoint(b))
    if a.ndim > 2:
        return _folded(a, adjoint(b))
    if a.__class__ is np.ndarray and a.dtype.char in "fd" and a.size <= 4096:
        return a.dot(b.T)
    return mm(a, adjoint(b))


@composite(kernel="adjoint_times")
def adjoint_times(a, b):
    """A^H B, for matrices and batches of them."""
    if a.ndim > 2 or b.ndim > 2:
        return _batched(adjoint(a), b)
    if a.__class__ is np.ndarray and a.dtype.char in "fd" and a.size <= 4096:
        return a.T.dot(b)
    return mm(adjoint(a), b)


@composite(kernel="transposed_rows")
def transposed_rows(a, b):
    """A^H B, where all dimensions but the last are rows."""
    return mm(adjoint(_rows(a, a.shape[-1])), _rows(b, b.shape[-1]))


def adjoint(matrix):
    """The conjugate transpose of a matrix or a batch of them: a view where it is real."""
    if matrix.__class__ is np.ndarray and matrix.ndim == 2 and matrix.dtype.kind == "f":
        return matrix.T
    return mH(matrix)


@op(kernel=True)
def mv(xp, input: Array, vec: Array):
    """The product of a matrix and a vector.

    y = A x            dL/dA = g x^H,  dL/dx = A^H g

    (n, k) and (k,) give (n,). RuntimeError for other shapes and for different dtypes.
    """
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}"
        )
    if input.dtype is not vec.dtype and input.dtype != vec.dtype:
        a, b = legacy_name(input), legacy_name(vec)
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {b}, {a}, and {b}"
        )
    try:
        return product(xp, input, vec)
    except ValueError:
        n, k = input.shape
        raise RuntimeError(
            f"size mismatch, got input ({n}), mat ({n}x{k}), vec ({len(vec)})"
        ) from None


mv.derivative(
    input=lambda grad, vec: unsqueeze(grad, 1) * unsqueeze(conj(vec), 0),
    vec=lambda grad, input: mv(adjoint(input), grad),
)


def _check_vectors(a: Any, b: Any) -> None:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {legacy_name(a)} and "
            f"{legacy_name(b)}"
        )
    if a.shape != b.shape:
        n, m = len(a), len(b)
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{n}] and src [{m}] to have the same "
            "number of "
            f"elements, but got {n} and {m} elements respectively"
        )


@op(kernel=True)
def dot(xp, input: Array, tensor: Array):
    """The sum of the products of two vectors' elements; nothing is conjugated (see `vdot`).

    y = sum_i a_i b_i            dL/da = g b*,  dL/db = g a*

    RuntimeError for other than two vectors of one length and dtype.
    """
    _check_vectors(input, tensor)
    return product(xp, input, tensor)


dot.derivative(
    input=lambda grad, tensor: grad * conj(tensor), tensor=lambda grad, input: grad * conj(input)
)


@op(kernel=True)
def vdot(xp, input: Array, other: Array):
    """The inner product of two vectors, the first one conjugated.

    y = sum_i a_i* b_i            dL/da = g* b,  dL/db = g a

    RuntimeError for other than two vectors of one length and dtype.
    """
    _check_vectors(input, other)
    return product(xp, input.conj() if input.dtype.kind == "c" else input, other)


vdot.derivative(
    input=lambda grad, other: conj(grad) * other, other=lambda grad, input: grad * input
)


@op(kernel=True)
def bmm(xp, input: Array, mat2: Array):
    """The products of two batches of matrices, without broadcasting.

    y_i = A_i B_i            dL/dA_i = g_i B_i^H,  dL/dB_i = A_i^H g_i

    (b, n, k) and (b, k, m) give (b, n, m). RuntimeError for other shapes and for different dtypes.
    """
    check_batches(input, mat2)
    return product(xp, input, mat2)


bmm.derivative(
    input=lambda grad, mat2: bmm_adjoint(grad, mat2),
    mat2=lambda grad, input: adjoint_bmm(input, grad),
)


@composite(kernel="times_adjoint")
def bmm_adjoint(a, b):
    """A_i B_i^H"""
    return bmm(a, adjoint(b))


@composite(kernel="adjoint_times")
def adjoint_bmm(a, b):
    """A_i^H B_i"""
    return bmm(adjoint(a), b)


def check_batches(a: Any, b: Any) -> None:
    """PyTorch's errors for two batches of matrices that cannot be multiplied one by one."""
    for name, batch in (("batch1", a), ("batch2", b)):
        if batch.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if b.shape[:2] != (a.shape[0], a.shape[2]):
        raise _batch_mismatch(a, b)
    _same_dtype_in_batch(a, b)


def _batch_mismatch(a: Any, b: Any) -> RuntimeError:
    n, m = math.prod(a.shape[:-2]), math.prod(b.shape[:-2])
    return _unequal((n, a.shape[-1]), (m, b.shape[-2]))


def _unequal(wanted: tuple, given: tuple) -> RuntimeError:
    return RuntimeError(
        f"Expected size for first two dimensions of batch2 tensor to be: {list(wanted)} but got: "
        f"{list(given)}."
    )


def _same_dtype_in_batch(a: Any, b: Any) -> None:
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {legacy_name(a)} but found {legacy_name(b)}")


# ---- what `@` does with more than two dimensions, each without intermediate nodes


@op(where=(), promote=None, node="UnsafeViewBackward0", kernel="batched_matmul")
def _batched(xp, input: Array, other: Array):
    """Matrices times matrices, their batch dimensions broadcast; see `matmul`."""
    _same_dtype_in_batch(input, other)
    try:
        return product(xp, input, other)
    except ValueError:
        if input.shape[-1] == other.shape[-2]:
            from .errors import mismatch

            raise mismatch([input.shape[:-2], other.shape[:-2]]) or _batch_mismatch(
                input, other
            ) from None
        raise _batch_mismatch(input, other) from None


_batched.derivative(
    input=lambda grad, other, input_shape: _summed(times_adjoint(grad, other), input_shape),
    other=lambda grad, input, other_shape: _summed(adjoint_times(input, grad), other_shape),
)


def _summed(grad, shape):
    """Undo the broadcasting of batch dimensions."""
    from .shape import sum_to_shape

    return sum_to_shape(grad, tuple(shape))


def _rows(array, width: int):
    """The batch dimensions and the rows as one dimension; for sizes of 0 too."""
    return _reshape(array, (math.prod(array.shape[:-1]), width))


@op(where=(), node="UnsafeViewBackward0", kernel="folded_matmul")
def _folded(xp, input: Array, mat2: Array):
    """A batch of matrices times one matrix, as one product; see `matmul`."""
    lead, k = input.shape[:-1], input.shape[-1]
    out = mm(input.reshape(math.prod(lead), k), mat2)
    return out.reshape(*lead, mat2.shape[1])


_folded.derivative(
    input=lambda grad, mat2: times_adjoint(grad, mat2),
    mat2=lambda grad, input: transposed_rows(input, grad),
)


@op(where=(), node="UnsafeViewBackward0", kernel="batched_mv")
def _batched_mv(xp, input: Array, vec: Array):
    """A batch of matrices times one vector; see `matmul`."""
    lead, k = input.shape[:-1], input.shape[-1]
    return mv(input.reshape(math.prod(lead), k), vec).reshape(lead)


_batched_mv.derivative(
    input=lambda grad, vec: unsqueeze(grad, -1) * conj(vec),
    vec=lambda grad, input: mv(
        adjoint(_rows(input, input.shape[-1])), _reshape(grad, (math.prod(grad.shape),))
    ),
)


@op(where=(), node="SqueezeBackward4", kernel="vm")
def _vm(xp, input: Array, other: Array):
    """A vector times a matrix; see `matmul`."""
    return mm(input[None], other)[0]


_vm.derivative(
    input=lambda grad, other: mv(conj(other), grad),
    other=lambda grad, input: unsqueeze(conj(input), 1) * unsqueeze(grad, 0),
)


@composite(where=("", "Tensor"))
def matmul(input, other, *, out=None):
    """The matrix product of vectors, matrices or batches of matrices: `input @ other`.

    y = A B            dL/dA = g B^H,  dL/dB = A^H g

    Two vectors: their dot product. A vector is a row on the left and a column on the right. Of more
    than two dimensions the last two are matrices, the others a batch, which broadcasts.
    RuntimeError for 0-d operands, for sizes that do not fit and for different dtypes.
    """
    try:
        n, m = input._array.ndim, other._array.ndim
    except AttributeError:
        n, m = _dimensions(input, other)
    if n == 2:
        if m == 2:
            return mm(input, other, out=out)
        if m == 1:
            return mv(input, other, out=out)
    return _matmul(input, other, n, m, out)


def _matmul(input: Any, other: Any, n: int, m: int, out: Any) -> Any:
    if n == 0 or m == 0:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D"
        )
    if m == 1:
        return dot(input, other, out=out) if n == 1 else _batched_mv(input, other, out=out)
    if n == 1:
        return _vm(input, other, out=out) if m == 2 else _vector_batched(input, other, out)
    if m == 2:
        return _folded(input, other, out=out)
    return _batched(input, other, out=out)


def _vector_batched(input: Any, other: Any, out: Any) -> Any:
    if input.shape[0] != other.shape[-2]:
        n = math.prod(other.shape[:-2])
        raise _unequal((n, input.shape[0]), (n, other.shape[-2]))
    return _batched_mv(mT(other), input, out=out)


def _dimensions(input: Any, other: Any) -> tuple[int, int]:
    """Of raw arrays, in formulas; TypeError for what is neither array nor Tensor."""
    for place, value in enumerate((input, other), 1):
        if not hasattr(value, "ndim"):
            name = "input" if place == 1 else "other"
            raise TypeError(
                f"matmul(): argument '{name}' (position {place}) must be Tensor, not "
                f"{type(value).__name__}"
            )
    return input.ndim, other.ndim


def _matmul_operator(self, other):
    """`self @ other`: see `matmul`."""
    try:
        if self._array.ndim == 2 and other._array.ndim == 2:
            return mm(self, other)
    except AttributeError:  # no Tensor on the right
        pass
    return matmul(self, other) if hasattr(other, "ndim") else NotImplemented


def _matmul_reflected(self, other):
    """`other @ self` for an array on the left: see `matmul`."""
    if hasattr(other, "ndim"):
        return matmul(other, self)
    return NotImplemented


Tensor.__matmul__ = _matmul_operator  # type: ignore[attr-defined]
Tensor.__rmatmul__ = _matmul_reflected  # type: ignore[attr-defined]

mm.samples(
    lambda t: [
        (t(2, 3), t(3, 4)), (t(1, 3), t(3, 1)), (t(0, 3), t(3, 2)), (t(2, 0), t(0, 3)),
        (t.strided(2, 3), t(3, 2)),
    ]
)  # fmt: skip
mv.samples(lambda t: [(t(2, 3), t(3)), (t(2, 0), t(0)), (t.strided(2, 3), t(3))])
dot.samples(lambda t: [(t(3), t(3)), (t(0), t(0))])
vdot.samples(lambda t: [(t(3), t(3)), (t(0), t(0))])
bmm.samples(
    lambda t: [(t(2, 3, 4), t(2, 4, 2)), (t(0, 2, 3), t(0, 3, 2)), (t(2, 2, 0), t(2, 0, 3))]
)
matmul.samples(
    lambda t: [
        (t(3), t(3)), (t(2, 3), t(3)), (t(3), t(3, 2)), (t(2, 3), t(3, 2)), (t(2, 2, 3), t(3)),
        (t(3), t(2, 3, 2)), (t(2, 2, 3), t(3, 4)), (t(2, 3), t(4, 3, 2)), (t(2, 0, 3), t(3, 2)),
        (t(2, 1, 2, 3), t(3, 3, 2)), (t(0, 2, 3), t(3)), (t.strided(2, 3), t.strided(3, 2)),
    ]
)  # fmt: skip
