"""The cost of one op's call on tiny tensors: `python -m pytest bench/test_overhead.py
--benchmark-enable`."""

import pytest

import autograd_gpu as ag

X = ag.tensor([0.3, -0.5, 0.2, 0.7], requires_grad=True)
Y = ag.tensor([1.0, 2.0, 3.0, 4.0])
DOUBLE = ag.tensor([1.0, 2.0, 3.0, 4.0], dtype=ag.float64)
ROW = ag.tensor([[1.0, 2.0, 3.0, 4.0]])
LEAF = ag.zeros(4)
INDEX = ag.tensor([2, 0])

CALLS = {
    "add, recorded": lambda: X + X,
    "add, unrecorded": lambda: Y + Y,
    "add a number": lambda: X + 1.0,
    "add, broadcast": lambda: X + ROW,
    "add, mixed dtypes": lambda: X + DOUBLE,
    "add in place": lambda: LEAF.add_(Y),
    "tanh": lambda: ag.tanh(X),
    "sum": lambda: X.sum(),
    "sum over a dim": lambda: X.sum(0),
    "view": lambda: X.view(2, 2),
    "x[0]": lambda: X[0],
    "x[1:]": lambda: X[1:],
    "x[index]": lambda: X[INDEX],
    "matmul": lambda: ROW @ ROW.mT,
    "detach": lambda: X.detach(),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(benchmark, name):
    benchmark(CALLS[name])


def test_backward_of_one_op(benchmark):
    def step():
        X.grad = None
        (X * X).sum().backward()

    benchmark(step)
