"""Largest and smallest elements, and where they are."""

from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.layout import normal_dim, normal_dims
from .._core.tensor import Tensor
from .along import selected
from .arithmetic import maximum, minimum
from .declare import Array, composite, op
from .helpers import like, raw
from .returns import result_type
from .select import masked_fill
from .shape import spread
from .summing import extreme

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]


def refuse_empty(name: str, shape: tuple[int, ...], dims: Any) -> None:
    """PyTorch's errors for the largest of no elements. `dims`: None for all."""
    if dims is None:
        if 0 in shape:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
                "the reduction dim with the 'dim' argument."
            )
        return
    for d in dims:
        if shape and shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def refuse_complex(name: str, array: Any) -> None:
    """NotImplementedError for complex numbers, which have no order."""
    if array.dtype.kind == "c":
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(array.dtype).legacy}'")


# ---- over several dimensions, ties share


def _over(xp: Any, name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    refuse_complex(f"{name[1:]}_values_cpu", input)
    dims = normal_dims(dim, input.ndim, name)
    if not input.size:
        refuse_empty(name, input.shape, None if dim in (None, (), []) else dims)
    return extreme(xp, name == "amax", input, dims, keepdim)


@op(kernel=True)
def amax(xp, input: Array, dim=(), keepdim=False):
    """The largest over `dim` (an int, a tuple of ints; all by default); NaN where there is one.

    y = max x            dL/dx = g / k where x = y, 0 elsewhere            k: how many are

    NotImplementedError for complex numbers; RuntimeError or IndexError over no elements.
    """
    return _over(xp, "amax", input, dim, keepdim)


@op(kernel=True)
def amin(xp, input: Array, dim=(), keepdim=False):
    """The smallest over `dim` (an int, a tuple of ints; all by default); NaN where there is one.

    y = min x            dL/dx = g / k where x = y, 0 elsewhere            k: how many are

    NotImplementedError for complex numbers; RuntimeError or IndexError over no elements.
    """
    return _over(xp, "amin", input, dim, keepdim)


for _f in (amax, amin):
    _f.derivative(input=lambda grad, input, out, dim, keepdim: tied(grad, input, out, dim, keepdim))


def tied(grad, input, out, dim, keepdim):
    """g in equal parts for all elements of a lane that equal its result; NaN where none does."""
    array = raw(input)
    size = array.shape
    ties = array == spread(raw(out), size, dim, keepdim)
    n = ties.sum(normal_dims(dim, len(size)), keepdims=True).astype(raw(grad).dtype)
    return masked_fill(spread(grad, size, dim, keepdim), like(~ties, grad), 0) / like(n, grad)


def evenly(grad, input, out):
    """g in equal parts for all elements that equal the result of a whole tensor; NaN equals NaN
    here.
    """
    array, result = raw(input), raw(out)
    ties = array == result
    if result != result:
        ties = array != array
    n = int(ties.sum()) or 1
    return masked_fill(spread(grad / n, array.shape, None, False), like(~ties, grad), 0)


# ---- max and min


def _whole(xp: Any, name: str, input: Any) -> Any:
    refuse_complex(f"{name}_all", input)
    if not input.size:
        refuse_empty(name, input.shape, None)
    return extreme(xp, name == "max", input, None)


def _of_lanes(xp: Any, name: str, input: Any, dim: Any, keepdim: bool) -> tuple[Any, Any]:
    """The extreme of each lane, and the first place where it is."""
    if input.dtype.kind == "c":
        raise RuntimeError(f"{name}(): does not support complex input")
    ndim = input.ndim
    dim = normal_dim(dim, ndim, name)
    if not ndim:
        return input.copy(), xp.zeros((), np.int64)
    if not input.shape[dim]:
        refuse_empty(name, input.shape, (dim,))
    index = (input.argmax if name == "max" else input.argmin)(dim, keepdims=keepdim)
    n = input.shape[dim]
    if dim == ndim - 1 and n <= 256 and input.flags.c_contiguous and index.ndim:
        # NumPy loops over short rows; it has done so once, for the index.
        flat = index.reshape(-1) + xp.arange(0, input.size, n)
        return input.reshape(-1)[flat].reshape(index.shape), index
    return extreme(xp, name == "max", input, dim, keepdim), index


@op(where=(), node="MaxBackward1")
def _max_all(xp, input: Array):
    """See `max`."""
    return _whole(xp, "max", input)


@op(where=(), node="MinBackward1")
def _min_all(xp, input: Array):
    """See `min`."""
    return _whole(xp, "min", input)


@op(
    where=(),
    node="MaxBackward0",
    outputs=("values", "indices"),
    result=result_type("max", "values", "indices"),
)
def _max(xp, input: Array, dim, keepdim=False):
    """See `max`."""
    return _of_lanes(xp, "max", input, dim, keepdim)


@op(
    where=(),
    node="MinBackward0",
    outputs=("values", "indices"),
    result=result_type("min", "values", "indices"),
)
def _min(xp, input: Array, dim, keepdim=False):
    """See `min`."""
    return _of_lanes(xp, "min", input, dim, keepdim)


for _f in (_max_all, _min_all):
    _f.derivative(input=lambda grad, input, out: evenly(grad, input, out))
for _f in (_max, _min):
    _f.derivative(
        input=lambda grad, indices, input_shape, dim, keepdim: selected(
            grad, indices, input_shape, normal_dim(dim, len(input_shape)), keepdim
        )
    )


@composite(where=("", "Tensor"))
def max(input, dim=None, keepdim=False, *, other=None, out=None):
    """The largest: of all elements, along one dimension with the places, or of two tensors
    elementwise.

    `max(x)`: y = max x            dL/dx = g / k where x = y, 0 elsewhere            k: how many are
    `max(x, dim, keepdim)`: a tuple (values, indices)
    dL/dx = g at the first index, 0 elsewhere
    `max(x, other)`: `maximum(x, other)`

    NaN where there is one. RuntimeError or IndexError over no elements, and for complex numbers.
    """
    if dim is None and other is None:
        return _max_all(input, out=out)
    if other is not None or isinstance(dim, Tensor):
        return maximum(input, dim if other is None else other, out=out)
    return _max(input, dim, keepdim, out=out)


@composite(where=("", "Tensor"))
def min(input, dim=None, keepdim=False, *, other=None, out=None):
    """The smallest: of all elements, along one dimension with the places, or of two tensors
    elementwise.

    `min(x)`: y = min x            dL/dx = g / k where x = y, 0 elsewhere            k: how many are
    `min(x, dim, keepdim)`: a tuple (values, indices)
    dL/dx = g at the first index, 0 elsewhere
    `min(x, other)`: `minimum(x, other)`

    NaN where there is one. RuntimeError or IndexError over no elements, and for complex numbers.
    """
    if dim is None and other is None:
        return _min_all(input, out=out)
    if other is not None or isinstance(dim, Tensor):
        return minimum(input, dim if other is None else other, out=out)
    return _min(input, dim, keepdim, out=out)


@op(outputs=("min", "max"), relays=("min", "max"), result=result_type("aminmax", "min", "max"))
def aminmax(xp, input: Array, *, dim=None, keepdim=False):
    """The smallest and the largest over all elements, or along one dimension: a tuple (min, max).

    dL/dx = g / k where x equals the result, 0 elsewhere            k: how many do

    NaN where there is one. RuntimeError over no elements, and for complex numbers.
    """
    refuse_complex("aminmax_cpu", input)
    if dim is not None:
        dim = (normal_dim(dim, input.ndim, "aminmax"),) if input.ndim else None
    if not input.size:
        if dim is None:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has "
                "no identity."
            )
        refuse_empty("aminmax", input.shape, dim)
    return tuple(extreme(xp, largest, input, dim, keepdim) for largest in (False, True))


aminmax.derivative(
    input=lambda grad_min, grad_max, input, min, max, dim, keepdim: (
        tied(grad_min, input, min, dim, keepdim) + tied(grad_max, input, max, dim, keepdim)
    )
)


# ---- places


def _place(name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    kind = input.dtype.kind
    if kind in "bc":
        raise RuntimeError(
            f"{name}(): does not support {'bool' if kind == 'b' else 'complex'} input"
        )
    if dim is not None:
        dim = normal_dim(dim, input.ndim, name)
    if not input.size:
        if dim is None:
            raise IndexError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
            )
        refuse_empty(name, input.shape, (dim,))
    return (input.argmax if name == "argmax" else input.argmin)(
        dim if input.ndim else None, keepdims=keepdim
    )


@op()
def argmax(xp, input: Array, dim=None, keepdim=False):
    """The index of the largest element, of all (counted row by row) or along `dim`: int64, the
    first of several.

    A NaN is larger than anything. Not differentiable. RuntimeError for bools and complex numbers,
    IndexError over no elements.
    """
    return _place("argmax", input, dim, keepdim)


@op()
def argmin(xp, input: Array, dim=None, keepdim=False):
    """The index of the smallest element, of all (counted row by row) or along `dim`: int64, the
    first of several.

    A NaN is smaller than anything. Not differentiable. RuntimeError for bools and complex numbers,
    IndexError over no elements.
    """
    return _place("argmin", input, dim, keepdim)


for _f in (amax, amin):
    _f.samples(
        lambda t: [
            (t(3),),
            (t(2, 3, 4), 1),
            (t(2, 3, 4), (0, -1), True),
            (t.strided(3, 4), 0),
            (t(),),
        ]
    )
for _f in (_max_all, _min_all):
    _f.samples(lambda t: [(t(3),), (t(2, 3),), (t.strided(3, 4),), (t(),)])
for _f in (_max, _min):
    _f.samples(
        lambda t: [
            (t(2, 3, 4), 1),
            (t(2, 3), -1, True),
            (t(), 0),
            (t.strided(3, 4), 0),
            (t(300, 2), 0),
        ]
    )
for _f in (argmax, argmin):
    _f.samples(
        lambda t: [(t(3),), (t(2, 3, 4), 1), (t(2, 3), -1, True), (t(), 0), (t.strided(3, 4), 0)]
    )
for _f in (max, min):
    _f.samples(lambda t: [(t(2, 3),), (t(2, 3), 1), (t(2, 3), 0, True), (t(2, 3), t(3))])
aminmax.samples(
    lambda t: [
        (t(2, 3),),
        (t(2, 3), {"dim": 1}),
        (t.strided(3, 4), {"dim": 0, "keepdim": True}),
        (t(),),
    ]
)
