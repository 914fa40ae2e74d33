"""autograd.functional: strict mode, wrong arguments, what fails on the way; by type and key words, as PyTorch's."""

import gc
import inspect
import weakref

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import functional

from .agree import agree, fails, function, leaf

NAMES = ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"]
PRODUCTS = ["vjp", "jvp", "vhp", "hvp"]
every = pytest.mark.parametrize("name", NAMES)


def called(t, name, func, inputs, v=None, **options):
    """The function of that name, with `v` where it takes one."""
    vector = () if name in ("jacobian", "hessian") or v is None else (v,)
    return getattr(t.autograd.functional, name)(func, inputs, *vector, **options)


@every
@agree
def test_strict_with_outputs_that_need_no_gradient(t, name):
    x = t.tensor([1.0, 2.0])
    v = t.ones(()) if name == "vjp" else x
    strict = [fails(RuntimeError, words, called, t, name, func, x, v, strict=True)
              for func in (lambda x: x.detach().sum(), lambda x: t.ones(()), lambda x: x.argmax())
              for words in ("Output 0 of the ", "does not require gradients", "strict mode")]  # fmt: skip
    return strict, called(t, name, lambda x: x.detach().sum(), x, v)


@every
@agree
def test_strict_with_an_input_apart(t, name):
    """The outputs depend on the first input only."""
    x, y = t.tensor([1.0, 2.0]), t.tensor([3.0])
    v = t.ones(()) if name == "vjp" else (x, y)
    func = lambda x, y: (x * x).sum()  # noqa: E731
    words = "is independent of input 1" if name in ("jacobian", "vjp", "jvp") else "input 1"
    found = [fails(RuntimeError, each, called, t, name, func, (x, y), v, strict=True) for each in (words, "independent", "in strict mode")]
    return found, called(t, name, func, (x, y), v)


@every
@agree
def test_strict_with_a_constant_derivative(t, name):
    """The jacobian of a linear function, the hessian of a square: an error with create_graph only."""
    x, power = t.tensor([1.0, 2.0]), 1 if name in ("jacobian", "vjp", "jvp") else 2
    v = t.ones(()) if name == "vjp" else x
    func = lambda x: (x**power * 3).sum() if power == 2 else (x * 3).sum()  # noqa: E731
    words = "jacobian of the" if power == 1 or name == "hessian" else "hessian of the"
    found = [called(t, name, func, x, v, strict=True)]
    if power == 1:
        found += [fails(RuntimeError, each, called, t, name, func, x, v, strict=True, create_graph=True)
                  for each in (words, "is independent of input 0", "when create_graph=True")]  # fmt: skip
    return found


@pytest.mark.parametrize("name", ["hessian", "vhp", "hvp"])
@agree
def test_strict_hessians(t, name):
    """Of a linear function; of one that is linear in one input; of one with all there is."""
    x, y = t.tensor([1.0, 2.0]), t.tensor([3.0])
    return [
        fails(RuntimeError, "jacobian of the", called, t, name, lambda x: x.sum(), x, x, strict=True),
        fails(RuntimeError, "with respect to input 0 is independent of the input", called, t, name, lambda x: x.sum(), x, x, strict=True),
        fails(RuntimeError, "respect to input 1 is independent", called, t, name, lambda x, y: (x**2).sum() + y.sum(), (x, y), (x, y), strict=True),
        fails(RuntimeError, "strict mode", called, t, name, lambda x, y: (x**2).sum() + (y**2).sum(), (x, y), (x, y), strict=True)
        if name == "hessian" else None,
        called(t, name, lambda x, y: (x**3).sum() * (y**3).sum(), (x, y), (x, y), strict=True),
        called(t, name, lambda x, y: (x**4).sum() * (y**4).sum(), (x, y), (x, y), strict=True, create_graph=True),
    ]  # fmt: skip


@agree
def test_strict_names_output_and_input(t):
    """E62."""
    F, x, y = t.autograd.functional, t.tensor([1.0, 2.0]), t.tensor([3.0])
    func = lambda x, y: (x * y, x * 2)  # noqa: E731
    return [
        fails(RuntimeError, "Output 1 of the ", F.jacobian, func, (x, y), strict=True),
        fails(RuntimeError, "independent of input 1. This is not allowed in strict mode", F.jacobian, func, (x, y), strict=True),
        fails(RuntimeError, "Output 1 of the ", F.jacobian, lambda x: (x, t.ones(2)), x, strict=True),
        F.jacobian(func, (x, y)), F.jacobian(lambda x, y: (x * y, x / y), (x, y), strict=True),
        fails(RuntimeError, "are not supported together", F.jacobian, lambda x: x, x, strict=True, vectorize=True),
        fails(RuntimeError, "are not supported together", F.hessian, lambda x: x.prod(), x, strict=True, vectorize=True),
    ]  # fmt: skip


@agree
def test_strict_double_backward_trick(t):
    """A gradient that has a graph, and not to what was sent backward."""
    F, x = t.autograd.functional, t.tensor([1.0, 2.0])
    apart = function(t, lambda ctx, x: ctx.save_for_backward(x) or x * 2, lambda ctx, g: ctx.saved_tensors[0] * 2).apply
    later = function(t, lambda ctx, x: ctx.save_for_backward(x) or x * 2, lambda ctx, g: apart(ctx.saved_tensors[0])).apply
    return [
        fails(RuntimeError, "independent of entry 0 in the grad_outputs", F.jvp, apart, x, x, strict=True),
        F.jvp(apart, x, x),
        fails(RuntimeError, "independent of entry 0 in the grad_jacobian", F.hvp, lambda x: later(x).sum(), x, x, strict=True),
        F.hvp(lambda x: later(x).sum(), x, x),
    ]


@pytest.mark.parametrize("name", ["hessian", "vhp", "hvp"])
@agree
def test_hessians_are_of_one_number(t, name):
    """E63."""
    x = t.tensor([1.0, 2.0])
    return [
        fails(RuntimeError, "should contain a single element", called, t, name, lambda x: x * x, x, x),
        fails(RuntimeError, "should contain a single element", called, t, name, lambda x: x[:0], x, x),
        fails(RuntimeError, "should return a single Tensor", called, t, name, lambda x: (x.sum(), x.sum()), x, x),
        fails(RuntimeError, "should return a single Tensor", called, t, name, lambda x: (x.sum(),), x, x),
    ]


@pytest.mark.parametrize("name", PRODUCTS)
@agree
def test_vectors(t, name):
    """E64: a vector that is missing, or of another number, shape or type."""
    x, s = t.tensor([1.0, 2.0]), t.tensor(2.0)
    func, pair = (lambda x: x * x) if name == "vjp" else (lambda x: x.prod()), (lambda x, y: (x * y, x + y))
    verb = getattr(t.autograd.functional, name)
    found = [
        fails(RuntimeError, "The vector v can only be None", verb, func, x),
        fails(RuntimeError, "The vector v can only be None", verb, pair, (s, s)),
        fails(RuntimeError, "The given v should contain a single Tensor", verb, func, x, (x, x)),
        fails(RuntimeError, "v has invalid size: should be torch.Size([2]) but got torch.Size([3])", verb, func, x, t.ones(3)),
        fails(RuntimeError, "v has invalid size: should be torch.Size([2]) but got torch.Size([])", verb, func, x, s),
        fails(RuntimeError, "v is a tuple of invalid length: should be 2 but got 1", verb, pair, (s, s), s),
        fails(RuntimeError, "Entry 1 in v has invalid size", verb, pair, (s, s), (s, x)),
        fails(RuntimeError, "required to have the same dtype", verb, func, x, x * 1j),
    ]
    for v, words in ((3.0, "float"), ([x], "list"), ((x, None), "NoneType")):
        found.append(fails(TypeError, "v", verb, func, x, v))
        found.append(fails(TypeError, words, verb, func, x, v))
    return found


@every
@agree
def test_neither_tensor_nor_tuple(t, name):
    x = t.tensor([1.0, 2.0])
    words = "must be either a Tensor or a tuple of Tensors but"
    return [
        fails(TypeError, words, called, t, name, lambda x: x.sum(), [x], x), fails(TypeError, "list", called, t, name, lambda x: x.sum(), [x], x),
        fails(TypeError, "value at index 1 has type", called, t, name, lambda x, y: x.sum(), (x, 2.0), x),
        fails(TypeError, words, called, t, name, lambda x: 1.0, x, x), fails(TypeError, words, called, t, name, lambda x: [x.sum()], x, x),
        fails(TypeError, "NoneType", called, t, name, lambda x: None, x, x),
        fails(TypeError, "value at index 0 has type", called, t, name, lambda x: (None, x), x, x),
        fails(RuntimeError, "can require gradients", called, t, name, lambda x: x.sum(), t.tensor([1, 2]), x),
    ]  # fmt: skip


@agree
def test_nothing_to_derive(t):
    F, x, words = t.autograd.functional, t.tensor([1.0, 2.0]), "tuple index out of range"
    return [
        fails(IndexError, words, F.jacobian, lambda x: (), x), fails(IndexError, words, F.jacobian, lambda: x, ()),
        fails(IndexError, words, F.vjp, lambda x: (), x, ()), fails(IndexError, words, F.jvp, lambda x: (), x, x),
        F.jvp(lambda: x, (), ()),
        fails(RuntimeError, "should be 0 but got 1", F.vjp, lambda x: (), x, x),
        fails(RuntimeError, "non-empty TensorList", F.jacobian, lambda x: (x, x[:0]), x),
        fails(RuntimeError, "non-empty TensorList", F.hessian, lambda x: x.sum(), x[:0]),
        fails(RuntimeError, "can require gradients", F.jvp, lambda x: x.argmax(), x, x),
    ]  # fmt: skip


@agree
def test_complex_outputs(t):
    F, z, words = t.autograd.functional, t.tensor([1 + 2j]), "only for real scalar outputs but got torch.complex64"
    return [fails(RuntimeError, words, F.jacobian, lambda z: z * z, z), fails(RuntimeError, words, F.jacobian, lambda x: x * 1j, z.real),
            fails(RuntimeError, words, F.vjp, lambda z: z * z, z), fails(RuntimeError, words, F.jvp, lambda z: z * z, z),
            fails(RuntimeError, words, F.vhp, lambda z: (z * z).sum(), z), fails(RuntimeError, words, F.hessian, lambda z: (z * z).sum(), z)]  # fmt: skip


@agree
def test_strategies(t):
    F, x, words = t.autograd.functional, t.tensor([1.0, 2.0]), 'Expected strategy to be either "forward-mode" or "reverse-mode"'
    return [
        fails(AssertionError, words, F.jacobian, lambda x: x, x, strategy="forward"),
        fails(AssertionError, words, F.hessian, lambda x: x.prod(), x, outer_jacobian_strategy=None),
        fails(NotImplementedError, "forward-mode", F.jacobian, lambda x: x, x, strategy="forward-mode", create_graph=True),
        F.jacobian(lambda x: x * x, x, strategy="reverse-mode"), F.hessian(lambda x: x.prod(), x, outer_jacobian_strategy="reverse-mode"),
    ]  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, {"strict": True}])
def test_there_is_no_forward_mode(options):
    """In PyTorch there is, with vectorize."""
    x, called = ag.ones(2), []
    for verb, name in ((functional.jacobian, "strategy"), (functional.hessian, "outer_jacobian_strategy")):
        with pytest.raises(NotImplementedError, match=f"{name}=.*there is no forward mode"):
            verb(called.append, x, **{name: "forward-mode"}, **options)
    assert not called


def test_signatures(torch):
    for name in functional.__all__:
        ours, theirs = (inspect.signature(getattr(m, name)).parameters.values() for m in (functional, torch.autograd.functional))
        assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in theirs]


class Trouble(Exception):
    """The user's own."""


@every
@agree
def test_the_functions_own_error(t, name):
    """In forward or in backward it arrives as it is; modes and inputs are as before, and the next call works."""
    x = leaf(t, [1.0, 2.0])

    def fail(*_):
        raise Trouble("words")

    late = function(t, lambda ctx, x: x * 2, fail).apply
    v = t.ones((), dtype=t.float64) if name == "vjp" else x
    with t.no_grad():
        found = [fails(Trouble, "words", called, t, name, func, x, v) for func in (fail, lambda x: late(x).sum())]
        found += [t.is_grad_enabled(), called(t, name, lambda x: x.prod(), x, v)]
    return found, x.grad, x.requires_grad


@agree
def test_a_graph_of_the_functions_own(t):
    """jacobian keeps a graph that a closure brings along; the products use it up."""
    F, x, w = t.autograd.functional, leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    y = w.exp() * w
    func = lambda x: (x * x * y).sum()  # noqa: E731
    found = [F.jacobian(func, x), F.jacobian(func, x), F.hessian(func, x), F.vjp(func, x, create_graph=True)]
    return found, t.autograd.grad(y.sum(), w)


@every
def test_nothing_is_left(name):
    """What was computed on the way is freed with the call, with the garbage collector off."""
    x, seen = ag.tensor([1.0, 2.0], requires_grad=True), []

    def func(x):
        middle = x.exp()
        seen.append(weakref.ref(middle))
        return (middle * x).sum()

    gc.disable()
    try:
        result = called(ag, name, func, x, ag.ones(()) if name == "vjp" else ag.ones(2))
        assert [ref() for ref in seen] == [None]
        assert not (result[0] if isinstance(result, tuple) else result).requires_grad
    finally:
        gc.enable()
