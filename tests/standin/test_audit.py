"""The audit: every call that ops make of CuPy is one that CuPy itself accepts, and answers alike."""

from contextlib import suppress

import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu._core import differences as replaced
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu._ops.table import REGISTRY
from autograd_gpu.testing import standin
from autograd_gpu.testing.parity import compare

from .audit import differences

TYPES = ["float32", "bfloat16", "float64", "float16", "complex64", "int64", "bool"]
EMULATED = "cublas."  # products have an emulation and tests of their own


def recorded(dtype):
    """Every distinct call of the walk over the table, forward and backward."""
    with standin.activate(), standin.record_calls() as seen:
        for entry in REGISTRY.values():
            with suppress(Exception):  # not every op takes every type
                compare(entry, dtype)
    return [call for call in seen if not call.name.startswith(EMULATED)]


SLOW = [pytest.mark.slow]


@pytest.mark.parametrize("dtype", [*TYPES[:2], *(pytest.param(d, marks=SLOW) for d in TYPES[2:])])
def test_every_call_of_every_op(real, dtype):
    calls = recorded(dtype)
    assert len(calls) > 500
    found = differences(calls, real)
    assert not found, "\n".join(map(str, found))


def training_calls(optimizer, dtype):
    """Every distinct call of two training steps with everything that programs do besides ops."""
    with standin.activate(), standin.record_calls() as seen:
        ag.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2), nn.Flatten(),
            nn.Linear(36, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3),
        ).to(dtype).cuda()  # fmt: skip
        optimizer = optimizer(net.parameters())
        x, y = ag.randn(5, 1, 8, 8).to(dtype).cuda(), ag.tensor([0, 1, 2, 0, 1], device="cuda")
        for _ in range(2):
            optimizer.zero_grad(set_to_none=False)
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            nn.utils.clip_grad_value_(net.parameters(), 0.5)
            optimizer.step()
        (float(loss), net(x).argmax(1).tolist(), net.state_dict(), repr(x))
    return [call for call in seen if not call.name.startswith(EMULATED)]


OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_call_of_training(real, name):
    found = differences(training_calls(getattr(ag.optim, name), ag.float32), real)
    assert not found, "\n".join(map(str, found))


def test_the_walk_reaches_the_library():
    """It would prove nothing if ops computed elsewhere."""
    names = {call.name for call in recorded("float32")}
    assert {"ndarray.__getitem__", "add", "where", "linalg.svd", "ndarray.astype"} <= names
    assert sum(bool(list(samples_of(e, Maker()))) for e in REGISTRY.values()) > 300


def test_replaced_functions_are_cupys_or_ours():
    """What stands for CuPy's functions names functions that there are."""
    own = {"from_host"}
    for name in {**replaced.REPLACED, **replaced.MADE}:
        assert name in own or hasattr(standin, name), name
