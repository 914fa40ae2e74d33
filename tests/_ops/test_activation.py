"""Activations and softmax: kinks, infinities, NaN, half types, in-place forms, errors."""

import math

import pytest

import autograd_gpu as ag

from .against_torch import outcome, same, same_error, tensors

KINKS = [-7.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 7.0, 25.0, -40.0]
EXTREMES = [math.nan, math.inf, -math.inf, 1000.0, -1000.0]
CALLS = {
    "relu": {}, "relu6": {}, "leaky_relu": {}, "elu": {"alpha": 1.3}, "selu": {}, "silu": {}, "mish": {},
    "logsigmoid": {}, "softplus": {"beta": 2, "threshold": 5}, "softsign": {}, "hardswish": {},
    "hardtanh": {"min_val": -0.5, "max_val": 1.0}, "tanhshrink": {}, "softshrink": {}, "hardshrink": {},
    "threshold": {"threshold": 0.2, "value": 7.0}, "gelu": {}, "hardsigmoid": {}, "celu": {},
}  # fmt: skip


def leaf(values, dtype="float64"):
    return ag.tensor(values, dtype=getattr(ag, dtype), requires_grad=True)


@pytest.mark.parametrize("values", [KINKS, EXTREMES], ids=["kinks", "extremes"])
@pytest.mark.parametrize("name", CALLS)
def test_kinks_and_extremes(name, values, torch):
    same(torch, lambda m, F, x: getattr(F, name)(x, **CALLS[name]), leaf(values), second=False)


@pytest.mark.parametrize("name", [n for n in CALLS if n not in ("hardsigmoid", "celu")])
def test_second_derivatives(name, torch):
    same(torch, lambda m, F, x: getattr(F, name)(x, **CALLS[name]), *tensors((3, 5)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", CALLS)
def test_half_types(name, dtype, torch):
    same(
        torch,
        lambda m, F, x: getattr(F, name)(x, **CALLS[name]),
        *tensors((30,), dtype=dtype),
        second=False,
    )


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "silu", "mish", "hardswish"])
def test_inplace_argument(name, torch):
    same(torch, lambda m, F, x: getattr(F, name)(x * 1, inplace=True), leaf(KINKS), second=False)


@pytest.mark.parametrize("name", ["elu_", "selu_", "celu_", "leaky_relu_", "relu_", "hardtanh_"])
def test_functions_that_end_in_an_underscore(name):
    x = leaf(KINKS)
    y = x * 1
    assert getattr(ag.nn.functional, name)(y) is y
    expected = getattr(ag.nn.functional, name[:-1])(leaf(KINKS))
    assert ag.equal(y, expected)
    y.sum().backward()
    assert x.grad is not None


def test_relu_stops_infinite_gradients():
    x = leaf([-1.0, 0.0, 2.0])
    (1 / x.relu()).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, -0.25]


def test_gelu_by_tanh(torch):
    same(torch, lambda m, F, x: F.gelu(x, approximate="tanh"), *tensors((3, 5)))


@pytest.mark.parametrize("shapes", [((2, 3, 4), (3,)), ((2, 3), (1,)), ((4,), (1,))], ids=str)
def test_prelu(shapes, torch):
    same(torch, lambda m, F, x, w: F.prelu(x, w), *tensors(*shapes))


@pytest.mark.parametrize("dim", [0, -1])
def test_glu(dim, torch):
    same(torch, lambda m, F, x: F.glu(x, dim), *tensors((4, 6)))


SOFTMAX = ["softmax", "log_softmax", "softmin"]


@pytest.mark.parametrize("name", SOFTMAX)
@pytest.mark.parametrize(
    "shape, dim", [((3,), 0), ((2, 3, 4), 1), ((2, 40), -1), ((), 0), ((0, 3), 1), ((2, 0), 1)]
)
def test_softmax(name, shape, dim, torch):
    same(torch, lambda m, F, x: getattr(F, name)(x, dim), *tensors(shape))


@pytest.mark.parametrize("name", SOFTMAX)
@pytest.mark.parametrize(
    "values",
    [
        [-math.inf, 0.0, 0.0],
        [math.inf, 0.0],
        [1000.0, 0.0],
        [-math.inf, -math.inf],
        [math.nan, 1.0],
    ],
    ids=str,
)
def test_softmax_of_extremes(name, values, torch):
    same(torch, lambda m, F, x: getattr(F, name)(x, 0), leaf(values), second=False)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_softmax_of_other_types(dtype, torch):
    same(torch, lambda m, F, x: F.softmax(x, -1), *tensors((3, 50), dtype=dtype), second=False)
    same(torch, lambda m, F, x: m.log_softmax(x, 0), *tensors((50, 2), dtype=dtype), second=False)


def test_softmax_casts_first():
    x = ag.arange(3)
    assert ag.softmax(x, 0, dtype=ag.float64).dtype is ag.float64
    assert x.softmax(0, ag.float32).sum().item() == pytest.approx(1)


ERRORS = [
    lambda m, F: F.softmax(m.ones(3), 1),
    lambda m, F: F.softmax(m.ones(3, dtype=m.int64), 0),
    lambda m, F: F.log_softmax(m.ones(3, dtype=m.int64), 0),
    lambda m, F: F.softmax(m.ones(3)),
    lambda m, F: F.softmin(m.ones(2, 3)),
    lambda m, F: F.glu(m.ones(3)),
    lambda m, F: F.glu(m.ones(())),
    lambda m, F: F.prelu(m.ones(2, 3), m.ones(2)),
    lambda m, F: F.prelu(m.ones(2, 3), m.ones(1, dtype=m.float64)),
    lambda m, F: F.relu(m.ones(2).bool()),
    lambda m, F: F.gelu(m.ones(2), approximate="x"),
    lambda m, F: F.gelu(m.ones(2, dtype=m.int64)),
    lambda m, F: F.elu(m.ones(2, dtype=m.int64)),
    lambda m, F: F.silu(m.ones(2, dtype=m.int64)),
    lambda m, F: F.leaky_relu(m.ones(2, dtype=m.int64)),
    lambda m, F: F.hardtanh(m.ones(2), 1.0, 0.0),
    lambda m, F: F.softshrink(m.ones(2), -1.0),
    lambda m, F: F.celu(m.ones(2), 0.0),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors_and_warnings(call, torch):
    same_error(torch, call)


def test_integers_stay_integers():
    assert outcome(ag, lambda m, F: F.relu(m.tensor([-1, 2])))[0] == "no error"
    assert ag.relu(ag.tensor([-1, 2])).tolist() == [0, 2]
