"""`autograd-gpu parity`: its table, its file, and what it says when it cannot."""

import json

import pytest

from autograd_gpu.cli import main
from autograd_gpu.testing import parity

from ..kernels.conftest import require_emulator


def test_table_and_file(tmp_path, capsys):
    require_emulator()
    path = tmp_path / "rows.json"
    assert main(["parity", "--device", "standin", "--ops", "tanh", "sum", "--json", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.splitlines()[-1] == "4 rows, 0 beyond tolerance"
    rows = json.loads(path.read_text())
    assert {(r["name"], r["dtype"]) for r in rows} == {(n, d) for n in ("tanh", "sum") for d in ("float32", "float64")}
    assert all(r["calls"] and not r["error"] for r in rows)


def test_a_difference_is_exit_status_1(monkeypatch, capsys):
    rows = [parity.Row("tanh", "float32", 3, error="1 on the CPU, 2 on the device")]
    monkeypatch.setattr(parity, "parity", lambda *args: rows)
    assert main(["parity"]) == 1
    assert "1 rows, 1 beyond tolerance" in capsys.readouterr().out


def test_all_that_differ_are_shown(monkeypatch, capsys):
    rows = [parity.Row(f"op{k}", "float32", 1, error="wrong") for k in range(90)]
    monkeypatch.setattr(parity, "parity", lambda *args: [*rows, parity.Row("fine", "float32", 1)])
    assert main(["parity"]) == 1
    out = capsys.readouterr().out
    assert out.count("wrong") == 90 and "91 rows, 90 shown, 90 beyond" in out


def test_without_a_gpu(monkeypatch, capsys):
    monkeypatch.setattr(parity, "cuda_library", lambda: "no driver here")
    assert main(["parity", "--ops", "tanh"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "no GPU to compare with: no driver here" in err and "--device standin" in err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--ops", "tahn"], "there is no op tahn (there is tan"),
    (["--ops", "qqqqq", "tanh"], "there is no op qqqqq\n"),
    (["--ops", "erf", "--dtype", "complex64"], "none of these ops has samples"),
])  # fmt: skip
def test_problems_are_one_line(arguments, message, capsys):
    require_emulator()
    assert main(["parity", "--device", "standin", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err


def test_the_standin_without_a_compiler(monkeypatch, capsys):
    monkeypatch.setattr("autograd_gpu.testing.emulator.unavailable", lambda: "g++ is missing")
    assert main(["parity", "--device", "standin"]) == 2
    assert "the stand-in runs kernels in the emulator, and g++ is missing" in capsys.readouterr().err
