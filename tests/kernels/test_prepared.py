"""Launches that are kept: for one device and for several, beside those that are looked up anew."""

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F
from autograd_gpu._cuda.prepared import Kept, prepared
from autograd_gpu._ops import summing
from autograd_gpu.testing import standin

from .beside import assert_near, launched, stand_in, to_host
from .launched import array


@pytest.mark.parametrize("several", [False, True])
def test_the_same_arguments_arrive(several):
    """Numbers are typed, None is a null pointer."""
    x, target = array((5, 4), "f4"), np.arange(5) % 4
    with stand_in() as xp:
        xp.several_devices = several
        run = prepared(xp, "nll_loss", "items", "float32", 1, 32, 5, 4, 1, -100, 1)
        empty = xp.new_array
        out, index = empty((), x.dtype), empty((5,), target.dtype)
        factor, bad = empty((5,), x.dtype), empty((1,), target.dtype)
        run(standin.asarray(x), standin.asarray(target), None, out, index, factor, None, bad)
        assert_near(to_host(out), -x[np.arange(5), target].mean(dtype="f8"), "float32")
        assert np.array_equal(to_host(index), target)


@pytest.mark.parametrize("several", [False, True])
def test_kernels_of_several_kinds(several):
    x = array((300, 7), "f4")
    with stand_in() as xp:
        xp.several_devices = several
        for _ in range(2):  # found, then kept
            assert_near(launched("sum", x, 0), x.sum(0, dtype="f8"), "float32")
            wide = np.exp(x.astype("f8"))
            assert_near(launched("softmax", x, 1), wide / wide.sum(1, keepdims=True), "float32")
            assert_near(launched("var", x, 0, 0, False), x.astype("f8").var(0), "float32")


def test_arguments_that_do_not_fit_are_found_when_it_is_made():
    with stand_in() as xp, pytest.raises(ValueError):
        prepared(xp, "sum", "rows", "float32", 1, 32, None, 1, 2, 3)


def test_what_is_kept_is_bounded():
    kept = Kept()
    for k in range(5000):
        assert kept.keep(k, str(k)) == str(k)
    assert len(kept) <= 4096 and kept[4999] == "4999"


def test_bodies_reduce_with_kernels_too():
    """What plain bodies sum and compare on a device goes the same way."""
    x = array((6, 50), "f4")
    with stand_in() as xp:
        device = standin.asarray(x)
        with standin.launches() as seen:
            found = summing.add_reduce(xp, device, (0,), True)
            top = summing.extreme(xp, True, device, 1)
            low = summing.extreme(xp, False, device, None)
        assert len(seen) == 3
        assert_near(to_host(found), x.sum(0, keepdims=True, dtype="f8"), "float32")
        assert np.array_equal(to_host(top), x.max(1)) and to_host(low) == x.min()
        whole = standin.asarray(np.arange(6).reshape(2, 3))
        assert to_host(summing.extreme(xp, True, whole, 0)).tolist() == [3, 4, 5]
        assert to_host(summing.add_reduce(xp, whole, None, False)) == 15


def test_losses_are_averaged_by_one_kernel():
    with stand_in():
        x, y = ag.randn(64, 10, device="cuda"), ag.randn(64, 10, device="cuda")
        with standin.launches() as seen:
            loss = F.l1_loss(x, y)
        assert "ag::reduce<ag::Mean, ag::Rows, float, float>" in [each.name for each in seen]
        assert_near(loss.cpu().numpy(), (x - y).abs().cpu().numpy().mean(), "float32")
