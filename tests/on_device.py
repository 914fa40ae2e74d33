"""A pytest plugin: the tests that were written for the stand-in device run on a GPU.

    python -m pytest -p tests.on_device tests/cuda tests/kernels

The module `standin` that tests import is given CuPy's functions, and activates CuPy. What only the
stand-in has is skipped where a test asks for it: lists of launches and of calls, the emulator's
schedules and checks (compute-sanitizer does that on a GPU), a second device. `--device-library
standin` runs the stand-in in the same way, to test the plugin itself.
"""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = (
    "arange", "array", "asarray", "ascontiguousarray", "broadcast_to", "cuda", "empty", "full", "ndarray", "ones",
    "random", "zeros", "zeros_like",
)  # fmt: skip
EMULATED = {"compiled", "in_order"}
"""Fixtures of kernels in the emulator."""


def pytest_addoption(parser):
    group = parser.getgroup("on_device")
    group.addoption("--device-library", choices=("cupy", "standin"), default="cupy")
    group.addoption("--device-results", type=Path, help="write passed, skipped and failed there")


def lacking(what):
    """A function of the stand-in's that a GPU does not have."""

    def skip(*args, **kwargs):
        pytest.skip(f"a GPU has no {what}")

    return skip


def pytest_configure(config):
    from autograd_gpu._core import library
    from autograd_gpu.testing import emulator, standin

    config.device_outcomes = {"passed": 0, "skipped": [], "failed": {}}
    if config.getoption("device_library") == "standin":
        module = dict.fromkeys(NAMES)
        module = type("Module", (), {name: getattr(standin, name) for name in module})
        installed = library.install(standin)
    else:
        installed = library.cuda_library()
        if isinstance(installed, str):
            pytest.exit(f"there is no GPU to run the tests on: {installed}", returncode=3)
        module = installed.module

    @contextmanager
    def activate(devices=1):
        if devices > 1:
            pytest.skip("a GPU has no second device beside it")
        yield

    @contextmanager
    def running(*, checked=False, guarded=False, schedule="forward", seed=0):
        if checked or schedule != "forward":
            pytest.skip("a GPU has no schedules and checks of the emulator's")
        yield

    standin.activate, standin.running, emulator.unavailable = activate, running, lambda: ""
    for what in ("launches", "record_calls"):
        setattr(standin, what, lacking(f"'{what}'"))
    for name in NAMES:
        setattr(standin, name, getattr(module, name))


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "asked" in item.fixturenames or "two_devices" in item.fixturenames:
            item.add_marker(pytest.mark.skip("a GPU has no list of calls, and no second device beside it"))
    emulated = [item for item in items if EMULATED & set(item.fixturenames)]
    config.hook.pytest_deselected(items=emulated)
    items[:] = [item for item in items if item not in emulated]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    found = item.config.device_outcomes
    if report.failed:
        last = str(report.longrepr).strip().splitlines()[-1] if report.longrepr else ""
        found["failed"][report.nodeid] = f"{call.excinfo.exconly() if call.excinfo else last}"[:400]
    elif report.skipped:
        found["skipped"].append(str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr))
    elif report.when == "call":
        found["passed"] += 1
    path = item.config.getoption("device_results")
    if path and (report.failed or found["passed"] % 50 == 0):
        path.write_text(json.dumps(found))


def pytest_sessionfinish(session):
    path = session.config.getoption("device_results")
    if path:
        path.write_text(json.dumps(session.config.device_outcomes))
