"""Random tensors, fills and dropout in both libraries: same numbers, errors and gradients."""

import pytest

import autograd_gpu as ag

from ..same_numbers import both, grades, same_error

SEEDS = (0, 7)


CREATE = {
    "rand": lambda t, F: t.rand(2, 3),
    "rand tuple": lambda t, F: t.rand((2, 3)),
    "rand size=": lambda t, F: t.rand(size=(2, 3)),
    "rand scalar": lambda t, F: t.rand(()),
    "rand list f64": lambda t, F: t.rand([2, 9], dtype=t.float64),
    "rand half": lambda t, F: t.rand(33, dtype=t.float16),
    "rand complex": lambda t, F: t.rand(5, dtype=t.complex64),
    "rand grad": lambda t, F: t.rand(2, requires_grad=True),
    "rand empty": lambda t, F: t.rand(0, 3),
    "rand device": lambda t, F: t.rand(3, device="cpu"),
    "randn": lambda t, F: t.randn(3, 40),
    "randn few": lambda t, F: [t.randn(3), t.randn(5), t.randn(20), t.randn(1)],
    "randn f64": lambda t, F: t.randn(37, dtype=t.float64),
    "randint": lambda t, F: t.randint(10, (3, 4)),
    "randint bounds": lambda t, F: t.randint(-5, 5, (3, 4), dtype=t.int8),
    "randint names": lambda t, F: [
        t.randint(low=2, high=9, size=(4,)),
        t.randint(high=9, size=(4,)),
    ],
    "randint float": lambda t, F: t.randint(10, (5,), dtype=t.float32, requires_grad=True),
    "randint bool": lambda t, F: t.randint(0, 2, (9,), dtype=t.bool),
    "randperm": lambda t, F: t.randperm(20),
    "randperm i32": lambda t, F: t.randperm(n=20, dtype=t.int32),
    "randperm float": lambda t, F: t.randperm(20, dtype=t.float32),
    "out": lambda t, F: t.rand(3, out=t.empty(3, dtype=t.float64)),
    "out resized": lambda t, F: [t.randn(2, 9, out=t.empty(0)), t.randint(9, (4,), out=t.empty(4))],
    "randperm out": lambda t, F: t.randperm(4, out=t.empty(4, dtype=t.int64)),
    "rand_like": lambda t, F: t.rand_like(t.zeros(2, 3)),
    "rand_like dtype": lambda t, F: t.rand_like(t.zeros(2, 3, dtype=t.int64), dtype=t.float64),
    "randn_like": lambda t, F: t.randn_like(t.zeros(4, 5), requires_grad=True),
    "randint_like": lambda t, F: [
        t.randint_like(t.zeros(3), 9),
        t.randint_like(t.zeros(3), 2, 9),
        t.randint_like(t.zeros(3), low=2, high=9),
    ],
    "like transposed": lambda t, F: [t.randn_like(t.zeros(7, 9).T), t.rand_like(t.zeros(7, 9).T)],
    "like a slice": lambda t, F: [
        t.randn_like(t.zeros(7, 9)[:, ::2].T),
        t.rand_like(t.zeros(3, 1).expand(3, 4)),
    ],
    "like contiguous": lambda t, F: t.rand_like(t.zeros(7, 9).T, memory_format=t.contiguous_format),
    "normal numbers": lambda t, F: [
        t.normal(0.5, 2.0, (20,)),
        t.normal(0, 1, (3,), dtype=t.float64),
    ],
    "normal mean": lambda t, F: [t.normal(t.arange(20.0)), t.normal(t.arange(20.0), 3.0)],
    "normal std": lambda t, F: [t.normal(0.5, t.arange(20.0)), t.normal(2, t.ones(3))],
    "normal both": lambda t, F: t.normal(t.arange(20.0), t.arange(20.0) + 1),
    "normal broadcast": lambda t, F: t.normal(t.arange(6.0).reshape(6, 1), t.arange(3.0)),
    "normal transposed": lambda t, F: t.normal(t.zeros(4, 6).T, 1.0),
    "normal f64": lambda t, F: t.normal(t.zeros(17, dtype=t.float64), t.ones(17, dtype=t.float64)),
    "normal graph": lambda t, F: [
        t.normal(t.zeros(3, requires_grad=True), 1.0),
        t.normal(0.0, t.ones(3, requires_grad=True)),
        t.normal(t.zeros(3), t.ones(3, requires_grad=True)),
    ],
    "bernoulli": lambda t, F: [t.bernoulli(grades(t, 30)), grades(t, 30).bernoulli()],
    "bernoulli p": lambda t, F: [
        t.bernoulli(t.zeros(30), 0.3),
        t.zeros(9, dtype=t.int64).bernoulli(0.5),
    ],
    "bernoulli T": lambda t, F: t.bernoulli(grades(t, 30).reshape(5, 6).T),
    "bernoulli f64": lambda t, F: t.bernoulli(grades(t, 30, t.float64)),
    "bernoulli graph": lambda t, F: t.bernoulli(t.full((4,), 0.5, requires_grad=True)),
    "poisson": lambda t, F: t.poisson((grades(t, 40) * 60).reshape(5, 8)),
    "poisson graph": lambda t, F: t.poisson(t.ones(3, requires_grad=True)),
    "binomial": lambda t, F: t.binomial(t.full((30,), 50.0), grades(t, 30)),
    "multinomial": lambda t, F: t.multinomial((grades(t, 30) + 0.1), 10),
    "multinomial one": lambda t, F: t.multinomial((grades(t, 30) + 0.1).reshape(5, 6), 1),
    "multinomial again": lambda t, F: t.multinomial(
        (grades(t, 30) + 0.1).reshape(5, 6), 9, replacement=True
    ),
    "multinomial method": lambda t, F: (grades(t, 30) + 0.1).multinomial(3),
    "multinomial none": lambda t, F: t.multinomial(t.ones(0, 3), 1),
}


@pytest.mark.parametrize("name", CREATE)
@pytest.mark.parametrize("seed", SEEDS)
def test_new_tensors(torch, name, seed):
    both(torch, CREATE[name], seed)


FILLS = {
    "uniform": lambda x: x.uniform_(),
    "uniform bounds": lambda x: x.uniform_(-0.3, 1.9),
    "uniform names": lambda x: x.uniform_(**{"from": -1, "to": 3}),
    "normal": lambda x: x.normal_(),
    "normal names": lambda x: x.normal_(std=2.0, mean=3.0),
    "random": lambda x: x.random_(),
    "random to": lambda x: x.random_(50),
    "random from to": lambda x: x.random_(5, 50),
    "random from None": lambda x: x.random_(5, None),
    "random names": lambda x: x.random_(**{"from": 2, "to": 9}),
    "bernoulli": lambda x: x.bernoulli_(),
    "bernoulli p": lambda x: x.bernoulli_(0.3),
    "exponential": lambda x: x.exponential_(1.5),
    "cauchy": lambda x: x.cauchy_(0.5, 2),
    "log_normal": lambda x: x.log_normal_(),
    "geometric": lambda x: x.geometric_(0.3),
}
LAYOUTS = {
    "plain": lambda t: t.zeros(7, 9),
    "scalar": lambda t: t.zeros(()),
    "empty": lambda t: t.zeros(0, 3),
    "small transposed": lambda t: t.zeros(3, 4).T,
    "transposed": lambda t: t.zeros(7, 9).T,
    "stepped": lambda t: t.zeros(40)[::2],
    "columns": lambda t: t.zeros(9, 6)[:, 1:4],
    "stepped transposed": lambda t: t.zeros(6, 10)[:, ::2].T,
    "permuted": lambda t: t.zeros(3, 4, 5).permute(2, 0, 1),
    "half": lambda t: t.zeros(40, dtype=t.float16),
    "double": lambda t: t.zeros(40, dtype=t.float64),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FILLS)
def test_fills(torch, name, layout):
    both(torch, lambda t, F: FILLS[name](LAYOUTS[layout](t)))


@pytest.mark.parametrize("name", FILLS)
def test_fills_are_writes_with_a_zero_gradient(torch, name):
    def steps(t, F):
        x = t.arange(20.0).requires_grad_()
        y = x * 1
        before = y._version
        z = FILLS[name](y)
        assert z is y and y._version == before + 1
        (y * 3).sum().backward()
        return y, x.grad

    both(torch, steps)
    same_error(torch, lambda t, F: FILLS[name](t.zeros(3, requires_grad=True)))


def test_a_fill_of_a_view_reaches_the_base(torch):
    def steps(t, F):
        x = t.ones(4, 3, requires_grad=True)
        y = x * 2
        y[:, 1].uniform_()
        (y * y).sum().backward()
        return x.grad

    both(torch, steps)


def test_a_fill_after_saving_is_found(torch):
    def steps(t, F):
        x = t.ones(3, requires_grad=True)
        y = x * 1
        z = y * y
        y.normal_()
        z.sum().backward()

    torch.manual_seed(0)
    ag.manual_seed(0)
    for t in (torch, ag):
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            steps(t, None)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "bool"])
def test_integer_fills(torch, dtype):
    def steps(t, F):
        new = lambda: t.zeros(20, dtype=getattr(t, dtype))
        out = [new().random_(), new().bernoulli_(0.3), new().random_(0, 2)]
        return out if dtype == "bool" else [*out, new().geometric_(0.3), new().random_(3, None)]

    both(torch, steps)


def test_bernoulli_with_a_probability_for_each(torch):
    both(torch, lambda t, F: t.zeros(5, 3).bernoulli_(t.tensor([0.2, 0.5, 0.8])))
    both(torch, lambda t, F: t.zeros(3, 5).T.bernoulli_(grades(t, 15).reshape(5, 3)))
    both(
        torch,
        lambda t, F: t.zeros(5, 3, dtype=t.int32).bernoulli_(t.full((5, 3), 0.5, dtype=t.float64)),
    )
    both(torch, lambda t, F: (t.zeros(3, requires_grad=True) * 1).bernoulli_(t.full((3,), 0.5)))


def test_a_generator_of_its_own(torch):
    def steps(t, F):
        g = t.Generator()
        g.manual_seed(5)
        x = t.rand(5, generator=g)
        return [
            x,
            t.randn(20, generator=g),
            t.randint(9, (4,), generator=g),
            t.randperm(9, generator=g),
            t.normal(x, 1.0, generator=g),
            t.bernoulli(x, generator=g),
            t.zeros(3).uniform_(generator=g),
            t.multinomial(x, 2, generator=g),
            t.poisson(x, generator=g),
            t.randperm(5),
            t.zeros(3).random_(5, generator=g),
            t.normal(0.0, 1.0, (3,), generator=g),
        ]

    both(torch, steps)
