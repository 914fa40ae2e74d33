"""parity: the CPU against a device, op by op; and that it sees what differs."""

import re

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.library import KERNELS, QUICK
from autograd_gpu.testing import parity, standin

from ..kernels.conftest import require_emulator


@pytest.fixture
def emulator():
    require_emulator()


def rows(*ops, dtypes=("float32",)):
    return parity.parity(ops, dtypes, "standin")


def test_a_row_for_each_op_and_dtype(emulator):
    seen = []
    found = parity.parity(["tanh", "mul"], ("float64", "float32"), "standin", seen.append)
    assert [(r.name, r.dtype) for r in found] == [(n, d) for d in ("float64", "float32") for n in ("mul", "tanh")]
    assert all(r.ok and r.calls for r in found) and seen == found


def test_the_device_is_given_back(emulator):
    rows("tanh")
    with pytest.raises(parity.NoDeviceError), pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "cuda_library", lambda: "none here")
        parity.parity(["tanh"])


def test_names_and_devices_are_checked():
    with pytest.raises(KeyError, match="there is no op nothing, nor"):
        parity.parity(["nothing, nor", "tanh"], device="standin")
    with pytest.raises(ValueError, match="expected the device 'cuda' or 'standin', got 'tpu'"):
        parity.parity(device="tpu")


def test_ops_without_the_dtype_have_no_row(emulator):
    assert rows("erf", dtypes=("complex64",)) == []


def with_kernel(monkeypatch, name, function):
    """Another launching function in place of a kernel's."""
    monkeypatch.setitem(KERNELS[name], standin.ndarray, function)
    monkeypatch.delitem(QUICK[name], standin.ndarray)


WRONG = {
    "values": (lambda x: x * 1.001, "on the CPU, .* on the device"),
    "NaN": (lambda x: x * float("nan"), "on the device"),
    "shape": (lambda x: x.reshape(-1)[:1], "on the CPU"),
    "dtype": (lambda x: x.astype("f8"), "on the CPU|dtype"),
    "an error": (lambda x: 1 / 0, "ZeroDivisionError"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_differs_is_seen(case, monkeypatch):
    function, message = WRONG[case]
    with standin.activate():
        with_kernel(monkeypatch, "ceil", function)
        row = parity.compare(ag.ceil.op, "float64")
    assert not row.ok
    assert re.search(message, row.error), row.error


def test_a_wrong_gradient_is_seen(monkeypatch, emulator):
    with standin.activate():
        with_kernel(monkeypatch, "tanh_backward", lambda grad, out: grad * (1.01 - out * out))
        row = parity.compare(ag.tanh.op, "float64")
    assert row.error and row.ulp < 100


def test_differences_are_in_units_in_the_last_place():
    x = np.array([1.0, 2.0], "f4")
    ulp, relative = parity._measured(x, np.nextafter(x, np.float32(9)), "float32")
    assert ulp == 1 and relative == pytest.approx(2**-23)
    assert parity._measured(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), "float64") == (0, 0)


def test_the_table_begins_with_the_worst():
    good, bad = parity.Row("a", "float32", 3, 2.0, 1e-7), parity.Row("b", "float32", 3, error="wrong")
    lines = parity.table([good, bad]).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["b", "a"] and lines[1].endswith("wrong")
    assert lines[-1] == "2 rows, 1 beyond tolerance"
    assert parity.table([good, bad], 1).splitlines()[-1] == "2 rows, 1 shown, 1 beyond tolerance"
