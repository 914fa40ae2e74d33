"""Losses: reductions, weights, extremes, shapes, errors and warnings."""

import math

import numpy as np
import pytest

import autograd_gpu as ag

from .against_torch import same, same_error, tensors

REDUCTIONS = ["mean", "sum", "none"]


def fixed(shape, low=0.1, high=0.9, seed=5):
    return tensors(shape, low=low, high=high, seed=seed)[0].detach()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_differences(name, reduction, torch):
    def call(m, F, x, y, **options):
        return getattr(F, name)(x, y, reduction=reduction, **options)

    same(torch, call, *tensors((3, 4), (3, 4)))
    same(torch, call, *tensors((3, 4), (4,)))
    same(torch, call, *tensors((20,), (20,), dtype="float16"), second=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weighted_differences(name, reduction, torch):
    same(
        torch, lambda m, F, x, y, w: getattr(F, name)(x, y, reduction=reduction, weight=w),
        *tensors((3, 4), (3, 4)), fixed((3, 4)),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["l1_loss", "smooth_l1_loss"])
def test_kinks(name, torch):
    x = ag.tensor([-1.0, 0.0, 1.0], dtype=ag.float64, requires_grad=True)
    same(
        torch,
        lambda m, F, a: getattr(F, name)(a, a.detach() * 0, reduction="none"),
        x,
        second=False,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_two_classes(reduction, torch):
    x, p = tensors((3, 4))[0], tensors((3, 4), low=0.1, high=0.9)[0]
    t, w = fixed((3, 4)), fixed((4,), 0.5, 2.0)
    same(torch, lambda m, F, a, b: F.binary_cross_entropy(a, b, reduction=reduction), p, t)
    same(torch, lambda m, F, a, b, c: F.binary_cross_entropy(a, b, c, reduction=reduction), p, t, w)
    for weight in (None, w):
        for positive in (None, w):
            same(
                torch,
                lambda m, F, a, b, c, d: F.binary_cross_entropy_with_logits(
                    a, b, c, reduction=reduction, pos_weight=d
                ),
                x, t, weight, positive,
            )  # fmt: skip


def test_two_classes_at_the_ends(torch):
    t = ag.tensor([0.0, 1.0], dtype=ag.float64)
    p = ag.tensor([1.0, 0.0], dtype=ag.float64, requires_grad=True)
    x = ag.tensor([1000.0, -1000.0], dtype=ag.float64, requires_grad=True)
    same(
        torch, lambda m, F, a, b: F.binary_cross_entropy(a, b, reduction="none"), p, t, second=False
    )
    same(
        torch,
        lambda m, F, a, b: F.binary_cross_entropy_with_logits(a, b, reduction="none"),
        x,
        t,
        second=False,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classes(name, reduction, weighted, torch):
    w = fixed((4,), 0.5, 2.0) if weighted else None

    def call(m, F, x, t, weight, **options):
        return getattr(F, name)(x, t, weight, reduction=reduction, **options)

    for shape, target in [
        ((3, 4), [0, 3, 1]),
        ((3, 4), [0, -100, 1]),
        ((2, 4, 3), [[0, 1, 3], [2, 2, 0]]),
    ]:
        same(torch, call, *tensors(shape), ag.tensor(target), w)
    same(torch, lambda *a: call(*a, ignore_index=2), *tensors((3, 4)), ag.tensor([0, 2, 1]), w)
    one = "ViewBackward0" if reduction == "none" else None
    same(torch, call, *tensors((4,)), ag.tensor(2), w, node=one)
    grid = ag.tensor(np.arange(12).reshape(2, 2, 3) % 4)
    same(torch, call, *tensors((2, 4, 2, 3)), grid, w, node=one)
    same(torch, call, *tensors((2, 4)), ag.tensor([-100, -100]), w, second=False)
    same(torch, call, *tensors((0, 4)), ag.zeros(0, dtype=ag.int64), w, second=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_smoothed_and_soft_targets(reduction, torch):
    x = tensors((3, 4))[0]
    hard, soft = ag.tensor([0, -100, 3]), fixed((3, 4))
    node = "DivBackward0" if reduction == "mean" else None
    same(
        torch,
        lambda m, F, a, t: F.cross_entropy(a, t, label_smoothing=0.3, reduction=reduction),
        x,
        hard,
    )
    same(torch, lambda m, F, a, t: F.cross_entropy(a, t, reduction=reduction), x, soft, node=node)
    same(
        torch,
        lambda m, F, a, t: F.cross_entropy(a, t, label_smoothing=0.1, reduction=reduction),
        x,
        soft,
        node=node,
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_many_classes_take_the_fused_way(reduction, torch):
    t = ag.tensor(np.arange(40) * 25 % 1000)
    call = lambda m, F, x, y: F.cross_entropy(x, y, reduction=reduction)
    same(torch, call, *tensors((40, 1000)), t)
    same(torch, call, *tensors((40, 1000), dtype="float32"), t, second=False)


@pytest.mark.parametrize(
    "values, target, smoothing",
    [([1e4, 0.0], 1, 0.0), ([-math.inf, 0.0], 0, 0.0), ([-math.inf, 0.0], 1, 0.1)],
)
def test_cross_entropy_of_extremes(values, target, smoothing, torch):
    x = ag.tensor([values], dtype=ag.float64, requires_grad=True)
    same(
        torch, lambda m, F, a, t: F.cross_entropy(a, t, label_smoothing=smoothing), x, ag.tensor([target]),
        second=False,
    )  # fmt: skip


def test_graph_of_cross_entropy():
    x = ag.ones(2, 3, requires_grad=True)
    node = ag.nn.functional.cross_entropy(x, ag.tensor([0, 1])).grad_fn
    assert node.name() == "NllLossBackward0"
    assert node.next_functions[0][0].name() == "LogSoftmaxBackward0"


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_divergences_and_likelihoods(reduction, torch):
    x, y = tensors((3, 4), (3, 4))
    t, v = fixed((3, 4)), tensors((3, 4), low=0.3, high=2.0)[0]
    same(torch, lambda m, F, a, b: F.kl_div(a, b, reduction=reduction), x, t)
    same(torch, lambda m, F, a, b: F.kl_div(a, b, reduction=reduction, log_target=True), x, y)
    same(
        torch, lambda m, F, a, b: F.poisson_nll_loss(a, b * 4, full=True, reduction=reduction), x, t
    )
    same(
        torch,
        lambda m, F, a, b: F.poisson_nll_loss(a, b, log_input=False, reduction=reduction),
        v,
        t,
    )
    same(
        torch,
        lambda m, F, a, b, c: F.gaussian_nll_loss(a, b, c, full=True, reduction=reduction),
        x,
        y,
        v,
    )


MARGINS = {
    "hinge_embedding_loss": lambda F, x, y, z, o: F.hinge_embedding_loss(x, o(x), **z),
    "margin_ranking_loss": lambda F, x, y, z, o: F.margin_ranking_loss(x, y, o(x), margin=0.3, **z),
    "triplet_margin_loss": lambda F, x, y, z, o: F.triplet_margin_loss(x, y, x * y, swap=True, **z),
    "soft_margin_loss": lambda F, x, y, z, o: F.soft_margin_loss(x, o(x), **z),
    "multilabel_soft_margin_loss": lambda F, x, y, z, o: F.multilabel_soft_margin_loss(
        x, o(x), **z
    ),
    "cosine_embedding_loss": lambda F, x, y, z, o: F.cosine_embedding_loss(x, y, o(x[:, 0]), **z),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", MARGINS)
def test_margins(name, reduction, torch):
    sign = lambda x: x.detach().sign()
    call = lambda m, F, x, y: MARGINS[name](F, x, y, {"reduction": reduction}, sign)
    same(torch, call, *tensors((4, 3), (4, 3)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("p", [1, 2])
def test_multi_margin(p, reduction, torch):
    call = lambda m, F, x, t: F.multi_margin_loss(x, t, p=p, margin=0.7, reduction=reduction)
    same(torch, call, *tensors((4, 3)), ag.tensor([0, 2, 1, 1]))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multilabel_margin(reduction, torch):
    t = ag.tensor([[0, 2, -1, 1], [3, -1, 0, 0]])
    call = lambda m, F, x, t: F.multilabel_margin_loss(x, t, reduction=reduction)
    same(torch, call, *tensors((2, 4)), t)


def long(m, *shape):
    return m.zeros(shape, dtype=m.int64)


ERRORS = [
    lambda m, F: F.mse_loss(m.ones(2, 3), m.ones(3)),
    lambda m, F: F.mse_loss(m.ones(2, 3), m.ones(4)),
    lambda m, F: F.mse_loss(m.ones(2), m.ones(2), reduction="x"),
    lambda m, F: F.mse_loss(m.ones(2), m.ones(2), size_average=False),
    lambda m, F: F.mse_loss(long(m, 2), long(m, 2)),
    lambda m, F: F.huber_loss(m.ones(2), m.ones(2), delta=0.0),
    lambda m, F: F.smooth_l1_loss(m.ones(2), m.ones(2), beta=-1.0),
    lambda m, F: F.nll_loss(m.ones(2, 3), long(m, 3)),
    lambda m, F: F.nll_loss(m.ones(2, 3), long(m, 2, 3)),
    lambda m, F: F.nll_loss(m.ones(2, 3), m.ones(2)),
    lambda m, F: F.nll_loss(m.ones(2, 3), long(m, 2), weight=m.ones(2)),
    lambda m, F: F.nll_loss(m.ones(2, 3), long(m, 2), weight=m.ones(3, requires_grad=True)),
    lambda m, F: F.nll_loss(m.ones(2, 3), m.tensor([5, 0])),
    lambda m, F: F.nll_loss(m.ones(2, 3), m.tensor([-1, 0])),
    lambda m, F: F.nll_loss(m.ones(2, 3, 4), long(m, 2, 5)),
    lambda m, F: F.nll_loss(m.ones(2, 3, 4, 4), long(m, 2, 5, 4)),
    lambda m, F: F.cross_entropy(m.ones(1, 2), m.tensor([2])),
    lambda m, F: F.cross_entropy(m.ones(1, 2), m.tensor([1.0])),
    lambda m, F: F.cross_entropy(m.ones(2, 3), long(m, 3)),
    lambda m, F: F.cross_entropy(m.ones(2, 3), long(m, 2), label_smoothing=2.0),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.ones(2, 3), ignore_index=1),
    lambda m, F: F.cross_entropy(m.ones(2, 3), m.ones(2, 3), weight=m.ones(2)),
    lambda m, F: F.cross_entropy(m.ones(2, 3), long(m, 2), reduction="x"),
    lambda m, F: F.cross_entropy(long(m, 2, 3), long(m, 2)),
    lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(3)),
    lambda m, F: F.binary_cross_entropy(m.ones(2) * 2, m.ones(2)),
    lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(2, dtype=m.float64)),
    lambda m, F: F.binary_cross_entropy_with_logits(m.ones(2), m.ones(3)),
    lambda m, F: F.kl_div(m.ones(2), m.ones(2)),
    lambda m, F: F.gaussian_nll_loss(m.ones(2), m.ones(2), -m.ones(2)),
    lambda m, F: F.gaussian_nll_loss(m.ones(2, 3), m.ones(2, 3), m.ones(3)),
    lambda m, F: F.margin_ranking_loss(m.ones(2), m.ones(2, 2), m.ones(2)),
    lambda m, F: F.triplet_margin_loss(m.ones(2, 3), m.ones(2, 3), m.ones(3)),
    lambda m, F: F.triplet_margin_loss(m.ones(2, 3), m.ones(2, 3), m.ones(2, 3), margin=0.0),
    lambda m, F: F.multi_margin_loss(m.ones(2, 3), long(m, 3)),
    lambda m, F: F.multi_margin_loss(m.ones(2, 3), long(m, 2), p=3),
    lambda m, F: F.multi_margin_loss(m.ones(2, 3), long(m, 2) + 7),
    lambda m, F: F.multilabel_margin_loss(m.ones(2, 3), long(m, 2, 2)),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors_and_warnings(call, torch):
    same_error(torch, call)
