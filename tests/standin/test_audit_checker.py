"""The audit sees every class of difference between the stand-in and CuPy: each is planted here."""

import numpy as np
import pytest

from autograd_gpu.testing import standin
from autograd_gpu.testing.standin.activation import Call
from autograd_gpu.testing.standin.imitated import COMPUTED

from .audit import Answer, ask, call_of, compare, differences, placed, told


@pytest.fixture
def x():
    return standin.zeros((3, 4), "float32")


def test_equal_behaviour_is_no_difference(real, x):
    mask = standin.zeros((3, 4), "bool")
    calls = [
        call_of("add", x, 1.5), call_of("ndarray.sum", x, 0, keepdims=True),
        call_of("concatenate", [x, x], axis=1), call_of("ndarray.__getitem__", x, (slice(None), 0)),
        call_of("ndarray.__setitem__", x, mask, 0.0), call_of("linalg.norm", x),
        call_of("ndarray.__getitem__", x, mask), call_of("ndarray.T", x),
    ]  # fmt: skip
    assert differences(calls, real) == []


PLANTED = {
    "a function that CuPy lacks": ("nanprod_", lambda x: x),
    "a keyword that CuPy refuses": ("add", lambda a, b, where=True: a),
    "a type that CuPy has no loop for": ("floor", lambda a: a),
    "another type of result": ("multiply", lambda a, b: a.astype("float64")),
    "another layout of the result": ("negative", lambda a: a.T.copy().T),
    "a view where CuPy copies": ("positive", lambda a: a[...]),
    "a copy where CuPy gives a view": ("reshape", lambda a, shape: a.copy().reshape(shape)),
    "another shape": ("cumsum", lambda a: a[0]),
    "a number where CuPy gives an array": ("any", lambda a: True),
    "an array of the host that CuPy refuses": ("subtract", lambda a, b: a),
}  # fmt: skip


def planted_call(what, x):
    complex_ = standin.zeros(2, "complex64")
    return {
        "a function that CuPy lacks": call_of("nanprod_", x),
        "a keyword that CuPy refuses": call_of("add", x, x, where=True),
        "a type that CuPy has no loop for": call_of("floor", complex_),
        "another type of result": call_of("multiply", x, x),
        "another layout of the result": call_of("negative", x),
        "a view where CuPy copies": call_of("positive", x),
        "a copy where CuPy gives a view": call_of("reshape", x, (4, 3)),
        "another shape": call_of("cumsum", x),
        "a number where CuPy gives an array": call_of("any", x),
        "an array of the host that CuPy refuses": call_of("subtract", x, np.ones(4)),
    }[what]


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_difference_is_found(real, x, monkeypatch, what):
    call = planted_call(what, x)
    assert differences([call], real) == [], "not planted yet"
    name, wrong = PLANTED[what]
    monkeypatch.setitem(vars(standin), name, wrong)
    found = differences([call], real)
    assert len(found) == 1 and name in str(found[0])


def test_a_difference_in_a_method_is_found(real, x, monkeypatch):
    monkeypatch.setattr(standin.ndarray, "argmax", lambda self: self.max())
    assert differences([call_of("ndarray.argmax", x)], real)


def test_a_refusal_of_what_cupy_accepts_is_found(real, x):
    wider = Call("expand_dims", call_of("expand_dims", x).args, (("axis", ("value", "int", 0)),))
    assert differences([wider], real) == []
    assert compare(wider, Answer("raised", "TypeError"), real.ask(wider))


def test_recorded_calls_can_be_made_again(x):
    with standin.record_calls() as seen:
        standin.add(x, 2.5)
        standin.add(x, 3.5)
        x[standin.asarray([0, 1]), 1:]
        standin.where(x > 0, x, np.float32(1))
        standin.sum(x, axis=(0, 1), keepdims=True)
        x.reshape(2, 6).astype(np.float64)
    names = [call.name for call in seen]
    assert names.count("add") == 1 and seen[next(iter(seen))] == 2
    assert {"ndarray.__getitem__", "where", "sum", "ndarray.reshape", "ndarray.astype"} <= set(names)
    for call in seen:
        assert ask(standin, call, placed(standin)).kind == "returned", told(call)


def test_numbers_of_different_types_are_different_calls(x):
    assert len({call_of("add", x, n) for n in (1, True, 1.0, 1j, np.float32(1))}) == 5


def test_a_crash_is_an_answer(real):
    crash = call_of("cuda.runtime.memcpy", 0, 0, 10**6, 0)
    assert real.ask(crash).kind == "crashed"
    assert real.ask(call_of("zeros", 3)).kind == "returned"


def test_imitations_name_functions_that_exist():
    for name in COMPUTED:
        found = standin
        for part in name.split("."):
            found = getattr(found, part)
