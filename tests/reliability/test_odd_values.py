"""One-line programs on zeros, infinities, NaN, overflow and integer limits: silent, and what PyTorch gives."""

import warnings

import numpy as np
import pytest

import autograd_gpu as ag

INTEGERS = """
t.tensor([1, -1]) / 0
t.tensor([2**63 - 1]) + 1
t.tensor([2**62]) * 4
t.tensor([-2**63]).abs()
-t.tensor([-2**63])
t.tensor([-128], dtype=t.int8).abs()
t.tensor([-128], dtype=t.int8) // -1
t.tensor([100], dtype=t.int8) * 2
t.tensor([3])**100
t.tensor([2], dtype=t.int8)**7
t.tensor([2**62, 2**62]).sum()
t.tensor([2**62, 2**62, 4]).prod()
t.tensor([2**62, 2**62]).cumsum(0)
t.tensor([5]) << 63
t.tensor([5]) >> 1
t.gcd(t.tensor([0]), t.tensor([0]))
t.tensor([0]).reciprocal()
t.tensor([-1]).sqrt()
t.tensor([-1]).log()
t.bincount(t.tensor([], dtype=t.int64))
"""
REMAINDERS = """
t.floor_divide(t.tensor([7.]), 0)
t.tensor([nan, inf]) // 1
t.tensor([-inf]) // 2
t.tensor([inf]) % 2
t.tensor([2., -2.]) % inf
t.tensor([-2.]) // inf
t.fmod(t.tensor([inf]), 2)
t.fmod(t.tensor([-2.]), inf)
t.tensor([0., -0.]) // -3
t.tensor([1.]) // -0.
t.remainder(t.tensor([1., -1.]), 0.)
"""
OVERFLOW = """
t.tensor([3e38]) * 10
t.tensor([60000.], dtype=t.float16) * 2
t.tensor([60000.], dtype=t.bfloat16) * 2
t.tensor([1e-45]) / 2
t.tensor([2.])**-1000
t.tensor([1e38 + 1e38j]) * 10
t.tensor([3e38, 3e38]).mean()
t.tensor([1e-30, 1e-30]).norm()
t.tensor([1e300])
t.tensor(1e300)
t.tensor([70000.], dtype=t.float16)
t.linspace(0, 3e38, 5)
t.logspace(0, 50, 3)
t.arange(0, 1e300, 3e299)
t.zeros(2) + 1e300
t.zeros(2).copy_(t.tensor([1e300, 1], dtype=t.float64))
t.zeros(2).add_(t.tensor([1e300, 1], dtype=t.float64))
t.zeros(2) * t.tensor(1e300, dtype=t.float64)
t.round(t.tensor([1e30, -.5, .5]))
t.ldexp(t.tensor([1.]), t.tensor([2000]))
"""
CASTS = """
t.tensor([300.]).to(t.int8)
t.tensor([-1.5]).to(t.uint8)
t.tensor([1e300], dtype=t.float64).to(t.float16)
t.tensor([2**40]).to(t.int8)
t.tensor([2**40]).to(t.float16)
t.tensor([nan, inf, 0.]).to(t.bool)
t.tensor([1 + 1j]).log()
"""
COMPLEX = """
t.tensor([0j]) / 0
t.tensor([1j]) / 0
t.tensor([0j]).log()
t.tensor([0j]).sqrt()
t.tensor([complex(inf, nan)]).abs()
t.tensor([0j])**0
t.tensor([0j]).sgn()
t.tensor([0j]).angle()
"""
ORDER = """
t.tensor([nan, 1.]).sort()
t.tensor([nan, 1., inf]).topk(2).values
t.tensor([nan, 1.]).median()
t.tensor([nan, 1.]).kthvalue(1).values
t.tensor([nan, 1.]).unique()
t.tensor([nan, nan]).mode().values
t.tensor([[nan, 1.]]).max(1)
t.tensor([[nan, 1.]]).argmin(1)
t.tensor([2., nan]).cummax(0)
t.maximum(t.tensor([nan]), t.tensor([1.]))
t.fmax(t.tensor([nan]), t.tensor([nan]))
t.clamp(t.tensor([nan]), 0, 1)
t.isclose(t.tensor([inf, inf, nan]), t.tensor([inf, -inf, nan]))
t.heaviside(t.tensor([nan, 0.]), t.tensor([.5]))
t.copysign(t.tensor([nan]), t.tensor([-1.])).signbit()
"""
SUMS = """
t.tensor([inf, -inf]).sum()
t.tensor([inf, -inf]).mean()
t.tensor([inf, 1.]).var()
t.tensor([inf, 1.]).cumsum(0)
t.tensor([0., inf]).cumprod(0)
t.tensor([0., inf]).prod()
t.tensor([inf]).softmax(0)
t.tensor([-inf, -inf]).softmax(0)
t.tensor([-inf, -inf]).log_softmax(0)
t.logcumsumexp(t.tensor([-inf, -inf, 1., inf]), 0)
t.tensor([0., inf]).logaddexp(t.tensor([-inf, inf]))
t.dist(t.tensor([inf]), t.tensor([inf]))
t.lerp(t.tensor([1.]), t.tensor([inf]), 0.)
"""
FUNCTIONS = """
t.tensor([inf]).exp()
t.tensor([-inf]).expm1()
t.tensor([-2.]).log1p()
t.tensor([2.]).asin()
t.tensor([inf]).sin()
t.tensor([-1.]).lgamma()
t.tensor([0., -1., -1.5]).digamma()
t.tensor([-2., 1., -1.]).erfinv()
t.tensor([-inf, -20., 0., 20., inf, nan]).erf()
t.nn.functional.gelu(t.tensor([-inf, -20., 20.]))
t.nn.functional.gelu(t.tensor([-inf, -20., inf]), approximate="tanh")
t.tensor([0., 1., 1.5, nan]).logit()
t.polygamma(1, t.tensor([0.]))
t.special.entr(t.tensor([-1., 0., inf, nan]))
t.tensor([0., -0.]).reciprocal()
t.tensor([-1.]).pow(0.5)
t.tensor([-8.]).pow(1 / 3)
t.tensor([inf]).frac()
t.tensor([inf, nan, -0.5]).trunc()
t.frexp(t.tensor([inf]))[0]
t.nextafter(t.tensor([0.]), t.tensor([1.]))
t.tensor([nan, inf, -inf, 1.]).nan_to_num()
"""
ERRORS = """
t.tensor([1, -1]) // 0
t.tensor([1, -1]) % 0
t.fmod(t.tensor([1]), 0)
t.tensor([0])**-1
t.tensor([1])**-1
t.full((2,), 1e300)
t.full((2,), 300, dtype=t.uint8)
t.full((2,), nan, dtype=t.int64)
t.tensor([300], dtype=t.uint8)
t.tensor([1, nan], dtype=t.int32)
t.tensor(300, dtype=t.int8)
t.tensor([1j], dtype=t.int32)
t.zeros(2).fill_(1e300)
t.zeros(2, dtype=t.int8).fill_(300)
t.zeros(2).masked_fill(t.tensor([True, False]), 1e300)
t.where(t.tensor([True, False]), 1e300, t.zeros(2))
t.linspace(0, 1e300, 5)
t.zeros(2).__setitem__(0, 1e300)
"""
LINES = [line for part in (INTEGERS, REMAINDERS, OVERFLOW, CASTS, COMPLEX, ORDER, SUMS, FUNCTIONS)
         for line in part.strip().splitlines()]  # fmt: skip


def silent(line):
    """Our result, with every NumPy warning turned into an error."""
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error", RuntimeWarning)
        return eval(line, {"t": ag, "inf": float("inf"), "nan": float("nan")})


def parts(value):
    return list(value) if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("line", LINES)
def test_result(line, request):
    ours = parts(silent(line))
    torch = request.getfixturevalue("torch")
    theirs = parts(eval(line, {"t": torch, "inf": float("inf"), "nan": float("nan")}))
    for a, b in zip(ours, theirs, strict=True):
        assert str(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(np.array(a.tolist()), np.array(b.tolist()), rtol=2e-6)


@pytest.mark.parametrize("line", ERRORS.strip().splitlines())
def test_error(line, request):
    with pytest.raises((RuntimeError, TypeError)) as ours:
        silent(line)
    torch = request.getfixturevalue("torch")
    with pytest.raises(Exception) as theirs:
        eval(line, {"t": torch, "inf": float("inf"), "nan": float("nan")})
    assert ours.type is theirs.type
    if ours.type is RuntimeError:
        assert str(theirs.value) in str(ours.value)


def test_numbers_that_uint8_takes():
    """Negative integers count from 256 downwards; fractions are cut off."""
    assert ag.tensor([-1, 255], dtype=ag.uint8).tolist() == [255, 255]
    assert ag.full((1,), -1, dtype=ag.uint8).tolist() == [255]
    assert ag.full((1,), 2.7, dtype=ag.uint8).tolist() == [2]
    assert ag.full((1,), 0.5, dtype=ag.bool).tolist() == [True]
