"""Complex numbers: parts, views of pairs, angles, and PyTorch's convention of gradients."""

import numpy as np
import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
m.conj(t) is t; c.conj(); m.conj_physical(c); m.conj_physical(t) is t; c.resolve_conj() is c;
t.resolve_neg() is t; t.real is t; t.imag; m.imag(t); m.real(i); c.real; c.imag; c.angle();
t.angle(); i.angle(); m.angle(T([-1.0, 0.0, 1.0, nan])); m.angle(b); g(m.angle, [-1.0, 0.0, 1.0]);
g(m.angle, [-1.0, 0.0, 1j, 1 + 1j], dtype=m.complex128); m.polar(t, t); m.polar(t, d);
m.polar(i, i); m.polar(t, 1.0); m.complex(t, t); m.complex(t, d); m.complex(i, i);
m.complex(bf, bf); m.complex(t, m.ones(3, 1)); m.view_as_real(c); m.view_as_real(t);
m.view_as_complex(m.ones(3, 2)); m.view_as_complex(m.ones(3)); m.view_as_complex(z);
m.view_as_complex(m.ones(2, 4)[:, ::2]); m.view_as_complex(m.ones(2, 3)[:, :2]);
m.view_as_complex(m.ones(2, 3).t()); m.view_as_complex(i.view(1, 2));
m.view_as_complex(m.ones(2, 4)[:, 1:3]); m.view_as_complex(m.zeros(0, 2));
c.clone().conj_physical_(); setattr(t, "imag", 1); m.adjoint(x); c.sgn(); m.complex(z, z);
m.view_as_real(c[0]); m.view_as_real(m.zeros(0, dtype=m.complex64));
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


def assign_parts(m, x):
    y = x * 2
    y.real = x.imag**2
    y.imag[0] = 5.0
    return y**2


CASES = {
    "angle": (lambda m, x: m.angle(x), "c"),
    "polar": (lambda m, x, y: m.polar(x * x, y), "rr"),
    "complex": (lambda m, x, y: m.complex(x, y) ** 2, "rr"),
    "view_as_real": (lambda m, x: m.view_as_real(x) ** 2, "c"),
    "view_as_complex": (lambda m, x: m.view_as_complex(m.stack([x, x * x], -1)) ** 2, "r"),
    "conj": (lambda m, x: m.conj(x) ** 2 * x, "c"),
    "real": (lambda m, x: m.real(x) ** 2 * x, "c"),
    "imag": (lambda m, x: m.imag(x) ** 3, "c"),
    "assigned parts": (assign_parts, "c"),
    "real times complex": (lambda m, x, y: x * y, "rc"),
    "sigmoid": (lambda m, x: m.sigmoid(x), "c"),
    "sinc": (lambda m, x: m.sinc(x), "c"),
    "logaddexp": (lambda m, x, y: m.logaddexp(x, y), "cc"),
    "lerp": (lambda m, x, y: m.lerp(x, y, 0.3 + 0.2j), "cc"),
    "lerp by a tensor": (lambda m, x, y, w: m.lerp(x, y, w), "ccc"),
    "addcmul": (lambda m, x, y, w: m.addcmul(x, y, w, value=0.5), "ccc"),
    "addcdiv": (lambda m, x, y, w: m.addcdiv(x, y, w, value=0.5), "ccc"),
}


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_derivatives(name, torch):
    """Of a real loss: gradients are dL/dRe + i dL/dIm, in each library, for complex and for real
    inputs.
    """
    function, kinds = CASES[name]
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal(3) + (1j * rng.standard_normal(3) if k == "c" else 0) for k in kinds
    ]

    def run(m):
        leaves = [m.tensor(a, requires_grad=True) for a in arrays]
        loss = size(function(m, *leaves))
        first = m.autograd.grad(loss, leaves, create_graph=True)
        second = m.autograd.grad(sum(size(g) for g in first), leaves)
        return [g.detach().resolve_conj().numpy() for g in (*first, *second)]

    def size(y):
        return ((y * y.conj()).real + y.real).sum() if y.is_complex() else (y * y + y).sum()

    for ours, theirs in zip(run(ag), run(torch), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


def test_polar_of_a_negative_size_has_the_true_derivative():
    """PyTorch's has the wrong sign there."""
    r, t = (ag.tensor(v, dtype=ag.float64, requires_grad=True) for v in ([-0.5, 0.0], [0.3, 0.4]))
    assert ag.autograd.gradcheck(lambda r, t: ag.view_as_real(ag.polar(r, t)), (r, t))


def test_parts_are_views():
    z = ag.tensor([1 + 1j, 2 - 1j])
    z.real[0] = 7
    z.imag = ag.tensor([3.0, 4.0])
    ag.view_as_real(z)[1, 0] = 9
    assert z.tolist() == [7 + 3j, 9 + 4j]
    assert z.real._base is z and z._version == 3


def test_assigning_to_the_part_of_a_leaf_is_refused():
    z = ag.tensor([1 + 1j], requires_grad=True)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        z.real = ag.tensor([1.0])
