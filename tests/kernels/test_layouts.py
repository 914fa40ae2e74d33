"""A strided kernel reads any arrays that NumPy can broadcast together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_gpu._core.manifest import KERNELS

from .cases import assert_same, expected, instances, normal, run_strided

NAME = "mse_loss_backward"
shapes = st.lists(st.integers(0, 4), max_size=6)
steps = st.sampled_from([1, 2, -1, -3])


@st.composite
def operands(draw):
    """(shape, three arrays): transposed, with steps forwards and backwards, some broadcast."""
    shape = draw(shapes)
    arrays = []
    for seed in range(3):
        order = draw(st.permutations(range(len(shape))))
        step = [draw(steps) for _ in shape]
        sizes = [n if draw(st.booleans()) else 1 for n in shape]
        memory = normal([sizes[d] * abs(step[d]) for d in order], "float32", seed)
        array = memory.transpose(np.argsort(order).astype(int))
        array = array[(*(slice(None, None, s) for s in step), ...)]
        arrays.append(array)
    return arrays


@pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"])
def test_any_layout(compiled, checked):
    module = compiled(KERNELS[NAME].file, instances(NAME), checked)

    @settings(max_examples=80, deadline=None)
    @given(operands(), st.booleans())
    def agrees(arrays, large):
        arguments = [*arrays, "sum"]
        wanted = expected(NAME, "float32", arguments)
        out = np.empty(wanted.shape, np.float32)
        run_strided(module, NAME, "float32", arguments, out, large)
        assert_same(out, wanted, "float32")

    agrees()
