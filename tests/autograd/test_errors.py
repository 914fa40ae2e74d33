"""What misuse says: PyTorch's type, and the words that people search for. Each row runs under both
libraries.
"""

import copy
import warnings

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf


def twice(t):
    y = (leaf(t, [1.0]) ** 2).sum()
    y.backward()
    y.backward()


def saved_changed(t):
    y = leaf(t, [1.0, 2.0]).exp()
    y.add_(1)
    y.sum().backward()


def saved_leaf_changed(t):
    x, w = leaf(t, [1.0]), leaf(t, [2.0])
    y = x * w
    with t.no_grad():
        w.add_(1)
    y.backward()


def no_grad_view(t, leaf_base):
    x = leaf(t, [1.0, 2.0])
    base = x if leaf_base else x * 1
    with t.no_grad():
        view = base[:1]
    view.mul_(2)


def hooked(t, hook):
    y = leaf(t, [1.0, 2.0]) * 2
    y.register_hook(hook)
    y.sum().backward()


def custom(t, backward, forward=None, twice_=False):
    class Fn(t.autograd.Function):
        pass

    Fn.forward = staticmethod(forward or (lambda ctx, x: x * 2))
    if backward is not None:
        Fn.backward = staticmethod(backward)
    y = Fn.apply(leaf(t, [1.0, 2.0]) * 1)
    y.sum().backward()


def once(t):
    from importlib import import_module

    wrapped = import_module(t.__name__ + ".autograd.function").once_differentiable(
        lambda ctx, g: g * 2
    )

    class Fn(t.autograd.Function):
        forward = staticmethod(lambda ctx, x: x * 2)
        backward = staticmethod(wrapped)

    x, seed = leaf(t, [1.0]), leaf(t, [1.0])
    (g,) = t.autograd.grad(Fn.apply(x), x, seed, create_graph=True)
    g.backward()


def saved_after(t):
    class Fn(t.autograd.Function):
        forward = staticmethod(lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1])
        backward = staticmethod(lambda ctx, g: g * 2)

    y = Fn.apply(leaf(t, [1.0]))
    y.backward()
    return y.grad_fn.saved_tensors


def legacy(t):
    class Fn(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

    Fn()(leaf(t, [1.0]))


def dirty(ctx, x):
    ctx.mark_dirty(x)
    return x * 2


def wrong_check(t):
    class Wrong(t.autograd.Function):
        forward = staticmethod(lambda ctx, x: x * 2)
        backward = staticmethod(lambda ctx, g: g * 3)

    t.autograd.gradcheck(Wrong.apply, leaf(t, [1.0]))


def inference(t, misuse):
    with t.inference_mode():
        x = t.ones(2, dtype=t.float64)
    return misuse(x)


def not_a_number(t):
    with warnings.catch_warnings(), t.autograd.detect_anomaly():
        warnings.simplefilter("ignore")
        (leaf(t, [-1.0, 1.0]).sqrt() * 1).sum().backward()


def packing(t, pack, unpack=lambda x: x):
    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = leaf(t, [1.0]).exp()
    y.backward()


def hooks_disabled(t):
    with t.autograd.graph.disable_saved_tensors_hooks("no hooks in here"):
        packing(t, lambda x: x)


ROWS = [
    (RuntimeError, "Trying to backward through the graph a second time", twice),
    (RuntimeError, "grad can be implicitly created only for scalar outputs", lambda t: (leaf(t, [1.0, 2.0]) * 2).backward()),
    (RuntimeError, "does not require grad and does not have a grad_fn", lambda t: t.ones(1).backward()),
    (RuntimeError, "has been modified by an inplace operation", saved_changed),
    (RuntimeError, "is at version 1; expected version 0", saved_leaf_changed),
    (RuntimeError, "a leaf Variable that requires grad", lambda t: leaf(t, [1.0]).add_(1)),
    (RuntimeError, "a view of a leaf Variable that requires grad", lambda t: leaf(t, [1.0, 2.0])[:1].add_(1)),
    (RuntimeError, "is a view and is being modified inplace", lambda t: (leaf(t, [1.0, 2.0]) * 1).unbind()[0].add_(1)),
    (RuntimeError, "is a view and is being modified inplace", lambda t: (leaf(t, [1.0, 2.0]) * 1).split(1)[0].add_(1)),
    (RuntimeError, "view was created in no_grad mode", lambda t: no_grad_view(t, False)),
    (RuntimeError, "view was created in no_grad mode", lambda t: no_grad_view(t, True)),
    (RuntimeError, "more than one element of the written-to tensor", lambda t: t.ones(3).expand(2, 3).add_(1)),
    (RuntimeError, "only Tensors of floating point", lambda t: t.tensor([1]).requires_grad_()),
    (RuntimeError, "Only Tensors of floating point and complex dtype", lambda t: t.tensor([1], requires_grad=True)),
    (RuntimeError, "Only Tensors of floating point and complex dtype", lambda t: t.ones(2, dtype=t.int64, requires_grad=True)),
    (RuntimeError, "Only Tensors of floating point and complex dtype", lambda t: t.zeros(2, dtype=t.bool, requires_grad=True)),
    (RuntimeError, "only change requires_grad flags of leaf variables",
     lambda t: setattr(leaf(t, [1.0]) * 2, "requires_grad", False)),
    (RuntimeError, "appears to not have been used in the graph",
     lambda t: t.autograd.grad((leaf(t, [1.0]) * 2).sum(), leaf(t, [1.0]))),
    (ValueError, "Expected allow_unused to be True",
     lambda t: t.autograd.grad((leaf(t, [1.0]) * 2), leaf(t, [1.0]), materialize_grads=True, allow_unused=False)),
    (RuntimeError, "does not require grad", lambda t: t.autograd.grad(leaf(t, [1.0]) * 2, t.ones(1))),
    (RuntimeError, "does not require grad and does not have a grad_fn", lambda t: t.autograd.grad(t.ones(1), leaf(t, [1.0]))),
    (RuntimeError, "Mismatch in shape", lambda t: t.autograd.grad(x := leaf(t, [1.0, 2.0]), x, t.ones(3))),
    (RuntimeError, "required to have the same dtype",
     lambda t: t.autograd.grad(x := leaf(t, [1.0]), x, t.ones(1, dtype=t.complex128))),
    (RuntimeError, "got 2 tensors and 1 gradients", lambda t: t.autograd.grad([x := leaf(t, [1.0]), x * 2], x, [t.ones(1)])),
    (RuntimeError, "only for real scalar outputs", lambda t: (t.tensor(1j, requires_grad=True) * 2).backward()),
    (RuntimeError, "cannot be empty", lambda t: (leaf(t, [1.0]) * 2).backward(inputs=[])),
    (RuntimeError, "cannot be empty", lambda t: t.autograd.grad(leaf(t, [1.0]) * 2, ())),
    (RuntimeError, "Can't call numpy() on Tensor that requires grad", lambda t: leaf(t, [1.0]).numpy()),
    (RuntimeError, "Can't call numpy() on Tensor that requires grad", lambda t: (leaf(t, [1.0]) * 2).numpy()),
    (RuntimeError, "graph leaves) support the deepcopy protocol", lambda t: copy.deepcopy(leaf(t, [1.0]) * 2)),
    (RuntimeError, "assign a gradient of size", lambda t: setattr(leaf(t, [1.0]), "grad", t.ones(2, dtype=t.float64))),
    (RuntimeError, "assign a gradient with dtype", lambda t: setattr(leaf(t, [1.0]), "grad", t.ones(1))),
    (TypeError, "assigned grad expected to be a Tensor", lambda t: setattr(leaf(t, [1.0]), "grad", 2.0)),
    (RuntimeError, "can't retain_grad on Tensor", lambda t: t.ones(1).retain_grad()),
    (RuntimeError, "cannot register a hook on a tensor", lambda t: t.ones(1).register_hook(print)),
    (RuntimeError, "cannot be registered on non-leaf",
     lambda t: (leaf(t, [1.0]) * 2).register_post_accumulate_grad_hook(print)),
    (RuntimeError, "has changed the size of value", lambda t: hooked(t, lambda g: g[:1])),
    (TypeError, "hook", lambda t: hooked(t, lambda g: 3)),
    (RuntimeError, "returned an incorrect number of gradients", lambda t: custom(t, lambda ctx, g: (g, g))),
    (RuntimeError, "returned an invalid gradient at index 0", lambda t: custom(t, lambda ctx, g: t.ones(3))),
    (RuntimeError, "expected Variable or None", lambda t: custom(t, lambda ctx, g: 3)),
    (NotImplementedError, "must implement either the backward", lambda t: custom(t, None)),
    (RuntimeError, "trying to differentiate twice a function", once),
    (RuntimeError, "marked as dirty during the forward", lambda t: custom(t, lambda ctx, g: g, dirty)),
    (TypeError, "save_for_backward can only save variables",
     lambda t: custom(t, lambda ctx, g: g, lambda ctx, x: (ctx.save_for_backward(1), x)[1])),
    (RuntimeError, "Legacy autograd function", legacy),
    (RuntimeError, "Trying to backward through the graph a second time", saved_after),
    (RuntimeError, "Inference tensors cannot be saved for backward", lambda t: inference(t, lambda x: leaf(t, [1.0, 2.0]) * x)),
    (RuntimeError, "Inplace update to inference tensor", lambda t: inference(t, lambda x: x.add_(1))),
    (RuntimeError, "Inplace update to inference tensor", lambda t: inference(t, lambda x: x.__setitem__(0, 1.0))),
    (RuntimeError, "on inference tensor outside InferenceMode", lambda t: inference(t, lambda x: x.requires_grad_())),
    (RuntimeError, "do not track version counter", lambda t: inference(t, lambda x: x._version)),
    (RuntimeError, "returned nan values in its 0th output", not_a_number),
    (RuntimeError, "pack hook is modifying its input", lambda t: packing(t, lambda x: x.add_(1))),
    (TypeError, "unpack_hook expected to be a Tensor", lambda t: packing(t, lambda x: x, lambda x: 3)),
    (RuntimeError, "no hooks in here", hooks_disabled),
    (RuntimeError, "don't support automatic differentiation", lambda t: t.add(x := leaf(t, [1.0]), 1, out=x)),
    (RuntimeError, "Boolean value of Tensor with more than one value", lambda t: bool(t.ones(2))),
    (RuntimeError, "Boolean value of Tensor with no values", lambda t: bool(t.ones(0))),
    (RuntimeError, "cannot be converted to Scalar", lambda t: t.ones(2).item()),
    (RuntimeError, "can't be cast to the desired output type", lambda t: t.tensor([1]).add_(1.5)),
    (RuntimeError, "doesn't match the broadcast shape", lambda t: t.ones(3).add_(t.ones(2, 3))),
    (RuntimeError, "must match the size of tensor b", lambda t: t.ones(3) + t.ones(2)),
    (RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1",
     lambda t: t.ones(2, 3) + t.ones(2)),
    (RuntimeError, "shapes cannot be multiplied", lambda t: t.ones(2, 3) @ t.ones(2, 3)),
    (RuntimeError, "view size is not compatible", lambda t: t.ones(2, 3).t().view(-1)),
    (RuntimeError, "is invalid for input of size", lambda t: t.ones(6).reshape(4)),
    (IndexError, "Dimension out of range", lambda t: t.ones(2).sum(3)),
    (IndexError, "out of bounds for dimension 0", lambda t: t.ones(2)[5]),
    (IndexError, "out of bounds for dimension 0", lambda t: t.ones(2)[t.tensor([2])]),
    (RuntimeError, "to have the same dtype", lambda t: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64)),
    (RuntimeError, "could not infer output dtype", lambda t: t.tensor([1, 2]).mean()),
    (RuntimeError, "Jacobian mismatch for output 0", wrong_check),
]  # fmt: skip


@pytest.mark.parametrize("row", range(len(ROWS)))
@agree
def test_type_and_words(t, row):
    kind, words, misuse = ROWS[row]
    try:
        misuse(t)
    except Exception as error:
        assert isinstance(error, kind), (
            f"{type(error).__name__}({error}) where {kind.__name__} was expected"
        )
        if words not in str(error) and words == "out of bounds for dimension 0":
            assert "out of range" in str(error) or "out of bounds for dimension 0" in str(error)
        else:
            assert words in str(error), f"'{words}' is not in: {error}"
        return kind.__name__
    raise AssertionError(f"no error where {kind.__name__}('{words}') was expected")


def test_gradcheck_has_an_error_of_its_own():
    assert issubclass(ag.autograd.GradcheckError, RuntimeError)
    with pytest.raises(ag.autograd.GradcheckError, match="Jacobian mismatch for output 0"):
        wrong_check(ag)


def test_a_hook_of_the_wrong_type_is_named():
    with pytest.raises(TypeError, match="hook returned 'int'"):
        hooked(ag, lambda g: 3)


def test_warnings():
    x = leaf(ag, [1.0])
    with pytest.warns(UserWarning, match="grad attribute of a Tensor that is not a leaf"):
        (x * 2).grad  # noqa: B018
    with pytest.warns(UserWarning, match="create a reference cycle"):
        (x * x).backward(create_graph=True)
    with pytest.warns(UserWarning, match="To copy construct from a tensor"):
        ag.tensor(x)
    with pytest.warns(UserWarning, match="is not a double precision floating point"):
        ag.autograd.gradcheck(lambda v: v * 2, leaf(ag, [1.0], "float32"), eps=1e-3, atol=1e-2)
    x.grad = None


@agree
def test_errors_leave_everything_as_it_was(t):
    """Bad input changes nothing: no value, no version, no gradient, no history."""
    x, b = leaf(t, [1.0, 2.0]), leaf(t, [1.0, 2.0]) * 1
    for words, misuse in (
        ("leaf Variable", lambda: x.mul_(2)),
        ("broadcast shape", lambda: b.add_(t.ones(3, 2))),
        ("desired output type", lambda: b.mul_(1j)),
        ("Mismatch in shape", lambda: b.backward(t.ones(3))),
        ("scalar outputs", lambda: b.backward()),
    ):
        fails(RuntimeError, words, misuse)
    return x, b, x._version, b._version, x.grad, b.grad_fn.name(), t.is_grad_enabled()


def test_what_is_not_there_says_so():
    with pytest.raises(AttributeError, match="'autograd_gpu.autograd' has no attribute 'forward_ad'.*What is covered"):
        ag.autograd.forward_ad  # noqa: B018
