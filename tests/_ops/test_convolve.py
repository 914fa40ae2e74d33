"""Convolutions, transposed ones, windows as columns, and pooling."""

import math

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops import convolve

from .against_torch import same, same_error, tensors

CONV2D = [
    ((2, 3, 5, 6), (4, 3, 3, 2), (4,), {}),
    ((3, 5, 6), (4, 3, 3, 2), (4,), {}),
    ((2, 4, 7, 8), (6, 2, 3, 2), (6,), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}),
    ((2, 4, 7, 8), (4, 1, 3, 3), (4,), {"padding": 1, "groups": 4}),
    ((2, 3, 5, 6), (4, 3, 3, 3), (4,), {"padding": "same"}),
    ((2, 3, 5, 6), (4, 3, 2, 4), (4,), {"padding": "same", "dilation": 2}),
    ((2, 3, 5, 6), (4, 3, 2, 4), (4,), {"padding": "valid"}),
    ((2, 3, 5, 6), (4, 3, 2, 4), (4,), {"padding": (2, 1), "stride": (1, 3)}),
    ((0, 1, 4, 4), (1, 1, 3, 3), (1,), {}),
    ((40, 2, 7, 6), (3, 2, 3, 3), (3,), {"stride": (2, 1), "padding": (1, 2)}),
    ((2, 3, 4, 4), (5, 3, 1, 1), (5,), {}),
]


@pytest.mark.parametrize("case", CONV2D, ids=str)
@pytest.mark.parametrize("room", [1 << 22, 50])
def test_conv2d(case, room, torch, monkeypatch):
    """Also where the windows are made in pieces."""
    monkeypatch.setattr(convolve, "_ROOM", room)
    *shapes, options = case
    node = "SqueezeBackward1" if len(shapes[0]) == 3 else "ConvolutionBackward0"
    same(torch, lambda m, F, x, w, b: F.conv2d(x, w, b, **options), *tensors(*shapes), node=node)


def test_other_dimensions(torch):
    same(
        torch,
        lambda m, F, *t: F.conv1d(*t, stride=2, padding=1),
        *tensors((2, 3, 7), (4, 3, 3), (4,)),
    )
    same(
        torch, lambda m, F, *t: F.conv3d(*t, padding=1), *tensors((1, 2, 3, 4, 4), (3, 2, 2, 3, 2))
    )


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_conv2d_of_other_types(dtype, torch):
    inputs = tensors((2, 3, 8, 8), (4, 3, 3, 3), (4,), dtype=dtype)
    same(torch, lambda m, F, *t: F.conv2d(*t), *inputs, second=False)


def test_integers(torch):
    x, w = ag.arange(16).reshape(1, 1, 4, 4), ag.arange(4).reshape(1, 1, 2, 2)
    same(torch, lambda m, F, a, b: F.conv2d(a, b), x, w)


def test_result_is_contiguous():
    x, w = tensors((40, 2, 6, 6), (3, 2, 3, 3))
    y = ag.nn.functional.conv2d(x, w)
    assert y.is_contiguous()
    assert ag.autograd.grad(y.sum(), x)[0].is_contiguous()


TRANSPOSED = [
    ((2, 3, 4, 5), (3, 4, 3, 2), None, {}),
    (
        (2, 4, 4, 5),
        (4, 3, 3, 2),
        (6,),
        {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2},
    ),
    ((2, 3, 3), (2, 2, 3, 2), None, {"stride": 2, "dilation": 2}),
]


@pytest.mark.parametrize("case", TRANSPOSED, ids=str)
def test_conv_transpose2d(case, torch):
    *shapes, options = case
    inputs = tensors(*(s for s in shapes if s))
    node = "AddBackward0" if shapes[2] else "SqueezeBackward1" if len(shapes[0]) == 3 else None
    same(torch, lambda m, F, *t: F.conv_transpose2d(*t, **options), *inputs, node=node)


def test_transpose_is_the_adjoint():
    x, w = tensors((2, 3, 7), (4, 3, 3))
    y = ag.nn.functional.conv1d(x, w, stride=2)
    g = tensors(tuple(y.shape), seed=3)[0]
    back = ag.nn.functional.conv_transpose1d(g, w, stride=2)
    np.testing.assert_allclose((y * g).sum().item(), (x * back).sum().item())


def test_unfold_and_fold(torch):
    same(torch, lambda m, F, x: F.unfold(x, (2, 3), 1, 1, 2), *tensors((2, 3, 5, 6)))
    same(torch, lambda m, F, x: F.fold(x, (5, 6), 2), *tensors((2, 12, 20)))


MAX = [
    ((2, 3, 4, 4), (2,)), ((2, 3, 5, 7), (2,)), ((3, 6, 6), ((2, 3),)), ((2, 3, 7, 7), (3, 2, 1)),
    ((2, 3, 7, 7), (2, 1, 0, 2)), ((2, 3, 7, 7), (2, 2, 0, 1, True)), ((2, 3, 8, 7), (3, 2, 1, 1, True)),
    ((0, 1, 4, 4), (2,)),
]  # fmt: skip


@pytest.mark.parametrize("shape, options", MAX, ids=str)
def test_max_pool2d(shape, options, torch):
    same(torch, lambda m, F, x: F.max_pool2d(x, *options), *tensors(shape))
    same(torch, lambda m, F, x: F.max_pool2d(x, *options, return_indices=True) if len(options) == 5 else
         F.max_pool2d(x, *options, return_indices=True), *tensors(shape))  # fmt: skip


@pytest.mark.parametrize("stride", [1, 2])
def test_max_pool2d_of_ties_and_nan(stride, torch):
    ties = ag.tensor([[1.0, 1, 2, 2], [1, 1, 0, 2], [3, 3, 3, 3], [3, 3, 3, 3]]).reshape(1, 1, 4, 4)
    same(torch, lambda m, F, x: F.max_pool2d(x, 2, stride), ties.double().requires_grad_())
    x = ag.tensor([[math.nan, 1.0], [2.0, 3.0]]).reshape(1, 1, 2, 2).double().requires_grad_()
    same(torch, lambda m, F, a: F.max_pool2d(a, 2, stride), x, second=False)


AVG = [
    ((2, 3, 4, 4), (2,)), ((2, 3, 5, 7), (2,)), ((3, 6, 6), ((2, 3),)), ((2, 3, 7, 7), (3, 2, 1)),
    ((2, 3, 7, 7), (3, 2, 1, False, False)), ((2, 3, 8, 7), (3, 2, 1, True, False)),
    ((2, 3, 8, 7), (3, 2, 1, True, True)), ((2, 3, 7, 7), (2, None, 0, False, True, 3)),
]  # fmt: skip


@pytest.mark.parametrize("shape, options", AVG, ids=str)
def test_avg_pool2d(shape, options, torch):
    same(torch, lambda m, F, x: F.avg_pool2d(x, *options), *tensors(shape))


def test_pooling_of_signals(torch):
    same(torch, lambda m, F, x: F.max_pool1d(x, 3, 2, 1), *tensors((2, 3, 7)))
    same(torch, lambda m, F, x: F.max_pool1d(x, 2, return_indices=True), *tensors((3, 6)))
    same(torch, lambda m, F, x: F.avg_pool1d(x, 3, 2, 1, True, False), *tensors((2, 3, 7)))


@pytest.mark.parametrize(
    "shape, size",
    [((2, 3, 5, 7), (2, 3)), ((3, 6, 6), 2), ((2, 3, 6, 6), 1), ((2, 3, 2, 3), (4, 5))],
)
def test_adaptive_pooling(shape, size, torch):
    same(torch, lambda m, F, x: F.adaptive_avg_pool2d(x, size), *tensors(shape))
    same(
        torch, lambda m, F, x: F.adaptive_max_pool2d(x, size, return_indices=True), *tensors(shape)
    )


def test_adaptive_pooling_of_signals(torch):
    same(torch, lambda m, F, x: F.adaptive_avg_pool1d(x, 2), *tensors((2, 3, 5)))
    same(torch, lambda m, F, x: F.adaptive_max_pool1d(x, 2), *tensors((2, 3, 5)))
    same(torch, lambda m, F, x: F.adaptive_avg_pool2d(x, (None, 2)), *tensors((2, 3, 5, 4)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_pooling_of_half_types(dtype, torch):
    for name in ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"):
        same(
            torch,
            lambda m, F, x, n=name: getattr(F, n)(x, 3),
            *tensors((2, 3, 6, 6), dtype=dtype),
            second=False,
        )


ERRORS = [
    lambda m, F: F.conv2d(m.ones(1, 1, 2, 2), m.ones(1, 1, 3, 3)),
    lambda m, F: F.conv2d(m.ones(1, 2, 5, 5), m.ones(1, 1, 3, 3)),
    lambda m, F: F.conv2d(m.ones(1, 5, 5, 5, 5), m.ones(1, 1, 3, 3)),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), m.ones(2)),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), stride=0),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), padding=-1),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), padding="x"),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), padding="same", stride=2),
    lambda m, F: F.conv2d(m.ones(1, 3, 5, 5), m.ones(1, 1, 3, 3), groups=2),
    lambda m, F: F.conv2d(m.ones(1, 2, 5, 5), m.ones(3, 1, 3, 3), groups=2),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3, dtype=m.float64)),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), stride=(1, 2, 3)),
    lambda m, F: F.conv2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), dilation=0),
    lambda m, F: F.conv_transpose2d(m.ones(1, 2, 5, 5), m.ones(1, 1, 3, 3)),
    lambda m, F: F.conv_transpose2d(m.ones(1, 1, 5, 5), m.ones(1, 1, 3, 3), output_padding=1),
    lambda m, F: F.unfold(m.ones(1, 1, 2, 2), 3),
    lambda m, F: F.fold(m.ones(1, 5, 4), (3, 3), 2),
    lambda m, F: F.fold(m.ones(1, 4, 5), (3, 3), 2),
    lambda m, F: F.max_pool2d(m.ones(1, 1, 2, 2), 2, padding=2),
    lambda m, F: F.max_pool2d(m.ones(2, 2), 2),
    lambda m, F: F.max_pool2d(m.ones(1, 1, 2, 2), 3),
    lambda m, F: F.max_pool2d(m.ones(1, 1, 2, 2), 2, stride=0),
    lambda m, F: F.max_pool2d(m.ones(1, 1, 2, 2), (2, 2, 2)),
    lambda m, F: F.max_pool2d(m.ones(1, 1, 4, 4), 2, dilation=0),
    lambda m, F: F.max_pool2d(m.ones(1, 0, 4, 4), 2),
    lambda m, F: F.max_pool1d(m.ones(4), 2),
    lambda m, F: F.max_pool1d(m.ones(1, 4), 2, padding=2),
    lambda m, F: F.avg_pool2d(m.ones(1, 1, 2, 2), 3),
    lambda m, F: F.avg_pool2d(m.ones(1, 1, 2, 2), 2, divisor_override=0),
    lambda m, F: F.adaptive_avg_pool2d(m.ones(2, 2), 2),
    lambda m, F: F.adaptive_avg_pool2d(m.ones(1, 2, 2), (1, 2, 3)),
    lambda m, F: F.adaptive_max_pool2d(m.ones(2, 2), 2),
    lambda m, F: F.adaptive_avg_pool2d(m.ones(1, 1, 0, 2), 2),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call, torch):
    same_error(torch, call)
