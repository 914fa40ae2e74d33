"""More views: flatten, movedim, unfold, as_strided, and the in-place forms that change a tensor's
own shape.
"""

import math
import weakref
from typing import Any

from .._core.device import library
from .._core.layout import normal_dim, offset, owner, restride, strides
from .._core.size import size_from
from .._core.state import modes, recording
from .._core.tensor import Tensor, make
from ..autograd.node import AccumulateGrad
from ..autograd.saving import before_write
from ..autograd.views import edge_of, mark_written, refuse_inplace
from .declare import Array, composite, op
from .helpers import like, raw
from .index import _accumulated, _index
from .shape import _permute, _reshape, inferred, reshaped, squeeze, t, transpose, unsqueeze

__all__ = [
    "as_strided",
    "flatten",
    "moveaxis",
    "movedim",
    "ravel",
    "swapaxes",
    "swapdims",
    "unflatten",
]


@composite(where=("", "Tensor"))
def flatten(input, start_dim=0, end_dim=-1):
    """The dimensions from `start_dim` to `end_dim` made one; a view where the memory allows it,
    else a copy.

    y = x            dL/dx = g, in x's shape

    A 0-d tensor becomes a vector of one. RuntimeError where `start_dim` comes after `end_dim`.
    """
    shape = raw(input).shape
    first, last = (
        normal_dim(start_dim, len(shape), "flatten"),
        normal_dim(end_dim, len(shape), "flatten"),
    )
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return _reshape(input, (1,))
    if first == last:
        return input
    return reshaped(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@composite(where=("", "Tensor"))
def unflatten(input, dim, sizes):
    """One dimension split into several of the given lengths (one may be -1); a view.

    dL/dx = g, in x's shape

    RuntimeError where the lengths do not multiply up to the dimension.
    """
    shape = tuple(input.shape)
    dim, sizes = normal_dim(dim, len(shape), "unflatten"), size_from((sizes,), "unflatten")
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        full = inferred(sizes, shape[dim : dim + 1])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        ) from None
    return _reshape(input, (*shape[:dim], *full, *shape[dim + 1 :]))


@composite(where=("", "Tensor"))
def ravel(input):
    """All elements as a vector; a view where the memory allows it.            y = x,  dL/dx =
    g, in x's shape
    """
    return _reshape(input, (-1,))


@composite(where=("", "Tensor"))
def movedim(input, source, destination):
    """Dimensions moved to other places, the others in their order; a view.

    dL/dx = g, moved back

    `source`, `destination`: ints, or tuples of as many. RuntimeError for repeated dimensions.
    """
    ndim = len(input.shape)
    source = source if isinstance(source, (tuple, list)) else (source,)
    destination = destination if isinstance(destination, (tuple, list)) else (destination,)
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should "
            f"contain the same number of dims as destination ({list(destination)} dims)"
        )
    origin = [normal_dim(d, ndim, "movedim") for d in source]
    goal = [normal_dim(d, ndim, "movedim") for d in destination]
    for name, given, dims in (("source", source, origin), ("destination", destination, goal)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(given)})")
    order = [-1] * ndim
    for a, b in zip(origin, goal, strict=True):
        if ndim:
            order[b] = a
    rest = iter(d for d in range(ndim) if d not in origin)
    return _permute(input, tuple(next(rest) if d < 0 else d for d in order))


@composite(where=("", "Tensor"))
def moveaxis(input, source, destination):
    """`movedim` under NumPy's name."""
    return movedim(input, source, destination)


@composite(where=("", "Tensor"))
def swapaxes(input, axis0, axis1):
    """`transpose` under NumPy's name."""
    return transpose(input, axis0, axis1)


@composite(where=("", "Tensor"))
def swapdims(input, dim0, dim1):
    """`transpose` under another name."""
    return transpose(input, dim0, dim1)


# ---- windows


@op(name="_unfold", where=("Tensor",), view=True, node="UnfoldBackward0")
def unfold(xp, input: Array, dimension, size, step):
    """All windows of a length along a dimension, `step` apart, as a new last dimension; a view.

    y[i, k] = x[i step + k] (for one dimension)
    dL/dx[j] = sum of g[i, k] where i step + k = j

    RuntimeError for a window that is longer than the dimension, or a step below 1.
    """
    if not input.ndim:
        return input.reshape(1)[:size]
    dim = normal_dim(dimension, input.ndim, "unfold")
    n = input.shape[dim]
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    shape, pitch = list(input.shape), list(input.strides)
    shape[dim] = (n - size) // step + 1
    pitch[dim] *= step
    return restride(xp, input, (*shape, size), (*pitch, input.strides[dim]))


@op(where=(), node="UnfoldBackwardBackward0")
def _unfold_backward(xp, grad: Array, size, dimension, length, step):
    """Zeros of a size, with every window added where it was seen."""
    out = xp.zeros(size, grad.dtype)
    if not size:
        out[...] = grad.sum()
        return out
    dim = normal_dim(dimension, len(size))
    before = (slice(None),) * dim
    windows = grad.shape[dim]
    if windows < length:
        for i in range(windows):
            out[(*before, slice(i * step, i * step + length))] += xp.moveaxis(
                grad[(*before, i)], -1, dim
            )
    else:
        for k in range(length):
            out[(*before, slice(k, k + (windows - 1) * step + 1, step))] += grad[..., k]
    return out


unfold.derivative(
    input=lambda grad, input_shape, dimension, size, step: _unfold_backward(
        grad, input_shape, dimension, size, step
    )
)
_unfold_backward.derivative(
    grad=lambda grad, dimension, length, step: unfold(grad, dimension, length, step)
)
unfold.samples(
    lambda t: [
        (t(7), 0, 3, 2),
        (t(2, 5), -1, 2, 1),
        (t(5, 2), 0, 4, 1),
        (t(3), 0, 0, 1),
        (t(), 0, 1, 1),
    ]
)
_unfold_backward.samples(lambda t: [(t(3, 3), (7,), 0, 3, 2), (t(2, 4, 2), (2, 5), 1, 2, 1)])


@op(view=True, constants=("geometry",))
def as_strided(xp, input: Array, size, stride, storage_offset=None):
    """The memory behind a tensor, seen with other lengths and strides (in elements); a view.

    y[i, j] = memory[offset + i stride0 + j stride1]
    dL/dx = sum of g over all y that show the element

    `storage_offset`: default, the input's own. RuntimeError for elements beyond the memory, or
    negative strides.
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    start = offset(input) if storage_offset is None else storage_offset
    if any(s < 0 for s in stride):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    geometry = strides(input), offset(input)
    memory, item = owner(input), input.itemsize
    reach = (
        start + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + 1
        if 0 not in size
        else start
    )
    if reach * item > memory.nbytes or start < 0:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {start}, and "
            f"itemsize {item} requiring a storage size of {reach * item} are out of bounds for "
            f"storage of size {memory.nbytes}"
        )
    flat = memory.reshape(-1) if memory.flags.c_contiguous else memory.ravel("K")
    if flat.dtype != input.dtype:
        flat = flat.view(input.dtype)
    return restride(xp, flat[start:], size, tuple(s * item for s in stride)), geometry


def _as_strided_backward(grad, size, geometry, wanted, stride, storage_offset):
    """Add g up in the memory, then read the memory as the input does; what it shows repeatedly is
    shared evenly.
    """
    pitch, start = geometry
    begin = start if storage_offset is None else storage_offset
    xp = library(raw(grad))
    read, seen = _places(xp, size, pitch, start), _places(xp, tuple(wanted), tuple(stride), begin)
    low = min(start, begin)
    length = max(int(p.max()) if p.size else low for p in (read, seen)) - low + 1
    memory = _accumulated(grad, (length,), (seen - low,))
    counts = xp.bincount((read - low).reshape(-1), minlength=1)[read - low]
    out = _index(memory, (read - low,))
    return (
        out
        if not counts.size or counts.max() == 1
        else out / like(counts.astype(raw(out).dtype), grad)
    )


def _places(xp: Any, size: tuple, pitch: tuple, start: int) -> Any:
    out = xp.full(size, start)
    for d, (n, step) in enumerate(zip(size, pitch, strict=True)):
        out += (xp.arange(n) * step).reshape((n,) + (1,) * (len(size) - d - 1))
    return out


as_strided.derivative(
    input=lambda grad, input_shape, geometry, size, stride, storage_offset: _as_strided_backward(
        grad, input_shape, geometry, size, stride, storage_offset
    )
)
as_strided.samples(
    lambda t: [
        (t(6), (2, 2), (2, 1)),
        (t(5), (3, 3), (1, 1)),
        (t(2, 3), (4,), (1,), 1),
        (t(3), (2,), (1,), 1),
    ]
)


# ---- a tensor's own shape, changed


def _reshaped_inplace(self: Tensor, function: Any, *args: Any) -> Tensor:
    """Let this tensor become the view that `function` gives of it; views made of it before keep
    what they show.
    """
    if modes:
        before_write(self)
    edge = edge_of(self)
    if recording() and isinstance(edge, AccumulateGrad):
        refuse_inplace(self, self, [], None)
    old = make(self._array, edge)
    family = getattr(self, "_family", None)  # of an inference tensor a token, which lists nobody
    linked = getattr(self, "_view", None) is not None or family.__class__ is list and family
    if linked:  # `old` takes this tensor's place among the views of the memory
        for name in ("_view", "_family"):
            if hasattr(self, name):
                setattr(old, name, getattr(self, name))
        for ref in old._family:
            member = ref()
            if member is not None and member._view[0] is self:
                member._view = (old, *member._view[1:])
        if getattr(old, "_view", None) is not None:
            old._family.append(weakref.ref(old))
    new = function(old, *args)
    self._array = new._array
    if not isinstance(edge, AccumulateGrad):
        self._edge = new._edge
        if linked and getattr(new, "_view", None) is not None:
            self._view, self._family = new._view, new._family
            self._family.append(weakref.ref(self))
    else:
        edge.array = new._array
    mark_written(self)
    return self


def t_(self: Tensor) -> Tensor:
    """In-place form of `t`: the tensor itself becomes its transpose."""
    return _reshaped_inplace(self, t)


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """In-place form of `transpose`."""
    return _reshaped_inplace(self, transpose, dim0, dim1)


def squeeze_(self: Tensor, dim: Any = None) -> Tensor:
    """In-place form of `squeeze`."""
    return _reshaped_inplace(self, squeeze, dim)


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """In-place form of `unsqueeze`."""
    return _reshaped_inplace(self, unsqueeze, dim)


_t: Any = Tensor
_t.t_, _t.squeeze_, _t.unsqueeze_ = t_, squeeze_, unsqueeze_
_t.transpose_ = _t.swapaxes_ = _t.swapdims_ = transpose_

flatten.samples(
    lambda t: [(t(2, 3, 4),), (t(2, 3, 4), 1), (t(2, 3, 4), 0, 1), (t(),), (t.strided(2, 3),)]
)
unflatten.samples(lambda t: [(t(2, 6), 1, (2, -1)), (t(4), 0, (2, 2))])
ravel.samples(lambda t: [(t(2, 3),), (t.strided(2, 3),)])
movedim.samples(lambda t: [(t(2, 3, 4), 0, 2), (t(2, 3, 4), (0, 1), (-1, 0))])
moveaxis.samples(lambda t: [(t(2, 3, 4), 0, 2)])
swapaxes.samples(lambda t: [(t(2, 3, 4), 0, 2)])
swapdims.samples(lambda t: [(t(2, 3, 4), 0, 2)])
