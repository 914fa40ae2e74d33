"""Random tensors, fills and dropout in both libraries: same numbers, errors and gradients."""

import warnings

import autograd_gpu.nn.functional
import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.random import default_generator

torch = pytest.importorskip("torch")
SEEDS = (0, 7)


def array(t):
    return t.detach().numpy()


def both(f, seed=0):
    """f(library, functional) in each library after one seed: equal results, equal states."""
    torch.manual_seed(seed)
    ag.manual_seed(seed)
    theirs, ours = f(torch, torch.nn.functional), f(ag, ag.nn.functional)
    several = isinstance(theirs, (tuple, list))
    for a, b in zip(theirs, ours, strict=True) if several else [(theirs, ours)]:
        assert str(a.dtype) == str(b.dtype)
        assert tuple(a.shape) == tuple(b.shape)
        assert a.requires_grad == b.requires_grad
        assert (a.grad_fn is None) == (b.grad_fn is None)
        if a.grad_fn is not None:
            assert a.grad_fn.name() == b.grad_fn.name()
        if a.numel():
            assert a.stride() == b.stride()
        assert array(a).tobytes() == array(b).tobytes()
    assert torch.get_rng_state().numpy().tobytes() == default_generator.state_bytes()
    return theirs, ours


def grades(t, n, dtype=None):
    """n numbers from 0 to 1."""
    return t.arange(float(n), dtype=dtype) / (n - 1)


def signed(t, dtype):
    """360 numbers of both signs, (3, 4, 5, 6)."""
    return ((t.arange(360.0, dtype=dtype) - 180) / 64).reshape(3, 4, 5, 6)


def same_error(f, exact=False):
    """f(library, functional) raises the same type in both, and in ours draws nothing."""
    ag.manual_seed(3)
    before = default_generator.state_bytes()
    with pytest.raises(Exception) as theirs:
        f(torch, torch.nn.functional)
    with pytest.raises(theirs.type) as ours:
        f(ag, ag.nn.functional)
    assert theirs.type is ours.type
    assert default_generator.state_bytes() == before
    if exact:
        assert str(theirs.value) == str(ours.value)


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
def test_new_tensors(name, seed):
    both(CREATE[name], seed)


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
def test_fills(name, layout):
    both(lambda t, F: FILLS[name](LAYOUTS[layout](t)))


@pytest.mark.parametrize("name", FILLS)
def test_fills_are_writes_with_a_zero_gradient(name):
    def steps(t, F):
        x = t.arange(20.0).requires_grad_()
        y = x * 1
        before = y._version
        z = FILLS[name](y)
        assert z is y and y._version == before + 1
        (y * 3).sum().backward()
        return y, x.grad

    both(steps)
    same_error(lambda t, F: FILLS[name](t.zeros(3, requires_grad=True)))


def test_a_fill_of_a_view_reaches_the_base():
    def steps(t, F):
        x = t.ones(4, 3, requires_grad=True)
        y = x * 2
        y[:, 1].uniform_()
        (y * y).sum().backward()
        return x.grad

    both(steps)


def test_a_fill_after_saving_is_found():
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
def test_integer_fills(dtype):
    def steps(t, F):
        new = lambda: t.zeros(20, dtype=getattr(t, dtype))
        out = [new().random_(), new().bernoulli_(0.3), new().random_(0, 2)]
        return out if dtype == "bool" else [*out, new().geometric_(0.3), new().random_(3, None)]

    both(steps)


def test_bernoulli_with_a_probability_for_each():
    both(lambda t, F: t.zeros(5, 3).bernoulli_(t.tensor([0.2, 0.5, 0.8])))
    both(lambda t, F: t.zeros(3, 5).T.bernoulli_(grades(t, 15).reshape(5, 3)))
    both(lambda t, F: t.zeros(5, 3, dtype=t.int32).bernoulli_(t.full((5, 3), 0.5, dtype=t.float64)))
    both(lambda t, F: (t.zeros(3, requires_grad=True) * 1).bernoulli_(t.full((3,), 0.5)))


DROPOUTS = {
    "dropout": lambda F, x, i: F.dropout(x, 0.3, inplace=i),
    "half": lambda F, x, i: F.dropout(x, inplace=i),
    "none": lambda F, x, i: F.dropout(x, 0.0, inplace=i),
    "all": lambda F, x, i: F.dropout(x, 1.0, inplace=i),
    "eval": lambda F, x, i: F.dropout(x, 0.3, training=False, inplace=i),
    "1d": lambda F, x, i: F.dropout1d(x[0], 0.3, inplace=i),
    "1d alone": lambda F, x, i: F.dropout1d(x[0, 0], 0.3, inplace=i),
    "2d": lambda F, x, i: F.dropout2d(x, 0.3, inplace=i),
    "2d of 3": lambda F, x, i: F.dropout2d(x[0], 0.3, inplace=i),
    "3d": lambda F, x, i: F.dropout3d(x, 0.3, inplace=i),
    "3d batch": lambda F, x, i: F.dropout3d(x.unsqueeze(0), 0.3, inplace=i),
    "alpha": lambda F, x, i: F.alpha_dropout(x, 0.3, True, inplace=i),
    "alpha eval": lambda F, x, i: F.alpha_dropout(x, 0.3, inplace=i),
    "feature alpha": lambda F, x, i: F.feature_alpha_dropout(x, 0.3, True, inplace=i),
    "alpha all": lambda F, x, i: F.alpha_dropout(x, 1.0, True, inplace=i),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:dropout.d:UserWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout(name, inplace, dtype):
    def steps(t, F):
        x = signed(t, getattr(t, dtype))
        y = DROPOUTS[name](F, x, inplace)
        return [y, x]

    both(steps)


@pytest.mark.filterwarnings("ignore:dropout.d:UserWarning")
@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_gradients_reuse_the_noise_in_every_order(name):
    def steps(t, F):
        x = signed(t, t.float32).requires_grad_()
        y = DROPOUTS[name](F, x, False)
        (first,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
        (second,) = t.autograd.grad((first * first).sum(), x)
        return [first.detach(), second]

    both(steps)


def test_dropout_follows_the_memory_order_of_its_input():
    both(lambda t, F: F.dropout(t.ones(7, 9).T, 0.3))
    both(lambda t, F: F.dropout(t.ones(6, 10)[:, ::2].T, 0.3))
    both(lambda t, F: F.dropout(t.ones(3, 1).expand(3, 4), 0.3))


def test_dropout_gives_its_input_back_where_nothing_is_dropped():
    for F in (torch.nn.functional, ag.nn.functional):
        t = torch if F is torch.nn.functional else ag
        x = t.ones(3)
        assert F.dropout(x, 0.0) is x and F.dropout(x, training=False) is x


def test_the_forms_of_the_package():
    both(lambda t, F: t.dropout(t.ones(9), 0.3, True))
    both(lambda t, F: t.dropout_(t.ones(9), 0.3, True))
    both(
        lambda t, F: [
            t.alpha_dropout(t.ones(9), 0.3, True),
            t.feature_dropout(t.ones(9, 9), 0.3, True),
            t.feature_alpha_dropout(t.ones(9, 9), 0.3, True),
            t.dropout(t.ones(9), 0.3, False),
        ]
    )
    same_error(lambda t, F: t.dropout(t.ones(3), 1.5, True), exact=True)


def test_a_generator_of_its_own():
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

    both(steps)


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
def test_errors(number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_error(ERRORS[number])


def test_dropout_probabilities_say_what_pytorch_says():
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
                lambda t, F, name=name, p=p: getattr(F, name)(t.ones(2, 2, 2), p), exact=True
            )


def test_a_float_dtype_that_misses_numbers_warns():
    for t in (torch, ag):
        with pytest.warns(UserWarning, match="to - 1 is out of bounds"):
            t.zeros(3).random_(0, 2**25)
    with pytest.warns(UserWarning, match="dropout2d: Received a 3D input"):
        ag.nn.functional.dropout2d(ag.ones(2, 2, 2))
    with pytest.warns(UserWarning, match="dropout3d: Received a 3-D input"):
        ag.nn.functional.dropout3d(ag.ones(2, 2, 2))


def test_a_failed_fill_leaves_the_tensor_alone():
    x = ag.ones(3)
    with pytest.raises(RuntimeError):
        x.uniform_(2, 1)
    assert array(x).tolist() == [1, 1, 1]
    assert np.all(array(x) == 1) and x._version == 0
