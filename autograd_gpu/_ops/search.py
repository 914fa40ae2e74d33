"""Where elements are not zero: nonzero and argwhere."""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.tensor import Tensor, make
from .declare import composite
from .helpers import raw, where_it_is

__all__ = ["argwhere", "nonzero"]


@composite(where=("", "Tensor"))
@where_it_is
def nonzero(input, *, as_tuple=False, out=None):
    """The indices of the elements that are not zero: an int64 matrix, a row an element, in
    row-major order.

    With `as_tuple`, a vector of indices for each dimension (a 0-d tensor counts as a vector of
    one), fit for `x[...]`.
    """
    if not isinstance(input, (Tensor, np.ndarray)):
        raise TypeError(
            f"nonzero(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    array = raw(input)
    xp = library(array)
    if as_tuple:
        return tuple(make(a) for a in xp.nonzero(array.reshape(1) if not array.ndim else array))
    result = _rows(xp, array)
    if out is None:
        return make(result)
    out._array = result
    return out


def _rows(xp: Any, array: Any) -> Any:
    if not array.ndim:
        return xp.zeros((int(bool(array)), 0), np.int64)
    found = xp.nonzero(array)
    result = xp.empty((len(found[0]), array.ndim), np.int64)
    for d, places in enumerate(found):
        result[:, d] = places
    return result


@composite(where=("", "Tensor"))
@where_it_is
def argwhere(input):
    """The indices of the elements that are not zero, a row an element; `nonzero` under NumPy's
    name.
    """
    return nonzero(input)


nonzero.samples(
    lambda t: [(t.bool(2, 3),), (t.int(2, 4),), (t.int(2),), (t(2, 2), {"as_tuple": True})]
)
argwhere.samples(lambda t: [(t.bool(2, 3),)])
