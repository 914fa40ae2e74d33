"""Dropout on the stand-in device equals dropout of a Philox generator on the CPU, gradients too."""

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F
from autograd_gpu import nn
from autograd_gpu._ops import dropout as chapter
from autograd_gpu.testing import standin

from ..kernels.conftest import require_emulator

BASE = np.random.default_rng(0).standard_normal((4, 6, 5)).astype(np.float32)


@pytest.fixture(autouse=True)
def philox_everywhere(cuda, monkeypatch):
    """The CPU draws from a Philox generator as well, until the test is over."""
    require_emulator()
    host, known = ag.Generator(algorithm="philox"), chapter.default_for
    monkeypatch.setattr(chapter, "default_for", lambda p: host if p.type == "cpu" else known(p))
    return host


def results(run, dtype, seed, device, host):
    host.manual_seed(seed)
    ag.cuda.manual_seed(seed)
    x = ag.tensor(BASE, device=device).to(dtype).requires_grad_()
    y = run(x)
    (y * y).sum().backward()
    return y.detach().cpu(), x.grad.cpu()


def assert_equal_on_both(run, host, dtype=ag.float32):
    for found, wanted in zip(
        results(run, dtype, 4, "cuda", host), results(run, dtype, 4, "cpu", host), strict=True
    ):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        assert found._array.tobytes() == wanted._array.tobytes()


FORMS = {
    "dropout": lambda x: F.dropout(x, 0.3),
    "transposed": lambda x: F.dropout(x.transpose(0, 2), 0.3),
    "gaps": lambda x: F.dropout(x[:, ::2], 0.3),
    "expanded": lambda x: F.dropout(x[:1].expand(3, 6, 5), 0.3),
    "p = 0": lambda x: F.dropout(x, 0.0),
    "p = 1": lambda x: F.dropout(x, 1.0),
    "not training": lambda x: F.dropout(x, 0.5, training=False),
    "in place": lambda x: F.dropout(x * 1, 0.3, inplace=True),
    "in place, p = 1": lambda x: F.dropout(x * 1, 1.0, inplace=True),
    "alpha": lambda x: F.alpha_dropout(x, 0.3, training=True),
    "alpha in place": lambda x: F.alpha_dropout(x * 1, 0.3, training=True, inplace=True),
    "feature alpha": lambda x: F.feature_alpha_dropout(x, 0.3, training=True),
    "dropout1d": lambda x: F.dropout1d(x, 0.3),
    "dropout1d, no batch": lambda x: F.dropout1d(x[0], 0.3),
    "dropout2d": lambda x: F.dropout2d(x.unsqueeze(-1), 0.3),
    "dropout3d": lambda x: F.dropout3d(x[..., None, None], 0.3),
    "package": lambda x: ag.dropout(x, 0.3, True),
    "twice": lambda x: F.dropout(F.dropout(x, 0.3), 0.3),
    "empty": lambda x: F.dropout(x[:0], 0.3),
    "module": nn.Dropout(0.2),
    "module in eval": nn.Dropout(0.2).eval(),
}


@pytest.mark.parametrize("form", FORMS)
def test_equals_the_cpu(form, philox_everywhere):
    assert_equal_on_both(FORMS[form], philox_everywhere)


@pytest.mark.parametrize("dtype", [ag.float64, ag.float16, ag.bfloat16])
@pytest.mark.parametrize("form", ["dropout", "transposed", "in place", "alpha", "dropout1d"])
def test_equals_the_cpu_in_every_type(form, dtype, philox_everywhere):
    assert_equal_on_both(FORMS[form], philox_everywhere, dtype)


def test_one_launch_each_way():
    x = ag.ones(100, device="cuda", requires_grad=True)
    with standin.launches() as seen:
        y = F.dropout(x, 0.5)
    assert len(seen) == 1
    assert type(y.grad_fn).__name__ == "NativeDropoutBackward0"
    with standin.launches() as seen:
        (grad,) = ag.autograd.grad(y, x, ag.ones_like(y))
    assert sum("dropout_backward" in str(launch) for launch in seen) == 1
    assert grad.tolist() == y.tolist()  # of ones


def test_what_is_kept_keeps_the_mean():
    ag.manual_seed(0)
    y = F.dropout(ag.ones(40_000, device="cuda"), 0.25)
    values = y.cpu()._array
    assert set(values.tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    assert abs(values.mean() - 1) < 5 * np.sqrt(0.25 / 0.75 / values.size)


def test_second_derivatives():
    ag.manual_seed(0)
    x = ag.randn(30, device="cuda", dtype=ag.float64, requires_grad=True)
    y = F.dropout(x, 0.5)
    (first,) = ag.autograd.grad((y**3).sum(), x, create_graph=True)
    (second,) = ag.autograd.grad(first.sum(), x)
    mask = (y != 0).double()
    assert ag.allclose(second, 6 * x * 8 * mask)


def test_integers_are_refused_and_cost_no_numbers():
    ag.cuda.manual_seed(1)
    before = ag.cuda.get_rng_state().tolist()
    with pytest.raises(RuntimeError, match="can't be cast"):
        F.dropout(ag.ones(3, device="cuda", dtype=ag.int64), 0.5)
    assert ag.cuda.get_rng_state().tolist() == before
