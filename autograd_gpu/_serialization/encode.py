"""Writing plain values and tensors as a pickle of protocol 2, with the names that PyTorch reads.

Python's own Pickler cannot be used: it writes a global only after importing it, and the names in
these files (`torch FloatStorage`) are another package's. This encoder knows the types below and no
other, so that what it writes can also be read by a reader that runs no code. It works on a list of
pending steps instead of recursing: nesting is bounded by memory alone.
"""

from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.device import device
from .._core.dtype import dtype
from .._core.size import Size
from .._core.tensor import Tensor
from ..nn.parameter import Buffer, Parameter
from .numpy_values import CODES
from .storages import SavedStorages

__all__ = ["Encoder"]


class _Global(str):
    """`module name`, written as a GLOBAL."""

    __slots__ = ()


class _Reduce(tuple[Any, ...]):
    """(global, arguments): written as a call."""

    __slots__ = ()


class Encoder:
    """`encode(obj)` gives the pickle; the storages it refers to collect in `storages`."""

    def __init__(self, storages: SavedStorages) -> None:
        self.storages = storages
        self._out = bytearray()
        self._todo: list[tuple[Callable[[Any], None], Any]] = []
        self._memo: dict[Any, int] = {}
        self._keep: list[Any] = []  # memoised by id, so they must live
        self._open: set[int] = set()

    def encode(self, obj: Any) -> bytes:
        """The pickle of an object.

        Raises:
            pickle.PicklingError: the object holds something of a type that is not saved.
        """
        self._out += b"\x80\x02"
        self._todo.append((self._value, obj))
        while self._todo:
            step, argument = self._todo.pop()
            step(argument)
        return bytes(self._out + b".")

    # ---- steps

    def _then(self, *steps: tuple[Callable[[Any], None], Any]) -> None:
        self._todo.extend(reversed(steps))

    def _emit(self, opcodes: bytes) -> None:
        self._out += opcodes

    def _put(self, obj: Any) -> None:
        """What was just written can be referred to from now on."""
        key: Any = obj if isinstance(obj, str) else id(obj)
        self._open.discard(id(obj))
        if not isinstance(obj, str):
            self._keep.append(obj)
        index = self._memo[(type(obj) is _Global, key)] = len(self._memo)
        self._out += b"q%c" % index if index < 256 else b"r" + struct.pack("<I", index)

    def _recall(self, key: Any) -> bool:
        index = self._memo.get(key)
        if index is None:
            return False
        self._out += b"h%c" % index if index < 256 else b"j" + struct.pack("<I", index)
        return True

    def _value(self, obj: Any) -> None:
        write = _WRITERS.get(type(obj))
        if write is None:
            write = _writer_of_unlisted(obj)
        if write not in _UNSHARED and self._recall((False, id(obj))):
            return
        write(self, obj)

    # ---- numbers and text

    def _none(self, obj: None) -> None:
        self._out += b"N"

    def _bool(self, obj: bool) -> None:
        self._out += b"\x88" if obj else b"\x89"

    def _int(self, obj: int) -> None:
        if -(2**31) <= obj < 2**31:
            small = b"K%c" % obj if 0 <= obj < 256 else None
            medium = b"M" + struct.pack("<H", obj) if 0 <= obj < 65536 else None
            self._out += small or medium or b"J" + struct.pack("<i", obj)
            return
        data = pickle.encode_long(obj)
        size = len(data)
        self._out += b"\x8a%c" % size if size < 256 else b"\x8b" + struct.pack("<i", size)
        self._out += data

    def _float(self, obj: float) -> None:
        self._out += b"G" + struct.pack(">d", obj)

    def _str(self, obj: str) -> None:
        if self._recall((False, obj)):
            return
        data = obj.encode("utf-8", "surrogatepass")
        if len(data) >= 2**32:
            raise pickle.PicklingError("save: a str of 4 GiB or more cannot be saved")
        self._out += b"X" + struct.pack("<I", len(data)) + data
        self._put(obj)

    def _global(self, obj: _Global) -> None:
        if not self._recall((True, obj)):
            self._out += b"c" + "\n".join(obj.split(" ")).encode() + b"\n"
            self._put(obj)

    def _call(self, obj: _Reduce) -> None:
        """A call that is not shared: what it gives is new at every place."""
        name, arguments = obj
        self._then((self._global, name), (self._items, arguments), (self._emit, b"R"))

    def _shared_call(self, obj: Any, name: str, *arguments: Any) -> None:
        self._then((self._call, _Reduce((_Global(name), arguments))), (self._put, obj))

    def _complex(self, obj: complex) -> None:
        self._call(_Reduce((_Global("__builtin__ complex"), (obj.real, obj.imag))))

    def _bytes(self, obj: bytes) -> None:
        self._shared_call(obj, "_codecs encode", obj.decode("latin1"), "latin1")

    def _bytearray(self, obj: bytearray) -> None:
        self._shared_call(obj, "__builtin__ bytearray", obj.decode("latin1"), "latin-1")

    # ---- containers

    def _list(self, obj: list[Any]) -> None:
        self._out += b"]"
        self._put(obj)
        if obj:
            self._then((self._emit, b"("), *((self._value, v) for v in obj), (self._emit, b"e"))

    def _tuple(self, obj: tuple[Any, ...]) -> None:
        if not obj:
            self._out += b")"
            return
        if id(obj) in self._open:
            raise pickle.PicklingError("save: a tuple that contains itself cannot be saved")
        self._open.add(id(obj))
        self._then((self._items, obj), (self._put, obj))

    def _items(self, obj: tuple[Any, ...]) -> None:
        """The items and the opcode that makes a tuple of them."""
        count = len(obj)
        end = (b")", b"\x85", b"\x86", b"\x87")[count] if count < 4 else b"t"
        begin = b"" if count < 4 else b"("
        self._then((self._emit, begin), *((self._value, v) for v in obj), (self._emit, end))

    def _dict(self, obj: dict[Any, Any]) -> None:
        self._out += b"}"
        self._put(obj)
        self._then(*self._pairs(obj))

    def _pairs(self, obj: dict[Any, Any]) -> list[tuple[Callable[[Any], None], Any]]:
        steps = [(self._value, part) for pair in obj.items() for part in pair]
        return [(self._emit, b"("), *steps, (self._emit, b"u")] if steps else []

    def _ordered_dict(self, obj: OrderedDict[Any, Any]) -> None:
        build = [(self._value, vars(obj)), (self._emit, b"b")] if vars(obj) else []
        new = _Reduce((_Global("collections OrderedDict"), ()))
        self._then((self._call, new), (self._put, obj), *self._pairs(obj), *build)

    def _counter(self, obj: Counter[Any]) -> None:
        self._shared_call(obj, "collections Counter", dict(obj))

    def _set(self, obj: set[Any]) -> None:
        self._shared_call(obj, "__builtin__ set", list(obj))

    def _frozenset(self, obj: frozenset[Any]) -> None:
        self._shared_call(obj, "__builtin__ frozenset", list(obj))

    # ---- the library's own

    def _size(self, obj: Size) -> None:
        self._shared_call(obj, "torch Size", tuple(obj))

    def _dtype(self, obj: dtype) -> None:
        self._global(_Global(f"torch {obj.name}"))

    def _device(self, obj: device) -> None:
        index = () if obj.index is None else (obj.index,)
        self._shared_call(obj, "torch device", obj.type, *index)

    def _parameter(self, obj: Any) -> None:
        state = vars(obj)
        name = "_rebuild_parameter" + ("_with_state" if state else "")
        self._then(
            (self._global, _Global(f"torch._utils {name}")),
            (self._emit, b"("),
            (self._raw_tensor, (obj, False)),
            (self._bool, obj.requires_grad),
            (self._call, _Reduce((_Global("collections OrderedDict"), ()))),
            *([(self._value, state)] if state else []),
            (self._emit, b"tR"),
            (self._put, obj),
        )

    def _tensor(self, obj: Any) -> None:
        self._then((self._raw_tensor, (obj, obj.requires_grad)), (self._put, obj))

    def _raw_tensor(self, what: tuple[Tensor, bool]) -> None:
        obj, requires_grad = what
        array = obj._array
        place = self.storages.place(array)
        self._then(
            (self._global, _Global("torch._utils _rebuild_tensor_v2")),
            (self._emit, b"(("),
            (self._str, "storage"),
            (self._global, _Global(f"torch {place.type_name}")),
            (self._str, place.key),
            (self._str, place.location),
            (self._int, place.numel),
            (self._emit, b"tQ"),
            (self._int, place.offset),
            (self._items, tuple(array.shape)),
            (self._items, place.strides),
            (self._bool, requires_grad),
            (self._call, _Reduce((_Global("collections OrderedDict"), ()))),
            (self._emit, b"tR"),
        )

    # ---- NumPy's

    def _numpy_dtype(self, kind: np.dtype) -> None:
        self._then(
            (self._call, _Reduce((_Global("numpy dtype"), (kind.str[1:], False, True)))),
            (self._items, (3, kind.str[0], None, None, None, -1, -1, 0)),
            (self._emit, b"b"),
        )

    def _numpy_scalar(self, obj: np.generic) -> None:
        data = obj.tobytes()
        self._then(
            (self._global, _Global("numpy._core.multiarray scalar")),
            (self._numpy_dtype, obj.dtype),
            (self._bytes, data),
            (self._emit, b"\x86R"),
            (self._put, obj),
        )

    def _ndarray(self, obj: np.ndarray) -> None:
        data = obj.tobytes()
        blank = (_Global("numpy ndarray"), (0,), b"b")
        self._then(
            (self._call, _Reduce((_Global("numpy._core.multiarray _reconstruct"), blank))),
            (self._put, obj),
            (self._emit, b"("),
            (self._int, 1),
            (self._items, obj.shape),
            (self._numpy_dtype, obj.dtype),
            (self._bool, False),
            (self._bytes, data),
            (self._emit, b"tb"),
        )


_WRITERS: dict[type, Callable[[Encoder, Any], None]] = {
    type(None): Encoder._none,
    bool: Encoder._bool,
    int: Encoder._int,
    float: Encoder._float,
    complex: Encoder._complex,
    str: Encoder._str,
    _Global: Encoder._global,
    bytes: Encoder._bytes,
    bytearray: Encoder._bytearray,
    list: Encoder._list,
    tuple: Encoder._tuple,
    dict: Encoder._dict,
    OrderedDict: Encoder._ordered_dict,
    Counter: Encoder._counter,
    set: Encoder._set,
    frozenset: Encoder._frozenset,
    Size: Encoder._size,
    dtype: Encoder._dtype,
    device: Encoder._device,
    Tensor: Encoder._tensor,
    Buffer: Encoder._tensor,
    Parameter: Encoder._parameter,
}
_UNSHARED = {
    Encoder._none, Encoder._bool, Encoder._int, Encoder._float, Encoder._complex, Encoder._str,
    Encoder._global, Encoder._dtype,
}  # fmt: skip


def _writer_of_unlisted(obj: Any) -> Callable[[Encoder, Any], None]:
    if isinstance(obj, (np.generic, np.ndarray)) and obj.dtype.str[1:] in CODES:
        if isinstance(obj, np.generic):
            return Encoder._numpy_scalar
        if type(obj) is np.ndarray:
            return Encoder._ndarray
    kind = f"{type(obj).__module__}.{type(obj).__qualname__}"
    hint = ""
    if hasattr(obj, "state_dict"):
        hint = "; save its state_dict() instead, and load it with load_state_dict"
    raise pickle.PicklingError(
        f"save: cannot save an object of class {kind}; saved are tensors, Parameters, None, bool, "
        "int, float, complex, str, bytes, bytearray, list, tuple, dict, OrderedDict, Counter, "
        f"set, frozenset, Size, dtype, device, and NumPy's numbers and numeric arrays{hint}"
    )
