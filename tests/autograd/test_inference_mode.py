"""Inference mode: which tensors are inference tensors, and what its contexts and decorators do."""

import asyncio
import copy
import gc
import io
import pickle
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import modes, off

from .agree import agree, fails, function, leaf, on_host


def kinds(value):
    """Per tensor: I for an inference tensor, g for requires_grad, v for a view."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return " ".join(map(kinds, value))
    return ("I" if value.is_inference() else "-") + "g" * value.requires_grad + "v" * value._is_view()


def given(t):
    """Normal tensors: plain, a leaf, a matrix, complex; a module and a leaf with a gradient."""
    x = SimpleNamespace(n=t.ones(3), w=leaf(t, [1.0, 1.0, 1.0], "float32"))
    x.m, x.c = t.arange(4.0).reshape(2, 2).clone(), t.ones(2, dtype=t.complex64)
    x.linear, x.g = t.nn.Linear(2, 2), leaf(t, [1.0])
    (x.g * 2).sum().backward()
    return x


MADE = {
    "tensor": lambda t, x: t.tensor([1.0]),
    "as_tensor": lambda t, x: [t.as_tensor([1.0]), t.as_tensor(x.n)],
    "filled": lambda t, x: [t.zeros(2), t.ones(2), t.empty(2), t.full((2,), 1.0), t.eye(2)],
    "ranges": lambda t, x: [t.arange(3), t.linspace(0, 1, 3), t.logspace(0, 1, 3)],
    "random": lambda t, x: [t.rand(2), t.randn(2), t.randint(3, (2,)), t.randperm(3)],
    "samples": lambda t, x: [t.normal(0.0, 1.0, (2,)), t.bernoulli(x.n), t.multinomial(x.n, 2)],
    "like": lambda t, x: [t.zeros_like(x.n), t.rand_like(x.n), t.full_like(x.n, 2.0)],
    "new": lambda t, x: [x.n.new_zeros(2), x.n.new_tensor([1.0]), x.n.new_full((2,), 1.0)],
    "complex": lambda t, x: [t.complex(x.n, x.n), t.polar(x.n, x.n), t.scalar_tensor(1.0)],
    "requires_grad": lambda t, x: [t.zeros(1, requires_grad=True), t.ones(2).requires_grad_()],
    "constructor": lambda t, x: [t.Tensor([1.0]), t.Tensor(2)],
    "Parameter": lambda t, x: [t.nn.Parameter(x.n), t.nn.Parameter(t.ones(2))],
    "frozen Parameter": lambda t, x: t.nn.Parameter(x.n, requires_grad=False),
    "Linear": lambda t, x: list(t.nn.Linear(2, 2).parameters()),
    "Conv2d": lambda t, x: list(t.nn.Conv2d(1, 1, 1).parameters()),
    "Embedding": lambda t, x: list(t.nn.Embedding(3, 2).parameters()),
    "BatchNorm1d": lambda t, x: t.nn.BatchNorm1d(2).state_dict(),
    "buffers": lambda t, x: list(t.nn.BatchNorm1d(2).buffers()),
    "deepcopy": lambda t, x: [copy.deepcopy(x.n), copy.deepcopy(x.w), copy.copy(x.n)],
    "deepcopy of a module": lambda t, x: list(copy.deepcopy(x.linear).parameters()),
    "pickle": lambda t, x: pickle.loads(pickle.dumps(x.n)),
    "state_dict": lambda t, x: x.linear.state_dict(),
    "grad": lambda t, x: x.g.grad,
    "copies": lambda t, x: [x.n.clone(), x.n[x.n > 0], x.n[[0, 1]], x.n.repeat(2), x.n.double()],
    "same": lambda t, x: [x.n.contiguous(), x.w.contiguous(), x.n.float(), x.n.to(x.n)],
    "copied or not": lambda t, x: [x.m.t().contiguous(), x.m.t().reshape(4), x.m.t().flatten()],
    "detach": lambda t, x: [x.n.detach(), x.w.detach(), x.n.data, x.w.data],
    "views": lambda t, x: [x.n.view(3, 1), x.n[0], x.n[:2], x.n[None], x.m.t(), x.m.permute(1, 0)],
    "more views": lambda t, x: [x.n.expand(2, 3), x.m.diagonal(), x.n.narrow(0, 0, 1), x.m.flatten()],
    "strided": lambda t, x: [x.n.unfold(0, 2, 1), x.n.as_strided((2,), (1,)), x.n.squeeze()],
    "views of a leaf": lambda t, x: [x.w[:2], x.w.view(3, 1), x.w.detach()[:1]],
    "parts": lambda t, x: [x.n.real, x.c.real, x.c.imag, t.view_as_real(x.c)],
    "several views": lambda t, x: [*x.n.split(1), *x.n.unbind(0), *x.n.chunk(2), *x.n.hsplit(3)],
    "views of inference tensors": lambda t, x: [*t.ones(3).chunk(3), t.ones(2)[:1], t.ones(2).t()],
    "mixed": lambda t, x: [*t.broadcast_tensors(x.n, t.ones(2, 1)), t.atleast_2d(x.n)],
    "pointwise": lambda t, x: [x.w + 1, -x.n, x.n == x.w, x.n.bool(), t.where(x.n > 0, x.n, x.w)],
    "reductions": lambda t, x: [x.w.sum(), x.n.norm(), x.n.argmax(), *x.n.max(0), *x.n.sort()],
    "several results": lambda t, x: [*x.n.topk(2), *t.var_mean(x.n), *x.n.cummax(0), *t.unique(x.n, return_inverse=True)],
    "joined": lambda t, x: [t.cat([x.n, x.w]), t.stack([x.w, x.w]), t.outer(x.n, x.n)],
    "products": lambda t, x: [x.m @ x.m, t.einsum("i,i->", x.n, x.w), x.linear(t.ones(1, 2))],
    "linalg": lambda t, x: [*t.linalg.svd(x.m), *t.linalg.slogdet(x.m), *t.linalg.qr(x.m)],
    "network": lambda t, x: [t.softmax(x.w, 0), t.relu(x.w), t.nn.functional.mse_loss(x.n, x.w)],
    "identity": lambda t, x: [t.nn.functional.dropout(x.w, training=False), t.nn.Identity()(x.n)],
    "_base": lambda t, x: x.m[0]._base,
}  # fmt: skip


@agree
@pytest.mark.parametrize("name", MADE)
def test_what_is_made_in_inference_mode(t, name):
    x = given(t)
    with t.inference_mode():
        made = MADE[name](t, x)
        return kinds(made)


@agree
@on_host
def test_arrays_of_numpy_in_inference_mode(t):
    x, a = t.ones(3), np.ones(2)
    with t.inference_mode():
        made = t.from_numpy(a), t.asarray(a), t.as_tensor(a), t.from_dlpack(x), t.from_dlpack(a)
        return kinds([*made, x.cpu(), t.ones(2).cpu()])


OUTSIDE = (
    "like new copies same detach views strided pointwise reductions joined products network "
    "identity deepcopy pickle parts"
).split()


@agree
@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_made_of_inference_tensors_outside(t, name):
    """Views and aliases stay inference tensors; what is computed is normal."""
    x = given(t)
    with t.inference_mode():
        x.n, x.m, x.w = t.ones(3), t.ones(2, 2), t.ones(3)
        x.c, x.linear = t.ones(2, dtype=t.complex64), t.nn.Linear(2, 2)
    # whether a computed result is a view of something nobody sees is not compared
    return [w if "I" in w else w.replace("v", "") for w in kinds(MADE[name](t, x)).split()]


@agree
def test_contexts_in_each_other(t):
    w, seen = leaf(t, [1.0]), []

    def look():
        seen.append((t.is_grad_enabled(), t.is_inference_mode_enabled(), kinds([t.ones(1), w * 2])))

    look()
    with t.inference_mode():
        look()
        with t.enable_grad():
            look()
            seen.append(kinds(w[:1]))
            with t.no_grad():
                look()
            with t.inference_mode(False):
                look()
                with t.inference_mode():
                    look()
                with t.no_grad():
                    look()
                look()
            look()
        with t.set_grad_enabled(True):
            look()
        with t.inference_mode():
            look()
        look()
        with t.inference_mode(False):
            look()
        look()
    look()
    with t.no_grad():
        for mode in (True, False):
            with t.inference_mode(mode=mode):
                look()
            look()
    context = t.inference_mode()
    for _ in range(2):
        with context:
            look()
    with t.inference_mode():
        t.set_grad_enabled(True)
        look()
    look()
    with t.inference_mode(False):
        t.set_grad_enabled(False)
    look()
    return seen


@agree
def test_an_exception_ends_it(t):
    try:
        with t.inference_mode():
            raise KeyError
    except KeyError:
        return t.is_inference_mode_enabled(), t.is_grad_enabled()


@agree
def test_each_thread_has_its_own(t):
    seen = []

    def work():
        seen.append((t.is_inference_mode_enabled(), t.is_grad_enabled()))
        seen.append(kinds([t.ones(1), leaf(t, [1.0]) * 2]))

    with t.inference_mode():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        work()
    return seen


@agree
def test_decorated_functions(t):
    @t.inference_mode()
    def called(x):
        """Doc."""
        return x * 2

    @t.inference_mode
    def bare(x):
        return x * 2

    @t.inference_mode(False)
    def ended(x):
        return x * 2

    @t.inference_mode(mode=True)
    def again(x, n=2):
        return again(x * 2, n - 1) if n else x

    class Model:
        @t.inference_mode()
        def method(self, x):
            return x * 2

        @staticmethod
        @t.inference_mode()
        def static(x):
            return x * 2

        @classmethod
        @t.inference_mode()
        def of_class(cls, x):
            return x * 2

    w = leaf(t, [1.0])
    made = [f(w) for f in (called, bare, ended, again, Model().method, Model.static, Model.of_class)]
    with t.inference_mode():
        made.append(ended(w))
    return kinds(made), called.__name__, called.__doc__


@agree
def test_decorated_generators(t):
    log, w = [], leaf(t, [1.0])

    @t.inference_mode()
    def numbers():
        try:
            for _ in range(3):
                try:
                    got = yield w * 2
                    log.append((got, t.is_inference_mode_enabled()))
                except KeyError:
                    log.append(("caught", t.is_inference_mode_enabled()))
            return "end"
        finally:
            log.append(("closed", t.is_inference_mode_enabled()))

    it = numbers()
    log.append((kinds(next(it)), t.is_inference_mode_enabled()))
    log.append(kinds(it.send("sent")))
    log.append(kinds(it.throw(KeyError())))
    it.close()

    def outer():
        return (yield from numbers())

    it = outer()
    while True:
        try:
            log.append(kinds(next(it)))
        except StopIteration as stop:
            log.append(stop.value)
            return log, t.is_inference_mode_enabled()


def test_coroutines_keep_the_mode_to_themselves():
    """Others run while one waits, and not in its modes; PyTorch's decorators do not reach into
    coroutines at all."""

    @ag.inference_mode()
    async def guess(x):
        first = x * 2
        await asyncio.sleep(0.01)
        return kinds([first, x * 2]), ag.is_inference_mode_enabled()

    async def other(x):
        for _ in range(3):
            await asyncio.sleep(0.003)
            if (x * 2).is_inference() or not (x * 2).requires_grad:
                return "in the mode of another"
        return "normal"

    @ag.inference_mode()
    async def stream(x):
        try:
            for _ in range(2):
                await asyncio.sleep(0)
                yield kinds(x * 2)
        finally:
            log.append(ag.is_inference_mode_enabled())

    async def main():
        both = await asyncio.gather(guess(w), other(w))
        read = [(made, ag.is_inference_mode_enabled()) async for made in stream(w)]
        early = stream(w)
        await early.asend(None)
        await early.aclose()
        thrown = stream(w)
        await thrown.asend(None)
        with pytest.raises(KeyError):
            await thrown.athrow(KeyError("k"))
        return both, read

    log, w = [], leaf(ag, [1.0])
    both, read = asyncio.run(main())
    assert both == [("I I", True), "normal"]
    assert read == [("I", False), ("I", False)]
    assert log == [True, True, True]
    assert not ag.is_inference_mode_enabled()


@agree
def test_functions_of_users(t):
    plain = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    view = function(t, lambda ctx, x: x.view(3, 1), lambda ctx, g: g.view(3), "View")
    n, w = t.ones(3), leaf(t, [1.0, 2.0, 3.0])
    with t.inference_mode():
        return kinds([plain.apply(n), plain.apply(w), view.apply(n), plain.apply(t.ones(3))])


@agree
def test_saving_and_loading(t):
    with t.inference_mode():
        x = t.ones(2)
    seen = []
    for mode in (False, True):
        file = io.BytesIO()
        t.save({"x": x, "w": leaf(t, [1.0])}, file)
        file.seek(0)
        with t.inference_mode(mode):
            loaded = t.load(file)
            seen.append(kinds([loaded["x"], loaded["w"], copy.deepcopy(x), pickle.loads(pickle.dumps(x))]))
    return seen


@agree
def test_modules_made_and_moved_in_it(t):
    with t.inference_mode():
        net = t.nn.Sequential(t.nn.Linear(2, 3), t.nn.BatchNorm1d(3), t.nn.ReLU())
        out = net(t.ones(4, 2))
    seen = [kinds([*net.parameters(), *net.buffers(), out])]
    words = "Inference tensors cannot be saved for backward"
    seen.append(fails(RuntimeError, "nference tensor", net, t.ones(4, 2)))
    net.eval()
    seen.append(fails(RuntimeError, words, net, t.ones(4, 2)))
    with t.inference_mode():
        seen.append(kinds(net(t.ones(4, 2))))
        normal = t.nn.Linear(2, 2)
    moved = t.nn.Linear(2, 2)
    with t.inference_mode():
        moved.double()
    seen += [kinds([*moved.parameters()]), kinds([*copy.deepcopy(normal).parameters()])]
    seen.append(fails(RuntimeError, "Setting requires_grad=True", normal.requires_grad_(False).requires_grad_))
    return seen


@agree
def test_what_is_no_mode_is_taken_for_a_function(t):
    @t.inference_mode
    def f():
        return t.is_inference_mode_enabled()

    words = "argument 'input' (position 1) must be Tensor"
    return f(), t.is_inference(t.ones(1)), fails(TypeError, words, t.is_inference, 1)


def test_nothing_is_left_when_the_last_inference_tensor_dies():
    """Then operations go the usual way again: the sets they ask are empty."""
    gc.collect()
    before = set(modes), set(off)
    with ag.inference_mode():
        x = ag.ones(3)
        views = [x[:2], x.view(3, 1), *x.chunk(3)]
        results = ag.ones(4).sort()
    alias = x.detach()
    assert len(modes) > len(before[0])
    del x, results
    assert len(modes) > len(before[0])
    del views, alias
    assert (set(modes), set(off)) == before
    with ag.inference_mode():
        for context in (ag.enable_grad, ag.no_grad, lambda: ag.inference_mode(False)):
            with context():
                ag.ones(2)
    assert (set(modes), set(off)) == before
    threads = [threading.Thread(target=in_inference_mode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (set(modes), set(off)) == before


def in_inference_mode():
    for _ in range(20):
        with ag.inference_mode():
            ag.ones(3).exp()[1:].add_(1)


def test_inference_tensors_may_outlive_the_interpreter():
    code = (
        "import autograd_gpu as ag\n"
        "with ag.inference_mode(): x = ag.ones(3)\n"
        "class K: pass\n"
        "k = K(); k.k, k.x = k, x[:2]\n"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
