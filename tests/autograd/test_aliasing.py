"""Gradients that a program gets are its own: they share memory with nothing it passed in, nor with each other."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_gpu as ag

from .agree import function, leaf
from .drawn import Drawn, instructions

RELAXED = settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
def device(default_device):
    return default_device


def memory(tensor):
    """The first and the last byte of a tensor's elements."""
    array = tensor._array
    if array.__class__ is not np.ndarray:
        start = array.data.ptr
        span = sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True))
        return start, start + span + array.itemsize
    low, high = np.lib.array_utils.byte_bounds(array)
    return low, high


def shared(a, b):
    (a0, a1), (b0, b1) = memory(a), memory(b)
    return a.numel() and b.numel() and a0 < b1 and b0 < a1


def apart(own, given=()):
    """`own`: named gradients, which must be alone; `given`: named tensors of the program."""
    for (name, g), (other, h) in combinations(own, 2):
        assert not shared(g, h), f"{name} shares memory with {other}"
    for name, g in own:
        for other, h in given:
            assert not shared(g, h), f"{name} shares memory with {other}"
    with ag.no_grad():
        kept = [h.tolist() for _, h in given]
        values = [g.tolist() for _, g in own]
        for i, (name, g) in enumerate(own):
            g.add_(1)
            assert [h.tolist() for _, h in given] == kept, name
            for j, (other, h) in enumerate(own):
                assert (h.tolist() == values[j]) == (i != j) or not h.numel(), (name, other)
            g.sub_(1)
            values[i] = g.tolist()


SEEDS = {
    "own": lambda n: ag.ones(n, dtype=ag.float64),
    "expanded": lambda n: ag.ones(1, dtype=ag.float64).expand(n),
    "view": lambda n: ag.ones(2 * n, dtype=ag.float64)[n:],
    "strided": lambda n: ag.ones(2 * n, dtype=ag.float64)[::2],
}

WAYS = {
    "leaf": lambda x: x,
    "view": lambda x: x.view(4),
    "views": lambda x: x.view(2, 2).t().reshape(2, 2).t().reshape(4),
    "add": lambda x: x + 0,
    "sum of two": lambda x: x + x.view(4),
    "clone": lambda x: x.clone(),
    "to": lambda x: x.to(ag.float64),
    "cat": lambda x: ag.cat([x[:2], x[2:]]),
    "stack": lambda x: ag.stack(x.unbind()),
    "identity Function": lambda x: function(ag, lambda ctx, x: x * 1, lambda ctx, g: g).apply(x),
    "alias Function": lambda x: function(ag, lambda ctx, x: x, lambda ctx, g: g).apply(x),
    "view Function": lambda x: function(ag, lambda ctx, x: x * 1, lambda ctx, g: g.view(2, 2).view(4)).apply(x),
    "split": lambda x: ag.cat(x.split(2)),
    "write": lambda x: (x * 1).copy_(x),
    "slices": lambda x: write_slices(x),
    "flip": lambda x: x.flip(0).flip(0),
    "where": lambda x: ag.where(ag.ones(4) > 0, x, x),
    "dtype": lambda x: x.float().double(),
}


def write_slices(x):
    b = x * 1
    b[:2] = x[2:]
    return b


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:Using backward")
def test_the_seed_is_not_in_the_gradients(device, way, recorded):
    """`.grad`, what retain_grad keeps, what grad() returns for the root, the middle and the leaf."""
    for seed in SEEDS.values():
        check_seed(WAYS[way], seed(4), recorded)


def check_seed(way, g, recorded):
    x = leaf(ag, [1.0, 2.0, 3.0, 4.0])
    y = way(x)
    if y is not x:
        y.retain_grad()
    y.backward(g, retain_graph=True, create_graph=recorded)
    own = [("x.grad", x.grad.detach())] + [("y.grad", y.grad.detach())] * (y is not x)
    found = ag.autograd.grad(y, [y, x, x], g, retain_graph=True, create_graph=recorded)
    own += [(f"grad() {i}", v.detach()) for i, v in enumerate(found)]
    apart(own, [("the seed", g), ("x", x.detach())])
    assert x.grad.is_contiguous() and all(v.is_contiguous() for v in found)


def test_leaves_of_one_sum(device):
    leaves = [leaf(ag, [1.0, 2.0]) for _ in range(4)]
    total = leaves[0] + leaves[1] + leaves[2] + leaves[3]
    one = ag.ones(2, dtype=ag.float64)
    total.backward(one, retain_graph=True)
    found = ag.autograd.grad([total, total], leaves, [one, one])
    own = [(f"leaf {i}", v.grad) for i, v in enumerate(leaves)] + list(zip("abcd", found, strict=True))
    apart(own, [("one", one)])


def test_what_a_function_returns_twice_or_keeps(device):
    kept = []

    def backward(ctx, g):
        buffer = g * 2
        kept.append(buffer)
        return buffer, buffer, ctx.saved_tensors[0]

    def forward(ctx, *xs):
        ctx.save_for_backward(xs[2])
        return xs[0] + xs[1] + xs[2]

    fn = function(ag, forward, backward).apply
    a, b, c = (leaf(ag, [v, v]) for v in (1.0, 2.0, 3.0))
    fn(a, b, c).sum().backward()
    found = ag.autograd.grad(fn(a, b, c).sum(), [a, b, c])
    own = [("a", a.grad), ("b", b.grad), ("c", c.grad), *zip("123", found, strict=True)]
    apart(own, [("kept", kept[0]), ("kept 2", kept[1]), ("c itself", c.detach())])


@pytest.mark.parametrize("kind", ["tensor", "leaf", "pre", "post", "after"])
def test_what_hooks_keep(device, kind):
    x, w, kept = leaf(ag, [1.0, 2.0]), leaf(ag, [3.0, 4.0]), []
    y = x + w

    def keep(*args):
        for arg in args:
            kept.extend(g for g in (arg if isinstance(arg, tuple) else (arg,)) if g is not None)

    {
        "tensor": y.register_hook, "leaf": x.register_hook, "pre": y.grad_fn.register_prehook,
        "post": y.grad_fn.register_hook, "after": lambda f: x.register_post_accumulate_grad_hook(lambda p: f(p.grad)),
    }[kind](keep)  # fmt: skip
    one = ag.ones(2, dtype=ag.float64)
    y.backward(one, retain_graph=True)
    if kind == "after":
        assert kept[0] is x.grad
        return
    found = ag.autograd.grad(y, [x, w, y], one)
    own = [("x", x.grad), ("w", w.grad), *zip("123", found, strict=True)]
    apart(own, [("the seed", one), *((f"kept {i}", v) for i, v in enumerate(kept))])


@pytest.mark.parametrize("kind", ["tensor", "pre", "post"])
def test_what_a_hook_returns(device, kind):
    """The same tensor each time: it stays the hook's."""
    x, w, fixed = leaf(ag, [1.0, 2.0]), leaf(ag, [3.0, 4.0]), ag.full((2,), 7.0, dtype=ag.float64)
    y = x + w
    if kind == "tensor":
        y.register_hook(lambda g: fixed)
    elif kind == "pre":
        y.grad_fn.register_prehook(lambda gs: (fixed,))
    else:
        y.grad_fn.register_hook(lambda ins, outs: (fixed, fixed))
    x.register_hook(lambda g: fixed)
    y.sum().backward(retain_graph=True)
    found = ag.autograd.grad(y.sum(), [x, w])
    assert [v.tolist() for v in (x.grad, w.grad, *found)] == [[7.0, 7.0]] * 4
    apart([("x", x.grad), ("w", w.grad), *zip("12", found, strict=True)], [("fixed", fixed)])


@pytest.mark.parametrize("kind", ["tensor", "pre", "post", "output"])
def test_a_hook_that_writes_reaches_its_own_branch_only(device, kind):
    """x -> a, b (one buffer for both gradients); the hook of a multiplies in place."""
    x, w = leaf(ag, [1.0]), leaf(ag, [1.0])
    a, b = x * 1, w * 1
    if kind == "tensor":
        a.register_hook(lambda g: g.mul_(10) and None)
    elif kind == "pre":
        a.grad_fn.register_prehook(lambda gs: gs[0].mul_(10) and None)
    elif kind == "post":
        a.grad_fn.register_hook(lambda ins, outs: ins[0].mul_(10) and outs[0].mul_(3) and None)
    else:
        a = x.expand(2).unbind()[0]
        a.register_hook(lambda g: g.mul_(10) and None)
    one = ag.ones(1, dtype=ag.float64)
    z = (a + b).reshape(1)
    z.backward(one)
    assert (x.grad.item(), w.grad.item(), one.item()) == (10.0, 1.0, 1.0)


@RELAXED
@given(lines=instructions, roots=st.lists(st.integers(0, 7), min_size=1, max_size=3))
def test_graphs_drawn_at_random(lines, roots):
    drawn = Drawn(ag, lines)
    for v in drawn.tensors:
        v.retain_grad()
    outputs = [drawn.pick(i) for i in roots]
    seeds = [ag.ones_like(v) for v in outputs]
    targets = [*drawn.leaves, *drawn.tensors[-3:]]
    found = ag.autograd.grad(outputs, targets, seeds, retain_graph=True, allow_unused=True)
    ag.autograd.backward(outputs, seeds, retain_graph=True)
    own = [(f"grad() {i}", g) for i, g in enumerate(found) if g is not None]
    own += [(f"leaf {i}", v.grad) for i, v in enumerate(drawn.leaves) if v.grad is not None]
    own += [(f"kept {i}", v.grad) for i, v in enumerate(dict.fromkeys(drawn.tensors)) if v.grad is not None]
    given = [("seed", g) for g in seeds] + [("value", v.detach()) for v in (*drawn.leaves, *drawn.tensors)]
    apart(own, given)
