"""Devices, streams and events. Work is done the moment it is given to a stream."""

import itertools
import threading
import time
from typing import Any

from . import lifetimes

__all__ = [
    "DEVICES", "MOST_DEVICES", "CUDARuntimeError", "Device", "Event", "ExternalStream", "Stream",
    "current", "current_device", "get_current_stream", "get_elapsed_time", "set_device",
]  # fmt: skip

MOST_DEVICES = 2  # that tests may ask for
DEVICES = 1
_keys = itertools.count(0x1000, 0x10)


class CUDARuntimeError(RuntimeError):
    """An error of the CUDA runtime; the message is `name: text`."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class _Here(threading.local):
    """Of a thread: its device, and a stack of devices and the stream of each device."""

    def __init__(self) -> None:
        self.device = 0
        self.entered: list[int] = []
        self.streams: list[Stream | None] = [None] * MOST_DEVICES


_here = _Here()


def current_device() -> int:
    """The number of this thread's device."""
    return _here.device


def set_device(number: int) -> None:
    """Make it this thread's device. CUDARuntimeError where there is none of this number."""
    if not 0 <= number < DEVICES:
        raise CUDARuntimeError(101, "cudaErrorInvalidDevice: invalid device ordinal")
    _here.device = int(number)


class Device:
    """A device by its number, by default the current one; a context in which it is current."""

    def __init__(self, device: "int | Device | None" = None) -> None:
        if device is None:
            device = current_device()
        self.id: int = device.id if isinstance(device, Device) else int(device)

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __lt__(self, other: "Device") -> bool:
        return self.id < other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"

    def __enter__(self) -> "Device":
        _here.entered.append(_here.device)
        set_device(self.id)
        return self

    def __exit__(self, *error: object) -> None:
        _here.device = _here.entered.pop()

    def use(self) -> None:
        """Make it current."""
        set_device(self.id)

    def synchronize(self) -> None:
        """Wait for all its work."""
        lifetimes.ended(None)

    @property
    def compute_capability(self) -> str:
        """That of an H100, "90"."""
        return "90"

    @property
    def mem_info(self) -> tuple[int, int]:
        """(free, total) bytes."""
        from .memory import ARENAS

        return ARENAS[self.id].free, ARENAS[self.id].capacity

    @property
    def attributes(self) -> dict[str, int]:
        """Some of the numbers that a driver knows."""
        return {
            "ComputeCapabilityMajor": 9, "ComputeCapabilityMinor": 0, "WarpSize": 32,
            "MultiProcessorCount": 132, "MaxThreadsPerBlock": 1024, "MaxGridDimX": 2147483647,
            "MaxGridDimY": 65535, "MaxGridDimZ": 65535, "MaxThreadsPerMultiProcessor": 2048,
            "MaxSharedMemoryPerBlock": 49152, "MaxSharedMemoryPerBlockOptin": 232448,
            "MaxSharedMemoryPerMultiprocessor": 233472, "MemoryPoolsSupported": 1,
        }  # fmt: skip

    @property
    def pci_bus_id(self) -> str:
        """An address that no machine has."""
        return f"FFFF:{self.id:02X}:00.0"


class Event:
    """A point in a stream's work."""

    def __init__(
        self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
    ) -> None:
        self.ptr = next(_keys)
        self._timed = not disable_timing
        self._time: float | None = None
        self._work: dict[int, int] = {}

    @property
    def done(self) -> bool:
        """Always: work is done at once."""
        return True

    def record(self, stream: "Stream | None" = None) -> None:
        """Stand for what the stream (None: the current one) has been given so far."""
        self._work = lifetimes.recorded((stream or get_current_stream()).key)
        self._time = time.perf_counter()

    def synchronize(self) -> None:
        """Wait for it."""
        lifetimes.waited(self._work)


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds between two recorded events. CUDARuntimeError where there is no time."""
    times = start_event._time, end_event._time
    if None in times or not (start_event._timed and end_event._timed):
        raise CUDARuntimeError(400, "cudaErrorInvalidResourceHandle: invalid resource handle")
    return 1000 * (times[1] - times[0])  # type: ignore[operator]


class Stream:
    """A queue of work; `Stream.null` is the default one of every device."""

    null: "Stream"
    ptds: "Stream"

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False,
        priority: int | None = None,
    ) -> None:  # fmt: skip
        self.null_ = null
        self.ptr = 0 if null else 2 if ptds else next(_keys)
        self.device_id = -1 if null or ptds else current_device()
        self.priority = priority or 0
        self._before: list[tuple[int, Stream | None]] = []
        lifetimes.begun(self.key, blocking=not non_blocking)

    @property
    def key(self) -> int:
        """What tells streams apart."""
        return self.ptr

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return hash(self.ptr)

    def __repr__(self) -> str:
        return f"<Stream {self.ptr} (device {self.device_id})>"

    @property
    def done(self) -> bool:
        """Always: work is done at once."""
        return True

    def __enter__(self) -> "Stream":
        self._before.append((current_device(), _here.streams[current_device()]))
        self.use()
        return self

    def __exit__(self, *error: object) -> None:
        device, stream = self._before.pop()
        _here.streams[device] = stream

    def use(self) -> "Stream":
        """Make it the current stream of this thread."""
        if self.device_id not in (-1, current_device()):
            raise RuntimeError(
                f"This stream was created on device {self.device_id}, which is different from the "
                f"current device {current_device()}"
            )
        _here.streams[current_device()] = self
        return self

    def synchronize(self) -> None:
        """Wait for all its work."""
        lifetimes.ended(self.key)

    def record(self, event: Event | None = None) -> Event:
        """An event at the end of its work."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What it is given from now on comes after the event."""
        lifetimes.ordered(self.key, event._work)

    def is_capturing(self) -> bool:
        """Never: the stand-in has no graphs."""
        return False

    def add_callback(self, callback: Any, arg: Any) -> None:
        """Call `callback(stream, 0, arg)` after its work."""
        callback(self, 0, arg)

    def launch_host_func(self, callback: Any, arg: Any) -> None:
        """Call `callback(arg)` after its work."""
        callback(arg)


class ExternalStream(Stream):
    """A stream that somebody else made, by its address."""

    def __init__(self, ptr: int, device_id: int = -1) -> None:
        super().__init__(null=True)
        self.ptr, self.device_id = int(ptr), int(device_id)
        lifetimes.begun(self.key, blocking=True)


Stream.null = Stream(null=True)
Stream.ptds = Stream(ptds=True)


def current(device: int) -> Stream:
    """This thread's stream of a device."""
    return _here.streams[device] or Stream.null


def get_current_stream(device_id: int = -1) -> Stream:
    """This thread's stream of the current device, or of another."""
    return current(_here.device if device_id < 0 else device_id)
