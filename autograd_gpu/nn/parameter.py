"""Parameter and Buffer: tensors that a module registers when they are assigned to it."""
from __future__ import annotations

from typing import Any, Self

from .._core.inference import share as share_inference
from .._core.state import modes
from .._core.tensor import Tensor

__all__ = ["Buffer", "Parameter", "is_lazy"]


class Parameter(Tensor):
    """A tensor that a module trains: assigned to a module's attribute it becomes one of its
    `parameters()`.

    data: the tensor whose memory the parameter shares (TypeError for anything else), by default
        an empty one.
    requires_grad: does it need a gradient? RuntimeError for integer data.
    """

    # No __slots__: programs put attributes of their own on parameters (`p.no_decay = True`).

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        return share(cls, data, requires_grad)

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        """Nothing is left to do; the signature is for readers and tools."""

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return rebuild_parameter, (type(self), self.data, self.requires_grad, dict(self.__dict__))


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not trained: assigned to an attribute it
    becomes one of the module's `buffers()`.

    data: the tensor whose memory the buffer shares (TypeError for anything else), by default an
        empty one. It needs a gradient if `data` does.
    persistent: is it part of the module's `state_dict`?
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        buffer = share(cls, data, getattr(data, "requires_grad", False))
        buffer.persistent = persistent
        return buffer

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        """Nothing is left to do; the signature is for readers and tools."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), persistent=self.persistent)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return rebuild_buffer, (type(self), self.data, self.persistent)


def is_lazy(param: Any) -> bool:
    """Is this a parameter whose shape is not known yet? There are none here: always False."""
    return False


def share(cls: type[Any], data: Any, requires_grad: bool) -> Any:
    """A tensor of class `cls`, a leaf, around the array of `data`."""
    if data is None:
        from .. import empty

        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__} expects a Tensor as its data, but got {type(data).__name__}: "
            "make one with tensor(...) first"
        )
    if requires_grad and not (data.is_floating_point() or data.is_complex()):
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients, but the "
            f"data of this {cls.__name__} is of dtype {data.dtype}"
        )
    tensor = object.__new__(cls)
    tensor._array = data._array
    tensor._edge = None
    if modes:
        share_inference(tensor, data)
    return tensor.requires_grad_(requires_grad)


def rebuild_parameter(
    cls: type[Any], data: Tensor, requires_grad: bool, attributes: dict[str, Any]
) -> Any:
    """Unpickle a parameter, with the attributes that programs put on it."""
    parameter = cls(data, requires_grad)
    parameter.__dict__.update(attributes)
    return parameter


def rebuild_buffer(cls: type[Any], data: Tensor, persistent: bool) -> Any:
    """Unpickle a buffer."""
    return cls(data, persistent=persistent)
