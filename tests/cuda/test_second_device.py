"""Tensors that are not on the current device: every op, writes in place, copies from device to device."""

import copy

import pytest

import autograd_gpu as ag
from autograd_gpu._ops.table import REGISTRY
from autograd_gpu.testing import parity


def there(value):
    """Like `parity.moved_to_device`, to the device that is not the current one."""
    if isinstance(value, ag.Tensor):
        return value.detach().to("cuda:1").requires_grad_(value.requires_grad)
    return type(value)(map(there, value)) if type(value) in (list, tuple) else value


def test_every_op(two_devices, monkeypatch):
    monkeypatch.setattr(parity, "moved_to_device", there)
    rows = [parity.compare(entry, "float32") for entry in REGISTRY.values()]
    assert [f"{row.name}: {row.error}" for row in rows if row is not None and row.error] == []


def test_writes_in_place(two_devices):
    x = ag.ones(4, device="cuda:1")
    for write in (
        lambda: x.add_(1), lambda: x.mul_(x), lambda: x.clamp_(0, 3), lambda: x.fill_(3), lambda: x.cumsum_(0), lambda: x.normal_(),
        lambda: x.zero_(), lambda: x.__setitem__(0, 5.0), lambda: x.__setitem__(x > 4, 2.0), lambda: x.add_(ag.ones(4, device="cuda:1").long()),
    ):  # fmt: skip
        write()
        assert x.device == ag.device("cuda:1") and ag.cuda.current_device() == 0
    assert x.tolist() == [3, 1, 1, 1]


def test_results_in_given_tensors(two_devices):
    x, out = ag.ones(2, device="cuda:1"), ag.empty(2, device="cuda:1")
    assert ag.add(x, 1, out=out) is out and out.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="add.*found at least two devices, cuda:1 and cuda:0"):
        ag.add(x, x, out=ag.empty(2, device="cuda:0"))


def test_from_device_to_device(two_devices):
    x, y = ag.zeros(2, device="cuda:0"), ag.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    z = x.clone().copy_(y)
    assert z.device == ag.device("cuda:0") and z.tolist() == [1, 2]
    (z * 3).sum().backward()
    assert y.grad.device == ag.device("cuda:1") and y.grad.tolist() == [3, 3]
    x[1:] = y.detach()[1:]
    assert x.tolist() == [0, 2]
    assert y.detach().to("cuda").device == ag.device("cuda:0"), "the current device"


def test_copies_stay_there(two_devices):
    x = ag.tensor([1.0], device="cuda:1")
    assert copy.deepcopy(x).device == x.clone().device == x.device


def test_gradients_add_up_there(two_devices):
    x = ag.ones(2, device="cuda:1", requires_grad=True)
    for _ in range(2):
        (x.t().expand(3, 2) * 2).sum().backward()
    assert x.grad.device == x.device and x.grad.tolist() == [12, 12]
    x.grad = None
    (g,) = ag.autograd.grad((x**3).sum(), x, create_graph=True)
    g.sum().backward()
    assert x.grad.device == x.device and x.grad.tolist() == [6, 6]


def test_a_gradient_has_memory_of_its_own(two_devices):
    x, seed = ag.ones(2, 3, device="cuda:1", requires_grad=True), ag.ones(2, 3, device="cuda:1")
    x.clone().backward(seed)
    x.grad.add_(1)
    assert seed.tolist() == [[1, 1, 1]] * 2 and x.grad.is_contiguous()
