"""Arrays of the stand-in device: an array of NumPy that nothing but the stand-in can reach."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import memory, streams

__all__ = ["Flags", "fresh", "ndarray", "root_of", "supported", "view_of", "writable"]

_KINDS = frozenset("?bhilqBHILQefdFD")
BFLOAT16 = "bfloat16"


def supported(dtype: Any) -> np.dtype:
    """A dtype that a device array can have. ValueError for any other."""
    out = np.dtype(dtype)
    known = out.char in _KINDS or out.name == BFLOAT16 or (out.kind == "V" and out.names)
    if not known or not out.isnative:
        raise ValueError(f"Unsupported dtype {out}")
    return out


class Flags:
    """What is known of an array's layout; also by index, `flags["C_CONTIGUOUS"]`."""

    __slots__ = ("c_contiguous", "f_contiguous", "owndata")

    def __init__(self, c_contiguous: bool, f_contiguous: bool, owndata: bool) -> None:
        self.c_contiguous, self.f_contiguous = c_contiguous, f_contiguous
        self.owndata = owndata

    @property
    def fnc(self) -> bool:
        """Column-major and not row-major."""
        return self.f_contiguous and not self.c_contiguous

    @property
    def forc(self) -> bool:
        """Either."""
        return self.f_contiguous or self.c_contiguous

    def __getitem__(self, name: str) -> bool:
        known = {"C_CONTIGUOUS": self.c_contiguous, "F_CONTIGUOUS": self.f_contiguous}
        known["OWNDATA"] = self.owndata
        if name not in known:
            raise KeyError(f"{name} is not defined for cupy.ndarray.flags")
        return known[name]

    def __repr__(self) -> str:
        return (
            f"  C_CONTIGUOUS : {self.c_contiguous}\n  F_CONTIGUOUS : {self.f_contiguous}\n"
            f"  OWNDATA : {self.owndata}"
        )


class ndarray:
    """An array on the stand-in device: `ndarray(shape, dtype, memptr, strides, order)`.

    It refuses to become an array of NumPy (`get()` copies it), and to meet one in an operation.
    Methods and operators come from methods.py and operators.py.
    """

    __slots__ = ("__weakref__", "_host", "_memory", "base")
    __array_priority__ = 100
    _host: np.ndarray
    _memory: memory.BaseMemory
    base: "ndarray | None"

    def __init__(
        self, shape: Any, dtype: Any = float, memptr: Any = None, strides: Any = None,
        order: str | None = "C",
    ) -> None:  # fmt: skip
        shape = (int(shape),) if hasattr(shape, "__index__") else tuple(map(int, shape))
        dtype = supported(dtype)
        if any(n < 0 for n in shape):
            raise ValueError("Negative dimensions are not allowed")
        if strides is not None and memptr is None:
            raise ValueError("memptr is required if strides is given.")
        if memptr is None:
            memptr = memory.alloc(math.prod(shape) * dtype.itemsize)
        if strides is None or 0 in shape:
            host = _at(memptr, math.prod(shape) * dtype.itemsize).view(dtype)
            host = host.reshape(shape, order=order or "C")
        else:
            low = sum(min(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True))
            high = sum(max(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True))
            size = high - low + dtype.itemsize if math.prod(shape) else 0
            whole = _at(memptr + low, size)
            host = np.ndarray(shape, dtype, whole, -low, strides)
        self._host, self._memory, self.base = host, memptr.mem, None

    if TYPE_CHECKING:  # what methods.py and operators.py give it

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, key: Any) -> "ndarray": ...

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""
        return self._host.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        view = self._host.view()
        view.shape = shape
        self._host = view

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next, of each dimension."""
        return self._host.strides

    @property
    def dtype(self) -> np.dtype:
        """The type of elements."""
        return self._host.dtype

    @property
    def ndim(self) -> int:
        """How many dimensions."""
        return self._host.ndim

    @property
    def size(self) -> int:
        """How many elements."""
        return self._host.size

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self._host.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._host.nbytes

    @property
    def flags(self) -> Flags:
        """Its layout."""
        flags = self._host.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, self.base is None)

    @property
    def _c_contiguous(self) -> bool:
        return self._host.flags.c_contiguous

    @property
    def _f_contiguous(self) -> bool:
        return self._host.flags.f_contiguous

    @property
    def data(self) -> memory.MemoryPointer:
        """Where its first element lies."""
        owner = self._memory
        first = self._host.__array_interface__["data"][0]
        return memory.MemoryPointer(owner, first - owner.ptr if owner.size else 0)

    @property
    def device(self) -> streams.Device:
        """Where it lies."""
        return streams.Device(self._memory.device_id)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        stream = streams.get_current_stream().ptr or 1
        return {
            "shape": self.shape, "typestr": self.dtype.str, "descr": self.dtype.descr,
            "stream": stream, "version": 3,
            "strides": None if self._c_contiguous else self.strides,
            "data": (self.data.ptr if self.size else 0, False),
        }  # fmt: skip

    def __len__(self) -> int:
        if not self._host.ndim:
            raise TypeError("len() of unsized object")
        return self._host.shape[0]

    def __bool__(self) -> bool:
        if self._host.size == 0:
            raise ValueError("The truth value of an empty array is ambiguous")
        return bool(self._host)

    def __int__(self) -> int:
        return int(self._host)

    def __float__(self) -> float:
        return float(self._host)

    def __complex__(self) -> complex:
        return complex(self._host)

    def __repr__(self) -> str:
        return repr(self._host)

    def __str__(self) -> str:
        return str(self._host)

    def __format__(self, spec: str) -> str:
        return format(self._host, spec)

    __hash__ = None  # type: ignore[assignment]


def _at(pointer: memory.MemoryPointer, size: int) -> np.ndarray:
    """The bytes from a pointer on, as a part of the memory's own host array."""
    whole = pointer.mem.root
    if whole.flags.forc:
        flat = whole.reshape(-1, order="A").view(np.uint8)
        return flat[pointer.offset : pointer.offset + size]
    return pointer.bytes(size)


def root_of(host: np.ndarray) -> np.ndarray:
    """The array that owns the memory of a host array."""
    while True:
        base = host.base
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # as_strided puts a bare holder between
            if not isinstance(base, np.ndarray):
                return host
        host = base


class _Holder:
    """Memory by its address, and the array that keeps it."""

    def __init__(self, interface: dict[str, Any], base: np.ndarray) -> None:
        self.__array_interface__, self.base = interface, base


def writable(host: np.ndarray) -> np.ndarray:
    """The same memory, where NumPy would let nobody write."""
    interface = dict(host.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    return np.asarray(_Holder(interface, host)).view(host.dtype)


def fresh(host: np.ndarray) -> ndarray:
    """A new array on the current device, which takes over the memory of a host array."""
    dtype = host.dtype
    if dtype.char not in _KINDS or not dtype.isnative:
        supported(dtype)
    out = ndarray.__new__(ndarray)
    out._host, out.base = host, None
    out._memory = memory.Memory(root_of(host), streams.current_device())
    return out


def view_of(array: ndarray, host: np.ndarray) -> ndarray:
    """An array that shares the memory of another."""
    if 0 in host.strides or not host.flags.writeable:  # asking of a broadcast array warns
        host = writable(host)
    out = ndarray.__new__(ndarray)
    out._host, out._memory = host, array._memory
    out.base = array if array.base is None else array.base
    return out
