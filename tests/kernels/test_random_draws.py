"""On the stand-in device the random functions give, from kernels, the bits of a Philox generator on
the CPU."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu._core.library import LAUNCHERS
from autograd_gpu.testing import standin

from .launched import WAYS, launching


def each_row(d):
    return ag.tensor([0.1, 0.2, 0.3, 0.9], device=d).unsqueeze(1)


def weights(d):
    return ag.tensor([[1.0, 2, 3, 0], [0, 1, 1, 2]], device=d)


NEW = {
    "rand": lambda g, d: ag.rand(3, 5, generator=g, device=d),
    "rand float16": lambda g, d: ag.rand(35, generator=g, device=d, dtype=ag.float16),
    "randn": lambda g, d: ag.randn(33, generator=g, device=d),
    "randn float64": lambda g, d: ag.randn(33, generator=g, device=d, dtype=ag.float64),
    "randn bfloat16": lambda g, d: ag.randn(33, generator=g, device=d, dtype=ag.bfloat16),
    "randn complex64": lambda g, d: ag.randn(33, generator=g, device=d, dtype=ag.complex64),
    "randint": lambda g, d: ag.randint(0, 10, (7,), generator=g, device=d),
    "randint int32": lambda g, d: ag.randint(-9, 10**6, (7,), generator=g, device=d, dtype=ag.int32),
    "randint float32": lambda g, d: ag.randint(9, (7,), generator=g, device=d, dtype=ag.float32),
    "randperm": lambda g, d: ag.randperm(50, generator=g, device=d),
    "randperm int32": lambda g, d: ag.randperm(50, generator=g, device=d, dtype=ag.int32),
    "bernoulli": lambda g, d: ag.bernoulli(ag.full((5, 5), 0.4, device=d), generator=g),
    "bernoulli p": lambda g, d: ag.bernoulli(ag.zeros(5, 5, device=d), 0.2, generator=g),
    "normal": lambda g, d: ag.normal(ag.ones(5, device=d), each_row(d), generator=g),
    "normal mean": lambda g, d: ag.normal(ag.ones(5, device=d), 2.0, generator=g),
    "normal std": lambda g, d: ag.normal(1.0, ag.ones(5, device=d), generator=g),
    "normal size": lambda g, d: ag.normal(1.0, 2.0, (3, 4), generator=g, device=d),
    "poisson": lambda g, d: ag.poisson(each_row(d) * 20, generator=g),
    "binomial": lambda g, d: ag.binomial(ag.full((5,), 4.0, device=d), each_row(d), generator=g),
    "multinomial": lambda g, d: ag.multinomial(weights(d), 2, generator=g),
    "multinomial one": lambda g, d: ag.multinomial(weights(d)[0].half(), 1, generator=g),
    "multinomial again": lambda g, d: ag.multinomial(weights(d), 20, True, generator=g),
    "rand_like": lambda g, d: ag.rand_like(ag.zeros(4, 6, device=d), generator=g),
    "randn_like": lambda g, d: ag.randn_like(ag.zeros(4, 6, device=d).t(), generator=g),
    "randint_like": lambda g, d: ag.randint_like(ag.zeros(4, 6, device=d), 9, generator=g),
    "out": lambda g, d: ag.rand(3, 5, generator=g, out=ag.zeros(1, device=d)),
    "empty": lambda g, d: ag.randn(0, 3, generator=g, device=d),
    "none": lambda g, d: ag.randn((), generator=g, device=d),
}
INTO = {
    "uniform_": lambda g, x: x.uniform_(-1, 3, generator=g),
    "normal_": lambda g, x: x.normal_(1, 2, generator=g),
    "exponential_": lambda g, x: x.exponential_(2, generator=g),
    "cauchy_": lambda g, x: x.cauchy_(2, 3, generator=g),
    "log_normal_": lambda g, x: x.log_normal_(1, 0.5, generator=g),
    "geometric_": lambda g, x: x.geometric_(0.2, generator=g),
    "random_": lambda g, x: x.random_(generator=g),
    "random_ 3 9": lambda g, x: x.random_(3, 9, generator=g),
    "bernoulli_": lambda g, x: x.bernoulli_(0.3, generator=g),
    "bernoulli_ p": lambda g, x: x.bernoulli_(each_row(x.device), generator=g),
    "trunc_normal_": lambda g, x: nn.init.trunc_normal_(x, generator=g),
    "xavier_uniform_": lambda g, x: nn.init.xavier_uniform_(x, generator=g),
    "kaiming_normal_": lambda g, x: nn.init.kaiming_normal_(x, generator=g),
    "orthogonal_": lambda g, x: nn.init.orthogonal_(x, generator=g),
}


def both(draw):
    """What is drawn on the CPU and on the device, and that both generators stand at one place."""
    host, device = ag.Generator(algorithm="philox"), ag.Generator("cuda")
    wanted = draw(host.manual_seed(2**63 + 5), "cpu")
    found = draw(device.manual_seed(2**63 + 5), "cuda")
    assert found.device.type == "cuda" and host.get_offset() == device.get_offset()
    return found.cpu()._array, wanted._array


def assert_same(found, wanted):
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("name", NEW)
def test_new_tensors(name):
    with launching("plain"):
        assert_same(*both(NEW[name]))


@pytest.mark.parametrize("layout", ["whole", "gaps", "transposed"])
@pytest.mark.parametrize("name", INTO)
def test_fills(name, layout):
    def draw(g, d):
        x = {
            "whole": lambda: ag.zeros(4, 6, device=d),
            "gaps": lambda: ag.zeros(4, 12, device=d)[:, ::2],
            "transposed": lambda: ag.zeros(6, 4, device=d).t(),
        }[layout]()
        return INTO[name](g, x)

    with launching("plain"):
        assert_same(*both(draw))


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "uint8", "bool", "float16"])
def test_whole_numbers_of_every_type(dtype):
    kind = getattr(ag, dtype)
    with launching("plain"):
        assert_same(*both(lambda g, d: ag.zeros(50, device=d, dtype=kind).random_(generator=g)))
        if dtype != "bool":
            assert_same(*both(lambda g, d: ag.zeros(9, device=d, dtype=kind).geometric_(0.1, generator=g)))


def test_the_whole_range_of_int64():
    with launching("plain"):
        assert_same(*both(lambda g, d: ag.zeros(9, device=d, dtype=ag.int64).random_(
            -(2**63), None, generator=g)))  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [1, 5, 1027])
def test_launches_between_guard_pages(way, n):
    def draw(g, d):
        x = ag.zeros(n, device=d)
        for fill in ("uniform_", "normal_", "exponential_", "cauchy_", "log_normal_", "bernoulli_"):
            x = x + getattr(ag.zeros(n, device=d), fill)(generator=g)
        return x + ag.randint(5, (n,), generator=g, device=d)

    with launching(way):
        assert_same(*both(draw))


def test_one_launch_a_fill():
    with launching("plain"):
        x = ag.empty(100, device="cuda")
        with standin.launches() as seen:
            x.normal_()
            x.uniform_()
            ag.rand(5, device="cuda")
    assert len(seen) == 3


@pytest.mark.parametrize("name, dtype, parameters", [
    ("random_uniform", np.int64, (0, 1)), ("random_normal", np.complex64, (0, 1)),
    ("random_integers", np.int32, (0, 9)), ("random_bernoulli", np.uint8, (5,)),
    ("dropout", np.int64, ()),
])  # fmt: skip
def test_other_types_are_declined(name, dtype, parameters):
    with launching("plain") as xp:
        array = standin.zeros(4, dtype)
        head = (0.5, 1, 2) if name == "dropout" else (1, 2)
        assert LAUNCHERS[name](xp, array, *head, *parameters) is NotImplemented


def test_a_fill_without_a_kernel_is_the_body(monkeypatch):
    """The same numbers, from the library's own functions on the device."""
    from autograd_gpu._core.library import KERNELS

    with launching("plain"):
        for name in ("random_uniform", "random_normal", "random_integers", "random_bernoulli"):
            monkeypatch.setitem(KERNELS[name], standin.ndarray, lambda *_: NotImplemented)
        for name in ("rand", "randn float64", "randint", "bernoulli p"):
            with standin.launches() as seen:
                assert_same(*both(NEW[name]))
            assert not any("random" in str(launch) for launch in seen)
