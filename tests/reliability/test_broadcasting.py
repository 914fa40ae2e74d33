"""Broadcasting of random shapes: values as NumPy's, gradients summed back to each input's shape, both as PyTorch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import autograd_gpu as ag

BINARY = {
    "add": (np.add, -3, 3),
    "sub": (np.subtract, -3, 3),
    "mul": (np.multiply, -3, 3),
    "div": (np.divide, 0.5, 3),
    "pow": (np.power, 0.5, 3),
    "maximum": (np.maximum, -3, 3),
    "minimum": (np.minimum, -3, 3),
    "fmax": (np.fmax, -3, 3),
    "atan2": (np.arctan2, 0.5, 3),
    "hypot": (np.hypot, 0.5, 3),
    "logaddexp": (np.logaddexp, -3, 3),
    "lt": (np.less, -3, 3),
    "eq": (np.equal, -3, 3),
}
TERNARY = {
    "addcmul": lambda a, b, c: a + b * c,
    "addcdiv": lambda a, b, c: a + b / c,
    "lerp": lambda a, b, c: a + c * (b - a),
    "clamp": lambda a, b, c: np.minimum(np.maximum(a, b), c),
}
EXAMPLES = settings(max_examples=60, deadline=None)


def shapes_of(n):
    return mutually_broadcastable_shapes(num_shapes=n, max_dims=4, max_side=3, min_side=0).map(
        lambda s: s.input_shapes
    )


def draw(rng, shape, low, high, gaps):
    array = np.asarray(rng.uniform(low, high, shape))
    if gaps and array.ndim:
        wide = np.zeros([2 * n for n in shape[::-1]])
        view = wide[(slice(None, None, 2),) * array.ndim].T
        view[...] = array
        return view
    return array


def gradients(function, arrays, seed):
    inputs = [ag.from_numpy(a).requires_grad_() for a in arrays]
    out = function(*inputs)
    if not out.requires_grad:
        return out, None
    return out, ag.autograd.grad(out, inputs, ag.from_numpy(seed), allow_unused=True)


def summed(array, shape):
    """Over what broadcasting added or stretched."""
    array = array.sum(tuple(range(array.ndim - len(shape))))
    return array.sum(tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True).reshape(shape)


def check(function, reference, arrays, rng):
    expected = reference(*arrays)
    seed = np.asarray(rng.standard_normal(expected.shape))
    out, found = gradients(function, arrays, seed)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-12)
    if found is None:
        return
    full = [np.array(np.broadcast_to(a, expected.shape)) for a in arrays]
    _, unbroadcast = gradients(function, full, seed)
    for g, h, a in zip(found, unbroadcast, arrays, strict=True):
        assert g.shape == a.shape
        np.testing.assert_allclose(g.numpy(), summed(h.numpy(), a.shape), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", BINARY)
@EXAMPLES
@given(shapes=shapes_of(2), gaps=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_two_inputs(name, shapes, gaps, seed):
    reference, low, high = BINARY[name]
    rng = np.random.default_rng(seed)
    check(getattr(ag, name), reference, [draw(rng, s, low, high, gaps) for s in shapes], rng)


@pytest.mark.parametrize("name", TERNARY)
@EXAMPLES
@given(shapes=shapes_of(3), gaps=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_three_inputs(name, shapes, gaps, seed):
    rng = np.random.default_rng(seed)
    arrays = [draw(rng, s, 0.5, 3, gaps) for s in shapes]
    if name == "clamp":
        arrays[2] = np.asarray(arrays[2] + 3)  # bounds in order
    check(getattr(ag, name), TERNARY[name], arrays, rng)


@EXAMPLES
@given(shapes=shapes_of(3), seed=st.integers(0, 2**32 - 1))
def test_where(shapes, seed):
    rng = np.random.default_rng(seed)
    mask = np.asarray(rng.random(shapes[0]) < 0.5)
    a, b = (draw(rng, s, -1, 1, False) for s in shapes[1:])
    expected = np.where(mask, a, b)
    x, y = (ag.from_numpy(v).requires_grad_() for v in (a, b))
    out = ag.where(ag.from_numpy(mask), x, y)
    np.testing.assert_array_equal(out.detach().numpy(), expected)
    gx, gy = ag.autograd.grad(out.sum(), (x, y))
    counts = np.array(np.broadcast_to(mask, expected.shape), float)
    np.testing.assert_array_equal(gx.numpy(), summed(counts, a.shape))
    np.testing.assert_array_equal(gy.numpy(), summed(1 - counts, b.shape))


@EXAMPLES
@given(
    batch=shapes_of(2), sizes=st.tuples(*[st.integers(0, 3)] * 3), vectors=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_matmul(batch, sizes, vectors, seed):
    rng = np.random.default_rng(seed)
    n, k, m = sizes
    a = draw(rng, (k,) if vectors[0] else (*batch[0], n, k), -1, 1, bool(seed & 1))
    b = draw(rng, (k,) if vectors[1] else (*batch[1], k, m), -1, 1, bool(seed & 2))
    expected = np.asarray(a @ b)
    grad = np.asarray(rng.standard_normal(expected.shape))
    out, found = gradients(ag.matmul, (a, b), grad)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.detach().numpy(), expected, atol=1e-12)
    assert [g.shape for g in found] == [a.shape, b.shape]
    for g, x in zip(found, (a, b), strict=True):  # the derivative in a random direction
        direction = np.asarray(rng.standard_normal(x.shape))
        moved = direction @ b if x is a else a @ direction
        np.testing.assert_allclose((g.numpy() * direction).sum(), (moved * grad).sum(), atol=1e-9)


@EXAMPLES
@given(shapes=shapes_of(2), seed=st.integers(0, 2**32 - 1))
def test_expand_and_inplace(shapes, seed):
    rng = np.random.default_rng(seed)
    whole = np.broadcast_shapes(*shapes)
    a, b = draw(rng, shapes[0], -1, 1, False), draw(rng, whole, -1, 1, False)
    x, y = (ag.from_numpy(v).requires_grad_() for v in (a, b))
    np.testing.assert_array_equal(x.expand(whole).detach().numpy(), np.broadcast_to(a, whole))
    z = y * 1
    z.mul_(x).add_(x)
    np.testing.assert_allclose(z.detach().numpy(), b * a + a)
    gx, gy = ag.autograd.grad(z.sum(), (x, y))
    np.testing.assert_allclose(gx.numpy(), summed(b + 1, a.shape), atol=1e-12)
    np.testing.assert_allclose(gy.numpy(), np.broadcast_to(a, whole))
    if x.shape != whole:
        with pytest.raises(RuntimeError, match="output with shape"):
            (x * 1).add_(y)


@EXAMPLES
@given(
    first=st.lists(st.integers(0, 4), max_size=3), second=st.lists(st.integers(0, 4), max_size=3)
)
def test_shapes_that_do_not_fit(first, second):
    a, b = ag.zeros(first), ag.zeros(second)
    try:
        expected = np.broadcast_shapes(tuple(first), tuple(second))
    except ValueError:
        for f in (
            lambda: a + b,
            lambda: a < b,
            lambda: ag.where(a > 0, a, b),
            lambda: ag.broadcast_tensors(a, b),
        ):
            with pytest.raises(RuntimeError):
                f()
    else:
        assert (a + b).shape == (a < b).shape == ag.broadcast_tensors(a, b)[0].shape == expected


@EXAMPLES
@given(
    shapes=shapes_of(3),
    picks=st.lists(st.integers(0, 8), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_programs_are_pytorchs(torch, shapes, picks, seed):
    """A chain of broadcasting operations on three leaves."""
    rng = np.random.default_rng(seed)
    arrays = [draw(rng, s, 0.5, 2, False) for s in shapes]

    def program(t):
        leaves = [t.from_numpy(a.copy()).requires_grad_() for a in arrays]
        steps = [
            lambda v, x: v + x, lambda v, x: v * x, lambda v, x: x / v, lambda v, x: t.maximum(v, x * 2), lambda v, x: v - x * x,
            lambda v, x: t.where(v > x, v, x), lambda v, x: t.hypot(v, x), lambda v, x: v.exp() * 0.1 + x, lambda v, x: v + 1.5,
        ]  # fmt: skip
        value = leaves[0]
        for i, k in enumerate(picks):
            value = steps[k](value, leaves[i % 3])
        value.sum().backward()
        return [value.detach(), *(x.grad for x in leaves)]

    for ours, theirs in zip(program(ag), program(torch), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert tuple(ours.shape) == tuple(theirs.shape)
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-12)
