"""How a reduction finds its elements: divisions as products, and places beyond 32 bits."""

from math import prod

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd_gpu._core.manifest.reduce import REDUCTION
from autograd_gpu._core.sources import kernel_folder, source
from autograd_gpu._cuda import reduce
from autograd_gpu.testing.emulator import Module

from .conftest import require_emulator

numbers = st.integers(2, (1 << 62) - 1)


@given(numbers, st.integers(0, (1 << 62) - 1))
@example(3, (1 << 62) - 1)
@example(1 << 61, (1 << 61) - 1)
def test_a_product_divides(n, index):
    magic, shift = reduce.divider(n)
    assert 0 < magic < 1 << 64 and 0 <= shift < 64
    for i in (index, index - index % n, max(0, index - index % n - 1)):
        assert (i * magic >> 64) >> shift == i // n


SOURCE = source("reduce.cu") + """
namespace ag {
__global__ void places(const i64* index, i64* out, i64 n, Reduction r) {
  for (i64 k = first_element(); k < n; k += element_step()) out[k] = place(r.reduced, index[k]);
}
}
"""


@pytest.fixture(scope="module")
def places():
    require_emulator()
    return Module(SOURCE, ["ag::places"], include=[kernel_folder()]).get_function("ag::places")


@pytest.mark.parametrize(
    "axes",
    [
        [(7, 3)],
        [(5, 12), (4, 3)],
        [(1 << 20, -(1 << 40)), (3, 1 << 33), (1 << 31, 1)],
        [(2, 1 << 60), (3, 1 << 33), (5, 7), (1 << 33, 0), (9, 1)],
    ],
)
def test_places_beyond_32_bits(places, axes):
    size = prod(n for n, _ in axes)
    index = np.random.default_rng(0).integers(0, size, 300)
    index[:2] = 0, size - 1
    out = np.empty_like(index)
    places((2,), (64,), (index, out, np.int64(300), reduce.structure([(1, 0)], axes)))
    where = zip(*np.unravel_index(index, [n for n, _ in axes]), strict=True)
    right = [sum(int(k) * s for k, (_, s) in zip(at, axes, strict=True)) for at in where]
    assert out.tolist() == right


def test_the_structure_is_that_of_the_kernel():
    """Five arrays of eight and a number for each kind of axes, behind four numbers."""
    assert REDUCTION.itemsize == 8 * (4 + 2 * (1 + 4 * 8))
    sized = f'static_assert(sizeof(ag::Reduction) == {REDUCTION.itemsize}, "");'
    Module(SOURCE + sized, ["ag::places"], include=[kernel_folder()])


@pytest.mark.parametrize("form", ["rows", "columns"])
def test_large_virtual_shapes_have_plans(form):
    """2^40 elements: grids within limits, chunks that cover all."""
    shape, dims = ((64, 1 << 34), (1,)) if form == "rows" else ((1 << 30, 1 << 10), (0,))
    planned = reduce.plan(shape, (shape[1], 1), dims, False)
    first, second = planned.steps
    assert first.form == form and first.grid[1] == planned.parts <= 1024
    reduction = first.reduction
    assert reduction["chunk"] * planned.parts >= reduction["size"] == shape[dims[0]]
    assert reduction["chunk"] * (planned.parts - 1) < reduction["size"]
    assert second.reduction["count"] == shape[dims[0]]
    for step in planned.steps:
        assert 0 < step.grid[0] < 1 << 31 and step.grid[1] < 1 << 16
        assert step.block[0] * step.block[1] <= 512


def test_neighbours_become_one():
    planned = reduce.plan((4, 5, 6, 7), (210, 42, 7, 1), (1, 2), False)
    reduction = planned.steps[0].reduction
    assert planned.shape == (4, 7)
    assert reduction["reduced"]["shape"].tolist()[:2] == [30, 0]
    assert reduction["kept"]["shape"].tolist()[:3] == [4, 7, 0]
