"""Hooks, kept gradients and copies of tensors, before and after writes in place.

    x --> b --(b.mul_(2))--> b'        a hook set before the write sees the gradient of b, one set
                                       after it that of b'; what retain_grad keeps is that of b'
"""

import copy
import pickle

import pytest

from .agree import agree, fails, leaf, on_host
from .stories import story, told

WRITES = ["b.mul_(2)", "b[:1].mul_(2)", "v.mul_(2)", "b.detach().mul_(2)", "quiet"]


@pytest.mark.parametrize("write", WRITES)
@agree
def test_on_bases_and_views(t, write):
    log = []
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    b.register_hook(lambda g: log.append(("b", g.tolist())))
    b.retain_grad()
    v = b[:2]
    v.register_hook(lambda g: log.append(("v", g.tolist())))
    v.retain_grad()
    if write == "quiet":
        with t.no_grad():
            b.mul_(2)
    else:
        eval(write)
    b.register_hook(lambda g: log.append(("b after", g.tolist())))
    kept = [v.retains_grad, b.retains_grad]
    ((b * 3).sum() + (v * 5).sum()).backward()
    return kept, log, b.grad, v.grad, x.grad


@agree
def test_hooks_in_order_of_the_values(t):
    log = []
    x = leaf(t, [1.0, 2.0, 3.0])
    y = x * 2
    y.register_hook(lambda g: log.append(("first", g.tolist())))
    y.retain_grad()
    y.add_(1)
    y.register_hook(lambda g: g * 10)
    y.mul_(3)
    y.register_hook(lambda g: log.append(("last", g.tolist())) or g + 1)
    y.sum().backward()
    return log, y.grad, x.grad, y.retains_grad


@agree
def test_gradients_are_of_the_value_that_stands_there(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    y = x * 2
    y.mul_(3)
    v = y[1:]
    y.add_(x)
    z = (y * y).sum() + v.prod()
    return t.autograd.grad(z, [y, x, v])


@agree
def test_hooks_see_gradients_of_many_writes(t):
    x, seen = leaf(t, [0.5, 1.5]), []
    y = x * 1
    for _ in range(4):
        y.mul_(x)
        y.register_hook(lambda g: seen.append(g.tolist()))
        y[0].add_(1)
    y.sum().backward()
    return seen, x.grad


# ---- copies of views


@agree
@on_host
def test_copies(t):
    x, plain = leaf(t, [1.0, 2.0, 3.0, 4.0]), t.arange(4.0)
    b = x * 1
    with t.no_grad():
        quiet = x[:2]
    made = [copy.deepcopy(v) for v in (plain[1:3], quiet, x, plain.view(2, 2).t(), plain.data[1:])]
    made += [pickle.loads(pickle.dumps(v)) for v in (plain[1:3], plain.view(2, 2).t())]
    words = "Only Tensors created explicitly by the user"
    refused = [fails(RuntimeError, words, copy.deepcopy, v) for v in (b[:2], x[:2], b)]
    shallow = copy.copy(plain[1:3])
    shallow.add_(10)
    whole, part = copy.deepcopy((plain, plain[1:3]))
    whole.zero_()
    facts = [[v, v.requires_grad, v.is_leaf, v._is_view(), v.stride()] for v in made]
    return facts, [v.storage_offset() for v in made[:5]], refused, plain, part


@agree
def test_detach_in_place(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    v, (u, *_) = b[:2], b.unbind()
    words = "Can't detach views in-place"
    found = [fails(RuntimeError, words, v.detach_), fails(RuntimeError, words, u.detach_), fails(RuntimeError, words, t.zeros(3)[:1].detach_)]
    b.add_(1)
    b.detach_()
    found += [story(b), story(t.zeros(2).detach_()), b._version]
    c = x * 2
    c.detach_().mul_(3)
    found += [story(c), c]
    x.detach_()
    return found, story(x), told(lambda: (c * 1).requires_grad)


@agree
def test_out_arguments_under_no_grad(t):
    x = leaf(t, [1.0, 2.0])
    y = (x * x).sum()
    found = []
    with t.no_grad():
        t.add(t.ones(2, dtype=t.float64), 1, out=x)
        v = x[:1]
        t.mul(t.ones(1, dtype=t.float64), 9, out=v)
        found += [x.tolist(), story(x)]
        t.add(x, x, out=x)
        b = x * 1
    c = x * 1
    w = c[:1]
    with t.no_grad():
        t.add(c, 1, out=c)
    words = "has been modified by an inplace operation"
    found += [x.tolist(), story(b), story(c), story(w), fails(RuntimeError, words, y.backward)]
    words = "don't support automatic differentiation"
    return found, fails(RuntimeError, words, t.add, x, 1, out=t.zeros(2)), fails(RuntimeError, words, t.add, t.ones(2), 1, out=c)
