"""saved_tensors_hooks: what every kind of operation packs, and how often it unpacks that."""

from collections import deque
from contextlib import nullcontext

import pytest

from .agree import agree, function


class Log:
    """Hooks that note what passes through them."""

    def __init__(self, t):
        self.t, self.packed, self.unpacked = t, [], []
        self.hooks = t.autograd.graph.saved_tensors_hooks(self.pack, self.unpack)

    def pack(self, x):
        self.packed.append(tuple(x.shape))
        return x.shape, x.detach().clone()

    def unpack(self, kept):
        self.unpacked.append(tuple(kept[0]))
        return kept[1]


made = deque((), 16)
"""The leaves made last."""


def w(t, *shape):
    """A leaf of ones."""
    made.append(t.ones(shape or (3,), requires_grad=True))
    return made[-1]


def nn(t):
    return t.nn.functional


OPS = {
    "mul": lambda t: w(t) * w(t),
    "mul by itself": lambda t: (lambda x: x * x)(w(t)),
    "mul by a number": lambda t: w(t) * 2,
    "mul by a constant": lambda t: w(t) * t.ones(3),
    "add": lambda t: w(t) + w(t),
    "div": lambda t: w(t) / w(t),
    "exp": lambda t: w(t).exp(),
    "sin": lambda t: w(t).sin(),
    "log": lambda t: w(t).log(),
    "sqrt": lambda t: w(t).sqrt(),
    "pow": lambda t: w(t) ** w(t),
    "square": lambda t: w(t) ** 2,
    "relu": lambda t: w(t).relu(),
    "sigmoid": lambda t: w(t).sigmoid(),
    "softmax": lambda t: w(t).softmax(0),
    "matmul": lambda t: w(t, 2, 3) @ w(t, 3, 2),
    "mv": lambda t: w(t, 2, 3) @ w(t),
    "bmm": lambda t: t.bmm(w(t, 1, 2, 3), w(t, 1, 3, 2)),
    "frozen linear": lambda t: nn(t).linear(t.ones(2, 3), w(t, 4, 3)),
    "conv1d": lambda t: nn(t).conv1d(w(t, 1, 1, 4), w(t, 1, 1, 2), w(t, 1)),
    "batch_norm": lambda t: nn(t).batch_norm(w(t, 4, 3), None, None, w(t), w(t), True),
    "sum": lambda t: w(t).sum(),
    "max": lambda t: w(t).max(),
    "max of a dimension": lambda t: w(t, 2, 3).max(1).values,
    "prod": lambda t: w(t).prod(),
    "norm": lambda t: w(t).norm(),
    "std": lambda t: w(t).std(),
    "logsumexp": lambda t: w(t).logsumexp(0),
    "sort": lambda t: w(t).sort().values,
    "topk": lambda t: w(t).topk(2).values,
    "cat": lambda t: t.cat([w(t), w(t)]),
    "view": lambda t: w(t).view(3, 1),
    "mask": lambda t: w(t)[t.tensor([True, False, True])],
    "index": lambda t: w(t)[t.tensor([0, 1])],
    "where": lambda t: t.where(t.ones(3) > 0, w(t), w(t)),
    "clamp": lambda t: w(t).clamp(0, 1),
    "maximum": lambda t: t.maximum(w(t), w(t)),
    "dropout": lambda t: nn(t).dropout(w(t)),
    "embedding": lambda t: nn(t).embedding(t.tensor([0, 1]), w(t, 3, 2)),
    "mse_loss": lambda t: nn(t).mse_loss(w(t), w(t)),
    "max_pool1d": lambda t: nn(t).max_pool1d(w(t, 1, 1, 4), 2),
    "addcmul": lambda t: t.addcmul(w(t), w(t), w(t)),
    "einsum": lambda t: t.einsum("ij,jk->ik", w(t, 2, 3), w(t, 3, 2)),
    "clone": lambda t: w(t).clone(),
    "outer": lambda t: t.outer(w(t), w(t)),
    "mul_": lambda t: (w(t) * 1).mul_(w(t)),
    "exp_": lambda t: (w(t) * 1).exp_(),
    "add_": lambda t: (w(t) * 1).add_(w(t)),
    "sigmoid_": lambda t: (w(t) * 1).sigmoid_(),
    "copy_": lambda t: t.zeros(3).copy_(w(t)),
    "a view written": lambda t: written(w(t) * 1, lambda x: x[:2].mul_(w(t, 2))),
    "a view's exp_": lambda t: written(w(t) * 1, lambda x: x[:2].exp_()),
    "an item set": lambda t: written(w(t) * 1, lambda x: x.__setitem__(0, w(t)[0])),
    "Function": lambda t: product(t).apply(w(t), w(t)),
    "Function that saves its output": lambda t: exponential(t).apply(w(t)),
}


def written(x, write):
    write(x)
    return x


def product(t):
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b, None)
        return a * b

    def backward(ctx, g):
        a, b, _ = ctx.saved_tensors
        return g * b, g * a + 0 * ctx.saved_tensors[0]

    return function(t, forward, backward)


def exponential(t):
    def forward(ctx, a):
        y = a.exp()
        ctx.save_for_backward(y, a + 1)
        return y

    return function(t, forward, lambda ctx, g: g * ctx.saved_tensors[0], "Exponential")


@agree
@pytest.mark.parametrize("name", OPS)
def test_what_is_packed_and_how_often_unpacked(t, name):
    """Each saved tensor once; each use of it once, in every pass."""
    t.manual_seed(0)
    log = Log(t)
    with log.hooks:
        y = OPS[name](t)
    packed = sorted(log.packed)
    total = y.sum()
    total.backward(retain_graph=True)
    first = sorted(log.unpacked)
    total.backward()
    return packed, first, len(log.unpacked)


@agree
@pytest.mark.parametrize("name", OPS)
def test_gradients_are_those_without_hooks(t, name):
    found = []
    for hooks in (nullcontext(), Log(t).hooks):
        t.manual_seed(0)
        made.clear()
        with hooks:
            y = OPS[name](t)
        leaves = list(made)
        y.sum().backward()
        found.append([x.grad for x in leaves])
    for a, b in zip(*found, strict=True):
        assert a is None and b is None or a.tolist() == b.tolist()
    return None if name == "dropout" else found[1]  # each device draws numbers of its own
