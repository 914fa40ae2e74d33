"""Where NumPy and PyTorch differ, PyTorch's answer holds."""

from math import inf, nan

import numpy as np
import pytest

import autograd_gpu as ag

from .rows import Row, cases, check, check_oracle, oracle_cases

ANY = ("float64",)

ROWS = [
    Row("H1", "str((torch.ones(2) * torch.tensor(3., dtype=torch.float64)).dtype)", "torch.float32", only=ANY, plain=True),
    Row("H2", "str((torch.ones(2) * torch.ones(2, dtype=torch.int64)).dtype)", "torch.float32", only=ANY, plain=True),
    Row("H3", "str((torch.ones(2, dtype=torch.float16) * torch.ones(2, dtype=torch.int32)).dtype)", "torch.float16",
        only=ANY, plain=True),
    Row("H4", "str((torch.ones(2, dtype=torch.int32) / torch.ones(2, dtype=torch.int32)).dtype)", "torch.float32",
        only=ANY, plain=True),
    Row("H5", "L(torch.tensor([1], dtype=torch.uint8) + 300)", [45], only=ANY, plain=True),
    Row("H7", "(lambda x: (x[0].fill_(9.), x[0, 0].add_(1.), L(x), list(x.sum().shape), list(x[0, 0].shape))[2:])"
        "(C([[1., 2.], [3., 4.]]))", ([[10.0, 9.0], [3.0, 4.0]], [], [])),
    Row("H7-sum", "(lambda s: (s.add_(1.), L(s))[1])(C([1., 2.]).sum())", 4.0),
    Row("H8", "C([1., 2., 3.]).std().item(), C([1., 2., 3.]).var(unbiased=False).item()", (1.0, 2 / 3)),
    Row("H10", "L(torch.sign(C([nan, -0., 3.])))", [0.0, 0.0, 1.0]),
    Row("H11", "[abs(v - 100000.) < 1. for v in L(torch.full((10**6, 2), .1).sum(0))]", [True, True], only=ANY, plain=True),
    Row("H13", "err(lambda: C([]).max())", ("RuntimeError", "dim")),
    Row("H14-E66", "torch.tensor([1, 3, 3]).argmax().item(), torch.tensor([2, 1, 1]).argmin().item(), "
        "L(torch.tensor([1, 0] * 20).sort(stable=True).indices)",
        (1, 1, [*range(1, 40, 2), *range(0, 40, 2)]), only=ANY, plain=True),
    Row("H16", "L(C([3.]).clamp(5., 2.)), L(C([3.]).clamp(nan, 2.))", ([2.0], [nan])),
    Row("H20", "L(C([1., inf, -inf, nan]).nan_to_num(0., 1., -1.))", [1.0, 1.0, -1.0, 0.0]),
    Row("H21", "L(torch.tensor([-7, 7]) // 2), L(torch.tensor([-7, 7]) % 3), L(torch.tensor([7.]) // 0.)",
        ([-4, 3], [2, 1], [inf]), only=ANY, plain=True),
    Row("H22", "L(torch.tensor([2]) ** 3), err(lambda: torch.tensor([2]) ** -1)",
        ([8], ("RuntimeError", "Integers to negative integer powers are not allowed")), only=ANY, plain=True),
]  # fmt: skip


@cases(ROWS)
def test_row(row, dtype, layout):
    check(row, dtype, layout)


@oracle_cases(ROWS)
def test_pytorch_agrees(row, torch):
    check_oracle(row, torch)


def leaf(dtype=ag.float64):
    return ag.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("form", [
    lambda a, x: a + x, lambda a, x: a - x, lambda a, x: a * x, lambda a, x: a / x, lambda a, x: a**x,
    lambda a, x: a @ x, lambda a, x: x * a, lambda a, x: a % x,
])  # fmt: skip
def test_an_ndarray_on_the_left(form):
    """Better than PyTorch, which raises a TypeError: a Tensor, with a gradient."""
    array, x = np.array([3.0, 4.0]), leaf()
    y = form(array, x)
    assert type(y) is ag.Tensor
    z = form(ag.from_numpy(array), x)
    assert y.tolist() == z.tolist()
    assert ag.autograd.grad(y.sum(), x)[0].tolist() == ag.autograd.grad(z.sum(), x)[0].tolist()


def test_numpy_scalars_and_lists_on_the_left():
    """E70."""
    x = leaf(ag.float32)
    for y in (np.float64(2) * x, np.float32(2) * x, np.int64(2) * x):
        assert type(y) is ag.Tensor
        assert y.dtype is ag.float32
        assert y.tolist() == [2.0, 4.0]
        assert y.requires_grad
    assert np.array([ag.ones(2), ag.ones(2)]).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_what_numpy_may_see():
    """E69: a tensor that requires grad is not handed out; memory is shared both ways."""
    x, a = leaf(), np.arange(2.0)
    t = ag.from_numpy(a)
    a[0] = 9
    assert t.tolist() == [9.0, 1.0]
    t.numpy()[1] = 8
    assert a.tolist() == [9.0, 8.0]
    for f in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(
            RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"
        ):
            f()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_sums_over_any_dimension_are_accurate(dtype):
    """Bias gradients are sums over the first dimension: NumPy alone would be 1 % off."""
    x = (
        ag.full((10**6, 3), 0.1, dtype=ag.float32)
        if dtype == "float32"
        else ag.full((2**16, 3), 0.01, dtype=ag.float16)
    )
    exact = x._array.astype(np.float64).sum(0)
    for found in (
        x.sum(0),
        x.mean(0) * 2**10 * 2**6 if dtype == "float16" else x.mean(0) * 10**6,
        x.T.sum(1),
        x.reshape(-1, 2, 3).sum((0, 1)),
    ):
        np.testing.assert_allclose(
            found._array.astype(np.float64), exact, rtol=1e-6 if dtype == "float32" else 2e-3
        )
    b = ag.zeros(3, dtype=x.dtype, requires_grad=True)
    (x + b).backward(x)
    np.testing.assert_allclose(
        b.grad._array.astype(np.float64), exact, rtol=1e-6 if dtype == "float32" else 2e-3
    )
