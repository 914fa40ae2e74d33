"""Training with complex parameters: optimizers see pairs of real numbers, as PyTorch's do; modules and clipping."""

import numpy as np
import pytest

import autograd_gpu as ag

from .agree import agree, fails

OPTIMIZERS = [
    ("SGD", {"lr": 0.05}), ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}), ("SGD", {"lr": 1e-4, "maximize": True}), ("Adam", {}), ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"maximize": True}), ("AdamW", {"amsgrad": True}), ("Adamax", {"weight_decay": 0.1}), ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"weight_decay": 0.1}), ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.1}), ("Adadelta", {"weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "weight_decay": 0.1}), ("LBFGS", {}), ("LBFGS", {"line_search_fn": "strong_wolfe"}),
]  # fmt: skip


@pytest.mark.parametrize("foreach", [None, True, False])
@pytest.mark.parametrize("name, options", OPTIMIZERS)
@agree
def test_steps(t, name, options, foreach):
    if foreach is not None and name != "LBFGS":
        options = {**options, "foreach": foreach}
    rng = np.random.default_rng(0)
    z = t.tensor(rng.standard_normal(3) + 1j * rng.standard_normal(3), requires_grad=True)
    x = t.tensor(rng.standard_normal(3), requires_grad=True)
    wanted = t.tensor(rng.standard_normal(3) + 1j * rng.standard_normal(3))
    optimizer, path = getattr(t.optim, name)([z, x], **options), []

    def closure():
        optimizer.zero_grad()
        loss = ((z * z - wanted).abs() ** 2).sum() + (x * x * z).abs().sum()
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
        path += [z.detach().clone(), x.detach().clone()]
    return path


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@agree
def test_a_network(t, dtype):
    """A complex layer, an activation, a convolution, a real loss."""
    rng, kind = np.random.default_rng(1), getattr(t, dtype)
    def numbers(*shape):
        return t.tensor(rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).to(kind)

    net = t.nn.Sequential(t.nn.Linear(3, 4, dtype=kind), t.nn.Tanh(), t.nn.Linear(4, 2, bias=False, dtype=kind))
    conv = t.nn.Conv1d(2, 2, 2, dtype=kind)
    with t.no_grad():
        for p in [*net.parameters(), *conv.parameters()]:
            p.copy_(numbers(*p.shape) * 0.3)
    optimizer = t.optim.Adam([*net.parameters(), *conv.parameters()], lr=0.01)
    x, y, losses = numbers(5, 3), numbers(4, 2), []
    for _ in range(4):
        optimizer.zero_grad()
        out = conv(net(x).t()[None])[0].t()
        loss = ((out - y).abs() ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses, [str(p.grad.dtype) for p in net.parameters()], [p.grad for p in conv.parameters()]


@agree
def test_clipping(t):
    results = []
    for order in (2.0, 1.0, 3.0, float("inf")):
        z = t.tensor([3 + 4j, 0], dtype=t.complex128, requires_grad=True)
        x = t.tensor([1.0], dtype=t.float64, requires_grad=True)
        ((z * z.conj()).real.sum() + x.sum() * 2).backward()
        results += [t.nn.utils.clip_grad_norm_([z, x], 1.0, norm_type=order), z.grad, x.grad]
    before = z.grad.clone()
    results.append(fails(NotImplementedError, "clamp is not supported for complex types", t.nn.utils.clip_grad_value_, [z], 0.1))
    return [*results, before - z.grad]


@agree
def test_modules_and_their_state(t):
    net = t.nn.Linear(2, 3, dtype=t.complex64)
    state = net.state_dict()
    flat = t.nn.utils.parameters_to_vector(net.parameters())
    t.nn.utils.vector_to_parameters(flat * 1j, net.parameters())
    again = t.nn.Linear(2, 3, dtype=t.complex64)
    again.load_state_dict(net.state_dict())
    return [str(v.dtype) for v in state.values()], str(flat.dtype), (again.weight == net.weight).all().item(), str(net.to(t.complex128).bias.dtype)


def test_gradients_of_a_step_are_steepest_descent():
    """z - lr * z.grad goes down: the gradient is dL/dRe + i dL/dIm, not its conjugate."""
    z = ag.tensor([1 + 1j], requires_grad=True)
    optimizer = ag.optim.SGD([z], lr=0.1)
    sizes = []
    for _ in range(30):
        loss = (z - (2 - 3j)).abs().square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sizes.append(loss.item())
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 1e-4
