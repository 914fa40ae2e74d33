"""What parity lets pass and what not: errors a little beyond each tolerance, and results of other kinds."""

from types import SimpleNamespace

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.testing import parity, standin


@pytest.mark.parametrize(("kind", "value", "near", "far"), [
    ("float32", 1.0, 1e-5, 5e-5), ("float32", 1000.0, 1e-3, 1e-2), ("float64", 1000.0, 5e-5, 2e-4),
    ("float16", 1000.0, 5.0, 16.0), ("complex64", 1000.0, 1e-3, 1e-2),
])  # fmt: skip
def test_a_tolerance_has_an_end(kind, value, near, far):
    x = np.full(4, value, kind)
    parity._measured(x, (x + np.array(near, kind)).astype(kind), kind)
    with pytest.raises(AssertionError, match="on the CPU, .* on the device"):
        parity._measured(x, (x + np.array(far, kind)).astype(kind), kind)


def test_small_elements_beside_large_ones():
    """They may be off by the rounding of the large ones, and no more."""
    x = np.array([1e4, 1.0], "f4")
    parity._measured(x, x + np.array([0, 5e-3], "f4"), "float32")
    with pytest.raises(AssertionError):
        parity._measured(x, x + np.array([0, 5e-2], "f4"), "float32")


def test_either_device_may_be_off_the_truth_as_far_as_the_other():
    x, y, wrong = (np.full(4, v, "f2") for v in (1000, 1060, 1200))
    parity._measured(x, y, "float16", np.full(4, 1030.0))
    for found, truth in ((wrong, 1030.0), (y, 1000.0)):
        with pytest.raises(AssertionError):
            parity._measured(x, found, "float16", np.full(4, truth))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(("x", "y"), [("inf", "1"), ("1", "inf"), ("inf", "-inf"), ("nan", "1"), ("1", "nan"), ("nan", "inf")])
def test_what_is_not_finite_is_the_same(kind, x, y):
    with pytest.raises(AssertionError):
        parity._measured(np.array([1, float(x)], kind), np.array([1, float(y)], kind), kind)


def test_whole_numbers_places_and_dtypes():
    with standin.activate():
        a = ag.tensor([1, 2, 3])
        assert parity._difference(a, a.cuda(), True) == (0, 0)
        for other, message in (
            (ag.tensor([1, 5, 3]).cuda(), "1 of 3 elements differ"), (a, "the result is on cpu"),
            (a.int().cuda(), r"int64\[3\] on the CPU, int32\[3\]"), (a[:2].cuda(), r"int64\[3\] on the CPU, int64\[2\]"),
        ):  # fmt: skip
            with pytest.raises(AssertionError, match=message):
                parity._difference(a, other, True)
        parity._difference(a, ag.tensor([1, 5, 3]).cuda(), False)


@pytest.mark.parametrize(("there", "message"), [
    (lambda x, y: (x * y).detach(), "requires_grad differs"),
    (lambda x, y: x * y.detach(), "gradient on one device only"),
    (lambda x, y: [x * y, x], "1 results on the CPU, 2 on the device"),
    (lambda x, y: (x * y).cpu(), "the result is on cpu"),
])  # fmt: skip
def test_what_is_recorded_is_compared(there, message):
    def function(x, y):
        return there(x, y) if x.is_cuda else x * y

    args = tuple(ag.ones(2, dtype=ag.float64, requires_grad=True) for _ in range(2))
    entry = SimpleNamespace(name="function", function=function)
    with standin.activate(), pytest.raises(AssertionError, match=message):
        parity._compare_call(entry, parity.Row("function", "float64"), [function(*args)], args, {})
