"""Pooling, unfold, fold and convolutions of tensors on a device: values, gradients and gradients of
gradients are those of the CPU, and the kernels expected run."""

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F
from autograd_gpu.testing import standin

from .conftest import require_emulator


@pytest.fixture(scope="module", autouse=True)
def device():
    require_emulator()
    with standin.activate():
        yield


POOLS = {
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "max_pool2d, overlapping": lambda x: F.max_pool2d(x, 3, 2, 1),
    "max_pool2d, dilated": lambda x: F.max_pool2d(x, 2, 1, 0, 2, True),
    "max_pool2d, indices": lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True)[0],
    "max_pool1d": lambda x: F.max_pool1d(x[0], 3, 2, 1),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 3, 2, 1, True, False),
    "avg_pool2d, divisor": lambda x: F.avg_pool2d(x, 2, divisor_override=3),
    "avg_pool1d": lambda x: F.avg_pool1d(x[0], 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
    "adaptive_avg_pool2d, one": lambda x: F.adaptive_avg_pool2d(x, 1),
    "adaptive_avg_pool1d": lambda x: F.adaptive_avg_pool1d(x[0], 4),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, (3, 4)),
    "adaptive_max_pool1d": lambda x: F.adaptive_max_pool1d(x[0], 4),
    "unfold": lambda x: F.unfold(x, 3, 2, 1, 2),
    "fold": lambda x: F.fold(F.unfold(x, 2, stride=2), (6, 8), 2, stride=2),
}
CONVOLUTIONS = {
    "conv2d": lambda x, w, b: F.conv2d(x, w, b, 1, 1),
    "conv2d, groups": lambda x, w, b: F.conv2d(x, w[:, :1], b, 2, 1, 2, 2),
    "conv2d, same": lambda x, w, b: F.conv2d(x, w[..., :2], None, padding="same"),
    "conv2d, one element": lambda x, w, b: F.conv2d(x, w[..., :1, :1], b),
    "conv1d": lambda x, w, b: F.conv1d(x[:, :, 0], w[..., 0], b, 2, 1),
    "conv3d": lambda x, w, b: F.conv3d(x.unsqueeze(2), w.unsqueeze(2), b, padding=(0, 1, 1)),
    "conv_transpose2d": lambda x, w, b: F.conv_transpose2d(x, w[:2], None, 2, 1, 1),
    "conv_transpose2d, groups": lambda x, w, b: F.conv_transpose2d(x, w[:2, :1], None, 2, 0, 0, 2),
    "conv_transpose1d": lambda x, w, b: F.conv_transpose1d(x[:, :, 0], w[:2, :, 0], None, 2),
    "no samples": lambda x, w, b: F.conv2d(x[:0], w, b),
}


def run(op, place, *shapes):
    """Value, gradients and gradients of those, for NumPy."""
    random = np.random.default_rng(1)
    inputs = [
        ag.tensor(random.standard_normal(s), dtype=ag.float32, device=place).requires_grad_()
        for s in shapes
    ]
    y = op(*inputs)
    assert y.device.type == place
    weight = ag.arange(1.0, y.numel() + 1, device=place).reshape(y.shape) / max(1, y.numel())
    options = {"create_graph": True, "allow_unused": True}
    first = ag.autograd.grad((y * y * weight).sum(), inputs, **options)
    squares = [(g * g).sum() for g in first if g is not None]
    second = ag.autograd.grad(sum(squares), inputs, allow_unused=True)
    return [None if t is None else t.detach().cpu().numpy() for t in (y, *first, *second)]


def compare(op, *shapes):
    for actual, wanted in zip(run(op, "cuda", *shapes), run(op, "cpu", *shapes), strict=True):
        assert (actual is None) == (wanted is None)
        if wanted is not None:
            np.testing.assert_allclose(actual, wanted, 1e-4, 1e-4)


@pytest.mark.parametrize("op", POOLS)
def test_pooling_is_that_of_the_cpu(op):
    compare(POOLS[op], (2, 3, 7, 8))


@pytest.mark.parametrize("op", CONVOLUTIONS)
def test_convolution_is_that_of_the_cpu(op):
    compare(CONVOLUTIONS[op], (3, 2, 7, 6), (4, 2, 3, 3), (4,))


def test_indices_and_whole_numbers():
    """The places of maxima, and what the kernels leave to the bodies."""
    x = ag.arange(36).reshape(1, 6, 6) % 7
    for dtype in (ag.float32, ag.int64):
        for pool in (F.max_pool2d, F.adaptive_max_pool2d):
            wanted = pool(x.to(dtype), 2, return_indices=True)
            found = pool(x.to(dtype).cuda(), 2, return_indices=True)
            for a, b in zip(found, wanted, strict=True):
                assert (a.dtype, a.tolist()) == (b.dtype, b.tolist())


STEPS = {
    "max_pool2d": ["max_pool", "max_blocks_backward"],
    "max_pool2d, overlapping": ["max_pool", "max_pool_backward"],
    "avg_pool2d": ["avg_pool", "avg_pool_backward"],
    "adaptive_max_pool2d": ["max_pool", "max_pool_backward"],
    "adaptive_avg_pool2d": ["avg_pool", "avg_pool_backward"],
    "unfold": ["im2col", "col2im"],
}


def names(seen):
    found = [launch.name.partition("<")[0].removeprefix("ag::") for launch in seen]
    return [n for n in found if "pool" in n or "blocks" in n or "col" in n]


@pytest.mark.parametrize("op", STEPS)
def test_which_kernels_run(op):
    x = ag.ones(2, 3, 6, 8, device="cuda").requires_grad_()
    with standin.launches() as seen:
        y = POOLS[op](x)
        y.backward(ag.ones(y.shape, device="cuda"))
    assert names(seen) == STEPS[op]


def test_a_convolution_is_a_kernel_and_a_product():
    x = ag.ones(2, 3, 6, 8, device="cuda").requires_grad_()
    w = ag.ones(4, 3, 3, 3, device="cuda").requires_grad_()
    with standin.launches() as seen:
        F.conv2d(x, w).sum().backward()
    assert sorted(names(seen)) == ["col2im", "im2col", "im2col"]
