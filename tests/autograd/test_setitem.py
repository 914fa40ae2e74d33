"""`x[index] = value` for every kind of index and of value: values, derivatives to both sides, dtypes,
versions, and the kinds of errors.

    x --> b = x * 1 --> b[index] = value --> (b^2 weights).sum() --> x, w, f
"""

import numpy as np
import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works

INDICES = [
    "0", "-1", "slice(1, None)", "slice(None, None, 2)", "...", "None", "(0, 1)", "(0, slice(None), 1)", "(slice(None), 0)", "(..., 0)",
    "(None, 0)", "(0, None)", "(slice(None), None, 1)", "()", "True", "False", "tensor(1)", "tensor([0, 1])", "tensor([1, 1, 0])",
    "[0, 1]", "[[0, 1], [1, 0]]", "(tensor([0, 1]),)", "(slice(None), tensor([0, 2]))", "(tensor([0, 1]), tensor([0, 2]))",
    "(tensor([0, 1]), slice(None), tensor([0, 2]))", "(0, tensor([0, 2]))", "(tensor([[0], [1]]), tensor([0, 2]))", "b.detach() > 5",
    "(m2,)", "(slice(None), m1)", "(m2, slice(1, 3))", "(m2, 0)", "(0, m1)", "tensor([], dtype=t.int64)", "[]", "slice(0, 0)",
    "slice(None, None, -1)", "slice(None, None, 0)", "5", "(0, 0, 0, 0)", "1.5", "'a'", "tensor([0.5])", "m1", "(..., ...)",
    "range(2)", "(None, tensor([0, 1]))", "tensor([0, 1], dtype=t.int32)", "(slice(None), [0, 2], 1)",
    "(..., tensor([0, 3]))", "[True, False]", "(slice(None), slice(None), m3)", "(slice(tensor(0), tensor(1)),)",
]  # fmt: skip

VALUES = ["7.0", "7", "True", "w", "w.reshape(1)", "w.detach()", "x[0, 0, 0]", "f", "n", "[1.0]", "None", "t.ones(5, 5, dtype=t.float64)", "1j"]

def written(t, index, value):
    def tensor(*args, **kwargs):
        return t.tensor(*args, **kwargs)

    x = (t.arange(24.0, dtype=t.float64).reshape(2, 3, 4) + 0.5).requires_grad_()
    w, f = leaf(t, 2.0), leaf(t, [3.0], "float32")
    b = x * 1
    names = {
        "t": t, "tensor": tensor, "x": x, "w": w, "f": f, "b": b, "n": tensor([3]), "m1": tensor([True, False, True]),
        "m2": tensor([[True, False, True], [False, True, True]]), "m3": tensor([True, False, False, True]),
    }  # fmt: skip
    key, item = eval(index, names), eval(value, names)
    try:
        b[key] = item
    except Exception as error:
        return type(error).__name__, b
    weights = t.arange(1.0, 25.0, dtype=t.float64).reshape(2, 3, 4)
    grads = t.autograd.grad((b**3 * weights).sum(), [x, w, f], create_graph=True, allow_unused=True)
    squares = sum((g * g).sum() for g in grads if g is not None)
    second = t.autograd.grad(squares, [x, w], allow_unused=True) if squares.requires_grad else None
    return b, [g if g is None else g.detach() for g in grads], second, b._version


@pytest.mark.parametrize("index", INDICES)
@agree
def test_every_index_with_every_value(t, index):
    return [written(t, index, value) for value in VALUES]


@agree
def test_without_a_graph(t):
    """The quick way, where nothing is recorded."""
    found = []
    for index in (0, slice(1, None), (..., 1), None, (0, 1), t.tensor([1, 0]), t.tensor([True, False]), (slice(None), [0, 2])):
        for value in (5, 2.5, True, t.tensor(3.0), t.ones(1, 1, 1, dtype=t.int64)):
            b = t.zeros(2, 3)
            found.append([works(b.__setitem__, index, value), b, b._version])
    return found


@agree
def test_values_that_are_read_in_the_memory_that_is_written(t):
    found = []
    for write in (
        lambda b: b.__setitem__(0, b[1]), lambda b: b.__setitem__((slice(None), 0), b[:, 1]), lambda b: b.__setitem__(0, b[0, 0]),
        lambda b: b.__setitem__(slice(None), b[0]), lambda b: b.__setitem__(0, b[0]), lambda b: b.__setitem__(..., b[1, 1]),
    ):  # fmt: skip
        x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
        b, c = x * 1, t.tensor([[1.0, 2.0], [3.0, 4.0]])
        write(b)
        write(c)
        (b * b * t.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=t.float64)).sum().backward()
        found.append([b, c, x.grad])
    a = t.arange(4.0)
    words = "some elements of the input tensor and the written-to tensor"
    return found, fails(RuntimeError, words, a.__setitem__, slice(1, None), a[:-1])


def test_rows_permuted_in_place():
    """PyTorch refuses this; here the value is read before anything is written."""
    x = leaf(ag, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    b = x * 1
    b[ag.tensor([2, 0, 1])] = b
    assert b.tolist() == [[3.0, 4.0], [5.0, 6.0], [1.0, 2.0]]
    (b * ag.tensor([[1.0], [10.0], [100.0]], dtype=ag.float64)).sum().backward()
    assert x.grad.tolist() == [[100.0, 100.0], [1.0, 1.0], [10.0, 10.0]]


@agree
def test_integers_take_no_history(t):
    w = leaf(t, [1.5, 2.5])
    found = []
    for dtype in (t.int64, t.bool, t.uint8):
        for write in (lambda n: n.copy_(w), lambda n: n.__setitem__(slice(None), w), lambda n: n.__setitem__(0, w[1])):
            n = t.zeros(2, dtype=dtype)
            write(n)
            found.append([n, n.requires_grad, n.is_leaf])
    return found


@agree
def test_copies_across_dtypes(t):
    found = []
    for target in ("float16", "float32", "float64", "complex64"):
        for source in ("float16", "float32", "float64", "complex64"):
            w = t.tensor([1.5, 0.25, 2.0]).to(getattr(t, source)).requires_grad_()
            b = t.zeros(2, 3, dtype=getattr(t, target))
            b.copy_(w)
            b[0, :2] = w[1:]
            (b * b).sum().abs().backward()
            found.append([b.detach(), b.grad_fn.name(), w.grad])
    return found


@agree
def test_masks_cast_one_value(t):
    m, found = t.tensor([True, False, True]), []
    for value in (t.tensor([5], dtype=t.int32), t.tensor(2.5, requires_grad=True), t.tensor([5, 6], dtype=t.int32)):
        for accumulate in (False, True):
            b = leaf(t, [1.0, 2.0, 3.0]) * 1
            found.append([works(b.index_put_, (m,), value, accumulate), b.detach()])
            found.append(works(b.index_put, (m,), value, accumulate))
            b.sum().backward()
        found.append(value.grad)
    return found


@agree
def test_in_place_forms_with_indices(t):
    """Gradients to both sides of masked_fill_, index_fill_, index_copy_, index_add_, put_ and the scatter family."""
    m, i = t.tensor([[True, False], [True, True]]), t.tensor([1, 0])
    ii = t.tensor([[1, 0], [0, 1]])
    writes = [
        lambda b, x: b.masked_fill_(m, x[0, 0]), lambda b, x: b.masked_fill_(m, b[0, 0]), lambda b, x: b.index_fill_(0, i[:1], x[1, 1]),
        lambda b, x: b.index_fill_(0, i[:1], b[1, 1]), lambda b, x: b.index_copy_(1, i, x * x), lambda b, x: b.index_add_(0, i, x, alpha=2),
        lambda b, x: b.scatter_(0, ii, x), lambda b, x: b.scatter_add_(1, ii, x * x), lambda b, x: b.masked_scatter_(m, x * 2),
        lambda b, x: b.put_(t.tensor([0, 3]), x[0]), lambda b, x: b.put_(t.tensor([0, 0]), x[1], accumulate=True),
        lambda b, x: b.index_put_((i, i), x[0]), lambda b, x: b.index_put_((i, t.tensor([0, 0])), x[0], accumulate=True),
        lambda b, x: b[0].masked_fill_(m[0], x[1, 0]), lambda b, x: b.t().index_add_(0, i, x), lambda b, x: b.view(4).put_(i, x[1]),
    ]  # fmt: skip
    weights, found = t.arange(1.0, 5.0, dtype=t.float64).reshape(2, 2), []
    for write in writes:
        x = leaf(t, [[0.5, 1.5], [2.0, -1.0]])
        b = x * 1.5
        write(b, x)
        (g,) = t.autograd.grad((b**3 * weights).sum(), x, create_graph=True)
        found.append([b, b._version, g, t.autograd.grad((g * g).sum(), x)])
    return found


def test_numpy_arrays_are_taken():
    b = ag.zeros(2, 2)
    b[np.array([0, 1]), np.array([1, 0])] = np.array([5.0, 6.0], np.float32)
    assert b.tolist() == [[0.0, 5.0], [6.0, 0.0]]
