"""The workloads that speed is judged by, each written once: `lib` is autograd_gpu or torch.

A workload returns a function that does one step and gives the loss. Both libraries start from the
same numbers: the generators draw the same for the same seed.
"""

from collections.abc import Callable
from typing import Any

Step = Callable[[], Any]


def chain(x: Any, tanh: Callable) -> Any:
    y = x
    for _ in range(5):
        y = y * x
        y = y + x
        y = tanh(y)
        y = y - x
    return y.sum()


def a_chain(lib: Any) -> Step:
    """20 elementwise ops on 4 elements, forward and backward."""
    x = lib.tensor([0.3, -0.5, 0.2, 0.7], requires_grad=True)

    def step() -> Any:
        x.grad = None
        loss = chain(x, lib.tanh)
        loss.backward()
        return loss

    return step


def a_forward(lib: Any) -> Step:
    """The same, forward only, recorded."""
    x = lib.tensor([0.3, -0.5, 0.2, 0.7], requires_grad=True)
    return lambda: chain(x, lib.tanh)


def training(net: Any, optimizer: Any, loss_of: Callable[[], Any]) -> Step:
    """One step of training: forward, backward, update."""

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return step


def b_moons(lib: Any) -> Step:
    """MLP 2-16-16-1 on 100 points, one SGD step."""
    nn = lib.nn
    lib.manual_seed(0)
    layers = [nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)]
    net = nn.Sequential(*layers)
    x, y = lib.randn(100, 2), lib.where(lib.randn(100, 1) > 0, 1.0, -1.0)
    optimizer = lib.optim.SGD(net.parameters(), 0.05)
    return training(net, optimizer, lambda: (1 - y * net(x)).relu().mean())


def c_mnist(lib: Any) -> Step:
    """MLP 784-256-128-10 on batches of 64, one Adam step."""
    nn = lib.nn
    lib.manual_seed(0)
    layers = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)]
    net = nn.Sequential(*layers)
    x, y = lib.randn(64, 784), lib.randint(10, (64,))
    optimizer = lib.optim.Adam(net.parameters(), 1e-3)
    return training(net, optimizer, lambda: nn.functional.cross_entropy(net(x), y))


def d_lenet(lib: Any) -> Step:
    """LeNet-5 on 64 images of 28 x 28, one SGD step."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip
    x, y = lib.randn(64, 1, 28, 28), lib.randint(10, (64,))
    optimizer = lib.optim.SGD(net.parameters(), 0.01)
    return training(net, optimizer, lambda: nn.functional.cross_entropy(net(x), y))


def g_elementwise(lib: Any) -> Step:
    """A 12-op elementwise expression on 4 million elements, forward and backward."""
    lib.manual_seed(0)
    x = lib.rand(1 << 22, requires_grad=True)
    y = lib.rand(1 << 22)

    def step() -> Any:
        x.grad = None
        z = (x * y + x).tanh() * (x - y).sigmoid() + (x * x + 1).log() - (y * 0.5).exp() * x
        loss = (z * z).mean()
        loss.backward()
        return loss

    return step


def j_matmul(lib: Any) -> Step:
    """The product of two 1024 x 1024 matrices, forward and backward."""
    lib.manual_seed(0)
    a, b = lib.randn(1024, 1024, requires_grad=True), lib.randn(1024, 1024, requires_grad=True)

    def step() -> Any:
        a.grad = b.grad = None
        loss = (a @ b).sum()
        loss.backward()
        return loss

    return step


def k_gradient_penalty(lib: Any) -> Step:
    """Gradient penalty (double backward) of an MLP 64-128-128-1 on 64 points."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 1)
    )
    params = list(net.parameters())
    x = lib.randn(64, 64, requires_grad=True)

    def step() -> Any:
        for p in params:
            p.grad = None
        (g,) = lib.autograd.grad(net(x).sum(), x, create_graph=True)
        loss = (((g * g).sum(1).sqrt() - 1) ** 2).mean()
        loss.backward(inputs=params[:-1])
        return loss

    return step


WORKLOADS: dict[str, Callable[[Any], Step]] = {
    "a": a_chain, "a (forward)": a_forward, "b": b_moons, "c": c_mnist, "d": d_lenet,
    "g": g_elementwise, "j": j_matmul,
    "k": k_gradient_penalty,
}  # fmt: skip
GOALS = {"a": 0.55, "b": 0.6, "c": 0.75, "d": 1.2, "g": 0.8, "j": 0.6, "k": 1.0}
