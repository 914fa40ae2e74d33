"""What a training step gives to the device: exactly these kernels and products, and nothing else that costs a launch."""

import re

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu.testing import standin

WITHOUT_LAUNCH = {"ndarray.reshape", "ndarray.get", "ndarray.ravel", "ndarray.transpose", "ndarray.__getitem__", "ndarray.view", "empty", "lib.stride_tricks.as_strided", "broadcast_to"}
"""Views, new memory without contents, and the one read that checks the targets."""


def short(launch):
    """ag::packed<ag::Tanh, float, ...> is Tanh; ag::reduce<ag::Total, ...> is reduce Total."""
    template, first = re.match(r"ag::(\w+)(?:<ag::(\w+))?", launch.name).groups()
    return first if template in ("packed", "strided") else " ".join(filter(None, (template, first)))


def trace(step):
    """(kernels, CuPy's functions that launch something) of one call, after one that compiles."""
    step()
    with standin.launches() as launches, standin.record_calls() as calls:
        step()
    names = [call.name for call, n in calls.items() for _ in range(n)]
    return [short(launch) for launch in launches], sorted(n for n in names if n not in WITHOUT_LAUNCH)


def classifier(cuda, optimizer):
    ag.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).cuda()
    optimizer = optimizer(net.parameters())
    x, y = ag.randn(5, 4).cuda(), ag.tensor([0, 1, 2, 0, 1], device="cuda")

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    return step


def test_a_classifier(cuda):
    kernels, others = trace(classifier(cuda, ag.optim.Adam))
    assert kernels == [
        "cast_strided", "Tanh", "cast_strided", "cross_entropy Rows",  # a bias begins a product
        "Fill", "cross_entropy_backward Rows", "reduce Total", "TanhBackward", "reduce Total",
        "optimizer_step Adam",
    ]  # fmt: skip
    assert others == ["cublas.gemmEx"] * 5


def test_the_optimizers_launch_once(cuda):
    for optimizer in (ag.optim.SGD, ag.optim.Adam, ag.optim.AdamW, ag.optim.RMSprop):
        kernels, _ = trace(classifier(cuda, optimizer))
        assert kernels[-1].startswith("optimizer_step") and sum(k.startswith("optimizer_step") for k in kernels) == 1


def test_a_chain_of_elementwise_ops(cuda):
    x = ag.randn(3, 4).cuda().requires_grad_()
    b = ag.randn(4).cuda().requires_grad_()

    def step():
        x.grad = b.grad = None
        ((x + b).sigmoid() * 2).sum().backward()

    kernels, others = trace(step)
    forward = ["Add", "Sigmoid", "Mul", "reduce Total"]
    assert kernels == [*forward, "Fill", "SigmoidBackward", "reduce Total", "cast_packed"]
    assert others == ["multiply"], "the gradient of x * 2 is one operation, which is CuPy's"
