"""Grad modes: context managers, decorators, generators, coroutines, exceptions and threads."""

import asyncio
import inspect
import sys
import threading

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf


@agree
def test_contexts_nest(t):
    seen, on = [], t.is_grad_enabled
    with t.no_grad():
        seen.append(on())
        with t.enable_grad():
            seen.append(on())
            with t.set_grad_enabled(False):
                seen.append(on())
            seen.append(on())
        seen.append(on())
        with t.set_grad_enabled(True):
            seen.append(on())
    return [*seen, on()]


@agree
def test_results_under_the_modes(t):
    x = leaf(t, [2.0])
    with t.no_grad():
        a = x * 2
        with t.enable_grad():
            b = x * 2
        made = t.ones(1, requires_grad=True)
        c = a.requires_grad_()
    return a, b.requires_grad, made.requires_grad, made.is_leaf, c.is_leaf, (a * 2).requires_grad


@agree
def test_an_exception_restores_the_mode(t):
    """E46."""
    try:
        with t.no_grad():
            raise ValueError
    except ValueError:
        return t.is_grad_enabled()


@agree
def test_one_context_used_repeatedly(t):
    context, seen = t.no_grad(), []
    for _ in range(2):
        with context:
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
    return seen


@agree
def test_decorators_with_and_without_parentheses(t):
    @t.no_grad()
    def called(x, *, k=1):
        """Doc."""
        return t.is_grad_enabled(), x * k

    @t.no_grad
    def bare(x):
        return t.is_grad_enabled(), x * 2

    @t.enable_grad()
    def on():
        return t.is_grad_enabled()

    @t.set_grad_enabled(False)
    def off():
        return t.is_grad_enabled()

    before = t.is_grad_enabled()
    x = leaf(t, [1.0])
    with t.no_grad():
        inside = on(), off()
    return [
        called(x, k=3),
        bare(x),
        on(),
        off(),
        before,
        inside,
        called.__name__,
        called.__doc__,
        t.is_grad_enabled(),
    ]


@agree
def test_recursive_decorated_functions(t):
    @t.no_grad()
    def down(n):
        return [t.is_grad_enabled()] + (down(n - 1) if n else [])

    @t.enable_grad()
    def up(n):
        return [t.is_grad_enabled(), *down(0)] + (up(n - 1) if n else [])

    return down(3), up(2), t.is_grad_enabled()


@agree
def test_methods_are_decorated(t):
    class Model:
        @t.no_grad()
        def method(self, v):
            return t.is_grad_enabled(), v

        @staticmethod
        @t.no_grad()
        def static():
            return t.is_grad_enabled()

        @classmethod
        @t.no_grad()
        def cls(cls):
            return t.is_grad_enabled()

    return Model().method(1), Model.static(), Model.cls()


@agree
def test_generators_keep_the_mode_to_themselves(t):
    log = []

    @t.no_grad()
    def numbers():
        for i in range(3):
            log.append(t.is_grad_enabled())
            got = yield i
            log.append((t.is_grad_enabled(), got))
        return "end"

    it = numbers()
    log.append(next(it))
    log.append(t.is_grad_enabled())
    log.append(it.send("hello"))
    with t.enable_grad():
        log.append(next(it))
    try:
        next(it)
    except StopIteration as stop:
        log.append(stop.value)
    return [*log, t.is_grad_enabled(), inspect.isgeneratorfunction(numbers)]


@agree
def test_throwing_into_and_closing_a_generator(t):
    log = []

    @t.no_grad()
    def careful():
        try:
            while True:
                try:
                    yield t.is_grad_enabled()
                except KeyError:
                    log.append(("caught", t.is_grad_enabled()))
        finally:
            log.append(("closed", t.is_grad_enabled()))

    it = careful()
    log.append(next(it))
    log.append(it.throw(KeyError("k")))
    it.close()
    other = careful()
    next(other)
    log.append(fails(ValueError, "v", other.throw, ValueError("v")))
    return [*log, t.is_grad_enabled()]


@agree
def test_a_generator_that_raises(t):
    @t.no_grad()
    def broken():
        yield 1
        raise KeyError("x")

    it = broken()
    next(it)
    return fails(KeyError, "x", next, it), t.is_grad_enabled()


@agree
def test_yield_from(t):
    @t.no_grad()
    def inner():
        yield t.is_grad_enabled()
        return 5

    @t.enable_grad()
    def outer():
        value = yield from inner()
        yield t.is_grad_enabled(), value

    return list(outer()), t.is_grad_enabled()


def test_coroutines():
    """The mode holds while the function's own code runs: not in others, that run while it waits.
    PyTorch's decorators do not reach into coroutines and asynchronous generators at all."""

    @ag.no_grad()
    async def off(x):
        before = (x * 2).requires_grad
        await asyncio.sleep(0.005)
        return before, ag.is_grad_enabled(), (x * 2).requires_grad

    async def other(x):
        seen = []
        for _ in range(3):
            seen.append((x * 2).requires_grad)
            await asyncio.sleep(0.002)
        return seen

    @ag.no_grad()
    async def numbers(x):
        got = None
        while got != "stop":
            await asyncio.sleep(0)
            got = yield got, ag.is_grad_enabled()

    async def main():
        log = [await asyncio.gather(off(x), other(x))]
        async for value in numbers(x):
            log.append((value, ag.is_grad_enabled()))
            if len(log) == 3:
                break
        it = numbers(x)
        log.append(await it.asend(None))
        log.append(await it.asend("sent"))
        try:
            await it.asend("stop")
        except StopAsyncIteration:
            log.append("stopped")
        return log

    x = leaf(ag, [1.0])
    assert asyncio.run(main()) == [
        [(False, False, False), [True, True, True]],
        ((None, False), True),
        ((None, False), True),
        (None, False),
        ("sent", False),
        "stopped",
    ]
    assert ag.is_grad_enabled()


def test_a_coroutine_that_fails_or_is_cancelled():
    log = []

    @ag.no_grad()
    async def work(error):
        try:
            await asyncio.sleep(0 if error else 10)
            raise KeyError("mine")
        finally:
            log.append(ag.is_grad_enabled())

    async def main():
        task = asyncio.create_task(work(None))
        await asyncio.sleep(0)
        task.cancel()
        return [type(r) for r in await asyncio.gather(work(1), task, return_exceptions=True)]

    assert asyncio.run(main()) == [KeyError, asyncio.CancelledError]
    assert log == [False, False]
    assert ag.is_grad_enabled()


@agree
def test_set_grad_enabled_as_a_function(t):
    t.set_grad_enabled(False)
    off = t.is_grad_enabled()
    t.set_grad_enabled(True)
    with t.no_grad():
        t.set_grad_enabled(True)
        inside = t.is_grad_enabled()
    return off, inside, t.is_grad_enabled()


def test_classes_may_be_decorated_with_a_warning(torch):
    for t in (torch, ag):
        with pytest.warns(FutureWarning) as said:

            @t.no_grad()
            class Thing:
                def __init__(self, t=t):
                    self.mode = t.is_grad_enabled()

        assert Thing().mode is False
    assert said[0].filename == __file__  # the line that decorates


@agree
def test_each_thread_has_its_own_mode(t):
    """E48."""
    seen = []

    def work():
        seen.append(t.is_grad_enabled())
        t.set_grad_enabled(False)
        seen.append(t.is_grad_enabled())

    with t.no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    return [*seen, t.is_grad_enabled()]


@agree
def test_a_thread_that_ends_in_no_grad_leaves_no_trace(t):
    thread = threading.Thread(target=lambda: t.set_grad_enabled(False))
    thread.start()
    thread.join()
    return (leaf(t, [1.0]) * 2).requires_grad


def test_no_grad_in_one_thread_while_another_records():
    """F15."""
    stop, wrong = threading.Event(), []

    def off():
        x = leaf(ag, [1.0])
        while not stop.is_set():
            with ag.no_grad():
                if (x * 2).requires_grad:
                    wrong.append("recorded")

    threads = [threading.Thread(target=off) for _ in range(3)]
    for thread in threads:
        thread.start()
    x = leaf(ag, [2.0])
    for _ in range(300):
        x.grad = None
        (x * x * 3).sum().backward()
        if x.grad.tolist() != [12.0]:
            wrong.append(x.grad)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


@agree
def test_backward_restores_the_mode(t):
    x = leaf(t, [1.0])
    y = (x * x).sum()
    with t.no_grad():
        y.backward(retain_graph=True)
        off = t.is_grad_enabled()
    y.backward()
    return off, t.is_grad_enabled()


@agree
def test_inplace_and_out_under_no_grad(t):
    x = leaf(t, [1.0, 2.0])
    with t.no_grad():
        x.mul_(2)
        t.add(x, 1, out=x)
    return x, x.requires_grad, x.is_leaf, x.grad_fn is None


def test_the_autograd_namespace_has_them(torch):
    for t in (torch, ag):
        assert t.autograd.no_grad is t.no_grad
        assert t.autograd.enable_grad is t.enable_grad
        assert t.autograd.set_grad_enabled is t.set_grad_enabled


@agree
def test_what_is_no_mode(t):
    words = "must be bool, not"
    seen = [fails(TypeError, words, t.set_grad_enabled, v) for v in (1, None, "x")]
    several = t.autograd.grad_mode.set_multithreading_enabled
    return *seen, fails(TypeError, words, several, 1), t.is_grad_enabled()


@agree
def test_set_grad_enabled_in_each_other(t):
    seen = []

    @t.set_grad_enabled(True)
    def on():
        """Doc."""
        return t.is_grad_enabled()

    with t.set_grad_enabled(False):
        seen.append((t.is_grad_enabled(), on(), t.is_grad_enabled()))
        with t.set_grad_enabled(True):
            t.set_grad_enabled(False)
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
    context = t.set_grad_enabled(False)
    seen.append(t.is_grad_enabled())
    with context:
        seen.append(t.is_grad_enabled())
    return [*seen, t.is_grad_enabled(), on.__doc__]


@agree
def test_inplace_and_out_on_leaves_and_views(t):
    """Under no_grad they are allowed, counted, and change no history."""
    x = leaf(t, [1.0, 2.0, 3.0])
    y = x * 2
    with t.no_grad():
        for write in (
            lambda: x.add_(1),
            lambda: x[:2].mul_(2),
            lambda: t.mul(x, 2, out=x),
            lambda: t.exp(y.detach(), out=y),
            lambda: x.__setitem__(0, 5.0),
            lambda: x.copy_(t.ones(3)),
            lambda: t.add(x[1:], 1, out=x[1:]),
        ):
            write()
    words = "functions with out=... arguments don't support automatic differentiation"
    seen = [fails(RuntimeError, words, t.add, x, 1, out=t.zeros(3, dtype=t.float64))]
    seen.append(fails(RuntimeError, "a leaf Variable that requires grad", x.add_, 1))
    y.sum().backward()
    return x, x.is_leaf, x.grad, x._version, y, type(y.grad_fn).__name__, *seen


@agree
def test_whether_passes_use_several_threads(t):
    choose, seen = t.autograd.grad_mode.set_multithreading_enabled, []
    enabled = t._C._is_multithreading_enabled if hasattr(t, "_C") else t.autograd.is_multithreading_enabled
    seen.append(enabled())
    with choose(False):
        seen.append(enabled())
        with choose(True):
            seen.append(enabled())
        x = leaf(t, [1.0, 2.0])
        (x * x).sum().backward()
        thread = threading.Thread(target=lambda: seen.append(enabled()))
        thread.start()
        thread.join()
        seen.append(enabled())
    context = choose(False)
    seen.append(enabled())
    choose(True)
    with context:
        seen.append(enabled())
    seen.append(enabled())

    @choose(True)
    def decorated():
        return enabled()

    return seen, decorated(), enabled(), x.grad, t.autograd.set_multithreading_enabled is choose


def test_a_pass_runs_in_the_thread_that_calls_it():
    """Whatever `set_multithreading_enabled` says."""
    for several in (True, False):
        seen = []
        x = leaf(ag, [1.0, 2.0])
        y = x * 2
        y.register_hook(lambda g, seen=seen: seen.append(threading.get_ident()))
        with ag.autograd.set_multithreading_enabled(several):
            y.sum().backward()
        assert seen == [threading.get_ident()]


@pytest.mark.parametrize("name", ["x * 2", "add", "view", "slice", "cat", "sort", "add_", "chunk"])
def test_inference_mode_costs_no_more_calls_than_no_grad(name):
    """Python calls of an operation, counted: with one more at most where something is written."""
    x = ag.ones(3)
    work = {
        "x * 2": lambda: x * 2,
        "add": lambda: ag.add(x, x),
        "view": lambda: x.view(3, 1),
        "slice": lambda: x[:2],
        "cat": lambda: ag.cat([x, x]),
        "sort": lambda: x.sort(),
        "add_": lambda: x.add_(1.0),
        "chunk": lambda: x.chunk(3),
    }[name]
    with ag.no_grad():
        usual = calls(work)
    with ag.inference_mode():
        assert calls(work) <= usual + {"add_": 1, "cat": 1, "sort": 4, "chunk": 4}.get(name, 0)


def calls(work):
    work()
    count = []
    sys.setprofile(lambda frame, event, arg: count.append(event) if event == "call" else None)
    try:
        work()
    finally:
        sys.setprofile(None)
    return len(count)
