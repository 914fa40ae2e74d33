"""Fixtures of all tests: PyTorch as an oracle (never skipped in silence in CI), and a fresh state for each test."""

import os

import pytest

import autograd_gpu as ag


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


