"""The examples of README and of docs/ print what is said there, and README's blocks are the ones
that CI runs."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from autograd_gpu.testing import standin

from . import seen
from .kernels.conftest import require_emulator, require_nvrtc

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM = re.compile(r"^```python\n(.*?)^```$(?:\n\nprints\n\n```text\n(.*?)^```$)?", re.M | re.S)


def programs(path):
    """[(program, what it prints)], in order: each goes on where the one before ended."""
    return PROGRAM.findall((ROOT / path).read_text(encoding="utf-8"))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(path):
    namespace: dict = {}
    for program, expected in programs(path):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(program, path, "exec"), namespace)
        assert out.getvalue() == expected, program
    return namespace


def test_examples_print_what_they_say():
    assert len(programs("README.md")) >= 5
    namespace = run("README.md")
    namespace["test_mine"]("cpu")


@pytest.mark.parametrize("path", ["README.md", "docs/gpu.md", "docs/own_kernels.md"])
def test_examples_on_a_device(path):
    """With the stand-in for a GPU: README's examples take one where there is one."""
    require_emulator()
    if path == "docs/own_kernels.md":
        require_nvrtc()
    with standin.activate():
        namespace = run(path)
        for name in [n for n in namespace if n.startswith("test_")]:
            namespace[name]("cuda")


def test_the_first_block_does_the_main_job_and_the_second_passes_the_tests():
    first, second, *_ = blocks("bash")
    assert first.splitlines() == ['python -m pip install ".[app]"', "autograd-gpu train"]
    assert second.splitlines()[0] == 'python -m pip install -e ".[test,audit]"'
    assert second.splitlines()[1].startswith("python -m pytest")


def test_ci_runs_the_second_block():
    assert "block 2" in (ROOT / ".ci" / "run").read_text()


def test_what_only_a_gpu_can_show():
    """The list has a row for each stage of bench/on_gpu.py, with when it was last seen."""
    assert [stage for _, stage, _ in seen.rows(README)] == seen.stages()
    assert seen.rendered(README) == README, "stale: run python -m tests.seen"


def test_last_seen(tmp_path):
    """A stage was seen where it passed, on a GPU, the last time that it did."""

    def write(name, date, card, state, dry=False):
        machine = {"date": date, "card": card, "dry_run": dry}
        run = {"machine": machine, "stages": {"launch": {"state": state}}}
        (tmp_path / name).write_text(json.dumps(run))

    assert seen.last_seen("launch", tmp_path) == "not yet"
    write("a.json", "2026-01-02 10:00", "Stand-in", "ok", dry=True)
    write("b.json", "2026-01-03 10:00", "Card", "failed")
    assert seen.last_seen("launch", tmp_path) == "not yet"
    write("c.json", "2026-01-01 10:00", "Card", "ok")
    write("d.json", "2025-12-31 10:00", "Older", "ok")
    assert seen.last_seen("launch", tmp_path) == "2026-01-01, Card"
    assert "| `launch` | 2026-01-01, Card |" in seen.rendered(README, tmp_path)
    assert "| `parity` | not yet |" in seen.rendered(README, tmp_path)
