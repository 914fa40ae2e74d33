"""Streams and events: the order of work on a device, and its times.

Work given to one stream runs in order; that of two streams in any order. Every op and every kernel
runs on the current stream of CuPy, so `with cuda.stream(s)` and CuPy's own `with s` are the same.

The rule of lifetimes is CuPy's: memory of an array that is freed goes back to the pool of the
stream on which it was allocated, and may be given at once to new work on that stream. Whoever uses
an array on another stream keeps it until that work is done (`s.synchronize()`), or lets the first
stream wait (`current_stream().wait_stream(s)`) before the array goes; `Tensor.record_stream(s)`
does the latter.
"""

from typing import Any

from .._core.device import device as Device
from ._state import index_of, lib

__all__ = ["Event", "Stream", "StreamContext", "current_stream", "default_stream", "set_stream",
           "stream"]  # fmt: skip


class Stream:
    """A sequence of work on a device. `priority`: lower numbers go first.

    `stream_ptr`: a stream of another library, by its address."""

    def __init__(
        self, device: Any = None, priority: int = 0, *, stream_ptr: int | None = None
    ) -> None:
        """See the class."""
        xp = lib("Stream")
        self.device_index = index_of(device, "Stream")
        made = xp.module.cuda
        with xp.device(self.device_index):
            if stream_ptr is not None:
                self._stream = made.ExternalStream(stream_ptr, self.device_index)
            else:
                self._stream = made.Stream(non_blocking=True, priority=priority or None)
        self._held: list[StreamContext] = []

    @classmethod
    def _of(cls, stream: Any, device_index: int) -> "Stream":
        out = cls.__new__(cls)
        out._stream, out.device_index, out._held = stream, device_index, []
        return out

    @property
    def device(self) -> Device:
        """Where it runs."""
        return Device("cuda", self.device_index)

    @property
    def cuda_stream(self) -> int:
        """CUDA's handle of the stream."""
        return int(self._stream.ptr)

    def synchronize(self) -> None:
        """Wait until everything that was given to it is done."""
        self._stream.synchronize()

    def query(self) -> bool:
        """Is everything that was given to it done?"""
        return bool(self._stream.done)

    def record_event(self, event: "Event | None" = None) -> "Event":
        """Mark what was given to it so far."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: "Event") -> None:
        """Let work given from now on wait until what the event marks is done."""
        self._stream.wait_event(event._recorded())

    def wait_stream(self, stream: "Stream") -> None:
        """Let work given from now on wait until all that another stream was given is done."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> "Stream":
        """Make it the current stream."""
        context = StreamContext(self)
        context.__enter__()
        self._held.append(context)
        return self

    def __exit__(self, *error: object) -> None:
        """Back to the stream before."""
        self._held.pop().__exit__(*error)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return False
        mine, others = ((s.device_index, s.cuda_stream) for s in (self, other))
        return mine == others  # the default streams of all devices have one handle

    def __hash__(self) -> int:
        return hash((self.device_index, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<autograd_gpu.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class Event:
    """A mark in a stream. With `enable_timing`, `elapsed_time` gives the milliseconds between
    two."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        """`blocking`: who waits for it sleeps. `interprocess` is not there: ValueError."""
        if interprocess:
            raise ValueError("Event(interprocess=True) is not there: events serve one process")
        self.enable_timing, self.blocking = enable_timing, blocking
        self._event: Any = None

    def _recorded(self) -> Any:
        if self._event is None:
            raise RuntimeError("the event was not recorded: call record() first")
        return self._event

    def record(self, stream: Stream | None = None) -> None:
        """Mark what a stream (default: the current one) was given so far."""
        xp = lib("Event")
        stream = current_stream() if stream is None else stream
        if self._event is None:
            with xp.device(stream.device_index):
                self._event = xp.module.cuda.Event(
                    block=self.blocking, disable_timing=not self.enable_timing
                )
        self._event.record(stream._stream)

    def query(self) -> bool:
        """Is everything that it marks done? True where it was never recorded, as in PyTorch."""
        return self._event is None or bool(self._event.done)

    def synchronize(self) -> None:
        """Wait until what it marks is done."""
        if self._event is not None:
            self._event.synchronize()

    def wait(self, stream: Stream | None = None) -> None:
        """Let a stream (default: the current one) wait for it."""
        (current_stream() if stream is None else stream).wait_event(self)

    def elapsed_time(self, end_event: "Event") -> float:
        """Milliseconds from this event to another. ValueError where one does not keep times,
        RuntimeError where one was not recorded."""
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._event is None or end_event._event is None:
            raise RuntimeError("Both events must be recorded before calculating elapsed time.")
        elapsed = lib("Event").module.cuda.get_elapsed_time
        return float(elapsed(self._event, end_event._event))


class StreamContext:
    """A context in which a stream, and its device, are the current ones; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        """See the class."""
        self.stream = stream
        self._left: list[Any] = []

    def __enter__(self) -> None:
        """Make it the current stream."""
        if self.stream is None:
            return
        place = lib("stream").device(self.stream.device_index)
        place.__enter__()
        self.stream._stream.__enter__()
        self._left.append(place)

    def __exit__(self, *error: object) -> None:
        """Back to the stream before."""
        if self.stream is not None:
            self.stream._stream.__exit__(*error)
            self._left.pop().__exit__(*error)


def stream(stream: Stream | None) -> StreamContext:
    """`with cuda.stream(s)`: work is given to `s`."""
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    """The stream that work is given to."""
    xp, index = lib("current_stream"), index_of(device, "current_stream")
    with xp.device(index):
        return Stream._of(xp.module.cuda.get_current_stream(), index)


def default_stream(device: Any = None) -> Stream:
    """The stream that is current where no other was chosen."""
    xp, index = lib("default_stream"), index_of(device, "default_stream")
    return Stream._of(xp.module.cuda.Stream.null, index)


def set_stream(stream: Stream) -> None:
    """Make a stream the current one for good; better is `with cuda.stream(s)`."""
    if stream is not None:
        lib("set_stream").module.cuda.runtime.setDevice(stream.device_index)
        stream._stream.use()
