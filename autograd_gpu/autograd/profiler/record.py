"""Recorder: notes when each op, node and user's range began and ended, in every thread."""

import sys
import threading
import weakref
from time import perf_counter_ns
from typing import Any

from ..._core.layout import owner
from ..._core.library import RAW
from ..._core.tensor import Tensor
from ..node import Output
from .flops import flops_of

__all__ = ["Record", "Recorder"]


class Record:
    """One range of time: what it was, and what it was inside of. Times in nanoseconds."""

    __slots__ = (
        "allocated", "args", "end", "flops", "kind", "listed", "marks", "name", "on_device",
        "owners", "parent", "seq", "shapes", "stack", "start", "thread",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, thread: "_Thread") -> None:
        """`kind`: "op", "node" or "user"."""
        self.name, self.kind, self.thread, self.parent = name, kind, thread, thread.open
        self.start = self.end = self.allocated = self.on_device = 0
        self.shapes: list | None = None
        self.stack: list[str] = []
        self.owners: list = []
        self.marks: Any = None
        self.seq, self.flops, self.args, self.listed = -1, 0, "", True


class _Thread(threading.local):
    """What a thread is in the middle of."""

    def __init__(self) -> None:
        self.open: Record | None = None
        self.ident, self.native = threading.get_ident(), threading.get_native_id()
        self.name = threading.current_thread().name


class Recorder:
    """Fills `records` while it is told of calls. `shapes`, `memory`, `stack`, `flops`: whether
    these are noted; `marks`: the device's clock, or None."""

    def __init__(
        self, shapes: bool, memory: bool, stack: bool, flops: bool, marks: Any = None
    ) -> None:
        """See the class."""
        self.shapes, self.memory, self.stack, self.flops = shapes, memory, stack, flops
        self.marks, self.records = marks, list[Record]()
        self.threads: dict[int, tuple[int, str]] = {}
        self._here = _Thread()
        self._home = _of_package()
