"""bench/on_gpu.py: the whole plan runs on the stand-in, and no stage can stop another."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..kernels.conftest import require_emulator

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "bench" / "on_gpu.py"


def run(*arguments, limit=280):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=limit, cwd=ROOT
    )


def found(folder):
    (path,) = folder.glob("*.json")
    return json.loads(path.read_text())


@pytest.mark.slow
def test_the_whole_plan(tmp_path):
    require_emulator()
    done = run("--dry-run", "--out", tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    stages = found(tmp_path)["stages"]
    assert list(stages) == [
        "compile", "behaviour", "bandwidth", "launch", "gemm", "training", "parity", "tests", "sanitizer",
    ]  # fmt: skip
    assert all(s["state"] == "ok" and s["details"] for s in stages.values()), stages
    assert stages["tests"]["details"]["passed"] > 10 and not stages["tests"]["details"]["failed"]
    assert stages["parity"]["details"]["float32"] == "4 of 4 ops within tolerance"
    assert "needs a GPU" in stages["behaviour"]["details"]["streams"]
    assert "0 failed" not in done.stdout and "written to" in done.stdout


def test_a_stage_that_takes_too_long_stops_no_other(tmp_path):
    require_emulator()
    done = run("--dry-run", "--out", tmp_path, "--minutes", 0.001, "--only", "compile", "parity")
    assert done.returncode == 1
    assert [s["state"] for s in found(tmp_path)["stages"].values()] == ["no time left"] * 2


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "bench")
    import on_gpu

    return on_gpu


def test_what_a_stage_found_survives_it(on_gpu, tmp_path, monkeypatch):
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import sys, time, json\npart = sys.argv[sys.argv.index('--part') + 1]\n"
        "json.dump({'so far': 1}, open(part, 'w'))\nprint('working', flush=True)\ntime.sleep(60)\n"
    )
    monkeypatch.setattr(on_gpu, "__file__", str(slow))
    stage = on_gpu.run_stage("parity", tmp_path / "x.part", 3, True)
    assert stage["state"] == "out of time" and stage["details"] == {"so far": 1} and "working" in stage["said"]
    slow.write_text("raise SystemExit('broken')")
    stage = on_gpu.run_stage("parity", tmp_path / "y.part", 30, True)
    assert (stage["state"], stage["details"]) == ("failed", {}) and "broken" in stage["said"]


def test_without_a_gpu_it_says_so(monkeypatch):
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import autograd_gpu._core.library as l; l._imported.append('none here')"
    rest = f"; sys.argv = ['on_gpu.py']; import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code + rest], capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and "there is no GPU: none here; --dry-run runs the plan" in done.stderr


def test_sanitizer_reports_are_read(on_gpu, tmp_path):
    from _checks import _read
    from _stages import Note

    note = Note(tmp_path / "note")
    clean = "launched 5 of 5 kernels\n========= ERROR SUMMARY: 0 errors\n"
    assert _read(note, "memcheck", 0, clean)
    assert _read(note, "racecheck", 0, "launched 5\n========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n")
    assert not _read(note, "memcheck", 9, clean.replace("0 errors", "3 errors"))
    assert note.found["memcheck, reports"]
    assert not _read(note, "initcheck", 1, "Traceback\nImportError\n")
    assert not _read(note, "synccheck", 0, "========= ERROR SUMMARY: 0 errors\n"), "nothing was launched"
