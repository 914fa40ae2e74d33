"""Every op runs on CuPy itself, up to the driver: no call of ours is refused by its code."""

import subprocess
import sys

import pytest

# What a result of zeros makes an op refuse.
VALUES = (
    "Target ", "all elements of input should be between 0 and 1", "input matrix is singular",
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_walk_over_the_table(real, dtype):
    command = [sys.executable, "-W", "ignore", "-m", "tests.standin.walk_on_cupy", dtype]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines and lines[-1] == "done", done.stderr[-2000:]
    refused = [line for line in lines[:-1] if not any(text in line for text in VALUES)]
    assert not refused, "\n".join(refused)
