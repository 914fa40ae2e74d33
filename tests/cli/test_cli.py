"""The command line, run as a subprocess: training, resuming, Ctrl-C, and bad input."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.cli import _train, main


def command(*args):
    return [sys.executable, "-m", "autograd_gpu", *map(str, args)]


def run(*args, **options):
    return subprocess.run(
        command(*args), capture_output=True, text=True, timeout=120, **options
    )  # fmt: skip


def refused(*args):
    """The one line of error of a command that must fail; run in this process, which is quicker."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(arg) for arg in args])
        except SystemExit as stop:
            status = stop.code
    assert status == 2 and out.getvalue() == "", (status, out.getvalue())
    return one_error(err.getvalue())


def one_error(text):
    assert text.count("\n") == 1 and text.endswith("\n") and "error: " in text, text
    return text


def records(out):
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def numbers(out):
    """The metrics without the times."""
    return [
        {k: v for k, v in record.items() if k not in ("seconds", "samples_per_second")}
        for record in records(out)
    ]


def weights(path):
    return {k: v.tolist() for k, v in ag.load(path)["model"].items()}


def test_default_run(tmp_path):
    start = time.monotonic()
    result = run("train", "--out", tmp_path)
    seconds = time.monotonic() - start
    assert result.returncode == 0, result.stderr
    accuracy = float(re.search(r"test accuracy ([\d.]+)%", result.stdout)[1])
    assert accuracy >= 97.0 and seconds < 60  # 20 on an idle machine
    assert "359 held out" in result.stdout and "\r" not in result.stderr
    assert len(result.stderr.splitlines()) == 30
    assert [r["epoch"] for r in records(tmp_path)] == list(range(1, 31))
    assert (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    "model, optimizer", [("linear", "sgd"), ("linear", "rmsprop"), ("cnn", "adamw")]
)
def test_models_and_optimizers(tmp_path, model, optimizer):
    epochs = 3 if model == "cnn" else 8
    result = run("train", "--model", model, "--optimizer", optimizer, "--epochs", epochs,
                 "--out", tmp_path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert records(tmp_path)[-1]["test_accuracy"] > 0.85


def test_curves(tmp_path):
    pytest.importorskip("matplotlib")
    result = run("train", "--epochs", 2, "--out", tmp_path)
    assert f"curves      {tmp_path / 'curves.png'}" in result.stdout
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_extra_one_line_says_how_to_get_it(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('absent')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = run("train", "--epochs", 1, "--out", tmp_path,
                 env={**os.environ, "PYTHONPATH": path})  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert 'pip install "autograd_gpu[app]"' in result.stdout
    assert not (tmp_path / "curves.png").exists()


def test_seeds(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run("train", "--epochs", 1, "--seed", seed, "--out", tmp_path / name).returncode == 0
    a, b, c = (weights(tmp_path / name / "checkpoint.pt") for name in "abc")
    assert a == b and a != c


def test_resume_is_bit_identical(tmp_path):
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert run("train", "--epochs", 4, "--seed", 5, "--out", whole).returncode == 0
    options = _train.settle(namespace(epochs=4, seed=5), None)
    train = _train.Run(options, _train._data.load(None), "cpu")
    half.mkdir()
    progress = _train.Progress(0, 4, len(train.loader))
    for _ in range(2):
        train.one_epoch(progress)
    _train._checkpoint.write(half / "checkpoint.pt", train)
    result = run("train", "--resume", half / "checkpoint.pt")
    assert result.returncode == 0, result.stderr
    assert numbers(whole) == numbers(half)
    assert weights(whole / "checkpoint.pt") == weights(half / "checkpoint.pt")
    longer = run("train", "--resume", half / "checkpoint.pt", "--epochs", 6)
    assert longer.returncode == 0, longer.stderr
    rates = [record["lr"] for record in records(half)]
    assert len(rates) == 6 and rates[4] > rates[5] > 0


def namespace(**given):
    names = ("model", "epochs", "optimizer", "batch_size", "seed", "lr", "data")
    return type("Options", (), {**dict.fromkeys(names), **given})


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_interrupt_saves_and_says_where(tmp_path):
    process = subprocess.Popen(
        command("train", "--epochs", 100000, "--out", tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(3):
        process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    said = re.search(r"interrupted; saved after (\d+) of 100000 epochs: (.*)\n", err)
    assert int(said[1]) >= 3 and said[2] == str(tmp_path / "checkpoint.pt")
    state = ag.load(said[2])
    assert state["epoch"] == int(said[1]) and "--resume" in err
    epochs = state["epoch"] + 1
    assert run("train", "--resume", said[2], "--epochs", epochs).returncode == 0
    assert len(records(tmp_path)) == epochs


def blobs(rng, shape, classes=3):
    y = rng.integers(0, classes, shape[0])
    x = rng.standard_normal(shape) + 4 * y.reshape(-1, *[1] * (len(shape) - 1))
    return x, y


def test_own_data(tmp_path):
    rng = np.random.default_rng(0)
    x, y = blobs(rng, (200, 6))
    np.savez(tmp_path / "flat.npz", x=x, y=y)
    result = run("train", "--data", tmp_path / "flat.npz", "--epochs", 20, "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "40 held out" in result.stdout and records(tmp_path)[-1]["test_accuracy"] > 0.8
    x, y = blobs(rng, (120, 3, 8, 8))
    np.savez(tmp_path / "parts.npz", x_train=x[:90].astype("f"), y_train=y[:90].astype("u1"),
             x_test=x[90:], y_test=y[90:])  # fmt: skip
    result = run("train", "--data", tmp_path / "parts.npz", "--model", "cnn", "--epochs", 5,
                 "--out", tmp_path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "30 held out" in result.stdout
    again = run("train", "--resume", tmp_path / "checkpoint.pt", "--epochs", 6)
    assert again.returncode == 0, again.stderr
    said = refused("train", "--resume", tmp_path / "checkpoint.pt", "--data", tmp_path / "flat.npz")
    assert "sample" in said or "other data" in said or "size mismatch" in said


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


BAD_DATA = {
    "names": ({"a": np.ones(3)}, "has the arrays a"),
    "lengths": ({"x": np.ones((9, 2)), "y": np.zeros(8, int)}, "9 samples"),
    "labels": ({"x": np.ones((9, 2)), "y": np.zeros(9)}, "integers"),
    "negative": ({"x": np.ones((9, 2)), "y": -np.ones(9, int)}, "counted from 0"),
    "nan": ({"x": np.full((9, 2), np.nan), "y": np.zeros(9, int)}, "NaN"),
    "few": ({"x": np.ones((2, 2)), "y": np.zeros(2, int)}, "too little"),
    "text": ({"x": np.array([["a"]] * 9), "y": np.zeros(9, int)}, "real numbers"),
    "objects": ({"x": np.array([[None]] * 9), "y": np.zeros(9, int)}, "not a usable"),
    "vector": ({"x": np.ones(9), "y": np.zeros(9, int)}, "real numbers"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_arrays(tmp_path, case):
    arrays, words = BAD_DATA[case]
    assert words in refused("train", "--data", save(tmp_path / "bad.npz", **arrays))


def test_bad_files(tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(b"this is neither an archive nor a checkpoint")
    good = save(tmp_path / "good.npz", x=np.ones((9, 2)), y=np.zeros(9, int))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(good.read_bytes()[:200])
    np.save(tmp_path / "single.npy", np.ones(3))
    assert "no such file" in refused("train", "--data", tmp_path / "absent.npz")
    for path in (junk, cut, tmp_path / "single.npy", tmp_path):
        assert str(path) in refused("train", "--data", path)
    assert "no such file" in refused("train", "--resume", tmp_path / "absent.pt")
    for path in (junk, cut, good, tmp_path):
        assert "cannot resume" in refused("train", "--resume", path)
    ag.save({"other": 1}, tmp_path / "other.pt")
    assert "not a checkpoint" in refused("train", "--resume", tmp_path / "other.pt")
    assert "cnn needs images" in refused("train", "--model", "cnn", "--data", good)
    assert str(junk) in refused("train", "--epochs", 1, "--out", junk)


def test_a_cut_checkpoint_is_refused(tmp_path):
    assert run("train", "--epochs", 1, "--out", tmp_path).returncode == 0
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    assert "cannot resume" in refused("train", "--resume", tmp_path / "cut.pt")
    assert "differs from the checkpoint's" in refused(
        "train", "--resume", tmp_path / "checkpoint.pt", "--lr", "0.5"
    )


@pytest.mark.parametrize(
    "args",
    [
        ["train", "--epochs", "0"], ["train", "--epochs", "many"], ["train", "--lr", "-1"],
        ["train", "--lr", "nan"], ["train", "--lr", "inf"], ["train", "--model", "rnn"],
        ["train", "--optimizer", "none"], ["train", "--seed", "-1"], ["train", "--what"],
        ["train", "--batch-size", "0"], ["train", "--device", "tpu"], ["sing"], [],
    ],
)  # fmt: skip
def test_bad_arguments(args):
    assert "--help" in refused(*args)


@pytest.mark.parametrize("args", [["train", "--epochs", "0"], ["train", "--data", "absent.npz"]])
def test_bad_input_ends_the_program_with_one_line(args):
    result = run(*args)
    assert result.returncode == 2 and result.stdout == ""
    one_error(result.stderr)


def test_cuda_that_is_not_there():
    available, _ = _train.cuda_status()
    if available:
        pytest.skip("there is a CUDA device here")
    assert "CUDA is not available: " in refused("train", "--device", "cuda")


def test_info():
    result = run("info")
    assert result.returncode == 0 and result.stderr == ""
    for words in ("autograd_gpu ", "NumPy ", "BLAS ", "CUDA ", np.__version__):
        assert words in result.stdout


def test_help():
    result = run("train", "--help")
    assert result.returncode == 0 and "--resume" in result.stdout


def test_a_closed_pipe_is_no_traceback():
    process = subprocess.Popen(
        command("info"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.wait()
