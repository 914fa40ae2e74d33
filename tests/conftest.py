"""Fixtures of all tests: PyTorch as an oracle (never skipped in silence in CI), and a fresh state for each test."""

import os
import shutil
from importlib.util import find_spec

import pytest

import autograd_gpu as ag


def pytest_configure(config):
    """In CI nothing is skipped in silence: what its tests are meant to have must be there."""
    if os.environ.get("CI"):
        missing = [
            name
            for name in ("torch", "sklearn", "ml_dtypes", "matplotlib", "tqdm", "igraph", "graphviz")
            if find_spec(name) is None
        ]
        missing += [] if shutil.which("g++") else ["g++"]
        if missing:
            pytest.exit(f"CI is meant to have {', '.join(missing)}", returncode=3)


@pytest.fixture(scope="session")
def torch():
    """PyTorch, the oracle. Where it is absent the test is skipped; in CI that is an error."""
    try:
        import torch
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("PyTorch is missing: in CI the oracle tests must run")
        pytest.skip("PyTorch is not installed")
    torch.set_num_threads(1)
    return torch


@pytest.fixture(autouse=True)
def modes_are_restored():
    """A test that leaves a mode behind would change the meaning of the next."""
    yield
    assert ag.is_grad_enabled()
    assert ag.get_default_dtype() is ag.float32
