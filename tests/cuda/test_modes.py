"""The rare modes on CUDA tensors: inference mode, hooks of saved tensors, allowed mutation, anomaly
mode; what they mean for kernels, copies between devices and streams."""

import warnings

import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import modes
from autograd_gpu.autograd.graph import (
    allow_mutation_on_saved_tensors,
    save_on_cpu,
    saved_tensors_hooks,
)
from autograd_gpu.cuda import RawKernel

from ..kernels.conftest import require_emulator

SOURCE = """
#include "common.cuh"
template <class T> __global__ void doubled(T* x, size_t n) {
  for (long long i = ag::first_element(); i < (long long)n; i += ag::element_step()) {
    x[i] = ag::narrow<T>(2 * ag::widen(x[i]));
  }
}
"""
doubled = RawKernel(SOURCE, "doubled<{T}>", "x: T*, n: u64")
REFUSED = "Inplace update to inference tensor outside InferenceMode is not allowed"


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = set(modes)
    yield
    assert modes == before


def leaf(*values, place="cuda"):
    return ag.tensor(values, device=place, requires_grad=True)


def test_what_is_an_inference_tensor(cuda):
    host, x = ag.ones(3), leaf(1.0, 2.0)
    with ag.inference_mode():
        made = [host.cuda(), x * 2, x.cpu(), ag.ones(2, device="cuda"), ag.empty_like(x), x.half()]
        made += [ag.from_dlpack(x.detach()), *x.sort(), ag.nn.Linear(2, 2, device="cuda").weight]
        same = [x.cuda(), x[:1], x.view(2, 1), x.detach(), *x.chunk(2)]
    assert all(t.is_inference() for t in made)
    assert not any(t.is_inference() for t in same)
    assert not (x * 2).is_inference()
    assert made[0].cpu().is_inference() is False
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        x * made[3]


def test_raw_kernels_and_inference_tensors(cuda):
    require_emulator()
    with ag.inference_mode():
        x = ag.ones(3, device="cuda")
        doubled(x, 3, threads=3)
    with pytest.raises(RuntimeError, match=REFUSED):
        doubled(x, 3, threads=3)
    assert x.tolist() == [2, 2, 2]


def test_raw_kernels_and_saved_tensors(cuda):
    require_emulator()
    w = leaf(1.0, 2.0, 3.0)
    with allow_mutation_on_saved_tensors():
        x = w.detach().clone()
        y = (w * x).sum()
        doubled(x, 3, threads=3)
        y.backward()
    assert w.grad.tolist() == [1, 2, 3]
    assert x.tolist() == [2, 4, 6]


OPTIMIZERS = [ag.optim.SGD, ag.optim.Adam, ag.optim.AdamW, ag.optim.RMSprop, ag.optim.Adagrad]


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda k: k.__name__)
@pytest.mark.parametrize("fused", [False, True])
def test_steps_of_several_tensors_at_once(cuda, kind, fused):
    """The batch of updates is one launch; what was saved was copied before."""
    leaves = [leaf(1.0, 2.0), leaf(3.0)]
    options = {"fused": True} if fused and kind in OPTIMIZERS[:3] else {}
    optimizer = kind(leaves, lr=0.5, **options)
    for w in leaves:
        w.grad = ag.ones_like(w)
    with allow_mutation_on_saved_tensors():
        loss = sum((w * w).sum() for w in leaves)
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
    assert [w.grad.tolist() for w in leaves] == [[2, 4], [6]]
    with ag.inference_mode():
        for w in leaves:
            w.data = w.detach() * 1
    with pytest.raises(RuntimeError, match=REFUSED):
        optimizer.step()


def test_statistics_of_batch_norm(cuda):
    with ag.inference_mode():
        net = ag.nn.BatchNorm1d(2, device="cuda")
    with pytest.raises(RuntimeError, match=REFUSED):
        ag.nn.functional.batch_norm(
            leaf(1.0, 2.0, 3.0, 4.0).view(2, 2), net.running_mean, net.running_var, training=True
        )
    assert net.running_mean.tolist() == [0, 0]


def test_embedding_shortened(cuda):
    with ag.inference_mode():
        weight = ag.full((3, 2), 5.0, device="cuda")
    with pytest.raises(RuntimeError, match=REFUSED):
        ag.nn.functional.embedding(ag.tensor([0], device="cuda"), weight, max_norm=1.0)
    assert weight.tolist() == [[5, 5]] * 3


@pytest.mark.parametrize("pin_memory", [False, True])
def test_save_on_cpu_brings_each_back_to_its_device(two_devices, pin_memory):
    a, b = leaf(1.0, 2.0, place="cuda:0"), leaf(3.0, 4.0, place="cuda:1")
    with save_on_cpu(pin_memory=pin_memory):
        y, z = a.exp() * a, b * b
    kept = [y.grad_fn._raw_saved_self.data, z.grad_fn._raw_saved_self.data]
    assert [str(place) for place, _ in kept] == ["cuda:0", "cuda:1"]
    assert all(t.is_cpu and t.is_pinned() == pin_memory for _, t in kept)
    (y.sum() + z.sum().to("cuda:0")).backward()
    assert [str(t.grad.device) for t in (a, b)] == ["cuda:0", "cuda:1"]
    assert b.grad.tolist() == [6, 8]
    assert a.grad.tolist() == pytest.approx([5.43656, 22.16717])


def test_saved_on_another_device(two_devices):
    """Hooks may use the memory of a second device."""
    x = leaf(1.0, 2.0, place="cuda:0")
    with saved_tensors_hooks(lambda t: t.to("cuda:1"), lambda t: t.to("cuda:0")):
        y = (x.exp() * x).sum()
    assert str(y.grad_fn.next_functions[0][0]._raw_saved_other.data.device) == "cuda:1"
    y.backward()
    assert x.grad.tolist() == pytest.approx([5.43656, 22.16717])


def test_hooks_on_a_stream(cuda):
    x, stream = leaf(1.0, 2.0), ag.cuda.Stream()
    with ag.cuda.stream(stream), save_on_cpu(pin_memory=True):
        y = (x * x).sum()
        y.backward()
    stream.synchronize()
    assert x.grad.tolist() == [2, 4]


def test_allowed_mutation_of_one_of_two_devices(two_devices):
    a, b = leaf(1.0, 2.0, place="cuda:0"), leaf(3.0, 4.0, place="cuda:1")
    with allow_mutation_on_saved_tensors(), ag.no_grad():
        with ag.enable_grad():
            y, z = (a * a).sum(), (b * b).sum()
        a.zero_()
        b[1:].zero_()
        y.backward()
        z.backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([2, 4], [6, 8])
    assert str(b.grad.device) == "cuda:1"


def test_anomaly(two_devices):
    x = leaf(0.0, 1.0, place="cuda:1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            ag.autograd.set_detect_anomaly(True),
            pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values") as caught,
        ):
            y = x.sqrt() * 0
            y.sum().backward()
    assert str(caught.value).endswith("y = x.sqrt() * 0")
    with (
        ag.autograd.set_detect_anomaly(True, check_forward=True),
        pytest.raises(RuntimeError, match=r"log\(\) returned nan values"),
    ):
        (x - 1).log()


def test_anomaly_where_dtypes_are_rare(cuda):
    for dtype in (ag.float16, ag.bfloat16):
        x = ag.zeros(2, dtype=dtype, device="cuda", requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with ag.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="nan"):
                (x.sqrt() * 0).sum().backward()
