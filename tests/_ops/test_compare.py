"""Comparisons and tests of numbers."""

import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
t == None; t != None; t == "a"; t != "a"; t < "a"; t < None; "a" < t; c < c; c == c; t == 1j; c < 1;
m.eq(t, "a"); m.eq(1, t); m.eq(1, 2); i == 1.5; T([16777217]) == 16777216.0; u == 300; u == -1;
t == np.array([1.0, 2.0]); 2 > t; T([1]) < 2**40; T([1], dtype=m.int32) < 2**40;
m.lt(t, t, out=m.empty(2)); h == 0.5; bf <= 1; b == 1; d > z; 1.5 < t; t.clone().eq_(t);
i.clone().eq_(1.5); b.clone().eq_(i); t.clone().lt_(1.5); r.eq_(1); T([nan]) != T([nan]); e == e;
m.isclose(t, t + 1e-6); m.isclose(t, d); m.isclose(i, i); m.isclose(i, i + 1, rtol=1.5);
m.isclose(t, t, rtol=-1); m.isclose(b, b); m.isclose(c, c + 1e-9);
m.isclose(T([inf, nan, 1.0]), T([inf, nan, inf])); m.isclose(t, 1.0);
m.isclose(T([inf, nan]), T([inf, nan]), equal_nan=True); m.isclose(u, u); m.allclose(t, t);
m.allclose(t, d); m.allclose(t, m.ones(3)); m.allclose(T([nan]), T([nan]));
m.allclose(T([nan]), T([nan]), equal_nan=True); m.equal(t, d); m.equal(t, m.ones(3)); m.equal(t, 1);
t.equal(t); m.equal(m.ones(1, 3), m.ones(3)); m.equal(T([nan]), T([nan])); m.isnan(i);
m.isnan(T([complex("nan"), 1j])); m.isinf(i); m.isinf(T([complex("inf")])); m.isfinite(i);
m.isfinite(b); m.isposinf(T([inf, -inf, nan])); m.isneginf(T([inf, -inf, nan])); m.isposinf(i);
m.isneginf(c); m.isposinf(b); m.isreal(c); m.isreal(T([1 + 0j])); m.isreal(t); m.isnan(1.0);
m.is_tensor(t); m.is_tensor(1); m.is_floating_point(t); m.is_floating_point(1.0); m.is_complex(c);
m.is_nonzero(t); m.is_nonzero(z); m.is_nonzero(e); m.is_signed(u); m.signbit(T([-0.0, 1.0, -3]));
m.signbit(i); m.signbit(c); t.is_conj(); t.is_neg(); t.is_same_size(x); t.ne(1); x.ge(2);
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


def test_writing_a_comparison_gives_zero_gradient():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.eq_(2)
    assert y.tolist() == [1.0, 0.0] and y.requires_grad
    (y + x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_results_have_no_history():
    x = ag.ones(2, requires_grad=True)
    for mask in (x > 0, x == x, ag.isnan(x), ag.isclose(x, x)):
        assert mask.dtype is ag.bool and not mask.requires_grad


def test_comparing_leaves_no_augmented_operator():
    assert not hasattr(ag.Tensor, "__ieq__") and not hasattr(ag.Tensor, "__ineg__")
