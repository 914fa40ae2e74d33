"""The gradient of log-sum-exp on the stand-in against the body in double."""

import numpy as np
import pytest

from autograd_gpu._ops.logsumexp import logsumexp

from .beside import assert_near, every_run, exact, launched, stand_in, widened
from .launched import FLOATS, array

CASES = [((70, 33), 1), ((5, 6, 7), (0, 2)), ((600,), 0), ((2, 1, 9), 2), ((33, 4), 0), ((2, 300), -1)]


def arguments(x, dim, keepdim, dtype):
    """(g, x, y, dim, keepdim) of the body, in the type of x."""
    with np.errstate(all="ignore"):
        y = np.asarray(logsumexp.op.forward(np, widened(x), dim, keepdim)).astype(FLOATS[dtype])
    return array(y.shape, FLOATS[dtype], 1), x, y, dim, keepdim


@every_run
def test_gradients(dtype, how):
    with stand_in(how):
        for k, (shape, dim) in enumerate(CASES):
            given = arguments(array(shape, FLOATS[dtype]), dim, k % 2 == 0, dtype)
            found = launched("logsumexp_backward", *given)
            assert found.dtype == FLOATS[dtype] and found.shape == shape
            assert_near(found, exact("logsumexp_backward", *given), dtype)


def test_special_values():
    x = array((4, 40), "f4")
    x[0, 3], x[1, 5], x[2, :] = np.nan, np.inf, -np.inf
    with stand_in():
        given = arguments(x, 1, True, "float32")
        assert_near(
            launched("logsumexp_backward", *given), exact("logsumexp_backward", *given), "float32"
        )


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_nothing_to_do(shape):
    x = np.zeros(shape, np.float32)
    with stand_in():
        found = launched("logsumexp_backward", x[:, :1], x, x[:, :1], 1, True)
        assert found is NotImplemented or found.shape == shape


def test_declines_other_types_beside_and_integers():
    x, y = np.ones((3, 4), np.float32), np.ones((3, 1))
    with stand_in():
        assert launched("logsumexp_backward", y, x, y, 1, True) is NotImplemented
        whole = np.ones((3, 4), np.int64)
        assert launched("logsumexp_backward", whole, whole, whole, (), True) is NotImplemented
