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
