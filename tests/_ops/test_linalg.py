"""Inverses, determinants, factorisations, norms of matrices: values, derivatives, singular cases,
errors.
"""

import math

import numpy as np
import pytest

import autograd_gpu as ag

from .against_torch import same, same_error, tensors

LOOSE = (1e-6, 1e-6)


def definite(m, x):
    return x @ x.mT + m.eye(x.shape[-1], dtype=m.float64)


def test_inverses_and_solutions(torch):
    for shape in ((3, 3), (2, 3, 3)):
        same(torch, lambda m, F, a: m.linalg.inv(a), *tensors(shape), tolerance=LOOSE)
    for shapes in (((3, 3), (3, 2)), ((3, 3), (3,)), ((2, 3, 3), (2, 3)), ((3, 3), (2, 3, 4))):
        same(torch, lambda m, F, a, b: m.linalg.solve(a, b), *tensors(*shapes), tolerance=LOOSE)


def test_determinants(torch):
    for shape in ((3, 3), (2, 3, 3)):
        same(torch, lambda m, F, a: m.linalg.det(a), *tensors(shape), tolerance=LOOSE)
        same(torch, lambda m, F, a: m.linalg.slogdet(a), *tensors(shape), tolerance=LOOSE)
    same(torch, lambda m, F, a: m.logdet(definite(m, a)), *tensors((3, 3)),
         tolerance=LOOSE, node="MaskedFillBackward0")  # fmt: skip
    assert math.isnan(ag.logdet(ag.tensor([[0.0, 1.0], [1.0, 0.0]])).item())


def test_a_singular_matrix_has_cofactors():
    a = ag.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=ag.float64, requires_grad=True)
    ag.linalg.det(a).backward()
    np.testing.assert_allclose(a.grad.tolist(), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-12)


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(upper, torch):
    same(
        torch,
        lambda m, F, a: m.linalg.cholesky(definite(m, a), upper=upper),
        *tensors((2, 3, 3)),
        tolerance=LOOSE,
    )


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2)])
def test_qr(shape, torch):
    same(torch, lambda m, F, a: m.linalg.qr(a), *tensors(shape), tolerance=LOOSE)


def test_eigenvalues(torch):
    same(
        torch,
        lambda m, F, a: m.linalg.eigvalsh(definite(m, a)),
        *tensors((3, 3)),
        tolerance=LOOSE,
        second=False,
    )
    call = lambda m, F, a: (m.linalg.eigh(definite(m, a)).eigenvectors.abs() ** 3).sum()
    same(torch, call, *tensors((3, 3)), tolerance=LOOSE)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_singular_values(shape, torch):
    def call(m, F, a):
        u, s, vh = m.linalg.svd(a, full_matrices=False)
        return (u.abs() ** 3).sum() + (s**2).sum() + (vh.abs() ** 3).sum()

    same(torch, call, *tensors(shape), tolerance=LOOSE)
    pinv = ag.linalg.pinv(tensors(shape)[0]).grad_fn.name()
    same(torch, lambda m, F, a: m.linalg.pinv(a), *tensors(shape), tolerance=LOOSE, node=pinv)
    same(torch, lambda m, F, a: m.linalg.matrix_rank(a), *tensors(shape))


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_matrix_norms(order, keepdim, torch):
    for call in (
        lambda m, F, a: m.linalg.matrix_norm(a, order, keepdim=keepdim),
        lambda m, F, a: m.linalg.norm(a, order, (-2, -1), keepdim),
    ):
        a = tensors((2, 3, 2))[0]
        same(torch, call, a, tolerance=LOOSE, node=call(ag, None, a).grad_fn.name())


ERRORS = [
    lambda m, F: m.linalg.inv(m.ones(2, 3)),
    lambda m, F: m.linalg.inv(m.zeros(2, 2)),
    lambda m, F: m.linalg.inv(m.zeros(3, 2, 2)),
    lambda m, F: m.linalg.inv(m.tensor([[1.0, 2.0], [2.0, 4.0]])),
    lambda m, F: m.linalg.inv(m.ones(2)),
    lambda m, F: m.linalg.solve(m.zeros(2, 2), m.ones(2)),
    lambda m, F: m.linalg.solve(m.ones(2, 2), m.ones(3)),
    lambda m, F: m.linalg.cholesky(-m.eye(2)),
    lambda m, F: m.linalg.det(m.ones(2, 3)),
    lambda m, F: m.linalg.det(m.ones(2, 2, dtype=m.int64)),
    lambda m, F: m.linalg.slogdet(m.ones(2, 3)),
    lambda m, F: m.linalg.qr(m.ones(2, 2), mode="x"),
    lambda m, F: m.linalg.qr(m.ones(2)),
    lambda m, F: m.linalg.norm(m.ones(2, 2, 2), 2),
    lambda m, F: m.linalg.matrix_norm(m.ones(2)),
    lambda m, F: m.linalg.matrix_norm(m.ones(2, 2), 3),
    lambda m, F: m.linalg.matrix_norm(m.ones(2, 2, dtype=m.int64)),
    lambda m, F: m.linalg.cross(m.ones(2, 4), m.ones(2, 4)),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call, torch):
    theirs, ours = torch.linalg.LinAlgError, ag.linalg.LinAlgError
    assert issubclass(ours, RuntimeError) and issubclass(theirs, RuntimeError)
    same_error(torch, call)
