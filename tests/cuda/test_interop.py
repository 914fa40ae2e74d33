"""The same memory under other libraries' names, and page-locked memory."""

import pytest

import autograd_gpu as ag


def test_an_array_becomes_a_tensor_without_a_copy(cuda):
    array = cuda.arange(3, dtype="f4")
    x = ag.as_tensor(array)
    assert x.is_cuda and x.dtype is ag.float32
    x[0] = 7
    assert array.get().tolist() == [7, 1, 2]
    assert ag.tensor(array).is_cuda
    y = ag.tensor(array)
    y[0] = 0
    assert array.get()[0] == 7


def test_a_tensor_becomes_an_array_without_a_copy(cuda):
    x = ag.zeros(3, device="cuda")
    x.cupy()[1] = 5
    assert x.tolist() == [0, 5, 0]
    with pytest.raises(TypeError, match="convert cpu device type tensor to cupy"):
        ag.zeros(2).cupy()
    with pytest.raises(RuntimeError, match="requires grad"):
        x.requires_grad_().cupy()
    assert x.detach().cupy().shape == (3,)


def test_the_cuda_array_interface(cuda):
    x = ag.zeros(2, 3, device="cuda")
    interface = x.__cuda_array_interface__
    assert interface["shape"] == (2, 3) and interface["typestr"] == "<f4" and interface["data"][0] == x.data_ptr()
    assert not hasattr(ag.zeros(2), "__cuda_array_interface__")
    with pytest.raises(RuntimeError, match="requires grad"):
        x.requires_grad_().__cuda_array_interface__  # noqa: B018


def test_dlpack_both_ways(cuda):
    x = ag.arange(3.0, device="cuda")
    y = ag.from_dlpack(x.cupy())
    y[0] = 9
    assert x.tolist() == [9, 1, 2] and y.is_cuda
    assert x.__dlpack_device__() == (2, 0)
    assert ag.utils.dlpack.from_dlpack(x).tolist() == [9, 1, 2]


def test_page_locked_memory(cuda):
    x = ag.arange(3.0)
    y = x.pin_memory()
    assert y.is_pinned() and not x.is_pinned() and y.tolist() == [0, 1, 2]
    assert y.pin_memory() is y and y[1:].is_pinned()
    assert y.to("cuda", non_blocking=True).tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        x.cuda().pin_memory()


def test_a_loader_pins_its_batches(cuda):
    data = ag.utils.data.TensorDataset(ag.arange(6.0), ag.arange(6))
    for x, y in ag.utils.data.DataLoader(data, batch_size=3, pin_memory=True):
        assert x.is_pinned() and y.is_pinned() and len(x) == 3


@pytest.mark.parametrize("make", [
    lambda **o: ag.empty(3, **o), lambda **o: ag.zeros(3, **o), lambda **o: ag.full((3,), 2.0, **o),
    lambda **o: ag.tensor([1.0], **o), lambda **o: ag.rand(3, **o),
])  # fmt: skip
def test_made_in_page_locked_memory(cuda, make):
    assert make(pin_memory=True).is_pinned() and not make().is_pinned()


def test_without_a_device_there_is_no_page_locked_memory(monkeypatch):
    monkeypatch.setattr("autograd_gpu._core.pinned.cuda_status", lambda: (False, "there is none"))
    with pytest.raises(RuntimeError, match="Cannot access accelerator device"):
        ag.zeros(3, pin_memory=True)


def test_batches_of_every_form_are_pinned(cuda):
    from collections import namedtuple

    pinned, Pair = ag.utils.data._pin.pinned, namedtuple("Pair", "x y")
    x = ag.ones(2)
    pair = pinned(Pair(x, {"a": [x, "text", 3], "b": (x, None)}))
    assert type(pair) is Pair and type(pair.y["b"]) is tuple and pair.y["a"][1:] == ["text", 3] and pair.y["b"][1] is None
    assert all(t.is_pinned() for t in (pair.x, pair.y["a"][0], pair.y["b"][0])) and not x.is_pinned()
    assert ag.zeros(0).pin_memory().is_pinned() and ag.ones(2, dtype=ag.float16).pin_memory().tolist() == [1, 1]
