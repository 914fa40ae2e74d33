"""`autograd-gpu bench`: which calls are timed, the table, the file, the picture, the crossover."""

import json
import sys
import time
from types import SimpleNamespace

import pytest

import autograd_gpu as ag
from autograd_gpu.cli import main
from autograd_gpu.cli._bench import plot, report, run, timing
from autograd_gpu.cli._bench.kernels import CASES
from autograd_gpu.cli._bench.workloads import WORKLOADS
from autograd_gpu.testing import standin

from ..kernels.conftest import require_emulator


@pytest.fixture
def alone(monkeypatch):
    """No PyTorch beside us, which takes long to load."""
    monkeypatch.setattr(run, "_torch", lambda: None)


def test_a_trial_on_the_standin(tmp_path, capsys, alone):
    require_emulator()
    pytest.importorskip("matplotlib")
    path, picture = tmp_path / "times.json", tmp_path / "times.png"
    names = ["a (forward)", "tanh", "matmul"]
    arguments = ["--device", "standin", "--quick", "--json", str(path), "--plot", str(picture)]
    assert main(["bench", *arguments, "--only", *names]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in names) and "standin is" in out and "GFLOP/s" in out
    found = json.loads(path.read_text())
    assert list(found["workloads"]) == ["a (forward)"] and list(found["kernels"]) == ["tanh", "matmul"]
    assert found["machine"]["gpu"] == "Stand-in"
    for rows in found["kernels"].values():
        assert len(rows) == 2 and all(set(t) == {"cpu", "standin"} and min(t.values()) > 0 for t in rows.values())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_trial_leaves_out_what_takes_long(monkeypatch):
    built = []
    monkeypatch.setattr(run, "interleaved", lambda calls, rounds, block: [1e-6] * len(calls))
    for name in WORKLOADS:
        monkeypatch.setitem(run.WORKLOADS, name, lambda lib, device, name=name: built.append(name))
    places = [("cpu", ag, "cpu", timing.CpuClock())]
    run.measure(places, ["tanh", "e"], quick=True)
    assert built == ["e"]
    built.clear()
    found = run.measure(places, None, quick=True)
    assert built == list(run.QUICK) and list(found["kernels"]) == list(CASES)


def test_places(monkeypatch):
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True))
    monkeypatch.setattr(run, "_torch", lambda: torch)
    with standin.activate():
        assert [p[0] for p in run.where("auto")] == ["cpu", "cuda", "torch cpu", "torch cuda"]
        assert [p[0] for p in run.where("standin")] == ["cpu", "standin", "torch cpu", "torch cuda"]
        assert [p[0] for p in run.where("cpu")] == ["cpu", "torch cpu"]


def test_pytorch_is_left_out_where_it_does_not_import(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run._torch() is None

    def broken(name):
        raise OSError("a library is missing")

    monkeypatch.setattr(run, "import_module", broken)
    assert run._torch() is None
    assert "PyTorch is left out, it does not import: a library is missing" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--only", "tahn", "add"], "nothing is called tahn; there are a, a (forward), b"),
    (["--device", "cuda"], "no GPU to measure: "),
])  # fmt: skip
def test_problems_are_one_line(arguments, message, capsys, monkeypatch, alone):
    monkeypatch.setattr("autograd_gpu._core.device.cuda_library", lambda: "none")
    assert main(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err


def test_no_picture_without_matplotlib(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(plot, "available", lambda: False)
    assert main(["bench", "--plot", str(tmp_path / "x.png")]) == 2
    assert "pip install 'autograd_gpu[app]'" in capsys.readouterr().err


@pytest.mark.parametrize(("cuda", "wanted"), [([9, 9, 9], 100), ([9, 20, 9], 100), ([1, 1, 1], 1), ([50] * 3, None)])
def test_crossover(cuda, wanted):
    rows = {str(n): {"cpu": c, "cuda": g} for n, c, g in zip((1, 10, 100), (2, 9, 30), cuda, strict=True)}
    assert report.crossover(rows, "cpu", "cuda") == wanted


def test_sizes_are_numbers():
    rows = {"2": {"cpu": 1, "cuda": 9}, "10": {"cpu": 9, "cuda": 1}, "100": {"cpu": 9, "cuda": 1}}
    assert report.crossover(rows, "cpu", "cuda") == 10


def test_the_cpus_clock_is_of_all_calls():
    assert timing.CpuClock().run(lambda: time.sleep(0.003), 4) >= 0.012


class Ticking(timing.Clock):
    """A clock on which a call takes what it says."""

    def __init__(self):
        self.runs = []

    def run(self, call, count):
        self.runs.append(count)
        for _ in range(count):
            call()
        return count * 0.001


def test_calls_warm_up_and_fill_a_round():
    clock, made = Ticking(), []
    assert timing.seconds(clock, lambda: made.append(1), rounds=3, block=0.01) == pytest.approx(0.001)
    assert clock.runs[-3:] == [10, 10, 10]
    assert 10 <= sum(clock.runs[:-3]) <= 12, "a GPU is to wake up for as long as a round takes"
    assert len(made) == sum(clock.runs) + 1


def test_rounds_alternate():
    order = []
    clock = Ticking()
    timing.interleaved([(clock, lambda: order.append("a")), (clock, lambda: order.append("b"))], 2, 0.0)
    assert "".join(order) == "aabb" + "abab"


def test_a_cuda_clock_waits_for_the_device(monkeypatch):
    events = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            events.append("record")

        def synchronize(self):
            events.append("wait")

        def elapsed_time(self, other):
            return 5.0

    cuda = SimpleNamespace(Event=Event, synchronize=lambda: events.append("idle"))
    assert timing.CudaClock(cuda).run(lambda: events.append("call"), 2) == 0.005
    assert events == ["idle", "record", "call", "call", "record", "wait"]
