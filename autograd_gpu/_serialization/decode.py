"""A reader of pickles that cannot run code: it knows few opcodes, and calls only what it is given.

Python's Unpickler with a guarded `find_class` is not enough: its BUILD opcode sets attributes of
whatever lies on the stack. Here every opcode is spelled out, work and memory are bounded by the
length of the pickle, and nesting needs no recursion.
"""

from __future__ import annotations

import pickle
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import brief, refusal
from .numpy_values import NumpyDtype, fill_array

__all__ = ["Callee", "Decoder"]

_INT_HASH = 2**61 - 1  # Python's hash of an int below this is the int
_SAME_HASH = 100


class Callee:
    """Something that a pickle may name and call; `build(args, spend)` does it."""

    __slots__ = ("build", "name")

    def __init__(self, name: str, build: Callable[[tuple[Any, ...], Callable[[int], None]], Any]):
        self.name, self.build = name, build


class Decoder:
    """Reads one pickle.

    Args:
        data: the pickle.
        find: from the `module.name` of a global to a `Callee` or a value; raises for others.
        storage_of: from a persistent id to what it stands for.
    """

    def __init__(
        self, data: bytes, find: Callable[[str], Any], storage_of: Callable[[Any], Any]
    ) -> None:
        self._data, self._at = data, 0
        self._find, self._storage_of = find, storage_of
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # the stacks under the marks
        self._memo: dict[int, Any] = {}
        self._budget = 16 * len(data) + 1_000_000
        self._hashes: dict[tuple[int, int], int] = {}

    def decode(self) -> Any:
        """The object. Raises pickle.UnpicklingError for anything that is not understood."""
        try:
            while True:
                code = self._take(1)[0]
                if code == pickle.STOP[0]:
                    return self._pop()
                step = _STEPS.get(code)
                if step is None:
                    raise refusal(f"The pickle has the opcode {code:#04x}, which is not read")
                step(self)
        except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
            raise refusal(
                f"The pickle is damaged near byte {self._at:,} of {len(self._data):,}: {error!r}"
            ) from error

    # ---- helpers

    def _take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise refusal(f"The pickle ends early: {len(self._data):,} bytes")
        self._at += count
        return part

    def _number(self, form: str, count: int) -> Any:
        return struct.unpack(form, self._take(count))[0]

    def _line(self) -> str:
        end = self._data.find(b"\n", self._at, self._at + 1000)
        if end < 0:
            raise refusal("The pickle names a global without an end")
        text = self._data[self._at : end].decode()
        self._at = end + 1
        return text

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        return self._stack.pop()

    def _to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def spend(self, amount: int) -> None:
        """Count work that a short pickle could ask for again and again."""
        self._budget -= amount
        if self._budget < 0:
            raise refusal(f"The pickle of {len(self._data):,} bytes asks for far too much work")

    def admit(self, key: Any, container: Any) -> None:
        """Let a key into a dictionary or set, unless hashing it is made to be slow."""
        kind = type(key)
        if kind in _FREE_KEYS or kind is int and -_INT_HASH < key < _INT_HASH:
            return
        if isinstance(key, (tuple, frozenset)):
            self._count_parts(key)
        try:
            place = (id(container), hash(key))
        except TypeError:
            raise refusal(f"The pickle has a {kind.__name__} as a key") from None
        count = self._hashes[place] = self._hashes.get(place, 0) + 1
        if count > _SAME_HASH:
            raise refusal("The pickle has too many keys with one hash")

    def _count_parts(self, key: Any) -> None:
        todo = [key]
        while todo:
            part = todo.pop()
            self.spend(1)
            if isinstance(part, tuple):
                self.spend(len(part))
                todo.extend(part)

    # ---- opcodes

    def _proto(self) -> None:
        version = self._take(1)[0]
        if version != 2:
            raise refusal(f"The pickle has protocol {version}; checkpoints have protocol 2")

    def _global(self) -> None:
        module, name = self._line(), self._line()
        module, name = NAME_MAPPING.get((module, name), (module, name))
        module = IMPORT_MAPPING.get(module, module)  # protocol 2 has Python 2's names
        self._push(self._find(f"{module}.{name}"))

    def _reduce(self) -> None:
        arguments, callee = self._pop(), self._pop()
        if type(callee) is not Callee or type(arguments) is not tuple:
            raise refusal(f"The pickle calls {brief(callee)}, which is not allowed")
        self._push(callee.build(arguments, self.spend))

    def _build(self) -> None:
        state, target = self._pop(), self._stack[-1]
        if type(target) is OrderedDict:
            self._set_attributes(target, state)
        elif type(target) is np.ndarray:
            fill_array(target, state)
        elif type(target) is NumpyDtype:
            target.set_order(state)
        else:
            raise refusal(f"The pickle changes an object of class {type(target).__name__}")

    def _set_attributes(self, target: OrderedDict[Any, Any], state: Any) -> None:
        for name, value in state.items() if type(state) is dict else [(None, None)]:
            if type(name) is not str or hasattr(OrderedDict, name):
                raise refusal(f"The pickle sets the attribute {brief(name)} of an OrderedDict")
            target.__dict__[name] = value

    def _persistent(self) -> None:
        self._push(self._storage_of(self._pop()))

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _append(self) -> None:
        value = self._pop()
        self._list_on_top().append(value)

    def _appends(self) -> None:
        items = self._to_mark()
        self._list_on_top().extend(items)

    def _list_on_top(self) -> list[Any]:
        target = self._stack[-1]
        if type(target) is not list:
            raise refusal(f"The pickle appends to a {type(target).__name__}")
        return target

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _set_items(self, items: list[Any] | None = None) -> None:
        items = self._to_mark() if items is None else items
        target = self._stack[-1]
        if type(target) not in (dict, OrderedDict) or len(items) % 2:
            raise refusal(f"The pickle sets items of a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.admit(key, target)
            target[key] = value

    def _tuple(self, count: int) -> None:
        if len(self._stack) < count:
            raise refusal("The pickle takes more from its stack than there is")
        items = tuple(self._stack[-count:])
        self._stack[-count:] = [items]

    def _text(self) -> None:
        self._push(str(self._take(self._number("<I", 4)), "utf-8", "surrogatepass"))

    def _long(self, form: str, size: int) -> None:
        count = self._number(form, size)
        if count < 0:
            raise refusal("The pickle has a number of negative length")
        self._push(pickle.decode_long(self._take(count)))

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]


_FREE_KEYS = (str, bytes, bool, float, type(None))
_STEPS: dict[int, Callable[[Decoder], None]] = {
    pickle.PROTO[0]: Decoder._proto,
    pickle.GLOBAL[0]: Decoder._global,
    pickle.REDUCE[0]: Decoder._reduce,
    pickle.BUILD[0]: Decoder._build,
    pickle.BINPERSID[0]: Decoder._persistent,
    pickle.MARK[0]: Decoder._mark,
    pickle.APPEND[0]: Decoder._append,
    pickle.APPENDS[0]: Decoder._appends,
    pickle.SETITEM[0]: Decoder._set_item,
    pickle.SETITEMS[0]: Decoder._set_items,
    pickle.TUPLE[0]: lambda d: d._push(tuple(d._to_mark())),
    pickle.TUPLE1[0]: lambda d: d._tuple(1),
    pickle.TUPLE2[0]: lambda d: d._tuple(2),
    pickle.TUPLE3[0]: lambda d: d._tuple(3),
    pickle.EMPTY_TUPLE[0]: lambda d: d._push(()),
    pickle.EMPTY_LIST[0]: lambda d: d._push([]),
    pickle.EMPTY_DICT[0]: lambda d: d._push({}),
    pickle.NONE[0]: lambda d: d._push(None),
    pickle.NEWTRUE[0]: lambda d: d._push(True),
    pickle.NEWFALSE[0]: lambda d: d._push(False),
    pickle.BININT[0]: lambda d: d._push(d._number("<i", 4)),
    pickle.BININT1[0]: lambda d: d._push(d._number("<B", 1)),
    pickle.BININT2[0]: lambda d: d._push(d._number("<H", 2)),
    pickle.BINFLOAT[0]: lambda d: d._push(d._number(">d", 8)),
    pickle.LONG1[0]: lambda d: d._long("<B", 1),
    pickle.LONG4[0]: lambda d: d._long("<i", 4),
    pickle.BINUNICODE[0]: Decoder._text,
    pickle.BINPUT[0]: lambda d: d._put(d._number("<B", 1)),
    pickle.LONG_BINPUT[0]: lambda d: d._put(d._number("<I", 4)),
    pickle.BINGET[0]: lambda d: d._push(d._memo[d._number("<B", 1)]),
    pickle.LONG_BINGET[0]: lambda d: d._push(d._memo[d._number("<I", 4)]),
}
