"""embedding, one_hot, attention, and images in other resolutions."""

import math

import numpy as np
import pytest

import autograd_gpu as ag

from .against_torch import same, same_error, tensors


@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"padding_idx": -1}], ids=str)
def test_embedding(options, torch):
    i = ag.tensor([[0, 2, 1], [2, 2, 0]])
    same(torch, lambda m, F, i, w: F.embedding(i, w, **options), i, *tensors((4, 5)))


def test_embedding_by_frequency(torch):
    i = ag.tensor([0, 2, 2])
    same(
        torch,
        lambda m, F, i, w: F.embedding(i, w, scale_grad_by_freq=True),
        i,
        *tensors((4, 5)),
        second=False,
    )


def test_max_norm_shortens_the_rows_that_are_used():
    w = ag.tensor([[3.0, 4.0], [6.0, 8.0]])
    out = ag.nn.functional.embedding(ag.tensor([1]), w, max_norm=5.0)
    np.testing.assert_allclose(out.tolist(), [[3.0, 4.0]], rtol=1e-5)
    np.testing.assert_allclose(w.tolist(), [[3.0, 4.0], [3.0, 4.0]], rtol=1e-5)
    assert w._version == 1


def test_one_hot(torch):
    i = ag.tensor([[0, 2], [1, 0]])
    same(torch, lambda m, F, x: F.one_hot(x), i)
    same(torch, lambda m, F, x: F.one_hot(x, 5), i)


@pytest.mark.parametrize("options", [{}, {"is_causal": True, "scale": 0.3}], ids=str)
def test_attention(options, torch):
    inputs = tensors((2, 3, 4), (2, 3, 4), (2, 3, 2))
    same(torch, lambda m, F, *t: F.scaled_dot_product_attention(*t, **options), *inputs)


def test_attention_with_masks(torch):
    inputs = tensors((2, 2, 4), (2, 3, 4), (2, 3, 2))
    mask = ag.tensor([[True, False, True], [False, False, False]])
    same(torch, lambda m, F, *t: F.scaled_dot_product_attention(*t), *inputs, mask)
    same(
        torch,
        lambda m, F, *t: F.scaled_dot_product_attention(*t),
        *inputs,
        *tensors((2, 3), seed=9),
    )


def test_a_query_that_sees_nothing_gives_zeros():
    q, k, v = (ag.ones(1, 2, requires_grad=True) for _ in range(3))
    out = ag.nn.functional.scaled_dot_product_attention(q, k, v, ag.tensor([[False]]))
    out.sum().backward()
    assert out.tolist() == [[0.0, 0.0]]
    assert not math.isnan(q.grad.sum().item())


def test_fewer_heads_of_keys(torch):
    inputs = tensors((1, 4, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4))
    same(
        torch, lambda m, F, *t: F.scaled_dot_product_attention(*t, enable_gqa=True), *inputs, second=False,
        node="UnsafeViewBackward0",
    )  # fmt: skip


def test_pixel_shuffle(torch):
    same(torch, lambda m, F, x: F.pixel_shuffle(x, 2), *tensors((1, 8, 2, 3)), node="ViewBackward0")
    same(torch, lambda m, F, x: F.pixel_unshuffle(x, 2), *tensors((2, 4, 6)), node="ViewBackward0")


@pytest.mark.parametrize("shape, options", [
    ((1, 2, 2, 3), {"scale_factor": 2}), ((1, 2, 5, 3), {"size": (3, 7)}),
    ((1, 2, 5, 3), {"size": (3, 7), "mode": "nearest-exact"}), ((1, 2, 3, 3), {"size": (5, 4), "mode": "bilinear"}),
    ((1, 2, 3, 3), {"size": (5, 4), "mode": "bilinear", "align_corners": True}),
    ((1, 2, 6, 5), {"scale_factor": 0.7, "mode": "bilinear"}), ((1, 1, 4), {"size": 7, "mode": "linear"}),
    ((1, 2, 6, 5), {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True}),
    ((1, 1, 5, 4), {"size": 2, "mode": "area"}), ((1, 1, 4, 4), {"scale_factor": 1.5, "mode": "bicubic"}),
    ((1, 1, 2, 3, 2), {"size": (3, 2, 4), "mode": "trilinear"}),
])  # fmt: skip
def test_interpolate(shape, options, torch):
    same(
        torch,
        lambda m, F, x: F.interpolate(x, **options),
        *tensors(shape),
        node="UpsampleBackward0",
    )


ERRORS = [
    lambda m, F: F.embedding(m.tensor([5]), m.ones(2, 3)),
    lambda m, F: F.embedding(m.tensor([-1]), m.ones(2, 3)),
    lambda m, F: F.embedding(m.ones(2), m.ones(2, 3)),
    lambda m, F: F.embedding(m.tensor([1]), m.ones(2, 3), padding_idx=4),
    lambda m, F: F.embedding(m.tensor([1]), m.ones(2)),
    lambda m, F: F.one_hot(m.tensor([5]), 3),
    lambda m, F: F.one_hot(m.tensor([-1])),
    lambda m, F: F.one_hot(m.ones(2)),
    lambda m, F: F.one_hot(m.tensor([], dtype=m.int64)),
    lambda m, F: F.pixel_shuffle(m.ones(1, 3, 2, 2), 2),
    lambda m, F: F.pixel_unshuffle(m.ones(1, 1, 3, 4), 2),
    lambda m, F: F.interpolate(m.ones(1, 1, 2, 2)),
    lambda m, F: F.interpolate(m.ones(1, 1, 2, 2), size=2, align_corners=True),
    lambda m, F: F.scaled_dot_product_attention(m.ones(2, 3, 4), m.ones(2, 3, 5), m.ones(2, 3, 4)),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call, torch):
    same_error(torch, call)
