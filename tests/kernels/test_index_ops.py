"""Indexing of tensors on a device: values, gradients and errors are those of the CPU."""

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F
from autograd_gpu._cuda.checks import check_indices
from autograd_gpu.testing import standin

from .conftest import require_emulator


@pytest.fixture(scope="module", autouse=True)
def device():
    require_emulator()
    with standin.activate():
        yield


@pytest.fixture(params=[False, True], ids=["", "deterministic"])
def deterministic(request):
    ag.use_deterministic_algorithms(request.param)
    yield request.param
    ag.use_deterministic_algorithms(False)


def columns(i):
    return i.reshape(4, 1).expand(4, 4)


def written(write):
    def run(x, i, s):
        y = x.clone()
        write(y, i, s)
        return y

    return run


OPS = {
    "x[i]": lambda x, i, s: x[i],
    "x[-i]": lambda x, i, s: x[-i],
    "x[:, i]": lambda x, i, s: x[:, i % 4],
    "x[i, j]": lambda x, i, s: x[i, i % 4],
    "x[i, :, j]": lambda x, i, s: x.reshape(5, 2, 2)[i, :, i % 2],
    "x[list]": lambda x, i, s: x[[0, 2, 2]],
    "x[mask]": lambda x, i, s: x[x > 0],
    "x[mask, i]": lambda x, i, s: x[i.new_ones(5) > 0, i[0]],
    "gather": lambda x, i, s: x.gather(0, columns(i)),
    "take": lambda x, i, s: x.take(i - 8),
    "take_along_dim": lambda x, i, s: ag.take_along_dim(x, x.argsort(1), 1),
    "index_select": lambda x, i, s: x.index_select(0, i),
    "index_select, int32": lambda x, i, s: x.index_select(1, (i % 4).int()),
    "index_add": lambda x, i, s: x.index_add(0, i, s, alpha=2.5),
    "index_copy": lambda x, i, s: x.index_copy(0, i, s),
    "index_fill": lambda x, i, s: x.index_fill(0, i, 2.5),
    "index_put": lambda x, i, s: x.index_put((i,), s),
    "index_put, added": lambda x, i, s: x.index_put((i, i % 4), s[0], True),
    "index_put, broadcast": lambda x, i, s: x.index_put((i,), s[0, 0], True),
    "scatter": lambda x, i, s: x.scatter(0, columns(i), s),
    "scatter, number": lambda x, i, s: x.scatter(0, columns(i), 2.0),
    "scatter_add": lambda x, i, s: x.scatter_add(0, columns(i), s),
    "put": lambda x, i, s: x.put(i, s[0]),
    "put, added": lambda x, i, s: x.put(i, s[0], True),
    "embedding": lambda x, i, s: F.embedding(i, x),
    "embedding, options": lambda x, i, s: F.embedding(i, x, 1, scale_grad_by_freq=True),
    "cross_entropy": lambda x, i, s: F.cross_entropy(x[:4], i % 4),
    "x[i] = s": written(lambda y, i, s: y.__setitem__(i, s)),
    "x[i] = 3": written(lambda y, i, s: y.__setitem__(i, 3.0)),
    "x[mask] = 3": written(lambda y, i, s: y.__setitem__(y > 0, 3.0)),
    "x[i, j] = s": written(lambda y, i, s: y.__setitem__((i, i % 4), s[0])),
    "x[:, i] = s": written(lambda y, i, s: y.__setitem__((slice(None), i % 4), s[:1])),
    "x[i, :, j] = s": written(
        lambda y, i, s: y.view(5, 2, 2).__setitem__((i, slice(None), i % 2), s[:, :2])
    ),
} | {
    f"scatter_reduce {r} {own}": (
        lambda x, i, s, r=r, own=own: x.scatter_reduce(0, columns(i), s, r, include_self=own)
    )
    for r in ("sum", "mean", "prod", "amax", "amin")
    for own in (True, False)
}  # fmt: skip


def run(op, place, dtype=ag.float32):
    """Value, gradients and gradients of those, for NumPy."""
    random = np.random.default_rng(0)
    x, s = (
        ag.tensor(random.standard_normal(n), dtype=dtype, device=place).requires_grad_()
        for n in ((5, 4), (4, 4))
    )
    y = op(x, ag.tensor([3, 1, 1, 4], device=place), s)
    assert y.device.type == place
    weight = ag.arange(1.0, y.numel() + 1, device=place).reshape(y.shape).to(dtype)
    first = ag.autograd.grad((y * y * weight).sum(), (x, s), create_graph=True, allow_unused=True)
    given = [g for g in first if g is not None]
    second = ag.autograd.grad(sum((g * g).sum() for g in given), (x, s), allow_unused=True)
    return [None if t is None else t.detach().cpu().numpy() for t in (y, *first, *second)]


@pytest.mark.parametrize("op", OPS)
def test_values_and_gradients_are_those_of_the_cpu(op, deterministic):
    for actual, wanted in zip(run(OPS[op], "cuda"), run(OPS[op], "cpu"), strict=True):
        assert (actual is None) == (wanted is None)
        if wanted is not None:
            np.testing.assert_allclose(actual, wanted, 2e-5, 2e-5)


@pytest.mark.parametrize("op", ["x[i]", "gather", "embedding", "index_add", "scatter_reduce sum True"])
def test_halves(op, deterministic):
    actual, wanted = (run(OPS[op], place, ag.float16)[:3] for place in ("cuda", "cpu"))
    for a, w in zip(actual, wanted, strict=True):
        if w is not None:
            np.testing.assert_allclose(a.astype("f4"), w.astype("f4"), 4e-3, 4e-3)


WRONG = {
    "x[i]": lambda x, i, s: x[i + 2],
    "x[-i]": lambda x, i, s: x[-i - 2],
    "x[i, j]": lambda x, i, s: x[i, i],
    "x[i] = s": lambda x, i, s: x.__setitem__(i + 2, s),
    "x[i] = 1": lambda x, i, s: x.__setitem__(i + 2, 1.0),
    "index_put": lambda x, i, s: x.index_put((i + 9,), s, True),
    "gather": lambda x, i, s: x.gather(0, columns(i + 1)),
    "gather, negative": lambda x, i, s: x.gather(0, columns(i - 2)),
    "scatter": lambda x, i, s: x.scatter(0, columns(i + 1), s),
    "scatter_add": lambda x, i, s: x.scatter_add(0, columns(i + 1), s),
    "scatter_reduce": lambda x, i, s: x.scatter_reduce(0, columns(i + 1), s, "prod"),
    "take": lambda x, i, s: x.take(i + 20),
    "put": lambda x, i, s: x.put(i - 25, s[0]),
    "take_along_dim": lambda x, i, s: ag.take_along_dim(x, columns(i + 1), 0),
    "index_select": lambda x, i, s: x.index_select(0, i + 1),
    "index_select, negative": lambda x, i, s: x.index_select(0, i - 2),
    "index_add": lambda x, i, s: x.index_add(0, i + 1, s),
    "index_copy": lambda x, i, s: x.index_copy(0, i + 1, s),
    "index_fill": lambda x, i, s: x.index_fill(0, i + 1, 1.0),
    "embedding": lambda x, i, s: F.embedding(i + 1, x),
    "embedding, negative": lambda x, i, s: F.embedding(i - 2, x),
    "nll_loss": lambda x, i, s: F.nll_loss(x[:4], i),
    "cross_entropy": lambda x, i, s: F.cross_entropy(x[:4], i),
    "one_hot": lambda x, i, s: F.one_hot(i, 4),
}


@pytest.mark.parametrize("norm_type", [1.0, 2.0, float("inf")])
def test_rows_that_are_too_long_are_shortened(norm_type):
    for given in ([1, 1, 3], [0]):
        tables = [ag.arange(12.0, device=place).reshape(4, 3) for place in ("cpu", "cuda")]
        found = [
            F.embedding(ag.tensor(given, device=t.device), t, max_norm=2.5, norm_type=norm_type)
            for t in tables
        ]
        for wanted, actual in (tables, found):
            np.testing.assert_allclose(actual.cpu().numpy(), wanted.numpy(), 1e-6)


def test_one_hot():
    numbers = ag.tensor([[2, 0], [1, 1]])
    for classes in (-1, 5):
        found, wanted = F.one_hot(numbers.cuda(), classes), F.one_hot(numbers, classes)
        assert found.device.type == "cuda" and found.tolist() == wanted.tolist()
    assert F.one_hot(numbers[:0].cuda(), 3).shape == (0, 2, 3)


def error(op, place):
    """The error's type and text, and the tensor that it must not have changed."""
    x = ag.arange(20.0, device=place).reshape(5, 4)
    s = ag.ones(4, 4, device=place)
    with pytest.raises((IndexError, RuntimeError)) as caught:
        op(x, ag.tensor([3, 1, 1, 4], device=place), s)
    assert x.tolist() == ag.arange(20.0).reshape(5, 4).tolist()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("op", WRONG)
def test_out_of_range_is_the_error_of_the_cpu(op):
    assert error(WRONG[op], "cuda") == error(WRONG[op], "cpu")


def test_the_check_can_be_turned_off():
    x, i = ag.arange(6.0, device="cuda").reshape(3, 2), ag.tensor([1, 7], device="cuda")
    with standin.launches() as seen, check_indices(False):
        assert x[i].tolist() == [[2, 3], [0, 0]]
        x[i] = ag.ones(2, 2, device="cuda")
    assert x.tolist() == [[0, 1], [1, 1], [4, 5]]
    assert not [launch for launch in seen if "index_check" in launch.name]
    with pytest.raises(IndexError):
        x[i]
    check_indices(False)
    x.index_select(0, i)
    check_indices(True)
    with pytest.raises(IndexError):
        x.index_select(0, i)
    with pytest.raises(TypeError, match="must be bool"):
        check_indices(1)


def test_one_launch_to_read_and_one_to_check():
    x, i = ag.ones(3, 2, device="cuda"), ag.tensor([1, 2], device="cuda")
    with standin.launches() as seen:
        x[i]
    names = [launch.name for launch in seen]
    assert [n.partition("<")[0] for n in names if "ag::index" in n] == [
        "ag::index_check", "ag::index_select"
    ]  # fmt: skip
