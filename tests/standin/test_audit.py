"""The audit: every call that ops make of CuPy is one that CuPy itself accepts, and answers alike."""

from contextlib import suppress

import pytest

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
