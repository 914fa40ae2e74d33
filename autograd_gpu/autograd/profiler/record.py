"""Recorder: notes when each op, node and user's range began and ended, in every thread."""

import contextlib
import sys
import threading
import weakref
from collections.abc import Sequence
from os.path import dirname
from time import perf_counter_ns
from typing import Any

import numpy as np

from ..._core.layout import owner
from ..._core.library import RAW
from ..._core.tensor import Tensor
from ..node import AccumulateGrad, Output
from .flops import flops_of

__all__ = ["Record", "Recorder", "Thread", "arrays", "note_memory", "shapes_of", "tensors"]

_HERE = contextlib.nullcontext()
_NOT_OF_THE_PROGRAM = (dirname(dirname(dirname(__file__))), "<autograd_gpu", contextlib.__file__)
_FROM_DATA = {f"aten::{n}" for n in ("tensor", "as_tensor", "asarray", "from_numpy", "frombuffer")}
"""Ops that users give arrays; all others are given arrays by derivatives only, and are not listed
then."""


class Thread:
    """A thread that was seen: its numbers and name, and the record it is in the middle of."""

    __slots__ = ("ident", "name", "native", "open")

    def __init__(self) -> None:
        """The thread that calls."""
        self.open: Record | None = None
        self.ident, self.native = threading.get_ident(), threading.get_native_id()
        self.name = threading.current_thread().name


class Record:
    """One range of time, in nanoseconds: what it was, and what it was inside of.

    `kind`: "op", "node" or "user". `allocated`, `on_device`: bytes of new memory, without what is
    inside. `memories`: weak references to that memory, and to what is inside. `marks`: of the
    device's clock. `listed`: False for a call that turned out to be a formula's."""

    __slots__ = (
        "allocated", "args", "end", "flops", "kind", "listed", "marks", "memories", "name",
        "on_device", "parent", "seq", "shapes", "stack", "start", "thread",
    )  # fmt: skip

    shapes: Sequence[Any]
    stack: Sequence[str]
    memories: Sequence[Any]

    def __init__(self, name: str, kind: str, thread: Thread) -> None:
        """See the class."""
        self.name, self.kind, self.thread, self.parent = name, kind, thread, thread.open
        self.start = self.end = self.allocated = self.on_device = self.flops = 0
        self.shapes = self.stack = self.memories = ()  # a list each would be much for the collector
        self.marks: Any = None
        self.seq, self.args, self.listed = -1, "", True


class Recorder:
    """Fills `records` while it is told of calls. `shapes`, `memory`, `stack`, `flops`: whether
    these are noted; `clock`: the device's, or None."""

    def __init__(
        self, shapes: bool, memory: bool, stack: bool, flops: bool, clock: Any = None
    ) -> None:
        """See the class."""
        self.shapes, self.memory, self.stack, self.flops = shapes, memory, stack, flops
        self.clock, self.records = clock, list[Record]()
        self._here = threading.local()
        self.began = perf_counter_ns()

    def begin(self) -> None:
        """All is ready: times count from now."""
        self.began = perf_counter_ns()

    def enter(self, name: str, kind: str) -> Record:
        """A range begins in this thread."""
        try:
            thread = self._here.thread
        except AttributeError:
            thread = self._here.thread = Thread()
        record = Record(name, kind, thread)
        thread.open = record
        self.records.append(record)
        if self.stack:
            record.stack = _callers()
        record.start = perf_counter_ns()
        return record

    def leave(self, record: Record) -> None:
        """It ends. Ranges may end in another order than they began."""
        record.end = perf_counter_ns()
        thread = record.thread
        while thread.open is not None and thread.open.end:
            thread.open = thread.open.parent

    def observe(self, gate: Any, call: Any, args: tuple, kwargs: dict) -> Any:
        """Note one call of an op (see `_ops/observe.py`)."""
        name, given = gate.title(args), gate.given(args)
        if given and given[0].__class__ in RAW and name not in _FROM_DATA and not tensors(given):
            return call(*args, **kwargs)  # a formula at work
        if name.startswith("aten::") and self._is_inside(name):
            return call(*args, **kwargs)
        record = self.enter(name, "op")
        if self.shapes:
            record.shapes = shapes_of(gate.params, given, kwargs)
        if self.clock is not None:
            place = arrays(tensors(given) or tensors(gate.place(args)))
            if place or name.startswith("aten::"):
                record.marks = self.clock.begin(place)
        record.start = perf_counter_ns()
        try:
            result = call(*args, **kwargs)
        except BaseException:
            self.leave(record)
            raise
        self.leave(record)
        if record.marks is not None:
            self.clock.end(record.marks, arrays(tensors((result,))) or place)
        self._note(record, gate, given, result)
        return result

    def _is_inside(self, name: str) -> bool:
        """Is this thread in the middle of an op of that name? `sum` is made of inner ops that are
        called the same; they count as parts of it."""
        thread = getattr(self._here, "thread", None)
        return thread is not None and thread.open is not None and thread.open.name == name

    def _note(self, record: Record, gate: Any, given: tuple, result: Any) -> None:
        """What can be said once the result is there."""
        used, results = tensors(given), tensors((result,))
        if gate.entry is not None and not results and not used:
            record.listed = False
            return
        if results:
            edge = getattr(results[0], "_edge", None)
            record.seq = getattr(edge.node if isinstance(edge, Output) else edge, "seq", 0) or -1
        if self.flops:
            record.flops = flops_of(gate, given, results)
        if self.memory:
            note_memory(record, arrays(results), [owner(a) for a in arrays(used)])

    def watch(self, node: Any, grad: Any) -> Any:
        """A context in which a node runs (see `watch.py`)."""
        return _HERE if isinstance(node, Output) else NodeWatch(self, node, grad)


class NodeWatch:
    """Two ranges around the run of a node, as PyTorch has them: the engine's and the node's own.

    It keeps no gradient alive: the engine may write into one that nobody else holds."""

    def __init__(self, recorder: Recorder, node: Any, grad: Any) -> None:
        """`grad`: what the node is given, an array, a Tensor or a list with Nones."""
        self.recorder, self.node = recorder, node
        given = _grads(grad)
        self.shapes = [list(a.shape) for a in given] if recorder.shapes else []
        self.marks = None if recorder.clock is None else recorder.clock.begin(given)
        self.old = self._memories(given) if recorder.memory else []

    def _memories(self, given: list) -> list:
        """Weak references to the memory that was there before: that of gradients, and of what the
        node keeps."""
        for edge in self.node.edges():
            given += _grads(getattr(edge, "g", None))
        for name in self.node.saved_names:
            value = getattr(self.node, name, None)
            given += [value] if value.__class__ in RAW else []
        if isinstance(self.node, AccumulateGrad):
            given += _grads(self.node.grad)
        return [weakref.ref(owner(a)) for a in given]

    def __enter__(self) -> None:
        name = self.node.name()
        engine = "autograd::engine::evaluate_function: " + name
        self.outer = self.recorder.enter(engine, "node")
        self.inner = self.recorder.enter(name, "node")
        self.inner.seq = self.node.seq or -1
        self.inner.shapes, self.inner.marks = self.shapes, self.marks

    def __exit__(self, *error: object) -> None:
        self.recorder.leave(self.inner)
        self.recorder.leave(self.outer)
        if error[0] is not None:
            return
        node = self.node
        edges = [node] if isinstance(node, AccumulateGrad) else node.edges()
        made = [a for e in edges for a in _grads(e.grad if e is node else getattr(e, "g", None))]
        if self.recorder.clock is not None:
            self.recorder.clock.end(self.marks, made)
        if self.recorder.memory:
            note_memory(self.inner, made, [r() for r in self.old])


def _grads(grad: Any) -> list:
    """The arrays of what waits in a node."""
    if isinstance(grad, list):
        return [a for g in grad for a in _grads(g)]
    array = grad._array if isinstance(grad, Tensor) else grad
    return [array] if array.__class__ in RAW else []


def tensors(values: Any) -> list[Tensor]:
    """The Tensors among values and in lists of values."""
    found: list[Tensor] = []
    for v in values:
        if isinstance(v, Tensor):
            found.append(v)
        elif isinstance(v, (list, tuple)):
            found += [t for t in v if isinstance(t, Tensor)]
    return found


def arrays(found: list[Tensor]) -> list:
    """The arrays of Tensors."""
    return [t._array for t in found]


def shapes_of(params: tuple, args: tuple, kwargs: dict) -> list:
    """One entry a parameter, as in PyTorch: the shape of a Tensor, shapes of a list, else []."""
    rest = params[len(args) :]
    values = [
        *args,
        *[kwargs.get(p) for p in rest],
        *[v for k, v in kwargs.items() if k not in rest],
    ]
    return [_shape(v) for v in values]


def _shape(value: Any) -> list:
    if isinstance(value, Tensor):
        return list(value._array.shape)
    if isinstance(value, (list, tuple)):
        return [list(t._array.shape) for t in value if isinstance(t, Tensor)]
    return []


def note_memory(record: Record, results: list, old: list) -> None:
    """Count the memory of results that is not `old`, nor counted by what is inside already."""
    known = list(record.memories)
    for array in results:
        memory = owner(array)
        if any(memory is m for m in old) or any(memory is r() for r in known):
            continue
        if isinstance(memory, np.ndarray):
            record.allocated += memory.nbytes
        else:
            record.on_device += memory.nbytes
        known.append(weakref.ref(memory))
    parent = record.parent
    if parent is not None and parent.kind != "user":
        parent.memories = [*parent.memories, *known]


def _callers() -> list[str]:
    """The lines of the program that led here, the innermost first, without those of this
    package."""
    frame: Any = sys._getframe(2)
    found = []
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_NOT_OF_THE_PROGRAM):
            found.append(f"{file}({frame.f_lineno}): {frame.f_code.co_name}")
        frame = frame.f_back
    return found
