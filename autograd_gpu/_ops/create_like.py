"""Making tensors as others are: `*_like`, and the `new_*` methods."""

from typing import Any

from .._core.device import as_device, at, device_of, guard, library, on
from .._core.dtype import numpy_of
from .._core.tensor import Tensor
from .create import empty, fill_array, finish, full, ones, tensor, zeros
from .declare import composite
from .element import element

__all__ = ["empty_like", "full_like", "like_array", "ones_like", "zeros_like"]


def like_array(input: Tensor, dtype: Any) -> Any:
    """An array as the input's: its shape, and its order in memory where it is dense."""
    wanted = input._array.dtype if dtype is None else numpy_of(dtype)
    with guard(input._array):
        return library(input._array).empty_like(input._array, wanted)


def _like(input: Tensor, value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    source = device_of(input._array)
    place = source if device is None else as_device(device)
    with at(place):
        if place == source:
            array = like_array(input, dtype)
        else:
            wanted = input._array.dtype if dtype is None else numpy_of(dtype)
            array = on(place).empty(input._array.shape, wanted)
        if value is not None:
            fill_array(array, element(array.dtype, value))
    return finish(array, place, requires_grad)


@composite(where=("",))
def empty_like(input, *, dtype=None, device=None, requires_grad=False, memory_format=None):
    """A tensor of the input's size, dtype and device, with anything in it."""
    return _like(input, None, dtype, device, requires_grad)


@composite(where=("",))
def zeros_like(input, *, dtype=None, device=None, requires_grad=False, memory_format=None):
    """Zeros in the input's size, dtype and device."""
    return _like(input, 0, dtype, device, requires_grad)


@composite(where=("",))
def ones_like(input, *, dtype=None, device=None, requires_grad=False, memory_format=None):
    """Ones in the input's size, dtype and device."""
    return _like(input, 1, dtype, device, requires_grad)


@composite(where=("",))
def full_like(
    input, fill_value, *, dtype=None, device=None, requires_grad=False, memory_format=None
):
    """One number in the input's size, dtype and device."""
    return _like(input, fill_value, dtype, device, requires_grad)


def _new(name: str, maker: Any) -> None:
    def method(self, *size, dtype=None, device=None, requires_grad=False):
        return maker(
            *size,
            dtype=dtype or self.dtype,
            device=device or self.device,
            requires_grad=requires_grad,
        )

    method.__name__ = method.__qualname__ = name
    method.__doc__ = (
        f"As `{maker.__name__}`, in this tensor's dtype and on its device unless others are given."
    )
    setattr(Tensor, name, method)


_new("new_empty", empty)
_new("new_zeros", zeros)
_new("new_ones", ones)


def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """As `full`, in this tensor's dtype and on its device unless others are given."""
    return full(
        size,
        fill_value,
        dtype=dtype or self.dtype,
        device=device or self.device,
        requires_grad=requires_grad,
    )


def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """As `tensor`, in this tensor's dtype and on its device unless others are given."""
    return tensor(
        data, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad
    )


Tensor.new_full, Tensor.new_tensor = new_full, new_tensor  # type: ignore[attr-defined]
