"""A profile as a file: what chrome://tracing and Perfetto need is in it."""

import gzip
import json
import os
import threading

import pytest

import autograd_gpu as ag


@pytest.fixture
def profiled():
    x = ag.ones(2, 3, requires_grad=True)
    P = ag.autograd.profiler
    with P.profile(record_shapes=True, profile_memory=True, with_stack=True, with_flops=True) as prof:
        with P.record_function("forward", "epoch 3"):
            y = ag.nn.functional.linear(x, ag.ones(4, 3), ag.ones(4)).exp().contiguous()  # returns the tensor itself
        y.sum().backward()
        thread = threading.Thread(target=lambda: x.detach().sin())
        thread.start()
        thread.join()
    return prof


def bars(trace, name):
    return [row for row in trace["traceEvents"] if row["ph"] == "X" and row["name"] == name]


def test_a_trace(profiled, tmp_path):
    profiled.export_chrome_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    rows = [row for row in trace["traceEvents"] if row["ph"] == "X"]
    assert len(rows) == len(profiled.function_events)
    for row in rows:
        assert row["pid"] == os.getpid() and isinstance(row["tid"], int) and row["cat"] in ("cpu_op", "user_annotation")
        assert row["ts"] >= 0 and row["dur"] > 0
    (linear,), (range_,) = bars(trace, "aten::linear"), bars(trace, "forward")
    assert linear["args"]["Input Dims"] == [[2, 3], [4, 3], [4]]
    assert range_["ts"] <= linear["ts"] and linear["ts"] + linear["dur"] <= range_["ts"] + range_["dur"]
    assert range_["cat"] == "user_annotation" and range_["args"]["Args"] == "epoch 3"
    (addmm,) = bars(trace, "aten::addmm")
    assert addmm["args"]["Bytes"] == 32 and addmm["args"]["FLOPs"] == 48
    assert "test_profiler_trace.py" in addmm["args"]["Call stack"]
    event = next(e for e in profiled.function_events if e.name == "aten::linear")
    assert (linear["ts"], linear["dur"]) == (event.time_range.start, event.time_range.elapsed_us())


def test_threads_have_rows_of_their_own(profiled, tmp_path):
    profiled.export_chrome_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    (sin,), (exp,) = bars(trace, "aten::sin"), bars(trace, "aten::exp")
    assert sin["tid"] != exp["tid"] == threading.get_native_id()
    named = {row["tid"]: row["args"]["name"] for row in trace["traceEvents"] if row["name"] == "thread_name"}
    assert named[exp["tid"]] == "thread 1" and named[sin["tid"]] == "thread 2"


def test_arrows_lead_from_ops_to_their_nodes(profiled, tmp_path):
    profiled.export_chrome_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    starts = {row["id"]: row for row in trace["traceEvents"] if row["ph"] == "s"}
    ends = {row["id"]: row for row in trace["traceEvents"] if row["ph"] == "f"}
    assert starts.keys() == ends.keys() and len(starts) == 3
    for op, node in (("aten::exp", "ExpBackward0"), ("aten::sum", "SumBackward0"), ("aten::addmm", "AddmmBackward0")):
        (op,), (node,) = bars(trace, op), bars(trace, node)
        key = next(key for key, row in ends.items() if row["ts"] == node["ts"])
        assert starts[key]["ts"] == op["ts"] < node["ts"]


def test_compressed_and_more_than_once(profiled, tmp_path):
    profiled.export_chrome_trace(str(tmp_path / "trace.json.gz"))
    profiled.function_events.export_chrome_trace(tmp_path / "again.json")
    with gzip.open(tmp_path / "trace.json.gz", "rt") as file:
        assert json.load(file) == json.loads((tmp_path / "again.json").read_text())


def test_stacks(profiled, tmp_path):
    profiled.export_stacks(tmp_path / "stacks.txt")
    lines = (tmp_path / "stacks.txt").read_text().splitlines()
    assert lines and all(line.rsplit(" ", 1)[1].isdigit() and line.count(" ") == 1 for line in lines)
    assert all(":_profiled " in line or ":_<lambda> " in line for line in lines), "the innermost caller is the last"
    with pytest.raises(ValueError, match="metric should be one of"):
        profiled.export_stacks(tmp_path / "stacks.txt", "count")


def test_sums_have_no_place_in_time(profiled, tmp_path):
    with pytest.raises(TypeError, match="sums have no place in time"):
        profiled.key_averages().export_chrome_trace(tmp_path / "trace.json")
    assert not (tmp_path / "trace.json").exists()
