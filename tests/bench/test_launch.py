"""bench/launch.py runs on CuPy without a GPU, and ops take the quick way to the driver."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISSING = [t for t in ("gcc", "readelf", "nm") if shutil.which(t) is None]

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("cupy_backends") is None, reason="CuPy is not installed"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}"),
]


def test_every_case_is_timed():
    done = subprocess.run(
        [sys.executable, "bench/launch.py", "--rounds", "1"], capture_output=True, text=True, timeout=200, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) > 18
    assert all(re.search(r"\d+\.\d\d", line) for line in lines[3:]), done.stdout


COUNTED = """
import sys
sys.path[:0] = [{root!r}, {root!r} + "/bench"]
import launch
ag, cupy, _ = launch.libraries()
x, row = ag.ones(4, 4, device="cuda"), ag.ones(4, device="cuda")
calls = [lambda: ag.tanh(x), lambda: x + x, lambda: x * 0.5, lambda: x + row, lambda: x.t() + x]
for call in calls:
    call()
from autograd_gpu._cuda.elementwise import Launcher
from autograd_gpu._ops.declare import Op
def slow(*arguments, **options):
    raise AssertionError("the slow way")
Launcher.__call__ = Launcher.strided = Op.elsewhere = slow
for op in (ag.tanh, ag.add, ag.mul):
    op.op.namespace["elsewhere"] = slow
for call in calls:
    assert call()._array.__class__ is cupy.ndarray
print("quick", flush=True)
import os
os._exit(0)
"""


def test_a_call_seen_before_takes_the_quick_way():
    done = subprocess.run(
        [sys.executable, "-c", COUNTED.format(root=str(ROOT))], capture_output=True, text=True, timeout=100
    )
    assert done.stdout == "quick\n", done.stderr[-3000:]
