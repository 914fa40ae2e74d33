"""The rule of memory and streams, and a check of it.

CuPy's pool gives memory back to the stream on which it was allocated, the moment its last owner
goes, and hands it to the next allocation on that stream, while the device may be far behind the
host. That is safe where all work on the memory was on that stream. The rule: *whoever uses memory
on another stream must order that work before the memory is freed*: the allocating stream waits for
an event recorded after the work (`stream.wait_event`), or the host synchronizes, or the array is
kept alive until then.

The stand-in runs everything at once, so nothing goes wrong in it. Within `checked()` it keeps the
order that a device would guarantee instead: every stream counts its work, and knows up to where
the work of other streams is finished before its own. Memory that another stream may still use,
and that the pool hands out again, is reported by `LifetimeError`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LifetimeError", "checked", "ended", "freed", "is_on", "ordered", "reused", "submit"]

NULL = 0  # the key of the legacy default stream, which orders itself with blocking streams


class LifetimeError(RuntimeError):
    """Memory was handed out again while another stream might still use it."""


class _Clocks:
    """`count[s]`: pieces of work given to a stream. `known[s][t]`: those of t that are finished
    before what s does next. `host[t]`: those that the host has waited for."""

    def __init__(self) -> None:
        self.count: dict[int, int] = {}
        self.known: dict[int, dict[int, int]] = {}
        self.host: dict[int, int] = {}

    def before(self, stream: int) -> dict[int, int]:
        return self.known.setdefault(stream, {})


_clocks: _Clocks | None = None
_blocking: set[int] = {NULL}


def is_on() -> bool:
    """Is the check running?"""
    return _clocks is not None


@contextmanager
def checked() -> Iterator[None]:
    """Report memory that is handed out again too early, in all threads."""
    global _clocks
    outer, _clocks = _clocks, _Clocks()
    try:
        yield
    finally:
        _clocks = outer


def _merge(into: dict[int, int], more: dict[int, int]) -> None:
    for stream, ticket in more.items():
        if into.get(stream, 0) < ticket:
            into[stream] = ticket


def begun(stream: int, blocking: bool) -> None:
    """A stream exists; `blocking`: it takes turns with the default stream."""
    (_blocking.add if blocking else _blocking.discard)(stream)


def submit(stream: int) -> int:
    """One more piece of work on a stream; its number."""
    if _clocks is None:
        return 0
    ticket = _clocks.count[stream] = _clocks.count.get(stream, 0) + 1
    mine = _clocks.before(stream)
    _merge(mine, _clocks.host)
    if stream == NULL:
        for other in _blocking:
            _merge(mine, _clocks.before(other))
    elif stream in _blocking:
        _merge(mine, _clocks.before(NULL))
    mine[stream] = ticket
    return ticket


def recorded(stream: int) -> dict[int, int]:
    """What an event recorded now stands for."""
    if _clocks is None:
        return {}
    submit(stream)
    return dict(_clocks.before(stream))


def ordered(stream: int, event: dict[int, int]) -> None:
    """A stream waits for an event."""
    if _clocks is not None:
        _merge(_clocks.before(stream), event)


def ended(stream: int | None) -> None:
    """The host has waited for a stream; None: for the whole device."""
    if _clocks is None:
        return
    for key in [stream] if stream is not None else list(_clocks.count):
        _merge(_clocks.host, recorded(key))


def waited(event: dict[int, int]) -> None:
    """The host has waited for an event."""
    if _clocks is not None:
        _merge(_clocks.host, event)


def freed(users: dict[int, int], owner: int) -> dict[int, int] | None:
    """What other streams may still do with memory that has just been freed."""
    if _clocks is None:
        return None
    return {s: t for s, t in users.items() if s != owner} or None


def reused(past: dict[int, int], stream: int) -> None:
    """Memory is handed out for work on `stream`. LifetimeError where that comes too early."""
    if _clocks is None:
        return
    finished = dict(_clocks.before(stream))
    _merge(finished, _clocks.host)
    late = [s for s, ticket in past.items() if finished.get(s, 0) < ticket]
    if late:
        raise LifetimeError(
            f"memory freed while stream {late[0]:#x} may still use it was handed out again on "
            f"stream {stream:#x}: let that stream wait for an event, or synchronize, before the "
            "last owner of the memory goes"
        )
