"""Training on the stand-in device goes the way it goes on the CPU: nets, optimizers, schedulers, clipping, dropout."""

import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu.nn import functional as F

pytestmark = pytest.mark.usefixtures("standin_device")


def train(device, make, optimizer, data, targets, loss, steps, dtype=ag.float32, after=None):
    """Losses and final parameters of a run."""
    ag.manual_seed(0)
    model = make().to(dtype).to(device)
    optimizer = optimizer(model.parameters())
    data, targets = data.to(device), targets.to(device)
    data = data.to(dtype) if data.dtype.is_floating_point else data
    targets = targets.to(dtype) if targets.dtype.is_floating_point else targets
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(data), targets)
        value.backward()
        if after is not None:
            after(model.parameters())
        optimizer.step()
        losses.append(value.item())
    return losses, [p.detach().cpu() for p in model.parameters()]


def assert_same_run(*args, rtol=1e-4, **kwargs):
    ours, theirs = train("cpu", *args, **kwargs), train("cuda", *args, **kwargs)
    assert ours[0] == pytest.approx(theirs[0], rel=rtol)
    assert ours[0][-1] != ours[0][0], "it does not train"
    for a, b in zip(ours[1], theirs[1], strict=True):
        ag.testing.assert_close(b, a, rtol=max(rtol, 1e-9) * 10, atol=rtol)


def mlp():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 2))


def numbers(*shape, seed=1):
    return ag.randn(*shape, generator=ag.Generator().manual_seed(seed))


X, Y = numbers(16, 4), numbers(16, 2, seed=2)
CLASSES = ag.tensor([0, 1, 2, 1, 0])

OPTIMIZERS = {
    "sgd": lambda p: ag.optim.SGD(p, lr=0.05),
    "sgd momentum": lambda p: ag.optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "sgd nesterov": lambda p: ag.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, maximize=True),
    "adam": lambda p: ag.optim.Adam(p, lr=0.01, weight_decay=0.01),
    "adam amsgrad": lambda p: ag.optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: ag.optim.AdamW(p, lr=0.01),
    "rmsprop": lambda p: ag.optim.RMSprop(p, lr=0.01),
    "rmsprop centered": lambda p: ag.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.9),
    "adagrad": lambda p: ag.optim.Adagrad(p, lr=0.01),
    "adadelta": lambda p: ag.optim.Adadelta(p),
    "adamax": lambda p: ag.optim.Adamax(p, lr=0.01),
    "nadam": lambda p: ag.optim.NAdam(p, lr=0.01),
    "radam": lambda p: ag.optim.RAdam(p, lr=0.01),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64], ids=str)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name, dtype):
    rtol = 1e-4 if dtype is ag.float32 else 1e-10
    assert_same_run(mlp, OPTIMIZERS[name], X, Y, F.mse_loss, 6, dtype, rtol=rtol)


def test_lbfgs():
    def run(device):
        ag.manual_seed(0)
        model = mlp().to(ag.float64).to(device)
        optimizer = ag.optim.LBFGS(model.parameters(), max_iter=8, line_search_fn="strong_wolfe")
        x, y = X.to(ag.float64).to(device), Y.to(ag.float64).to(device)

        def closure():
            optimizer.zero_grad()
            value = F.mse_loss(model(x), y)
            value.backward()
            return value

        return optimizer.step(closure).item(), F.mse_loss(model(x), y).item()

    assert run("cpu") == pytest.approx(run("cuda"), rel=1e-8)


def test_fifty_steps_on_the_digits():
    """G16: losses equal to 1e-10 in float64, to 1e-4 in float32."""
    images, labels = ag.datasets.digits()
    images, labels = images[:64].reshape(64, -1) / 16, labels[:64]

    def make():
        return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    sgd = lambda p: ag.optim.SGD(p, lr=0.1, momentum=0.9)  # noqa: E731
    for dtype, rtol in ((ag.float64, 1e-10), (ag.float32, 1e-4)):
        assert_same_run(make, sgd, images, labels, F.cross_entropy, 50, dtype, rtol=rtol)


def test_a_convolutional_net():
    def make():
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 8, 3, stride=2, bias=False), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(8, 3),
        )  # fmt: skip

    adam = OPTIMIZERS["adam"]
    assert_same_run(make, adam, numbers(5, 1, 12, 12), CLASSES, F.cross_entropy, 4, ag.float64, rtol=1e-8)


class Recurrent(nn.Module):
    """An LSTM, written out."""

    def __init__(self):
        super().__init__()
        self.embed, self.x, self.h, self.out = nn.Embedding(11, 6), nn.Linear(6, 32), nn.Linear(8, 32), nn.Linear(8, 3)
        self.norm = nn.LayerNorm(8)

    def forward(self, tokens):
        h = c = ag.zeros(len(tokens), 8, device=tokens.device, dtype=self.out.weight.dtype)
        for t in range(tokens.shape[1]):
            i, f, g, o = (self.x(self.embed(tokens[:, t])) + self.h(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return self.out(self.norm(h))


def test_a_recurrent_net_with_clipping():
    tokens = ag.arange(35).reshape(5, 7) * 3 % 11

    def clip(parameters):
        norm = nn.utils.clip_grad_norm_(parameters, 0.1)
        assert norm.item() > 0

    sgd = lambda p: ag.optim.AdamW(p, lr=0.01)  # noqa: E731
    assert_same_run(Recurrent, sgd, tokens, CLASSES, F.cross_entropy, 4, ag.float64, rtol=1e-8, after=clip)


@pytest.mark.parametrize("kind", [1.0, 2.0, 3.0, float("inf")])
def test_clipping(kind):
    def clipped(device):
        grads = [numbers(3, 4).to(device), numbers(7, seed=3).to(device), numbers(1, seed=4)[0].to(device)]
        parameters = [ag.zeros_like(g).requires_grad_() for g in grads]
        for p, g in zip(parameters, grads, strict=True):
            p.grad = g
        total = nn.utils.clip_grad_norm_(parameters, 0.5, kind)
        nn.utils.clip_grad_value_(parameters, 0.2)
        return [total.cpu(), *[p.grad.cpu() for p in parameters]]

    for a, b in zip(clipped("cpu"), clipped("cuda"), strict=True):
        ag.testing.assert_close(b, a)


def test_a_net_saved_on_the_device_goes_on_on_the_cpu(tmp_path):
    ag.manual_seed(0)
    model = mlp().cuda()
    ag.save(model.state_dict(), tmp_path / "model.pt")
    loaded = ag.load(tmp_path / "model.pt", map_location="cpu")
    other = mlp()
    other.load_state_dict(loaded)
    ag.testing.assert_close(other(X), model(X.cuda()).cpu())


def test_dropout_takes_the_philox_numbers_of_the_cpu():
    """The same seed drops the same elements on both devices where the CPU's generator is Philox as well."""
    x = ag.ones(1000)
    ag.cuda.manual_seed(5)
    there = F.dropout(x.cuda(), 0.3)
    kept = (there != 0).cpu()
    assert 0.6 < kept.to(ag.float32).mean().item() < 0.8
    assert ag.equal(there.cpu()[kept], ag.full((int(kept.sum()),), 1 / 0.7))
