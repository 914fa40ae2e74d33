"""Views and writes on a CUDA device: one memory, one version, one history, as on the CPU; and that
writes launch what they must."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.layout import lend, meet, owner
from autograd_gpu._ops.table import REGISTRY
from autograd_gpu.testing.standin import calls


def base(values=(1.0, 2.0, 3.0, 4.0)):
    x = ag.tensor(list(values), device="cuda", requires_grad=True)
    return x, x * 2


def test_data_is_a_loan(cuda):
    """`.data` counts its writes for itself, wherever it begins."""
    x, b = base()
    part = b[1:].data
    part.mul_(10)
    assert (b._version, part._version, b.data._version) == (0, 1, 0)
    assert b.tolist() == [2.0, 40.0, 60.0, 80.0]
    assert part.storage_offset() == 1
    assert part.is_set_to(b[1:])
    assert owner(lend(b._array)) is not owner(b._array)


def test_what_meets(cuda):
    a, b = ag.zeros(4, device="cuda")._array, ag.zeros(4, device="cuda")._array
    assert meet(a, a[1:])
    assert meet(a, lend(a))
    assert not meet(a, b)
    assert not meet(a, ag.zeros(4)._array)


def test_a_write_that_reads_its_own_memory(cuda):
    x, b = base()
    m = b.view(2, 2)
    m.mul_(m.t())
    (m * m).sum().backward()
    assert m.tolist() == [[4.0, 24.0], [24.0, 64.0]]
    assert x.grad.tolist() == [64.0, 1152.0, 768.0, 4096.0]


@pytest.mark.parametrize("name", ["add_", "mul_", "tanh_", "fill_", "copy_", "div_", "zero_", "relu_"])
def test_an_unrecorded_write_launches_one_kernel_and_copies_nothing(cuda, name):
    t = ag.ones(8, device="cuda")
    args = {"copy_": (ag.ones(8, device="cuda"),), "zero_": (), "tanh_": (), "relu_": ()}.get(name, (2.0,))
    write = getattr(t, name)
    write(*args)
    seen, address = [], t.data_ptr()
    calls.recorders.append(lambda what, given, options: seen.append(what))
    try:
        write(*args)
    finally:
        calls.recorders.pop()
    assert t.data_ptr() == address
    assert t._version == 2
    assert not [what for what in seen if what in ("ndarray.copy", "array", "ndarray.get")], seen


def test_stale_views_on_the_device(cuda):
    x, b = base()
    v, (first, *_) = b.view(2, 2), b.unbind()
    with ag.no_grad():
        b.add_(1)
    assert v.grad_fn.name() == "AsStridedBackward0"
    with pytest.raises(RuntimeError, match="another view of its base has been modified inplace"):
        first * 1
    v[0].mul_(3)
    (v * v).sum().backward()
    assert x.grad.tolist() == [108.0, 180.0, 28.0, 36.0]
    assert b.grad_fn.name() == "torch::autograd::CopySlices"


def test_every_in_place_form_writes_where_the_tensor_lies(cuda):
    """One walk over the table: floats in, the same memory out."""
    walked = 0
    for entry in REGISTRY.values():
        forms = getattr(entry, "inplace", None)
        if not forms or len(getattr(entry, "arrays", ())) != 1 or len(entry.params) > 1:
            continue
        t = ag.tensor([0.25, 0.5, 0.75], device="cuda")
        try:
            wanted = entry.function(t)
        except RuntimeError:  # of integers only
            continue
        address = t.data_ptr()
        assert getattr(t, forms[0])() is t
        assert (t.data_ptr(), t._version) == (address, 1), forms
        np.testing.assert_array_equal(t.tolist(), wanted.to(t.dtype).tolist())
        walked += 1
    assert walked > 30
