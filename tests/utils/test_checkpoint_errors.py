"""What checkpoints refuse and warn of, in PyTorch's words, and what stands after an error."""

import warnings

import pytest

import autograd_gpu as ag

from ..autograd.agree import agree, fails, function, leaf
from .test_checkpoint import BOTH, kept, tools


def times(t, *functions):
    """A function that is another one each time: functions[0], functions[1] ..."""
    turn = iter(functions)
    return lambda *args, **kwargs: next(turn)(*args, **kwargs)


def refused(t, words, y):
    """backward must raise a CheckpointError, which is a RuntimeError."""
    error = tools(t).CheckpointError
    assert issubclass(error, RuntimeError)
    return fails(error, words, y.sum().backward)


# ---- warnings


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint_sequential"])
@agree
def test_use_reentrant_should_be_passed(t, name):
    """Without it there is a UserWarning, and it is True."""
    x = leaf(t, [1.0, 2.0])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        if name == "checkpoint":
            y = tools(t).checkpoint(lambda a: a.sin(), x)
        else:
            y = tools(t).checkpoint_sequential([t.sin, t.cos], 2, x)
    (warning,) = seen
    words = "use_reentrant parameter should be passed explicitly"
    assert words in str(warning.message) and warning.category is UserWarning
    if t is ag:
        assert warning.filename == __file__
    root = y.grad_fn if name == "checkpoint" else y.grad_fn.next_functions[0][0]
    y.sum().backward()
    return words, root.name(), x.grad


@agree
def test_no_input_requires_grad(t):
    x = t.tensor([1.0, 2.0], dtype=t.float64)
    w = leaf(t, [1.0, 2.0])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        y = tools(t).checkpoint(lambda a: a * w, x, use_reentrant=True)
        z = kept(t, lambda a: a * w, x)
    z.sum().backward()
    return y, [str(s.message) for s in seen], w.grad


# ---- arguments


@agree
def test_refused_arguments(t):
    x, run = leaf(t, [1.0, 2.0]), tools(t).checkpoint

    def f(a, **kwargs):
        raise AssertionError("it is not to be called")

    pair = lambda: (None, None)
    return [
        fails(ValueError, "Unexpected keyword arguments: one,two", run, f, x, use_reentrant=True, one=1, two=2),
        fails(ValueError, "only supported when use_reentrant=False", run, f, x, use_reentrant=True, debug=True),
        fails(ValueError, "only supported when use_reentrant=False", run, f, x, use_reentrant=True, context_fn=pair),
        fails(ValueError, "determinism_check should be one of ['default', 'none'], but got all", run, f, x,
              use_reentrant=False, determinism_check="all"),
        fails(ValueError, "debug=True is incompatible with non-default context_fn", run, f, x,
              use_reentrant=False, debug=True, context_fn=pair),
        fails(RuntimeError, "Only tuple of tensors is supported. Got Unsupported input type: list",
              tools(t).detach_variable, [x]),
    ]  # fmt: skip


@agree
def test_refused_arguments_of_a_sequence(t):
    x, run = leaf(t, [1.0, 2.0]), tools(t).checkpoint_sequential
    two = [t.sin, t.cos]
    fails(ValueError, "", run, two, 3, x, use_reentrant=False)
    fails(ZeroDivisionError, "", run, two, 0, x, use_reentrant=False)
    return fails(ValueError, "Unexpected keyword arguments: debug", run, two, 2, x, use_reentrant=False, debug=True)


def test_too_many_segments_are_named():
    x = leaf(ag, [1.0])
    with pytest.raises(ValueError, match="as many segments as there are functions, 2, but got 3"):
        tools(ag).checkpoint_sequential([ag.sin, ag.cos], 3, x, use_reentrant=False)


# ---- re-entrant


@agree
def test_reentrant_serves_backward_only(t):
    words = "When use_reentrant=True, torch.utils.checkpoint is incompatible"
    x = leaf(t, [1.0, 2.0])
    y = tools(t).checkpoint(lambda a: a.sin(), x, use_reentrant=True)
    first = fails(RuntimeError, words, t.autograd.grad, y.sum(), x, retain_graph=True)
    second = fails(RuntimeError, words, y.sum().backward, inputs=[x], retain_graph=True)
    y.sum().backward()
    return first, second, x.grad


@agree
def test_reentrant_needs_an_output_with_grad(t):
    x = leaf(t, [1.0, 2.0])
    y = tools(t).checkpoint(lambda a: a.detach() * 2, x, use_reentrant=True)
    return y, fails(RuntimeError, "none of output has requires_grad=True", y.sum().backward)


@agree
def test_reentrant_gradients_have_no_history(t):
    x = leaf(t, [1.0, 2.0])
    y = tools(t).checkpoint(lambda a: a**3, x, use_reentrant=True)
    y.sum().backward(create_graph=True)
    return x.grad


# ---- writes


@BOTH
@agree
def test_an_argument_written_between(t, reentrant):
    x = leaf(t, [1.0, 2.0])
    h = x * 1
    y = tools(t).checkpoint(lambda a: a.sin(), h, use_reentrant=reentrant)
    h.mul_(2)
    return fails(RuntimeError, "modified by an inplace operation", y.sum().backward), x.grad


@agree
def test_an_argument_without_grad_written_between(t):
    x = leaf(t, [1.0, 2.0])
    data = t.ones(2, dtype=t.float64)
    y = kept(t, lambda a, b: (a * b).sin(), x, data)
    data.add_(1)
    return fails(RuntimeError, "at version 1; expected version 0", y.sum().backward)


@agree
def test_an_argument_written_inside(t):
    x = leaf(t, [1.0, 2.0])
    y = kept(t, lambda a: a.mul_(2).sin(), x * 1)
    return fails(RuntimeError, "modified by an inplace operation", y.sum().backward)


def test_what_was_saved_is_written_inside():
    """Without a checkpoint that is an error too. PyTorch computes something else here."""
    x = leaf(ag, [1.0, 2.0])

    def f(a):
        b = a.exp()  # saves b
        b.mul_(2)
        return b.sin()  # saves b, and the recomputation ends here

    with pytest.raises(RuntimeError, match="modified by an inplace operation.*at version 1; expected version 0"):
        f(x).sum().backward()
    y = kept(ag, f, x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation.*at version 1; expected version 0"):
        y.sum().backward()


# ---- another recomputation


@agree
def test_fewer_tensors(t):
    x = leaf(t, [1.0, 2.0])
    y = kept(t, times(t, lambda a: a.sin().exp().cos(), lambda a: a.sin()), x)
    first = refused(t, "A different number of tensors was saved during the original forward and recomputation", y)
    y = kept(t, times(t, lambda a: a.sin().cos(), lambda a: a.sin()), x)
    return first, refused(t, "saved during forward: 2\nNumber of tensors saved during recomputation: 1", y)


@agree
def test_more_tensors(t):
    x = leaf(t, [1.0, 2.0])
    words = "trying to save more tensors during recomputation than during the original forward pass"
    two = lambda a: a.sin(), lambda a: a.sin().cos()
    kept(t, times(t, *two), x).sum().backward()  # it stops in time
    return x.grad, refused(t, words, kept(t, times(t, *two), x, early_stop=False))


@agree
def test_other_shapes_and_dtypes(t):
    x = leaf(t, [1.0, 2.0])
    words = "have different metadata than during the forward pass.\ntensor at position 0:\nsaved metadata: {'shape': "
    shapes = times(t, lambda a: a.sin(), lambda a: a[:1].sin())
    # what a function of another dtype saves
    dtypes = times(t, lambda a: a.sin(), lambda a: a.float().sin().double())
    first = refused(t, words + "torch.Size([2])", kept(t, shapes, x))
    return first, refused(t, "recomputed metadata: {'shape': torch.Size([2]), 'dtype': torch.float32", kept(t, dtypes, x))


@agree
def test_without_the_check_other_shapes_pass(t):
    """Then the formulas meet them: sin's is g cos(a), and a of another shape broadcasts."""
    x = leaf(t, [1.0, 2.0])
    other = times(t, lambda a: (a * 1).sin(), lambda a: (a[:1] * 1).sin())
    kept(t, other, x, determinism_check="none").sum().backward()
    return x.grad


def raised(f):
    try:
        f()
    except Exception as error:
        return error
    return None


@agree
def test_unpacked_twice(t):
    def backward(ctx, g):
        (first,), (second,) = ctx.saved_tensors, ctx.saved_tensors
        return g * (first + second)

    square = function(t, lambda ctx, a: ctx.save_for_backward(a) or a**2, backward)
    x = leaf(t, [1.0, 2.0])
    square.apply(x.sin()).sum().backward()
    return x.grad, refused(t, "already unpacked once", kept(t, lambda a: square.apply(a.sin()), x))


@pytest.mark.parametrize("everywhere", [True, False])
def test_debug_lists_operations(everywhere):
    x = leaf(ag, [1.0, 2.0])
    f = times(ag, lambda a: a.sin().exp().cos(), lambda a: a.tan())
    if everywhere:
        with tools(ag).set_checkpoint_debug_enabled(True):
            y = kept(ag, f, x)
    else:
        y = kept(ag, f, x, debug=True)
    with pytest.raises(tools(ag).CheckpointError) as info:
        y.sum().backward()
    text = str(info.value)
    assert "A different number of tensors" in text
    first, second = text.split("Operations of the original forward:\n")[1].split("Operations of the recomputation:\n")
    assert [line.split("aten::")[1].split("(")[0] for line in first.splitlines()] == ["sin", "exp", "cos"]
    assert [line.split("aten::")[1].split("(")[0] for line in second.splitlines()] == ["tan"]
    assert "float64[2] = aten::sin(float64[2])" in first
    assert __file__ in first and __file__ in second


@agree
def test_debug_may_be_off_for_all(t):
    x = leaf(t, [1.0, 2.0])
    with tools(t).set_checkpoint_debug_enabled(False):
        y = kept(t, times(t, lambda a: a.sin().exp(), lambda a: a.sin()), x, debug=True)
    error = raised(y.sum().backward)
    return "pass `debug=True`" in str(error)


# ---- errors of the function


@BOTH
@agree
def test_an_error_in_the_recomputation(t, reentrant):
    """It comes out as it is; modes, hooks and the generator are as before, and another pass may follow."""

    def broken(a):
        t.rand(3)
        raise KeyError("inside")

    x = leaf(t, [1.0, 2.0])
    good = lambda a: (a * t.rand(2, dtype=t.float64)).sin()
    t.manual_seed(1)
    y = tools(t).checkpoint(times(t, good, broken, good), x, use_reentrant=reentrant)
    t.manual_seed(7)
    words = fails(KeyError, "inside", lambda: y.sum().backward(retain_graph=True))
    drawn = t.rand(2).tolist()
    t.manual_seed(7)
    state = [t.is_grad_enabled(), drawn == t.rand(2).tolist(), x.grad]
    z = (x * 2).exp()  # nothing is packed any more
    z.sum().backward()
    first = x.grad.clone()
    y.sum().backward()
    return words, state, first, (x.grad - first)[0].item() != 0


@agree
def test_an_error_in_the_forward(t):
    def broken(a):
        a.sin().exp()
        raise KeyError("inside")

    x = leaf(t, [1.0, 2.0])
    words = fails(KeyError, "inside", kept, t, broken, x)
    kept(t, lambda a: a.sin(), x).sum().backward()
    return words, x.grad


@agree
def test_a_context_must_not_hide_an_error(t):
    class Hiding:
        def __enter__(self):
            pass

        def __exit__(self, *error):
            return True

    def broken(a):
        raise KeyError("inside")

    x = leaf(t, [1.0, 2.0])
    return fails(RuntimeError, "suppressed an exception", kept, t, broken, x, context_fn=lambda: (Hiding(), Hiding()))


@agree
def test_the_function_cannot_catch_the_early_stop(t):
    """What ends a recomputation is not for the function to handle. In PyTorch `except Exception` gets it; it
    is handed on there."""
    x, seen = leaf(t, [1.0, 2.0]), []

    def f(a):
        try:
            return a.sin()
        finally:
            seen.append(1)

    kept(t, f, x).sum().backward()
    return seen, x.grad


def test_an_exception_handler_does_not_see_the_early_stop():
    x, seen = leaf(ag, [1.0, 2.0]), []

    def f(a):
        try:
            return a.sin()
        except Exception as error:
            seen.append(error)
            raise

    kept(ag, f, x).sum().backward()
    assert seen == []


@agree
def test_where_hooks_are_forbidden(t):
    x = leaf(t, [1.0, 2.0])
    with t.autograd.graph.disable_saved_tensors_hooks("not here"):
        return fails(RuntimeError, "not here", kept, t, lambda a: a.sin(), x)


@agree
def test_inference_tensors_are_no_arguments(t):
    """Also where the function itself saves nothing of them."""
    w = leaf(t, [1.0, 2.0])
    with t.inference_mode():
        data = t.ones(2, dtype=t.float64)
        y = kept(t, lambda a: a + w, data)
    return y.tolist(), fails(RuntimeError, "Inference tensors cannot be saved for backward", kept, t, lambda a: a + w, data)


def test_a_context_fn_that_cannot_be_called_is_named():
    x = ag.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="context_fn must be callable and return two contexts, but got int"):
        ag.utils.checkpoint.checkpoint(lambda v: v * 2, x, use_reentrant=False, context_fn=3)
