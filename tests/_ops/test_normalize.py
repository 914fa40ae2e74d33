"""Normalizations: statistics, running statistics as writes, constant rows, half types, errors."""

import numpy as np
import pytest

import autograd_gpu as ag

from .against_torch import same, same_error, tensors


@pytest.mark.parametrize("shapes, size", [
    (((3, 4),), (4,)), (((3, 4), (4,), (4,)), (4,)), (((2, 3, 4), (3, 4), (3, 4)), (3, 4)), (((4,), (4,)), (4,)),
    (((0, 4), (4,), (4,)), (4,)), (((300, 400), (400,), (400,)), (400,)),
])  # fmt: skip
def test_layer_norm(shapes, size, torch):
    same(torch, lambda m, F, x, *p: F.layer_norm(x, size, *p), *tensors(*shapes))


def test_constant_rows():
    x = ag.full((1, 3), 2.0, dtype=ag.float64, requires_grad=True)
    y = ag.nn.functional.layer_norm(x, (3,))
    y.sum().backward()
    assert y.tolist() == [[0.0, 0.0, 0.0]]
    assert x.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_large_means_in_float32():
    x = ag.tensor([[1e4, 1e4 + 1, 1e4 + 2]])
    np.testing.assert_allclose(
        ag.nn.functional.layer_norm(x, (3,)).tolist()[0], [-1.2247, 0, 1.2247], atol=1e-3
    )


@pytest.mark.parametrize(
    "shape, groups", [((2, 4, 3), 2), ((2, 4), 2), ((2, 6, 2, 2), 6), ((2, 4, 2, 2), 1)]
)
def test_group_norm(shape, groups, torch):
    channels = (shape[1],)
    same(
        torch, lambda m, F, x, *p: F.group_norm(x, groups, *p), *tensors(shape, channels, channels)
    )


def test_rms_norm(torch):
    same(torch, lambda m, F, x: F.rms_norm(x, (4,)), *tensors((3, 4)))
    same(torch, lambda m, F, x, w: F.rms_norm(x, (3, 4), w, 0.1), *tensors((2, 3, 4), (3, 4)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_batch_norm(shape, training, torch):
    """Values, derivatives and the running statistics, which are written."""
    for name in ("batch_norm", "instance_norm") if len(shape) > 2 else ("batch_norm",):
        mean, var = tensors((3,), seed=7)[0].detach(), ag.full((3,), 1.5, dtype=ag.float64)
        version = mean._version

        def call(m, F, x, w, b, rm, rv, name=name):
            rm, rv = rm.clone(), rv.clone()
            return getattr(F, name)(x, rm, rv, w, b, training, 0.3), rm, rv

        same(torch, call, *tensors(shape, (3,), (3,)), mean, var)
        getattr(ag.nn.functional, name)(tensors(shape)[0], mean, var, None, None, training, 0.3)
        assert (mean._version > version) == training


def test_unbiased_running_variance():
    mean, var = ag.zeros(1), ag.ones(1)
    y = ag.nn.functional.batch_norm(
        ag.tensor([[1.0], [3.0]]), mean, var, training=True, momentum=1.0
    )
    assert var.item() == 2.0
    np.testing.assert_allclose(y.tolist(), [[-0.999995], [0.999995]], rtol=1e-6)


def test_local_response_norm(torch):
    same(torch, lambda m, F, x: F.local_response_norm(x, 3, alpha=0.3), *tensors((2, 5, 4)))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_other_types(dtype, torch):
    x, w, b = tensors((5, 40), (40,), (40,), dtype=dtype)
    same(torch, lambda m, F, *t: F.layer_norm(t[0], (40,), *t[1:]), x, w, b, second=False)
    same(torch, lambda m, F, *t: F.group_norm(t[0], 4, *t[1:]), x, w, b, second=False)
    same(
        torch, lambda m, F, *t: F.batch_norm(t[0], None, None, *t[1:], True), x, w, b, second=False
    )


ERRORS = [
    lambda m, F: F.layer_norm(m.ones(2, 3), (4,)),
    lambda m, F: F.layer_norm(m.ones(2, 3), (3,), m.ones(2)),
    lambda m, F: F.layer_norm(m.ones(2, 3), ()),
    lambda m, F: F.layer_norm(m.ones(2, 3), (3,), None, m.ones(2)),
    lambda m, F: F.layer_norm(m.ones(2, 3), (3,), m.ones(3, dtype=m.float64)),
    lambda m, F: F.group_norm(m.ones(2, 3, 4), 2),
    lambda m, F: F.group_norm(m.ones(2, 4, 4), 2, m.ones(3)),
    lambda m, F: F.group_norm(m.ones(2), 2),
    lambda m, F: F.group_norm(m.ones(1, 2), 2),
    lambda m, F: F.rms_norm(m.ones(2, 3), (4,)),
    lambda m, F: F.batch_norm(m.ones(1, 3), None, None, training=True),
    lambda m, F: F.batch_norm(m.ones(2, 3), None, None),
    lambda m, F: F.batch_norm(m.ones(2, 3), m.ones(2), m.ones(2)),
    lambda m, F: F.batch_norm(m.ones(2, 3), m.ones(3), m.ones(3), m.ones(2)),
    lambda m, F: F.instance_norm(m.ones(2, 3, 1)),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call, torch):
    same_error(torch, call)
