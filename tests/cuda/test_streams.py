"""Streams and events, as far as a device that runs everything at once can show them."""

import pytest

import autograd_gpu as ag


def test_the_current_stream(cuda):
    stream = ag.cuda.Stream()
    before = ag.cuda.current_stream()
    assert before == ag.cuda.default_stream() and before != stream
    with ag.cuda.stream(stream):
        assert ag.cuda.current_stream() == stream
        assert cuda.cuda.get_current_stream().ptr == stream.cuda_stream, "CuPy's own is another"
        y = ag.ones(2, device="cuda") * 2
    assert ag.cuda.current_stream() == before
    stream.synchronize()
    assert stream.query() and y.tolist() == [2, 2]
    with stream:
        assert ag.cuda.current_stream() == stream
    with ag.cuda.stream(None):
        assert ag.cuda.current_stream() == before


def test_streams_wait_for_each_other(cuda):
    first, second = ag.cuda.Stream(), ag.cuda.Stream()
    with ag.cuda.stream(first):
        x = ag.ones(3, device="cuda")
        event = first.record_event()
    second.wait_event(event)
    second.wait_stream(first)
    event.wait(second)
    with ag.cuda.stream(second):
        assert (x + 1).tolist() == [2, 2, 2]
    assert event.query()


def test_times_between_events(cuda):
    first, last = ag.cuda.Event(enable_timing=True), ag.cuda.Event(enable_timing=True)
    with pytest.raises(RuntimeError, match="must be recorded"):
        first.elapsed_time(last)
    first.record()
    ag.ones(100, device="cuda").sum()
    last.record()
    last.synchronize()
    assert first.elapsed_time(last) >= 0
    with pytest.raises(ValueError, match="enable_timing=True"):
        first.elapsed_time(ag.cuda.Event())
    with pytest.raises(ValueError, match="interprocess"):
        ag.cuda.Event(interprocess=True)


def test_a_stream_of_another_device(two_devices):
    stream = ag.cuda.Stream(device=1)
    assert stream.device == ag.device("cuda:1")
    with ag.cuda.stream(stream):
        assert ag.cuda.current_device() == 1
    assert ag.cuda.current_device() == 0


def test_a_tensor_used_on_another_stream(cuda):
    x = ag.ones(2, device="cuda")
    stream = ag.cuda.Stream()
    with ag.cuda.stream(stream):
        y = x + 1
    assert x.record_stream(stream) is None
    del x
    assert y.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="record_stream"):
        ag.ones(2).record_stream(stream)


class Asked:
    """Stands for a stream or an event of CuPy's that is not done yet, and keeps what it was asked."""

    ptr, done = 5, False

    def __init__(self, name, asked):
        self.name, self.asked = name, asked

    def synchronize(self):
        self.asked.append(("synchronize", self.name))

    def record(self, stream):
        self.asked.append(("record", self.name, stream.name))

    def wait_event(self, event):
        self.asked.append(("wait", self.name, event.name))


def test_what_cupy_is_asked(cuda):
    """The stand-in's work is done at once, so that nobody would miss a wait that is left out."""
    asked = []
    stream, event = ag.cuda.Stream._of(Asked("stream", asked), 0), ag.cuda.Event()
    event._event = Asked("event", asked)
    event.record(stream)
    stream.wait_event(event)
    event.wait(stream)
    stream.synchronize()
    event.synchronize()
    wait = ("wait", "stream", "event")
    assert asked == [("record", "event", "stream"), wait, wait, ("synchronize", "stream"), ("synchronize", "event")]
    assert not stream.query() and not event.query() and ag.cuda.Event().query()


def test_a_stream_within_itself(cuda):
    stream, before = ag.cuda.Stream(), ag.cuda.current_stream()
    with stream:
        with stream:
            pass
        assert ag.cuda.current_stream() == stream
    assert ag.cuda.current_stream() == before


def test_the_default_streams_of_two_devices_differ(two_devices):
    first, second = (ag.cuda.default_stream(k) for k in range(2))
    assert first != second and first == ag.cuda.default_stream(0) and len({first, second}) == 2
    assert first != "a stream"


def test_passes_deep_in_each_other_keep_the_stream_and_the_device(two_devices):
    """They run in a thread of their own, for which CUDA and CuPy begin with others."""
    stream, seen = ag.cuda.Stream(device=1), []

    def deeper(grad):
        seen.append((ag.cuda.current_stream(), ag.cuda.current_device()))
        if len(seen) < 25:
            with ag.enable_grad():
                x = ag.ones(1, device="cuda:1", requires_grad=True)
                x.register_hook(deeper)
                (x * 2).sum().backward()

    with ag.cuda.stream(stream):
        x = ag.ones(1, device="cuda:1", requires_grad=True)
        x.register_hook(deeper)
        (x * 2).sum().backward()
    assert seen == [(stream, 1)] * 25
