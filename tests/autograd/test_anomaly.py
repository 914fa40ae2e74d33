"""Anomaly mode: the node and the line of the forward, in errors and warnings; NaN, infinities."""

import linecache
import re
import warnings

import pytest

from .agree import agree, function

NAN = float("nan")


def observed(t, program):
    """The error of a program, type and first words, and the warnings: the node and the last line of
    each stack."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = program(t)
        except Exception as error:
            first = re.match(r"[^.:]*", str(error))[0]
            result = type(error).__name__, first
    return result, [said(w) for w in caught]


def said(warning):
    text = str(warning.message).partition(" (Triggered internally")[0].strip()
    kind, _, stack = text.partition("Traceback")
    lines = [line for line in stack.splitlines() if line.startswith("  File") and __file__ in line]
    line = re.search(r"line (\d+)", lines[-1])[1] if lines else None
    here = line and linecache.getline(__file__, int(line)).strip()
    return warning.category.__name__, kind, stack.partition(":")[0], here


def square_root(t):
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x.sqrt() * 0
        y.sum().backward()


def forward_without(t):
    x = t.zeros(2, requires_grad=True)
    y = (x.sqrt() * 0).sum()
    with t.autograd.detect_anomaly():
        y.backward()


def in_a_function(t):
    bad = function(t, lambda ctx, x, k, y: x * y, lambda ctx, g: (g, None, g * NAN), "Bad")
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = bad.apply(x, 3, x * 2)
        y.sum().backward()


def raised_in_a_function(t):
    def backward(ctx, g):
        raise KeyError("mine")

    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = function(t, lambda ctx, x: x * 1, backward, "Raise").apply(x)
        y.sum().backward()


def raised_in_a_hook(t):
    def hook(grad):
        raise ValueError("in the hook")

    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x * 2
        y.register_hook(hook)
        y.sum().backward()


def written_in_place(t):
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x * 1
        y.sqrt_()
        (y * 0).sum().backward()


def written_through_a_view(t):
    x = t.zeros(4, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x * 1
        y[:2].sqrt_()
        (y * 0).sum().backward()


def one_of_several_outputs(t):
    x = t.zeros(4, requires_grad=True)
    with t.autograd.detect_anomaly():
        a, b = x.split(2)
        c = a.sqrt()
        (c * 0).sum().backward()


def a_hook_gives_nan(t):
    x = t.zeros(4, requires_grad=True)
    with t.autograd.detect_anomaly():
        values, _ = x.sort()
        values.register_hook(lambda g: g * NAN)
        values.sum().backward()


def a_hook_of_a_node_gives_nan(t):
    x = t.zeros(4, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x * 3
        y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * NAN, *inputs[1:]))
        y.sum().backward()


def a_hook_of_a_leaf_gives_nan(t):
    x = t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        x.register_hook(lambda g: g * NAN)
        (x * 2).sum().backward()
    return x.grad.isnan().tolist()


def the_seed_is_nan(t):
    x = t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x * 2
        y.backward(t.tensor([NAN, 1.0]))


def what_was_saved_is_written(t):
    x = t.ones(4, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x.exp()
        y.add_(1)
        y.sum().backward()


def a_graph_is_freed(t):
    x = t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x * x
        z = y.sum()
        z.backward()
        z.backward()


def a_second_derivative(t):
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x.sqrt()
        g = t.autograd.grad(y.sum(), x, create_graph=True)[0]
        (g * 0).sum().backward()


def a_third_derivative(t):
    x = t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = x.exp()
        g = t.autograd.grad(y.sum(), x, create_graph=True)[0]
        h = t.autograd.grad(g.sum(), x, create_graph=True)[0]
        h.register_hook(lambda g: g * NAN)
        h.sum().backward()


def a_second_derivative_of_a_function(t):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1

    def backward(ctx, g):
        return g * ctx.saved_tensors[0].sqrt()

    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        y = function(t, forward, backward, "Root").apply(x)
        g = t.autograd.grad(y.sum(), x, create_graph=True)[0]
        (g * 0).sum().backward()


def only_some_inputs(t):
    x, y = t.zeros(2, requires_grad=True), t.ones(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        z = (x.sqrt() * 0 + y).sum()
        fine = t.autograd.grad(z, y, retain_graph=True)
        t.autograd.grad(z, [x, y])
    return fine


def nan_is_not_looked_for(t):
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()
    return x.grad.isnan().tolist()


def infinities_are_not_looked_for(t):
    x = t.zeros(2, requires_grad=True)
    with t.autograd.detect_anomaly():
        x.sqrt().sum().backward()
    return x.grad.tolist()


def twice(t):
    x, seen = t.zeros(2, requires_grad=True), []
    with t.autograd.detect_anomaly():
        y = x.sqrt() * 0
        for _ in range(2):
            try:
                y.sum().backward(retain_graph=True)
            except RuntimeError as error:
                seen.append(str(error)[:60])
    return seen


def integers_pass_through(t):
    x = t.ones(3, requires_grad=True)
    with t.autograd.detect_anomaly():
        values, places = x.topk(2)
        (values * x[places]).sum().backward()
    return x.grad.tolist()


def a_loss_of_a_network(t):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(2, 3, bias=False), t.nn.Sigmoid())
    t.nn.init.constant_(net[0].weight, 0.5)
    x = t.full((4, 2), float("inf"))
    with t.autograd.detect_anomaly():
        out = net(x)
        loss = (out * 0).sum()
        loss.backward()


PROGRAMS = [
    square_root, forward_without, in_a_function, raised_in_a_function, raised_in_a_hook,
    written_in_place, written_through_a_view, one_of_several_outputs, a_hook_gives_nan,
    a_hook_of_a_node_gives_nan, a_hook_of_a_leaf_gives_nan, the_seed_is_nan,
    what_was_saved_is_written, a_graph_is_freed, a_second_derivative, a_third_derivative,
    a_second_derivative_of_a_function, only_some_inputs, nan_is_not_looked_for,
    infinities_are_not_looked_for, twice, integers_pass_through, a_loss_of_a_network,
]  # fmt: skip


@agree
@pytest.mark.parametrize("program", PROGRAMS)
def test_errors_and_warnings(t, program):
    """The node, its output, the kinds of warnings, and the line of the forward each ends in."""
    return observed(t, program)


@agree
def test_the_settings(t):
    def now():
        return t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled()

    detect, choose, seen = t.autograd.detect_anomaly, t.autograd.set_detect_anomaly, []
    seen.append(now())
    with choose(True):
        seen.append(now())
        with choose(True, False):
            seen.append(now())
            with choose(False):
                seen.append(now())
            seen.append(now())
        seen.append(now())
    choose(True)
    seen.append(now())
    choose(False)
    with detect():
        with detect(check_nan=False):
            seen.append(now())
        seen.append(now())
    context = detect()
    seen.append(now())
    with context:
        seen.append(now())
    try:
        with choose(True):
            raise KeyError
    except KeyError:
        return [*seen, now()]


@agree
def test_what_nodes_remember(t):
    x = t.ones(2, requires_grad=True)
    with t.autograd.set_detect_anomaly(True):
        y = x * 2
    lines = y.grad_fn.metadata["traceback_"]
    return list(y.grad_fn.metadata), isinstance(lines, list), "y = x * 2" in lines[-1], (x * 2).grad_fn.metadata
