"""The same elements in another shape: views where the memory allows it."""

import math
from typing import Any

import numpy as np

from .._core.dtype import dtype as DType
from .._core.dtype import of
from .._core.layout import normal_dim, normal_dims, owner, restride
from .._core.size import size_from
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .helpers import raw
from .view_dtype import seen_as

__all__ = ["expand", "permute", "reshape", "squeeze", "transpose", "unsqueeze", "view"]


def inferred(size: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The size with its -1 replaced. RuntimeError where it does not fit the elements there are."""
    numel = math.prod(shape)
    if -1 not in size:
        if math.prod(size) != numel or any(n < 0 for n in size):
            raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {numel}")
        return size
    if size.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in size):
        raise RuntimeError(f"invalid shape dimension {min(size)}")
    rest = -math.prod(size)
    if rest == 0 and numel == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if rest == 0 or numel % rest:
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {numel}")
    return tuple(numel // rest if n == -1 else n for n in size)


@op(view=True, where=(), node="ViewBackward0")
def _reshape(xp, input: Array, size):
    """See `reshape`."""
    return input.reshape(inferred(size, input.shape))


_reshape.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))


@op(where=(), node="UnsafeViewBackward0")
def _reshaped_copy(xp, input: Array, size):
    """See `reshape`, where the memory does not allow a view."""
    return input.reshape(inferred(size, input.shape))


@op(view=True, where=(), node="ReshapeAliasBackward0")
def _reshape_alias(xp, input: Array, size):
    """See `reshape`, where the elements do not lie row by row and yet a view is possible."""
    return input.reshape(inferred(size, input.shape))


_reshape_alias.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))
_reshaped_copy.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))


def reshaped(input: Any, size: tuple[int, ...]) -> Any:
    """`reshape` to a size that may hold a -1; the node tells views from copies, as in PyTorch."""
    array = raw(input)
    if array.flags.c_contiguous or array.__class__ is not np.ndarray:
        return _reshape(input, size)
    try:
        array.reshape(inferred(size, array.shape), copy=False)
    except ValueError:
        return _reshaped_copy(input, size)
    except TypeError:  # NumPy before 2.1 cannot say
        return _reshape(input, size)
    return _reshape_alias(input, size)


@op(view=True, where=(), node="ViewBackward0")
def _view(xp, input: Array, size):
    """See `view`."""
    try:
        out = input.reshape(size)
    except ValueError:
        out = input.reshape(inferred(size, input.shape))  # says in PyTorch's words what is wrong
    if out.base is not input and owner(out) is not owner(input) and input.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return out


_view.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))


@composite(where=("", "Tensor"))
def reshape(input, *shape):
    """The elements, row by row, in another shape; a view where the memory allows it, else a copy.

    `shape`: lengths, or one tuple of them; one may be -1. RuntimeError where the sizes differ.
    y = x            dL/dx = g, in x's shape
    """
    return reshaped(input, size_from(shape, "reshape"))


@composite(where=("Tensor",))
def view(input, *shape, dtype=None):
    """The same memory in another shape, or seen as another dtype (`view(dtype)`).

    RuntimeError where the memory does not allow it. y = x, dL/dx = g in x's shape.
    """
    if dtype is not None or len(shape) == 1 and shape[0].__class__ is DType:
        return seen_as(input, dtype or shape[0])
    return _view(input, size_from(shape, "view"))


@op(view=True)
def transpose(xp, input: Array, dim0, dim1):
    """Two dimensions exchanged; a view.            dL/dx = g, exchanged back"""
    return (
        input.swapaxes(normal_dim(dim0, input.ndim), normal_dim(dim1, input.ndim))
        if input.ndim
        else input[...]
    )


transpose.derivative(input=lambda grad, dim0, dim1: transpose(grad, dim0, dim1))


@op(view=True, where=())
def _permute(xp, input: Array, dims):
    """See `permute`."""
    return input.transpose(dims)


_permute.derivative(input=lambda grad, dims: _permute(grad, inverse(dims)))


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `dims`."""
    out = [0] * len(dims)
    for i, d in enumerate(dims):
        out[d] = i
    return tuple(out)


@composite(where=("", "Tensor"))
def permute(input, *dims):
    """The dimensions in another order; a view.            dL/dx = g, in the old order

    RuntimeError where `dims` does not name each dimension once.
    """
    order = size_from(dims, "permute")
    ndim = input.ndim
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(order)}"
        )
    order = tuple(normal_dim(d, ndim) for d in order)
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, order)


@op(view=True, node="TBackward0")
def t(xp, input: Array):
    """The transpose of a matrix; a view. A vector stays as it is. RuntimeError for more than 2
    dimensions.
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T


t.derivative(input=lambda grad: t(grad))


def mT(input):
    """The last two dimensions exchanged, of Tensors and raw arrays: `x.mT`."""
    return transpose(input, -2, -1)


def mH(input):
    """The last two dimensions exchanged, and conjugated: `x.mH`."""
    from .helpers import conj

    return conj(mT(input))


def _mT_property(self: Tensor) -> Tensor:
    """The last two dimensions exchanged; a view."""
    if self._array.ndim < 2:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. Got "
            f"{self._array.ndim}-D tensor."
        )
    return mT(self)


def _mH_property(self: Tensor) -> Tensor:
    """The last two dimensions exchanged, and conjugated."""
    if self._array.ndim < 2:
        raise RuntimeError(
            "tensor.mH is only supported on matrices or batches of matrices. Got "
            f"{self._array.ndim}-D tensor."
        )
    return mH(self)


def _T_property(self: Tensor) -> Tensor:
    """The dimensions in reverse order; a view."""
    return _permute(self, tuple(range(self._array.ndim))[::-1])


def _H_property(self: Tensor) -> Tensor:
    """The conjugate transpose of a matrix."""
    if self._array.ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D "
            "tensor."
        )
    return mH(self) if self._array.ndim else _permute(self, ())


Tensor.T, Tensor.mT = property(_T_property), property(_mT_property)  # type: ignore[attr-defined]
Tensor.H, Tensor.mH = property(_H_property), property(_mH_property)  # type: ignore[attr-defined]


@op(view=True, where=(), node="SqueezeBackward0")
def _squeeze_all(xp, input: Array):
    """See `squeeze`."""
    return input.reshape(tuple(n for n in input.shape if n != 1))


_squeeze_all.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))


@op(view=True, where=(), node="SqueezeBackward1")
def _squeeze(xp, input: Array, dims):
    """See `squeeze`."""
    return (
        input.squeeze(tuple(d for d in dims if input.shape[d] == 1)) if input.ndim else input[...]
    )


_squeeze.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))


@composite(where=("", "Tensor"))
def squeeze(input, dim=None):
    """Without dimensions of length 1: all of them, or those named in `dim`; a view.

    dL/dx = g, in x's shape
    """
    if dim is None:
        return _squeeze_all(input)
    return _squeeze(input, normal_dims(dim, input.ndim, "squeeze") if dim != () else ())


@op(view=True)
def unsqueeze(xp, input: Array, dim):
    """A dimension of length 1 put in at `dim`; a view.            dL/dx = g, without it"""
    dim = normal_dim(dim, input.ndim + 1, "unsqueeze")
    return (
        input.reshape((*input.shape[:dim], 1, *input.shape[dim:]))
        if not input.size
        else np_expand(xp, input, dim)
    )


def np_expand(xp: Any, array: Any, dim: int) -> Any:
    """`expand_dims` by indexing, which costs half as much."""
    return array[(slice(None),) * dim + (None, ...)]


unsqueeze.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))


@op(view=True, where=())
def _expand(xp, input: Array, size):
    """See `expand`."""
    return stretched(xp, input, size)


def stretched(xp: Any, array: Any, size: tuple[int, ...]) -> Any:
    """The array broadcast to `size` without a copy; writable where the array is (`np.broadcast_to`
    is not).
    """
    shape, strides = array.shape, array.strides
    lead = len(size) - len(shape)
    full, steps = list(size), [0] * len(size)
    for i, old in enumerate(shape, lead):
        wanted = size[i] if lead >= 0 else old
        if wanted == old or wanted == -1:
            full[i], steps[i] = old, strides[i - lead]
        elif old != 1 or wanted < 0:
            raise _unstretchable(array, size, i, old)
    if lead and (lead < 0 or min(size[:lead]) < 0):
        raise _unstretchable(array, size, 0, None)
    return restride(xp, array, tuple(full), tuple(steps))


def _unstretchable(array: Any, size: tuple[int, ...], dim: int, old: int | None) -> RuntimeError:
    shape = list(array.shape)
    if len(size) < len(shape):
        return RuntimeError(
            f"expand(torch.{of(array.dtype).legacy}Tensor{{{shape}}}, size={list(size)}): the "
            f"number of sizes provided ({len(size)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({len(shape)})"
        )
    if old is None:
        return RuntimeError(
            f"The expanded size of the tensor ({min(size)}) isn't allowed in a leading, "
            f"non-existing dimension {dim}"
        )
    return RuntimeError(
        f"The expanded size of the tensor ({size[dim]}) must match the existing size ({old}) at "
        f"non-singleton dimension {dim}.  Target sizes: {list(size)}.  Tensor sizes: {shape}"
    )


_expand.derivative(input=lambda grad, input_shape: sum_to_shape(grad, input_shape))


def sum_to_shape(grad, shape):
    """The sum of a gradient over what was added or stretched."""
    from ..autograd.node import sum_to

    return sum_to(grad, shape) if tuple(grad.shape) != shape else grad


@composite(where=("Tensor",))
def expand(input, *sizes):
    """Dimensions of length 1 stretched to `sizes` (-1: as it is), and new ones in front; a view
    without a copy.

    y = x, repeated            dL/dx = sum of g over what was stretched

    RuntimeError where a length is neither 1 nor the wanted one.
    """
    return _expand(input, size_from(sizes, "expand"))


def spread(grad, size, dim, keepdim):
    """Undo a reduction's shape: the gradient of a sum, for every element that was summed."""
    if not keepdim and dim is not None:
        dims = normal_dims(dim, len(size))
        grad = _reshape(grad, tuple(1 if i in dims else n for i, n in enumerate(size)))
    if isinstance(grad, Tensor):
        return _expand(grad, tuple(size))
    if math.prod(size) <= 4096 and isinstance(grad, (np.ndarray, np.generic)):
        out = np.empty(size, grad.dtype)  # a small copy is cheaper than a broadcast view
        out[...] = grad
        return out
    return (
        np.broadcast_to(grad, size) if isinstance(grad, np.generic) else _expand(grad, tuple(size))
    )


_reshape.samples(lambda t: [(t(2, 3), (3, 2)), (t(4), (2, -1)), (t(), (1,)), (t(0, 2), (0,))])
reshape.samples(lambda t: [(t(2, 3), (3, 2)), (t(4), 2, 2), (t.strided(2, 3), (6,))])
_reshape_alias.samples(lambda t: [(t.strided(2, 3), (2, 3, 1))])
_reshaped_copy.samples(lambda t: [(t(2, 3), (3, 2)), (t.strided(2, 3), (-1,))])
_view.samples(lambda t: [(t(2, 3), (3, 2))])
view.samples(lambda t: [(t(2, 3), 3, 2), (t(2, 3), (6,)), (t(4), -1, 2)])
transpose.samples(lambda t: [(t(2, 3), 0, 1), (t(2, 3, 4), -1, 0), (t(3), 0, 0)])
_permute.samples(lambda t: [(t(2, 3, 4), (2, 0, 1))])
permute.samples(lambda t: [(t(2, 3, 4), (2, 0, 1)), (t(2, 3), (1, 0)), (t(3), (-1,))])
t.samples(lambda t: [(t(2, 3),), (t(3),), (t(),)])
squeeze.samples(lambda t: [(t(1, 3, 1),), (t(1, 3, 1), 0), (t(1, 3, 1), (0, -1)), (t(2, 3), 0)])
unsqueeze.samples(lambda t: [(t(2, 3), 0), (t(2, 3), -1), (t(), 0)])
expand.samples(lambda t: [(t(2, 1), 2, 3), (t(3), (2, 3)), (t(1, 3), 4, -1), (t(), (2,))])
_expand.samples(lambda t: [(t(2, 1), (2, 3)), (t(), (2, 2))])
