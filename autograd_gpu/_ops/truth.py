"""Is any, are all, how many are not zero."""

from typing import Any

import numpy as np

from .._core.layout import normal_dims
from .declare import Array, op

__all__ = ["all", "any", "count_nonzero"]


def _axes(input: Any, dim: Any, name: str) -> Any:
    """None for all dimensions; an empty tuple stands for none, as in PyTorch."""
    if dim is None or not input.ndim and dim in ((), []):
        return None
    return () if dim in ((), []) else normal_dims(dim, input.ndim, name)


@op()
def any(xp, input: Array, dim=None, keepdim=False):
    """Is any element not 0: of all, or over `dim` (an int or a tuple of ints; () reduces nothing)?

    Bool; uint8 for uint8. NaN is not 0. False over no elements. Not differentiable.
    """
    out = xp.logical_or.reduce(input, _axes(input, dim, "any"), None, None, keepdim)
    return out.astype(input.dtype) if input.dtype.char == "B" else out


@op()
def all(xp, input: Array, dim=None, keepdim=False):
    """Are all elements not 0: of all, or over `dim` (an int or a tuple of ints; () reduces
    nothing)?

    Bool; uint8 for uint8. NaN is not 0. True over no elements. Not differentiable.
    """
    out = xp.logical_and.reduce(input, _axes(input, dim, "all"), None, None, keepdim)
    return out.astype(input.dtype) if input.dtype.char == "B" else out


@op()
def count_nonzero(xp, input: Array, dim=None):
    """How many elements are not 0: of all, or over `dim` (an int or a tuple of ints). int64; not
    differentiable.
    """
    if dim is None and xp is np:
        return np.asarray(np.count_nonzero(input))
    return xp.add.reduce(input != 0, normal_dims(dim, input.ndim, "count_nonzero"), np.int64)


for _f in (any, all, count_nonzero):
    _f.samples(
        lambda t: [
            (t(3),),
            (t.bool(2, 3, 4), 1),
            (t.int(2, 2, 3, 4), (0, -1)),
            (t(),),
            (t.strided(3, 4), 0),
        ]
    )
