"""Checkpoints give what the function itself gives, in values, gradients and passes of every kind."""

import importlib
import warnings

import pytest

import autograd_gpu as ag

from ..autograd.agree import agree, fails, function, leaf, on_host

BOTH = pytest.mark.parametrize("reentrant", [True, False])


def tools(t):
    """utils.checkpoint of either library."""
    return importlib.import_module(t.__name__ + ".utils.checkpoint")


def kept(t, f, *args, **kwargs):
    """A checkpoint that is not re-entrant."""
    return tools(t).checkpoint(f, *args, use_reentrant=False, **kwargs)


def counted(f):
    """f, and a list that grows by one a call."""
    calls = []

    def g(*args, **kwargs):
        calls.append(1)
        return f(*args, **kwargs)

    return g, calls


# ---- both kinds


@BOTH
@agree
def test_gradients_are_those_of_the_function(t, reentrant):
    x, w = leaf(t, [1.0, 2.0, 3.0]), leaf(t, [0.5, -1.0, 2.0])
    f, calls = counted(lambda a: (a.sin() * w).exp().cumsum(0))
    y = tools(t).checkpoint(f, x * 2, use_reentrant=reentrant)
    before = len(calls)
    (y * y).sum().backward()
    assert (before, len(calls)) == (1, 2), "the function runs once forward and once in backward"
    return y, x.grad, w.grad, [y.requires_grad, y.is_leaf]


@BOTH
@agree
def test_several_arguments_and_outputs(t, reentrant):
    x, z = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    plain = t.tensor([5.0, 6.0], dtype=t.float64)

    def f(a, number, b, nothing, c, word):
        assert nothing is None and word == "word"
        return a * b * number, word, None, (b + c).tanh(), t.tensor(3)

    y, word, nothing, u, n = tools(t).checkpoint(f, x, 2, z, None, plain, "word", use_reentrant=reentrant)
    (y.sum() + u.sum()).backward()
    return y, word, nothing, u, n, x.grad, z.grad, plain.grad


@BOTH
@agree
def test_one_of_several_outputs_used(t, reentrant):
    x = leaf(t, [1.0, 2.0])
    a, b = tools(t).checkpoint(lambda v: (v.sin(), v.exp()), x, use_reentrant=reentrant)
    a.sum().backward()
    return a, b, x.grad


@BOTH
@agree
def test_a_module_collects_gradients_in_its_parameters(t, reentrant):
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 2)).double()
    with t.no_grad():
        for p in net.parameters():
            p.copy_(t.linspace(-1, 2, p.numel(), dtype=t.float64).reshape(p.shape))
    x = leaf(t, [[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]])
    for _ in range(2):  # the second time adds
        tools(t).checkpoint(net, x, use_reentrant=reentrant).pow(2).sum().backward()
    return x.grad, [p.grad for p in net.parameters()]


@BOTH
@pytest.mark.parametrize("preserve", [True, False])
@agree
@on_host
def test_dropout_has_the_same_mask_both_times(t, reentrant, preserve):
    x = leaf(t, [1.0] * 64)
    t.manual_seed(11)
    y = tools(t).checkpoint(
        lambda a: t.nn.functional.dropout(a * 1, 0.5), x, use_reentrant=reentrant, preserve_rng_state=preserve
    )
    between = t.rand(3)
    y.sum().backward()
    assert (x.grad.tolist() == y.tolist()) == preserve
    after = t.rand(3)  # the recomputation leaves the generator where it stood, if it set it at all
    return y, between, x.grad, after


@BOTH
@agree
def test_batch_norm_counts_both_runs(t, reentrant):
    norm = t.nn.BatchNorm1d(2).double()
    x = leaf(t, [[1.0, 2.0], [3.0, 5.0], [0.0, -4.0]])
    y = tools(t).checkpoint(lambda a: norm(a).sin(), x, use_reentrant=reentrant)
    (y * t.arange(6).reshape(3, 2)).sum().backward()
    return y, x.grad, norm.weight.grad, norm.running_mean, norm.running_var, norm.num_batches_tracked.item()


@BOTH
@agree
def test_in_a_chain(t, reentrant):
    x, w = leaf(t, [0.3, -0.2]), leaf(t, [1.1, 0.9])
    y = x
    for _ in range(5):
        y = tools(t).checkpoint(lambda a: (a * w).sin(), y, use_reentrant=reentrant)
    y.sum().backward()
    return y, x.grad, w.grad


@BOTH
@agree
def test_nested(t, reentrant):
    x = leaf(t, [0.3, 0.7])
    run = tools(t).checkpoint

    def deeper(level):
        def f(a):
            a = a.sin() * level
            if level:
                a = run(deeper(level - 1), a, use_reentrant=reentrant)
            return a.exp() * a

        return f

    y = run(deeper(4), x, use_reentrant=reentrant)
    y.sum().backward()
    return y, x.grad


@BOTH
@agree
def test_one_kind_in_the_other(t, reentrant):
    x = leaf(t, [0.3, 0.7])
    run = tools(t).checkpoint

    def f(a):
        return run(lambda b: (b * b).sin().exp(), a.tanh(), use_reentrant=not reentrant).cos() * a

    y = run(f, x, use_reentrant=reentrant)
    y.sum().backward()
    return y, x.grad


@BOTH
@agree
def test_without_grad_it_is_a_plain_call(t, reentrant):
    x = leaf(t, [0.3, 0.7])
    f, calls = counted(lambda a: a.sin())
    with t.no_grad():
        y = tools(t).checkpoint(f, x, use_reentrant=reentrant)
    return y, len(calls)


@BOTH
@agree
def test_an_argument_given_back(t, reentrant):
    x = leaf(t, [0.3, 0.7])
    y, z = tools(t).checkpoint(lambda a: (a, a.sin()), x * 1, use_reentrant=reentrant)
    (y * z).sum().backward()
    return y, z, x.grad


@BOTH
@agree
def test_writes_inside(t, reentrant):
    """In-place operations on what the function made itself, and through views of it."""
    x = leaf(t, [[0.3, 0.7], [1.0, 2.0]])

    def f(a):
        b = a * 2
        b[0].mul_(3)
        b[:, 1] = a[:, 0].exp()
        b.add_(a)
        return b.sin().relu_()

    y = tools(t).checkpoint(f, x, use_reentrant=reentrant)
    y.sum().backward()
    return y, x.grad


@BOTH
@agree
def test_a_function_of_the_users(t, reentrant):
    cube = function(
        t,
        lambda ctx, a: ctx.save_for_backward(a) or a**3,
        lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2,
    )
    x = leaf(t, [0.3, 0.7])
    y = tools(t).checkpoint(lambda a: cube.apply(a.sin()).exp(), x, use_reentrant=reentrant)
    y.sum().backward()
    return y, x.grad


@BOTH
@agree
def test_hooks_in_and_around(t, reentrant):
    seen = []
    x = leaf(t, [0.3, 0.7])
    h = x * 1
    h.register_hook(lambda g: seen.append(g.clone()))

    def f(a):
        b = a.sin()
        if b.requires_grad:
            b.register_hook(lambda g: g * 2)
        return b.exp()

    y = tools(t).checkpoint(f, h, use_reentrant=reentrant)
    y.register_hook(lambda g: g + 1)
    y.sum().backward()
    return y, x.grad, seen


@agree
def test_detached_arguments(t):
    x, data = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    a, b, n, rest = tools(t).detach_variable((x * 2, data, 3, [x]))
    return a, b, n, [a.is_leaf, rest[0] is x]


# ---- what only the kind that is not re-entrant does


@agree
def test_autograd_grad(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    f, calls = counted(lambda a, b: (a * b).sin() * b)
    y = kept(t, f, x, w)
    got = t.autograd.grad(y.sum(), [w])
    return got, len(calls), x.grad


@agree
def test_backward_into_given_inputs(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    kept(t, lambda a, b: (a * b).sin() * b, x, w).sum().backward(inputs=[x])
    return x.grad, w.grad


@agree
def test_keyword_arguments(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])

    def f(a, *, scale, weight, parts):
        return (a * weight * scale).sin() + parts["one"][0].exp() * a

    y = kept(t, f, x, scale=2.0, weight=w, parts={"one": [w * 1]})
    y.sum().backward()
    return y, x.grad, w.grad


@agree
def test_second_derivatives(t):
    x = leaf(t, [0.4, 1.2])
    f, calls = counted(lambda a: (a.sin() * a).exp())
    y = kept(t, f, x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = t.autograd.grad((g * g).sum(), x, create_graph=True)
    h.sum().backward()
    return y, g, h, x.grad


@agree
def test_second_derivatives_of_a_nested_one(t):
    x = leaf(t, [0.4, 1.2])
    y = kept(t, lambda a: kept(t, lambda b: (b.sin() * b).exp(), a.tanh() * a) * a, x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (g * g).sum().backward()
    return y, g, x.grad


@agree
def test_several_passes(t):
    x = leaf(t, [0.4, 1.2])
    f, calls = counted(lambda a: (a.sin() * a).exp())
    y = kept(t, f, x)
    counts = []
    for _ in range(3):
        y.sum().backward(retain_graph=True)
        counts.append(len(calls))
    y.sum().backward()
    counts.append(len(calls))
    words = fails(RuntimeError, "a second time", y.sum().backward)
    return counts, x.grad, words


@agree
def test_a_part_at_a_time(t):
    """Two passes through different parts of one checkpoint."""
    x, w = leaf(t, [0.4, 1.2]), leaf(t, [3.0, 4.0])
    f, calls = counted(lambda a, b: (a.sin() * a, b.exp() * b))
    y, z = kept(t, f, x, w)
    y.sum().backward()
    first = len(calls), x.grad.clone(), w.grad
    z.sum().backward()
    return first, len(calls), x.grad, w.grad


@agree
def test_two_backward_branches_share_one_recomputation(t):
    x = leaf(t, [0.4, 1.2])
    f, calls = counted(lambda a: a.sin().exp())
    y = kept(t, f, x)
    (y * 2 + y.cos()).sum().backward()
    return len(calls), x.grad


@agree
def test_arguments_without_grad(t):
    w = leaf(t, [0.4, 1.2])
    data = t.tensor([1.0, 2.0], dtype=t.float64)
    kept(t, lambda a: (a * w).sin() * w, data).sum().backward()
    return w.grad


@agree
def test_no_tensor_argument(t):
    w = leaf(t, [0.4, 1.2])
    kept(t, lambda: (w * w).sin() * w).sum().backward()
    return w.grad


@agree
def test_detached_parts(t):
    x = leaf(t, [0.4, 1.2])

    def f(a):
        with t.no_grad():
            b = a.exp()
        return (a * b + a.detach().sin() * a).cos()

    kept(t, f, x).sum().backward()
    return x.grad


@agree
def test_any_structure_comes_back(t):
    x = leaf(t, [0.4, 1.2])
    y = kept(t, lambda a: {"one": [a.sin() * a], "two": (a.exp(), "text")}, x)
    (y["one"][0] * y["two"][0]).sum().backward()
    return y, x.grad


@pytest.mark.parametrize("stop", [True, False])
@agree
def test_early_stop(t, stop):
    """`last` runs once, where what comes before it is all that is saved."""
    x, calls = leaf(t, [0.4, 1.2]), []

    def f(a):
        b = a.sin()
        calls.append("between")
        return b + 1

    kept(t, f, x, early_stop=stop).sum().backward()
    return calls, x.grad


@pytest.mark.parametrize("stop", [True, False])
@agree
def test_early_stop_for_all(t, stop):
    x, calls = leaf(t, [0.4, 1.2]), []

    def f(a):
        b = a.sin()
        calls.append("between")
        return b + 1

    with tools(t).set_checkpoint_early_stop(stop):
        y = kept(t, f, x, early_stop=not stop)
    y.sum().backward()
    return calls, x.grad


@agree
def test_contexts(t):
    x, seen = leaf(t, [0.4, 1.2]), []

    class Said:
        def __init__(self, word):
            self.word = word

        def __enter__(self):
            seen.append("in " + self.word)

        def __exit__(self, kind, error, trace):
            seen.append("out " + self.word)

    y = kept(t, lambda a: a.sin().exp(), x, context_fn=lambda: (Said("forward"), Said("again")), early_stop=False)
    seen.append("backward")
    y.sum().backward()
    with t.no_grad():
        kept(t, lambda a: a.sin().exp(), x, context_fn=lambda: (Said("never"), Said("never")))
    assert len(tools(t).noop_context_fn()) == 2
    return seen, x.grad


@pytest.mark.parametrize("stop", [True, False])
@agree
def test_a_pass_within_the_function(t, stop):
    x = leaf(t, [0.4, 1.2])

    def f(a):
        b = (a.sin() * a).exp()
        (g,) = t.autograd.grad(b.sum(), a, create_graph=True)
        return (b * g).cos()

    y = kept(t, f, x, early_stop=stop)
    y.sum().backward()
    return y, x.grad


@pytest.mark.parametrize("outside", [True, False])
@agree
def test_other_hooks_of_saved_tensors(t, outside):
    """The innermost hooks act: outside of a checkpoint they get its arguments, inside what is saved."""
    x, seen = leaf(t, [0.4, 1.2]), []

    def pack(a):
        seen.append(a.detach().clone())
        return a.detach().clone()

    hooks = t.autograd.graph.saved_tensors_hooks(pack, lambda a: a)

    def inside(a):
        with hooks:
            b = a.sin()
        return b.exp() * b

    def outer(a):
        b = a.sin()
        return b.exp() * b

    if outside:
        with hooks:
            y = kept(t, outer, x)
    else:
        y = kept(t, inside, x)
    count = len(seen)
    y.sum().backward()
    return y, x.grad, seen[:count]


@agree
def test_an_argument_is_the_leaf_itself(t):
    """A leaf is found again as the same object, if its owner still has it."""
    x, data, same = leaf(t, [0.4, 1.2]), t.ones(2, dtype=t.float64), []

    def f(a, b):
        same.append(a is x)
        same.append(b is data)
        return (a * b).sin()

    kept(t, f, x, data).sum().backward()
    return same, x.grad


def test_mixed_with_mutable_containers():
    """Tensors within containers are found as they are when backward comes."""
    x = leaf(ag, [0.4, 1.2])
    box = [x * 2]
    y = kept(ag, lambda b: b[0].sin().exp(), box)
    y.sum().backward()
    z = leaf(ag, [0.4, 1.2])
    (z * 2).sin().exp().sum().backward()
    assert x.grad.tolist() == z.grad.tolist()


@agree
def test_passes_in_a_group_share_a_recomputation(t):
    x, w = leaf(t, [0.4, 1.2]), leaf(t, [3.0, 4.0])
    f, calls = counted(lambda a, b: (a.sin() * a, b.exp() * b))
    y, z = kept(t, f, x, w)
    with tools(t).GraphExecGroup() as group:
        y.sum().backward(retain_graph=True)
        z.sum().backward(retain_graph=True)
        words = fails(RuntimeError, "contexts cannot be nested", tools(t).GraphExecGroup().__enter__)
        again = fails(tools(t).CheckpointError, "already unpacked once", y.sum().backward, retain_graph=True)
    count = len(calls)
    y.sum().backward()
    return count, len(calls), x.grad, w.grad, words, again, isinstance(group, tools(t).GraphExecGroup)


# ---- checkpoint_sequential


@BOTH
@pytest.mark.parametrize("segments", [1, 2, 3, 5])
@agree
@on_host
def test_sequential(t, reentrant, segments):
    t.manual_seed(2)
    layers = [t.nn.Linear(3, 3), t.nn.Tanh(), t.nn.Dropout(0.5), t.nn.Linear(3, 3), t.nn.Sigmoid()]
    net = t.nn.Sequential(*layers).double()
    results = []
    for functions in (net, list(net.children())):
        x = leaf(t, [[1.0, 2.0, 3.0]])
        t.manual_seed(5)
        y = tools(t).checkpoint_sequential(functions, segments, x, use_reentrant=reentrant)
        y.sum().backward()
        results += [y, x.grad]
    return results, [p.grad for p in net.parameters()]


@agree
def test_sequential_runs_all_but_the_last_segment_twice(t):
    calls = []

    def made(i):
        return lambda a: (calls.append(i), (a * a).sin())[1]

    x = leaf(t, [0.5])
    tools(t).checkpoint_sequential([made(i) for i in range(7)], 3, x, use_reentrant=False, preserve_rng_state=False).backward()
    return calls, x.grad


def test_sequential_keeps_random_numbers():
    for preserve in (True, False):
        x = leaf(ag, [1.0] * 64)
        drop = ag.nn.Dropout(0.5)
        y = tools(ag).checkpoint_sequential([drop, ag.nn.Identity()], 2, x, False, preserve_rng_state=preserve)
        y.sum().backward()
        assert (x.grad.tolist() == y.tolist()) == preserve


def test_an_early_stop_is_no_anomaly():
    """A recomputation that ends within a pass of the checkpointed function leaves no warning."""

    def slope(x):
        return ag.autograd.grad(x.exp().sum(), x, create_graph=True)[0]

    x = ag.tensor([0.5, 1.0], requires_grad=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ag.autograd.set_detect_anomaly(True):
            kept(ag, slope, x * 1).sum().backward()
    assert [str(w.message) for w in caught] == []
