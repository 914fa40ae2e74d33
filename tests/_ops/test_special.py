"""Special functions: known digits, poles and ends, dtypes, derivatives at kinks."""

import math

import numpy as np
import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
m.sigmoid(i); m.sigmoid(c); m.sigmoid(T([-1000.0, 1000.0, inf, -inf, nan])); m.sigmoid(h);
m.sigmoid(bf); m.special.expit(t); m.logit(T([0.0, 1.0, 0.5, 2.0, -1.0]));
m.logit(T([0.0, 1.0, 0.5, 2.0, -1.0]), eps=0.1); m.logit(i); m.logit(c);
g(lambda x: m.logit(x), [0.0, 1.0, 0.5, 2.0, -1.0]);
g(lambda x: m.logit(x, 0.1), [0.0, 1.0, 0.5, 0.1, 0.9, 0.05]); m.erf(i); m.erf(c); m.erf(h);
m.erf(bf); m.erf(T([inf, -inf, nan])); m.erfc(T([inf, -inf, nan, 5.0]));
m.erfinv(T([1.0, -1.0, 2.0, 0.0, nan])); m.lgamma(T([0.0, -1.0, -1.5, inf, -inf, nan, 1.0, 2.0]));
m.lgamma(c); m.digamma(T([0.0, -0.0, -1.0, -1.5, inf, -inf, nan, 1.0])); m.polygamma(0, t);
m.polygamma(1, t); m.polygamma(-1, t); t.polygamma(1); m.polygamma(2, T([0.0, -1.0, -1.5]));
t.clone().polygamma_(1); m.mvlgamma(t + 3, 2); m.mvlgamma(t, 4); t.mvlgamma(0); m.sinc(i);
m.sinc(c); m.sinc(bf); g(m.sinc, [0.0, 1.0]); m.special.xlog1py(T([0.0, 0.0]), T([-1.0, nan]));
m.special.xlog1py(t, 2); m.special.xlog1py(2, i); m.special.entr(T([0.0, -1.0, 2.0, nan]));
m.special.entr(i); m.special.entr(h); g(m.special.entr, [0.0, 1.0, 2.0, nan, -1.0]);
g(m.special.xlog1py, [0.0, 0.0, 1.0], [-1.0, nan, 2.0]); m.i0(i); m.i0(-t);
m.special.i0e(T([0.0, 1000.0])); m.special.i1(T([0.0, -3.0])); m.special.i1e(T([-1000.0]));
m.special.psi(t); m.special.gammaln(t); m.special.multigammaln(t + 3, 2); m.special.exp2(t);
m.special.ndtr(T([-inf, 0.0, inf])); m.special.ndtri(T([0.0, 0.5, 1.0, 2.0]));
m.special.log_ndtr(T([-30.0, 0.0, 30.0])); m.special.erfcx(T([-1.0, 0.0, 30.0]));
m.special.zeta(T([2.0, 1.0, 0.5]), T([1.0, 1.0, 1.0])); m.special.zeta(2.0, t);
m.special.zeta(t + 1, 2.0); t.clone().sigmoid_(); i.clone().sigmoid_(); t.clone().erf_();
(t / 3).logit_(0.1);
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


def close(name, x, reference, ulps):
    """Within some units in the last place of the reference, in float64."""
    function = getattr(ag.special, name, None) or getattr(ag, name)
    got = function(ag.from_numpy(x)).numpy()
    expected = np.array([reference(v) for v in x])
    np.testing.assert_allclose(got, expected, rtol=ulps * 2.3e-16, atol=0)


def test_error_functions_are_exact():
    """Python's own erf and erfc are exact to a unit."""
    x = np.linspace(-5.9, 5.9, 4001)
    close("erf", x[x != 0], math.erf, 4)
    close("erfc", np.linspace(-6, 26, 4001), math.erfc, 6)
    y = np.linspace(-0.999, 0.999, 999)
    inverse = ag.erfinv(ag.from_numpy(y)).numpy()
    np.testing.assert_allclose([math.erf(v) for v in inverse], y, rtol=2e-15, atol=1e-300)


def test_gamma_functions_are_exact():
    zeta = ag.special.zeta(ag.arange(2.0, 90.0, dtype=ag.float64), 1.0).tolist()

    def about_one(x):
        terms = [z * (1 - x) ** k / k for k, z in enumerate(zeta, 2)]
        return math.fsum([0.57721566490153286 * (1 - x), *terms])

    near = np.linspace(0.6, 1.4, 400)
    close("lgamma", near, about_one, 6)
    close("lgamma", np.arange(3.0, 150.0), lambda x: math.log(math.factorial(int(x) - 1)), 6)
    close("lgamma", -np.linspace(0.1, 3.4, 30), math.lgamma, 200)
    euler = 0.57721566490153286
    np.testing.assert_allclose(
        ag.digamma(ag.tensor([1.0, 0.5, 2.0], dtype=ag.float64)).numpy(),
        [-euler, -euler - 2 * math.log(2), 1 - euler],
        rtol=4e-15,
    )
    np.testing.assert_allclose(
        ag.polygamma(1, ag.tensor([1.0, 0.5, -0.5], dtype=ag.float64)).numpy(),
        [math.pi**2 / 6, math.pi**2 / 2, math.pi**2 / 2 + 4],
        rtol=4e-15,
    )
    np.testing.assert_allclose(
        ag.special.zeta(ag.tensor([2.0, 4.0, 20.0], dtype=ag.float64), 1.0).numpy(),
        [math.pi**2 / 6, math.pi**4 / 90, 1.000000953962033872796],
        rtol=1e-15,
    )


def test_bessel_functions_are_exact():
    def series(x, order):
        return math.fsum(
            (x / 2) ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order))
            for k in range(80)
        )

    x = np.linspace(0.1, 30, 300)
    close("i0", x, lambda v: series(v, 0), 64)
    close("i1", x, lambda v: series(v, 1), 64)


@pytest.mark.parametrize(
    "name", ["erf", "erfc", "erfinv", "lgamma", "digamma", "sigmoid", "sinc", "logit", "i0"]
)
def test_float32_and_empty_and_0d(name, torch):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.05, 0.95, 1000).astype(np.float32)
    np.testing.assert_allclose(
        getattr(ag, name)(ag.from_numpy(x)).numpy(),
        getattr(torch, name)(torch.from_numpy(x)).numpy(),
        rtol=2e-6,
        atol=1e-6,
    )
    assert getattr(ag, name)(ag.empty(0, 3)).shape == (0, 3)
    assert getattr(ag, name)(ag.tensor(0.3)).shape == ()


def test_lgamma_has_derivatives_of_all_orders():
    x = ag.tensor(1.5, dtype=ag.float64, requires_grad=True)
    y, found = ag.lgamma(x), []
    for _ in range(4):
        (y,) = ag.autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    np.testing.assert_allclose(
        found,
        [0.03648997397857652, 0.9348022005446793, -0.8287966442343199, 1.4090910340024],
        rtol=1e-12,
    )


def test_the_face_shows_the_table():
    assert ag.special.expit is ag.sigmoid and ag.special.psi is ag.digamma
    assert {"erf", "erfcx", "ndtri", "softmax", "xlogy", "zeta"} <= set(ag.special.__all__)
