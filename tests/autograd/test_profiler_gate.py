"""The gate through which ops are observed: open, every call passes it; shut, nothing of it is left."""

import inspect
import threading

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import Tensor
from autograd_gpu._ops import observe as gate
from autograd_gpu._ops.declare import Array, op
from autograd_gpu._ops.registry import PUBLIC, REGISTRY

from .test_profiler import listed


@pytest.fixture
def watching():
    """Observe: gives what was seen, as (name, args)."""
    seen = []

    def observer(gate, call, args, kwargs):
        if gate.title(args) != "[first call]":
            seen.append((gate.title(args), gate.given(args)))
        return call(*args, **kwargs)

    gate.observe(observer)
    yield seen
    gate.unobserve(observer)


@pytest.fixture
def fresh():
    """An op that nobody has called yet, with an operator and an in-place form."""

    @op(where=("",), methods=("__fresh__",), inplace=True, promote="float")
    def fresh(xp, input: Array):
        """e^x"""
        return xp.exp(input)

    fresh.derivative(input=lambda grad, out: grad * out)
    yield fresh
    gate._gates.pop(fresh, None)
    del REGISTRY["fresh"], PUBLIC[""]["fresh"], Tensor.fresh_, Tensor.__fresh__


def functions():
    for entry in REGISTRY.values():
        yield entry.function
        if getattr(entry, "operator", None) is not None:
            yield entry.operator
        yield from (getattr(Tensor, name) for name in entry.inplace)


def test_functions_stay_what_they_are():
    ag.mul(ag.ones(2), ag.ones(2))
    names = {name: (value, value.__code__) for name, value in PUBLIC[""].items() if inspect.isfunction(value)}
    codes = {f: f.__code__ for f in functions()}
    signature = inspect.signature(ag.mul)
    with ag.autograd.profiler.profile():
        assert all(PUBLIC[""][name] is value for name, (value, _) in names.items())
        assert ag.mul.__code__ is not codes[ag.mul] and inspect.signature(ag.mul) == signature
        assert sum(f.__code__ is codes[f] for f in codes) == 0, "these are not observed"
        ag.mul(ag.ones(2), ag.ones(2))
    assert all(f.__code__ is codes[f] for f in codes), "a call costs what it did before"
    assert all(value.__code__ is code for value, code in names.values())


def test_a_first_call_inside(fresh):
    """The code of an op is written on its first call: it stays when the gate shuts, and works meanwhile."""
    stub = fresh.__code__
    x = ag.ones(2, requires_grad=True)
    with ag.autograd.profiler.profile() as prof:
        y = fresh(x)
        again = x.__fresh__()
        fresh(x)
        written = ag.zeros(2).fresh_()
        written.fresh_()
    assert [e.name for e in listed(prof)] == ["aten::fresh"] * 3 + ["aten::zeros"] + ["aten::fresh_"] * 2
    assert written.tolist() == pytest.approx([2.718281828] * 2)
    assert sum(e.name == "[first call]" for e in prof.function_events) == 3, "of three functions, and of no op"
    assert "def fresh(" in fresh.op.source
    assert fresh.__code__ is not stub and fresh.__code__.co_filename.startswith("<autograd_gpu fresh")
    assert fresh.op.operator.__code__.co_filename.startswith("<autograd_gpu __fresh__")
    assert Tensor.fresh_.__code__.co_filename.startswith("<autograd_gpu fresh_")
    for result in (y, again, fresh(x)):
        (grad,) = ag.autograd.grad(result.sum(), x)
        assert grad.tolist() == pytest.approx([2.718281828] * 2)


def test_a_first_call_after(fresh):
    stub = fresh.__code__
    with ag.autograd.profiler.profile():
        pass
    assert fresh.__code__ is stub
    assert fresh(ag.zeros(1)).item() == 1 and fresh.__code__ is not stub


def test_a_first_call_between(fresh):
    """Known as a stub by the first profile, generated before the second."""
    with ag.autograd.profiler.profile():
        pass
    fresh(ag.zeros(1))
    made = fresh.__code__
    with ag.autograd.profiler.profile() as prof:
        assert fresh(ag.zeros(1)) == 1
    assert fresh.__code__ is made and [e.name for e in listed(prof)][1] == "aten::fresh"


def test_first_calls_of_many_threads(fresh):
    start, results = threading.Barrier(8), []

    def work():
        start.wait()
        results.append(fresh(ag.zeros(1)).item())

    with ag.autograd.profiler.profile() as prof:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [1] * 8
    assert sum(e.name == "aten::fresh" for e in listed(prof)) == 8


def test_every_way_to_call(watching):
    x, y = ag.ones(2), ag.ones(2)
    watching.clear()
    ag.mul(x, y), x.mul(y), x * y, 2 * x, ag.mul(input=x, other=y)
    assert [name for name, _ in watching] == ["aten::mul"] * 5
    watching.clear()
    x.mul_(y)
    x *= y
    assert {name for name, _ in watching} == {"aten::mul_"}
    watching.clear()
    x[0] = 3.0
    ag.nn.functional.relu(x, inplace=True)
    assert {name for name, _ in watching} == {"aten::copy_", "aten::relu_"}
    watching.clear()
    ag.nn.functional.gelu(x)  # a composite with a kernel has a closure
    ag.nn.functional.silu(x)
    assert [name for name, _ in watching if name.startswith("aten::")][0] == "aten::gelu"


def test_errors_pass_through():
    P = ag.autograd.profiler
    with P.profile() as prof:
        with pytest.raises(RuntimeError, match="must match the size"):
            ag.ones(2) + ag.ones(3)
        with pytest.raises(TypeError):
            ag.mul(ag.ones(2), nonsense=1)
        ag.ones(2).exp()
    assert [(e.name, e.cpu_parent) for e in listed(prof)][-1] == ("aten::exp", None)
    assert ag.mul.__code__.co_filename.startswith("<autograd_gpu")


def test_observers_in_each_other():
    order = []

    def outer(gate, call, args, kwargs):
        order.append("outer")
        return call(*args, **kwargs) + 1 if gate.name == "aten::neg" else call(*args, **kwargs)

    def inner(gate, call, args, kwargs):
        order.append("inner")
        return call(*args, **kwargs)

    x = ag.neg(ag.ones(1)).neg() + 0  # so that no call below is a first one
    gate.observe(outer)
    gate.observe(inner)
    try:
        both, seen = ag.neg(x), list(order)
        gate.unobserve(outer)
        order.clear()
        one, after = ag.neg(x), list(order)
    finally:
        gate.unobserve(outer)
        gate.unobserve(inner)
    assert both.item() == 0, "an observer may give another result"
    assert seen == ["outer", "inner", "outer", "inner"], "neg, and the + of the observer itself"
    assert one.item() == -1 and after == ["inner"]
    assert ag.neg(x).item() == -1 and order == ["inner"]


def test_the_last_observer_leaves_during_a_call():
    def observer(which, call, args, kwargs):
        gate.unobserve(observer)
        return call(*args, **kwargs)

    gate.observe(observer)
    assert ag.nn.functional.softmax(ag.zeros(2), 0).tolist() == [0.5, 0.5]
    assert ag.exp.__code__.co_name in ("exp", "general_stub") and gate._observers == ()


def test_a_call_that_had_begun_when_the_last_observer_left():
    """Another thread may be between the function and the gate just then."""
    with ag.autograd.profiler.profile():
        x = ag.zeros(2).exp()
        inside = ag.exp.__code__.co_consts
    through = next(c for c in inside if callable(c))
    assert through((x,), {}).tolist() == pytest.approx([2.718281828] * 2)


def test_other_functions_can_be_offered():
    def offered(a, b):
        return a + b

    gate.offer(offered, lambda args: f"offered#{args[0]}", lambda args: args[1:])
    with ag.autograd.profiler.profile(record_shapes=True) as prof:
        assert offered(1, ag.ones(2)).tolist() == [2, 2]

        def late(a):
            return a

        gate.offer(late, lambda args: "late")
        late(1)
    found = {e.name: e.input_shapes for e in listed(prof)}
    assert found["offered#1"] == [[2]] and found["late"] == []


def test_formulas_are_not_listed():
    """Derivatives call ops on raw arrays: those are parts of the node."""
    x = ag.ones(3, requires_grad=True)
    y = (x.cumsum(0).exp() / x).norm()
    with ag.autograd.profiler.profile() as prof:
        y.backward()
        ag.mul(2.0, np.ones(2)), ag.cat([np.ones(2), np.ones(2)])
    assert not [e.name for e in listed(prof) if e.name.startswith("aten::")]
    with ag.autograd.profiler.profile() as prof:
        ag.from_numpy(ag.ones(2).numpy())
    assert [e.name for e in listed(prof)] == ["aten::ones", "aten::from_numpy"]
