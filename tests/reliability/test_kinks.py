"""Ties and kinks: the derivative where it exists, else PyTorch's choice among subgradients."""

from math import nan

from .rows import Row, cases, check, check_oracle, oracle_cases

ROWS = [
    Row("A1", "g(lambda x: x.max(), [1., 3., 3.])", (3.0, [0.0, 0.5, 0.5])),
    Row("A2", "g(lambda x: x.min(), [1., 1., 3.])", (1.0, [0.5, 0.5, 0.0])),
    Row("A3", "g(lambda x: x.max(0).values, [1., 3., 3.])", (3.0, [0.0, 1.0, 0.0])),
    Row("A4", "g(lambda x: x.min(0).values, [3., 1., 1.])", (1.0, [0.0, 1.0, 0.0])),
    Row("A5", "g(lambda x: x.amax(), [3., 3., 1.])", (3.0, [0.5, 0.5, 0.0])),
    Row("A6", "g(lambda x: x.amin(0), [1., 3., 1.])", (1.0, [0.5, 0.0, 0.5])),
    Row("A7", "g(torch.maximum, [2., 1.], [2., 0.])", ([2.0, 1.0], [0.5, 1.0], [0.5, 0.0])),
    Row("A8", "g(torch.minimum, [2., 1.], [2., 0.])", ([2.0, 0.0], [0.5, 0.0], [0.5, 1.0])),
    Row("A9", "g(torch.fmax, [2., 1.], [2., 3.])", ([2.0, 3.0], [1.0, 0.0], [0.0, 1.0])),
    Row("A9-fmin", "g(torch.fmin, [2., 1.], [2., 3.])", ([2.0, 1.0], [1.0, 1.0], [0.0, 0.0])),
    Row("A10", "g(lambda x: x.relu(), [-1., 0., 1., nan])", ([0.0, 0.0, 1.0, nan], [0.0, 0.0, 1.0, 1.0])),
    Row("A11", "g(lambda x: x.clamp(0., 1.), [-1., 0., .5, 1., 2., nan])",
        ([0.0, 0.0, 0.5, 1.0, 1.0, nan], [0.0, 1.0, 1.0, 1.0, 0.0, 0.0])),
    Row("A13", "g(lambda x: x.abs(), [-2., 0., -0., 3.])", ([2.0, 0.0, 0.0, 3.0], [-1.0, 0.0, 0.0, 1.0])),
    Row("A14", "g(lambda x: x.sign(), [-2., 0., 3.])", ([-1.0, 0.0, 1.0], [0.0, 0.0, 0.0])),
    Row("A16", "g(lambda x: F.relu6(x), [0., 6.])", ([0.0, 6.0], [0.0, 0.0])),
    Row("A17", "g(lambda x: F.hardtanh(x), [-1., 1.])", ([-1.0, 1.0], [0.0, 0.0])),
    Row("A19", "g(lambda x: F.smooth_l1_loss(x, torch.zeros(3, dtype=dtype), reduction='none'), [-1., 0., 1.])",
        ([0.5, 0.0, 0.5], [-1.0, 0.0, 1.0])),
    Row("A20", "g(lambda x: F.l1_loss(x, torch.zeros(1, dtype=dtype), reduction='none'), [0.])", ([0.0], [0.0])),
    Row("A22", "g(lambda x: x.sort().values * C([1., 2., 3.]), [2., 2., 1.])", ([1.0, 4.0, 6.0], [2.0, 3.0, 1.0])),
    Row("A23", "g(lambda x: x.topk(2).values, [3., 3., 3.])", ([3.0, 3.0], [1.0, 1.0, 0.0])),
    Row("A25", "g(lambda x: x.cummax(0).values, [1., 1., 0.])", ([1.0, 1.0, 1.0], [1.0, 2.0, 0.0])),
    Row("A26", "g(lambda x: x.round(), [.5, 1.5, 2.5])", ([0.0, 2.0, 2.0], [0.0, 0.0, 0.0])),
    Row("A28", "g(lambda x: torch.remainder(x, C([3.])), [-4.])", ([2.0], [1.0])),
    Row("A29", "g(lambda x, y: torch.hypot(x, y), [0.], [0.])", ([0.0], [0.0], [0.0]), ours=True),
]  # fmt: skip


@cases(ROWS)
def test_row(row, dtype, layout):
    check(row, dtype, layout)


@oracle_cases(ROWS)
def test_pytorch_agrees(row, torch):
    check_oracle(row, torch)
