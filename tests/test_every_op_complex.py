"""The walk over the table with complex numbers: values, gradients of both orders, promotion and refusals are PyTorch's, on both devices."""

import warnings

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu.autograd import gradcheck, gradgradcheck
from autograd_gpu.testing import standin
from autograd_gpu.testing.parity import moved_to_device

from .oracle import assert_same, numpy_of, to_torch
from .test_every_op import ENTRIES, RANDOM, as_function, counterpart, flat_torch, floats, leaves

BEYOND = {
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "bilinear", "embedding", "interpolate", "nan_to_num", "nll_loss", "scatter_reduce",
    "silu",
}  # fmt: skip
"""PyTorch refuses complex numbers, or their gradients; here both are there, and gradcheck holds them."""


def complex_calls(entry, dtype="complex128"):
    """The samples in complex numbers. None where the row's samples cannot be made of them."""
    try:
        return samples_of(entry, Maker(dtype))
    except (RuntimeError, TypeError):
        return []


SAMPLED = [pytest.param(e, id=e.name) for e in ENTRIES if e.name not in RANDOM and complex_calls(e)]


def outcome(function, *args, **kwargs):
    """(result, None) or (None, error)"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs), None
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            return None, error


def of_pytorch(torch, entry, args, kwargs):
    theirs = counterpart(torch, entry)
    result, error = outcome(theirs, *args, **kwargs)
    if isinstance(error, TypeError) and hasattr(torch.Tensor, entry.name):
        again = outcome(getattr(torch.Tensor, entry.name), *args, **kwargs)
        return again if again[1] is None else (result, error)
    return result, error


def seeds_for(outs, rng):
    """Gradients with both parts, where the output has both."""
    made = []
    for o in outs:
        values = rng.standard_normal(o.shape)
        if o.is_complex():
            values = values + 1j * rng.standard_normal(o.shape)
        made.append(np.asarray(values).astype(o._array.dtype))
    return made


LOOSE = {"complex128": (1e-8, 1e-10), "float64": (1e-8, 1e-10), "complex64": (2e-4, 2e-5), "float32": (2e-4, 2e-5)}


def same_gradients(torch, ours, theirs, args, targs, context):
    outs, touts = floats(ours), [t for t in flat_torch(torch, theirs) if t.requires_grad]
    if not outs:
        return
    assert len(outs) == len(touts), context
    xs, txs, rng = leaves(args), [t for t in flat_torch(torch, targs) if t.requires_grad], np.random.default_rng(1)
    for order in ("first", "second"):
        seeds = seeds_for(outs, rng)
        his, refusal = outcome(torch.autograd.grad, touts, txs, [torch.tensor(s) for s in seeds], allow_unused=True, create_graph=True)
        if refusal is not None:
            return  # some real inputs beside complex ones, second derivatives that are not there
        mine = ag.autograd.grad(outs, xs, [ag.tensor(s) for s in seeds], allow_unused=True, create_graph=True)
        for k, (a, b) in enumerate(zip(mine, his, strict=True)):
            if order == "first":
                assert (a is None) == (b is None), f"{context}, input {k}"
            if a is not None and b is not None:
                assert_same(a, b.detach().resolve_conj().resolve_neg(), f"{context}, {order} derivative, input {k}", LOOSE[a.dtype.name])
            elif a is not None or b is not None:
                assert not numpy_of(a if b is None else b.resolve_conj()).any(), f"{context}, input {k}"
        both = [(a, b) for a, b in zip(mine, his, strict=True) if a is not None and b is not None and a.requires_grad and b.requires_grad]
        outs, touts = [a for a, _ in both], [b for _, b in both]
        if not outs:
            return


def compare_call(torch, entry, args, kwargs, context):
    targs, tkwargs = to_torch(torch, args), {k: to_torch(torch, v) for k, v in kwargs.items()}
    expected, refusal = of_pytorch(torch, entry, targs, tkwargs)
    result, error = outcome(entry.function, *args, **kwargs)
    if refusal is not None:
        if entry.name not in BEYOND:
            assert error is not None, f"{context}: PyTorch says {type(refusal).__name__}: {refusal}"
            assert isinstance(error, RuntimeError) == isinstance(refusal, RuntimeError), (context, error, refusal)
        return
    assert error is None, f"{context}: {type(error).__name__}: {error}"
    assert_same(result, resolved(torch, expected), context, (1e-9, 1e-11) if "128" in context else (2e-5, 2e-6))
    same_gradients(torch, result, expected, args, targs, context)


def resolved(torch, value):
    if isinstance(value, torch.Tensor):
        return value.resolve_conj().resolve_neg()
    return type(value)(resolved(torch, v) for v in value) if type(value) in (tuple, list) else value


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
@pytest.mark.parametrize("entry", SAMPLED)
def test_values_and_gradients_are_pytorchs(entry, dtype, torch):
    if counterpart(torch, entry) is None:
        return  # a name of our own: gradcheck below holds it
    for i, (args, kwargs) in enumerate(complex_calls(entry, dtype)):
        compare_call(torch, entry, args, kwargs, f"{entry.name}, {dtype}, sample {i}")


def made_real(value, which, count):
    """The arguments, those complex tensors whose numbers are in `which` with their real part alone."""
    if isinstance(value, ag.Tensor) and value.is_complex():
        count.append(1)
        if len(count) - 1 in which:
            return value.detach().real.clone().requires_grad_(value.requires_grad)
    elif isinstance(value, (list, tuple)):
        return type(value)(made_real(v, which, count) for v in value)
    return value


@pytest.mark.parametrize("entry", SAMPLED)
def test_real_beside_complex_tensors(entry, torch):
    """A real input gets a real gradient; results are promoted, or the dtypes refused, as in PyTorch."""
    if counterpart(torch, entry) is None:
        return
    for i, (args, kwargs) in enumerate(complex_calls(entry)[:4]):
        count = []
        made_real(args, (), count)
        for first in (True, False) if len(count) > 1 else ():
            which = {0} if first else set(range(1, len(count)))
            some = made_real(args, which, [])
            result, error = outcome(entry.function, *some, **kwargs)
            targs = to_torch(torch, some)
            expected, refusal = of_pytorch(torch, entry, targs, {k: to_torch(torch, v) for k, v in kwargs.items()})
            if entry.name in BEYOND | OTHERWISE:
                continue
            assert (error is None) == (refusal is None), (entry.name, i, which, error, refusal)
            if error is None:
                context = f"{entry.name}, sample {i}, real {which}"
                assert_same(result, resolved(torch, expected), context, (1e-9, 1e-11))
                for x, g in zip(leaves(some), gradients_of(result, some), strict=True):
                    assert g is None or g.dtype == x.dtype, context
                same_gradients(torch, result, expected, some, targs, context)


OTHERWISE = {
    "bmm", "cross", "einsum", "matmul",  # PyTorch asks for one dtype in some shapes of these and not in others
    "rms_norm",  # PyTorch's drops the imaginary part of a complex weight
}  # fmt: skip


def gradients_of(result, args):
    outs = floats(result)
    if not outs:
        return [None] * len(leaves(args))
    seeds = [ag.tensor(s) for s in seeds_for(outs, np.random.default_rng(3))]
    return ag.autograd.grad(outs, leaves(args), seeds, allow_unused=True, retain_graph=True)


def computed(entry, args, kwargs):
    """The call as a function of its leaves, and these; None where it has no gradient."""
    function, inputs = as_function(entry, args, kwargs)
    result, error = outcome(function, *inputs) if inputs else (None, None)
    return (function, inputs) if error is None and result else None


@pytest.mark.parametrize("entry", SAMPLED)
def test_gradcheck(entry):
    for args, kwargs in complex_calls(entry):
        call = computed(entry, args, kwargs)
        if call and any(x.is_complex() for x in call[1]):
            function, inputs = call
            small = sum(x.numel() for x in inputs) <= 12
            assert gradcheck(function, inputs, rtol=1e-4, fast_mode=not small)


@pytest.mark.slow
@pytest.mark.parametrize("entry", SAMPLED)
def test_gradgradcheck(entry):
    for args, kwargs in complex_calls(entry):
        call = computed(entry, args, kwargs)
        if call and any(x.is_complex() for x in call[1]):
            assert gradgradcheck(*call, atol=1e-4, rtol=1e-3, fast_mode=True)


INPLACE = [p for p in SAMPLED if p.values[0].inplace]


@pytest.mark.parametrize("entry", INPLACE)
def test_inplace_forms(entry, torch):
    """f_(z, ...) gives f(z, ...) with its gradients, or PyTorch's refusal."""
    for args, kwargs in complex_calls(entry):
        expected, error = outcome(entry.function, *args, **kwargs)
        target = args[0] * 1
        write = lambda: getattr(target, entry.inplace[0])(*args[1:], **kwargs)  # noqa: B023, E731
        if error is not None:
            assert outcome(write)[1] is not None and target._version == 0
            continue
        if expected.shape != target.shape:
            continue
        if not ag.can_cast(expected.dtype, target.dtype) or not expected.is_complex():
            assert (outcome(write)[1] is None) == real_result_is_stored(torch, entry, args, kwargs), entry.name
            continue
        assert write() is target and target._version == 1
        np.testing.assert_allclose(numpy_of(target), numpy_of(expected), rtol=1e-10, atol=1e-12)
        if expected.requires_grad:
            for g, h in zip(gradients_of(target, args), gradients_of(expected, args), strict=True):
                assert (g is None) == (h is None)
                if g is not None:
                    np.testing.assert_allclose(numpy_of(g), numpy_of(h), rtol=1e-9, atol=1e-11)


def real_result_is_stored(torch, entry, args, kwargs):
    """Does PyTorch's in-place form take a result that is no complex number (abs_)?"""
    targs = to_torch(torch, args, requires_grad=False)
    return outcome(getattr(targs[0], entry.inplace[0]), *targs[1:], **kwargs)[1] is None


@pytest.fixture(scope="module")
def device():
    with standin.activate():
        yield


@pytest.mark.parametrize("entry", SAMPLED)
def test_on_a_device(entry, device):
    """The CPU's values and gradients of both orders, or its refusal."""
    for args, kwargs in complex_calls(entry):
        there = tuple(moved_to_device(list(args)))
        expected, refusal = outcome(entry.function, *args, **kwargs)
        result, error = outcome(entry.function, *there, **{k: moved_to_device(v) for k, v in kwargs.items()})
        assert type(error) is type(refusal), (entry.name, error, refusal)
        if refusal is None:
            same_there(result, expected)
            for a, b in zip(orders(result, there), orders(expected, args), strict=True):
                same_there(a, b)


def orders(result, args):
    """Gradients, and gradients of these."""
    outs, found, rng = floats(result), [], np.random.default_rng(4)
    for _ in range(2):
        if not outs:
            break
        seeds = [ag.tensor(s).to(o.device) for s, o in zip(seeds_for_shapes(outs, rng), outs, strict=True)]
        grads = ag.autograd.grad(outs, leaves(args), seeds, allow_unused=True, create_graph=True)
        found += grads
        outs = [g for g in grads if g is not None and g.requires_grad]
    return found


def seeds_for_shapes(outs, rng):
    return [(rng.standard_normal(o.shape) + (1j * rng.standard_normal(o.shape) if o.is_complex() else 0))
            .astype(str(o.dtype).removeprefix("torch.")) if o.ndim else np.asarray(rng.standard_normal(), str(o.dtype).removeprefix("torch."))
            for o in outs]  # fmt: skip


def same_there(a, b):
    if isinstance(b, ag.Tensor):
        assert a.dtype is b.dtype
        np.testing.assert_allclose(numpy_of(a.detach().cpu()), numpy_of(b), rtol=1e-8, atol=1e-10)
    elif isinstance(b, (list, tuple)):
        for x, y in zip(a, b, strict=True):
            same_there(x, y)
    else:
        assert (a is None) == (b is None)
