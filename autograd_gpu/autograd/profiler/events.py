"""FunctionEvent, one call with its times; FunctionEventAvg, the sum of several."""

from enum import Enum
from typing import Any

from .record import Record, Recorder
from .units import time_text

__all__ = ["DeviceType", "FunctionEvent", "FunctionEventAvg", "Interval", "events_of"]


class DeviceType(Enum):
    """Where the time of an event was spent."""

    CPU = 0
    CUDA = 1


class Interval:
    """From `start` to `end`, in microseconds since the profile began."""

    def __init__(self, start: float, end: float) -> None:
        """See the class."""
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        """How long it was."""
        return self.end - self.start

    def __repr__(self) -> str:
        return f"Interval({self.start:.3f}, {self.end:.3f})"


class _Times:
    """What calls and their sums have in common: times in microseconds, as numbers and as text."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    device_time_total: float
    self_device_time_total: float

    @property
    def cpu_time(self) -> float:
        """On average, with what it called."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self) -> float:
        """On average on CUDA, with what it called."""
        return self.device_time_total / self.count if self.count else 0.0

    @property
    def cuda_time(self) -> float:
        """`device_time` under its older name."""
        return self.device_time

    @property
    def cuda_time_total(self) -> float:
        """`device_time_total` under its older name."""
        return self.device_time_total

    @property
    def self_cuda_time_total(self) -> float:
        """`self_device_time_total` under its older name."""
        return self.self_device_time_total

    @property
    def cpu_time_str(self) -> str:
        """`cpu_time` with its unit."""
        return time_text(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        """`cpu_time_total` with its unit."""
        return time_text(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """`self_cpu_time_total` with its unit."""
        return time_text(self.self_cpu_time_total)

    @property
    def device_time_str(self) -> str:
        """`device_time` with its unit."""
        return time_text(self.device_time)

    @property
    def device_time_total_str(self) -> str:
        """`device_time_total` with its unit."""
        return time_text(self.device_time_total)

    @property
    def self_device_time_total_str(self) -> str:
        """`self_device_time_total` with its unit."""
        return time_text(self.self_device_time_total)


class FunctionEvent(_Times):
    """One call of an op, one node of a backward pass or one range of `record_function`.

    `name`, and `trace_name`, which has the number of a step; `time_range`; `thread`, which counts
    from 1, and `native_thread`, the system's number; `cpu_parent` and `cpu_children`: what it was
    called by, and what it called; `input_shapes`, one entry a parameter; bytes that it allocated
    in `cpu_memory_usage` and `device_memory_usage`, with those of its children, without them in
    `self_cpu_memory_usage` ...; `stack`: who called, the innermost first; `sequence_nr`:
    the number of the node that it recorded or ran."""

    count = 1
    node_id = -1
    overload_name = ""
    is_async = is_remote = is_legacy = False
    device_type, device_index = DeviceType.CPU, 0

    def __init__(self, id: int, record: Record, began: int, use_device: str | None) -> None:
        """`began`: when the profile began, in nanoseconds."""
        self.id, self.use_device, self.scope = id, use_device, 0
        step = record.name.startswith("ProfilerStep#")
        self.name, self.trace_name = "ProfilerStep*" if step else record.name, record.name
        self.time_range = _since(record.start, record.end, began)
        self.device_range: Interval | None = None
        self.device_resource_id = self.device_number = 0
        marks = record.marks
        if marks is not None and marks.last is not None:
            self.device_range = _since(marks.began, marks.ended, began)
            self.device_number, self.device_resource_id = marks.device, marks.stream
        self.thread, self.native_thread = 0, record.thread.native
        self.fwd_thread: int | None = None
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.input_shapes, self.stack = list(record.shapes), list(record.stack)
        self.sequence_nr = record.seq
        self.concrete_inputs = [record.args] if record.args else []
        self.kind, self.is_user_annotation = record.kind, record.kind == "user"
        self.flops = record.flops
        self.self_cpu_memory_usage = record.allocated
        self.self_device_memory_usage = record.on_device

    @property
    def key(self) -> str:
        """What sums are made by: the name."""
        return self.name

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """How long it took."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """The same without its children."""
        return self.cpu_time_total - sum(c.cpu_time_total for c in self.cpu_children)

    @property
    def device_time_total(self) -> float:  # type: ignore[override]
        """How long the device was at it. What has no marks of its own takes as long as its
        children."""
        if self.device_range is None:
            return sum(c.device_time_total for c in self.cpu_children)
        return self.device_range.elapsed_us()

    @property
    def self_device_time_total(self) -> float:  # type: ignore[override]
        """The same without its children."""
        return self.device_time_total - sum(c.device_time_total for c in self.cpu_children)

    @property
    def cpu_memory_usage(self) -> int:
        """Bytes of host memory that it and its children allocated."""
        return self.self_cpu_memory_usage + sum(c.cpu_memory_usage for c in self.cpu_children)

    @property
    def device_memory_usage(self) -> int:
        """Bytes of CUDA memory that it and its children allocated."""
        own = self.self_device_memory_usage
        return own + sum(c.device_memory_usage for c in self.cpu_children)

    def __repr__(self) -> str:
        span = self.time_range
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} "
            f"start_us={span.start:.3f} end_us={span.end:.3f} "
            f"cpu_children={[c.id for c in self.cpu_children]} device_time={self.device_time_str} "
            f"thread={self.thread} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage} "
            f"device_memory_usage={self.device_memory_usage} seq_nr={self.sequence_nr}>"
        )


_SUMMED = (
    "cpu_time_total", "self_cpu_time_total", "device_time_total", "self_device_time_total",
    "cpu_memory_usage", "self_cpu_memory_usage", "device_memory_usage", "self_device_memory_usage",
    "count", "flops",
)  # fmt: skip


class FunctionEventAvg(_Times):
    """The sum of events of one `key`: `count` of them, with their times (`cpu_time` is the
    average), bytes and `flops`. What differs (shapes, parents) is that of the first."""

    cpu_memory_usage: int
    self_cpu_memory_usage: int
    device_memory_usage: int
    self_device_memory_usage: int
    flops: int

    def __init__(self) -> None:
        """The sum of nothing."""
        for name in _SUMMED:
            setattr(self, name, 0)
        self.key: str | None = None
        self.node_id, self.overload_name, self.scope = 0, "", 0
        self.is_async = self.is_remote = self.is_legacy = self.is_user_annotation = False
        self.device_type, self.use_device = DeviceType.CPU, None
        self.input_shapes: Any = None
        self.stack: list[str] | None = None
        self.cpu_children: list[FunctionEvent] | None = None
        self.cpu_parent: FunctionEvent | None = None

    def add(self, other: "FunctionEvent | FunctionEventAvg") -> "FunctionEventAvg":
        """Count one more, or all of another sum. Returns itself."""
        if self.key is None:
            self.key = other.key
            for name in (
                "node_id", "is_async", "is_remote", "use_device", "input_shapes", "stack", "scope",
                "cpu_parent", "cpu_children", "device_type", "is_user_annotation",
            ):  # fmt: skip
                setattr(self, name, getattr(other, name))
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        device = self.use_device or "cuda"
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} self_{device}_time={self.self_device_time_total_str} "
            f"{device}_time={self.device_time_str} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage} "
            f"{device}_memory_usage={self.device_memory_usage}>"
        )


def _since(start: int, end: int, began: int) -> Interval:
    return Interval((start - began) / 1e3, (end - began) / 1e3)


def events_of(recorder: Recorder) -> list[FunctionEvent]:
    """The events of all calls that were seen to their end, each linked to its parent."""
    use_device = None if recorder.clock is None else "cuda"
    made: dict[Record, FunctionEvent] = {}
    threads: dict[int, int] = {}
    recorded: dict[int, FunctionEvent] = {}  # a node's number -> the first call that gave it
    for record in recorder.records:
        if not (record.end and record.listed):
            continue
        event = made[record] = FunctionEvent(len(made), record, recorder.began, use_device)
        event.thread = threads.setdefault(record.thread.ident, len(threads) + 1)
        if record.kind == "op" and record.seq > 0:
            recorded.setdefault(record.seq, event)
        parent = record.parent
        while parent is not None and parent not in made:
            parent = parent.parent
        if parent is not None:
            event.cpu_parent = made[parent]
            made[parent].cpu_children.append(event)
    for event in made.values():
        if event.kind == "node" and event.sequence_nr in recorded:
            event.fwd_thread = recorded[event.sequence_nr].thread
    return list(made.values())
