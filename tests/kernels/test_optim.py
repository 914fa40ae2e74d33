"""What optim.cu does besides steps: tables of tensors, norms of many gradients, their scaling."""

import math

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu._core.library import LAUNCHERS, installed
from autograd_gpu._core.manifest.optim import MAX_LISTS, MAX_TENSORS, TENSORS
from autograd_gpu._core.sources import source
from autograd_gpu._cuda import optim
from autograd_gpu.testing import standin

from .beside import every_dtype, every_way, normal, stand_in, widened
from .cases import DTYPES, TOLERANCES

SIZES = [(3, 4), (5,), (), (0,), (2, 33, 7), (1,), (700,)]
ORDERS = [2.0, 1.0, math.inf]
EXACT = {
    2.0: lambda x: np.linalg.norm(x),
    1.0: lambda x: np.abs(x).sum(),
    math.inf: lambda x: np.abs(x).max(),
}


def gradients(dtype="float32", sizes=SIZES, skip_empty=False):
    return [normal(s, dtype, k) for k, s in enumerate(sizes) if 0 not in s or not skip_empty]


def norm_of(arrays, order):
    made = [standin.asarray(a) for a in arrays]
    found = LAUNCHERS["total_norm"](installed(), made, order)
    return found if found is NotImplemented else found.get()


def exact(arrays, order):
    with np.errstate(all="ignore"):
        return EXACT[order](np.concatenate([widened(a).ravel() for a in arrays]))


# ---- which tensor is whose


def test_structure_is_that_of_the_header():
    text = source("optim.cu")
    assert f"MAX_TENSORS = {MAX_TENSORS}, MAX_LISTS = {MAX_LISTS};" in text
    assert TENSORS.itemsize == 8 * MAX_TENSORS * (MAX_LISTS + 1) + 8 + 4 * (MAX_TENSORS + 2)
    assert TENSORS.itemsize < 4096 - 128  # what a launch may carry on every GPU


def test_tables():
    with stand_in():
        rows = [[standin.empty(n, "f4"), None, standin.empty(n, "f4")] for n in (5, 0, 32, 33)]
        ((table, blocks, arrays),) = optim.tables(rows, 32)
    assert blocks == 4 and len(arrays) == 6 and table["count"] == 3 and table["chunk"] == 32
    assert table["first"][:4].tolist() == [0, 1, 2, 4] and table["size"][:3].tolist() == [5, 32, 33]
    assert table["at"][0, :3].tolist() == [rows[k][0].data.ptr for k in (0, 2, 3)]
    assert not table["at"][1].any() and not table["at"][:, 3:].any()


# ---- norms


@every_dtype
@pytest.mark.parametrize("order", ORDERS)
def test_norms(order, dtype):
    with stand_in():
        arrays = gradients(dtype, skip_empty=order == math.inf)
        found = norm_of(arrays, order)
        assert found.shape == () and found.dtype == DTYPES[dtype]
        rtol, _ = TOLERANCES[dtype]
        np.testing.assert_allclose(widened(found), exact(arrays, order), rtol)


@every_way
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_norms_any_schedule_and_watched(order, dtype, how, monkeypatch):
    monkeypatch.setattr(optim, "LARGE_CHUNK", 64)
    sizes = [(k % 5 * 40 + 1,) for k in range(70)]  # two launches
    with stand_in(how), standin.launches() as seen:
        arrays = gradients(dtype, sizes)
        found = norm_of(arrays, order)
        np.testing.assert_allclose(widened(found), exact(arrays, order), TOLERANCES[dtype][0])
        assert [launch.name.partition("<")[0][4:] for launch in seen] == [
            "norm_parts", "norm_parts", "norm_whole",
        ]  # fmt: skip
        assert norm_of(arrays, order) == found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e30, 1e-30], ids=str)
def test_norms_of_special_values(order, value):
    """No square overflows or vanishes; NaN counts as the largest, whatever stands beside it."""
    with stand_in():
        for place in (0, 299, 600):
            arrays = [np.full(700, 1e-31, "f4"), np.zeros(3, "f4")]
            arrays[0][place], arrays[0][300] = value, -abs(value)
            found = norm_of(arrays, order)
            np.testing.assert_allclose(found, exact(arrays, order), 1e-5)


def test_norm_of_complex_numbers():
    with stand_in():
        values = normal(40, "float64") + 1j * normal(40, "float64", 1)
        found = norm_of([values, values[:0]], 2.0)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, np.linalg.norm(values), 1e-12)


def test_norms_declined():
    with stand_in():
        x = normal(4, "float32")
        for arrays, order in [
            ([x], 3.0), ([x], -math.inf), ([x, x.astype("f8")], 2.0), ([x, x[:0]], math.inf),
            ([x[:0]], 2.0), ([x + 1j], 1.0), ([x.astype("i4")], 2.0),
        ]:  # fmt: skip
            assert norm_of(arrays, order) is NotImplemented


# ---- clipping, as users call it


def clipped(device, dtype, call, sizes=SIZES, layout="C", change=None):
    """(what the call returned, the gradients after it, the writes of each)."""
    ps = []
    for k, size in enumerate(sizes):
        array = normal(size, dtype, k)
        if change is not None:
            change(k, array)
        p = nn.Parameter(ag.zeros(size, dtype=getattr(ag, dtype), device=device))
        if layout == "F" and array.ndim > 1:
            p.grad = ag.tensor(np.ascontiguousarray(array.T), device=device).permute(
                *reversed(range(array.ndim))
            )
        else:
            p.grad = ag.tensor(array, device=device)
        ps.append(p)
    before = [p.grad._version for p in ps]
    total = call(ps)
    total = total.cpu()._array if isinstance(total, ag.Tensor) else total
    writes = [p.grad._version - b for p, b in zip(ps, before, strict=True)]
    return total, [p.grad.cpu()._array for p in ps], writes


def compare(call, dtype="float32", how="plain", kernels=3, **rest):
    """Device and CPU agree; how many kernels of optim.cu ran."""
    total, right, writes = clipped("cpu", dtype, call, **rest)
    with stand_in(how), standin.launches() as seen:
        ours, found, same = clipped("cuda", dtype, call, **rest)
    rtol, atol = TOLERANCES[dtype]
    assert writes == same
    if total is not None:
        assert ours.dtype == total.dtype
        np.testing.assert_allclose(widened(ours), widened(total), 2 * rtol)
    for wanted, got in zip(right, found, strict=True):
        assert wanted.dtype == got.dtype
        np.testing.assert_allclose(widened(got), widened(wanted), 2 * rtol, atol)
    names = [launch.name for launch in seen]
    assert sum("norm_parts" in n or "norm_whole" in n or "scale_by" in n for n in names) == kernels


@every_dtype
@every_way
@pytest.mark.parametrize("most", [0.5, 1e9])
def test_clip_grad_norm(most, how, dtype):
    compare(lambda ps: nn.utils.clip_grad_norm_(ps, most), dtype, how)


@pytest.mark.parametrize("order, kernels", [(1, 3), (math.inf, 3), (3.0, 1), (0, 1), (-math.inf, 1)])
def test_orders(order, kernels):
    sizes = [s for s in SIZES if 0 not in s]
    compare(lambda ps: nn.utils.clip_grad_norm_(ps, 0.5, order), kernels=kernels, sizes=sizes)


def test_many_tensors():
    sizes = [(k % 7 * 13,) for k in range(150)]
    full = sum(s != (0,) for s in sizes)
    launches = -(-full // MAX_TENSORS)
    compare(lambda ps: nn.utils.clip_grad_norm_(ps, 1.0), sizes=sizes, kernels=2 * launches + 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30], ids=str)
def test_clip_special_values(value):
    def change(k, array):
        if k == 4:
            array[1, 2, 3] = value

    compare(lambda ps: nn.utils.clip_grad_norm_(ps, 1.0), change=change)
    with stand_in(), pytest.raises(RuntimeError if value != 1e30 else AssertionError):
        call = lambda ps: nn.utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)  # noqa: E731
        clipped("cuda", "float32", call, change=change)
        raise AssertionError("a finite norm is no error")


def test_transposed_gradients():
    """Dense memory in any order is scaled in place."""
    compare(lambda ps: nn.utils.clip_grad_norm_(ps, 1.0), layout="F")


def test_given_norm():
    def on_device(ps):
        total = nn.utils.get_total_norm([p.grad for p in ps])
        nn.utils.clip_grads_with_norm_(ps, 0.25, total)

    compare(on_device)
    compare(lambda ps: nn.utils.clip_grads_with_norm_(ps, 0.25, ag.tensor(7.0)), kernels=0)


def test_clip_grad_value():
    compare(lambda ps: nn.utils.clip_grad_value_(ps, 0.25), kernels=0)


def test_types_and_devices_mixed():
    """The plain way: each on its own device, the norm on the first one's."""
    with standin.activate(devices=2):
        places = [("cuda:1", ag.float32), ("cuda:0", ag.float64), ("cpu", ag.float32)]
        ps = []
        for place, dtype in places:
            p = nn.Parameter(ag.zeros(2, dtype=dtype, device=place))
            p.grad = ag.tensor([1.0, 2.0], dtype=dtype, device=place)
            ps.append(p)
        total = nn.utils.clip_grad_norm_(ps, 1.0)
        assert total.device == ag.device("cuda:1") and total.dtype == ag.float64
        assert total.item() == pytest.approx(math.sqrt(15))
        for p in ps:
            assert p.grad.tolist() == pytest.approx([1 / math.sqrt(15), 2 / math.sqrt(15)], 1e-5)
