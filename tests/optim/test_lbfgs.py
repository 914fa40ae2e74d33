"""LBFGS against PyTorch, and its own conditions."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import optim

OPTIONS = [
    {},
    {"line_search_fn": "strong_wolfe"},
    {"lr": 0.5, "max_iter": 5, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2},
]


def rosenbrock(p):
    x, y = p[:-1], p[1:]
    return ((1 - x) ** 2).sum() + 100 * ((y - x * x) ** 2).sum()


def quadratic(p):
    return ((p * p) * (p * 0 + 3)).sum() + (p - 1).pow(4).sum()


def minimise(module, function, steps, **options):
    p = module.tensor([-1.2, 1.0, 0.5], dtype=module.float64, requires_grad=True)
    optimizer = module.optim.LBFGS([p], **options)

    def closure():
        optimizer.zero_grad()
        loss = function(p)
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure)) for _ in range(steps)]
    return losses, p.tolist(), optimizer.state[p]["func_evals"], optimizer.state[p]["n_iter"]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("function, steps", [(quadratic, 3), (rosenbrock, 2)])
def test_against_torch(function, steps, options):
    torch = pytest.importorskip("torch")
    if function is rosenbrock and "line_search_fn" not in options:
        options = {**options, "lr": 1e-3}
    losses, p, *counts = minimise(ag, function, steps, **options)
    expected, q, *other = minimise(torch, function, steps, **options)
    np.testing.assert_allclose(losses, expected, rtol=1e-7, atol=1e-13)
    np.testing.assert_allclose(p, q, rtol=1e-6, atol=1e-9)
    assert counts == other


def test_finds_the_minimum():
    _, p, *_ = minimise(ag, rosenbrock, 20, line_search_fn="strong_wolfe")
    np.testing.assert_allclose(p, [1.0, 1.0, 1.0], atol=1e-5)


def test_resume_is_bit_identical():
    def run(pause):
        p = ag.tensor([-1.2, 1.0], dtype=ag.float64, requires_grad=True)
        optimizer = optim.LBFGS([p], lr=1e-2, max_iter=3)
        for i in range(6):
            if i == pause:
                state = optimizer.state_dict()
                p = p.detach().clone().requires_grad_()
                optimizer = optim.LBFGS([p])
                optimizer.load_state_dict(state)

            def closure(p=p, optimizer=optimizer):
                optimizer.zero_grad()
                loss = rosenbrock(p)
                loss.backward()
                return loss

            optimizer.step(closure)
        return p.tolist()

    assert run(None) == run(3)


def test_errors():
    p, q = (ag.ones(1, requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match="parameter groups"):
        optim.LBFGS([{"params": p}, {"params": q}])
    with pytest.raises(ValueError, match="strong_wolfe"):
        optim.LBFGS([p], line_search_fn="other")
    with pytest.raises(TypeError, match="closure"):
        optim.LBFGS([p]).step()
