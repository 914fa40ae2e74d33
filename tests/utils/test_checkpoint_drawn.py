"""Drawn programs: checkpoints of both kinds, nested and in sequence, with dropout, writes and several
outputs, give what PyTorch gives."""

import random

import pytest

from ..autograd.agree import agree, leaf, on_host
from .test_checkpoint import tools


class Drawn:
    """A program drawn from a seed: the same one each time it runs."""

    def __init__(self, t, seed, passes):
        self.t, self.draw, self.passes = t, random.Random(seed), passes
        self.weights = [leaf(t, [[0.3, -0.8, 0.5], [1.1, 0.2, -0.4], [0.7, 0.9, 0.1]]) for _ in range(3)]

    def function(self, depth):
        """A function of one (3, 3) matrix."""
        steps = [self.step(depth) for _ in range(self.draw.randint(1, 4))]

        def run(a):
            for step in steps:
                a = step(a)
            return a

        return run

    def step(self, depth):
        t, kind = self.t, self.draw.randrange(11 if depth else 8)
        w = self.draw.choice(self.weights)
        if kind == 0:
            return lambda a: (a @ w).tanh()
        if kind == 1:
            return lambda a: a.sin() * w
        if kind == 2:
            # contiguous: the order in memory is the order of the draws
            return lambda a: t.nn.functional.dropout(a.contiguous(), 0.3)
        if kind == 3:
            return lambda a: (a * 1).mul_(w).add_(a)
        if kind == 4:
            return self.write
        if kind == 5:
            return lambda a: a.T.softmax(0)
        if kind == 6:
            return lambda a: a.detach().cos() * a
        if kind == 7:
            return lambda a: t.cat([a[1:], a[:1] * w[:1]]).sigmoid()
        inner = self.function(depth - 1)
        reentrant = self.draw.random() < 0.4 and not self.passes
        preserve = self.draw.random() < 0.8
        stop = self.draw.random() < 0.7
        return lambda a: tools(t).checkpoint(
            inner, a, use_reentrant=reentrant, preserve_rng_state=preserve, early_stop=stop
        )

    def write(self, a):
        b = a * 2
        b[0] = b[1].exp()
        b[:, 1:].mul_(0.5)
        return b


@pytest.mark.parametrize("seed", range(60))
@agree
@on_host
def test_drawn(t, seed):
    program = Drawn(t, seed, passes=seed % 2)
    x = leaf(t, [[0.1, 0.2, 0.3], [-0.4, 0.5, 0.6], [0.7, -0.8, 0.9]])
    f = program.function(3)
    t.manual_seed(seed)
    y = f(x).sum()
    y = y + sum(w.sum() for w in program.weights) * 0 + x.sum() * 0
    if not program.passes:
        y.backward()
        return y, x.grad, [w.grad for w in program.weights], t.rand(2)
    leaves = [x, *program.weights]
    first = t.autograd.grad(y, leaves, create_graph=True)
    squares = sum((g * g).sum() for g in first)
    second = t.autograd.grad(squares, leaves, retain_graph=True, allow_unused=True) if squares.requires_grad else None
    y.backward()
    return y, first, second, [v.grad for v in leaves], t.rand(2)
