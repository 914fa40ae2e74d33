"""The nodes of a backward pass in a profile, under PyTorch's names, and what a profile must not change."""

import threading

import autograd_gpu as ag

from .agree import agree, leaf, on_host

ENGINE = "autograd::engine::evaluate_function: "


def nodes(prof):
    """The nodes that ran, in order."""
    return [e.name.removeprefix(ENGINE) for e in prof.function_events if e.name.startswith(ENGINE)]


@agree
def test_nodes(t):
    """    x ── mul ── exp ── sum
             x ┘     └── mul ┘          """
    x = leaf(t, [1.0, 2.0])
    with t.autograd.profiler.profile() as prof:
        y = (x * x).exp()
        (y * y).sum().backward()
    parents = {e.name: e.cpu_parent.name for e in prof.function_events if e.name.endswith(("Backward0", "AccumulateGrad")) and e.cpu_parent}
    return nodes(prof), parents, x.grad


@agree
def test_nodes_of_a_linear_layer(t):
    x, w, b = leaf(t, [[1.0, 2.0]] * 3), leaf(t, [[1.0, 2.0]] * 4), leaf(t, [1.0] * 4)
    y = t.nn.functional.linear(x, w, b).relu()
    with t.autograd.profiler.profile() as prof:
        y.sum().backward()
    return [n for n in nodes(prof) if n != "TBackward0"], x.grad, w.grad, b.grad


@agree
def test_functions_of_users(t):
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf(t, [1.0, 2.0])
    with t.autograd.profiler.profile() as prof:
        Twice.apply(x).sum().backward()
    found = {a.key: a.count for a in prof.key_averages()}
    return nodes(prof), found["Twice"], found["TwiceBackward"], found["aten::mul"], x.grad


@agree
def test_recorded_gradients_are_ops(t):
    x = leaf(t, [1.0, 2.0])
    with t.autograd.profiler.profile() as prof:
        (grad,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
        grad.sum().backward()
    within = {e.name for e in prof.function_events if e.cpu_parent and e.cpu_parent.name == "PowBackward0"}
    return x.grad, len(within) > 0, nodes(prof)[:2]


@agree
def test_a_node_of_several_outputs(t):
    x = leaf(t, [1.0, 2.0, 3.0, 4.0])
    with t.autograd.profiler.profile() as prof:
        first, second = t.split(x, 2)
        (first * second).sum().backward()
    numbers = {e.name: e.sequence_nr for e in prof.function_events}
    return nodes(prof), numbers["aten::split"] == numbers["SplitBackward0"], x.grad


@agree
def test_hooks_and_accumulation(t):
    x = leaf(t, [1.0, 2.0])
    seen = []
    x.register_hook(lambda g: seen.append(g) or g * 2)
    with t.autograd.profiler.profile() as prof:
        for _ in range(2):
            (x * 3).sum().backward()
    return nodes(prof), x.grad, seen


@agree
@on_host
def test_bytes_of_gradients(t):
    """What a node passes on as it came is nothing new."""
    x, y = leaf(t, [[1.0, 2.0]] * 4), leaf(t, [[3.0, 4.0]] * 4)
    a, m = x + y, x * y
    with t.autograd.profiler.profile(profile_memory=True) as prof:
        a.backward(t.ones_like(a))
        m.backward(t.ones_like(m))
    return {a.key: a.cpu_memory_usage for a in prof.key_averages() if a.key in ("AddBackward0", "MulBackward0")}


def test_gradients_that_wait_are_not_counted_again():
    """    a ─────┐
               Half ── sum, whose backward has no gradient for b, where that of mul waits already
        x ── b ┘
             └── mul"""

    class Half(ag.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * 2 + b * 0

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, None

    a, x = ag.ones(100, requires_grad=True), ag.ones(100, requires_grad=True)
    b = x.exp()
    y = Half.apply(a, b)
    z = b * 3
    with ag.autograd.profiler.profile(profile_memory=True) as prof:
        ag.autograd.backward([y, z], [ag.ones(100), ag.ones(100)])
    assert {e.name: e.cpu_memory_usage for e in prof.function_events}["HalfBackward"] == 400


def test_shapes_of_gradients():
    x = ag.ones(2, 3, requires_grad=True)
    y = x.T.exp()
    with ag.autograd.profiler.profile(record_shapes=True) as prof:
        y.backward(ag.ones(3, 2))
    shapes = {e.name: e.input_shapes for e in prof.function_events}
    assert shapes["ExpBackward0"] == [[3, 2]] and shapes["PermuteBackward0"] == [[3, 2]]
    assert shapes["torch::autograd::AccumulateGrad"] == [[2, 3]]


def test_the_op_that_recorded_a_node_has_its_number():
    x = ag.ones(3, requires_grad=True)
    with ag.autograd.profiler.profile() as prof:
        y = x.exp().relu()
        y.sum().backward()
    numbers = {e.name: e.sequence_nr for e in prof.function_events}
    for op, node in (("exp", "Exp"), ("relu", "Relu"), ("sum", "Sum")):
        assert numbers[f"aten::{op}"] == numbers[f"{node}Backward0"] > 0
    assert [e.fwd_thread for e in prof.function_events if e.name == "ExpBackward0"] == [1]


def test_the_thread_of_the_forward():
    """`contiguous` returns the tensor itself, in another thread than the one that made its node."""
    x = ag.ones(3, requires_grad=True)
    with ag.autograd.profiler.profile() as prof:
        y = x.exp()
        thread = threading.Thread(target=lambda: y.contiguous())
        thread.start()
        thread.join()
        y.backward(ag.ones(3))
    of = {e.name: e for e in prof.function_events}
    assert of["aten::contiguous"].thread != of["aten::exp"].thread == of["ExpBackward0"].fwd_thread


def test_a_profile_copies_no_gradient():
    """The engine takes over a gradient that nobody else holds: the profile must not hold one."""

    def addresses(profiled):
        x = ag.ones(100, requires_grad=True)
        made = []
        y = x.exp()
        y.register_hook(lambda g: None)
        with ag.autograd.profiler.profile(enabled=profiled, profile_memory=True, record_shapes=True) as prof:
            y.sum().backward()
        made = 0 if prof is None else {e.name: e for e in prof.function_events}["torch::autograd::AccumulateGrad"]
        return x.grad, made

    _, accumulated = addresses(True)
    assert accumulated.self_cpu_memory_usage == 0, "the gradient was copied"
    assert ag.equal(addresses(True)[0], addresses(False)[0])


def test_an_error_in_a_node_ends_its_ranges():
    class Bad(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            raise ValueError("no")

    x = ag.ones(2, requires_grad=True)
    with ag.autograd.profiler.profile() as prof:
        try:
            Bad.apply(x).sum().backward()
        except ValueError:
            pass
        ag.ones(1)
    assert {"BadBackward", ENGINE + "BadBackward"} <= {e.name for e in prof.function_events}
    assert prof.function_events[-1].cpu_parent is None
