"""Products: every case of matmul, the sums with products, linear and bilinear, einsum, chains and
powers.
"""

import numpy as np
import pytest

import autograd_gpu as ag

from .against_torch import same, same_error, tensors

PAIRS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 2, 3), (3,)),
    ((3,), (2, 3, 2)), ((2, 2, 3), (3, 4)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 0, 3), (3, 2)),
    ((0, 2, 3), (3,)), ((2, 3), (3, 0)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((5, 1, 2, 3), (4, 3, 2)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
def test_matmul_of_any_dimensions(shapes, torch):
    same(torch, lambda m, F, a, b: a @ b, *tensors(*shapes))


def test_matrix_times_batch(torch):
    same(torch, lambda m, F, a, b: a @ b, *tensors((2, 3), (4, 3, 2)), node="UnsafeViewBackward0")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_half_types_are_added_in_float32(dtype, torch):
    same(
        torch,
        lambda m, F, a, b: m.mm(a, b),
        *tensors((4, 200), (200, 3), dtype=dtype),
        second=False,
    )


def test_integers(torch):
    a, b = ag.arange(6).reshape(2, 3), ag.arange(6).reshape(3, 2)
    same(torch, lambda m, F, x, y: x @ y, a, b)


def test_infinity_times_zero_is_nan():
    a, b = ag.tensor([[0.0, 1.0]]), ag.tensor([[float("inf")], [1.0]])
    assert np.isnan((a @ b).item())


def test_an_array_on_the_left():
    w = ag.ones(3, 2, requires_grad=True)
    y = np.ones((2, 3), np.float32) @ w
    assert isinstance(y, ag.Tensor)
    y.sum().backward()
    assert w.grad.tolist() == [[2.0, 2.0]] * 3


SUMS = {
    "addmm": ((4,), (2, 3), (3, 4)), "addmv": ((2,), (2, 3), (3,)), "addr": ((2, 3), (2,), (3,)),
    "baddbmm": ((2, 4), (3, 2, 3), (3, 3, 4)), "addbmm": ((2, 4), (3, 2, 3), (3, 3, 4)),
}  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"beta": 0.5, "alpha": 2.0}, {"beta": 0}], ids=str)
@pytest.mark.parametrize("name", SUMS)
def test_product_with_something_added(name, options, torch):
    same(torch, lambda m, F, *t: getattr(m, name)(*t, **options), *tensors(*SUMS[name]))


def test_beta_zero_hides_nan():
    c = ag.full((2, 2), float("nan"))
    assert ag.addmm(c, ag.eye(2), ag.eye(2), beta=0).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("shapes", [((2, 3), (4, 3)), ((3,), (3,)), ((3,), ())], ids=str)
def test_inner(shapes, torch):
    same(torch, lambda m, F, a, b: m.inner(a, b), *tensors(*shapes))


def test_other_products(torch):
    same(torch, lambda m, F, a, b: m.outer(a, b), *tensors((2,), (3,)))
    same(torch, lambda m, F, a, b: m.kron(a, b), *tensors((2, 3), (2, 2)), node="ViewBackward0")
    same(torch, lambda m, F, a, b: m.cross(a, b), *tensors((2, 3), (2, 3)))
    same(torch, lambda m, F, a, b: m.linalg.cross(a, b), *tensors((4, 1, 3), (1, 2, 3)))
    same(
        torch,
        lambda m, F, a, b: m.tensordot(a, b, ([0, 2], [1, 0])),
        *tensors((2, 3, 4), (4, 2, 3)),
    )
    same(torch, lambda m, F, a: m.matrix_power(a, 5), *tensors((2, 3, 3)))
    same(torch, lambda m, F, a: m.matrix_power(a, -2), *tensors((3, 3)), tolerance=(1e-6, 1e-6))
    same(torch, lambda m, F, *t: m.linalg.multi_dot(t), *tensors((3,), (3, 4), (4, 2), (2, 5)))


LINEAR = [
    ((2, 3), (4, 3), (4,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((3, 0), (2, 0), (2,)), ((0, 3), (2, 3), (2,)),
    ((2, 3), (4, 3), (1,)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", LINEAR, ids=str)
def test_linear(shapes, torch):
    same(torch, lambda m, F, *t: F.linear(*t), *tensors(*shapes))


@pytest.mark.parametrize(
    "shapes", [((3,), (4, 3), (4,)), ((5, 2, 3), (4, 3), (4,)), ((5, 0, 3), (4, 3), (4,))], ids=str
)
def test_linear_of_other_dimensions(shapes, torch):
    same(torch, lambda m, F, *t: F.linear(*t), *tensors(*shapes), node="AddmmBackward0")


def test_bias_gradient_is_accurate():
    x, w, b = ag.zeros(10**6, 1), ag.zeros(2, 1), ag.zeros(2, requires_grad=True)
    ag.nn.functional.linear(x, w, b).backward(ag.full((10**6, 2), 0.1))
    np.testing.assert_allclose(b.grad.numpy(), 1e5, rtol=1e-5)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 4), (5, 3, 4), (5,)), ((2, 6, 3), (2, 6, 4), (5, 3, 4))], ids=str
)
def test_bilinear(shapes, torch):
    same(
        torch,
        lambda m, F, *t: F.bilinear(*t),
        *tensors(*shapes),
        node="AddBackward0" if len(shapes) > 3 else None,
    )


EQUATIONS = [
    ("ij,jk", (2, 3), (3, 4)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("ij->ji", (2, 3)), ("ij->", (2, 3)),
    ("i,i->", (3,), (3,)), ("i,j,k->kji", (3,), (2,), (4,)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("...ij,...jk", (5, 1, 2, 3), (4, 3, 2)), ("...,...->...", (2, 3), (3,)), ("ij,j->i", (1, 3), (3,)),
    ("ij,jk->ik", (2, 1), (3, 4)), ("iij,jk->ik", (3, 3, 2), (2, 4)), ("b...,b...->...", (2, 3, 4), (2, 3, 4)),
    ("ijk,ilm,njm,nlk,abc->", (2, 3, 2), (2, 2, 3), (2, 3, 3), (2, 2, 2), (1, 2, 2)), ("i...->...", (2, 3, 4)),
    (" a b , b c -> a c ", (2, 3), (3, 2)), ("iji->j", (2, 3, 2)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda c: c[0])
def test_einsum(case, torch):
    equation, *shapes = case
    inputs = tensors(*shapes)
    name = ag.einsum(equation, *inputs).grad_fn.name()
    same(torch, lambda m, F, *t: m.einsum(equation, *t), *inputs, node=name)


def test_einsum_with_lists(torch):
    a, b = tensors((5, 2, 3), (3, 4))
    expected = ag.einsum("bij,jk->bik", a, b)
    assert ag.equal(ag.einsum(a, [..., 0, 1], b, [1, 2], [..., 0, 2]), expected)


ERRORS = [
    lambda m, F: m.mm(m.ones(2), m.ones(2, 3)),
    lambda m, F: m.mm(m.ones(2, 3), m.ones(3)),
    lambda m, F: m.ones(2, 3) @ m.ones(4, 5),
    lambda m, F: m.ones(2, 3) @ m.ones(3, 5, dtype=m.float64),
    lambda m, F: m.ones(2, 3).bool() @ m.ones(3, 2).bool(),
    lambda m, F: m.ones(3) @ m.ones(4, 5),
    lambda m, F: m.ones(2, 3) @ m.ones(4),
    lambda m, F: m.ones(3) @ m.ones(4),
    lambda m, F: m.ones(()) @ m.ones(3),
    lambda m, F: m.ones(2, 2, 3) @ m.ones(4, 5),
    lambda m, F: m.ones(2, 2, 3) @ m.ones(2, 4, 5),
    lambda m, F: m.ones(2, 2, 3) @ m.ones(3, 3, 5),
    lambda m, F: m.ones(2, 2, 3) @ m.ones(2, 3, 5, dtype=m.float64),
    lambda m, F: m.ones(3) @ m.ones(3, dtype=m.float64),
    lambda m, F: m.ones(2, 3) @ m.ones(3, dtype=m.float64),
    lambda m, F: m.ones(3) @ m.ones(2, 4, 5),
    lambda m, F: m.ones(3, 3) @ 2.0,
    lambda m, F: m.bmm(m.ones(2, 3), m.ones(2, 3)),
    lambda m, F: m.bmm(m.ones(2, 2, 3), m.ones(3, 3, 5)),
    lambda m, F: m.dot(m.ones(2, 2), m.ones(2)),
    lambda m, F: m.outer(m.ones(2, 2), m.ones(2)),
    lambda m, F: m.inner(m.ones(2), m.ones(3)),
    lambda m, F: m.addmm(m.ones(3), m.ones(2, 3), m.ones(3, 5)),
    lambda m, F: m.addmm(m.ones(5, dtype=m.float64), m.ones(2, 3), m.ones(3, 5)),
    lambda m, F: m.addmm(m.ones(5), m.ones(2), m.ones(3, 5)),
    lambda m, F: m.addr(m.ones(2, 3), m.ones(2), m.ones(4)),
    lambda m, F: m.tensordot(m.ones(2, 3), m.ones(4, 3), 1),
    lambda m, F: m.tensordot(m.ones(2, 3), m.ones(4, 3), 3),
    lambda m, F: m.cross(m.ones(2, 4), m.ones(2, 4)),
    lambda m, F: m.linalg.multi_dot([m.ones(2, 3)]),
    lambda m, F: m.linalg.multi_dot([m.ones(2, 3), m.ones(4, 5)]),
    lambda m, F: m.matrix_power(m.ones(2, 3), 2),
    lambda m, F: F.linear(m.ones(2, 3), m.ones(4, 5), m.ones(4)),
    lambda m, F: F.linear(m.ones(2, 3), m.ones(4, 3), m.ones(5)),
    lambda m, F: F.linear(m.ones(2, 3), m.ones(4, 3, dtype=m.float64)),
    lambda m, F: F.linear(m.ones(2, 3), m.ones(4, 3), m.ones(4, dtype=m.float64)),
    lambda m, F: F.bilinear(m.ones(2, 3), m.ones(2, 4), m.ones(5, 3, 5)),
    lambda m, F: m.einsum("ij,jk->ik", m.ones(2, 3)),
    lambda m, F: m.einsum("ij,jk->ik", m.ones(2, 3), m.ones(4, 5)),
    lambda m, F: m.einsum("ij->k", m.ones(2, 3)),
    lambda m, F: m.einsum("ijk->k", m.ones(2, 3)),
    lambda m, F: m.einsum("i?->k", m.ones(2, 3)),
    lambda m, F: m.einsum("ij->ii", m.ones(2, 3)),
    lambda m, F: m.einsum("ii->i", m.ones(2, 3)),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call, torch):
    same_error(torch, call)


@pytest.mark.parametrize("ones", ["rows", "columns", "both"])
def test_factors_of_equal_lines(ones):
    """Large factors whose rows or columns are one line seen again (the gradient of a sum)."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((70, 80)), rng.standard_normal((80, 90))
    if ones in ("rows", "both"):
        a = np.broadcast_to(a[:1], a.shape)
    if ones in ("columns", "both"):
        b = np.broadcast_to(b[:, :1], b.shape)
    x, y = ag.tensor(a[:1]).expand(70, 80) if ones != "columns" else ag.tensor(a), ag.tensor(b)
    if ones != "rows":
        y = ag.tensor(b[:, :1]).expand(80, 90)
    np.testing.assert_allclose((x @ y).numpy(), np.array(a) @ np.array(b), rtol=1e-12, atol=1e-12)


def test_gradients_of_a_large_sum():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((70, 80)), rng.standard_normal((80, 90))
    x, y = ag.tensor(a, requires_grad=True), ag.tensor(b, requires_grad=True)
    (x @ y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.ones((70, 90)) @ b.T, rtol=1e-10)
    np.testing.assert_allclose(y.grad.numpy(), a.T @ np.ones((70, 90)), rtol=1e-10)
