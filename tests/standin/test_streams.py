"""Streams and events of the stand-in, and the rule of memory that is used on several streams."""

import pytest

from autograd_gpu.testing import standin
from autograd_gpu.testing.standin import lifetimes

Event, Stream = standin.cuda.Event, standin.cuda.Stream


@pytest.fixture(autouse=True)
def fresh():
    standin.get_default_memory_pool().free_all_blocks()
    with lifetimes.checked():
        yield
    standin.get_default_memory_pool().free_all_blocks()


def test_the_current_stream_is_that_of_the_context():
    current = standin.cuda.get_current_stream
    assert current() == Stream.null and current().ptr == 0
    with Stream(non_blocking=True) as stream:
        assert current() is stream
        with Stream() as inner:
            assert current() is inner
        assert current() is stream
    assert current() == Stream.null
    stream.use()
    assert current() is stream
    Stream.null.use()


def test_events_tell_time():
    start, end = Event(), Event()
    start.record()
    end.record()
    end.synchronize()
    assert end.done and standin.cuda.get_elapsed_time(start, end) >= 0
    with pytest.raises(standin.cuda.runtime.CUDARuntimeError):
        standin.cuda.get_elapsed_time(start, Event())
    with pytest.raises(standin.cuda.runtime.CUDARuntimeError):
        untimed = Event(disable_timing=True)
        untimed.record()
        standin.cuda.get_elapsed_time(start, untimed)


def used_and_freed(stream, order=lambda: None):
    """Memory of the default stream, used on another, and freed."""
    x = standin.zeros(1000, "int8")
    with stream:
        kept = x + 1
    order()
    del x
    return kept


def test_memory_freed_too_early_is_reported_when_it_is_handed_out():
    kept = used_and_freed(Stream(non_blocking=True))
    standin.zeros(5000, "int8")  # of another size: other memory
    with pytest.raises(lifetimes.LifetimeError, match="freed while stream 0x.* was handed out again"):
        standin.zeros(1000, "int8")
    assert kept.size


def test_memory_of_the_same_stream_is_safe():
    with Stream(non_blocking=True):
        x = standin.zeros(1000, "int8")
        y = x + 1
        del x
        standin.zeros(1000, "int8")
    assert y.size


def test_an_event_makes_it_safe():
    stream = Stream(non_blocking=True)
    kept = used_and_freed(stream, lambda: Stream.null.wait_event(stream.record()))
    standin.zeros(1000, "int8")
    assert kept.size


def test_an_event_recorded_before_the_work_does_not():
    stream = Stream(non_blocking=True)
    early = stream.record()
    kept = used_and_freed(stream, lambda: Stream.null.wait_event(early))
    with pytest.raises(lifetimes.LifetimeError):
        standin.zeros(1000, "int8")
    assert kept.size


@pytest.mark.parametrize("wait", ["stream", "event", "device"])
def test_waiting_on_the_host_makes_it_safe(wait):
    stream = Stream(non_blocking=True)
    order = {
        "stream": stream.synchronize,
        "event": lambda: stream.record().synchronize(),
        "device": standin.cuda.Device().synchronize,
    }[wait]
    kept = used_and_freed(stream, order)
    standin.zeros(1000, "int8")
    assert kept.size


def test_a_blocking_stream_takes_turns_with_the_default_stream():
    stream = Stream()
    kept = used_and_freed(stream, lambda: standin.zeros(3) + 1)  # work on the default stream
    standin.zeros(1000, "int8")
    assert kept.size


def test_waiting_for_a_third_stream_that_waited_is_enough():
    a, b = Stream(non_blocking=True), Stream(non_blocking=True)

    def order():
        b.wait_event(a.record())
        Stream.null.wait_event(b.record())

    kept = used_and_freed(a, order)
    standin.zeros(1000, "int8")
    assert kept.size


def test_nothing_is_reported_outside_of_the_check():
    used_and_freed(Stream(non_blocking=True))
    with lifetimes.checked():
        pass
    standin.get_default_memory_pool().free_all_blocks()
    standin.zeros(1000, "int8")
