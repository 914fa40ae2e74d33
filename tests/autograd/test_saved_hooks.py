"""saved_tensors_hooks: what passes through them, when, and what they may do with it."""

import gc
import io
import threading
import weakref

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import modes

from .agree import agree, fails, leaf, on_host
from .test_saved_hooks_of_ops import Log, w


@agree
def test_what_hooks_are_given(t):
    """The tensor with its history; nothing is recorded meanwhile."""
    seen = []

    def pack(x):
        seen.append((x.requires_grad, x.is_leaf, x.grad_fn, x._version, t.is_grad_enabled()))
        return x.detach()

    def unpack(x):
        seen.append(t.is_grad_enabled())
        return x

    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        z = (w(t) * 1) * w(t)
        z.exp().relu()[:2].sin().sum().backward()
        x = w(t)
        g = t.autograd.grad(x.exp().sum(), x, create_graph=True)
    return seen, g


@agree
def test_a_recorded_pass(t):
    """Nodes of the pass save as well, and unpack what they saved in the next."""
    log = Log(t)
    with log.hooks:
        x = w(t)
        g = t.autograd.grad((x * x * x).sum(), x, create_graph=True)[0]
    counts = len(log.packed), len(log.unpacked)
    h = t.autograd.grad(g.sum(), x, create_graph=True)[0]
    return counts, len(log.packed), len(log.unpacked), h, t.autograd.grad(h.sum(), x)


@agree
def test_the_innermost_acts(t):
    order = []

    def hooks(name):
        def note(x):
            order.append(name)
            return x.detach()

        return t.autograd.graph.saved_tensors_hooks(note, lambda x: x)

    x = w(t)
    with hooks("outer"):
        with hooks("inner"):
            x * x
        x.exp()
    x * x
    context = hooks("again")
    for _ in range(2):
        with context:
            x.exp()
    return order


@agree
def test_nothing_is_packed_where_nothing_is_recorded(t):
    log = Log(t)
    with log.hooks:
        with t.no_grad():
            w(t) * w(t)
        with t.inference_mode():
            w(t) * w(t)
        t.ones(3) * t.ones(3)
    return log.packed


@agree
def test_errors_in_hooks(t):
    def fail(x):
        raise KeyError("mine")

    hooks, x = t.autograd.graph.saved_tensors_hooks, w(t)

    def packing():
        with hooks(fail, lambda x: x):
            return x * x

    with hooks(lambda x: x.detach(), fail):
        y = (x * x).sum()
    seen = [fails(KeyError, "mine", packing), fails(KeyError, "mine", y.backward)]
    log = Log(t)
    with log.hooks:
        z = (x * x).sum()
    z.backward()
    return [*seen, x.grad, len(log.unpacked)]


@agree
def test_a_failed_pass_can_be_repeated(t):
    calls = []

    def unpack(x):
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("once")
        return x

    x = w(t)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.detach(), unpack):
        y = (x * x).sum()
    seen = fails(ValueError, "once", y.backward)
    return seen, len(calls), x.grad


@agree
def test_a_pack_hook_must_not_write(t):
    words = "A saved tensor pack hook is modifying its input in place"
    hooks, n, x = t.autograd.graph.saved_tensors_hooks, t.ones(3), w(t)
    with hooks(lambda x: x.add_(1), lambda x: x):
        return fails(RuntimeError, words, lambda: x * n), fails(RuntimeError, words, lambda: x * x)


@agree
@pytest.mark.parametrize("kind", ["text", "None", "float64", "broadcast", "too large", "leaf"])
def test_what_unpack_returns(t, kind):
    returned = {
        "text": lambda x: "text",
        "None": lambda x: None,
        "float64": lambda x: x.double(),
        "broadcast": lambda x: x[:1],
        "too large": lambda x: t.ones(4),
        "leaf": lambda x: x.detach().requires_grad_(),
    }[kind]
    x = w(t)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.detach(), returned):
        y = (x * x).sum()
    if kind in ("text", "None"):
        return fails(TypeError, "unpack_hook expected to be a Tensor but got result of type", y.backward)
    if kind == "too large":
        return fails(RuntimeError, "of", y.backward)
    y.backward()
    return x.grad


@agree
def test_what_is_no_hook(t):
    hooks = t.autograd.graph.saved_tensors_hooks
    for bad in (1, None):
        for pair in ((bad, lambda x: x), (lambda x: x, bad)):
            fails(TypeError, "", hooks(*pair).__enter__)
    return w(t).exp()


@agree
@on_host
def test_to_bytes_and_back(t):
    """The example of a file: what is saved leaves memory."""

    def pack(x):
        file = io.BytesIO()
        np.save(file, x.detach().numpy())
        return file.getvalue()

    def unpack(data):
        return t.from_numpy(np.load(io.BytesIO(data)))

    x = leaf(t, [1.0, 2.0, 3.0])
    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x.exp() * x).sum()
    y.backward()
    return x.grad


@agree
def test_half_precision(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.half(), lambda x: x.double()):
        y = (x * x).sum()
    y.backward()
    return x.grad


@agree
def test_writes_to_what_was_saved(t):
    """The version belongs to the tensor, not to what the hooks keep: they answer for the content."""
    hooks, seen = t.autograd.graph.saved_tensors_hooks, []
    for pack in (lambda x: x.detach().clone(), lambda x: x.detach()):
        x, n = w(t), t.ones(3)
        with hooks(pack, lambda x: x):
            y = (x * n).sum()
        n.mul_(7)
        y.backward()
        seen.append(x.grad)
    x = w(t)
    with hooks(lambda x: x.detach().clone(), lambda x: x):
        y = (x * x).sum()
    with t.no_grad():
        x.mul_(3)
    y.backward()
    return [*seen, x.grad]


class Kept:
    """Something that a weak reference can see."""

    def __init__(self, x):
        self.x = x


@agree
def test_when_what_was_packed_is_freed(t):
    refs = []

    def pack(x):
        kept = Kept(x.detach().clone())
        refs.append(weakref.ref(kept))
        return kept

    def alive():
        gc.collect()
        return [r() is not None for r in refs]

    with t.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.x):
        y = (w(t) * w(t)).sum()
        z = (w(t) * w(t)).sum()
    seen = [alive()]
    y.backward(retain_graph=True)
    seen.append(alive())
    y.backward()
    seen.append(alive())
    seen.append(fails(RuntimeError, "backward through the graph a second time", y.backward))
    del z
    return [*seen, alive()]


def test_no_cycles():
    """A hook that keeps the detached output leaves nothing for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        with ag.autograd.graph.saved_tensors_hooks(lambda x: x.detach(), lambda x: x):
            y = w(ag).exp()
        ref = weakref.ref(y)
        del y
        assert ref() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


@agree
def test_only_some_inputs(t):
    """What is not needed for the wanted gradients stays packed."""
    log, a, b = Log(t), w(t), w(t)
    with log.hooks:
        y = (a * b.exp()).sum()
    t.autograd.grad(y, a, retain_graph=True)
    y.backward(inputs=[b])
    return sorted(log.packed), b.grad


@agree
def test_with_hooks_of_nodes_and_tensors(t):
    log, x = Log(t), w(t)
    with log.hooks:
        y = x * x
        y.register_hook(lambda g: g * 2)
    y.grad_fn.register_hook(lambda inputs, outputs: None)
    y.grad_fn.register_prehook(lambda outputs: None)
    y.retain_grad()
    y.sum().backward()
    return len(log.packed), len(log.unpacked), x.grad, y.grad


@agree
def test_saved_attributes_unpack(t):
    log, x = Log(t), w(t)
    with log.hooks:
        y = x * x
    seen = [y.grad_fn._saved_self, y.grad_fn._saved_self.requires_grad, len(log.unpacked)]
    y.sum().backward()
    words = "Trying to backward through the graph a second time"
    return [*seen, len(log.unpacked), fails(RuntimeError, words, getattr, y.grad_fn, "_saved_self")]


@agree
def test_each_thread_has_its_own(t):
    log = Log(t)
    with log.hooks:
        thread = threading.Thread(target=lambda: w(t) * w(t))
        thread.start()
        thread.join()
        here = len(log.packed)
        y = w(t) * w(t)
    thread = threading.Thread(target=lambda: y.sum().backward())
    thread.start()
    thread.join()
    return here, len(log.packed), len(log.unpacked)


@agree
def test_disabled(t):
    graph, seen = t.autograd.graph, []
    hooks = graph.saved_tensors_hooks(lambda x: x, lambda x: x)
    with graph.disable_saved_tensors_hooks("not here"):
        seen.append(fails(RuntimeError, "not here", hooks.__enter__))
        with graph.disable_saved_tensors_hooks("nor here"):
            seen.append(fails(RuntimeError, "nor here", hooks.__enter__))
        seen.append(fails(RuntimeError, "not here", hooks.__enter__))
        seen.append(fails(RuntimeError, "not here", graph.save_on_cpu().__enter__))
        y = w(t).exp()
    with hooks:
        context = graph.disable_saved_tensors_hooks("hooks are there")
        seen.append(fails(RuntimeError, "hooks are there", context.__enter__))

    @graph.disable_saved_tensors_hooks("in a function")
    def decorated():
        with hooks:
            pass

    seen.append(fails(RuntimeError, "in a function", decorated))
    with hooks:
        seen.append(w(t).exp())
    return seen, y, decorated.__name__


def test_nothing_is_left_at_the_end():
    before = set(modes)
    with Log(ag).hooks:
        assert modes != before
        with Log(ag).hooks:
            w(ag).exp()
    assert modes == before
    with pytest.raises(KeyError), Log(ag).hooks:
        raise KeyError
    assert modes == before


def test_a_run_comes_and_goes_while_another_unpacks(monkeypatch):
    """As another thread's might, between the two times that this one holds the lock."""
    from autograd_gpu.autograd import saving

    with ag.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        y = w(ag).exp()
    node, real, uses = y.grad_fn, saving._lock, []

    class Lock:
        times = 0

        def __enter__(self):
            if self.times == 1:
                with monkeypatch.context() as plain:
                    plain.setattr(saving, "_lock", real)
                    saving._leave(node, uses.pop())
            real.acquire()

        def __exit__(self, *_):
            real.release()
            self.times += 1
            if self.times == 1:
                with monkeypatch.context() as plain:
                    plain.setattr(saving, "_lock", real)
                    uses.append(saving._enter(node))

    with monkeypatch.context() as patch:
        patch.setattr(saving, "_lock", Lock())
        use = saving._enter(node)
    assert node.out is y._array
    saving._leave(node, use)
    assert node.out.__class__ is saving.Packed
