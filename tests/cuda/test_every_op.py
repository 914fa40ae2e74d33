"""The walk over the table of ops on the stand-in device: every row equals the CPU's, and is its own derivative's equal."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu.autograd import gradcheck, gradgradcheck
from autograd_gpu.testing.parity import compare, moved_to_device

from ..test_every_op import (
    DIFFERENTIABLE,
    INPLACE,
    PROMOTED,
    SAMPLED,
    TYPES,
    as_function,
    floats,
    leaves,
)

pytestmark = pytest.mark.usefixtures("standin_device")


def calls(entry, dtype="float64"):
    """The samples, moved to the device."""
    for args, kwargs in samples_of(entry, Maker(dtype)):
        yield tuple(moved_to_device(list(args))), {k: moved_to_device(v) for k, v in kwargs.items()}


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "complex128"])
@pytest.mark.parametrize("entry", SAMPLED)
def test_equals_the_cpu(entry, dtype):
    row = compare(entry, dtype)
    assert row is None or row.ok, row.error


@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_gradcheck(entry):
    for args, kwargs in calls(entry):
        function, inputs = as_function(entry, args, kwargs)
        if inputs and function(*inputs):
            assert gradcheck(function, inputs, atol=1e-5, rtol=1e-4, fast_mode=True)


@pytest.mark.slow
@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_gradgradcheck(entry):
    for args, kwargs in calls(entry):
        function, inputs = as_function(entry, args, kwargs)
        if inputs and function(*inputs):
            assert gradgradcheck(function, inputs, atol=1e-4, rtol=1e-3, fast_mode=True)


def relaid(value):
    """The same numbers with gaps and reversed dimensions in memory."""
    if isinstance(value, ag.Tensor) and value.ndim and value.dtype.is_floating_point:
        wide = ag.zeros((*value.shape[::-1][:-1], 2 * value.shape[0]), dtype=value.dtype, device="cuda")
        view = wide[..., ::2].permute(*reversed(range(value.ndim)))
        view.copy_(value.detach())
        out = view.detach()
        return out.requires_grad_() if value.requires_grad else out
    return type(value)(map(relaid, value)) if isinstance(value, (list, tuple)) else value


def same(a, b):
    if isinstance(a, ag.Tensor):
        np.testing.assert_allclose(a.detach().cpu().numpy(), b.detach().cpu().numpy(), rtol=1e-9, atol=1e-11)
    elif isinstance(a, (list, tuple)):
        for x, y in zip(a, b, strict=True):
            same(x, y)


@pytest.mark.parametrize("entry", SAMPLED)
def test_layout_does_not_matter(entry):
    if entry.name in {"as_strided", "view", "_view", "_reinterpret", "view_as_complex"}:
        return  # these are about memory
    for args, kwargs in calls(entry):
        again = relaid(args)
        a, b = entry.function(*args, **kwargs), entry.function(*again, **kwargs)
        same(a, b)
        outs = floats(a)
        if outs:
            seeds = [ag.linspace(-1, 1, o.numel(), device="cuda").reshape(o.shape).to(o.dtype) for o in outs]
            first = ag.autograd.grad(outs, leaves(args), seeds, allow_unused=True)
            second = ag.autograd.grad(floats(b), leaves(again), seeds, allow_unused=True)
            same(first, second)


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in INPLACE])
def test_inplace_form(entry):
    for args, kwargs in calls(entry):
        expected = entry.function(*args, **kwargs)
        target = args[0] * 1 if args[0].dtype.is_floating_point else args[0].clone()
        if expected.shape != target.shape or not ag.can_cast(expected.dtype, target.dtype):
            continue
        version = target._version
        assert getattr(target, entry.inplace[0])(*args[1:], **kwargs) is target
        assert target._version == version + 1
        same(target, expected.to(target.dtype))


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in PROMOTED])
def test_promotion(entry):
    """Every pair of dtypes gives the CPU's dtype, or the CPU's refusal."""
    n = len(entry.kinds)
    for a in TYPES:
        for b in TYPES if n == 2 else TYPES[:1]:
            operands = [ag.ones(2, dtype=getattr(ag, d)) for d in (a, b)[:n]]
            try:
                expected = entry.function(*operands)
            except Exception as error:
                with pytest.raises(type(error)):
                    entry.function(*[t.cuda() for t in operands])
                continue
            result = entry.function(*[t.cuda() for t in operands])
            assert result.dtype is expected.dtype, (a, b)
            assert ag.allclose(result.cpu().to(ag.complex128), expected.to(ag.complex128), rtol=1e-2), (a, b)


@pytest.mark.parametrize("entry", SAMPLED)
def test_refuses_two_devices(entry):
    """A tensor on the CPU beside one on the device is refused by name, unless it has no dimensions; nothing is changed."""
    for args, _ in samples_of(entry, Maker()):
        tensors = [k for k, a in enumerate(args) if isinstance(a, ag.Tensor) and a.ndim and a.numel()]
        if len(tensors) < 2 or entry.name in INDEXED:
            continue
        mixed = [a.detach().cuda() if k == tensors[0] else a for k, a in enumerate(args)]
        with pytest.raises(RuntimeError, match="same device"):
            entry.function(*mixed)


INDEXED = {"index", "index_put", "_index_put", "copy", "to", "broadcast_tensors", "meshgrid"}
"""Indices may lie on the CPU, as in PyTorch; `copy` is between devices; views do not mix numbers."""
