"""Cross-entropy and the negative log likelihood on the stand-in against the bodies in double."""

from itertools import product

import numpy as np
import pytest

from autograd_gpu._ops import classify, cross_entropy
from autograd_gpu.testing import standin

from .beside import assert_near, every_run, launched, stand_in, widened
from .launched import FLOATS, array

SHAPES = [(6, 5), (70, 10), (3, 4, 7), (2, 3, 2, 2), (1, 1), (5, 600), (300, 3, 1)]
OPTIONS = list(product(("none", "mean", "sum"), (False, True), (-100, 1), (0.0, 0.2)))
ENTROPY, LIKELIHOOD = cross_entropy._of_classes.op, classify._nll_loss.op


def scores(shape, dtype, weighted, ignore, seed=0):
    """(x, target, weight), where some targets are ignored."""
    random = np.random.default_rng(seed)
    x = np.asarray(array(shape, "f8", seed) * 3).astype(FLOATS[dtype])
    target = random.integers(0, shape[1], (shape[0], *shape[2:]))
    if target.size > 2:
        target.flat[1] = ignore
    weight = random.uniform(0.5, 2, shape[1]).astype(x.dtype) if weighted else None
    return x, target, weight


def forward(op, x, target, weight, *options):
    """The body's results, computed in double."""
    with np.errstate(all="ignore"):
        weight = None if weight is None else widened(weight)
        return op.forward(np, widened(x), target, weight, *options)


def check_entropy(shape, dtype, options):
    reduction, weighted, ignore, smoothing = options
    x, target, weight = scores(shape, dtype, weighted, ignore)
    given = reduction, ignore, smoothing
    loss, total, tops, sums = launched("cross_entropy", x, target, weight, *given)
    right = forward(ENTROPY, x, target, weight, *given)
    wide = np.float64 if dtype == "float64" else np.float32
    assert loss.dtype == x.dtype and tops.dtype == sums.dtype == wide
    assert_near([loss, np.asarray(total), tops, sums], list(map(np.asarray, right)), dtype, 4)
    g = array(np.shape(right[0]), FLOATS[dtype], 3)
    kept = tops, sums, total if reduction == "mean" else 1.0
    found = launched("cross_entropy_backward", g, x, target, weight, *kept, *given)
    assert found.dtype == x.dtype
    with np.errstate(all="ignore"):
        wanted = cross_entropy._of_classes_backward(
            widened(g), widened(x), target, None if weight is None else widened(weight),
            *right[2:], right[1], *given,
        )  # fmt: skip
    assert_near(found, wanted, dtype, 4)


@every_run
def test_cross_entropy(dtype, how):
    options = OPTIONS if how == "plain" and dtype == "float32" else OPTIONS[2::5]
    with stand_in(how):
        for shape, each in product(SHAPES, options):
            check_entropy(shape, dtype, each)


def check_likelihood(shape, dtype, options):
    reduction, weighted, ignore, _ = options
    x, target, weight = scores(shape, dtype, weighted, ignore)
    x = x.reshape(*shape[:2], -1) if len(shape) > 2 else x
    target = target.reshape(len(x), -1) if len(shape) > 2 else target
    found = launched("nll_loss", x, target, weight, reduction, ignore)
    loss, index, factor = forward(LIKELIHOOD, x, target, weight, reduction, ignore)
    factor = np.broadcast_to(np.asarray(factor, np.float64), target.shape)
    assert found[0].dtype == x.dtype and np.array_equal(found[1], index)
    assert_near(found[0], loss, dtype, 4)
    assert_near(found[2], factor, dtype)
    g = array(np.shape(loss), FLOATS[dtype], 3)
    for each in (factor.astype(found[2].dtype), -0.25):
        found = launched("nll_loss_backward", g, x.shape, index, each)
        assert found.dtype == x.dtype
        wanted = classify._nll_backward(widened(g), x.shape, index, widened(each))
        assert_near(found, wanted, dtype)


@every_run
def test_nll_loss(dtype, how):
    options = [o for o in OPTIONS if not o[3]]
    with stand_in(how):
        for shape, each in product(SHAPES, options if dtype == "float32" else options[::5]):
            check_likelihood(shape, dtype, each)


@pytest.mark.parametrize("how", ["plain", "random"])
@pytest.mark.parametrize("shape", [(3300, 10), (40, 10, 90)], ids=str)
def test_many_samples_take_two_launches(shape, how):
    with stand_in(how):
        for options in [("mean", True, 1, 0.2), ("sum", False, -100, 0.0)]:
            x, target, weight = scores(shape, "float32", options[1], options[2])
            with standin.launches() as seen:
                launched("cross_entropy", x, target, weight, options[0], *options[2:])
            assert len(seen) == 2
            check_entropy(shape, "float32", options)


@pytest.mark.parametrize("how", ["plain", "random"])
def test_many_likelihoods_take_two_launches(how):
    with stand_in(how):
        for options in [("mean", True, 1, 0), ("sum", False, -100, 0), ("mean", False, -100, 0)]:
            x, target, weight = scores((8300, 2), "float32", options[1], options[2])
            with standin.launches() as seen:
                launched("nll_loss", x, target, weight, options[0], options[2])
            assert len(seen) == 2
            check_likelihood((8300, 2), "float32", options)


def test_all_ignored():
    """The mean of nothing is NaN, its gradient 0; the sum is 0."""
    x, target = array((5, 4), "f4"), np.full(5, 2)
    with stand_in():
        mean = launched("cross_entropy", x, target, None, "mean", 2, 0.1)
        assert np.isnan(mean[0]) and mean[1] == 0
        assert launched("cross_entropy", x, target, None, "sum", 2, 0.1)[0] == 0
        g = np.ones((), np.float32)
        kept = mean[2], mean[3], mean[1]
        given = launched("cross_entropy_backward", g, x, target, None, *kept, "mean", 2, 0.1)
        assert not given.any()
        loss, index, factor = launched("nll_loss", x, target, None, "mean", 2)
        assert np.isnan(loss) and not index.any() and not factor.any()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_special_scores(smoothing):
    """NaN and infinite scores, of the class and beside it, in samples that count and that do not."""
    x = array((9, 6), "f4")
    x[0, 2], x[1, 2], x[2, 2], x[3, 1], x[4, 1] = np.nan, np.inf, -np.inf, np.inf, -np.inf
    x[5, :], x[6, :], x[7, 0], x[8] = -np.inf, np.inf, np.nan, x[8] * 1e30
    target = np.array([2, 2, 2, 2, 2, 2, 2, 4, 0])
    g = np.ones(9, np.float32)
    options = "none", 4, smoothing
    with stand_in(), np.errstate(all="ignore"):
        loss, total, tops, sums = launched("cross_entropy", x, target, None, *options)
        right = forward(ENTROPY, x, target, None, *options)
        assert_near(loss, right[0], "float32")
        found = launched("cross_entropy_backward", g, x, target, None, tops, sums, 1.0, *options)
        wanted = cross_entropy._of_classes_backward(
            g.astype("f8"), x.astype("f8"), target, None, *right[2:], 1.0, *options
        )
        assert_near(found, wanted, "float32")


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("n", [4, 9000])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_class_that_there_is_not(name, n, reduction):
    """IndexError names the first; without the check it is NaN, and nothing is read that is not
    there."""
    x, target = array((n, 4), "f4"), np.zeros(n, np.int64)
    target[n // 2 :] = 7
    target[1] = -100
    options = (reduction, -100, 0.0)[: 3 if name == "cross_entropy" else 2]
    with stand_in() as xp:
        for wrong in (7, -1, 1 << 40):
            target[n // 2] = wrong
            with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
                launched(name, x, target, None, *options)
        xp.check_indices = False
        loss = np.atleast_1d(launched(name, x, target, None, *options)[0])
        assert np.isnan(loss[-1]) and (n != 4 or reduction == "mean" or loss[1] == 0)


def test_declines_what_the_body_refuses_or_does():
    x, target = array((3, 4), "f4"), np.zeros(3, np.int64)
    rest = "mean", -100, 0.0
    cases = [
        (x, target.astype(np.uint8), None), (x[:0], target[:0], None), (x[:, :0], target, None),
        (x, target, np.ones(4)), (x, target, np.ones(3, np.float32)), (x.astype("c8"), target, None),
    ]  # fmt: skip
    with stand_in():
        for case in cases:
            assert launched("cross_entropy", *case, *rest) is NotImplemented
            assert launched("nll_loss", *case, *rest[:2]) is NotImplemented
        g = np.ones((), np.float64)
        kept = np.ones(3, np.float32), np.ones(3, np.float32), 1.0
        given = g, x, target, None, *kept, *rest
        assert launched("cross_entropy_backward", *given) is NotImplemented
        given = g.astype(np.int64), (3, 4), target, -1.0
        assert launched("nll_loss_backward", *given) is NotImplemented
