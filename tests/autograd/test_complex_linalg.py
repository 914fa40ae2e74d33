"""Linear algebra of complex matrices: values and both derivatives, as PyTorch's; what depends on arbitrary phases is refused."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)


def random(*shape):
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


A, B, V, W, BATCH = random(3, 3), random(3, 2), random(3), random(3), random(2, 3, 3)
POSITIVE = A @ A.conj().T + 3 * np.eye(3)
DISTINCT = (A + A.conj().T) / 8  # Hermitian, eigenvalues of order 1


def spectral(L, v):
    return v * L.exp() @ v.mH


def rebuilt(u, s, vh):
    return (u * s.log()) @ vh


CASES = {
    "cholesky": (lambda t, h: t.linalg.cholesky((h + h.mH) / 2), POSITIVE),
    "cholesky, upper": (lambda t, h: t.linalg.cholesky((h + h.mH) / 2, upper=True).real, POSITIVE),
    "eigh, values": (lambda t, h: t.linalg.eigh(h)[0], DISTINCT),
    "eigh, vectors": (lambda t, h: t.linalg.eigh(h)[1].abs(), DISTINCT),
    "eigh, both": (lambda t, h: spectral(*t.linalg.eigh(h)), DISTINCT),
    "eigvalsh": (lambda t, h: t.linalg.eigvalsh(h), DISTINCT),
    "eigvalsh, upper": (lambda t, h: t.linalg.eigvalsh(h, UPLO="U"), DISTINCT),
    "svd, values": (lambda t, a: t.linalg.svd(a)[1], A),
    "svd, square": (lambda t, a: rebuilt(*t.linalg.svd(a, full_matrices=False)), A),
    "svd, tall": (lambda t, a: rebuilt(*t.linalg.svd(a, full_matrices=False)), B),
    "svd, wide": (lambda t, a: rebuilt(*t.linalg.svd(a, full_matrices=False)), B.T),
    "svd, vectors": (lambda t, a: t.linalg.svd(a, full_matrices=False)[0].abs(), B),
    "svdvals": (lambda t, a: t.linalg.svdvals(a), BATCH),
    "inv": (lambda t, a: t.linalg.inv(a), BATCH),
    "solve": (lambda t, a, b: t.linalg.solve(a, b), A, B),
    "solve, a vector": (lambda t, a, v: t.linalg.solve(a, v), A, V),
    "solve, from the right": (lambda t, a, b: t.linalg.solve(a, b.mT, left=False), A, B),
    "det": (lambda t, a: t.linalg.det(a), BATCH),
    "slogdet": (lambda t, a: t.linalg.slogdet(a), BATCH),
    "logdet": (lambda t, a: t.logdet(a), A),
    "qr, tall": (lambda t, a: t.linalg.qr(a)[0], B),
    "qr, wide": (lambda t, a: t.linalg.qr(a), B.T),
    "qr, square": (lambda t, a: t.linalg.qr(a), A),
    "pinv": (lambda t, a: t.linalg.pinv(a), B),
    "matrix_power": (lambda t, a: t.linalg.matrix_power(a, 3), A),
    "matrix_power, negative": (lambda t, a: t.linalg.matrix_power(a, -2), A),
    "matrix_power, 0": (lambda t, a: t.linalg.matrix_power(a, 0) * a, A),
    "norm, nuclear": (lambda t, a: t.linalg.norm(a, "nuc"), A),
    "norm, Frobenius": (lambda t, a: t.linalg.norm(a), A),
    "norm, spectral": (lambda t, a: t.linalg.norm(a, 2), A),
    "norm, of columns": (lambda t, a: t.linalg.norm(a, 1), A),
    "cond": (lambda t, a: t.linalg.cond(a), A),
    "multi_dot": (lambda t, a, b: t.linalg.multi_dot([a, a.conj(), b]), A, B),
    "cross": (lambda t, v, w: t.linalg.cross(v, w), V, W),
    "vdot": (lambda t, v, w: t.vdot(v, w), V, W),
    "dot": (lambda t, v, w: t.dot(v, w), V, W),
    "inner": (lambda t, v, w: t.inner(v, w), V, W),
    "outer": (lambda t, v, w: t.outer(v, w.conj()), V, W),
    "kron": (lambda t, a, b: t.kron(a, b), A, B),
    "tensordot": (lambda t, a, b: t.tensordot(a, b, 1), A, B),
    "einsum": (lambda t, a, b: t.einsum("bij,jk->bik", a, b), BATCH, B),
    "einsum, a trace": (lambda t, a: t.einsum("ii->i", a), A),
    "trace": (lambda t, a: a.trace(), A),
    "linear": (lambda t, a, b, v: t.nn.functional.linear(b.mT, a, v), A, B, V),
    "bmm": (lambda t, a: t.bmm(a, a.mH), BATCH),
    "conv1d": (lambda t, a, b: t.nn.functional.conv1d(a[None], b[:, :, None], stride=2, padding=1), A, A),
    "conv2d": (lambda t, a, b: t.nn.functional.conv2d(a[None], b[:, :, :2, None], dilation=2, padding=2), BATCH, random(2, 2, 2)),
    "conv_transpose1d": (lambda t, a, b: t.nn.functional.conv_transpose1d(a[None], b[:, :, None].expand(3, 3, 2), stride=2), A, A),
    "rms_norm": (lambda t, a, v: t.nn.functional.rms_norm(a, (3,), v), A, V),
    "var": (lambda t, a: a.var(0), A),
    "std": (lambda t, a: a.std(), A),
    "var_mean": (lambda t, a: t.var_mean(a, 1), A),
    "l1_loss": (lambda t, a, b: t.nn.functional.l1_loss(a, b), A, POSITIVE),
    "logsumexp": (lambda t, a: t.logsumexp(a, 0), A),
    "dist": (lambda t, a: t.dist(a, a.mH), A),
}


def derivatives(t, function, arrays):
    """Results, gradients and gradients of these, for random gradients with both parts."""
    inputs = [t.tensor(a, requires_grad=True) for a in arrays]
    found, rng = [], np.random.default_rng(1)
    outs = function(t, *inputs)
    outs = list(outs) if isinstance(outs, (tuple, list)) else [outs]
    found += [o.detach().resolve_conj().numpy() for o in outs]
    for _ in range(2):
        seeds = [rng.standard_normal(tuple(o.shape)) + (1j * rng.standard_normal(tuple(o.shape)) if o.is_complex() else 0) for o in outs]
        grads = t.autograd.grad(outs, inputs, [t.tensor(s) for s in seeds], create_graph=True, allow_unused=True)
        found += [None if g is None else g.detach().resolve_conj().numpy() for g in grads]
        outs = [g for g in grads if g is not None and g.requires_grad]
        if not outs:
            break
    return found


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name, torch):
    function, *arrays = CASES[name]
    ours, theirs = (derivatives(t, function, arrays) for t in (ag, torch))
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert (a is None) == (b is None), (name, k)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, 1e-8, 1e-9, err_msg=f"{name}, part {k}")


def hermitian(a):
    return (a + a.mH) / 2


@pytest.mark.parametrize("fast", [False, True])
def test_gradcheck(fast):
    a, h = (ag.tensor(v, requires_grad=True) for v in (A, POSITIVE))
    functions = [
        (lambda h: ag.linalg.cholesky(hermitian(h)), h), (lambda h: ag.linalg.eigvalsh(hermitian(h)), h),
        (lambda h: spectral(*ag.linalg.eigh(hermitian(h) / 20)), h), (lambda a: rebuilt(*ag.linalg.svd(a)), a), (lambda a: ag.linalg.pinv(a[:, :2]), a),
        (lambda a: ag.linalg.qr(a), a), (lambda a: ag.linalg.slogdet(a), a), (lambda a: ag.linalg.solve(a, a.mH), a),
    ]  # fmt: skip
    for f, x in functions:
        assert gradcheck(f, x, fast_mode=fast)
        assert gradgradcheck(f, x, fast_mode=True)


@pytest.mark.parametrize("call, words", [
    (lambda t, a: t.linalg.svd(a)[0], "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}"),
    (lambda t, a: t.linalg.svd(a)[2], "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}"),
    (lambda t, a: t.linalg.eigh(a)[1], "linalg_eigh_backward: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}"),
])  # fmt: skip
def test_a_loss_that_depends_on_the_phase_is_refused(call, words, torch):
    for t in (ag, torch):
        a = t.tensor(A, requires_grad=True)
        with pytest.raises(RuntimeError) as caught:
            call(t, a).sum().abs().backward()
        assert words in str(caught.value)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["complex", "real"])
def test_second_derivatives_of_determinants_of_any_rank(rank, kind):
    """Of singular matrices too, where det(A) A^-H says nothing; PyTorch's are wrong for complex ones, NaN for zeros."""
    left, right = random(3, rank), random(rank, 3)
    a = (left @ right if kind == "complex" else (left.real @ right.real)).reshape(3, 3)
    x = ag.tensor(a, requires_grad=True)
    assert gradcheck(ag.linalg.det, x) and gradgradcheck(ag.linalg.det, x)
    batch = ag.tensor(np.stack([a, np.eye(3)]), requires_grad=True)
    assert gradgradcheck(ag.linalg.det, batch)


def test_determinants_of_singular_matrices_have_third_derivatives():
    x = ag.zeros(3, 3, dtype=ag.float64, requires_grad=True)
    (g,) = ag.autograd.grad(ag.linalg.det(x), x, create_graph=True)
    (h,) = ag.autograd.grad(g[0, 0], x, create_graph=True)
    (k,) = ag.autograd.grad(h[1, 1], x)
    assert k.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
