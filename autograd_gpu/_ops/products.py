"""Products made of others: outer, inner, addmm and its kin, tensordot, kron, cross, matrix powers and chains."""

import math
from typing import Any

from .._core.dtype import of
from .._core.layout import normal_dim
from .declare import Array, PUBLIC, composite, op
from .helpers import conj
from .matmul import adjoint, bmm, cannot_multiply, check_batches, matmul, mm, mv, product
from .shape import _permute, _reshape, sum_to_shape, t, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "chain_matmul", "cross", "ger", "inner", "kron",
    "matrix_power", "multi_dot", "outer", "tensordot",
]  # fmt: skip


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
    """The sums of products over the last dimensions of two tensors; with a 0-d operand, the product.

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
    result = tensordot(input, other, ([-1], [-1]))
    return result if out is None else out.copy_(result)


# ---- beta input + alpha product


def _scaled(xp: Any, input: Any, beta: Any, product_: Any, alpha: Any) -> Any:
    """beta input + alpha product, where the input broadcasts; with beta 0 its NaN and inf do not count."""
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
                f"The expanded size of the tensor ({new[d]}) must match the existing size ({old[d]}) at "
                f"non-singleton dimension {len(new) + d}.  Target sizes: {list(new)}.  Tensor sizes: {list(old)}"
            )
    return RuntimeError(
        f"expand(size={list(new)}): the number of sizes provided ({len(new)}) must be greater or equal to the "
        f"number of dimensions in the tensor ({len(old)})"
    )


def _same_dtype(input: Any, factor: Any) -> None:
    if input.dtype != factor.dtype:
        a, b = of(input.dtype).legacy, of(factor.dtype).legacy
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {a} and {b}")


def _times(grad, number):
    return grad if number == 1 else grad * number


def _input_share(grad, input_shape, beta):
    """beta g, summed to the shape of what was broadcast."""
    return sum_to_shape(_times(grad, beta), tuple(input_shape))


@op(inplace=True)
def addmm(xp, input: Array, mat1: Array, mat2: Array, *, beta=1, alpha=1):
    """A matrix plus the product of two.

    y = beta C + alpha A B            dL/dC = beta g,  dL/dA = alpha g B^H,  dL/dB = alpha A^H g

    C broadcasts to (n, m) of A (n, k) and B (k, m). RuntimeError for sizes and dtypes that do not fit.
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
    mat1=lambda grad, mat2, alpha: _times(mm(grad, adjoint(mat2)), alpha),
    mat2=lambda grad, mat1, alpha: _times(mm(adjoint(mat1), grad), alpha),
)


@op(inplace=True)
def addmv(xp, input: Array, mat: Array, vec: Array, *, beta=1, alpha=1):
    """A vector plus the product of a matrix and a vector.

    y = beta c + alpha A x            dL/dc = beta g,  dL/dA = alpha g x^H,  dL/dx = alpha A^H g

    RuntimeError for sizes and dtypes that do not fit.
    """
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


addr.derivative(
    input=_input_share,
    vec1=lambda grad, vec2, alpha: _times(mv(grad, conj(vec2)), alpha),
    vec2=lambda grad, vec1, alpha: _times(mv(t(grad), conj(vec1)), alpha),
)


@op(inplace=True)
def baddbmm(xp, input: Array, batch1: Array, batch2: Array, *, beta=1, alpha=1):
    """A batch of matrices plus the products of two.

    y_i = beta C_i + alpha A_i B_i            dL/dC = beta g,  dL/dA_i = alpha g_i B_i^H,  dL/dB_i = alpha A_i^H g_i

    RuntimeError for sizes and dtypes that do not fit.
    """
    check_batches(batch1, batch2)
    _same_dtype(input, batch2)
    return _scaled(xp, input, beta, product(xp, batch1, batch2), alpha)


baddbmm.derivative(
    input=_input_share,
    batch1=lambda grad, batch2, alpha: _times(bmm(grad, adjoint(batch2)), alpha),
    batch2=lambda grad, batch1, alpha: _times(bmm(adjoint(batch1), grad), alpha),
)


@op(inplace=True)
def addbmm(xp, input: Array, batch1: Array, batch2: Array, *, beta=1, alpha=1):
    """A matrix plus the sum of the products of two batches of matrices.

    y = beta C + alpha sum_i A_i B_i            dL/dC = beta g,  dL/dA_i = alpha g B_i^H,  dL/dB_i = alpha A_i^H g

    RuntimeError for sizes and dtypes that do not fit.
    """
    check_batches(batch1, batch2)
    _same_dtype(input, batch2)
    b, n, k = batch1.shape
    rows = batch1.transpose(1, 0, 2).reshape(n, b * k)
    return _scaled(
        xp, input, beta, product(xp, rows, batch2.reshape(b * k, batch2.shape[2])), alpha
    )


addbmm.derivative(
    input=_input_share,
    batch1=lambda grad, batch2, alpha: _times(matmul(grad, adjoint(batch2)), alpha),
    batch2=lambda grad, batch1, alpha: _times(matmul(adjoint(batch1), grad), alpha),
)


# ---- tensors of any dimension


@composite(where=("",))
def tensordot(a, b, dims=2, out=None):
    """The sums of products over chosen dimensions of two tensors.

    y_ij.. = sum_k a_i..k b_k..j            dL/da = g b*,  dL/db = a* g, over the other's free dimensions

    `dims`: how many last dimensions of `a` meet how many first ones of `b`, or two lists of dimensions.
    RuntimeError where their sizes differ.
    """
    left, right = _contracted(a, b, dims)
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has "
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
    """The cross product of vectors of length 3, along `dim` (the first dimension of length 3 where it is None).

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
    """A square matrix (or a batch of them) to an integer power; a negative one is that of the inverse.

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
        from .._core.device import library
        from .._core.tensor import make

        eye = library(A._array).eye(A.shape[-1], dtype=A._array.dtype)
        return clone(make(eye).expand(A.shape))
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
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a.shape)} and {list(b.shape)} cannot be "
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
    """Where to split each product of neighbours, by dynamic programming over the number of multiplications."""
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


addmm.samples(
    lambda t: [
        (t(2, 4), t(2, 3), t(3, 4)), (t(4), t(2, 3), t(3, 4), {"beta": 0.5, "alpha": 2.0}), (t(1), t(2, 3), t(3, 4)),
    ]
)  # fmt: skip
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
