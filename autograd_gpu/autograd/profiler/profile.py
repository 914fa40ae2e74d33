"""profile: a context in which every op, every backward node and their times are noted."""

import warnings
from typing import Any

from ..._core.library import cuda_library
from ..node import verbs
from ..watch import watchers
from .clock import Clock
from .event_list import EventList
from .events import FunctionEventAvg, events_of
from .ranges import running
from .record import Recorder

__all__ = ["profile"]


class profile:
    """What runs in it is measured, in all threads: ops of the forward, nodes of the backward and
    ranges of `record_function`. Outside of it nothing is slower than without a profiler.

        with autograd.profiler.profile(record_shapes=True) as prof:
            model(x).sum().backward()
        print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))
        prof.export_chrome_trace("trace.json")

    Times on the host are the package's own measure (`time.perf_counter_ns`), and an observed op
    takes some microseconds longer, which count as its caller's. Formulas of derivatives are one
    range a node; with `create_graph=True` their ops are listed too. "[first call]" is the time in
    which an op that was never called before wrote its code.

    Args:
        enabled: False measures nothing.
        use_cuda: `use_device="cuda"` under its older name.
        use_device: "cuda": also how long the device was at each op: from an event before it in the
            current stream to one after it, with the time in which the stream waited for the host.
        record_shapes: note the shapes of arguments.
        with_flops: count the operations of products, `add` and `mul`; notes shapes as well.
        profile_memory: count the bytes of the results' new memory. What is freed is not seen.
        with_stack: note the lines of the program that called.
        with_modules: accepted; modules leave no trace in eager mode, in PyTorch neither.
        use_kineto: accepted and without effect: there is one measure.
        use_cpu: False is for CUDA alone; the ops of the host are listed nevertheless.

    Raises:
        RuntimeError: it is entered a second time, or something is exported before it is left.
        AssertionError: neither host nor device are to be measured.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
    ) -> None:
        """See the class."""
        self.enabled, self.entered, self.with_modules = enabled, False, with_modules
        self.use_device = _device("cuda" if use_cuda and use_device is None else use_device)
        if enabled and not use_cpu and self.use_device is None:
            raise AssertionError("No activities specified for the profiler")
        self.record_shapes, self.with_flops = record_shapes or with_flops, with_flops
        self.profile_memory, self.with_stack = profile_memory, with_stack
        self.metadata: dict[str, Any] = {}
        self._recorder: Recorder | None = None
        self._finished = not enabled
        self._events: EventList | None = None

    def __enter__(self) -> Any:  # a profile, or None where it is not enabled
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        library = cuda_library() if self.use_device else ""
        clock = None if isinstance(library, str) else Clock(library)
        recorder = self._recorder = Recorder(
            self.record_shapes, self.profile_memory, self.with_stack, self.with_flops, clock
        )
        verbs["observe"](recorder.observe)
        watchers.append(recorder.watch)
        recorder.begin()
        running.append(recorder)
        return self

    def __exit__(self, *_: object) -> None:
        recorder = self._recorder
        if not self.enabled or recorder is None:
            return
        running.remove(recorder)
        watchers.remove(recorder.watch)
        verbs["unobserve"](recorder.observe)
        if recorder.clock is not None:
            recorder.clock.read()
        self._finished = True

    @property
    def function_events(self) -> EventList:
        """All events; none before the end."""
        if self._events is None or not self._finished:
            events = events_of(self._recorder) if self._recorder and self._finished else []
            self._events = EventList(
                events, use_device=self.use_device, profile_memory=self.profile_memory,
                with_flops=self.with_flops, metadata=self.metadata,
            )  # fmt: skip
        return self._events

    def __repr__(self) -> str:
        if not self._finished:
            return f"<unfinished {type(self).__module__.rpartition('.')[0]}.profile>"
        return repr(self.function_events)

    def __str__(self) -> str:
        return str(self.function_events) if self._finished else repr(self)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """One sum a name, or a name and shapes, callers: see `EventList.key_averages`."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n)

    def table(self, **options: Any) -> str:
        """All events, a line each: see `EventList.table`."""
        return self.function_events.table(**options)

    def total_average(self) -> FunctionEventAvg:
        """The sum of all events."""
        return self.function_events.total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events in microseconds, each counted once."""
        return self.function_events.self_cpu_time_total

    def export_chrome_trace(self, path: Any) -> None:
        """Write a file for chrome://tracing and ui.perfetto.dev: see
        `EventList.export_chrome_trace`."""
        self._ended("export_chrome_trace")
        self.function_events.export_chrome_trace(path)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write the callers and their times for a flame graph: see `EventList.export_stacks`."""
        self._ended("export_stacks")
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        self.function_events.export_stacks(path, metric)

    def _ended(self, what: str) -> None:
        if not self._finished:
            raise RuntimeError(f"{what}: Profiler didn't finish running")


def _device(name: str | None) -> str | None:
    """ "cuda" where it is there, else None, with a warning."""
    if name is None:
        return None
    if name != "cuda":
        warnings.warn(f"The {name} is not a valid device option.", stacklevel=3)
        return None
    found = cuda_library()
    if isinstance(found, str):
        warnings.warn(f"CUDA is not available, disabling CUDA profiling: {found}", stacklevel=3)
        return None
    return name
