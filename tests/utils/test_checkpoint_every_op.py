"""Every operation saves the same in a forward and in its recomputation: its gradients, of first and second
order, are to the bit those without a checkpoint, also where a selective one keeps its results."""

import functools

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu.autograd import grad
from autograd_gpu.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

from ..test_every_op import DIFFERENTIABLE, INPLACE, as_function, floats, leaves


def everything(ctx, op, *args, **kwargs):
    return True


def gradients(outs, inputs, again):
    """First derivatives for the same seeds, and those of their squares."""
    rng = np.random.default_rng(4)
    seeds = [ag.tensor(rng.standard_normal(o.shape)).to(o.dtype) for o in outs]
    first = grad(outs, inputs, seeds, create_graph=again, allow_unused=True)
    found = list(first)
    squares = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    if again and squares:
        found += grad(sum(squares[1:], squares[0]), inputs, allow_unused=True)
    return [None if g is None else g.detach().numpy() for g in found]


def same(plain, kept, context):
    for a, b in zip(plain, kept, strict=True):
        assert (a is None) == (b is None), context
        if a is not None:
            np.testing.assert_array_equal(a, b, context)


@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_op(entry):
    keeping = functools.partial(create_selective_checkpoint_contexts, everything)
    for i, (args, kwargs) in enumerate(samples_of(entry, Maker())):
        function, inputs = as_function(entry, args, kwargs)
        if not inputs or not function(*inputs):
            continue
        # A selective one serves one pass, so it has no second order.
        for again, options in ((True, {"early_stop": False}), (False, {}), (False, {"context_fn": keeping})):
            plain = gradients(function(*inputs), inputs, again)
            kept = gradients(checkpoint(function, *inputs, use_reentrant=False, **options), inputs, again)
            same(plain, kept, f"{entry.name}, sample {i}, {options}")


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in INPLACE])
def test_inplace(entry):
    for i, (args, kwargs) in enumerate(samples_of(entry, Maker())):
        if args[0]._array.dtype.kind != "f" or not leaves(args):
            continue

        def function(*values, args=args, kwargs=kwargs):
            supply = iter(values)
            given = [next(supply) if isinstance(a, ag.Tensor) and a.requires_grad else a for a in args]
            target = given[0] * 1
            expected = entry.function(*given, **kwargs)
            if expected.shape != target.shape or not ag.can_cast(expected.dtype, target.dtype):
                return target.sin()
            return getattr(target, entry.inplace[0])(*given[1:], **kwargs).sin()

        inputs = [a for a in args if isinstance(a, ag.Tensor) and a.requires_grad]
        if not floats(function(*inputs)):
            continue
        plain = gradients(floats(function(*inputs)), inputs, False)
        kept = gradients(floats(checkpoint(function, *inputs, use_reentrant=False, early_stop=False)), inputs, False)
        same(plain, kept, f"{entry.name}, sample {i}")
