"""Array-level random numbers against PyTorch's on the CPU: values, and the generator afterwards."""

import ml_dtypes
import numpy as np
import pytest

from autograd_gpu._core.random import Generator, fill

SIZES = (0, 1, 15, 16, 17, 100, 4097)
SEEDS = (0, 7, 2**40 + 3)
BF16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = [np.dtype(d) for d in ("float16", "float32", "float64")] + [BF16]
COMPLEX = [np.dtype(d) for d in ("complex64", "complex128")]
WHOLE = [np.dtype(d) for d in ("int8", "uint8", "int16", "int32", "int64", "bool")]


def empty(torch, n, dtype):
    return torch.empty(n, dtype=getattr(torch, dtype.name))


def raw(torch, t):
    if t.dtype == torch.bfloat16:
        return t.view(torch.int16).numpy().view(BF16)
    return t.numpy()


def compare(torch, theirs, ours, sizes=SIZES):
    """For each seed and size: same bytes, same generator state."""
    for seed in SEEDS:
        for n in sizes:
            torch.manual_seed(seed)
            g = Generator().manual_seed(seed)
            a, b = raw(torch, theirs(n)), ours(g, n)
            assert a.dtype == b.dtype and a.tobytes() == b.tobytes(), (seed, n)
            assert torch.get_rng_state().numpy().tobytes() == g.state_bytes(), (seed, n)


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX, ids=str)
def test_rand_and_randn(torch, dtype):
    kind = getattr(torch, dtype.name)
    compare(torch, lambda n: torch.rand(n, dtype=kind), lambda g, n: g.uniform(n, dtype=dtype))
    compare(torch, lambda n: torch.randn(n, dtype=kind), lambda g, n: g.normal(n, dtype=dtype))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_fills_with_parameters(torch, dtype):
    def case(theirs, ours):
        compare(torch, lambda n: theirs(empty(torch, n, dtype)), ours)

    case(lambda t: t.uniform_(-0.3, 1.9), lambda g, n: g.uniform(n, -0.3, 1.9, dtype))
    case(lambda t: t.normal_(0.3, 1.7), lambda g, n: g.normal(n, 0.3, 1.7, dtype))
    case(lambda t: t.normal_(2, 0), lambda g, n: g.normal(n, 2, 0, dtype))
    case(lambda t: t.exponential_(1.3), lambda g, n: g.exponential(n, 1.3, dtype))
    case(lambda t: t.cauchy_(0.1, 1.3), lambda g, n: g.cauchy(n, 0.1, 1.3, dtype))
    case(lambda t: t.log_normal_(0.1, 1.3), lambda g, n: g.log_normal(n, 0.1, 1.3, dtype))
    case(lambda t: t.geometric_(0.2), lambda g, n: g.geometric(n, 0.2, dtype))


@pytest.mark.parametrize("dtype", FLOATS + WHOLE, ids=str)
def test_random_fills(torch, dtype):
    compare(
        torch, lambda n: empty(torch, n, dtype).random_(), lambda g, n: g.random(n, dtype=dtype)
    )
    if dtype != np.bool_:
        compare(
            torch,
            lambda n: empty(torch, n, dtype).random_(3, None),
            lambda g, n: g.random(n, 3, None, dtype),
        )
        compare(
            torch,
            lambda n: empty(torch, n, dtype).random_(2, 99),
            lambda g, n: g.random(n, 2, 99, dtype),
        )


@pytest.mark.parametrize(("name", "low", "high"), [
    ("float32", 0, 2**24), ("float16", 0, 2048), ("float16", 0, 65504), ("bfloat16", -256, 256),
    ("bfloat16", 0, 1001), ("float64", 0, 2**40), ("float32", 0, 2**30), ("float32", -7, 2**25 + 3),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*out of bounds:UserWarning")
def test_random_bounds_move_inward_for_floating_dtypes(torch, name, low, high):
    dtype = BF16 if name == "bfloat16" else np.dtype(name)
    compare(
        torch,
        lambda n: empty(torch, n, dtype).random_(low, high),
        lambda g, n: g.random(n, low, high, dtype),
    )


@pytest.mark.parametrize(("low", "high"), [
    (0, 10), (-5, 7), (0, 64), (0, 2**28 - 1), (0, 2**28), (3, 2**28 + 3), (0, 2**32),
    (-(2**40), 2**40), (0, 2**63 - 1), (-(2**63), 2**63 - 1),
])  # fmt: skip
def test_randint(torch, low, high):
    compare(torch, lambda n: torch.randint(low, high, (n,)), lambda g, n: g.randint(n, low, high))


def test_random_over_the_whole_of_int64(torch):
    compare(
        torch,
        lambda n: empty(torch, n, np.dtype("int64")).random_(-(2**63), None),
        lambda g, n: g.random(n, -(2**63)),
    )


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "float32"])
def test_randperm(torch, dtype):
    sizes = (*SIZES, 4095, 4096) if dtype == "int16" else (*SIZES, 4096, 70000)
    compare(
        torch,
        lambda n: torch.randperm(n, dtype=getattr(torch, dtype)),
        lambda g, n: g.randperm(n, dtype),
        sizes,
    )


def test_bernoulli(torch):
    compare(
        torch,
        lambda n: torch.empty(n).bernoulli_(0.3),
        lambda g, n: g.bernoulli(n, 0.3).astype("f4"),
    )
    for edge in (0.0, 1.0, 5e-324, 1 - 2.0**-53):
        compare(
            torch,
            lambda n, p=edge: torch.empty(n).bernoulli_(p),
            lambda g, n, p=edge: g.bernoulli(n, p).astype("f4"),
        )
    for dtype in ("float16", "float32", "float64"):

        def p(n, dtype=dtype):
            return np.linspace(0, 1, n).astype(dtype)

        compare(
            torch,
            lambda n, p=p: torch.bernoulli(torch.from_numpy(p(n))),
            lambda g, n, p=p: g.bernoulli_each(p(n)).astype(p(0).dtype),
        )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dropout_noise(torch, dtype):
    def theirs(n):
        return torch.dropout(torch.ones(n, dtype=getattr(torch, dtype.name)), 0.3, True)

    compare(torch, theirs, lambda g, n: g.dropout_noise(n, 0.3, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multinomial(torch, dtype):
    p = lambda n: (np.abs(np.sin(np.arange(1, n + 1))) + 0.01).astype(dtype)
    t = lambda n: torch.from_numpy(p(n))
    sizes = (1, 2, 15, 16, 17, 100)
    compare(torch, lambda n: torch.multinomial(t(n), 1), lambda g, n: g.multinomial(p(n), 1), sizes)
    compare(
        torch,
        lambda n: torch.multinomial(t(n), 50, True),
        lambda g, n: g.multinomial(p(n), 50, True),
        sizes,
    )
    compare(
        torch,
        lambda n: torch.multinomial(t(n), (n + 1) // 2),
        lambda g, n: g.multinomial(p(n), (n + 1) // 2),
        sizes,
    )
    compare(
        torch,
        lambda n: torch.multinomial(t(5 * n).reshape(5, n), 7, True),
        lambda g, n: g.multinomial(p(5 * n).reshape(5, n), 7, True),
        sizes,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_and_gammas(torch, dtype):
    space = lambda a, b, n: np.linspace(a, b, n).astype(dtype)
    t = lambda *v: torch.from_numpy(space(*v))
    sizes = (0, 1, 16, 17, 200)
    for top in (9, 300, 1e6):
        compare(
            torch,
            lambda n, top=top: torch.poisson(t(0, top, n)),
            lambda g, n, top=top: g.poisson(space(0, top, n)),
            sizes,
        )
    compare(
        torch,
        lambda n: torch._standard_gamma(t(0.05, 8, n)),
        lambda g, n: g.standard_gamma(space(0.05, 8, n)),
        sizes,
    )
    compare(
        torch,
        lambda n: torch.binomial(t(0, 900, n).floor(), t(0, 1, n)),
        lambda g, n: g.binomial(np.floor(space(0, 900, n)), space(0, 1, n)),
        sizes,
    )
    compare(
        torch,
        lambda n: torch._sample_dirichlet(t(0.2, 5, 3 * n).reshape(n, 3)),
        lambda g, n: g.dirichlet(space(0.2, 5, 3 * n).reshape(n, 3)),
        sizes,
    )


def test_large_outputs_agree_in_every_bit_but_some_float64s(torch):
    n, sizes = 2**17 + 17, (2**17 + 17,)
    compare(torch, lambda n: torch.randn(n), lambda g, n: g.normal(n), sizes)
    compare(
        torch, lambda n: torch.empty(n).normal_(0.3, 1.7), lambda g, n: g.normal(n, 0.3, 1.7), sizes
    )
    compare(
        torch, lambda n: torch.empty(n).uniform_(-1, 3), lambda g, n: g.uniform(n, -1, 3), sizes
    )
    compare(
        torch,
        lambda n: torch.rand(n, dtype=torch.float64),
        lambda g, n: g.uniform(n, dtype=np.float64),
        sizes,
    )
    compare(torch, lambda n: torch.empty(n).exponential_(), lambda g, n: g.exponential(n), sizes)
    torch.manual_seed(5)
    a = torch.randn(n, dtype=torch.float64).numpy()
    b = Generator().manual_seed(5).normal(n, dtype=np.float64)
    assert np.abs((a - b) / np.spacing(np.abs(a))).max() <= 2


def test_fills_of_strided_targets_follow_memory_order(torch):
    makers = (
        lambda e: e((7, 9)).T, lambda e: e((40,))[::2], lambda e: e((9, 6))[:, 1:4],
        lambda e: e((6, 10))[:, ::2].T, lambda e: e((3, 5, 4)).swapaxes(0, 2),
    )  # fmt: skip
    for make in makers:
        torch.manual_seed(3)
        g = Generator().manual_seed(3)
        for _ in range(2):
            a = make(torch.empty)
            b = make(lambda shape: np.empty(shape, np.float32))
            a.uniform_()
            fill(b, g.uniform(b.size))
            assert a.numpy().tolist() == b.tolist()
            a.normal_(0.3, 1.7)
            fill(b, g.normal(b.size, 0.3, 1.7, contiguous=False))
            assert a.numpy().tolist() == b.tolist()


@pytest.mark.parametrize("seed", [0, 5489, 2**32 + 5, 2**63, 2**64 - 1, -1, -(2**63)])
def test_seeds(torch, seed):
    g = Generator().manual_seed(seed)
    t = torch.Generator().manual_seed(seed)
    assert g.initial_seed() == t.initial_seed()
    assert g.state_bytes() == t.get_state().numpy().tobytes()
    assert g.uniform(700).tolist() == torch.rand(700, generator=t).tolist()


@pytest.mark.parametrize("drawn", [0, 1, 2, 622, 623, 624, 625, 1248, 5000])
@pytest.mark.parametrize("cached", [0, 1])
def test_state_bytes_go_both_ways(torch, drawn, cached):
    g, t = Generator().manual_seed(9), torch.Generator().manual_seed(9)
    g.uniform(drawn), torch.rand(drawn, generator=t)
    g.normal(cached), torch.randn(cached, generator=t)
    assert g.state_bytes() == t.get_state().numpy().tobytes()

    here, there = Generator(), torch.Generator()
    here.load_state_bytes(t.get_state().numpy().tobytes())
    there.set_state(torch.frombuffer(bytearray(g.state_bytes()), dtype=torch.uint8))
    for draw, method in ((5, "normal"), (40, "normal"), (1300, "uniform")):
        theirs = {"normal": torch.randn, "uniform": torch.rand}[method](draw, generator=there)
        assert getattr(here, method)(draw).tolist() == theirs.tolist()
    assert here.state_bytes() == there.get_state().numpy().tobytes()
