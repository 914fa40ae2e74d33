"""G7: incoming gradients with any layout in memory give what contiguous ones give."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.tensor import make
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu._ops.table import REGISTRY

from ..test_every_op import DIFFERENTIABLE, floats, leaves


def gaps(array):
    wide = np.zeros([2 * n for n in array.shape[::-1]], array.dtype)
    view = wide[(slice(None, None, 2),) * array.ndim].T if array.ndim else wide
    view[...] = array
    return view


def backwards(array):
    """Negative strides, which only the engine's own views can have."""
    turn = (slice(None, None, -1),) * array.ndim
    return array[turn].copy()[turn] if array.ndim else array


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("layout", [gaps, backwards, frozen])
@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_layout_of_the_gradient(entry, layout):
    for args, kwargs in samples_of(entry, Maker()):
        outs = floats(entry.function(*args, **kwargs))
        if not outs:
            continue
        rng = np.random.default_rng(0)
        arrays = [np.asarray(rng.standard_normal(o.shape)).astype(o._array.dtype) for o in outs]
        compare(outs, leaves(args), arrays, [layout(a) for a in arrays])


@pytest.mark.parametrize("entry", DIFFERENTIABLE)
def test_an_expanded_gradient(entry):
    """All strides 0, as `y.sum().backward()` gives."""
    for args, kwargs in samples_of(entry, Maker()):
        outs = floats(entry.function(*args, **kwargs))
        if outs:
            arrays = [np.full(o.shape, 1.5, o._array.dtype) for o in outs]
            compare(
                outs,
                leaves(args),
                arrays,
                [np.broadcast_to(o._array.dtype.type(1.5), o.shape) for o in outs],
            )


def compare(outs, inputs, plain, laid):
    kept = [a.copy() for a in laid]
    options = {"retain_graph": True, "allow_unused": True}
    expected = ag.autograd.grad(outs, inputs, [make(a) for a in plain], **options)
    found = ag.autograd.grad(outs, inputs, [make(a) for a in laid], **options)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a._array, b._array, rtol=1e-9, atol=1e-11)
    for a, b in zip(laid, kept, strict=True):
        np.testing.assert_array_equal(a, b, "the incoming gradient was changed")


def test_the_walk_is_not_empty():
    assert len(DIFFERENTIABLE) > len(REGISTRY) // 4
