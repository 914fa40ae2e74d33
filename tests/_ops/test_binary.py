"""Functions of two and three numbers: dtypes, errors, kinks."""

import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
m.atan2(i, i); m.atan2(c, c); m.atan2(t, 1.0); g(m.atan2, [0.0], [0.0]); m.arctan2(h, h);
m.hypot(i, i); m.hypot(bf, bf);
g(m.logaddexp, [-inf, inf, 1.0, 1.0, inf], [-inf, inf, 2.0, nan, -inf]);
g(m.logaddexp2, [-inf, inf, 1.0], [-inf, inf, 2.0]); m.logaddexp(i, i); m.logaddexp(c, c);
g(m.logaddexp, [800.0, -800.0], [0.0, 0.0]);
g(m.xlogy, [0.0, 0.0, 1.0, 0.0, 2.0], [0.0, nan, 0.0, inf, 3.0]); m.xlogy(0, t); m.xlogy(i, 2);
m.xlogy(i, i); t.xlogy(2); t.clone().xlogy_(2); m.xlogy(t, 0.0); m.xlogy(t, -1.0); m.xlogy(2.0, t);
m.xlogy(2.0, 3.0); g(lambda x: m.xlogy(x, 0.0), [0.0, 1.0]); m.lerp(t, t + 1, 0.25);
m.lerp(t, t + 1, t); m.lerp(i, i, 0.5); m.lerp(t, d, 0.5); m.lerp(t, t, d); m.lerp(t, t, z);
m.lerp(t, t, z.double()); t.lerp(t, 1); t.clone().lerp_(t, 0.5); m.lerp(c, c, 0.5j);
m.lerp(h, h + 1, 0.3); m.lerp(bf, bf + 1, 0.7); m.addcmul(t, t, t, value=2); m.addcmul(i, i, i);
m.addcmul(i, i, i, value=1.5); m.addcmul(t, i, i); m.addcmul(i, t, t);
m.addcmul(t, m.ones(3, 1), 1); m.addcmul(t, m.ones(3, 1), t); m.addcmul(h, h, h, value=0.3);
t.clone().addcmul_(m.ones(3, 2), t); m.addcdiv(t, t, t); m.addcdiv(i, i, i);
t.clone().addcdiv_(t, t, value=0.5); m.addcdiv(bf, bf, bf, value=0.3); m.copysign(t, -1);
m.copysign(i, -1); m.copysign(t, T([-0.0, 0.0]));
g(m.copysign, [1.0, -2.0, 0.0], [-1.0, -0.0, 1.0]); m.float_power(t, 2); m.float_power(i, i);
m.float_power(2, i); m.float_power(c, 2); m.float_power(t, 2j); m.float_power(2, 3);
t.clone().float_power_(2); d.clone().float_power_(2); m.heaviside(t, t);
m.heaviside(T([-1.0, 0.0, 2.0, nan]), T(0.5)); m.heaviside(i, i); m.heaviside(t, d);
m.heaviside(c, c); m.deg2rad(i); m.deg2rad(c); m.rad2deg(t); m.rad2deg(bf); m.ldexp(t, i);
m.ldexp(t, T([1.5])); m.nextafter(t, d); m.nextafter(t, t * 2); m.gcd(i, i); m.lcm(i, i);
m.gcd(t, t); list(m.frexp(T([0.0, 3.0, -0.1]))); m.frexp(i); m.multiply(t, 2); m.subtract(t, t);
m.true_divide(i, 2); m.negative(t); m.absolute(-t); m.divide(i, i, rounding_mode="floor");
t.clone().multiply_(3); t.clone().negative_(); m.arccos(z / 4); m.fix(-t / 3); m.greater(t, 1.5);
m.less_equal(t, 1); m.not_equal(t, 1); t.clone().clip_(1.2, 1.5); t.clone().true_divide_(2);
x.swapaxes(0, 1);
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


def test_hypot_has_gradient_zero_at_the_origin():
    """The minimum-norm subgradient, as of `norm`; PyTorch gives NaN."""
    x, y = (ag.zeros(1, dtype=ag.float64, requires_grad=True) for _ in "xy")
    ag.hypot(x, y).backward()
    assert (x.grad.item(), y.grad.item()) == (0.0, 0.0)


def test_heaviside_has_the_derivative_of_its_value():
    x = ag.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    v = ag.tensor(0.5, requires_grad=True)
    ag.heaviside(x, v).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0] and v.grad.item() == 1.0


def test_float32_stays_float32_beside_numbers():
    x = ag.ones(2, requires_grad=True)
    for y in (
        ag.xlogy(x, 2.0),
        ag.xlogy(2.0, x),
        ag.lerp(x, x, 0.3),
        ag.copysign(x, -1.0),
        ag.addcmul(x, x, x, value=0.3),
    ):
        assert y.dtype is ag.float32
        (grad,) = ag.autograd.grad(y.sum(), x)
        assert grad.dtype is ag.float32


@pytest.mark.parametrize("call, name", [
    (lambda x: ag.lerp(x, x, 0.5), "LerpBackward0"),
    (lambda x: ag.lerp(x, x, x), "LerpBackward1"),
    (lambda x: ag.addcmul(x, x, x), "AddcmulBackward0"),
    (lambda x: ag.atan2(x, x), "Atan2Backward0"),
    (lambda x: ag.logaddexp2(x, x), "Logaddexp2Backward0"),
    (lambda x: ag.deg2rad(x), "Deg2RadBackward0"),
    (lambda x: ag.multiply(x, x), "MulBackward0"),
])  # fmt: skip
def test_node_names(call, name):
    assert call(ag.ones(2, requires_grad=True)).grad_fn.name() == name
