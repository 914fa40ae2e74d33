"""What a Function saves: the tensors themselves, their versions, until when they are there, and hooks."""

import warnings

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf, works

FREED = "Trying to backward through the graph a second time"
MODIFIED = "has been modified by an inplace operation"


def keeping(t, save, backward=None):
    """A Function whose forward is `save(ctx, x)`."""
    return function(t, save, backward or (lambda ctx, g: (ctx.saved_tensors, g * 2)[1]), "Keep")


def keep(ctx, x):
    ctx.save_for_backward(x)
    return x * 2


@agree
def test_the_tensors_themselves_come_back(t):
    """Leaves, results and parameters are the objects that were saved, while the program has them."""
    fn, x = keeping(t, keep), leaf(t, [1.0, 2.0])
    b, p, plain = x * 3, t.nn.Parameter(t.ones(2)), t.ones(2)
    whole = keeping(t, lambda ctx, x: (ctx.save_for_backward(x, plain), x * 2)[1])
    return [
        fn.apply(x).grad_fn.saved_tensors[0] is x,
        fn.apply(b).grad_fn.saved_tensors[0] is b,
        type(fn.apply(p).grad_fn.saved_tensors[0]).__name__,
        whole.apply(x).grad_fn.saved_tensors[1] is plain,
        type(fn.apply(b).grad_fn.saved_tensors) is tuple,
    ]


@agree
def test_equal_tensors_come_back_for_those_that_are_gone(t):
    fn, x = keeping(t, keep), leaf(t, [1.0, 2.0])
    node = fn.apply(x * 3).grad_fn
    first = node.saved_tensors[0]
    return first, first.grad_fn.name(), node.saved_tensors[0] is first


@agree
def test_a_saved_output_is_an_output(t):
    seen = []

    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        seen.append((y, y.grad_fn is ctx, y.grad_fn.name()))
        return g * y

    x = leaf(t, [1.0, 2.0])
    y = keeping(t, forward, backward).apply(x)
    same = y.grad_fn.saved_tensors[0] is y
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x), seen, same


@agree
def test_several_saved_outputs(t):
    """One without a derivative among them."""

    def forward(ctx, x):
        a, b, r = x * x, x * x * x, x.round()
        ctx.mark_non_differentiable(r)
        ctx.save_for_backward(a, b, r, x)
        return a, b, r

    def backward(ctx, ga, gb, gr):
        a, b, r, x = ctx.saved_tensors
        seen.append((a.requires_grad, b.requires_grad, r.requires_grad))
        return ga * 2 * b / a + gb * 3 * a + 0 * r

    seen, x = [], leaf(t, [1.0, 2.0])
    a, b, r = keeping(t, forward, backward).apply(x)
    (g,) = t.autograd.grad((a * b).sum(), x, create_graph=True)
    return g, r, seen, t.autograd.grad(g.sum(), x)


@agree
def test_an_argument_that_is_saved_and_returned(t):
    """It is the argument that comes back, not the output: that is another tensor."""
    x = leaf(t, [1.0, 2.0])
    z = x * x
    fn = keeping(
        t, lambda ctx, x: (ctx.save_for_backward(x), x)[1], lambda ctx, g: g * ctx.saved_tensors[0]
    )
    y = fn.apply(z)
    (saved,) = y.grad_fn.saved_tensors
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return saved is z, saved is y, saved.grad_fn.name(), g, t.autograd.grad(g.sum(), x)


def test_a_history_given_up_after_the_save():
    """The saved tensor still has it: `detach_()` later changes no derivative."""
    x = leaf(ag, [1.0, 2.0])
    b = x * x
    y = keeping(ag, lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], lambda ctx, g: g * 2 * ctx.saved_tensors[0]).apply(b)
    b.detach_()
    (g,) = ag.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [4, 32] and ag.autograd.grad(g.sum(), x)[0].tolist() == [12, 48]


@agree
def test_tensors_from_elsewhere(t):
    """Neither inputs nor outputs: a leaf, a result, and what forward computed."""
    w = leaf(t, [5.0, 6.0])
    v = w * 2
    seen = []

    def forward(ctx, x):
        ctx.save_for_backward(w, v, x + 1, None)
        return x * 2

    def backward(ctx, g):
        w_, v_, inner, none = ctx.saved_tensors
        seen.append((w_ is w, v_ is v, inner.requires_grad, none))
        return g * inner * v_

    x = leaf(t, [1.0, 2.0])
    (g,) = t.autograd.grad(
        keeping(t, forward, backward).apply(x).sum(), x, create_graph=True
    )
    return seen, g, t.autograd.grad(g.sum(), w)


@agree
def test_the_same_tensor_twice(t):
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return g * a * b + (a is not b)

    x = leaf(t, [1.0, 2.0])
    keeping(t, lambda ctx, x: (ctx.save_for_backward(x, x), x * 2)[1], backward).apply(x).sum().backward()
    return x.grad


@agree
def test_the_last_call_counts(t):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_backward(x * 2, x * 3)
        return x * 1

    return keeping(t, forward).apply(leaf(t, [1.0])).grad_fn.saved_tensors


@agree
def test_ctx_in_forward_and_after(t):
    """Nothing is saved before forward ends; what was asked for and marked is forgotten then."""
    seen = []

    def forward(ctx, x):
        ctx.save_for_backward(x)
        seen.append((ctx.saved_tensors, len(ctx.to_save), ctx.dirty_tensors, ctx.non_differentiable))
        y = x.round()
        ctx.mark_non_differentiable(y)
        ctx.mark_dirty(x)
        return x.mul_(2), y

    node = keeping(t, forward).apply(leaf(t, [1.0]) * 1)[0].grad_fn
    return seen, node.to_save, node.dirty_tensors, node.non_differentiable, len(node.saved_tensors)


@agree
def test_what_a_pass_frees(t):
    """`saved_tensors` is gone after a pass even where nothing was saved; the pass itself is repeatable
    if backward does not ask for it."""
    x, seen = leaf(t, [1.0, 2.0]), []
    for save in ((), (None,), (x,)):
        fn = keeping(t, lambda ctx, x, save=save: (ctx.save_for_backward(*save), x * 2)[1])
        quiet = keeping(
            t, lambda ctx, x, save=save: (ctx.save_for_backward(*save), x * 2)[1], lambda ctx, g: g
        )
        y, z = fn.apply(x), quiet.apply(x)
        y.sum().backward()
        z.sum().backward()
        for name in ("saved_tensors", "_raw_saved_tensors"):
            seen.append(fails(RuntimeError, FREED, getattr, y.grad_fn, name))
        seen.append(fails(RuntimeError, FREED, y.sum().backward))
        seen.append((works(z.sum().backward), y.grad_fn.needs_input_grad, y.grad_fn.next_functions[0][0].name()))
    y = fn.apply(x)
    y.sum().backward(retain_graph=True)
    return seen, y.grad_fn.saved_tensors


@agree
def test_backward_may_free_what_it_has_read(t):
    """It is kept where the pass is to keep it."""

    def backward(ctx, g):
        ctx.maybe_clear_saved_tensors()
        seen.append(works(lambda: ctx.saved_tensors))
        return g

    seen, x = [], leaf(t, [1.0])
    y = keeping(t, keep, backward).apply(x)
    y.grad_fn.maybe_clear_saved_tensors()
    y.backward(retain_graph=True)
    y.backward()
    return seen


@pytest.mark.parametrize("case", ["input", "unrecorded", "output", "inner", "leaf", "detached", "base", "retained"])
@agree
def test_a_write_is_noticed_where_the_tensor_is_read(t, case):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    read = keeping(t, keep)
    if case == "output":
        read = keeping(t, lambda ctx, x: save_result(ctx, x.exp()))
    if case == "inner":
        read = keeping(t, lambda ctx, x: save_attribute(ctx, x * 3))
    y = read.apply({"leaf": x, "detached": x, "base": b[:1]}.get(case, b))
    node = y.grad_fn
    if case == "retained":
        y.sum().backward(retain_graph=True)
    with t.set_grad_enabled(case not in ("unrecorded", "leaf")):
        written = {"output": y, "leaf": x, "detached": x.detach()}.get(case, b)
        (node.z if case == "inner" else written).mul_(3)
    return fails(RuntimeError, MODIFIED, lambda: node.saved_tensors), fails(
        RuntimeError, MODIFIED, y.sum().backward
    )


def save_result(ctx, y):
    ctx.save_for_backward(y)
    return y


def save_attribute(ctx, z):
    ctx.z = z
    ctx.save_for_backward(z)
    return z * 2


@agree
def test_a_write_to_what_is_not_read_is_none_of_its_business(t):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    y = keeping(t, keep, lambda ctx, g: g * 2).apply(b)
    b.add_(1)
    y.sum().backward()
    z = keeping(t, keep).apply(x)
    x.data.add_(1)
    z.sum().backward()
    return x.grad


@agree
def test_a_write_in_backward_is_noticed_by_the_next_read(t):
    def backward(ctx, g):
        ctx.saved_tensors[0].mul_(2)
        return g * ctx.saved_tensors[0]

    return fails(
        RuntimeError, MODIFIED, keeping(t, keep, backward).apply(leaf(t, [1.0, 2.0]) * 1).sum().backward
    )


@agree
def test_versions_are_those_at_the_end_of_forward(t):
    """A write in forward, after the tensor was saved, is not too late."""
    words = "is at version 3; expected version 2 instead"

    def forward(ctx, x):
        ctx.save_for_backward(x)
        x.mul_(2)
        x.mul_(2)
        return x * 1

    x = leaf(t, [1.0, 2.0])
    b = x * 1
    y = keeping(t, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(b)
    y.sum().backward(retain_graph=True)
    with t.no_grad():
        b.add_(1)
    return x.grad, fails(RuntimeError, words, y.sum().backward)


def test_the_error_names_what_was_written():
    x = leaf(ag, [1.0, 2.0])
    b = x * 1
    y = keeping(ag, keep).apply(b)
    b.add_(1)
    fails(RuntimeError, "[torch.DoubleTensor [2]], which is output 0 of Mul, is at version 1; expected version 0", y.sum().backward)
    y = keeping(ag, keep).apply(x)
    with ag.no_grad():
        x.add_(1)
    fails(RuntimeError, "[torch.DoubleTensor [2]], saved by KeepBackward, is at version", y.sum().backward)


@agree
def test_saved_variables_is_the_old_name(t):
    node = keeping(t, keep).apply(leaf(t, [1.0])).grad_fn
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = node.saved_variables
    return found, [(w.category.__name__, str(w.message)) for w in seen]


@agree
def test_what_cannot_be_saved(t):
    """An error only where the call is recorded."""
    words = "save_for_backward can only save variables, but argument 1 is of type"
    x = leaf(t, [1.0])
    fn = keeping(t, lambda ctx, x: (ctx.save_for_backward(x, [x]), x * 2)[1])
    again = keeping(t, lambda ctx, x: (ctx.save_for_backward(3), ctx.save_for_backward(x), x * 2)[2])
    listed = keeping(t, lambda ctx, x: (setattr(ctx, "to_save", [x]), x * 2)[1])
    return [
        fails(TypeError, words, fn.apply, x),
        works(fn.apply, x.detach()),
        works(again.apply, x),
        fails(RuntimeError, "to_save attribute is expected to be a tuple but is ", listed.apply, x),
    ]


@agree
def test_clear_saved_tensors_on_access(t):
    once = "saved_tensors can only be accessed once"
    seen = []

    class Clear(t.autograd.Function):
        clear_saved_tensors_on_access = True

        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, g):
            saved = ctx.saved_tensors
            seen.append((saved, ctx._raw_saved_tensors))
            seen.append(fails(RuntimeError, once, lambda: ctx.saved_tensors))
            return g * saved[1]

    x = leaf(t, [1.0, 2.0])
    y = Clear.apply(x)
    y.sum().backward(retain_graph=True)
    seen.append(fails(RuntimeError, once, y.sum().backward))
    (g,) = t.autograd.grad(Clear.apply(x).sum(), x, create_graph=True)
    return seen, x.grad, g, fails(RuntimeError, once, g.sum().backward)


def test_clear_on_access_frees_the_memory():
    import weakref

    alive = []

    class Clear(ag.autograd.Function):
        clear_saved_tensors_on_access = True

        @staticmethod
        def forward(ctx, x):
            inner = x.exp()
            alive.append(weakref.ref(inner._array))
            ctx.save_for_backward(inner)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            saved = ctx.saved_tensors
            alive.append(alive[0]() is not None)
            del saved
            alive.append(alive[0]() is None)
            return g

    Clear.apply(leaf(ag, [1.0])).backward()
    assert alive[1:] == [True, True]


# ---- hooks of saved tensors


def recorded_hooks(log):
    def pack(x):
        log.append(("pack", x))
        return x.detach().clone()

    def unpack(x):
        log.append(("unpack", x))
        return x * 10

    return pack, unpack


@agree
def test_hooks_of_saved_tensors(t):
    log, x = [], leaf(t, [1.0, 2.0])

    def forward(ctx, x):
        y = x * 2
        ctx.save_for_backward(x, None, y.detach() * 3)
        return y

    def backward(ctx, g):
        log.append("backward")
        return g * ctx.saved_tensors[0]

    fn, z = keeping(t, forward, backward), x * 1
    with t.autograd.graph.saved_tensors_hooks(*recorded_hooks(log)):
        y = fn.apply(z)
        fn.apply(x.detach())
    saved = y.grad_fn.saved_tensors
    (g,) = t.autograd.grad(y.sum(), z, create_graph=True)
    return log, saved, [s is None or s.requires_grad for s in saved], g, t.autograd.grad(g.sum(), x)


@agree
def test_hooks_of_a_saved_leaf_and_a_saved_output(t):
    log, x = [], leaf(t, [1.0, 2.0])

    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(x, y)
        return y

    fn = keeping(t, forward, lambda ctx, g: g * ctx.saved_tensors[0] * ctx.saved_tensors[1])
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.detach().clone(), lambda x: x * 10):
        y = fn.apply(x)
    a, b = y.grad_fn.saved_tensors
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return a is x, a, b, a.is_leaf, b.grad_fn.name(), g, t.autograd.grad(g.sum(), x), log


@agree
def test_hooks_that_go_wrong(t):
    x = leaf(t, [1.0, 2.0])
    fn = keeping(t, keep)
    hooks = t.autograd.graph.saved_tensors_hooks

    def bad(x):
        raise KeyError("pack")

    seen = []
    with hooks(bad, bad):
        seen.append(fails(KeyError, "pack", fn.apply, x))
    with hooks(lambda x: x.mul_(2), lambda x: x):
        seen.append(fails(RuntimeError, "pack hook is modifying its input", fn.apply, x * 1))
    with hooks(lambda x: x, lambda x: 5):
        y = fn.apply(x)
    seen.append(fails(TypeError, "unpack_hook expected to be a Tensor", y.sum().backward))
    return seen, works(fn.apply(x).sum().backward), t.is_grad_enabled()


@agree
def test_what_hooks_packed_is_not_checked_for_writes(t):
    b = leaf(t, [1.0, 2.0]) * 1
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.detach().clone(), lambda x: x):
        y = keeping(t, keep).apply(b)
    b.mul_(5)
    return y.grad_fn.saved_tensors, works(y.sum().backward)


@agree
def test_hooks_of_one_saved_tensor(t):
    log, x = [], leaf(t, [1.0, 2.0])
    y = keeping(t, lambda ctx, x: (ctx.save_for_backward(x, None), x * 2)[1]).apply(x * 3)
    raw = y.grad_fn._raw_saved_tensors
    raw[0].register_hooks(*recorded_hooks(log))
    words = "Calling register_hooks on a saved tensor"
    z = keeping(t, keep).apply(x * 1)  # PyTorch's handles do not keep their node
    other = z.grad_fn._raw_saved_tensors[0]
    seen = [len(raw), [type(r).__name__ for r in raw], y.grad_fn.saved_tensors[0],
            raw[0].unpack_hook is None, raw[1].data, raw[1].unpack_hook,
            other.data.grad_fn is not None, other.unpack_hook, other.unpack(),
            fails(RuntimeError, words + " whose hooks have already been set", raw[0].register_hooks, abs, abs),
            fails(RuntimeError, words + " with value None is forbidden", raw[1].register_hooks, abs, abs),
            fails(TypeError, "", y.grad_fn._raw_saved_tensors[1].register_hooks, 3, abs)]  # fmt: skip
    y.sum().backward()
    fails(RuntimeError, words, raw[0].register_hooks, abs, abs)
    return seen, log[1:], x.grad


@agree
def test_save_on_cpu(t):
    x = leaf(t, [1.0, 2.0])
    with t.autograd.graph.save_on_cpu():
        y = keeping(t, keep, lambda ctx, g: g * ctx.saved_tensors[0]).apply(x)
    y.sum().backward()
    return x.grad


@agree
def test_inference_tensors(t):
    with t.inference_mode():
        i = t.ones(2, dtype=t.float64)
    x = leaf(t, [1.0, 2.0])
    takes = function(t, lambda ctx, x, i: x * i, lambda ctx, g: (g, None))
    saves = function(t, lambda ctx, x, i: (ctx.save_for_backward(i), x * 2)[1], lambda ctx, g: (g, None))
    y = takes.apply(x, i)
    with t.inference_mode():
        z = saves.apply(x, i)
    return y, z, z.is_inference(), t.is_grad_enabled(), fails(
        RuntimeError, "Inference tensors cannot be saved for backward", saves.apply, x, i
    )
