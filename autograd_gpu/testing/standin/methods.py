"""Methods of the stand-in's arrays: NumPy's, with CuPy's parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import calls, creation, dlpack, functions, indexing, streams
from .arrays import fresh, ndarray, supported, view_of
from .imitated import COMPUTED
from .rules import KEEP_ORDER
from .surface import array_members, parsed

__all__ = ["attach"]

# Methods that NumPy's arrays have under the same name and with the same meaning.
_AS_NUMPY = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "byteswap", "choose", "clip",
    "compress", "conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "fill",
    "flatten", "max", "mean", "min", "nonzero", "partition", "prod", "ptp", "put", "ravel",
    "repeat", "reshape", "round", "searchsorted", "sort", "squeeze", "std", "sum", "swapaxes",
    "take", "trace", "transpose", "var",
)  # fmt: skip


_SCATTERS = {"scatter_add": "add", "scatter_max": "maximum", "scatter_min": "minimum"}


def _method(name: str, own: Callable[..., Any] | None) -> Callable[..., Any]:
    text = array_members()[name]
    assert text is not None
    full = "ndarray." + name
    parameters = parsed(full, f"a, {text}".removesuffix(", "))
    compute, packed = COMPUTED.get(full) or own, full not in KEEP_ORDER
    assert compute is not None, name

    def run(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        parameters.check((self, *args), kwargs)
        return calls.call(full, compute, (self, *args), kwargs, packed=packed)

    run.__name__, run.__qualname__ = name, "ndarray." + name
    run.__doc__ = f"`numpy.ndarray.{name}` with CuPy's parameters: ({text})."
    return run


def get(
    self: ndarray, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True
) -> np.ndarray:
    """A copy on the host, from whichever device."""
    calls.record("ndarray.get", (self,), {"order": order})
    with streams.Device(self.device.id):
        calls.used([self])
    if out is not None:
        if not isinstance(out, np.ndarray) or out.dtype != self.dtype or out.shape != self.shape:
            raise TypeError("Only numpy.ndarray of the same dtype and shape can be obtained from")
        out[...] = self._host
        return out
    return np.array(self._host, order="F" if order == "F" else "C")


def set(self: ndarray, arr: Any, stream: Any = None) -> None:
    """Take over the values of an array of NumPy's of the same shape and dtype."""
    calls.record("ndarray.set", (self, arr), {})
    if not isinstance(arr, np.ndarray):
        raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
    if self.dtype != arr.dtype:
        raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
    if self.shape != arr.shape:
        raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
    if not (self._c_contiguous or self._f_contiguous):
        raise RuntimeError("Cannot set to non-contiguous array")
    calls.used([self])
    self._host[...] = arr


def astype(
    self: ndarray, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None,
    copy: bool = True,
) -> ndarray:  # fmt: skip
    """The values as another type."""
    if casting is not None or subok is not None:
        raise TypeError("astype: casting and subok are not supported")
    dtype = supported(dtype)

    def compute(host: np.ndarray) -> np.ndarray:
        return host.astype(dtype, order=order, copy=copy)  # type: ignore[call-overload]

    calls.record("ndarray.astype", (self, dtype), {"order": order, "copy": copy})
    return calls.call("", compute, (self,), {})


def view(self: ndarray, dtype: Any = None, type: Any = None) -> ndarray:
    """The same memory read as another type."""
    if type is not None:
        raise NotImplementedError("the stand-in has no subclasses of ndarray")
    calls.record("ndarray.view", (self, dtype), {})
    host = self._host.view() if dtype is None else self._host.view(supported(dtype))
    return view_of(self, host)


def item(self: ndarray) -> Any:
    """The only element as a Python number."""
    calls.record("ndarray.item", (self,), {})
    if self.size != 1:
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    return self._host.item()


def tolist(self: ndarray) -> Any:
    """Nested lists of Python numbers."""
    calls.record("ndarray.tolist", (self,), {})
    return self._host.tolist()


def tobytes(self: ndarray, order: str = "C") -> bytes:
    """The bytes of the elements in order."""
    return self._host.tobytes(order)  # type: ignore[arg-type]


def reduced_view(self: ndarray, dtype: Any = None) -> ndarray:
    """A view with as few dimensions as the strides allow."""
    return self.reshape(-1) if self._c_contiguous else self.view()


def _scatter(name: str, function: str) -> Callable[..., None]:
    def run(self: ndarray, slices: Any, value: Any) -> None:
        functions.attribute("", function).at(self, slices, value)

    run.__name__, run.__doc__ = name, f"`cupy.{function}.at`, which is to be called instead."
    return run


def _part(name: str) -> property:
    def read(self: ndarray) -> ndarray:
        return calls.call("ndarray." + name, lambda h: getattr(h, name), (self,), {})

    def write(self: ndarray, value: Any) -> None:
        getattr(self, name)[...] = value

    return property(read, write, doc=f"The {name} part: a view of a complex array.")


def _transposed(self: ndarray) -> ndarray:
    return self if self.ndim < 2 else view_of(self, self._host.T)


def _matrices(self: ndarray) -> ndarray:
    if self.ndim < 2:
        raise ValueError("matrix transpose with ndim < 2 is undefined")
    return view_of(self, self._host.swapaxes(-1, -2))


def _iterate(self: ndarray) -> Any:
    if not self.ndim:
        raise TypeError("iteration over a 0-d array")
    return (self[k] for k in range(len(self)))


def _deepcopy(self: ndarray, memo: Any) -> ndarray:
    return fresh(self._host.copy())


def _reduce(self: ndarray) -> Any:
    return creation.array, (self._host.copy(),)


def _dlpack(
    self: ndarray, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
    copy: bool | None = None,
) -> Any:  # fmt: skip
    """A DLPack capsule on the array's memory."""
    options = {} if max_version is None else {"max_version": max_version}
    host = self._host.copy() if copy else self._host
    return dlpack.exported(host, self._memory.device_id, options)


def _dlpack_device(self: ndarray) -> tuple[int, int]:
    """(2, the device's number): 2 is CUDA."""
    return dlpack.CUDA, self._memory.device_id


def _pass(self: ndarray, obj: Any) -> None:
    """CuPy's hook for subclasses, of which there are none here."""


def attach() -> None:
    """Give the class its methods."""
    for name in _AS_NUMPY:
        setattr(ndarray, name, _method(name, getattr(np.ndarray, name, None)))
    for member in (get, set, astype, view, item, tolist, tobytes, reduced_view):
        setattr(ndarray, member.__name__, member)
    for name, function in _SCATTERS.items():
        setattr(ndarray, name, _scatter(name, function))
    for name in ("real", "imag"):
        setattr(ndarray, name, _part(name))
    special: dict[str, Any] = {
        "T": property(_transposed), "mT": property(_matrices), "__iter__": _iterate,
        "__getitem__": indexing.get, "__setitem__": indexing.put, "__deepcopy__": _deepcopy,
        "__copy__": lambda self: self.copy(), "__reduce__": _reduce, "__dlpack__": _dlpack,
        "__dlpack_device__": _dlpack_device, "__array_finalize__": _pass,
    }  # fmt: skip
    for name, value in special.items():
        setattr(ndarray, name, value)
