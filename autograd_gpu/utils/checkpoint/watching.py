"""A context in which one thread's operations come by."""

import threading
from collections.abc import Callable
from typing import Any

from ..._core.tensor import Tensor
from ..._ops.declare import Op
from ..._ops.observe import Gate, observe, unobserve
from ..._ops.prepare import flat
from .results import Step

__all__ = ["Watching"]


class Watching:
    """A context in which this thread's operations on Tensors come by; what a primitive one calls
    itself is left alone."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.thread: int | None = None
        self.inside = False

    def __enter__(self) -> None:
        self.thread, self.inside = threading.get_ident(), False
        observe(self.see)

    def __exit__(self, *_: object) -> None:
        unobserve(self.see)

    def see(self, gate: Gate, call: Callable, args: tuple, kwargs: dict) -> Any:
        """A call."""
        if self.inside or threading.get_ident() != self.thread:
            return call(*args, **kwargs)
        if not any(isinstance(v, Tensor) for v in flat([*args, *kwargs.values()])):
            return call(*args, **kwargs)  # a formula, on raw arrays
        values = _values(gate.entry, args, kwargs)
        if values is None:
            return self.other(gate, call, args, kwargs)
        self.inside = True
        try:
            result = self.primitive(gate.entry, values, call, args, kwargs)
        finally:
            self.inside = False
        return self.done(gate, args, kwargs, result)

    def other(self, gate: Gate, call: Callable, args: tuple, kwargs: dict) -> Any:
        """A call that is made of others, a view, a write."""
        return call(*args, **kwargs)

    def primitive(self, op: Op, values: tuple, call: Callable, args: tuple, kwargs: dict) -> Any:
        """A call that makes something new."""
        raise NotImplementedError

    def done(self, gate: Gate, args: tuple, kwargs: dict, result: Any) -> Any:
        """After a primitive call."""
        return result


def _values(op: Any, args: tuple, kwargs: dict) -> tuple | None:
    """The arguments in the order of a primitive operation's parameters; None where it is none, or
    where nothing of it can be kept: it gives views, it writes, or it will refuse what it got."""
    if not isinstance(op, Op) or op.view or op.many or any(k not in op.params for k in kwargs):
        return None
    positional = [p for p in op.params if p not in op.keywords]
    if len(args) > len(positional):
        return None
    given = op.defaults | dict(zip(positional, args, strict=False)) | kwargs
    if any(p not in given for p in op.params):
        return None
    values = tuple(given[p] for p in op.params)
    known = (Tensor, int, float, complex, type(None))
    if any(not isinstance(v, known) for v in flat([values[i] for i, _, _ in op.arrays])):
        return None
    return values
