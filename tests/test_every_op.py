"""The walk over the table of ops: values, derivatives, in-place forms, layouts, promotion and errors of every row."""

import inspect

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu._ops.table import REGISTRY
from autograd_gpu.autograd import gradcheck, gradgradcheck

from .oracle import assert_same, to_torch

ENTRIES = sorted(REGISTRY.values(), key=lambda entry: entry.name)
PUBLIC = [e for e in ENTRIES if any(place != "Tensor" for place in e.where) or e.methods]
RANDOM = {
    "alpha_dropout", "bernoulli", "binomial", "dropout", "dropout1d", "dropout2d", "dropout3d", "empty", "empty_like",
    "feature_alpha_dropout", "multinomial", "new_empty", "normal", "poisson", "rand", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "randperm", "gumbel_softmax", "rrelu", "empty_strided",
}  # fmt: skip


def sampled(entries):
    return [pytest.param(e, id=e.name) for e in entries if samples_of(e, Maker())]


SAMPLED = sampled(e for e in ENTRIES if e.name not in RANDOM)
DIFFERENTIABLE = sampled(
    e for e in ENTRIES if e.name not in RANDOM and getattr(e, "differentiable", True) is not None
)


def counterpart(torch, entry):
    """PyTorch's function of that name, where it is shown as ours is."""
    name = entry.name.lstrip("_")
    for place in sorted(entry.where, reverse=True):  # nn.functional first: torch.* may be the raw kernel
        if place == "Tensor":
            continue
        home = torch
        for part in filter(None, place.split(".")):
            home = getattr(home, part, None)
        found = getattr(home, name, None)
        if found is not None:
            return found
    if "Tensor" in entry.where and hasattr(torch.Tensor, name):
        return getattr(torch.Tensor, name)
    for method in entry.methods:
        if hasattr(torch.Tensor, method) and not method.startswith("__"):
            return getattr(torch.Tensor, method)
    return None


def oracle(torch, entry, function, args, kwargs):
    """PyTorch's answer; where its function takes no separate sizes (`reshape(x, 2, 3)`), its method's."""
    try:
        return function(*args, **kwargs)
    except TypeError:
        return getattr(torch.Tensor, entry.name)(*args, **kwargs)


def floats(result):
    """The outputs that can have a gradient."""
    if isinstance(result, ag.Tensor):
        return [result] if result.requires_grad else []
    return [r for item in result for r in floats(item)] if isinstance(result, (list, tuple)) else []


def leaves(args):
    out = []
    for a in args:
        if isinstance(a, ag.Tensor) and a.requires_grad:
            out.append(a)
        elif isinstance(a, (list, tuple)):
            out += leaves(a)
    return out


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in PUBLIC])
def test_is_documented(entry):
    """Every public row has a docstring; one with a derivative says what it is."""
    doc = inspect.getdoc(entry.function)
    assert doc and len(doc) > 15, entry.name


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in ENTRIES if e.name not in RANDOM])
def test_has_samples(entry):
    """Every row with a derivative of its own is sampled, or is called by one that is (internal rows)."""
    internal = not entry.where and not entry.methods
    if getattr(entry, "differentiable", None) and not internal:
        assert samples_of(entry, Maker()), f"declare {entry.name}.samples(...)"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("entry", SAMPLED)
def test_values_and_gradients_are_pytorchs(entry, dtype, torch):
    theirs = counterpart(torch, entry)
    if theirs is None:
        return  # a name of our own: gradcheck below holds it
    for i, (args, kwargs) in enumerate(samples_of(entry, Maker(dtype))):
        targs = to_torch(torch, args)
        tkwargs = {k: to_torch(torch, v) for k, v in kwargs.items()}
        context = f"{entry.name}, sample {i}"
        ours, expected = entry.function(*args, **kwargs), oracle(torch, entry, theirs, targs, tkwargs)
        assert_same(ours, expected, context)
        compare_gradients(torch, ours, expected, args, targs, context)


def compare_gradients(torch, ours, expected, args, targs, context):
    outs = floats(ours)
    if not outs:
        return
    touts = [t for t in flat_torch(torch, expected) if t.requires_grad]
    assert len(outs) == len(touts), context
    rng = np.random.default_rng(1)
    seeds = [rng.standard_normal(o.shape).astype(o._array.dtype) for o in outs]
    mine = ag.autograd.grad(outs, leaves(args), [ag.tensor(s) for s in seeds], allow_unused=True)
    tleaves = [t for t in flat_torch(torch, targs) if t.requires_grad]
    his = torch.autograd.grad(touts, tleaves, [torch.tensor(s) for s in seeds], allow_unused=True)
    wide = {"float32": (1e-4, 1e-5)}
    for a, b in zip(mine, his, strict=True):
        assert (a is None) == (b is None), context
        if a is not None:
            assert_same(a, b, context + ", gradient", wide.get(a.dtype.name))


def flat_torch(torch, value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value for t in flat_torch(torch, v)] if isinstance(value, (list, tuple)) else []


def as_function(entry, args, kwargs):
    """The call as a function of its leaves, for gradcheck."""
    found = leaves(args)

    def rebuild(value, supply):
        if isinstance(value, ag.Tensor):
            return next(supply) if value.requires_grad else value
        if isinstance(value, (list, tuple)):
            return type(value)(rebuild(v, supply) for v in value)
        return value

    def call(*values):
        return tuple(floats(entry.function(*rebuild(args, iter(values)), **kwargs)))

    return call, tuple(found)


@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_gradcheck(entry):
    for args, kwargs in samples_of(entry, Maker()):
        function, inputs = as_function(entry, args, kwargs)
        if inputs and function(*inputs):
            assert gradcheck(function, inputs, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_gradgradcheck(entry):
    for args, kwargs in samples_of(entry, Maker()):
        function, inputs = as_function(entry, args, kwargs)
        if inputs and function(*inputs):
            assert gradgradcheck(function, inputs, atol=1e-4, rtol=1e-3, fast_mode=True)


@pytest.mark.parametrize("entry", SAMPLED)
def test_layout_does_not_matter(entry):
    """Arguments with gaps and reversed dimensions in memory give the same values and gradients."""
    if entry.name in {"as_strided", "view", "_view", "_reinterpret", "view_as_complex"}:
        return  # these are about memory
    for args, kwargs in samples_of(entry, Maker()):
        def relaid(value):
            if isinstance(value, ag.Tensor) and value.ndim and value._array.dtype.kind == "f":
                array = value._array
                wide = np.zeros((*array.shape[::-1][:-1], 2 * array.shape[0]), array.dtype)
                view = wide[..., ::2].T
                view[...] = array
                out = ag.from_numpy(view)
                return out.requires_grad_() if value.requires_grad else out
            return type(value)(relaid(v) for v in value) if isinstance(value, (list, tuple)) else value

        again = relaid(args)
        a, b = entry.function(*args, **kwargs), entry.function(*again, **kwargs)
        compare(a, b)
        outs = floats(a)
        if outs:
            seeds = [ag.tensor(np.random.default_rng(2).standard_normal(o.shape)) for o in outs]
            seeds = [s if s.dtype is o.dtype else s.to(o.dtype) for s, o in zip(seeds, outs, strict=True)]
            for g, h in zip(
                ag.autograd.grad(outs, leaves(args), seeds, allow_unused=True),
                ag.autograd.grad(floats(b), leaves(again), seeds, allow_unused=True),
                strict=True,
            ):
                compare(g, h)


def compare(a, b):
    if isinstance(a, ag.Tensor):
        np.testing.assert_allclose(a.detach()._array, b.detach()._array, rtol=1e-9, atol=1e-11)
    elif isinstance(a, (list, tuple)):
        for x, y in zip(a, b, strict=True):
            compare(x, y)


INPLACE = [e for e in ENTRIES if e.inplace and samples_of(e, Maker())]


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in INPLACE])
def test_inplace_form(entry):
    """f_(x, ...) gives f(x, ...) in x itself, counts as a write, and has the same gradients."""
    for args, kwargs in samples_of(entry, Maker()):
        expected = entry.function(*args, **kwargs)
        target = args[0] * 1 if args[0]._array.dtype.kind == "f" else args[0].clone()
        if expected.shape != target.shape or not ag.can_cast(expected.dtype, target.dtype):
            continue
        version = target._version
        result = getattr(target, entry.inplace[0])(*args[1:], **kwargs)
        assert result is target
        assert target._version == version + 1
        np.testing.assert_allclose(target.detach()._array, expected.detach()._array, rtol=1e-10, atol=1e-12)
        if expected.requires_grad:
            seed = ag.ones_like(expected.detach())
            mine = ag.autograd.grad(target, leaves(args), seed.to(target.dtype), allow_unused=True)
            for g, h in zip(mine, ag.autograd.grad(expected, leaves(args), seed, allow_unused=True), strict=True):
                if h is not None and g is not None:
                    compare(g, h)


PROMOTED = [e for e in PUBLIC if getattr(e, "promote", None) and samples_of(e, Maker()) and e.sampler is None]
TYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64"]


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in PROMOTED])
def test_promotion(entry, torch):
    """The result's dtype, or the refusal, is PyTorch's for every pair of dtypes, of tensors with and without dimensions."""
    theirs = counterpart(torch, entry)
    if theirs is None or "out" in entry.name:
        return
    n = len(entry.kinds)
    shapes = [(2,)] if n == 1 else [((2,), (2,)), ((2,), ()), ((), (2,))]
    for a in TYPES:
        for b in TYPES if n == 2 else TYPES[:1]:
            for pair in shapes:
                ours = [ag.ones(*s, dtype=getattr(ag, d)) if s else ag.ones((), dtype=getattr(ag, d))
                        for s, d in zip(pair if n == 2 else (pair,), (a, b), strict=False)]  # fmt: skip
                context = f"{entry.name} {a} {b} {pair}"
                if {a, b} <= {"float16", "bfloat16", "complex64"} and "complex64" in (a, b) and a != b:
                    continue  # complex32, which we do not have
                try:
                    expected = theirs(*to_torch(torch, ours))
                except (RuntimeError, TypeError):
                    continue  # what PyTorch does not compute we may
                result = entry.function(*ours)
                assert str(result.dtype) == str(expected.dtype), context


@pytest.mark.parametrize("entry", SAMPLED)
def test_refuses_what_is_no_tensor(entry):
    """A string where a Tensor belongs is a TypeError that names the op, or at least the argument."""
    args, kwargs = samples_of(entry, Maker())[0]
    if not args or not isinstance(args[0], ag.Tensor):
        return
    with pytest.raises((TypeError, AttributeError)):
        entry.function("text", *args[1:], **kwargs)
