"""Compiled kernels for the tests of this folder; without g++ they are skipped, in CI they fail."""

import os
from functools import cache
from pathlib import Path

import pytest

from autograd_gpu._core.sources import kernel_folder
from autograd_gpu.testing.emulator import Module, unavailable

HERE = Path(__file__).parent


def require_emulator() -> None:
    reason = unavailable()
    if reason and os.environ.get("CI"):
        pytest.fail(f"in CI the kernels must be tested: {reason}")
    if reason:
        pytest.skip(reason)


@cache
def module_of(path: Path, expressions: tuple[str, ...], checked: bool) -> Module:
    return Module(path, expressions, checked=checked, include=[kernel_folder()])


@pytest.fixture(scope="session")
def compiled():
    """compiled(file, expressions, checked) -> Module, of a file in kernels/ or in this folder."""
    require_emulator()

    def get(file, expressions, checked=False):
        path = HERE / file if (HERE / file).exists() else kernel_folder() / file
        return module_of(path, tuple(expressions), checked)

    return get
