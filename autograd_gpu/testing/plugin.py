"""The pytest plugin: `on_every_device` runs a test on the CPU and on a CUDA device.

    def test_mine(on_every_device):
        x = autograd_gpu.ones(3, device=on_every_device)

pytest finds it where autograd_gpu is installed."""

from collections.abc import Iterator
from typing import Any

import pytest

__all__ = ["on_every_device"]


@pytest.fixture(params=["cpu", "cuda"])
def on_every_device(request: Any) -> Iterator[str]:
    """ "cpu", then "cuda": a GPU where there is one, else the stand-in, whose kernels are emulated.
    Skipped, with the reason, where neither can be had."""
    if request.param == "cpu":
        yield "cpu"
        return
    from .._core.device import cuda_status
    from .emulator import unavailable
    from .parity import device_context

    available, _ = cuda_status()
    if not available and unavailable():
        pytest.skip(f"there is no GPU, and for the stand-in {unavailable()}")
    with device_context("cuda" if available else "standin"):
        yield "cuda"
