"""What the random functions refuse, and that PyTorch refuses the same."""

import warnings

import pytest

import autograd_gpu as ag

from ..same_numbers import array, same_error

ERRORS = [
    lambda t, F: t.rand(3, dtype=t.int64),
    lambda t, F: t.randn(3, dtype=t.bool),
    lambda t, F: t.rand(),
    lambda t, F: t.rand(-1),
    lambda t, F: t.rand("a"),
    lambda t, F: t.rand(2.5),
    lambda t, F: t.rand(2, size=(3,)),
    lambda t, F: t.rand(3, generator=5),
    lambda t, F: t.rand(3, out=t.zeros(3, dtype=t.float64), dtype=t.float32),
    lambda t, F: t.rand(3, out=t.zeros(3, dtype=t.int64)),
    lambda t, F: t.rand(3, out=t.zeros(3, requires_grad=True)),
    lambda t, F: t.rand(3, dtype="float32"),
    lambda t, F: t.randint(5),
    lambda t, F: t.randint(5, 2),
    lambda t, F: t.randint(3, 3, (2,)),
    lambda t, F: t.randint(0, 300, (2,), dtype=t.uint8),
    lambda t, F: t.randint(-1, 3, (2,), dtype=t.uint8),
    lambda t, F: t.randint(0, 3, (2,), dtype=t.bool),
    lambda t, F: t.randint(0, 10, (2,), requires_grad=True),
    lambda t, F: t.randint(0.5, 3, (2,)),
    lambda t, F: t.randint(0, 3, (2,), dtype=t.complex64),
    lambda t, F: t.randperm(-1),
    lambda t, F: t.randperm(3.5),
    lambda t, F: t.randperm(300, dtype=t.uint8),
    lambda t, F: t.randperm(3, dtype=t.bool),
    lambda t, F: t.randperm(3, requires_grad=True),
    lambda t, F: t.rand_like(3),
    lambda t, F: t.rand_like(t.zeros(3, dtype=t.int64)),
    lambda t, F: t.normal(0.0, 1.0),
    lambda t, F: t.normal(0.0, -1.0, (2,)),
    lambda t, F: t.normal(t.zeros(2), -1.0),
    lambda t, F: t.normal(t.zeros(2), t.tensor([-1.0, 1.0])),
    lambda t, F: t.normal(t.zeros(2, dtype=t.int64), 1.0),
    lambda t, F: t.normal(t.zeros(2), t.ones(3)),
    lambda t, F: t.bernoulli(t.tensor([0.5, 2.0])),
    lambda t, F: t.bernoulli(t.tensor([0.5, float("nan")])),
    lambda t, F: t.bernoulli(t.tensor([1, 0])),
    lambda t, F: t.bernoulli(t.zeros(3), p=1.5),
    lambda t, F: t.zeros(3).bernoulli_(1.5),
    lambda t, F: t.zeros(3).bernoulli_(t.tensor([0.5, 0.2])),
    lambda t, F: t.zeros(3).bernoulli_(t.tensor([0.5, 0.2, 1.5])),
    lambda t, F: t.zeros(3).bernoulli_(t.tensor([1, 0, 1])),
    lambda t, F: t.zeros(3, dtype=t.complex64).bernoulli_(),
    lambda t, F: t.multinomial(t.ones(3), 4),
    lambda t, F: t.multinomial(t.ones(3), 0),
    lambda t, F: t.multinomial(t.ones(2, 2, 2), 1),
    lambda t, F: t.multinomial(t.ones(3, dtype=t.int64), 1),
    lambda t, F: t.multinomial(t.tensor([-1.0, 1.0]), 1),
    lambda t, F: t.multinomial(t.tensor([0.0, 0.0]), 1),
    lambda t, F: t.multinomial(t.tensor([float("inf"), 1.0]), 1),
    lambda t, F: t.multinomial(t.tensor([float("nan"), 1.0]), 3, True),
    lambda t, F: t.poisson(t.tensor([1, 2])),
    lambda t, F: t.poisson(t.tensor([-1.0])),
    lambda t, F: t.zeros(3).uniform_(2, 1),
    lambda t, F: t.zeros(3).uniform_(0, float("inf")),
    lambda t, F: t.zeros(3).uniform_(float("nan"), 1),
    lambda t, F: t.zeros(3).uniform_(-3e38, 3e38),
    lambda t, F: t.zeros(3, dtype=t.float16).uniform_(0, 1e5),
    lambda t, F: t.zeros(3, dtype=t.int64).uniform_(),
    lambda t, F: t.zeros(3).normal_(0, -1),
    lambda t, F: t.zeros(3).normal_(0, float("nan")),
    lambda t, F: t.zeros(3, dtype=t.int64).normal_(),
    lambda t, F: t.zeros(3).exponential_(0.0),
    lambda t, F: t.zeros(3, dtype=t.int64).exponential_(),
    lambda t, F: t.zeros(3).cauchy_(0, -1),
    lambda t, F: t.zeros(3, dtype=t.int64).cauchy_(),
    lambda t, F: t.zeros(3).log_normal_(0, 0),
    lambda t, F: t.zeros(3, dtype=t.int64).log_normal_(),
    lambda t, F: t.zeros(3).geometric_(1),
    lambda t, F: t.zeros(3).geometric_(),
    lambda t, F: t.zeros(3, dtype=t.bool).geometric_(0.5),
    lambda t, F: t.zeros(3).random_(5, 5),
    lambda t, F: t.zeros(3).random_(0),
    lambda t, F: t.zeros(3, dtype=t.uint8).random_(0, 300),
    lambda t, F: t.zeros(3, dtype=t.uint8).random_(-1, 30),
    lambda t, F: t.zeros(3, dtype=t.float16).random_(0, 10**6),
    lambda t, F: t.zeros(3, dtype=t.complex64).random_(),
    lambda t, F: t.zeros(3).random_(2.5),
    lambda t, F: t.zeros(1).expand(3).uniform_(),
    lambda t, F: F.dropout(t.ones(3, dtype=t.int64), 0.5),
    lambda t, F: F.dropout(t.ones(3, dtype=t.complex64), 0.5),
    lambda t, F: F.dropout(t.ones(3, requires_grad=True), 0.5, inplace=True),
    lambda t, F: F.dropout1d(t.ones(3), 0.5),
    lambda t, F: F.dropout1d(t.ones(3, 3, 3, 3), 0.5),
    lambda t, F: F.dropout2d(t.ones(3), 0.5),
    lambda t, F: F.feature_alpha_dropout(t.ones(3), 0.5, True),
    lambda t, F: F.dropout("a"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(torch, number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_error(torch, ERRORS[number])


def test_dropout_probabilities_say_what_pytorch_says(torch):
    for name in (
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "alpha_dropout",
        "feature_alpha_dropout",
    ):
        for p in (1.5, -0.1):
            same_error(
                torch, lambda t, F, name=name, p=p: getattr(F, name)(t.ones(2, 2, 2), p), exact=True
            )


def test_a_float_dtype_that_misses_numbers_warns(torch):
    for t in (torch, ag):
        with pytest.warns(UserWarning, match="to - 1 is out of bounds"):
            t.zeros(3).random_(0, 2**25)
    with pytest.warns(UserWarning, match="dropout2d: Received a 3D input"):
        ag.nn.functional.dropout2d(ag.ones(2, 2, 2))
    with pytest.warns(UserWarning, match="dropout3d: Received a 3-D input"):
        ag.nn.functional.dropout3d(ag.ones(2, 2, 2))


def test_a_failed_fill_leaves_the_tensor_alone(torch):
    x = ag.ones(3)
    with pytest.raises(RuntimeError):
        x.uniform_(2, 1)
    assert array(x).tolist() == [1, 1, 1]
    assert x._version == 0
