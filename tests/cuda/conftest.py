"""What tests of CUDA code share: a stand-in device, and its products."""

import pytest

from autograd_gpu._core import library
from autograd_gpu.testing import standin


@pytest.fixture
def cuda():
    """The stand-in device, installed."""
    with standin.activate():
        yield standin


@pytest.fixture
def two_devices():
    """The stand-in with two devices, installed."""
    with standin.activate(devices=2):
        yield standin


@pytest.fixture
def gemm(cuda):
    """Products on the stand-in device."""
    from autograd_gpu._cuda.gemm import gemm_of

    return gemm_of(library.installed())


@pytest.fixture
def asked(cuda, monkeypatch):
    """What cuBLAS was asked, and what was copied to please it: [(name, arguments)]."""
    from autograd_gpu.testing.standin import calls

    seen = []

    def listen(name, args, kwargs):
        if name.startswith("cublas."):
            seen.append((name.partition(".")[2], args))
        elif name in ("array", "ndarray.copy"):
            seen.append(("copy", args[0].shape))

    xp = library.installed()
    copied = xp.ascontiguousarray

    def watched(array, *options):
        if not array.flags.c_contiguous:
            seen.append(("copy", array.shape))
        return copied(array, *options)

    monkeypatch.setattr(xp, "ascontiguousarray", watched)
    calls.recorders.append(listen)
    yield seen
    calls.recorders.remove(listen)


@pytest.fixture(scope="module")
def standin_device():
    """The stand-in, installed for all tests of a file."""
    with standin.activate():
        yield standin
