"""The workloads that speed is judged by, each written once: `lib` is autograd_gpu or torch.

A workload returns a function that does one step and gives the loss. Both libraries start from the
same numbers: the generators draw the same on the CPU for the same seed, and what they drew is moved
to the device.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["GOALS", "WORKLOADS", "Step"]

Step = Callable[[], Any]


def chain(x: Any, tanh: Callable) -> Any:
    """20 elementwise ops."""
    y = x
    for _ in range(5):
        y = y * x
        y = y + x
        y = tanh(y)
        y = y - x
    return y.sum()


def a_chain(lib: Any, device: str = "cpu") -> Step:
    """20 elementwise ops on 4 elements, forward and backward."""
    x = lib.tensor([0.3, -0.5, 0.2, 0.7], device=device, requires_grad=True)

    def step() -> Any:
        x.grad = None
        loss = chain(x, lib.tanh)
        loss.backward()
        return loss

    return step


def a_forward(lib: Any, device: str = "cpu") -> Step:
    """The same, forward only, recorded."""
    x = lib.tensor([0.3, -0.5, 0.2, 0.7], device=device, requires_grad=True)
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


def b_moons(lib: Any, device: str = "cpu") -> Step:
    """MLP 2-16-16-1 on 100 points, one SGD step."""
    nn = lib.nn
    lib.manual_seed(0)
    layers = [nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)]
    net = nn.Sequential(*layers).to(device)
    x, y = lib.randn(100, 2), lib.where(lib.randn(100, 1) > 0, 1.0, -1.0)
    x, y = x.to(device), y.to(device)
    optimizer = lib.optim.SGD(net.parameters(), 0.05)
    return training(net, optimizer, lambda: (1 - y * net(x)).relu().mean())


def c_mnist(lib: Any, device: str = "cpu") -> Step:
    """MLP 784-256-128-10 on batches of 64, one Adam step."""
    nn = lib.nn
    lib.manual_seed(0)
    layers = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)]
    net = nn.Sequential(*layers).to(device)
    x, y = lib.randn(64, 784).to(device), lib.randint(10, (64,)).to(device)
    optimizer = lib.optim.Adam(net.parameters(), 1e-3)
    return training(net, optimizer, lambda: nn.functional.cross_entropy(net(x), y))


def d_lenet(lib: Any, device: str = "cpu") -> Step:
    """LeNet-5 on 64 images of 28 x 28, one SGD step."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    ).to(device)  # fmt: skip
    x, y = lib.randn(64, 1, 28, 28).to(device), lib.randint(10, (64,)).to(device)
    optimizer = lib.optim.SGD(net.parameters(), 0.01)
    return training(net, optimizer, lambda: nn.functional.cross_entropy(net(x), y))


def e_lstm(lib: Any, device: str = "cpu") -> Step:
    """An LSTM of 128 cells, written by hand, over 32 steps of 32 sequences, one Adam step."""
    nn = lib.nn
    lib.manual_seed(0)
    first, again, last = nn.Linear(128, 512), nn.Linear(128, 512, bias=False), nn.Linear(128, 10)
    net = nn.ModuleList([first, again, last]).to(device)
    x, y = lib.randn(32, 32, 128).to(device), lib.randint(10, (32,)).to(device)
    zeros = lib.zeros(32, 128, device=device)
    optimizer = lib.optim.Adam(net.parameters(), 1e-3)

    def loss() -> Any:
        h = c = zeros
        for t in range(32):
            i, f, g, o = (first(x[t]) + again(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return nn.functional.cross_entropy(last(h), y)

    return training(net, optimizer, loss)


def f_gpt(lib: Any, device: str = "cpu") -> Step:
    """A transformer of 2 layers, 64 wide, 4 heads, on 8 sequences of 64 tokens, one AdamW step."""
    nn = lib.nn
    lib.manual_seed(0)
    F = nn.functional

    def block() -> Any:
        return nn.ModuleList([
            nn.LayerNorm(64), nn.Linear(64, 192), nn.Linear(64, 64),
            nn.LayerNorm(64), nn.Linear(64, 256), nn.Linear(256, 64),
        ])  # fmt: skip

    ends = [nn.Embedding(65, 64), nn.Embedding(64, 64), nn.LayerNorm(64), nn.Linear(64, 65)]
    net = nn.ModuleList([*ends, block(), block()]).to(device)
    tokens, places, norm, head, *layers = net
    x, y = lib.randint(65, (8, 64)).to(device), lib.randint(65, (8, 64)).to(device)
    where = lib.arange(64, device=device)
    optimizer = lib.optim.AdamW(net.parameters(), 1e-3)

    def loss() -> Any:
        h = tokens(x) + places(where)
        for norm1, qkv, out, norm2, up, down in layers:
            parts = qkv(norm1(h)).view(8, 64, 3, 4, 16).permute(2, 0, 3, 1, 4)
            found = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
            h = h + out(found.transpose(1, 2).reshape(8, 64, 64))
            h = h + down(F.gelu(up(norm2(h))))
        return F.cross_entropy(head(norm(h)).view(-1, 65), y.view(-1))

    return training(net, optimizer, loss)


def g_elementwise(lib: Any, device: str = "cpu") -> Step:
    """A 12-op elementwise expression on 4 million elements, forward and backward."""
    lib.manual_seed(0)
    x = lib.rand(1 << 22).to(device).requires_grad_()
    y = lib.rand(1 << 22).to(device)

    def step() -> Any:
        x.grad = None
        z = (x * y + x).tanh() * (x - y).sigmoid() + (x * x + 1).log() - (y * 0.5).exp() * x
        loss = (z * z).mean()
        loss.backward()
        return loss

    return step


def h_cross_entropy(lib: Any, device: str = "cpu") -> Step:
    """Cross-entropy of 1024 samples over 10000 classes, forward and backward."""
    lib.manual_seed(0)
    x = lib.randn(1024, 10000).to(device).requires_grad_()
    y = lib.randint(10000, (1024,)).to(device)

    def step() -> Any:
        x.grad = None
        loss = lib.nn.functional.cross_entropy(x, y)
        loss.backward()
        return loss

    return step


def i_layer_norm(lib: Any, device: str = "cpu") -> Step:
    """Layer norm of 4096 rows of 1024, forward and backward."""
    lib.manual_seed(0)
    x = lib.randn(4096, 1024).to(device).requires_grad_()
    norm = lib.nn.LayerNorm(1024).to(device)
    seed = lib.randn(4096, 1024).to(device)

    def step() -> Any:
        x.grad = None
        y = norm(x)
        y.backward(seed)
        return y[0, 0]

    return step


def j_matmul(lib: Any, device: str = "cpu") -> Step:
    """The product of two 1024 x 1024 matrices, forward and backward."""
    lib.manual_seed(0)
    a, b = (lib.randn(1024, 1024).to(device).requires_grad_() for _ in range(2))

    def step() -> Any:
        a.grad = b.grad = None
        loss = (a @ b).sum()
        loss.backward()
        return loss

    return step


def k_gradient_penalty(lib: Any, device: str = "cpu") -> Step:
    """Gradient penalty (double backward) of an MLP 64-128-128-1 on 64 points."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 1)
    ).to(device)
    params = list(net.parameters())
    x = lib.randn(64, 64).to(device).requires_grad_()

    def step() -> Any:
        for p in params:
            p.grad = None
        (g,) = lib.autograd.grad(net(x).sum(), x, create_graph=True)
        loss = (((g * g).sum(1).sqrt() - 1) ** 2).mean()
        loss.backward(inputs=params[:-1])
        return loss

    return step


WORKLOADS: dict[str, Callable[..., Step]] = {
    "a": a_chain, "a (forward)": a_forward, "b": b_moons, "c": c_mnist, "d": d_lenet,
    "e": e_lstm, "f": f_gpt, "g": g_elementwise, "h": h_cross_entropy, "i": i_layer_norm,
    "j": j_matmul, "k": k_gradient_penalty,
}  # fmt: skip
GOALS = {"a": 0.55, "b": 0.6, "c": 0.75, "d": 1.2, "e": 0.8, "f": 0.8, "g": 0.8, "h": 1.0, "i": 3.0,
         "j": 0.6, "k": 1.0}  # fmt: skip
