"""What checkpoints hold: the arguments of each, the inside of one at a time, and nothing afterwards."""

import gc
import sys
import threading
import weakref

import pytest

import autograd_gpu as ag
from autograd_gpu.utils.checkpoint import GraphExecGroup, checkpoint, checkpoint_sequential

from ..autograd.agree import leaf
from .test_checkpoint import BOTH


@pytest.fixture(autouse=True)
def without_gc():
    """Everything is to go as soon as nobody refers to it."""
    gc.disable()
    yield
    gc.enable()


class Watched:
    """A chain of `n` operations; says how many of the arrays that it made are alive."""

    def __init__(self, n=10, op=ag.sin):
        self.n, self.op, self.arrays, self.peak = n, op, [], 0

    def __call__(self, x):
        for _ in range(self.n):
            x = self.op(x)
            self.arrays.append(weakref.ref(x._array))
            self.peak = max(self.peak, self.alive())
        return x

    def alive(self):
        return sum(a() is not None for a in self.arrays)


def gone(seen):
    return [s() is None for s in seen]


def test_without_a_checkpoint_all_is_kept():
    """What the other tests count is there."""
    f = Watched()
    y = f(leaf(ag, [1.0, 2.0]))
    assert f.alive() == 10
    y.sum().backward()
    assert f.alive() == 1, "the result"


@BOTH
@pytest.mark.parametrize("op", [ag.sin, ag.tanh])  # one saves its input, the other its output
def test_only_the_result_outlives_the_forward(reentrant, op):
    x, f = leaf(ag, [1.0, 2.0]), Watched(10, op)
    y = checkpoint(f, x, use_reentrant=reentrant)
    assert f.alive() == 1
    y.sum().backward()
    assert f.alive() == 1
    del y
    assert f.alive() == 0


@BOTH
def test_the_peak_is_one_segment(reentrant):
    """10 segments of 10: their 9 results between, and the inside of one."""
    x, f = leaf(ag, [1.0, 2.0]), Watched()
    y = checkpoint_sequential([f] * 10, 10, x, use_reentrant=reentrant)
    forward, f.peak = f.alive(), 0
    assert forward == 9 + 10  # the last segment is no checkpoint
    y.sum().backward()
    assert f.peak <= 9 + 10 + 1


@BOTH
def test_all_goes_with_the_result(reentrant):
    x = leaf(ag, [1.0, 2.0])
    h = x * 1
    f = Watched()
    seen = weakref.ref(h._array), weakref.ref(f)
    y = checkpoint(f, h, use_reentrant=reentrant)
    del h, f
    assert gone(seen) == [False, False]
    del y
    assert gone(seen) == [True, True]


@BOTH
def test_all_goes_after_backward(reentrant):
    x = leaf(ag, [1.0, 2.0])
    h, f = x * 1, Watched()
    seen = weakref.ref(h._array), weakref.ref(f)
    y = checkpoint(f, h, use_reentrant=reentrant)
    del h, f
    root = y.sum()
    root.backward()
    if not reentrant:  # the node of a re-entrant one has the function as long as it lives
        assert gone(seen) == [True, True]
    del y, root
    assert gone(seen) == [True, True]


def test_nothing_is_kept_for_nodes_that_are_gone():
    """A result that the program dropped: backward does not hold what its nodes had saved."""
    x, f, dropped, alive = leaf(ag, [1.0, 2.0]), Watched(), Watched(), []

    def function(a):
        b = dropped(a)
        del b
        return f(a)

    y = checkpoint(function, x, use_reentrant=False)
    y.grad_fn.next_functions[0][0].register_prehook(lambda grads: alive.append((dropped.alive(), f.alive() > 5)))
    y.sum().backward()
    assert alive == [(0, True)]


def test_nested_ones_hold_the_outer_argument_only():
    x, inner, outer = leaf(ag, [1.0, 2.0]), Watched(), Watched()

    def f(a):
        return outer(checkpoint(inner, outer(a), use_reentrant=False))

    y = checkpoint(f, x, use_reentrant=False)
    assert (inner.alive(), outer.alive()) == (0, 1)
    y.sum().backward()
    assert (inner.alive(), outer.alive()) == (0, 1)


def test_a_retained_graph_holds_no_recomputation():
    x, f = leaf(ag, [1.0, 2.0]), Watched()
    y = checkpoint(f, x, use_reentrant=False)
    for _ in range(2):
        y.sum().backward(retain_graph=True)
        assert f.alive() == 1


def test_a_pass_that_needs_a_part_leaves_nothing():
    x, w, f = leaf(ag, [1.0, 2.0]), leaf(ag, [1.0, 2.0]), Watched()
    y, z = checkpoint(lambda a, b: (f(a), f(b)), x, w, use_reentrant=False)
    ag.autograd.grad(y.sum(), x, retain_graph=True)
    assert f.alive() == 2
    ag.autograd.grad(z.sum(), w)
    assert f.alive() == 2


def test_a_group_of_passes_leaves_nothing():
    x, w, f = leaf(ag, [1.0, 2.0]), leaf(ag, [1.0, 2.0]), Watched()
    y, z = checkpoint(lambda a, b: (f(a), f(b)), x, w, use_reentrant=False)
    group = GraphExecGroup()
    with group:
        y.sum().backward(retain_graph=True)
        assert f.alive() > 2, "what the other passes will need"
    assert f.alive() == 2
    del z


def test_a_failed_pass_leaves_nothing():
    x, f = leaf(ag, [1.0, 2.0]), Watched()

    def broken(g):
        raise KeyError("hook")

    y = checkpoint(lambda a: f(a * 1), x, use_reentrant=False)
    y.grad_fn.next_functions[0][0].register_prehook(broken)
    with pytest.raises(KeyError):
        y.sum().backward()
    assert f.alive() == 1


def test_a_looked_at_value_is_not_kept():
    x, f = leaf(ag, [1.0, 2.0]), Watched()
    y = checkpoint(f, x, use_reentrant=False)
    node = y.grad_fn
    first, second = node._saved_self, node._saved_self
    assert first.tolist() == second.tolist()
    del first, second
    assert f.alive() == 1
    y.sum().backward()


def test_writes_of_an_argument_make_no_cycle():
    """x.mul_() within the function: backward will refuse it, but it goes."""
    x = leaf(ag, [1.0, 2.0])
    h = x * 1
    seen = weakref.ref(h)
    y = checkpoint(lambda a: a.mul_(2).sin(), h, use_reentrant=False)
    del h, y
    assert seen() is None


@BOTH
def test_long_chains(reentrant):
    x = leaf(ag, [0.5])
    y = checkpoint_sequential([ag.sin] * 2000, 1000, x, use_reentrant=reentrant, preserve_rng_state=False)
    y.sum().backward()
    z = leaf(ag, [0.5])
    w = z
    for _ in range(2000):
        w = w.sin()
    w.sum().backward()
    assert x.grad.tolist() == pytest.approx(z.grad.tolist(), rel=1e-12)


@BOTH
def test_a_long_chain_is_freed(reentrant):
    x = leaf(ag, [0.5])
    y = x
    for _ in range(20_000):
        y = checkpoint(ag.sin, y, use_reentrant=reentrant, preserve_rng_state=False)
    seen = weakref.ref(y)
    del y
    assert seen() is None


@BOTH
@pytest.mark.filterwarnings("ignore:None of the inputs")  # the inner ones, in a forward without grad
def test_deep_nesting(reentrant):
    x = leaf(ag, [0.5])

    def f(a, level):
        a = a.sin()
        return checkpoint(f, a, level - 1, use_reentrant=reentrant) if level else a

    y = checkpoint(f, x, 30, use_reentrant=reentrant)
    y.sum().backward()
    z = leaf(ag, [0.5])
    w = z
    for _ in range(31):
        w = w.sin()
    w.sum().backward()
    assert x.grad.tolist() == pytest.approx(z.grad.tolist(), rel=1e-12)


@BOTH
def test_threads(reentrant):
    """Each with its own graph, forward and backward at once."""
    results, errors = {}, []
    w = leaf(ag, [0.5, 0.25])

    def work(number):
        try:
            for _ in range(20):
                x = leaf(ag, [1.0 + number, 2.0])
                y = checkpoint(lambda a: (a * w).sin().exp(), x, use_reentrant=reentrant, preserve_rng_state=False)
                y.sum().backward()
                results.setdefault(number, []).append(x.grad.tolist())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for number, found in results.items():
        x = leaf(ag, [1.0 + number, 2.0])
        (x * w.detach()).sin().exp().sum().backward()
        assert found == [x.grad.tolist()] * 20


def test_threads_share_a_retained_graph():
    """Each pass has its own recomputation; the nodes between are run by several threads at once."""
    x = leaf(ag, [0.5, 0.25])

    def f(a):
        for _ in range(10):
            a = (a.sin() * a).exp().tanh()
        return a

    y = checkpoint(f, x, use_reentrant=False).sum()
    expected = ag.autograd.grad(y, x, retain_graph=True)[0].tolist()
    found = []

    def work():
        try:
            for _ in range(25):
                found.append(ag.autograd.grad(y, x, retain_graph=True)[0].tolist())
        except Exception as error:
            found.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found == [expected] * 100


def test_backward_in_another_thread():
    x = leaf(ag, [0.5, 0.25])
    y = checkpoint(lambda a: a.sin().exp(), x, use_reentrant=False)
    thread = threading.Thread(target=lambda: y.sum().backward())
    thread.start()
    thread.join()
    z = leaf(ag, [0.5, 0.25])
    z.sin().exp().sum().backward()
    assert x.grad.tolist() == z.grad.tolist()
