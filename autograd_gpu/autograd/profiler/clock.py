"""The clock of CUDA: pairs of events around ops, read when the device has done all."""

from contextlib import nullcontext
from time import perf_counter_ns
from typing import Any

from ..._core.library import Library

__all__ = ["Clock", "Marks"]


class Marks:
    """Two events in a stream of a device, and, once they are read, their times in nanoseconds of
    the host's clock."""

    __slots__ = ("began", "device", "ended", "first", "last", "stream")

    def __init__(self, first: Any, device: int, stream: int) -> None:
        """`first`: the event before the op."""
        self.first, self.device, self.stream = first, device, stream
        self.last: Any = None
        self.began = self.ended = 0


class Clock:
    """Takes times on the devices of a library. An event costs the host a microsecond or two."""

    def __init__(self, library: Library) -> None:
        """The clock begins now, on every device that it is asked about."""
        self.library, self.cuda = library, library.module.cuda
        self.origins: dict[int, tuple[Any, int]] = {}  # device -> an event, and when it was
        self.taken: list[Marks] = []
        self._origin(library.current_device())

    def _on(self, device: int) -> Any:
        return self.library.device(device) if self.library.several_devices else nullcontext()

    def _origin(self, device: int) -> None:
        """Where the clocks of device and host meet: an event on a device that has nothing to do."""
        if device not in self.origins:
            self.cuda.runtime.deviceSynchronize()
            self.origins[device] = self._event(), perf_counter_ns()

    def _event(self) -> Any:
        event = self.cuda.Event()
        event.record()
        return event

    def begin(self, given: list) -> Marks:
        """Before an op on arrays: the device is that of the first there, else the current one."""
        device = self._device(given)
        if device is None:
            device = self.library.current_device()
        with self._on(device):
            self._origin(device)
            return Marks(self._event(), device, int(self.cuda.get_current_stream().ptr))

    def end(self, marks: Any, results: list) -> None:
        """After it. An op that had nothing to do with the device keeps no times."""
        if self._device(results) == marks.device:
            with self._on(marks.device):
                marks.last = self._event()
            self.taken.append(marks)

    def _device(self, arrays: list) -> int | None:
        kind = self.library.ndarray
        return next((a.data.device_id for a in arrays if a.__class__ is kind), None)

    def read(self) -> None:
        """Wait for the devices, and read all times."""
        between = self.cuda.get_elapsed_time  # in milliseconds
        for device in self.origins:
            with self._on(device):
                self.cuda.runtime.deviceSynchronize()
        for marks in self.taken:
            origin, when = self.origins[marks.device]
            marks.began = when + round(1e6 * between(origin, marks.first))
            marks.ended = when + round(1e6 * between(origin, marks.last))
