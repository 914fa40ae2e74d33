"""What tests of autograd share: each runs on the CPU and on the stand-in CUDA device."""

from contextlib import contextmanager

import pytest

import autograd_gpu as ag
from autograd_gpu.testing import standin


@contextmanager
def present(name):
    """A device that is there."""
    if name == "cpu":
        yield name
    else:
        with standin.activate():
            yield name


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    """The name of a device that is there."""
    with present(request.param):
        yield request.param


@pytest.fixture(params=["cpu", "cuda"])
def default_device(request):
    """The same, as the default device."""
    with present(request.param):
        ag.set_default_device(request.param)
        try:
            yield request.param
        finally:
            ag.set_default_device("cpu")
