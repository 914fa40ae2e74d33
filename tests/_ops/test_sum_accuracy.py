"""float32 sums are accurate along every dimension and in every layout, where NumPy's are not."""

import numpy as np
import pytest

import autograd_gpu as ag

TENTH = float(np.float32(0.1))


def layouts():
    """(name, tensor of 0.1, dims to sum, how many are summed)."""
    n = 200_000
    yield "middle of a contiguous array", ag.full((2, n, 3), 0.1), 1, n
    yield "rows with gaps", ag.full((n, 4), 0.1)[:, ::2], 0, n
    yield "middle with gaps", ag.full((2, n, 4), 0.1)[..., ::2], 1, n
    yield "first and last", ag.full((n, 2, 3), 0.1), (0, 2), 3 * n
    yield "columns of a transpose", ag.full((n, 3), 0.1).T, 1, n
    yield "all, with gaps", ag.full((n, 4), 0.1)[:, ::2], None, 2 * n


@pytest.mark.parametrize(("name", "x", "dim", "count"), layouts(), ids=lambda v: v if isinstance(v, str) else "")
def test_sum(name, x, dim, count):
    out = x.sum() if dim is None else x.sum(dim)
    np.testing.assert_allclose(out.numpy(), TENTH * count, rtol=3e-6, err_msg=name)


def test_gradient_of_a_bias_is_accurate():
    x = ag.ones(200_000, 2)
    bias = ag.zeros(2, requires_grad=True)
    ((x + bias) * 0.1).sum().backward()
    np.testing.assert_allclose(bias.grad.numpy(), TENTH * 200_000, rtol=3e-6)
