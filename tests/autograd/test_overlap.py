"""In-place operations that read the memory they write: what they compute is as if all were read
first, and so are the derivatives. (PyTorch refuses some of these, in the call or in backward.)"""

import numpy as np
import pytest

import autograd_gpu as ag

WRITES = [
    ("b.mul_(b)", "b * b"), ("b.mul_(b.t())", "b * b.t()"), ("b.add_(b.t(), alpha=3)", "b + 3 * b.t()"), ("b.mul_(b[:, :1])", "b * b[:, :1]"),
    ("b[0].mul_(b[1])", "t.stack([b[0] * b[1], b[1]])"), ("b[0].mul_(b[0])", "t.stack([b[0] * b[0], b[1]])"), ("b.div_(b.t())", "b / b.t()"),
    ("b.addcmul_(b, b.t())", "b + b * b.t()"), ("b.addcdiv_(b, b.t())", "b + b / b.t()"), ("b.lerp_(b.t(), b)", "b.lerp(b.t(), b)"),
    ("b.addmm_(b, b.t())", "b + b @ b.t()"), ("b.pow_(b.t())", "b ** b.t()"), ("b.atan2_(b.t())", "b.atan2(b.t())"),
    ("b.clamp_(min=b.t())", "b.clamp(min=b.t())"), ("b.hypot_(b)", "b.hypot(b)"), ("b.xlogy_(b)", "b.xlogy(b)"),
    ("b.copy_(b.t())", "b.t() * 1"), ("b.t().mul_(b)", "b * b.t()"), ("b.index_add_(0, i, b)", "b.index_add(0, i, b)"),
    ("b.index_copy_(0, i, b)", "b.index_copy(0, i, b)"), ("b.scatter_(0, ii, b)", "b.scatter(0, ii, b)"),
    ("b.scatter_add_(0, ii, b)", "b.scatter_add(0, ii, b)"), ("b.masked_scatter_(b.detach() > 0.7, b)", "b.masked_scatter(b.detach() > 0.7, b)"),
    ("b.masked_fill_(b.detach() > 0.7, b[0, 0])", "b.masked_fill(b.detach() > 0.7, b[0, 0])"), ("b.__setitem__(i, b)", "b[i]"),
    ("b.view(4).mul_(b.t().reshape(4))", "b * b.t()"), ("b.sub_(b.detach())", "b - b.detach()"), ("b.add_(b.data.t())", "b + b.detach().t()"),
    ("b.fmod_(b.t())", "b.fmod(b.t())"),
]  # fmt: skip


def derivatives(x, b):
    weights = ag.arange(1.0, 5.0, dtype=ag.float64, device=b.device).reshape(2, 2)
    (g,) = ag.autograd.grad((b**2 * weights).sum(), x, create_graph=True)
    return [v.tolist() for v in (b, g, *ag.autograd.grad((g * g).sum(), x))]


def names(device):
    x = ag.tensor([[0.5, 1.25], [0.75, 1.5]], dtype=ag.float64, device=device, requires_grad=True)
    ints = ag.tensor([[1, 0], [0, 1]], device=device)
    return {"t": ag, "x": x, "b": x * 1.5, "i": ints[0], "ii": ints}


@pytest.mark.parametrize(("write", "result"), WRITES)
def test_all_is_read_first(write, result, device):
    given = names(device)
    eval(write, given)
    ours = derivatives(given["x"], given["b"])
    given = names(device)
    for mine, wanted in zip(ours, derivatives(given["x"], eval(result, given)), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-12)


@pytest.mark.parametrize(("write", "result"), WRITES)
def test_without_recording(write, result, device):
    given, again = names(device), names(device)
    with ag.no_grad():
        eval(write, given)
        wanted = eval(result, again)
    np.testing.assert_allclose(given["b"].tolist(), wanted.tolist(), rtol=1e-12)
