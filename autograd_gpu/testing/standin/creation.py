"""Functions of CuPy's that make arrays or move them, where NumPy's would not do."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import calls, streams
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
    obj: Any, dtype: Any = None, copy: bool = True, order: str = "K", subok: bool = False,
    ndmin: int = 0, *, blocking: bool = False,
) -> ndarray:  # fmt: skip
    """A new array with the values of numbers, lists, or an array of the device or the host."""
    calls.record("array", (obj,), {"dtype": dtype, "copy": copy, "order": order, "ndmin": ndmin})
    found: list[ndarray] = []
    value = calls.unwrap([obj], found, numpy_too=True)[0]
    if obj.__class__ is ndarray and obj._memory.device_id != streams.current_device():
        found, copy = [], True  # as CuPy: a copy from one device to the other
    if obj.__class__ is not ndarray and hasattr(obj, "__cuda_array_interface__"):
        raise NotImplementedError("the stand-in takes arrays of its own and of NumPy only")
    out = np.array(value, dtype, copy=None if not copy else True, order=order, ndmin=ndmin)  # type: ignore[call-overload]
    if not found and out is value or (np.shares_memory(out, value) if not found else False):
        out = out.copy()
    supported(out.dtype)
    if found:
        calls.used(found)
    return calls.wrap(out, found)


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """The array itself where it is one of the device with this dtype and order, else a new one."""
    if copy is False and a.__class__ is not ndarray:
        raise ValueError("a copy cannot be avoided")
    return array(a, dtype, copy=bool(copy), order=order or "K")


def asanyarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """`asarray`."""
    return asarray(a, dtype, order, copy=copy)


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    """The array itself where it is row-major, else a copy that is."""
    if a.__class__ is not ndarray:
        raise TypeError(f"ascontiguousarray() wants an array of the device, got {type(a).__name__}")
    if a._c_contiguous and (dtype is None or dtype == a.dtype):
        return a if a.ndim else a.reshape(1)
    out = array(a, dtype, copy=False, order="C")
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
    import autograd_gpu.testing.standin as standin

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
        get_array_module, copyto, is_available,
    )
}  # fmt: skip
