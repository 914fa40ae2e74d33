"""A strided kernel reads any arrays that NumPy can broadcast together, wherever they lie."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_gpu._core.library import LAUNCHERS, installed
from autograd_gpu._core.manifest import LAYOUT
from autograd_gpu._cuda import elementwise
from autograd_gpu.testing import standin

from .cases import assert_same, expected, normal
from .launched import launching

NAME = "mse_loss_backward"
shapes = st.lists(st.integers(0, 4), max_size=6)
steps = st.sampled_from([1, 2, -1, -3])


@st.composite
def operands(draw):
    """Three arrays and how to lay them: transposed, with steps forwards and backwards, some
    broadcast."""
    shape = draw(shapes)
    found = []
    for seed in range(3):
        order = draw(st.permutations(range(len(shape))))
        step = [draw(steps) for _ in shape]
        sizes = [n if draw(st.booleans()) else 1 for n in shape]
        memory = normal([sizes[d] * abs(step[d]) for d in order], "float32", seed)
        found.append((memory, np.argsort(order).astype(int), step))
    return found


def laid(memory, order, step):
    array = memory.transpose(*order.tolist()) if memory.ndim else memory
    return array[(*(slice(None, None, s) for s in step), ...)]


@pytest.mark.parametrize("way", ["plain", "checked"])
def test_any_layout(way):
    @settings(max_examples=80, deadline=None)
    @given(operands())
    def agrees(found):
        host = [laid(*each) for each in found]
        device = [laid(standin.asarray(memory), *rest) for memory, *rest in found]
        out = LAUNCHERS[NAME](installed(), *device, "sum")
        assert_same(out.get(), expected(NAME, "float32", [*host, "sum"]), "float32")

    with launching(way):
        agrees()


def test_many_elements_are_computed_in_parts(monkeypatch):
    """What one launch cannot number is halved, along whichever dimension is long."""
    monkeypatch.setattr(elementwise, "MANY", 7)
    with launching("plain"), standin.launches() as seen:
        for shape in [(5, 4), (1, 30), (3, 1, 5)]:
            a, b = normal(shape, "float32"), normal(shape[-1:], "float32", 1)
            run = LAUNCHERS["add"]
            out = run(installed(), standin.asarray(a), standin.asarray(b), 2)
            assert_same(out.get(), expected("add", "float32", [a, b, 2]), "float32")
    assert len(seen) > 6


@pytest.mark.parametrize("shape", [(4, 3, 5), (1 << 20, 1 << 10), (2, (1 << 30) - 1)])
def test_offsets_beyond_32_bits(in_order, shape):
    """Strides as of memory that no machine has; the numbers are compared, nothing is read."""
    places = in_order("layouts.cu", ["places"]).get_function("places")
    strides = [(1 << 40, -(1 << 33), 1)[: len(shape)], (0, 3 << 31, 1 << 35)[: len(shape)]]
    layout = np.zeros((), LAYOUT)
    layout["ndim"], layout["shape"][: len(shape)] = len(shape), shape
    for k, each in enumerate(strides):
        layout["strides"][k, : len(shape)] = each
    n = math.prod(shape)
    first = max(0, n - 40)
    found = np.zeros((n - first, 2), np.int64)
    places((2,), (32,), (layout, found, np.int64(first), np.int64(n - first)))
    index = np.array(np.unravel_index(np.arange(first, n), shape))
    np.testing.assert_array_equal(found, (np.array(strides) @ index).T)
