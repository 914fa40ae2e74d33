"""What tests of the stand-in share: CuPy itself to compare with, on a driver that does nothing."""

import os
from importlib.util import find_spec

import pytest

from .audit import RealCuPy


@pytest.fixture(scope="session")
def real():
    """CuPy in a process of its own; the test is skipped where it is not installed, but not in CI."""
    if find_spec("cupy") is None:
        if os.environ.get("CI"):
            pytest.fail("CuPy is to be installed in CI: the stand-in is held against it")
        pytest.skip("CuPy is not installed")
    with RealCuPy() as cupy:
        yield cupy
