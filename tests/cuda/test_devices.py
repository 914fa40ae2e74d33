"""Where tensors are, how they move, and what happens where two devices meet."""

import copy
import pickle

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import nn


def test_a_tensor_says_where_it_is(cuda):
    x = ag.ones(2, device="cuda")
    assert x.device == ag.device("cuda:0") and x.is_cuda and not x.is_cpu and x.get_device() == 0
    assert repr(x) == "tensor([1., 1.], device='cuda:0')"
    assert x.type() == "torch.cuda.FloatTensor"
    assert not ag.ones(2).is_cuda


@pytest.mark.parametrize("there", ["cuda", "cuda:0", 0, ag.device("cuda"), ag.device("cuda", 0)])
def test_to_and_back(cuda, there):
    x = ag.arange(6.0).reshape(2, 3)
    y = x.to(there)
    assert y.device == ag.device("cuda:0")
    assert y.to(there) is y
    assert y.cuda() is y and x.cpu() is x
    assert ag.equal(y.cpu(), x)
    assert y.to("cpu", ag.float64).dtype is ag.float64
    assert y.to(ag.zeros(1)).device.type == "cpu"
    assert x.cuda(non_blocking=True).is_cuda


def test_moving_has_a_derivative(cuda):
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = x.cuda()
    assert y.grad_fn.name() == "ToCopyBackward0"
    (y * ag.tensor([3.0, 4.0], device="cuda")).sum().backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [3.0, 4.0]


def test_made_on_the_device(cuda):
    made = [
        ag.zeros(2, device="cuda"), ag.ones(2, device="cuda"), ag.full((2,), 3.0, device="cuda"), ag.empty(2, device="cuda"),
        ag.tensor([1, 2], device="cuda"), ag.arange(3, device="cuda"), ag.linspace(0, 1, 3, device="cuda"),
        ag.eye(2, device="cuda"), ag.rand(2, device="cuda"), ag.randn(2, device="cuda"), ag.randint(5, (2,), device="cuda"),
        ag.randperm(3, device="cuda"), ag.as_tensor([1.0], device="cuda"), ag.tril_indices(2, 2, device="cuda"),
    ]  # fmt: skip
    assert all(x.is_cuda for x in made)
    x = made[0]
    like = [ag.zeros_like(x), ag.randn_like(x), x.new_ones(3), x.new_tensor([1.0]), x.clone(), ag.tensor(x.tolist(), device=x.device)]
    assert all(y.is_cuda for y in like)


def test_two_devices_in_one_op_are_refused_by_name(cuda):
    x, y = ag.ones(2, 2, device="cuda"), ag.ones(2, 2)
    for call in (lambda: x + y, lambda: y + x, lambda: x @ y, lambda: ag.cat([x, y]), lambda: ag.where(x > 0, x, y), lambda: x.add_(y)):
        with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device") as error:
            call()
        assert "cuda:0" in str(error.value) and "cpu" in str(error.value)
    assert x.tolist() == [[1, 1], [1, 1]] and x._version == 0


def test_a_number_on_the_cpu_may_mix(cuda):
    x = ag.ones(2, device="cuda")
    w = ag.tensor(3.0, requires_grad=True)
    y = x * w
    assert y.is_cuda
    y.sum().backward()
    assert w.grad.device.type == "cpu" and w.grad.item() == 2
    with pytest.raises(RuntimeError, match="same device"):
        ag.ones(2) + ag.tensor(1.0, device="cuda")


@pytest.mark.parametrize("index", [[0, 5], [-4]])
def test_indices_out_of_range(cuda, index):
    x = ag.arange(3.0, device="cuda")
    i = ag.tensor(index, device="cuda")
    for call in (
        lambda: x[i], lambda: x[index], lambda: x.__setitem__(i, 1.0), lambda: ag.index_select(x, 0, i), lambda: ag.gather(x, 0, i),
        lambda: x.index_add(0, i, ag.ones(len(index), device="cuda")), lambda: ag.take(x, i),
        lambda: nn.functional.embedding(i, x[:, None]),
    ):  # fmt: skip
        with pytest.raises((IndexError, RuntimeError), match="out of (bounds|range)"):
            call()
    assert x.tolist() == [0, 1, 2]


def test_the_check_of_indices_can_be_switched_off(cuda):
    x = ag.arange(3.0, device="cuda")
    i = ag.tensor([1, 2], device="cuda")
    with ag.cuda.check_indices(False):
        assert x[i].tolist() == [1, 2]
    with pytest.raises(IndexError):
        x[ag.tensor([3], device="cuda")]


def test_copies_between_devices(cuda):
    x, y = ag.zeros(2, device="cuda"), ag.tensor([1.0, 2.0])
    assert x.copy_(y) is x and x.tolist() == [1, 2]
    assert ag.zeros(2).copy_(x).tolist() == [1, 2]
    x[0] = ag.tensor(5.0)
    x[1:] = ag.tensor([7.0])
    assert x.tolist() == [5, 7]


def test_to_python(cuda):
    x = ag.tensor([1.5, 2.0], device="cuda")
    assert x[0].item() == 1.5 and x.tolist() == [1.5, 2.0] and float(x[1]) == 2.0 and bool(x[0] > 1)
    for call in (lambda: x.numpy(), lambda: np.asarray(x)):
        with pytest.raises(TypeError, match=r"cuda:0 device type tensor to numpy. Use Tensor.cpu\(\)"):
            call()
    assert x.numpy(force=True).tolist() == [1.5, 2.0]


def test_copied_and_pickled_where_it_is(cuda):
    x = ag.tensor([1.0], device="cuda", requires_grad=True)
    assert copy.deepcopy(x).is_cuda and copy.deepcopy(x).requires_grad
    y = pickle.loads(pickle.dumps(x))
    assert y.is_cuda and y.requires_grad and y.tolist() == [1.0]


def test_modules_move(cuda):
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).cuda()
    assert all(t.is_cuda for t in [*net.parameters(), *net.buffers()])
    net(ag.ones(4, 2, device="cuda")).sum().backward()
    assert all(p.grad.is_cuda for p in net.parameters())
    net.to("cpu")
    assert not any(t.is_cuda for t in [*net.parameters(), *net.buffers()])
    assert not any(p.grad.is_cuda for p in net.parameters())


def test_the_default_device(cuda):
    with ag.device("cuda"):
        assert ag.zeros(2).is_cuda and ag.tensor([1.0]).is_cuda and nn.Linear(2, 2).weight.is_cuda
    assert not ag.zeros(2).is_cuda
    ag.set_default_device("cuda")
    try:
        assert ag.get_default_device() == ag.device("cuda")
        assert ag.zeros(2).is_cuda and ag.arange(3).is_cuda and ag.randn(2).is_cuda
    finally:
        ag.set_default_device(None)
    assert not ag.zeros(2).is_cuda


def test_the_current_device(two_devices):
    assert ag.cuda.device_count() == 2 and ag.cuda.current_device() == 0
    with ag.cuda.device(1):
        assert ag.cuda.current_device() == 1 and ag.ones(2, device="cuda").device == ag.device("cuda:1")
    with ag.cuda.device_of(ag.ones(1, device="cuda:1")):
        assert ag.cuda.current_device() == 1
    ag.cuda.set_device(1)
    assert ag.cuda.current_device() == 1
    ag.cuda.set_device("cuda:0")
    assert ag.cuda.current_device() == 0


def test_no_such_device(cuda):
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        ag.ones(2, device="cuda:7")
    with pytest.raises(RuntimeError, match="invalid device ordinal 7"):
        ag.cuda.set_device(7)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        ag.cuda.get_device_name("cpu")


def test_ops_run_where_their_tensors_are(two_devices):
    x = ag.tensor([0.5, 1.0], device="cuda:1", requires_grad=True)
    y = (x.tanh() * 2 + x).sum()
    y.backward()
    assert y.device == x.grad.device == ag.device("cuda:1")
    wanted = 2 * (1 - np.tanh([0.5, 1.0]) ** 2) + 1
    assert x.grad.tolist() == pytest.approx(wanted.tolist(), rel=1e-6)
    with pytest.raises(RuntimeError, match="cuda:1 and cuda:0|cuda:0 and cuda:1"):
        x + ag.ones(2, device="cuda:0")


def test_a_graph_over_two_devices(two_devices):
    """A net in two halves, one on each device."""
    ag.manual_seed(0)
    halves = nn.Linear(3, 4).to("cuda:0"), nn.Linear(4, 2).to("cuda:1")
    x = ag.ones(5, 3, device="cuda:0", requires_grad=True)
    halves[1](halves[0](x).tanh().to("cuda:1")).sum().backward()
    assert x.grad.device == ag.device("cuda:0")
    assert halves[1].weight.grad.device == ag.device("cuda:1")
    ag.manual_seed(0)
    plain = nn.Linear(3, 4), nn.Linear(4, 2)
    y = ag.ones(5, 3, requires_grad=True)
    plain[1](plain[0](y).tanh()).sum().backward()
    ag.testing.assert_close(x.grad.cpu(), y.grad)


def test_what_a_device_is(cuda):
    properties = ag.cuda.get_device_properties(0)
    assert properties.name == ag.cuda.get_device_name() and properties.total_memory > 0
    assert (properties.major, properties.minor) == ag.cuda.get_device_capability()
    assert ag.cuda.get_arch_list() == [f"sm_{properties.major}{properties.minor}"]
    assert ag.cuda.is_available() and ag.cuda.unavailable_reason() == "" and ag.cuda.is_bf16_supported()
    ag.cuda.synchronize()


def test_the_device_before_comes_back(two_devices):
    with ag.cuda.device(1):
        with ag.cuda.device(0):
            assert ag.cuda.current_device() == 0
        assert ag.cuda.current_device() == 1
        ag.cuda.set_device(-1)
        with ag.cuda.device(-1), ag.cuda.device(None):
            assert ag.cuda.current_device() == 1


def test_one_device_is_guarded_no_more_after_two():
    from autograd_gpu._core.state import state
    from autograd_gpu.testing import standin

    with standin.activate(devices=2):
        assert state.several_devices
    assert not state.several_devices


def test_synchronize_waits_for_the_device_that_it_names(two_devices, monkeypatch):
    waited = []
    monkeypatch.setattr(two_devices.cuda.Device, "synchronize", lambda self: waited.append(self.id))
    ag.cuda.synchronize()
    ag.cuda.synchronize("cuda:1")
    assert waited == [0, 1]


def test_older_devices_have_bfloat16_by_way_of_float32(cuda, monkeypatch):
    monkeypatch.setattr("autograd_gpu.cuda.devices.get_device_capability", lambda: (7, 5))
    assert ag.cuda.is_bf16_supported() and not ag.cuda.is_bf16_supported(including_emulation=False)


def test_writes_that_overlap_are_refused_as_on_the_cpu(cuda):
    for place in ("cpu", "cuda"):
        x = ag.arange(4.0, device=place)
        for write in (lambda: x[:2].add_(x[1:3]), lambda: x[1:].copy_(x[:-1]), lambda: x.__setitem__(slice(1, None), x[:-1])):  # noqa: B023
            with pytest.raises(RuntimeError, match="single memory location"):
                write()
        x[:2].add_(x[2:])
        x[:3].copy_(x[:3])
        assert x.tolist() == [2, 4, 2, 3]
