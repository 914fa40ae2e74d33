"""Functions of CuPy's that make arrays or move them, where NumPy's would not do."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import calls, dlpack, memory, streams
from .arrays import BFLOAT16, fresh, ndarray, supported

__all__ = ["CREATION", "asnumpy", "poison"]


def poison(shape: Any, dtype: Any = float, order: str = "C") -> np.ndarray:
    """A new host array full of values that should never be read: NaN, -1, True."""
    out = np.empty(shape, supported(dtype), order)  # type: ignore[call-overload]
    if out.dtype.kind in "fc" or out.dtype.name == BFLOAT16:
        out.fill(np.nan)
    elif out.dtype.kind == "b":
        out.fill(True)
    elif out.dtype.kind in "iu":
        out.fill(-1 if out.dtype.kind == "i" else np.iinfo(out.dtype).max)
    return out


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """A new array without values: reading them gives what nobody would have written."""
    calls.record("empty", (shape, dtype, order), {})
    return fresh(poison(shape, dtype, order))


def empty_like(
    prototype: ndarray, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None
) -> ndarray:
    """A new array like another, without values."""
    calls.record("empty_like", (prototype,), {"dtype": dtype, "order": order, "shape": shape})
    found: list[ndarray] = []
    like = np.empty_like(calls.unwrap([prototype], found)[0], dtype, order, False, shape)  # type: ignore[call-overload]
    out = poison(like.nbytes // max(1, like.itemsize), like.dtype)
    return fresh(np.lib.stride_tricks.as_strided(out, like.shape, like.strides))


def array(
    obj: Any, dtype: Any = None, copy: bool | None = True, order: str = "K", subok: bool = False,
    ndmin: int = 0, *, blocking: bool = False,
) -> ndarray:  # fmt: skip
    """A new array with the values of numbers, lists, or an array of the device or the host.
    `copy`: None for one only where it is needed, False for never (ValueError where it is)."""
    calls.record("array", (obj,), {"dtype": dtype, "copy": copy, "order": order, "ndmin": ndmin})
    return _made(obj, dtype, copy, order, ndmin)


def _made(obj: Any, dtype: Any, copy: bool | None, order: str | None, ndmin: int = 0) -> ndarray:
    if obj.__class__ is not ndarray and hasattr(obj, "__cuda_array_interface__"):
        obj = _foreign(obj.__cuda_array_interface__)
    found: list[ndarray] = []
    value = calls.unwrap([obj], found, numpy_too=True)[0]
    if copy is False and not found:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    if copy is None and not found:
        copy = True  # from the host
    out = np.array(value, dtype, copy=copy, order=order or "K", ndmin=ndmin)  # type: ignore[call-overload]
    supported(out.dtype)
    if found and found[0].device.id != streams.current_device():
        return fresh(np.array(value, dtype, copy=True))  # CuPy copies from device to device
    if found:
        calls.used(found)
    return calls.wrap(out, found)


def _foreign(interface: dict[str, Any]) -> ndarray:
    """An array of another library by its `__cuda_array_interface__`, on the same memory."""
    dtype, shape = np.dtype(interface["typestr"]), interface["shape"]
    strides = interface.get("strides")
    reach = sum((n - 1) * s for n, s in zip(shape, strides or (), strict=False) if s > 0)
    size = reach + dtype.itemsize if strides else math.prod(shape) * dtype.itemsize
    place = memory.MemoryPointer(memory.UnownedMemory(interface["data"][0], size, interface), 0)
    return ndarray(shape, dtype, place, strides)


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """The array itself where it is one of the device with this dtype and order, else a new one."""
    calls.record("asarray", (a,), {"dtype": dtype, "order": order, "copy": copy})
    return _made(a, dtype, copy, order)


def asanyarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """`asarray`."""
    return asarray(a, dtype, order, copy=copy)


def from_dlpack(array: Any, *, device: Any = None, copy: bool | None = None) -> ndarray:
    """An array on the memory of another one, by its DLPack capsule. BufferError for memory of the
    host."""
    kind, number = array.__dlpack_device__()
    if kind != dlpack.CUDA:
        raise BufferError(f"from_dlpack() takes memory of a CUDA device, not of kind {kind}")
    host = dlpack.imported(array.__dlpack__())
    size = host.nbytes
    first = host.__array_interface__["data"][0]
    place = memory.MemoryPointer(memory.UnownedMemory(first, size, host, number), 0)
    out = ndarray.__new__(ndarray)
    out._host, out._memory, out.base = host, place.mem, None
    return out.copy() if copy else out


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    """The array itself where it is row-major, else a copy that is."""
    if a.__class__ is not ndarray:
        raise TypeError(f"ascontiguousarray() wants an array of the device, got {type(a).__name__}")
    if a._c_contiguous and (dtype is None or dtype == a.dtype):
        return a if a.ndim else a.reshape(1)
    calls.record("ascontiguousarray", (a, dtype), {})
    out = _made(a, dtype, None, "C")
    return out if out.ndim else out.reshape(1)


def asnumpy(
    a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True
) -> np.ndarray:
    """A copy on the host."""
    if a.__class__ is ndarray:
        return a.get(stream=stream, order=order, out=out, blocking=blocking)
    return np.array(a, order=order) if out is None else _copied(out, a)  # type: ignore[call-overload]


def _copied(out: np.ndarray, a: Any) -> np.ndarray:
    out[...] = a
    return out


def broadcast_to(array: ndarray, shape: Any) -> ndarray:
    """A view with dimensions of stride 0."""
    return calls.call("broadcast_to", np.broadcast_to, (array, shape), {})


def get_array_module(*args: Any) -> Any:
    """The stand-in where an argument is an array of its own, else NumPy."""
    from .. import standin

    return standin if any(a.__class__ is ndarray for a in args) else np


def copyto(dst: ndarray, src: Any, casting: str = "same_kind", where: Any = None) -> None:
    """Write the values of an array or a number into an array."""
    named = {"casting": casting} | ({} if where is None else {"where": where})
    calls.call("copyto", np.copyto, (dst, src), named)


def is_available() -> bool:
    """Is there a device: always."""
    return streams.DEVICES > 0


CREATION: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        empty, empty_like, array, asarray, asanyarray, ascontiguousarray, asnumpy, broadcast_to,
        get_array_module, copyto, is_available, from_dlpack,
    )
}  # fmt: skip
