"""Grids of vectors, and broadcasting of several tensors."""

import itertools
import math
import warnings

import numpy as np

from .._core.device import library
from .._core.size import Size, size_from
from .._core.tensor import make
from .declare import composite
from .errors import mismatch
from .helpers import raw, where_it_is
from .join import stack
from .rows import index_select
from .shape import _expand, _reshape

__all__ = [
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "cartesian_prod",
    "combinations",
    "meshgrid",
]


@composite(where=("",))
def meshgrid(*tensors, indexing=None):
    """The coordinates of a grid: for each vector, a view expanded over all others.

    y_k[i_1, i_2, ...] = x_k[i_k]            dL/dx_k = sum of g_k over the others

    `indexing`: "ij" (a dimension for each vector, in order) or "xy" (the first two exchanged);
    without it "ij", with a warning. RuntimeError for tensors of more than 1 dimension.
    """
    given = (
        list(tensors[0])
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list))
        else list(tensors)
    )
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing "
            "argument.",
            UserWarning,
            stacklevel=2,
        )
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    for t in given:
        if len(t.shape) > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t!r}"
            )
        if t.dtype is not given[0].dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(given) > 1
    if swap:
        given[:2] = given[1::-1]
    size = tuple(math.prod(t.shape) for t in given)
    grids = []
    for k, t in enumerate(given):
        column = _reshape(t, (1,) * k + (-1,) + (1,) * (len(given) - k - 1))
        grids.append(_expand(column, size))
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@composite(where=("",))
def cartesian_prod(*tensors):
    """All combinations of one element from each vector, a row each; of one vector, the vector
    itself.
    """
    for t in tensors:
        if len(t.shape) != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([_reshape(g, (-1,)) for g in meshgrid(*tensors, indexing="ij")], 1)


@composite(where=("", "Tensor"))
@where_it_is
def combinations(input, r=2, with_replacement=False):
    """All choices of r elements of a vector in their order, a row each; with replacement, elements
    may come again.
    """
    if len(input.shape) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return make(library(input._array).empty(0, input._array.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    places = library(raw(input)).asarray(np.asarray(rows, np.int64).reshape(len(rows), r))
    return stack([index_select(input, 0, make(places[:, k])) for k in range(r)], 1)


# ---- broadcasting of several


@composite(where=("",))
def broadcast_shapes(*shapes):
    """The shape that tensors of these shapes broadcast to. RuntimeError where they do not."""
    given = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    full: list[int] = [1] * max((len(s) for s in given), default=0)
    for k, shape in enumerate(given):
        for d in range(-1, -len(shape) - 1, -1):
            n = shape[d]
            if n < 0:
                raise RuntimeError(f"Trying to create tensor with negative dimension ({n}): ({n})")
            if n not in (1, full[d]) and full[d] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {n} at {d}! Mismatching "
                    f"argument at index {k} had {shape}; but expected shape should be "
                    f"broadcastable to {full}"
                )
            full[d] = n if full[d] == 1 else full[d]
    return Size(full)


@composite(where=("",))
def broadcast_tensors(*tensors):
    """The tensors, expanded to their common shape; views.

    dL/dx_k = sum of g_k over what was stretched
    """
    given = (
        list(tensors[0])
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list))
        else list(tensors)
    )
    shapes = [tuple(t.shape) for t in given]
    try:
        size = tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise mismatch(shapes) or RuntimeError(f"the shapes {shapes} do not broadcast") from None
    return tuple(t if tuple(t.shape) == size else _expand(t, size) for t in given)


@composite(where=("", "Tensor"))
def broadcast_to(input, *size):
    """The tensor, expanded to a size; a view. `expand` under NumPy's name."""
    return _expand(input, size_from(size, "broadcast_to"))


meshgrid.samples(
    lambda t: [(t(2), t(3), {"indexing": "ij"}), (t(2), t(3), t(), {"indexing": "xy"})]
)
cartesian_prod.samples(lambda t: [(t(2), t(3)), (t(2), t(1), t(2))])
combinations.samples(lambda t: [(t(4),), (t(3), 2, True), (t(4), 3)])
broadcast_tensors.samples(lambda t: [(t(2, 1), t(3))])
broadcast_to.samples(lambda t: [(t(3), (2, 3)), (t(2, 1), 2, 2)])
