"""on_every_device: users' tests on the CPU and on a CUDA device."""

import tomllib
from pathlib import Path

import autograd_gpu as ag
from autograd_gpu.testing import emulator, standin
from autograd_gpu.testing.plugin import on_every_device  # noqa: F401

from ..kernels.conftest import require_emulator

pytest_plugins = "pytester"
ROOT = Path(__file__).parents[2]
MINE = """
import autograd_gpu as ag
from autograd_gpu.testing.plugin import on_every_device

def test_mine(on_every_device):
    x = ag.ones(3, device=on_every_device, requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.device.type == on_every_device and x.grad.tolist() == [2, 2, 2]

def test_wrong(on_every_device):
    assert on_every_device == "cpu"
"""


def test_both_devices(on_every_device):  # noqa: F811
    require_emulator()
    x = ag.arange(4, device=on_every_device)
    assert x.device.type == on_every_device and x.sum().item() == 6


def test_a_users_test_runs_twice(pytester):
    require_emulator()
    pytester.makepyfile(MINE)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*test_wrong?cuda?*"])


def test_skipped_with_the_reason_where_there_is_neither(pytester, monkeypatch):
    monkeypatch.setattr(emulator, "unavailable", lambda: "g++ is missing")
    monkeypatch.setattr("autograd_gpu._core.device.cuda_status", lambda: (False, "no GPU"))
    pytester.makepyfile(MINE)
    result = pytester.runpytest_inprocess("-rs", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*there is no GPU, and for the stand-in g++ is missing*"])


def test_pytest_finds_it_by_itself():
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert entries["pytest11"] == {"autograd_gpu": "autograd_gpu.testing.plugin"}


def test_a_gpu_goes_before_the_stand_in(pytester, monkeypatch):
    require_emulator()
    asked = []

    def context(device):
        asked.append(device)
        return standin.activate()

    monkeypatch.setattr("autograd_gpu._core.device.cuda_status", lambda: (True, ""))
    monkeypatch.setattr("autograd_gpu.testing.parity.device_context", context)
    pytester.makepyfile(MINE)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3, failed=1)
    assert asked == ["cuda", "cuda"]
