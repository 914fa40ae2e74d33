"""Times of a call, on the CPU and on a GPU."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Clock", "CpuClock", "CudaClock", "interleaved", "seconds"]

Call = Callable[[], Any]


class Clock:
    """How the seconds of a number of calls are measured."""

    def run(self, call: Call, count: int) -> float:
        """Seconds for `count` calls."""
        raise NotImplementedError


class CpuClock(Clock):
    """The time that passes: a call is done when it returns."""

    def run(self, call: Call, count: int) -> float:
        """See Clock."""
        start = time.perf_counter()
        for _ in range(count):
            call()
        return time.perf_counter() - start


class CudaClock(Clock):
    """What passes on the device between two events. The device is idle when the first is recorded,
    so launching counts where it takes longer than the work, as it does in a program."""

    def __init__(self, cuda: Any) -> None:
        """`cuda`: `autograd_gpu.cuda`, or PyTorch's of the same names."""
        self.cuda = cuda

    def run(self, call: Call, count: int) -> float:
        """See Clock."""
        first, last = (self.cuda.Event(enable_timing=True) for _ in range(2))
        self.cuda.synchronize()
        first.record()
        for _ in range(count):
            call()
        last.record()
        last.synchronize()
        return float(first.elapsed_time(last)) / 1e3


def _count(clock: Clock, call: Call, block: float) -> int:
    """How many calls take about `block` seconds. The calls made meanwhile compile kernels, fill
    pools and caches, and let a GPU wake up, which takes it some milliseconds."""
    call()
    once, passed = clock.run(call, 1), 0.0
    while passed < block:
        once = clock.run(call, 1)
        passed += max(once, 1e-6)
    return max(1, min(10000, int(block / max(once, 1e-9))))


def seconds(clock: Clock, call: Call, rounds: int = 7, block: float = 0.02) -> float:
    """The median of some rounds, of seconds a call; a round takes about `block` seconds."""
    return interleaved([(clock, call)], rounds, block)[0]


def interleaved(
    calls: Sequence[tuple[Clock, Call]], rounds: int = 7, block: float = 0.02
) -> list[float]:
    """The same of several calls, one round of each in turn: a machine that slows down slows all."""
    counts = [_count(clock, call, block) for clock, call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for (clock, call), count, kept in zip(calls, counts, times, strict=True):
            kept.append(clock.run(call, count) / count)
    return [statistics.median(kept) for kept in times]
