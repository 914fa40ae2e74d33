"""Elementwise functions of complex numbers at zeros, on branch cuts and about them: values and both derivatives, as PyTorch's."""

import warnings

import numpy as np
import pytest

import autograd_gpu as ag

NUMBERS = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0]
POINTS = [complex(a, b) for a in NUMBERS for b in NUMBERS]
FUNCTIONS = """
abs acos acosh angle asin asinh atan atanh conj cos cosh exp exp2 expm1 imag log log10 log1p log2 neg positive real reciprocal rsqrt
sgn sigmoid sin sinc sinh sqrt square tan tanh
""".split()
POWERS = [2, 3, 0.5, -0.5, -1, -2, 2.5, 0, 1 + 2j, 0j]

BETTER = {
    # the function's own side of the cut: PyTorch takes an imaginary part of -0.0 for 0.0 between -1 and 1
    ("acosh", "first"): {complex(x, -0.0) for x in (-0.5, -0.0, 0.0, 0.5)},
    ("acosh", "second"): {complex(x, -0.0) for x in (-2.0, -0.5, -0.0, 0.0, 0.5)},
    # 0, where PyTorch has NaN
    ("angle", "second"): {0j}, ("sgn", "second"): {0j}, ("sinc", "second"): {0j},
}  # fmt: skip


def computed(t, function, dtype):
    """(value, first derivative, second derivative) at all points, as NumPy arrays; None where there is none."""
    z = t.tensor(POINTS, dtype=getattr(t, dtype), requires_grad=True)
    y = function(t, z)
    seed = t.full(y.shape, (1 + 0.5j) if y.is_complex() else 1.5, dtype=y.dtype)
    (first,) = t.autograd.grad(y, z, seed, create_graph=True)
    second = None
    if first.requires_grad:
        (second,) = t.autograd.grad(first, z, t.full_like(first.detach(), 0.5 - 1j), allow_unused=True)
    return [None if v is None else v.detach().resolve_conj().numpy() for v in (y, first, second)]


def is_signed(point, points):
    """Is the point among them, the signs of zeros included (but for 0 itself)?"""
    return any(str(point) == str(p) or p == 0 == point for p in points)


def compare(function, name, torch, dtype, tolerance):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = zip(("value", "first", "second"), computed(ag, function, dtype), computed(torch, function, dtype), strict=True)
    for what, ours, theirs in found:
        if ours is None or theirs is None:
            assert all(v is None or not v.any() for v in (ours, theirs)), (name, what)
            continue
        assert ours.dtype == theirs.dtype, (name, what)
        kept = [not is_signed(point, BETTER.get((name, what), ())) for point in POINTS]
        for part in ("real", "imag"):
            mine, his = getattr(ours, part)[kept], getattr(theirs, part)[kept]
            wrong = [p for p, a, b in zip(np.array(POINTS)[kept], mine, his, strict=True) if not np.isclose(a, b, tolerance, tolerance, equal_nan=True)]
            assert not wrong, (name, what, part, wrong)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, torch):
    compare(lambda t, z: getattr(t, name)(z), name, torch, "complex128", 1e-9)


@pytest.mark.parametrize("name", ["sqrt", "log", "acos", "asin", "acosh", "atanh", "tanh", "abs", "sgn", "sigmoid", "rsqrt"])
def test_functions_of_single_precision(name, torch):
    compare(lambda t, z: getattr(t, name)(z), name, torch, "complex64", 1e-4)


@pytest.mark.parametrize("exponent", POWERS)
def test_powers(exponent, torch):
    compare(lambda t, z: z**exponent, "pow", torch, "complex128", 1e-9)


@pytest.mark.parametrize("base", [2, 0.5, -2 + 0j, 1j])
def test_powers_of_numbers(base, torch):
    compare(lambda t, z: base**z, "rpow", torch, "complex128", 1e-9)


@pytest.mark.parametrize("side", [0.0, -0.0])
def test_the_derivative_on_a_cut_is_that_of_its_side(side):
    """acosh(x + 0i) and acosh(x - 0i) go along the real axis with the slopes of their own values."""
    for x in (-2.0, -0.5, 0.5):
        z = ag.tensor([complex(x, side)], dtype=ag.complex128, requires_grad=True)
        (slope,) = ag.autograd.grad(z.acosh().real.sum(), z)
        (turn,) = ag.autograd.grad(z.acosh().imag.sum(), z)
        step = 1e-6
        ends = [np.arccosh(complex(x + s, side)) for s in (step, -step)]
        along = (ends[0] - ends[1]) / (2 * step)
        assert abs(slope[0].item().real - along.real) < 1e-6 and abs(turn[0].item().real - along.imag) < 1e-6


@pytest.mark.parametrize("p", [1, 2, 3, 0.5, float("inf"), -float("inf"), 0])
@pytest.mark.parametrize("values", [[0, 0, 0], [0, 1 + 1j, 0], [1j, 1, -1], [3 + 4j]])
def test_norms_at_zero_and_at_ties(p, values, torch):
    found = []
    for t in (ag, torch):
        z = t.tensor(values, dtype=t.complex128, requires_grad=True)
        y = t.linalg.vector_norm(z, p)
        (g,) = t.autograd.grad(y, z, allow_unused=True, materialize_grads=True)  # PyTorch's norm of order 0 has none
        found.append((y.detach().numpy(), g.numpy()))
    np.testing.assert_allclose(found[0][0], found[1][0], 1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], 1e-10, 1e-14)


def test_signs_of_zeros_are_kept_by_conj_and_neg():
    z = ag.tensor([complex(1, 0.0), complex(0.0, 1)], dtype=ag.complex128)
    assert str(z.conj().tolist()) == "[(1-0j), -1j]" and np.signbit(z.conj().imag.numpy()).tolist() == [True, True]
    assert np.signbit((-z).real.numpy()).tolist() == [True, True]


@pytest.mark.parametrize("name", ["abs", "conj", "exp", "sin", "cos", "sqrt", "tanh", "sigmoid", "real", "imag", "isnan", "isinf", "isfinite", "neg", "angle"])
def test_infinities_and_nan(name, torch):
    """Values; parts that are NaN need not be those of PyTorch's where the number is one."""
    special = [float("inf"), -float("inf"), float("nan"), 0.0, 1.0]
    points = [complex(a, b) for a in special for b in special]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (getattr(t, name)(t.tensor(points, dtype=t.complex128)).resolve_conj().numpy() for t in (ag, torch))
    assert (np.isnan(ours) == np.isnan(theirs)).all()
    keep = ~np.isnan(theirs)
    np.testing.assert_array_almost_equal(ours[keep], theirs[keep], 12)
