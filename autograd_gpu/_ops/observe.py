"""The one gate: every call of every op can be observed, and costs nothing more while none is.

While somebody observes, the code of each public function is exchanged for three instructions that
lead here; the function objects stay what they are, so `from autograd_gpu import mul`, `x * y` and
the calls inside other ops are seen alike. At the end they get their own code back.
"""

import threading
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import Any

from .._core.tensor import Tensor
from ..autograd.function import Function
from ..autograd.node import verbs
from .bind import inplace_stub
from .declare import Op, general_stub, operator_stub
from .inplace import write_inplace
from .inplace_source import graft
from .names import title_of
from .registry import REGISTRY

__all__ = ["Gate", "Observer", "observe", "offer", "unobserve"]

Observer = Callable[["Gate", Callable[..., Any], tuple, dict], Any]
"""`observer(gate, call, args, kwargs)` returns what `call(*args, **kwargs)` does, or raises what it
raises; it runs in the thread of the call."""

_STUBS: dict[int, Callable[[Any], Any]] = {
    id(general_stub.__code__): lambda op: op.generate("general"),
    id(operator_stub.__code__): lambda op: op.generate("operator"),
    id(inplace_stub.__code__): graft,
}
"""What writes the code of a function that still has the one that all begin with."""
_SLOT = "the gate"
_METHODS = {
    "to": "to", "detach": "detach", "detach_": "detach_", "item": "item", "__matmul__": "matmul",
    "__rmatmul__": "matmul", "__setitem__": "copy_",
}  # fmt: skip
"""Methods that PyTorch counts as operations and that are no rows of the table."""


def _template(*args: Any, **kwargs: Any) -> Any:
    through: Any = "the gate"
    return through(args, kwargs)


class Gate:
    """One observed function: `name` as PyTorch prints it, `entry` its row in the table, if it is
    one, and `call`, which does what the function does and is not observed."""

    def __init__(self, function: Any, name: str, entry: Any = None, offer: Any = None) -> None:
        """`offer`: see the function of that name."""
        self.function, self.entry, self._offer = function, entry, offer
        self.name = name if entry is None else "aten::" + title_of(entry)
        self._take(function.__code__)
        self.params = () if offer else _params(entry, self.code)
        consts = (self._through if c is _SLOT else c for c in _template.__code__.co_consts)
        self.watched = _template.__code__.replace(
            co_consts=tuple(consts), co_freevars=self.code.co_freevars, co_name=self.code.co_name
        )

    def _take(self, code: Any) -> None:
        """This is the function's own code now."""
        self.code, self.generate = code, _STUBS.get(id(code))
        f = self.function
        self.call = FunctionType(code, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
        self.call.__kwdefaults__ = f.__kwdefaults__

    def _through(self, args: tuple, kwargs: dict) -> Any:
        if self.generate is not None:
            self._generate()
        return _pass_on(_observers, self, args, kwargs)

    def _generate(self) -> None:
        """The op is called for the first time: its code is written now, for good. That is observed
        as "[first call]", so that it is no part of the op's own time."""
        with _lock:
            if self.generate is not None:
                watched = self.function.__code__ is self.watched
                self.generate(self.function.__globals__["OP"])
                self._take(self.function.__code__)
                if watched:
                    self.function.__code__ = self.watched

    def title(self, args: tuple) -> str:
        """The name of a call with these arguments."""
        return self.name if self._offer is None else self._offer[0](args)

    def given(self, args: tuple) -> tuple:
        """Those that are of interest."""
        return args if self._offer is None else self._offer[1](args)

    def place(self, args: tuple) -> tuple:
        """A Tensor of the device where it works, if no argument says that."""
        return () if self._offer is None else self._offer[2](args)

    def open(self) -> None:
        """Let calls pass through here."""
        if self.function.__code__ is not self.watched:
            if self.function.__code__ is not self.code:  # it was generated in the meantime
                self._take(self.function.__code__)
            self.function.__code__ = self.watched

    def close(self) -> None:
        """Give the function its own code back."""
        if self.function.__code__ is self.watched:
            self.function.__code__ = self.code


_lock = threading.RLock()
_gates: dict[Any, Gate] = {}  # function -> its gate
_offered: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
_observers: tuple[Observer, ...] = ()


def _params(entry: Any, code: Any) -> tuple[str, ...]:
    """The names of the parameters, as far as they are said."""
    if isinstance(entry, Op):
        return tuple(entry.params)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _pass_on(observers: tuple, gate: Gate, args: tuple, kwargs: dict) -> Any:
    if not observers:  # the last one left after this call had begun
        return gate.call(*args, **kwargs)
    if len(observers) == 1:
        return observers[0](gate, gate.call, args, kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        return _pass_on(observers[1:], gate, args, kwargs)

    return observers[0](gate, call, args, kwargs)


def observe(observer: Observer) -> None:
    """Let a function see every call, in all threads, until `unobserve`. The first observer is the
    outermost."""
    global _observers
    with _lock:
        _complete()
        _observers = (*_observers, observer)
        for gate in _gates.values():
            gate.open()


def unobserve(observer: Observer) -> None:
    """End `observe`. Calls that have begun are seen to their end."""
    global _observers
    with _lock:
        _observers = tuple(o for o in _observers if o != observer)
        if not _observers:
            for gate in _gates.values():
                gate.close()
            for function in _offered:  # it may go when nobody else holds it
                _gates.pop(function, None)


def _nothing(_: tuple) -> tuple:
    return ()


def offer(
    function: Any,
    title: Callable[[tuple], str],
    given: Callable[[tuple], tuple] = _nothing,
    place: Callable[[tuple], tuple] = _nothing,
) -> None:
    """Let a function that is no op be observed too. From the arguments of a call, `title` gives
    its name, `given` those arguments that are of interest, and `place` a Tensor of the device where
    it works, if none of these says that."""
    with _lock:
        _offered[function] = title, given, place
        if _observers:
            _add(function, function.__name__, offer=_offered[function]).open()


def _complete() -> None:
    """A gate for every function; the table may have grown since the last time."""
    for entry in REGISTRY.values():
        _add(entry.function, "", entry)
        if getattr(entry, "operator", None) is not None:
            _add(entry.operator, "", entry)
        for name in entry.inplace:
            if not name.startswith("_"):
                _add(vars(Tensor)[name], "aten::" + name)
    for name, function in list(vars(Tensor).items()):
        written = name.endswith("_") and not name.startswith("_")
        if isinstance(function, FunctionType) and (
            name in _METHODS or written and function.__module__.startswith(__package__)
        ):
            _add(function, "aten::" + _METHODS.get(name, name))
    for function, offered in list(_offered.items()):
        _add(function, function.__name__, offer=offered)


def _add(function: Any, name: str, entry: Any = None, offer: Any = None) -> Gate:
    gate = _gates.get(function)
    if gate is None:
        gate = _gates[function] = Gate(function, name, entry, offer)
    return gate


offer(Gate._generate, lambda args: "[first call]")
offer(Function.__dict__["apply"].__func__, lambda args: args[0].__name__, lambda args: args[1:])
offer(  # `relu(x, inplace=True)` calls no in-place method
    write_inplace,
    lambda args: f"aten::{title_of(args[0])}_",
    lambda args: (args[1], *args[2]),
)
verbs["observe"], verbs["unobserve"] = observe, unobserve
