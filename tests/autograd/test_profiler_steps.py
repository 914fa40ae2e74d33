"""`torch.profiler`: activities, schedules and steps."""

import gzip
import itertools
import json

import autograd_gpu as ag

from .agree import agree, on_host


@agree
@on_host
def test_schedules(t):
    found = []
    for wait, warmup, active, repeat, skip, skip_wait in itertools.product((0, 2), (0, 1), (1, 3), (0, 2), (0, 3), (0, 1)):
        action = t.profiler.schedule(
            wait=wait, warmup=warmup, active=active, repeat=repeat, skip_first=skip, skip_first_wait=skip_wait
        )
        found.append([action(step).name for step in range(16)])
    return found


@agree
@on_host
def test_cycles(t):
    """wait, warm up, record twice; twice. Each cycle is handed over with its own events alone."""
    P, handed = t.profiler, []

    def ready(prof):
        found = {a.key: a.count for a in prof.key_averages()}
        handed.append((prof.step_num, found["ProfilerStep*"], found.get("aten::exp"), found.get("aten::sin", 0)))

    plan = P.schedule(wait=1, warmup=1, active=2, repeat=2)
    with P.profile(activities=[P.ProfilerActivity.CPU], schedule=plan, on_trace_ready=ready) as prof:
        for i in range(10):
            t.ones(2).exp()
            if i == 2:
                t.ones(2).sin()
            prof.step()
    return handed, prof.step_num, prof.current_action.name


@agree
@on_host
def test_cut_short(t):
    """The program ends within a cycle: what there is is handed over."""
    P, handed = t.profiler, []
    plan = P.schedule(wait=1, warmup=0, active=5)
    with P.profile(
        activities=[P.ProfilerActivity.CPU], schedule=plan,
        on_trace_ready=lambda p: handed.append([a.count for a in p.key_averages() if a.key == "aten::exp"]),
    ) as prof:  # fmt: skip
        for _ in range(3):
            t.ones(2).exp()
            prof.step()
    return handed


@agree
@on_host
def test_two_cycles_without_rest(t):
    P, handed = t.profiler, []
    with P.profile(
        activities=[P.ProfilerActivity.CPU], schedule=P.schedule(wait=0, warmup=0, active=1),
        on_trace_ready=lambda p: handed.append([e.name for e in p.events() if e.name.startswith(("ProfilerStep", "aten::exp"))]),
    ) as prof:  # fmt: skip
        for _ in range(2):
            t.ones(2).exp()
            prof.step()
    return handed[:2]


@agree
@on_host
def test_without_a_schedule(t):
    P, handed = t.profiler, []
    with P.profile(activities=[P.ProfilerActivity.CPU], record_shapes=True, on_trace_ready=lambda p: handed.append(1)) as prof:
        with P.record_function("train"):
            for _ in range(3):
                t.ones(2).exp()
                prof.step()
    text = prof.key_averages().table(sort_by="cpu_time_total", row_limit=10)
    return handed, {a.key: a.count for a in prof.key_averages() if a.key in ("train", "aten::exp")}, "train" in text


@agree
@on_host
def test_start_and_stop(t):
    P = t.profiler
    prof = P.profile(activities=[P.ProfilerActivity.CPU])
    prof.start()
    t.ones(2).exp()
    prof.stop()
    t.ones(2).sin()
    return [e.name for e in prof.events() if e.name in ("aten::exp", "aten::sin")], P.ProfilerActivity.CPU in P.supported_activities()


def test_traces_for_tensorboard(tmp_path):
    P = ag.profiler
    for zipped in (False, True):
        write = P.tensorboard_trace_handler(str(tmp_path / "new" / "folder"), "worker", use_gzip=zipped)
        prof = P.profile(schedule=P.schedule(wait=0, warmup=0, active=1, repeat=1), on_trace_ready=write)
        prof.add_metadata("run", "first")
        with prof:
            prof.add_metadata_json("sizes", "[1, 2]")
            ag.ones(1).exp()
            prof.step()
    plain, packed = sorted((tmp_path / "new" / "folder").iterdir(), key=lambda p: len(p.name))
    assert plain.name.startswith("worker.") and plain.name.endswith(".pt.trace.json")
    assert packed.name.endswith(".pt.trace.json.gz")
    for trace in (json.loads(plain.read_text()), json.loads(gzip.decompress(packed.read_bytes()))):
        assert trace["run"] == "first" and trace["sizes"] == [1, 2]
        assert {"aten::exp", "ProfilerStep#0"} <= {row["name"] for row in trace["traceEvents"]}
