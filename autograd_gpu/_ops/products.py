"""Products with something added: addmm and its kin; outer and inner products."""

from typing import Any

from .._core.dtype import of
from .convert import _cast
from .declare import Array, composite, op
from .factors import cannot_multiply, product
from .helpers import conj, raw
from .matmul import (
    adjoint,
    adjoint_bmm,
    adjoint_times,
    bmm_adjoint,
    check_batches,
    matmul,
    mm,
    mv,
    times_adjoint,
)  # fmt: skip
from .shape import _reshape, sum_to_shape, t, unsqueeze

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm", "ger", "inner", "outer"]


@composite(where=("", "Tensor"))
def outer(input, vec2, *, out=None):
    """The products of all pairs of elements of two vectors.

    y_ij = a_i b_j            dL/da = g b*,  dL/db = g^T a*

    RuntimeError for other than vectors.
    """
    for name, vector in (("self", input), ("vec2", vec2)):
        if vector.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {vector.ndim}-D")
    from .arithmetic import mul

    return mul(_reshape(input, (len(input), 1)), vec2, out=out)


@composite(where=("", "Tensor"))
def ger(input, vec2, *, out=None):
    """The old name of `outer`."""
    return outer(input, vec2, out=out)


@composite(where=("", "Tensor"))
def inner(input, other, *, out=None):
    """The sums of products over the last dimensions of two tensors; with a 0-d operand, the
    product.

    y_ij = sum_k a_ik b_jk            dL/da = g b*,  dL/db = g^T a*

    RuntimeError where the last sizes differ.
    """
    if input.ndim == 0 or other.ndim == 0:
        from .arithmetic import mul

        return mul(input, other, out=out)
    if input.dtype != other.dtype:
        raise RuntimeError("both inputs should have same dtype")
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    from .tensor_products import tensordot

    result = tensordot(input, other, ([-1], [-1]))
    return result if out is None else out.copy_(result)


# ---- beta input + alpha product


def _scaled(xp: Any, input: Any, beta: Any, product_: Any, alpha: Any) -> Any:
    """beta input + alpha product, where the input broadcasts; with beta 0 its NaN and inf do not
    count.
    """
    shape = product_.shape
    try:
        xp.broadcast_to(input, shape)
    except ValueError:
        raise _unexpandable(input.shape, shape) from None
    if alpha != 1:
        product_ = product_ * product_.dtype.type(alpha)
    if beta == 0:
        return product_
    return (input if beta == 1 else input * input.dtype.type(beta)) + product_


def _unexpandable(old: tuple, new: tuple) -> RuntimeError:
    for d in range(-1, -len(old) - 1, -1):
        if len(old) <= len(new) and old[d] not in (1, new[d]):
            return RuntimeError(
                f"The expanded size of the tensor ({new[d]}) must match the existing size "
                f"({old[d]}) at "
                f"non-singleton dimension {len(new) + d}.  Target sizes: {list(new)}.  Tensor "
                f"sizes: {list(old)}"
            )
    return RuntimeError(
        f"expand(size={list(new)}): the number of sizes provided ({len(new)}) must be greater or "
        "equal to the "
        f"number of dimensions in the tensor ({len(old)})"
    )


def _same_dtype(input: Any, factor: Any) -> None:
    if input.dtype != factor.dtype:
        a, b = of(input.dtype).legacy, of(factor.dtype).legacy
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {a} and {b}")


def _times(grad, number):
    """g a*, a number: alpha and beta may be complex."""
    return grad if number == 1 else grad * number.conjugate()


def _input_share(grad, input_shape, beta):
    """beta g, summed to the shape of what was broadcast."""
    return sum_to_shape(_times(grad, beta), tuple(input_shape))


@op(inplace=True, kernel=True)
def addmm(xp, input: Array, mat1: Array, mat2: Array, *, beta=1, alpha=1):
    """A matrix plus the product of two.

    y = beta C + alpha A B            dL/dC = beta g,  dL/dA = alpha g B^H,  dL/dB = alpha A^H g

    C broadcasts to (n, m) of A (n, k) and B (k, m). RuntimeError for sizes and dtypes that do not
    fit.
    """
    for name, factor in (("mat1", mat1), ("mat2", mat2)):
        if factor.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {factor.ndim}-D tensor")
    if mat1.shape[1] != mat2.shape[0]:
        raise cannot_multiply(mat1, mat2)
    if mat1.dtype != mat2.dtype:
        a, b = of(mat1.dtype).legacy, of(mat2.dtype).legacy
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {a} and {b}")
    _same_dtype(input, mat2)
    return _scaled(xp, input, beta, product(xp, mat1, mat2), alpha)


addmm.derivative(
    input=_input_share,
    mat1=lambda grad, mat2, alpha: _times(times_adjoint(grad, mat2), alpha),
    mat2=lambda grad, mat1, alpha: _times(adjoint_times(mat1, grad), alpha),
)


@op(inplace=True, kernel=True)
def addmv(xp, input: Array, mat: Array, vec: Array, *, beta=1, alpha=1):
    """A vector plus the product of a matrix and a vector.

    y = beta c + alpha A x            dL/dc = beta g,  dL/dA = alpha g x^H,  dL/dx = alpha A^H g

    RuntimeError for sizes and dtypes that do not fit.
    """
    if input.dtype != mat.dtype or mat.dtype != vec.dtype:
        a, b, c = (of(x.dtype).legacy for x in (input, mat, vec))
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {a}, {b}, and {c}"
        )
    return _scaled(xp, input, beta, mv(mat, vec), alpha)


addmv.derivative(
    input=_input_share,
    mat=lambda grad, vec, alpha: _times(unsqueeze(grad, 1) * unsqueeze(conj(vec), 0), alpha),
    vec=lambda grad, mat, alpha: _times(mv(adjoint(mat), grad), alpha),
)


@op(inplace=True)
def addr(xp, input: Array, vec1: Array, vec2: Array, *, beta=1, alpha=1):
    """A matrix plus the outer product of two vectors.

    y = beta C + alpha a b^T            dL/dC = beta g,  dL/da = alpha g b*,  dL/db = alpha g^T a*

    RuntimeError for sizes that do not fit.
    """
    if vec1.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(
            f"addr: Expected 1-D argument vec1 and vec2, but got {vec1.ndim}-D and {vec2.ndim}-D"
        )
    return _scaled(xp, input, beta, vec1[:, None] * vec2, alpha)


def _mv(grad, vec):
    """g a*, where the vector may be of another dtype than the matrix that it went into."""
    wanted = raw(grad).dtype
    return mv(grad, conj(vec if raw(vec).dtype == wanted else _cast(vec, wanted)))


addr.derivative(
    input=_input_share,
    vec1=lambda grad, vec2, alpha: _times(_mv(grad, vec2), alpha),
    vec2=lambda grad, vec1, alpha: _times(_mv(t(grad), vec1), alpha),
)


@op(inplace=True, kernel=True)
def baddbmm(xp, input: Array, batch1: Array, batch2: Array, *, beta=1, alpha=1):
    """A batch of matrices plus the products of two.

    y_i = beta C_i + alpha A_i B_i
    dL/dC = beta g,  dL/dA_i = alpha g_i B_i^H,  dL/dB_i = alpha A_i^H g_i

    RuntimeError for sizes and dtypes that do not fit.
    """
    check_batches(batch1, batch2)
    _same_dtype(input, batch2)
    return _scaled(xp, input, beta, product(xp, batch1, batch2), alpha)


baddbmm.derivative(
    input=_input_share,
    batch1=lambda grad, batch2, alpha: _times(bmm_adjoint(grad, batch2), alpha),
    batch2=lambda grad, batch1, alpha: _times(adjoint_bmm(batch1, grad), alpha),
)


@op(inplace=True)
def addbmm(xp, input: Array, batch1: Array, batch2: Array, *, beta=1, alpha=1):
    """A matrix plus the sum of the products of two batches of matrices.

    y = beta C + alpha sum_i A_i B_i
    dL/dC = beta g,  dL/dA_i = alpha g B_i^H,  dL/dB_i = alpha A_i^H g

    RuntimeError for sizes and dtypes that do not fit.
    """
    check_batches(batch1, batch2)
    _same_dtype(input, batch2)
    b, n, k = batch1.shape
    rows = batch1.transpose(1, 0, 2).reshape(n, b * k)
    return _scaled(xp, input, beta, mm(rows, batch2.reshape(b * k, batch2.shape[2])), alpha)


addbmm.derivative(
    input=_input_share,
    batch1=lambda grad, batch2, alpha: _times(matmul(grad, adjoint(batch2)), alpha),
    batch2=lambda grad, batch1, alpha: _times(matmul(adjoint(batch1), grad), alpha),
)


addmm.samples(
    lambda t: [
        (t(2, 4), t(2, 3), t(3, 4)),
        (t(4), t(2, 3), t(3, 4), {"beta": 0.5, "alpha": 2.0}),
        (t(1), t(2, 3), t(3, 4)),
    ]
)
addmv.samples(lambda t: [(t(2), t(2, 3), t(3)), (t(2), t(2, 3), t(3), {"beta": 0.5, "alpha": 2.0})])
addr.samples(lambda t: [(t(2, 3), t(2), t(3)), (t(3), t(2), t(3), {"beta": 0.5, "alpha": 2.0})])
baddbmm.samples(
    lambda t: [
        (t(2, 2, 4), t(2, 2, 3), t(2, 3, 4)),
        (t(2, 4), t(3, 2, 3), t(3, 3, 4), {"beta": 0.5, "alpha": 2.0}),
    ]
)
addbmm.samples(
    lambda t: [
        (t(2, 4), t(3, 2, 3), t(3, 3, 4)),
        (t(4), t(3, 2, 3), t(3, 3, 4), {"beta": 0.5, "alpha": 2.0}),
    ]
)
outer.samples(lambda t: [(t(2), t(3)), (t(0), t(3))])
inner.samples(lambda t: [(t(3), t(3)), (t(2, 3), t(4, 3)), (t(2), t())])
