"""nn.utils: clipping of gradients, parameters as one vector."""
import math

import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu.nn import utils


def parameters(*grads):
    made = []
    for grad in grads:
        p = nn.Parameter(ag.zeros(len(grad)))
        p.grad = ag.tensor(grad)
        made.append(p)
    return made


@pytest.mark.parametrize(
    "order, total",
    [(2.0, 30**0.5), (1, 10.0), (math.inf, 4.0), ("inf", 4.0), (0, 2.0), (3.0, 100 ** (1 / 3)),
     (-math.inf, 1.0)],
)  # fmt: skip
def test_clip_grad_norm(order, total):
    ps = parameters([3.0, 4.0], [1.0, 2.0])
    grads = [p.grad for p in ps]
    result = utils.clip_grad_norm_(iter(ps), 1.0, order)
    assert result.item() == pytest.approx(total) and result.shape == ()
    factor = min(1.0, 1 / (total + 1e-6))
    assert all(p.grad is g for p, g in zip(ps, grads, strict=True))
    assert ps[0].grad.tolist() == pytest.approx([3 * factor, 4 * factor])
    assert ps[1].grad.tolist() == pytest.approx([factor, 2 * factor])
    assert grads[0]._version >= 1


def test_clip_grad_norm_special_cases():
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    assert utils.clip_grad_norm_([nn.Parameter(ag.ones(2))], 1.0).item() == 0
    (p,) = parameters([3.0, 4.0])
    assert utils.clip_grad_norm_(p, 10.0).item() == 5 and p.grad.tolist() == [3, 4]
    (p,) = parameters([1.0, math.nan])
    with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.tolist()[0] == 1.0
    assert math.isnan(utils.clip_grad_norm_(p, 1.0).item()) and math.isnan(p.grad.tolist()[0])
    for size in (1e30, 1e-30):
        (p,) = parameters([3 * size, 4 * size])
        assert utils.clip_grad_norm_(p, 1.0).item() == pytest.approx(5 * size)
        factor = min(1.0, 1 / (5 * size))
        assert p.grad.tolist() == pytest.approx([3 * size * factor, 4 * size * factor])
    half = nn.Parameter(ag.zeros(10000, dtype=ag.float16))
    half.grad = ag.full((10000,), 0.5, dtype=ag.float16)
    assert utils.clip_grad_norm_(half, 100.0).item() == 50
    total = utils.get_total_norm([ag.ones(3), ag.ones(1)])
    assert total.item() == 2
    utils.clip_grads_with_norm_(parameters([2.0]), 1.0, total)


def test_clip_grad_value():
    (p,) = parameters([3.0, -4.0, 0.5])
    assert utils.clip_grad_value_(p, 1.0) is None
    assert p.grad.tolist() == [1.0, -1.0, 0.5]


def test_vectors():
    m = nn.Linear(2, 1)
    vector = utils.parameters_to_vector(m.parameters())
    assert vector.shape == (3,) and vector.requires_grad
    weight = m.weight
    new = ag.tensor([1.0, 2.0, 3.0])
    utils.vector_to_parameters(new, m.parameters())
    assert m.weight is weight and m.weight.tolist() == [[1, 2]] and m.bias.tolist() == [3]
    new[0] = 9.0
    assert m.weight.tolist() == [[9, 2]]
    with pytest.raises(RuntimeError, match="is invalid for input of size 2"):
        utils.vector_to_parameters(ag.zeros(2), m.parameters())
    assert m.weight.tolist() == [[9, 2]]
    with pytest.raises(TypeError):
        utils.vector_to_parameters([1.0], m.parameters())
