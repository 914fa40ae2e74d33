"""Tensor: an array and its place in a graph. No mathematics: the table of ops binds the verbs from
above."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .device import device, device_of
from .dtype import dtype, of
from .inference import mark
from .size import Size
from .state import modes

__all__ = ["Tensor", "as_array", "make", "new"]

new = object.__new__


class Tensor:
    """An array with a place in a graph.

    `_array` is NumPy's (or CuPy's) array. `_edge` is where a gradient of this tensor goes: the node
    that made it, the AccumulateGrad of a leaf, or None. Most code gets its tensors from functions
    (`tensor`, `zeros`, `x + y`).

    There is no `__getattr__` here, on purpose: it would switch off CPython's specialised slot reads
    (0.11 us an op on
    3.11). Rare slots are simply unset. A view that a write has made stale has its `_edge` deleted:
    the AttributeError on its next use leads to general code, which replays the view on the new
    base.
    """

    __slots__ = ("__weakref__", "_array", "_edge", "_family", "_grad", "_view")
    __hash__ = object.__hash__

    _array: Any
    _edge: Any
    if TYPE_CHECKING:  # the verbs are bound from above; `__init__.pyi` tells users their types

        def __getattr__(self, name: str) -> Any: ...

        def __add__(self, other: Any) -> Any: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __matmul__ = __pow__ = __mod__ = __floordiv__ = __and__ = __or__ = __xor__ = __add__
        __lt__ = __le__ = __gt__ = __ge__ = __add__

        def __neg__(self) -> Any: ...

        __invert__ = __neg__

        def __getitem__(self, key: Any) -> Any: ...

        def __setitem__(self, key: Any, value: Any) -> None: ...

    @property
    def shape(self) -> Size:
        """The lengths of the dimensions."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return of(self._array.dtype)

    @property
    def device(self) -> device:
        """Where the elements are."""
        return device_of(self._array)

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        """Bytes an element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.size * self._array.itemsize

    @property
    def is_cuda(self) -> bool:
        """Is it on a GPU?"""
        return not isinstance(self._array, np.ndarray)

    @property
    def is_cpu(self) -> bool:
        """Is it in host memory?"""
        return isinstance(self._array, np.ndarray)

    def dim(self) -> int:
        """How many dimensions there are."""
        return self._array.ndim

    ndimension = dim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension. IndexError where there is no such
        dimension."""
        if dim is None:
            return Size(self._array.shape)
        n = self._array.ndim
        if not -max(n, 1) <= dim < max(n, 1) or n == 0:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-max(n, 1)}, "
                f"{max(n, 1) - 1}], but got {dim})"
                if n else "Dimension specified as 0 but tensor has no dimensions"
            )  # fmt: skip
        return self._array.shape[dim]

    def numel(self) -> int:
        """How many elements there are."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes an element."""
        return self._array.itemsize

    def is_floating_point(self) -> bool:
        """Is the dtype float16, bfloat16, float32 or float64?"""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Is the dtype complex64 or complex128?"""
        return self.dtype.is_complex

    def is_signed(self) -> bool:
        """Can the dtype hold negative numbers?"""
        return self.dtype.is_signed

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]


def make(array: Any, edge: Any = None) -> Tensor:
    """A Tensor around an array, without `__init__` and without a copy."""
    out = new(Tensor)
    out._array = array
    out._edge = edge
    if modes:
        mark(out)
    return out


def as_array(value: Any) -> Any:
    """NumPy turns 0-d results into scalars: back to an array."""
    return np.asarray(value) if isinstance(value, np.generic) else value
