"""When memory is given back: by reference counts alone, at once, and at any depth."""

import gc
import subprocess
import sys
import textwrap
import warnings
import weakref

import pytest

import autograd_gpu as ag

from .agree import leaf


@pytest.fixture
def no_gc():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def watch(tensor):
    """Dead when the tensor's memory has been given back."""
    return weakref.ref(tensor._array)


def test_saved_arrays_die_with_the_pass(no_gc):
    """F6."""
    x = leaf(ag, [1.0, 2.0])
    h = (x * 2).exp()
    saved = watch(h)
    loss = (h * h).sum()
    del h
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_a_dropped_graph_dies_at_once(no_gc):
    x = leaf(ag, [1.0, 2.0])
    h = x.exp()
    y = h.tanh()
    saved, node = watch(h), weakref.ref(y)
    del h, y
    assert saved() is None and node() is None


def test_retained_graphs_die_with_their_root(no_gc):
    x = leaf(ag, [1.0, 2.0])
    h = x.exp()
    saved = watch(h)
    loss = h.sum()
    del h
    loss.backward(retain_graph=True)
    assert saved() is not None
    del loss
    assert saved() is None


def test_outputs_that_are_saved_make_no_cycle(no_gc):
    x = leaf(ag, [1.0, 2.0])
    for function in ("exp", "tanh", "sigmoid", "relu", "softmax", "sqrt"):
        y = getattr(x, function)(0) if function == "softmax" else getattr(x, function)()
        array, tensor = watch(y), weakref.ref(y)
        del y
        assert array() is None and tensor() is None, function


def test_views_and_writes_make_no_cycle(no_gc):
    x = leaf(ag, [1.0, 2.0])
    b = x * 1
    v = b[:1]
    v.mul_(2)
    b.exp_()
    array, tensors = watch(b), [weakref.ref(b), weakref.ref(v)]
    del b, v
    assert array() is None
    assert [t() for t in tensors] == [None, None]


def test_leaves_and_gradients_die(no_gc):
    x = leaf(ag, [1.0, 2.0])
    (x * x).sum().backward()
    tensor, grad = weakref.ref(x), weakref.ref(x.grad)
    del x
    assert tensor() is None and grad() is None


def test_second_order_graphs_die(no_gc):
    x = leaf(ag, [1.0, 2.0])
    (g,) = ag.autograd.grad(x.exp().sum(), x, create_graph=True)
    (h,) = ag.autograd.grad((g * g).sum(), x)
    tensor, array = weakref.ref(g), watch(g)
    del g
    assert tensor() is None and array() is None
    assert h.shape == (2,)


def test_a_detached_total_keeps_no_graph(no_gc):
    """E57."""
    x = leaf(ag, [1.0])
    graphs, total = [], 0.0
    for _ in range(3):
        loss = x.exp().sum()
        graphs.append(weakref.ref(loss))
        total += loss.item()
    del loss
    assert [g() for g in graphs] == [None] * 3


def test_hooks_make_no_cycle(no_gc):
    x = leaf(ag, [1.0])
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.backward()
    tensor = weakref.ref(y)
    del y
    assert tensor() is None


def test_create_graph_cycles_are_collected():
    """F10: x -> x.grad -> graph -> x."""
    x = leaf(ag, [1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x**3).sum().backward(create_graph=True)
    ref = weakref.ref(x)
    del x
    gc.collect()
    assert ref() is None


def test_a_failed_pass_keeps_nothing(no_gc):
    x = leaf(ag, [1.0, 2.0])
    h = x.exp()
    y = h * h
    y.register_hook(lambda g: 1 / 0)
    try:
        y.sum().backward()
    except ZeroDivisionError as error:
        error.__traceback__ = None
    array = watch(h)
    del h, y
    assert array() is None


def test_many_steps_do_not_grow():
    """F7."""
    import tracemalloc

    w = ag.zeros(50, requires_grad=True)
    data = ag.ones(20, 50)

    def step():
        w.grad = None
        ((data @ w - 1) ** 2).mean().backward()
        with ag.no_grad():
            w.sub_(w.grad, alpha=0.01)

    for _ in range(20):
        step()
    gc.collect()
    tracemalloc.start()
    step()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        step()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 50_000


def test_registers_of_writes_forget_dead_memory():
    from autograd_gpu.autograd.mutation import _writes

    gc.collect()
    before = len(_writes)
    for _ in range(100):
        ag.zeros(3).add_(1)
    assert len(_writes) <= before + 1


CHAINS = {
    "add": "y = y + 1",
    "mul": "y = y * 1.0",
    "exp": "y = y.tanh()",
    "view": "y = y.view(1)",
    "inplace": "y.add_(1)",
}


@pytest.mark.slow
@pytest.mark.parametrize("step", CHAINS)
def test_a_chain_of_a_million(step):
    """F1: built, differentiated and freed without recursion, in linear time and memory."""
    n = 1_000_000 if step in ("add", "mul") else 200_000
    program = f"""
        import resource, autograd_gpu as ag
        x = ag.zeros(1, requires_grad=True)
        y = x * 1
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range({n}):
            {CHAINS[step]}
        y.backward()
        assert x.grad.item() == 1.0
        y.detach_() if "{step}" != "view" else None
        del y
        y = x * 1
        for _ in range({n}):
            {CHAINS[step]}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert (peak - start) * 1024 < 2048 * {n}
        del y
        print("done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-500:]


@pytest.mark.slow
def test_a_long_recorded_chain():
    """Double backward through 20,000 operations."""
    program = """
        import autograd_gpu as ag
        x = ag.ones(1, requires_grad=True)
        y = x
        for _ in range(20_000):
            y = y * 1.0001
        (g,) = ag.autograd.grad((y * y).sum(), x, create_graph=True)
        g.sum().backward()
        del g, y
        print("done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-500:]
