"""A profile lists the ops that ran: how often, inside of what, on which shapes, for how long and with how many bytes."""

import threading
import time

import pytest

import autograd_gpu as ag

from .agree import agree, leaf, on_host


def profile(t, **options):
    return t.autograd.profiler.profile(**options)


def listed(prof):
    """The events, without the time in which ops that were not called before wrote their code."""
    return [e for e in prof.function_events if e.name != "[first call]"]


def counts(prof, *names):
    found = {average.key: average.count for average in prof.key_averages()}
    return [found.get(name, 0) for name in names]


@agree
def test_counts(t):
    x, w, b = leaf(t, [[1.0, 2.0, 3.0]] * 2), leaf(t, [[1.0, 2.0, 3.0]] * 4), leaf(t, [1.0] * 4)
    F = t.nn.functional
    with profile(t) as prof:
        y = F.linear(x, w, b)
        y = t.relu(y) * y + y * 2
        y = y / 2 - y
        F.softmax(y, -1).log()
        t.cat([y, y]), t.where(y > 0, y, y)
        y.detach().clone().add_(1).mul_(y.detach()).div_(2)
        F.relu(y.clone(), inplace=True)
        x @ w.T, t.mm(x, w.T), x**2, x.pow(3), y.sum(), y.max(), y.reshape(8), y[0], y[:, None]
    return counts(
        prof, "aten::linear", "aten::addmm", "aten::relu", "aten::relu_", "aten::mul", "aten::sub", "aten::softmax", "aten::log",
        "aten::cat", "aten::where", "aten::gt", "aten::clone", "aten::add_", "aten::mul_", "aten::matmul",
        "aten::pow", "aten::max", "aten::reshape", "aten::select", "aten::unsqueeze", "aten::div", "aten::sum",
    )  # fmt: skip


@agree
def test_each_call_is_listed_in_order_and_where_it_was_called(t):
    """           outer
               ┌─────┴─────┐
             inner        add
               │
              mul, exp                  and neg beside them"""
    x = t.tensor([1.0, 2.0])
    P = t.autograd.profiler
    with P.profile() as prof:
        with P.record_function("outer"):
            with P.record_function("inner"):
                (x * x).exp()
            x + x
        x.neg()
    names = ("outer", "inner", "aten::mul", "aten::exp", "aten::add", "aten::neg")
    events = [e for e in listed(prof) if e.name in names]
    return [(e.name, e.cpu_parent.name if e.cpu_parent else None, e.count, e.is_user_annotation) for e in events]


@agree
@on_host
def test_shapes_and_bytes(t):
    x, y = t.ones(2, 3), t.ones(2, 3)
    with profile(t, record_shapes=True, profile_memory=True) as prof:
        x + y, x * 2, x.exp(), t.mm(x, y.T), x.view(6), x.double(), x.add_(y), x.sum()
    events = [e for e in listed(prof) if e.cpu_parent is None and e.name.startswith("aten::")]
    top = {e.name: e for e in events if e.name not in ("aten::permute", "aten::numpy_T")}
    shapes = {name: [s for s in e.input_shapes if s] for name, e in top.items()}
    return shapes, {name: e.cpu_memory_usage for name, e in top.items()}


@agree
def test_sums_by_shapes(t):
    with profile(t, record_shapes=True) as prof:
        for n in (2, 3, 3):
            t.ones(n).exp()
    by_shape = {str(a.input_shapes): a.count for a in prof.key_averages(True) if a.key == "aten::exp"}
    return by_shape, counts(prof, "aten::exp")


@agree
def test_operations(t):
    x, w = t.ones(2, 3), t.ones(4, 3)
    with profile(t, with_flops=True) as prof:
        t.mm(x, w.T), t.bmm(t.ones(2, 3, 4), t.ones(2, 4, 5)), t.addmm(t.ones(4), x, w.T), t.nn.functional.linear(x, w, t.ones(4))
        t.nn.functional.conv2d(t.ones(2, 2, 5, 5), t.ones(3, 2, 3, 3)), x * x, x + 1, t.baddbmm(t.ones(1), t.ones(2, 3, 4), t.ones(2, 4, 5))
    return prof.total_average().flops, [a.flops for a in prof.key_averages() if a.key in ("aten::mm", "aten::bmm", "aten::mul")]


def test_lists_have_the_shapes_of_their_tensors():
    with profile(ag, record_shapes=True) as prof:
        ag.cat([ag.ones(2, 3), ag.ones(1, 3)], dim=0)
    assert listed(prof)[-1].input_shapes == [[[2, 3], [1, 3]], []]


def test_one_entry_a_parameter():
    x = ag.ones(2, 3)
    with profile(ag, record_shapes=True) as prof:
        x + x, ag.add(other=x, input=x[0]), ag.nn.functional.linear(x, weight=x)
    shapes = [e.input_shapes for e in listed(prof) if e.name in ("aten::add", "aten::linear")]
    assert shapes == [[[2, 3], [2, 3], []], [[3], [2, 3], []], [[2, 3], [2, 3], []]]


def test_bytes_are_counted_once():
    """A composite allocates what its inner ops do; a view and what an op got from its caller are not new."""
    x = ag.ones(1000)
    with profile(ag, profile_memory=True) as prof, ag.autograd.profiler.record_function("all"):
        ag.nn.functional.layer_norm(x.view(10, 100), (100,))
        x.contiguous(), x.reshape(10, 100), x.view(-1)
    total, seen = prof.total_average(), {e.name: e for e in listed(prof)}
    norm = seen["aten::layer_norm"]
    assert (norm.cpu_memory_usage, norm.self_cpu_memory_usage) == (4000, 0)
    assert seen["aten::native_layer_norm"].self_cpu_memory_usage == 4000
    assert (seen["all"].cpu_memory_usage, seen["all"].self_cpu_memory_usage) == (4000, 0)
    assert total.self_cpu_memory_usage == 4000
    assert seen["aten::reshape"].cpu_memory_usage == seen["aten::contiguous"].cpu_memory_usage == 0


def test_times_are_microseconds():
    before = time.perf_counter()
    with profile(ag) as prof, ag.autograd.profiler.record_function("outer"):
        with ag.autograd.profiler.record_function("inner"):
            time.sleep(0.02)
        time.sleep(0.01)
    took = 1e6 * (time.perf_counter() - before)
    outer, inner = listed(prof)
    assert took > outer.cpu_time_total >= 30_000 and outer.cpu_time_total > inner.cpu_time_total >= 20_000
    assert outer.self_cpu_time_total == pytest.approx(outer.cpu_time_total - inner.cpu_time_total)
    assert outer.self_cpu_time_total >= 10_000
    assert outer.time_range.start <= inner.time_range.start < inner.time_range.end <= outer.time_range.end
    assert prof.self_cpu_time_total == pytest.approx(outer.cpu_time_total)


def test_times_of_many_calls():
    x = ag.ones(3)
    x * x
    with profile(ag) as prof:
        for _ in range(5):
            x * x
    (average,) = prof.key_averages()
    calls = listed(prof)
    assert average.count == len(calls) == 5
    assert average.cpu_time_total == pytest.approx(sum(c.cpu_time_total for c in calls))
    assert average.cpu_time == pytest.approx(average.cpu_time_total / 5) and average.cpu_time > 0
    assert prof.total_average().count == 5 and prof.total_average().key == "Total"


def test_all_threads_are_seen_each_with_its_own_parents():
    ready = threading.Barrier(2)

    def work(name):
        with ag.autograd.profiler.record_function(name):
            ready.wait()
            ag.ones(3).exp()
            ready.wait()

    with profile(ag) as prof:
        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {e.thread for e in listed(prof)} == {1, 2}
    exps = [e for e in listed(prof) if e.name == "aten::exp"]
    assert {e.cpu_parent.name for e in exps} == {"a", "b"}
    assert all(e.thread == e.cpu_parent.thread for e in exps)


def test_callers():
    def helper():
        return ag.ones(3).exp()

    with profile(ag, with_stack=True) as prof:
        helper()
        helper()
    exp = listed(prof)[-1]
    line = helper.__code__.co_firstlineno + 1
    assert exp.stack[0] == f"{__file__}({line}): helper"
    assert exp.stack[1].endswith(": test_callers")
    averages = [a for a in prof.key_averages(group_by_stack_n=2) if a.key == "aten::exp"]
    assert [a.count for a in averages] == [1, 1], "called from two lines"
    averages = [a for a in prof.key_averages(group_by_stack_n=1) if a.key == "aten::exp"]
    assert [a.count for a in averages] == [2] and averages[0].stack == exp.stack[:1]


def test_what_is_not_profiled_is_not_listed():
    with profile(ag, enabled=False) as nothing:
        ag.ones(2)
    assert nothing is None
    prof = profile(ag)
    ag.ones(2).exp()
    with prof:
        ag.ones(2).sin()
    ag.ones(2).cos()
    assert [e.name for e in listed(prof)] == ["aten::ones", "aten::sin"]
    assert str(profile(ag, enabled=False)) == "" and profile(ag, enabled=False).function_events == []


def test_profiles_in_each_other():
    with profile(ag) as outer:
        ag.ones(2)
        with profile(ag) as inner:
            ag.ones(2).exp()
        ag.zeros(2)
    assert [e.name for e in listed(inner)] == ["aten::ones", "aten::exp"]
    assert [e.name for e in listed(outer)] == ["aten::ones", "aten::ones", "aten::exp", "aten::zeros"]


def test_a_range_that_ends_after_its_caller_hides_nothing():
    P = ag.autograd.profiler
    first, second = P.record_function("first"), P.record_function("second")
    with profile(ag) as prof:
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        ag.ones(2)
        second.__exit__(None, None, None)
        ag.zeros(2)
    assert [(e.name, e.cpu_parent and e.cpu_parent.name) for e in listed(prof)] == [
        ("first", None), ("second", "first"), ("aten::ones", "second"), ("aten::zeros", None),
    ]  # fmt: skip


def test_a_range_that_does_not_end_is_not_listed():
    P = ag.autograd.profiler
    with profile(ag) as prof, P.record_function("outer"):
        P.record_function("open").__enter__()
        ag.ones(2)
    assert [(e.name, e.cpu_parent and e.cpu_parent.name) for e in listed(prof)] == [("outer", None), ("aten::ones", "outer")]


@agree
def test_record_function_decorates(t):
    P = t.autograd.profiler

    @P.record_function("fact")
    def fact(n):
        """n!"""
        return n * fact(n - 1) if n else t.ones(()) * 1

    with P.profile() as prof:
        value = fact(2)
    return value, fact.__doc__, fact.__name__, counts(prof, "fact")


def test_a_recursive_range():
    """PyTorch uses one range for all calls of the function, and so loses who called whom."""

    @ag.autograd.profiler.record_function("down")
    def down(n):
        return down(n - 1) if n else None

    with profile(ag) as prof:
        down(2)
    assert [e.cpu_parent and e.cpu_parent.id for e in listed(prof)] == [None, 0, 1]


def test_optimizers_and_loaders_are_listed():
    model = ag.nn.Linear(3, 2)
    optimizer = ag.optim.SGD(model.parameters(), lr=0.1)
    data = ag.utils.data.DataLoader(ag.utils.data.TensorDataset(ag.ones(4, 3)), batch_size=2)
    with profile(ag) as prof:
        for (batch,) in data:
            optimizer.zero_grad()
            model(batch).sum().backward()
            optimizer.step()
    assert counts(
        prof, "Optimizer.step#SGD.step", "Optimizer.zero_grad#SGD.zero_grad", "enumerate(DataLoader)#SerialIterator.__next__"
    ) == [2, 2, 3]
