"""How an array's elements lie in memory: strides in elements, contiguity, shared memory, overlap,
dimension numbers."""

from pickle import PickleBuffer
from typing import Any

import numpy as np

from .library import LIBRARIES

__all__ = [
    "contiguous",
    "dim_error",
    "lend",
    "meet",
    "memory_of",
    "memory_order",
    "normal_dim",
    "normal_dims",
    "offset",
    "overlaps",
    "owner",
    "restride",
    "strides",
]


def owner(array: Any) -> Any:
    """The array whose memory this one looks at: itself, or the last array in its chain of bases."""
    kind = array.__class__
    base = array.base
    while base.__class__ is kind:
        array, base = base, base.base
    return array


def lend(array: Any) -> Any:
    """The same memory as an array that is an owner of its own: writes to one are not counted for
    the other.
    """
    whole = array if array.base is None else owner(array)
    if whole.__class__ is not np.ndarray:
        made = whole.__class__(whole.shape, whole.dtype, whole.data, whole.strides)
    elif whole.flags.forc:
        lender = whole if whole.base is None else memory_of(whole)  # no chain of loans
        data: Any = lender.ravel("K").view(np.uint8) if lender.dtype.kind == "V" else lender
        loan: Any = PickleBuffer(data)
        made = np.ndarray(whole.shape, whole.dtype, loan, 0, whole.strides)
    else:
        return array  # memory with gaps, which was not made here
    if array is whole:
        return made
    flat = made.reshape(-1) if made.flags.c_contiguous else made.ravel("K")
    return restride(LIBRARIES[array.__class__], flat[offset(array) :], array.shape, array.strides)


def memory_of(array: Any) -> Any:
    """The owner of an array, or where that was lent, the array that it was lent from."""
    whole = owner(array)
    while whole.base.__class__ is PickleBuffer:
        lender: Any = memoryview(whole.base).obj
        whole = lender if lender.base is None else owner(lender)
    return whole


def meet(a: Any, b: Any) -> bool:
    """Might two arrays have an element in common? Says yes where their extents overlap."""
    if a.__class__ is np.ndarray and b.__class__ is np.ndarray:
        return np.may_share_memory(a, b)
    return a.__class__ is b.__class__ and a.data.mem is b.data.mem


def strides(array: Any) -> tuple[int, ...]:
    """Strides in elements, as PyTorch counts them."""
    item = array.itemsize
    return tuple(s // item for s in array.strides)


def offset(array: Any) -> int:
    """Where the first element lies in the owner's memory, in elements."""

    def start(a: Any) -> int:
        return a.__array_interface__["data"][0] if isinstance(a, np.ndarray) else a.data.ptr

    return (start(array) - start(owner(array))) // array.itemsize if array.size else 0


def memory_order(array: Any) -> tuple[int, ...] | None:
    """The dimensions from the slowest in memory to the fastest; None where that is their own
    order."""
    if array.flags.c_contiguous:
        return None
    return tuple(sorted(range(array.ndim), key=lambda d: -abs(array.strides[d])))


def restride(xp: Any, array: Any, size: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """A view with other lengths and strides (in bytes) that begins where `array` does. Stays within
    the memory."""
    if xp is np:  # a tenth of the time of as_strided, and the bounds are checked
        memory = array if array.flags.forc else owner(array)
        try:
            start = 0 if memory is array else _address(array) - _address(memory)
            out = np.ndarray(size, array.dtype, memory, start, steps)
        except (ValueError, TypeError):
            pass  # memory with gaps, or a type that cannot be lent as a buffer
        else:
            if not array.flags.writeable:
                out.flags.writeable = False
            return out
    return xp.lib.stride_tricks.as_strided(array, size, steps)


def _address(array: Any) -> int:
    return array.__array_interface__["data"][0]


def contiguous(array: Any) -> bool:
    """Row after row without gaps?"""
    return bool(array.flags.c_contiguous)


def overlaps(array: Any) -> bool:
    """Do two indices reach one element (an expanded tensor)? Exact where strides nest, as those
    of all views but as_strided do; else it may say yes for no."""
    if array.size < 2:
        return False
    reach = array.itemsize
    for stride, n in sorted(
        (s, n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1
    ):
        if stride < reach:
            return True
        reach += stride * (n - 1)
    return False


def dim_error(dim: int, ndim: int) -> IndexError:
    """PyTorch's IndexError for a dimension that is not there."""
    n = max(ndim, 1)
    return IndexError(
        f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
    )


def normal_dim(dim: Any, ndim: int, op: str = "") -> int:
    """`dim` counted from the front. IndexError where it is out of range, TypeError where it is no
    integer."""
    if dim.__class__ is not int:
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise TypeError(f"{op}(): argument 'dim' must be int, not {type(dim).__name__}")
        dim = dim.__index__()
    n = ndim or 1
    if not -n <= dim < n:
        raise dim_error(dim, ndim)
    return dim + n if dim < 0 else dim


def normal_dims(dim: Any, ndim: int, op: str = "") -> tuple[int, ...]:
    """Dimensions counted from the front, each once; None and () mean all. RuntimeError for a
    repeated one."""
    if dim is None or dim == () or dim == []:
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        return (normal_dim(dim, ndim, op),) if ndim or dim not in (0, -1) else ()
    dims = tuple(normal_dim(d, ndim, op) for d in dim)
    if len(set(dims)) != len(dims):
        repeated = next(d for d in dims if dims.count(d) > 1)
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    return dims if ndim else ()
