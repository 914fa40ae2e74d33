"""assert_close: says what PyTorch's says, of values, types, shapes, nests and numbers."""

import math

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.testing import assert_close

NAN, INF = math.nan, math.inf


def cases(xp):
    t, nan, ones = xp.tensor, xp.tensor([NAN]), xp.ones(2, 3)
    f64, half = {"dtype": xp.float64}, {"dtype": xp.float16}
    return [
        ((t([1.0, 2.0, 4.0]), t([1.0, 2.5, 3.0])), {}),
        ((t([[1.0, 2.0], [4.0, 5.0]]), t([[1.0, 2.5], [3.0, 5.0]])), {"rtol": 0, "atol": 0}),
        ((t(1.0), t(2.0)), {}),
        ((1.0, 2.0), {}), ((1, 2), {}), ((True, False), {}), ((1, 1.0), {}),
        ((1, 1.0), {"check_dtype": False}), ((1.0, 1.0 + 1e-9), {}), ((0.0, 0.5), {}),
        ((1.0, NAN), {}), ((NAN, NAN), {"equal_nan": True}), ((INF, INF), {}), ((INF, -INF), {}),
        ((1 + 1j, 2 + 0j), {}), ((np.float64(1.0), 1.0), {}), ((np.float64(1), np.float64(2)), {}),
        ((t([1.0]), t([1.0], **f64)), {}), ((t([1.0]), t([1.0], **f64)), {"check_dtype": False}),
        ((t([5]), t([5.5])), {"check_dtype": False}), ((t([1.0]), t([1.0, 2.0])), {}),
        ((t([1.0]), [1.0]), {}), ((t(1.0), 1.0), {}), ((t([1.0]), np.ones(1, "f4")), {}),
        ((t([1.0]), "a"), {}), (("a", "a"), {}), ((None, None), {}), ((None, 1), {}),
        (([t([1.0]), t([2.0])], [t([1.0]), t([3.0])]), {}), (((1.0,), [1.0]), {}),
        (([1.0, 2.0], [1.0]), {}), (({"a": t(1.0)}, {"a": t(2.0)}), {}), (({"a": 1}, {"b": 1}), {}),
        (([[1.0, 2.0], 3.0], [[1.0, 5.0], 3.0]), {}), (({"a": [1.0]}, {"a": [2.0]}), {}),
        ((nan, nan), {}), ((nan, nan), {"equal_nan": True}),
        ((t([1.0]), t([1.1])), {"rtol": 1e-3}), ((t([1.0]), t([1.1])), {"atol": 1e-3}),
        ((t([1.0]), t([1.1])), {"msg": "hello"}),
        ((t([1.0]), t([1.1])), {"msg": lambda text: "then " + text}),
        ((t([1, 2]), t([1, 3])), {}), ((t([True]), t([False])), {}), ((t([]), t([])), {}),
        ((t([3], dtype=xp.uint8), t([255], dtype=xp.uint8)), {}),
        ((t([INF, 1.0]), t([INF, 2.0])), {}), ((t([INF]), t([-INF])), {}),
        ((ones, xp.ones(3, 2).T), {}), ((ones, xp.ones(3, 2).T), {"check_stride": True}),
        ((t([1 + 1j]), t([1 + 2j])), {}), ((t([1.0], **half), t([1.01], **half)), {}),
        ((t([1.0], **half), t([1.0005], **half)), {}), ((t([0.0]), t([0.1])), {}),
        ((t([1.0], **f64), t([1 + 1e-6], **f64)), {}),
        ((t([1.0], **f64), t([1 + 1e-8], **f64)), {}),
        ((t([1.0] * 5), t([1.0] * 4 + [2.0])), {"rtol": 0.1, "atol": 0.0}),
        ((t([1.0]), xp.nn.Parameter(t([1.0]))), {}),
        ((np.ones(2), np.ones(2, "f4")), {}), ((np.ones(2), np.ones(2)), {}),
    ]  # fmt: skip


def outcome(check, args, options):
    try:
        check(*args, **options)
    except Exception as error:
        return type(error), str(error)
    return None


@pytest.mark.parametrize("number", range(len(cases(ag))))
def test_as_pytorch(torch, number):
    args, options = cases(ag)[number]
    wanted = outcome(torch.testing.assert_close, *cases(torch)[number])
    got = outcome(assert_close, args, options)
    if wanted is not None and wanted[0] is TypeError:  # these name the classes
        assert got is not None and got[0] is TypeError and "No comparison pair" in got[1]
    else:
        assert got == wanted


def test_subclasses():
    x, p = ag.tensor([1.0]), ag.nn.Parameter(ag.tensor([1.0]))
    assert_close(x, p)
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(x, p, allow_subclasses=False)


def test_negative_tolerances():
    with pytest.raises(ValueError, match="must not be negative"):
        assert_close(1.0, 1.0, rtol=-1, atol=0)
    with pytest.raises(ValueError, match="must not be negative"):
        assert_close(1.0, 1.0, rtol=0, atol=NAN)


def test_bfloat16():
    pytest.importorskip("ml_dtypes")
    x = ag.tensor([1.0, 2.0]).to(ag.bfloat16)
    assert_close(x, x * 1.01)
    with pytest.raises(AssertionError, match="up to 0.016 allowed"):
        assert_close(x, x * 1.05)


def test_nothing_changes_and_no_graph_grows():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    assert_close(x * 2, ag.tensor([2.0, 4.0]))
    assert x.grad is None and x.tolist() == [1.0, 2.0]
