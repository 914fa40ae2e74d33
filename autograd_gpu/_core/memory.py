"""What a Tensor says about its memory: pointer, strides, contiguity, storage, and that it is a
plain dense one.
"""

from typing import Any

import numpy as np

from .layout import dim_error, meet, memory_of, offset, owner, strides
from .memory_format import channels_last, contiguous_format
from .tensor import Tensor

__all__ = ["UntypedStorage", "layout", "strided"]


class layout:
    """How a tensor keeps its elements: `strided`, in memory at regular distances, is the only way
    there is here.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "torch.strided"

    def __reduce__(self) -> str:
        return "strided"


strided = layout()


class UntypedStorage:
    """The bytes that a tensor and its views look at."""

    __slots__ = ("_array",)

    def __init__(self, array: Any) -> None:
        self._array = array

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return pointer(self._array)

    def nbytes(self) -> int:
        """How many bytes there are."""
        return self._array.nbytes

    size = __len__ = nbytes

    @property
    def device(self) -> Any:
        """Where the bytes are."""
        from .device import device_of

        return device_of(self._array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and other._array is self._array

    def __hash__(self) -> int:
        return id(self._array)

    def __repr__(self) -> str:
        return f"UntypedStorage({self.nbytes()} bytes on {self.device})"


def pointer(array: Any) -> int:
    """The address of the first element; 0 where there is none."""
    if not array.size:
        return 0
    return array.__array_interface__["data"][0] if isinstance(array, np.ndarray) else array.data.ptr


def data_ptr(self: Tensor) -> int:
    """The address of the first element; 0 of an empty tensor."""
    return pointer(self._array)


def _steps(array: Any) -> tuple[int, ...]:
    """Strides in elements; where rows follow each other without gaps, dimensions of length 1 count
    as PyTorch's do.
    """
    if not array.flags.c_contiguous:
        return strides(array)
    steps, step = [], 1
    for n in reversed(array.shape):
        steps.append(step)
        step *= max(n, 1)
    return tuple(reversed(steps))


def stride(self: Tensor, dim: int | None = None) -> Any:
    """The distances between neighbours in each dimension, in elements, or in one dimension.

    IndexError where there is no such dimension.
    """
    steps = _steps(self._array)
    if dim is None:
        return steps
    if not -len(steps) <= dim < len(steps):
        raise dim_error(dim, len(steps))
    return steps[dim]


def storage_offset(self: Tensor) -> int:
    """Where the first element lies in the storage, in elements."""
    return offset(self._array)


def is_contiguous(self: Tensor, memory_format: Any = contiguous_format) -> bool:
    """Do the elements lie row by row without gaps (with `channels_last`: channels innermost)?"""
    array = self._array
    if memory_format is channels_last:
        return array.ndim == 4 and bool(array.transpose(0, 2, 3, 1).flags.c_contiguous)
    return bool(array.flags.c_contiguous)


def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that this tensor and its views share."""
    return UntypedStorage(memory_of(self._array))


def get_device(self: Tensor) -> int:
    """The number of the GPU that the tensor is on; -1 on the CPU."""
    return -1 if isinstance(self._array, np.ndarray) else self._array.device.id


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Do two tensors look at the same elements of the same memory, in the same way?"""
    a, b = self._array, tensor._array
    return (
        (meet(a, b) or owner(a) is owner(b))
        and pointer(a) == pointer(b)
        and a.shape == b.shape
        and _steps(a) == _steps(b)
    )


def is_shared(self: Tensor) -> bool:
    """Is it in memory that processes share? On a GPU all is."""
    return not isinstance(self._array, np.ndarray)


def dim_order(self: Tensor) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost."""
    steps = _steps(self._array)
    return tuple(sorted(range(len(steps)), key=lambda d: -steps[d]))


def _bind() -> None:
    t: Any = Tensor
    for function in (
        data_ptr, stride, storage_offset, is_contiguous, untyped_storage, get_device, is_set_to,
        is_shared, dim_order,
    ):  # fmt: skip
        setattr(t, function.__name__, function)
    t.layout = property(lambda self: strided, doc="How the elements are kept: `strided`, always.")
    for name in ("is_sparse", "is_sparse_csr", "is_quantized", "is_meta", "is_mkldnn", "is_nested"):
        setattr(
            t,
            name,
            property(lambda self: False, doc="No tensor here is of this kind: always False."),
        )


_bind()
