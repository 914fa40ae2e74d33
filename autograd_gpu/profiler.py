"""PyTorch's `torch.profiler`: the profiler of `autograd.profiler` by activities and by steps."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from ._core.device import cuda_status
from .autograd import profiler as _profiler
from .autograd.profiler import DeviceType, EventList, record_function

__all__ = [
    "DeviceType", "ProfilerAction", "ProfilerActivity", "kineto_available", "profile",
    "record_function", "schedule", "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(Enum):
    """What is measured: the host, and how long CUDA was at each op."""

    CPU = 0
    CUDA = 3


class ProfilerAction(Enum):
    """What a schedule says of a step. Nothing needs warming up here: WARMUP is as NONE."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


_RECORDED = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


def kineto_available() -> bool:
    """Is PyTorch's tracing library there? No: times are the package's own."""
    return False


def supported_activities() -> set[ProfilerActivity]:
    """CPU, and CUDA where there is a device."""
    found = {ProfilerActivity.CPU}
    return found | {ProfilerActivity.CUDA} if cuda_status()[0] else found


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Which steps are recorded: after `skip_first` steps, in cycles of `wait` steps of rest,
    `warmup` and `active` ones, of which the last hands over what was recorded.

    `repeat`: how many cycles, 0 without end. `skip_first_wait`: not 0, the first cycle has no rest.
    Raises AssertionError for negative numbers and where `active` is 0."""
    if not (active > 0 and min(wait, warmup, repeat, skip_first) >= 0):
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got {wait=} (need >= 0), {warmup=} (need >= 0), "
            f"{active=} (need > 0), {repeat=} (need >= 0), {skip_first=} (need >= 0)."
        )
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step += wait * bool(skip_first_wait) - skip_first
        if repeat and step >= repeat * cycle:
            return ProfilerAction.NONE
        place = step % cycle
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < cycle - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[["profile"], None]:
    """An `on_trace_ready` that writes a Chrome trace into a folder, under the name that TensorBoard
    looks for. RuntimeError where the folder cannot be made."""

    def write(finished: "profile") -> None:
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError(f"Can't create directory: {dir_name}") from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + ".gz" * use_gzip
        finished.export_chrome_trace(os.path.join(dir_name, name))

    return write


class profile:
    """Measures what runs in it, or those of its steps that a schedule names.

        with profiler.profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
            train()
        print(prof.key_averages().table(sort_by="cpu_time_total", row_limit=10))

    With a schedule, call `step()` after each step of the program; `on_trace_ready(prof)` is called
    when a cycle has been recorded (and at the end of what is recorded without a schedule), and
    sees the events of that cycle alone.

    Args:
        activities: of `ProfilerActivity`; by default all that are there.
        schedule: step's number -> ProfilerAction, as `schedule(...)` gives.
        on_trace_ready: called with this object when there is something to read.
        record_shapes, profile_memory, with_stack, with_flops, with_modules: see
            `autograd.profiler.profile`.
        use_cuda: the older way to say that CUDA is one of the activities, or not.

    Raises:
        AssertionError: there are no activities, or results are asked for before there are any.
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[["profile"], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        use_cuda: bool | None = None,
    ) -> None:
        """See the class."""
        chosen = set(supported_activities() if activities is None else activities)
        if use_cuda is not None:
            (chosen.add if use_cuda else chosen.discard)(ProfilerActivity.CUDA)
        if not chosen or not all(isinstance(a, ProfilerActivity) for a in chosen):
            raise AssertionError("No valid profiler activities found")
        self.activities, self.schedule, self.on_trace_ready = chosen, schedule, on_trace_ready
        self.options: dict[str, Any] = {
            "record_shapes": record_shapes, "profile_memory": profile_memory,
            "with_stack": with_stack, "with_flops": with_flops, "with_modules": with_modules,
            "use_cpu": ProfilerActivity.CPU in chosen,
            "use_device": "cuda" if ProfilerActivity.CUDA in chosen else None,
        }  # fmt: skip
        self.step_num = 0
        self.current_action = self._action()
        self.profiler: _profiler.profile | None = None
        self._metadata: dict[str, Any] = {}
        self._recording = self._started = False
        self._step: record_function | None = None

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self.schedule is None else self.schedule(self.step_num)

    def __enter__(self) -> "profile":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, as `with` does."""
        self._started = True
        self._go_on()

    def stop(self) -> None:
        """End. What was being recorded is handed to `on_trace_ready`."""
        if not self._started:
            raise AssertionError("Profiler must be initialized before stopping trace")
        self._leave_step()
        self._started = False
        self._end(ready=True)

    def step(self) -> None:
        """The program begins its next step."""
        self._leave_step()
        before = self.current_action
        self.step_num += 1
        self.current_action = self._action()
        if not self._started:
            return
        if before is ProfilerAction.RECORD_AND_SAVE or self.current_action not in _RECORDED:
            self._end(ready=before is ProfilerAction.RECORD_AND_SAVE)
        self._go_on()

    def _go_on(self) -> None:
        if self.current_action in _RECORDED and not self._recording:
            made = _profiler.profile(**self.options)
            made.metadata.update(self._metadata)
            made.__enter__()
            self.profiler, self._recording = made, True
        if self.schedule is not None:
            self._step = record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _leave_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _end(self, ready: bool) -> None:
        if self._recording and self.profiler is not None:
            self.profiler.__exit__(None, None, None)
            self._recording = False
            if ready and self.on_trace_ready is not None:
                self.on_trace_ready(self)

    def _finished(self, what: str) -> _profiler.profile:
        if self.profiler is None:
            raise AssertionError(f"Profiler must be initialized before {what}")
        return self.profiler

    def events(self) -> EventList:
        """All events of the last cycle; none while it is being recorded."""
        return self._finished("accessing events").function_events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """One sum a name, or a name and shapes, callers: see `EventList.key_averages`."""
        finished = self._finished("getting key averages")
        return finished.key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: Any) -> None:
        """Write a file for chrome://tracing and ui.perfetto.dev; one that ends in .gz is
        compressed. RuntimeError while recording."""
        self._finished("exporting chrome trace").export_chrome_trace(path)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write callers and times for a flame graph; needs `with_stack`."""
        self._finished("exporting stacks").export_stacks(path, metric)

    def add_metadata(self, key: str, value: str) -> None:
        """Put a text into the traces, under a key."""
        self._metadata[key] = value
        if self.profiler is not None:
            self.profiler.metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Put a value that is given as JSON into the traces, under a key."""
        self.add_metadata(key, json.loads(value))
