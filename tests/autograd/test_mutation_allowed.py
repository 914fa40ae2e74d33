"""allow_mutation_on_saved_tensors: backward computes with what stood there when it was saved."""

import gc
import threading
import weakref

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import local, modes

from .agree import agree, fails, leaf

NESTED = "allow_mutation_on_saved_tensors contexts cannot be nested"
OUTSIDE = "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"


def allowed(t):
    return t.autograd.graph.allow_mutation_on_saved_tensors()


@agree
def test_the_example(t):
    a = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    with allowed(t):
        b = a.clone()
        out = (b**2).sum()
        b.sin_()
        out.backward()
    return a.grad


WRITES = {
    "mul_": lambda t, x: x.mul_(5),
    "fill_": lambda t, x: x.fill_(5),
    "zero_": lambda t, x: x.zero_(),
    "exp_": lambda t, x: x.exp_(),
    "item": lambda t, x: x.__setitem__(0, 7.0),
    "mask": lambda t, x: x.__setitem__(x > 1, 7.0),
    "view": lambda t, x: x.view(3, 1).mul_(3),
    "data": lambda t, x: x.data.mul_(3),
    "detach": lambda t, x: x.detach().mul_(3),
    "out": lambda t, x: t.add(x, 1, out=x),
    "uniform_": lambda t, x: x.uniform_(),
    "index_fill_": lambda t, x: x.index_fill_(0, t.tensor([1]), 4.0),
    "scatter_": lambda t, x: x.scatter_(0, t.tensor([1]), 4.0),
    "init": lambda t, x: t.nn.init.constant_(x, 4.0),
    "init trunc": lambda t, x: t.nn.init.trunc_normal_(x),
    "clamp_": lambda t, x: x.clamp_(0, 1),
    "twice": lambda t, x: (x.mul_(2), x.add_(1)),
}
PARTS = {
    "slice": lambda t, x: x.__setitem__(slice(1, 3), 7.0),
    "part": lambda t, x: x[1:].copy_(t.zeros(2)),
    "step": lambda t, x: x[::2].mul_(3),
    "batch_norm": lambda t, x: t.nn.functional.batch_norm(
        t.arange(6.0).view(2, 3), x, t.ones(3), training=True
    ),
    "ufunc": lambda t, x: np.add(x, 1, out=(x,)),
}


@agree
@pytest.mark.parametrize("what", ["a constant", "a leaf", "a result"])
@pytest.mark.parametrize("name", WRITES)
def test_writes(t, name, what):
    """Of what was saved as an input and by two nodes: the gradients are those without the write."""
    return gradient(t, what, WRITES[name])


@pytest.mark.parametrize("what", ["a constant", "a leaf", "a result"])
@pytest.mark.parametrize("name", PARTS)
def test_writes_that_pytorch_does_not_notice(name, what):
    """Through a view that is not what was saved; by batch_norm to its running mean; by NumPy."""
    assert same(gradient(ag, what, PARTS[name]), gradient(ag, what, lambda t, x: None))


def same(a, b):
    return a.tolist() == b.tolist()


def gradient(t, what, write):
    w = leaf(t, [1.0, 2.0, 3.0], "float32")
    with allowed(t):
        if what == "a constant":
            x = t.tensor([1.5, 0.5, 2.0])
            y = w * x + w / x
        else:
            x = w if what == "a leaf" else w * 2
            y = x * x + x * t.tensor([3.0, 4.0, 5.0])
        with t.no_grad():
            write(t, x)
        y.sum().backward()
    return w.grad


@agree
def test_the_shape_changed(t):
    w = leaf(t, [1.0, 2.0, 3.0])
    with allowed(t):
        x = w * 2
        y = (x * x).sum()
        with t.no_grad():
            x.unsqueeze_(0)
        y.backward()
    return w.grad


@agree
def test_recorded_writes(t):
    w = leaf(t, [1.0, 2.0, 3.0])
    with allowed(t):
        x = w * 2
        y = x.exp()
        z = (x * y).sum()
        x.mul_(y)
        y.add_(x)
        (z + (x * y).sum()).backward()
    return w.grad, x, y


@agree
def test_results_saved_by_the_node_itself(t):
    w = leaf(t, [1.0, 2.0, 3.0])
    with allowed(t):
        for f in (t.exp, t.sigmoid, t.tanh, t.relu):
            y = f(w)
            y.add_(100)
            y.sum().backward()
    return w.grad


@agree
def test_an_optimizer_between_forward_and_backward(t):
    seen = []
    for make in (t.optim.SGD, t.optim.Adam, t.optim.RMSprop):
        w = leaf(t, [1.0, 2.0])
        w.grad = t.ones(2, dtype=t.float64)
        optimizer = make([w], lr=0.5)
        with allowed(t):
            loss = (w * w).sum()
            optimizer.step()
            w.grad = None
            loss.backward()
        seen.append(w.grad)
    return seen


@agree
def test_gradients_are_written_too(t):
    """By accumulation, clipping, zero_grad."""
    w = leaf(t, [1.0, 2.0, 3.0], "float32")
    with allowed(t):
        (w * 5).sum().backward()
        y = (w * w.grad).sum()
        (w * 5).sum().backward()
        z = (w * w.grad).sum()
        t.nn.utils.clip_grad_norm_([w], 0.1)
        t.nn.utils.clip_grad_value_([w], 0.01)
        t.optim.SGD([w]).zero_grad(set_to_none=False)
        y.backward()
        z.backward()
    return w.grad


@agree
def test_second_derivatives(t):
    w = leaf(t, [1.0, 2.0])
    with allowed(t):
        x = w * 1
        g = t.autograd.grad((x**3).sum(), w, create_graph=True)[0]
        with t.no_grad():
            x.zero_()
        g.sum().backward()
    return w.grad


@agree
def test_after_the_end(t):
    w, words = leaf(t, [1.0, 2.0]), OUTSIDE
    with allowed(t) as context:
        first = (w * w).sum()
        first.backward(retain_graph=True)
        second = (w * w).sum()
        context.clear()
        seen = [fails(AssertionError, words, second.backward)]
        third = (w * w).sum()
        w.data.mul_(3)
        third.backward(retain_graph=True)
    seen += [fails(AssertionError, words, y.backward) for y in (first, third)]
    with allowed(t):
        seen.append(fails(AssertionError, words, first.backward))
    return seen, w.grad


@agree
def test_contexts_in_each_other(t):
    w, seen = leaf(t, [1.0, 2.0]), []
    with allowed(t):
        seen.append(fails(RuntimeError, NESTED, allowed(t).__enter__))
    with allowed(t):
        y = (w.exp() * w).sum()
        y.backward()
    with t.autograd.graph.disable_saved_tensors_hooks("forbidden"):
        seen.append(fails(RuntimeError, "forbidden", allowed(t).__enter__))
    with allowed(t):
        y = (w * w).sum()
    return seen, w.grad


def test_a_failed_entry_changes_nothing():
    """In PyTorch it ends the context that is in force."""
    w = leaf(ag, [1.0, 2.0])
    with allowed(ag):
        y = (w * w).sum()
        fails(RuntimeError, NESTED, allowed(ag).__enter__)
        w.data.zero_()
        y.backward()
    assert w.grad.tolist() == [2, 4]


@agree
def test_hooks_of_the_user_within(t):
    """The innermost act: what they keep is theirs."""
    w, x = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    with allowed(t):
        with t.autograd.graph.saved_tensors_hooks(lambda x: x.detach(), lambda x: x):
            y = (w * x).sum()
        z = (w * x).sum()
        x.mul_(3)
        y.backward()
        z.backward()
    return w.grad


def test_a_view_that_overlaps_in_part():
    """PyTorch 2.13 gives [1, 7] here: it does not notice the write through another view."""
    w, x = leaf(ag, [1.0, 1.0]), ag.ones(4, dtype=ag.float64)
    with allowed(ag):
        y = (w * x[:2]).sum()
        x[1:3].fill_(7)
        y.backward()
    assert w.grad.tolist() == [1, 1]


def test_copies_are_made_on_the_first_write_only():
    w, x = leaf(ag, [1.0, 2.0]), ag.ones(2, dtype=ag.float64)
    with allowed(ag):
        y, z = w * x, x * w
        kept = [y.grad_fn._raw_saved_other.data, z.grad_fn._raw_saved_self.data]
        assert all(k.array is x._array for k in kept)
        x.mul_(2)
        copy = kept[0].array
        assert copy is kept[1].array is not x._array
        x.mul_(2)
        assert kept[0].array is copy
        assert copy.tolist() == [1, 1]
        apart = w * x[:1]
        x[1:].zero_()
        assert np.shares_memory(apart.grad_fn._raw_saved_other.data.array, x._array)


def test_what_was_saved_is_freed():
    with allowed(ag) as context:
        w = leaf(ag, [1.0, 2.0])
        for _ in range(300):
            y = (w * w.exp()).sum()
            y.backward()
        assert len(context._places) < 200
        y = w.exp()
        kept = weakref.ref(y.grad_fn._raw_saved_result.data)
        assert kept() is not None
        del y
        gc.collect()
        assert kept() is None
        held = w * w
    assert not context._places
    assert not context._all
    assert held.requires_grad


def test_nothing_is_left_at_the_end():
    before = set(modes)
    with pytest.raises(KeyError), allowed(ag):
        raise KeyError
    assert modes == before
    assert not local.before_write


def test_other_threads_go_on_as_usual():
    w, seen = leaf(ag, [1.0, 2.0]), []

    def work():
        x = ag.ones(2, dtype=ag.float64)
        y = (w * x).sum()
        x.mul_(2)
        seen.append(fails(RuntimeError, "modified by an inplace operation", y.backward))

    with allowed(ag):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(seen) == 1
