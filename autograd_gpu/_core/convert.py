"""From tensors to Python: item, tolist, numpy, the number protocols, printing."""

from typing import Any

import numpy as np

from .dtype import of
from .printing import tensor_format, tensor_repr
from .state import recording
from .tensor import Tensor

__all__ = ["host_array", "item", "numpy", "tolist"]


def host_array(self: Tensor) -> Any:
    """The elements in host memory."""
    array = self._array
    return array if isinstance(array, np.ndarray) else array.get()


def item(self: Tensor) -> Any:
    """The one element as a Python number. RuntimeError where there are more, or none."""
    array = host_array(self)
    if array.size != 1:
        raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
    value = array.item()
    return value if isinstance(value, (bool, int, float, complex)) else float(value)


def tolist(self: Tensor) -> Any:
    """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
    array = host_array(self)
    return (array.astype(np.float32) if array.dtype.name == "bfloat16" else array).tolist()


def numpy(self: Tensor, *, force: bool = False) -> Any:
    """A NumPy array on the same memory: writes to one are seen in the other.

    RuntimeError for a tensor that requires grad (`detach()` first) unless recording is off,
    TypeError for bfloat16 and
    for a tensor that is not on the CPU. `force` detaches and copies to the CPU as needed.
    """
    if not force:
        if self.requires_grad and recording():  # type: ignore[attr-defined]
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        if not isinstance(self._array, np.ndarray):
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to "
                "copy the tensor to host "
                "memory first."
            )
    if of(self._array.dtype).name == "bfloat16":
        raise TypeError(
            "Got unsupported ScalarType BFloat16: convert the tensor with .float() first"
        )
    return host_array(self)[
        ...
    ]  # a view: the tensor's own array keeps its shape whatever is done to this one


def truth(self: Tensor) -> bool:
    """Is the one element other than zero? RuntimeError where there are more, or none."""
    array = self._array
    if array.size != 1:
        many = "more than one value" if array.size else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {many} is ambiguous")
    return bool(array.item())


def _number(self: Tensor, kind: str = "") -> Any:
    """The one element, for Python's number types; `kind`: a real one is asked for."""
    if self._array.size != 1:
        raise ValueError(
            "only one element tensors can be converted to Python scalars, but this one has "
            f"{self._array.size}"
        )
    value = item(self)
    if kind and isinstance(value, complex):
        if value.imag:
            raise RuntimeError(
                f"value cannot be converted to type {kind} without overflow: {value} is complex"
            )
        return value.real
    return value


def index(self: Tensor) -> int:
    """The one element as an index. TypeError unless it is an integer or a bool."""
    if self._array.dtype.kind not in "biu" or self._array.size != 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self._array.item())


def _bind() -> None:
    t: Any = Tensor
    t.item, t.tolist, t.numpy = item, tolist, numpy
    t.__bool__, t.__index__ = truth, index
    t.__int__ = lambda self: int(_number(self, "int64_t"))
    t.__float__ = lambda self: float(_number(self, "double"))
    t.__complex__ = lambda self: complex(_number(self))
    t.__repr__ = lambda self, *, tensor_contents=None: tensor_repr(self)
    t.__str__ = lambda self: repr(self)
    t.__format__ = tensor_format


_bind()
