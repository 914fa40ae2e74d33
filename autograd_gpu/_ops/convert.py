"""Conversions: dtype and device, copies, and writing one tensor into another."""

from typing import Any

import numpy as np

from .._core.device import cuda as cuda_of
from .._core.device import device as Device
from .._core.device import device_of, move
from .._core.dtype import dtype as DType
from .._core.dtype import numpy_of
from .._core.state import modes, state
from .._core.tensor import Tensor, make
from ..autograd.views import mark_written
from .declare import Array, composite, op
from .element import element
from .helpers import no_gradient
from .reduce import _sum_all

__all__ = ["clone", "to"]


@op(kernel="cast", where=(), node="ToCopyBackward0")
def _cast(xp, input: Array, dtype):
    """The elements as another NumPy dtype.            dL/dx = g, in x's dtype"""
    if input.dtype.kind == "c" and np.dtype(dtype).kind != "c":
        input = input.real
    if input.dtype.kind == "f" and np.dtype(dtype).kind == "u":
        return input.astype(np.int64).astype(dtype)  # C leaves negative floats to unsigned open
    return input.astype(dtype)


_cast.derivative(input=lambda grad, input_dtype: _cast(grad, input_dtype))


@op(kernel=True)
def clone(xp, input: Array, *, memory_format=None):
    """A copy with a history of its own.            y = x,  dL/dx = g"""
    return input.copy(order="K") if xp is np else input.copy()


clone.derivative(input=lambda grad: grad)


@op(where=(), node="CloneBackward0")
def _clone_in(xp, input: Array, order):
    """A copy whose dimensions lie in memory in the given order, the slowest first; None: row by
    row."""
    if order is None:
        return copied_into(xp.empty(input.shape, input.dtype), input)
    out = xp.empty([input.shape[d] for d in order], input.dtype).transpose(
        [order.index(d) for d in range(input.ndim)]
    )
    return copied_into(out, input)


@composite(kernel="copy_into")
def copied_into(target, source):
    """Raw arrays: write one, broadcast and converted, into another; that one."""
    target[...] = source
    return target


@composite(kernel="fill_into")
def filled_with(target, value):
    """A raw array: write a number everywhere; that array."""
    target[...] = value
    return target


_clone_in.derivative(input=lambda grad: grad)
_clone_in.samples(lambda t: [(t(2, 3, 4), (2, 0, 1)), (t.strided(2, 3), None)])


@op(where=(), node="CopyBackwards")
def copy(xp, input: Array, source: Array, non_blocking=False):
    """`source`, broadcast to the input's shape and in its dtype; `copy_` writes it.

    dL/dsource = g
    """
    out = xp.empty_like(input)
    _write(xp, out, source)
    return out


copy.derivative(input=no_gradient, source=lambda grad: grad)


@copy.write
def _(xp, input, source, non_blocking=False):
    _write(xp, input, source)


write_over = copy.op.inplace_method("copy_")


def _write(xp: Any, target: Any, source: Any) -> None:
    if source.dtype.kind == "c" and target.dtype.kind != "c":
        source = source.real
    if source.ndim > target.ndim:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(source.shape)}"
        )
    try:
        copied_into(target, source)
    except ValueError:
        raise _mismatch(source, target) from None


def _mismatch(source: Any, target: Any) -> RuntimeError:
    from .errors import mismatch

    return mismatch([target.shape, source.shape]) or RuntimeError(
        f"The expanded size of the tensor {list(target.shape)} must match the existing size "
        f"{list(source.shape)}"
    )


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write `src`, broadcast and cast, into this tensor, and return it.

    dL/dsrc = g,  dL/dself = 0            they may be on different devices
    """
    if not isinstance(src, (Tensor, np.ndarray)):
        raise TypeError(
            f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}"
        )
    if isinstance(src, Tensor) and (
        state.several_devices or src._array.__class__ is not self._array.__class__
    ):
        src = on_device(src, device_of(self._array), non_blocking)
    return write_over(self, src, non_blocking)


@op(kernel=True, inplace=True, where=(), uniform=True)
def fill(xp, input: Array, value: Array | float):
    """The input's shape filled with one number (or a 0-d Tensor).

    dL/dx = 0,  dL/dvalue = sum g
    """
    if getattr(value, "ndim", 0):
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} "
            "dimensions."
        )
    return xp.full_like(input, _one(input.dtype, value))


fill.derivative(input=no_gradient, value=lambda grad: _sum_all(grad))


@fill.write
def _(xp, input, value):
    if getattr(value, "ndim", 0):
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} "
            "dimensions."
        )
    filled_with(input, _one(input.dtype, value))


def _one(dtype: Any, value: Any) -> Any:
    return value if hasattr(value, "dtype") else element(dtype, value)


def zero_(self: Tensor) -> Tensor:
    """Write zeros into this tensor, and return it."""
    array = self._array
    if array.__class__ is np.ndarray and getattr(self, "_edge", self) is None and not modes:
        array.fill(0)
        mark_written(self)
        return self
    return self.fill_(0)  # type: ignore[attr-defined]


@op(where=(), node="ToCopyBackward0")
def _to_device(xp, input: Array, source, place, non_blocking=False):
    """A copy on another device; the gradient is copied back to `source`."""
    return move(input, place, non_blocking)


_to_device.derivative(input=lambda grad, source, place: _to_device(grad, place, source))
_to_device.samples(lambda t: [])


def on_device(input: Tensor, place: Device, non_blocking: bool = False) -> Tensor:
    """The tensor on a device: itself where it lies there already. "cuda" is the current device."""
    source = device_of(input._array)
    if place.type == "cuda" and place.index is None:
        place = Device("cuda", cuda_of(place).current_device())
    return input if place == source else _to_device(input, source, place, non_blocking)


def to(
    self: Tensor, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """The tensor in another dtype, on another device, or both; itself where nothing changes (unless
    `copy`).

    `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)`.
        dL/dx = g, in x's dtype and on its device
    """
    for arg in args:
        if isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif (
            isinstance(arg, (str, Device))
            or isinstance(arg, int)
            and not isinstance(arg, bool)
            and device is None
        ):
            device = arg
        elif isinstance(arg, DType) or arg in (float, int, bool, complex):
            dtype = arg
        elif arg is not None and not isinstance(arg, bool):
            raise TypeError(
                f"to() received an invalid argument of type {type(arg).__name__}: {arg!r}"
            )
    out = self
    if device is not None:
        out = on_device(self, Device(device), non_blocking)
    if dtype is not None:
        wanted = numpy_of(dtype)
        if wanted != self._array.dtype:
            out = _cast(make(out._array) if wanted.kind in "biu" else out, wanted)
    return clone(self) if copy and out is self else out


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type (`torch.FloatTensor`), or the tensor in another dtype."""
    if dtype is None:
        return f"torch.{'cuda.' if self.is_cuda else ''}{self.dtype.legacy}Tensor"
    if isinstance(dtype, str):
        from .._core.dtype import BY_NAME

        found = [d for d in BY_NAME.values() if dtype == f"torch.{d.legacy}Tensor"]
        if not found:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = found[0]
    return to(self, dtype)


def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor in host memory; itself if it is there."""
    return to(self, "cpu")


def cuda(
    self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None
) -> Tensor:
    """The tensor on a CUDA device. RuntimeError that says why where there is none."""
    return to(self, device or "cuda")


_CASTS = {
    "bfloat16": "bfloat16", "bool": "bool", "byte": "uint8", "cdouble": "complex128",
    "cfloat": "complex64", "char": "int8", "double": "float64", "float": "float32",
    "half": "float16", "int": "int32", "long": "int64", "short": "int16",
}  # fmt: skip


def _bind() -> None:
    t: Any = Tensor
    t.to, t.type, t.copy_, t.zero_ = to, type_, copy_, zero_
    for method, name in _CASTS.items():
        setattr(t, method, _caster(method, name))
    t.cpu, t.cuda = cpu, cuda


def _caster(method: str, name: str) -> Any:
    def cast(self: Tensor, memory_format: Any = None) -> Tensor:
        from .._core.dtype import _by_name

        return to(self, _by_name(name))

    cast.__name__ = cast.__qualname__ = method
    cast.__doc__ = f"The tensor as {name}; itself if it is."
    return cast


_bind()


clone.samples(lambda t: [(t(2, 3),), (t(),), (t(0),)])
fill.samples(lambda t: [(t(2, 3), 1.5), (t(2), t())])
copy.samples(lambda t: [(t(2, 3), t(3)), (t(2), t(2))])
