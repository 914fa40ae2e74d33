"""Complex numbers on the stand-in device: its values and derivatives are the CPU's, at zeros and on cuts too. The walk is in tests/test_every_op_complex.py."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import gradcheck, gradgradcheck

from ..autograd.test_complex_points import FUNCTIONS, POINTS, POWERS

pytestmark = pytest.mark.usefixtures("standin_device")


def computed(function, device, dtype="complex128"):
    z = ag.tensor(POINTS, dtype=getattr(ag, dtype), device=device, requires_grad=True)
    y = function(z)
    seed = ag.full(y.shape, (1 + 0.5j) if y.is_complex() else 1.5, dtype=y.dtype, device=device)
    (first,) = ag.autograd.grad(y, z, seed, create_graph=True)
    second = ag.autograd.grad(first, z, ag.full_like(first.detach(), 0.5 - 1j), allow_unused=True) if first.requires_grad else ()
    return [None if v is None else v.detach().cpu().numpy() for v in (y, first, *second)]


def same(function, dtype="complex128"):
    for here, there in zip(computed(function, "cpu", dtype), computed(function, "cuda", dtype), strict=True):
        if here is None:
            assert there is None
            continue
        assert here.dtype == there.dtype
        for part in ("real", "imag"):
            np.testing.assert_allclose(getattr(there, part), getattr(here, part), 1e-10 if dtype == "complex128" else 1e-5, 1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    same(lambda z: getattr(ag, name)(z))


@pytest.mark.parametrize("name", ["abs", "sqrt", "sgn", "tanh", "acosh"])
def test_functions_of_single_precision(name):
    same(lambda z: getattr(ag, name)(z), "complex64")


@pytest.mark.parametrize("exponent", POWERS)
def test_powers(exponent):
    same(lambda z: z**exponent)


@pytest.mark.parametrize("fast", [False, True])
def test_gradcheck(fast):
    rng = np.random.default_rng(0)
    z = ag.tensor(rng.standard_normal((2, 2)) + 1j * rng.standard_normal((2, 2)), device="cuda", requires_grad=True)
    x = ag.tensor(rng.standard_normal((2, 2)), device="cuda", requires_grad=True)
    for f in (lambda z, x: z * x, lambda z, x: (z.conj() @ z, x * z.real), lambda z, x: z.abs() + x, lambda z, x: ag.complex(x, x * x) / z):
        assert gradcheck(f, (z, x), fast_mode=fast) and gradgradcheck(f, (z, x), fast_mode=fast)
    assert z.grad is None and z._version == 0 and x.device.type == "cuda"


def test_a_planted_error_is_found():
    class Wrong(ag.autograd.Function):
        """i z, without the conjugate in its backward."""

        @staticmethod
        def forward(ctx, z):
            return z * 1j

        @staticmethod
        def backward(ctx, g):
            return g * 1j

    z = ag.tensor([1 + 1j], dtype=ag.complex128, device="cuda", requires_grad=True)
    for fast in (False, True):
        with pytest.raises(ag.autograd.GradcheckError, match="While considering the imaginary part of complex outputs only, Jacobian mismatch"):
            gradcheck(Wrong.apply, z, fast_mode=fast)


def test_phases():
    a = ag.tensor(np.array([[1, 2j, 0], [0.5, 1, 1j], [1j, 0, 2]]), device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match="svd_backward: The singular vectors in the complex case"):
        ag.linalg.svd(a)[0].sum().abs().backward()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS"])
def test_optimizers(name):
    found = []
    for device in ("cpu", "cuda"):
        z = ag.tensor([1 + 2j, -1j], device=device, requires_grad=True)
        optimizer = getattr(ag.optim, name)([z], lr=0.05)

        def closure():
            optimizer.zero_grad()  # noqa: B023
            loss = (z * z - 1j).abs().square().sum()  # noqa: B023
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        found.append(z.detach().cpu().numpy())
    np.testing.assert_allclose(found[1], found[0], 1e-5)
