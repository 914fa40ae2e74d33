"""Profiles on CUDA: times by events, bytes of the device, NVTX ranges."""

import json
from types import SimpleNamespace

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd.profiler import emit_nvtx, profile, record_function
from autograd_gpu.testing.standin import streams


@pytest.fixture
def slow_clock(monkeypatch):
    """Events of the stand-in tell the time of a clock that goes on by 1 ms each time it is read."""
    now = iter(range(1, 10**6))
    monkeypatch.setattr(streams.time, "perf_counter", lambda: next(now) / 1e3)


def test_times_of_the_device(cuda, slow_clock):
    x = ag.ones(4, device="cuda")
    y = ag.ones(4)
    with profile(use_device="cuda") as prof:
        x.exp()
        y.exp()
        with record_function("both"):
            ag.nn.functional.linear(ag.ones(2, 4, device="cuda"), ag.ones(3, 4, device="cuda"), ag.ones(3, device="cuda"))
    of = {e.name: e for e in prof.function_events}
    on_device, on_host = (e for e in prof.function_events if e.name == "aten::exp")
    assert on_device.device_time_total == pytest.approx(1000), "an event before and one after: 1 ms"
    assert on_host.device_time_total == on_host.self_device_time_total == 0
    linear, addmm = of["aten::linear"], of["aten::addmm"]
    assert addmm.device_time_total == pytest.approx(1000)
    assert linear.device_time_total == pytest.approx(3000) and linear.self_device_time_total == pytest.approx(2000)
    assert of["both"].device_time_total == pytest.approx(6000), "three ones and linear"
    assert of["both"].self_device_time_total == pytest.approx(0)
    average = next(a for a in prof.key_averages() if a.key == "aten::exp")
    assert average.device_time_total == pytest.approx(1000) and average.device_time == pytest.approx(500)
    assert average.cuda_time == average.device_time


def test_the_table_has_columns_of_the_device(cuda, slow_clock):
    ag.ones(4, device="cuda").exp()
    with profile(use_cuda=True, profile_memory=True) as prof:
        ag.ones(4, device="cuda").exp()
    averages = prof.key_averages()
    lines = averages.table(sort_by="cuda_time_total").splitlines()
    for title in ("Self CUDA", "Self CUDA %", "CUDA total", "CUDA time avg", "CUDA Mem", "Self CUDA Mem"):
        assert title in lines[1]
    assert lines[3].split()[-2:] == ["B", "1"] and "1.000ms" in lines[3] and " 50.00%" in lines[3]
    assert lines[-1] == "Self CUDA time total: 2.000ms"


def test_bytes_of_the_device(cuda):
    x = ag.ones(10, requires_grad=True, device="cuda")
    with profile(profile_memory=True) as prof:
        y = x.exp().view(5, 2)
        y.cpu()
        y.sum().backward()
    of = {e.name: e for e in prof.function_events}
    assert (of["aten::exp"].device_memory_usage, of["aten::exp"].cpu_memory_usage) == (40, 0)
    assert (of["aten::view"].device_memory_usage, of["aten::_to_copy"].cpu_memory_usage) == (0, 40)
    assert of["ExpBackward0"].device_memory_usage == 40


def test_nodes_take_the_device_time_too(cuda, slow_clock):
    x = ag.ones(4, requires_grad=True, device="cuda")
    with profile(use_device="cuda") as prof:
        x.exp().sum().backward()
    of = {e.name: e for e in prof.function_events}
    assert of["ExpBackward0"].device_time_total == pytest.approx(1000)
    assert of["autograd::engine::evaluate_function: ExpBackward0"].device_time_total == pytest.approx(1000)
    assert of["torch::autograd::AccumulateGrad"].device_time_total == pytest.approx(1000)
    assert x.grad.tolist() == pytest.approx([2.718281828] * 4)


def test_optimizers_take_the_device_time_too(cuda, slow_clock):
    x = ag.ones(4, requires_grad=True, device="cuda")
    optimizer = ag.optim.SGD([x], lr=1.0)
    with profile(use_device="cuda", record_shapes=True) as prof:
        x.sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    step, zero = (e for e in prof.function_events if e.name.startswith("Optimizer."))
    assert step.device_time_total == pytest.approx(1000) and zero.device_time_total == pytest.approx(1000)
    assert step.input_shapes == [] and x.tolist() == [0] * 4


def test_each_device_has_its_own_clock(two_devices):
    a, b = ag.ones(4, device="cuda:0"), ag.ones(4, device="cuda:1")
    with profile(use_device="cuda") as prof:
        a.exp()
        b.exp()
        with ag.cuda.device(1):
            ag.ones(4, device="cuda:1")
    events = [e for e in prof.function_events if e.name != "[first call]"]
    assert [e.device_number for e in events] == [0, 1, 1]
    assert all(e.device_range.elapsed_us() > 0 for e in events)


def test_events_are_recorded_on_the_device_of_the_op(two_devices, monkeypatch):
    record, on = streams.Event.record, []
    x, grad = ag.ones(4, device="cuda:1", requires_grad=True), ag.ones(4, device="cuda:1")

    def noted(event, stream=None):
        on.append(streams.current_device())
        record(event, stream)

    monkeypatch.setattr(streams.Event, "record", noted)
    with profile(use_device="cuda"):
        on.clear()
        y = x.exp()
        y.backward(grad)
    assert set(on) == {1} and len(on) >= 6


def test_streams_are_rows_of_the_trace(cuda, tmp_path):
    side = ag.cuda.Stream()
    x = ag.ones(4, device="cuda")
    with profile(use_device="cuda") as prof:
        x.exp()
        with ag.cuda.stream(side):
            x.sin()
        ag.ones(3)
    prof.export_chrome_trace(tmp_path / "trace.json")
    rows = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    on_device = {row["name"]: row for row in rows if row.get("cat") == "gpu_op"}
    assert set(on_device) == {"aten::exp", "aten::sin"}
    assert on_device["aten::sin"]["tid"] == side.cuda_stream != on_device["aten::exp"]["tid"]
    assert all(row["pid"] == 0 and row["dur"] > 0 and row["ts"] >= 0 for row in on_device.values())
    named = {(row["pid"], row["tid"]): row["args"]["name"] for row in rows if row["name"] == "thread_name"}
    assert named[0, side.cuda_stream] == f"stream {side.cuda_stream:#x}"
    host = next(row for row in rows if row["name"] == "aten::exp" and row["cat"] == "cpu_op")
    assert host["ts"] <= on_device["aten::exp"]["ts"] + 1000, "both clocks begin together"


def test_activities(cuda):
    P = ag.profiler
    assert P.supported_activities() == {P.ProfilerActivity.CPU, P.ProfilerActivity.CUDA}
    with P.profile(activities=[P.ProfilerActivity.CUDA]) as prof:
        ag.ones(4, device="cuda").exp()
    assert all(e.device_time_total > 0 for e in prof.events() if e.name != "[first call]")
    with P.profile(activities=[P.ProfilerActivity.CPU]) as prof:
        ag.ones(4, device="cuda").exp()
    assert all(e.device_time_total == 0 for e in prof.events())


@pytest.fixture
def nvtx(cuda, monkeypatch):
    """CuPy's bindings of NVTX, as far as they are used: what was pushed, indented."""
    said, depth = [], [0]

    def push(name):
        said.append("  " * depth[0] + name)
        depth[0] += 1

    def pop():
        depth[0] -= 1

    monkeypatch.setattr(cuda.cuda, "nvtx", SimpleNamespace(RangePush=push, RangePop=pop), raising=False)
    yield said
    assert depth == [0]


def test_nvtx_ranges(nvtx):
    x = ag.ones(2, 3, requires_grad=True, device="cuda")
    y = x * 2
    (y.unbind(0)[0] * y).sum()
    with emit_nvtx(record_shapes=True):
        with record_function("forward"):
            y = x * 2
        first, second = y.unbind(0)
        (first * second).sum().backward()
        with pytest.raises(RuntimeError):
            ag.ones(2) + ag.ones(3)
    x * 2
    number = y._edge.seq
    assert nvtx[:2] == ["forward", "  aten::mul, sizes = [[2, 3], []]"]
    assert nvtx[2].startswith("aten::unbind, sizes = [[2, 3]")
    assert f"MulBackward0, seq = {number}" in nvtx and "torch::autograd::AccumulateGrad, seq = 0" in nvtx
    assert nvtx[-1].startswith("aten::add") and not [line for line in nvtx if "Output" in line]


def test_nvtx_is_not_entered_twice(nvtx):
    ranges = emit_nvtx()
    with ranges:
        with pytest.raises(RuntimeError, match="NVTX annotation context manager is not reentrant"):
            ranges.__enter__()
    nvtx.clear()
    ag.ones(2)
    assert nvtx == []


def test_a_cupy_without_nvtx(cuda):
    with pytest.raises(RuntimeError, match="built without NVTX"), emit_nvtx():
        raise AssertionError("it was entered")
    assert ag.exp.__code__.co_name != "through"
