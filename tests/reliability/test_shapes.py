"""Broadcasting, 0-d and empty tensors, and indices at the edge."""

from math import inf, nan

import pytest

from .rows import Row, cases, check, check_oracle, oracle_cases

BROADCASTING = [
    Row("C1", "g(lambda a, b: a + b, [[1.], [2.]], [1., 2., 3.])",
        ([[2.0, 3.0, 4.0], [3.0, 4.0, 5.0]], [[3.0], [3.0]], [2.0, 2.0, 2.0])),
    Row("C3", "g(lambda a, b: a / b, [[1., 2.]], [[1.], [2.]])",
        ([[1.0, 2.0], [0.5, 1.0]], [[1.5, 1.5]], [[-3.0], [-0.75]])),
    Row("C4", "g(lambda a, b: torch.where(torch.tensor([[True, False], [False, False]]), a, b), [1., 2.], [[10.]])",
        ([[1.0, 10.0], [10.0, 10.0]], [1.0, 0.0], [[3.0]])),
    Row("C6", "(lambda y, a, b: (list(torch.tensor(y).shape), list(torch.tensor(a).shape), list(torch.tensor(b).shape)))"
        "(*g(lambda a, b: a @ b, np.ones((5, 1, 2, 3)), np.ones((4, 3, 2))))", ([5, 4, 2, 2], [5, 1, 2, 3], [4, 3, 2])),
    Row("C7", "(lambda y, a, b: (list(torch.tensor(y).shape), list(torch.tensor(a).shape), list(torch.tensor(b).shape)))"
        "(*g(lambda a, b: a @ b, np.ones(3), np.ones((4, 3, 2))))", ([4, 2], [3], [4, 3, 2])),
    Row("C9", "g(lambda a, b: a @ b, np.ones((2, 0)), np.ones((0, 3)))", ([[0.0] * 3] * 2, [[], []], [])),
]  # fmt: skip

EMPTY = [
    Row("C10", "(lambda e: (e.sum().item(), e.prod().item(), e.mean().item(), e.logsumexp(0).item()))(C([]))",
        (0.0, 1.0, nan, -inf)),
    Row("C12", "err(lambda: C([]).argmax())",
        ("IndexError", "argmax(): Expected reduction dim to be specified for input.numel() == 0.")),
    Row("C13", "(lambda e: (e.std().item(), e.all().item(), e.any().item()))(C([]))", (nan, True, False)),
    Row("C15", "list(C(np.empty((0, 3))).amax(1).shape)", [0]),
    Row("C16", "F.cross_entropy(C(np.empty((0, 3))), torch.empty(0, dtype=torch.long)).item()", nan),
]  # fmt: skip

INDICES = [
    Row("C18", "g(lambda x: torch.cat([x, x]), [1.])", ([1.0, 1.0], [2.0])),
    Row("C19", "g(lambda x: torch.stack([x, x, x]), 2.)", ([2.0, 2.0, 2.0], 3.0)),
    Row("C21", "g(lambda x: x[torch.tensor([-1])], [1., 2., 3.])", ([3.0], [0.0, 0.0, 1.0])),
    Row("C22", "err(lambda: C([1., 2.])[torch.tensor([2])])",
        ("IndexError", "index 2 is out of bounds for dimension 0 with size 2")),
    Row("C24", "err(lambda: T([1.])[::-1])", ("ValueError", "step must be greater than zero")),
    Row("C25", "g(lambda x: x.flip(0) * C([1., 2., 3.]), [1., 2., 3.])", ([3.0, 4.0, 3.0], [3.0, 2.0, 1.0])),
    Row("C27", "g(lambda x: x.squeeze().sum(), [[[3.]]])", (3.0, [[[1.0]]])),
    Row("C28", "err(lambda: T([1., 2.]).backward())",
        ("RuntimeError", "grad can be implicitly created only for scalar outputs")),
    Row("C30", "err(lambda: C([[1.] * 3] * 2) + C([1.] * 2))",
        ("RuntimeError", "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1")),
    Row("C31", "g(lambda x: x.mean(dim=()), [1., 3.])", (2.0, [0.5, 0.5])),
    Row("C33", "g(lambda x: x.repeat(2, 2), [1., 2.])", ([[1.0, 2.0, 1.0, 2.0]] * 2, [4.0, 4.0])),
    Row("C34", "g(lambda x: x.as_strided((2, 2), (1, 1)), [1., 2., 3.])",
        ([[1.0, 2.0], [2.0, 3.0]], [1.0, 2.0, 1.0]), plain=True),
    Row("C36", "g(lambda x: torch.einsum('ii->i', x), [[1., 2.], [3., 4.]])", ([1.0, 4.0], [[1.0, 0.0], [0.0, 1.0]])),
    Row("C37", "g(lambda x: torch.einsum('i,i->', x, x), [1., 2.])", (5.0, [2.0, 4.0])),
    Row("C39", "err(lambda: torch.ones(2, 3).t().view(-1))",
        ("RuntimeError", "view size is not compatible with input tensor's size and stride (at l")),
    Row("C40", "g(lambda x: x.gather(0, torch.tensor([0, 0, 1])), [5., 6.])", ([5.0, 5.0, 6.0], [2.0, 1.0])),
    Row("C42", "g(lambda x, s: x.index_add(0, torch.tensor([1, 1]), s), [0., 0.], [1., 2.])",
        ([0.0, 3.0], [1.0, 1.0], [1.0, 1.0])),
    Row("C43", "g(lambda x: F.embedding(torch.tensor([1, 1, 0]), x, padding_idx=0), [[1.], [2.]])",
        ([[2.0], [2.0], [1.0]], [[0.0], [2.0]])),
    Row("C45", "g(lambda x: F.pad(x, (1, -1)), [1., 2.])", ([0.0, 1.0], [1.0, 0.0])),
]  # fmt: skip

ROWS = BROADCASTING + EMPTY + INDICES


@pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom")
@cases(ROWS)
def test_row(row, dtype, layout):
    check(row, dtype, layout)


@pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom")
@oracle_cases(ROWS)
def test_pytorch_agrees(row, torch):
    check_oracle(row, torch)


@pytest.mark.parametrize(
    "code", ["x * x", "x.exp() + x.sin()", "-x", "x.sum()", "torch.stack([x, x]).sum()"]
)
def test_the_gradient_of_a_0d_leaf_is_an_array(code):
    """NumPy makes scalars of 0-d results; a gradient can be written to, and is not shared."""
    import numpy as np

    import autograd_gpu as torch

    x = torch.tensor(2.0, requires_grad=True)
    eval(code, {"x": x, "torch": torch}).backward()
    assert isinstance(x.grad._array, np.ndarray)
    x.grad.zero_()
    assert x.grad.item() == 0.0
