"""Compiled kernels for the tests of this folder; without g++ they are skipped, in CI they fail."""

import os
from functools import cache, partial
from pathlib import Path

import pytest

from autograd_gpu._core.sources import kernel_folder
from autograd_gpu.testing import emulator, nvrtc
from autograd_gpu.testing.emulator import Module

HERE = Path(__file__).parent


def require_emulator() -> None:
    _require("the kernels must be tested", emulator.unavailable())


def require_nvrtc() -> None:
    _require("the kernels must be compiled for GPUs", nvrtc.unavailable())


def _require(what: str, reason: str) -> None:
    if reason and os.environ.get("CI"):
        pytest.fail(f"in CI {what}: {reason}")
    if reason:
        pytest.skip(reason)


@cache
def module_of(path: Path, expressions: tuple[str, ...], checked: bool, schedule: str) -> Module:
    return Module(
        path, expressions, checked=checked, include=[kernel_folder()], schedule=schedule
    )


def get(file: str, expressions, checked: bool = False, schedule: str = "forward") -> Module:
    """Kernels of a file in kernels/ or in this folder."""
    path = HERE / file if (HERE / file).exists() else kernel_folder() / file
    return module_of(path, tuple(expressions), checked, schedule)


@pytest.fixture(scope="session")
def in_order():
    """in_order(file, expressions, checked) -> Module, whose threads run in order."""
    require_emulator()
    return get


@pytest.fixture(scope="session", params=["forward", "random"])
def compiled(request):
    """compiled(file, expressions, checked) -> Module, of a file in kernels/ or in this folder.

    Whoever asks for it runs twice: with threads in order, and in an order drawn for each launch.
    With `checked` parametrised, a kernel's test thus runs plainly, in disorder, and watched."""
    require_emulator()
    return partial(get, schedule=request.param)
