"""Rounding, overflow and accumulation in each dtype, and what layers and optimizers make of extremes."""

from math import inf, nan

import pytest

from .rows import Row, cases, check, check_oracle, oracle_cases

SINGLE, DOUBLE = ("float32",), ("float64",)

ROUNDING = [
    Row("B2.9", "g(torch.tanh, [9., 20.])[1]", [1.19e-7, 0.0], only=SINGLE, rtol=2e-3),
    Row("B2.10", "g(torch.sqrt, [1e-45, 1e-38])[1]", [1.34e22, 5e18], only=SINGLE, rtol=1e-2),
    Row("B2.11", "L(C([[0., 1.]]) @ C([[inf], [1.]]))", [[nan]]),
    Row("B2.13", "C([1e8, 1., -1e8]).sum().item()", 0.0, only=SINGLE),
    Row("B2.14", "(lambda h: (h.mean().item(), h.sum().item()))(torch.full((4,), 60000., dtype=torch.float16))",
        (60000.0, inf), only=DOUBLE, plain=True),
    Row("B2.15", "C([1e4, 1e4 + 1, 1e4 + 2]).var().item()", 1.0),
    Row("B2.22", "(lambda a: (torch.allclose(a, a), torch.equal(a, a), torch.allclose(a, a, equal_nan=True)))(C([nan]))",
        (False, False, True)),
    Row("B2.23", "torch.arange(0, 1, .1).numel(), L(torch.linspace(0, 1, 0))", (10, [])),
    Row("G11", "(lambda h: (h.sum().item(), h.mean().item(), h.float().var().item() - h.var().item(), "
        "F.layer_norm(h, (4096,)).abs().max().item()))(torch.ones(4096, dtype=torch.float16))",
        (4096.0, 1.0, 0.0, 0.0), only=DOUBLE, plain=True),
    Row("G11-softmax", "torch.softmax(torch.zeros(60000, dtype=torch.float16), 0).double().sum().item()",
        1.0, only=DOUBLE, plain=True, rtol=2e-3),
    Row("G10", "[L(getattr(C([nan if i == j else 1. for j in range(9)]), f)()) for i in range(9) "
        "for f in ('sum', 'mean', 'max', 'min', 'amax', 'amin', 'prod', 'var', 'norm')]", [nan] * 81),
    Row("G10-half", "[L(getattr(torch.tensor([nan if i == j else 1. for j in range(9)], dtype=torch.float16), f)()) "
        "for i in range(9) for f in ('sum', 'mean', 'max', 'min', 'amax', 'amin', 'prod', 'var', 'norm')]",
        [nan] * 81, only=DOUBLE, plain=True),
]  # fmt: skip

LAYERS = [
    Row("B2.12", "L(F.scaled_dot_product_attention(C([[1., 2.]]), C([[1., 2.]]), C([[3., 4.]]), "
        "attn_mask=torch.tensor([[False]])))", [[0.0, 0.0]]),
    Row("B2.16", "L(F.max_pool2d(C([[[[nan, 1.], [2., 3.]]]]), 2))", [[[[nan]]]]),
    Row("B2.17", "(lambda x, w: (F.conv2d(x, w).sum().backward(), list(x.grad.shape), L(w.grad))[1:])"
        "(torch.ones(0, 1, 4, 4, requires_grad=True), torch.ones(1, 1, 3, 3, requires_grad=True))",
        ([0, 1, 4, 4], [[[[0.0] * 3] * 3]]), only=DOUBLE, plain=True),
    Row("E84", "(lambda m: (L(m(C([[1.], [3.]]))), m.running_var.item()))"
        "(torch.nn.BatchNorm1d(1, momentum=1., dtype=dtype))", ([[-0.999995], [0.999995]], 2.0), rtol=1e-5),
]  # fmt: skip

OPTIMIZERS = [
    Row("B2.19", "(lambda p, o: (setattr(p, 'grad', C([nan])), o.step(), L(p.detach()))[2])"
        "(*(lambda p: (p, torch.optim.SGD([p], lr=0.)))(T([1.])))", [nan]),
    Row("B2.20", "(lambda p, o: (setattr(p, 'grad', C([1e30])), o.step(), L(p.detach()))[2])"
        "(*(lambda p: (p, torch.optim.Adam([p])))(T([1.])))", [1.0], only=SINGLE),
    Row("B2.21", "err(lambda: torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD([T([1.])], lr=1.), T_max=0))",
        ("ValueError", "T_max"), ours=True),
]  # fmt: skip

ROWS = ROUNDING + LAYERS + OPTIMIZERS


@pytest.mark.filterwarnings("ignore::UserWarning")
@cases(ROWS)
def test_row(row, dtype, layout):
    check(row, dtype, layout)


@pytest.mark.filterwarnings("ignore::UserWarning")
@oracle_cases(ROWS)
def test_pytorch_agrees(row, torch):
    check_oracle(row, torch)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_layer_without_inputs_gives_its_bias():
    """B2.18."""
    import autograd_gpu as ag

    m = ag.nn.Linear(0, 2)
    y = m(ag.ones(3, 0))
    assert y.tolist() == [m.bias.tolist()] * 3
    y.sum().backward()
    assert m.bias.grad.tolist() == [3.0, 3.0]
    assert m.weight.grad.shape == (2, 0)
