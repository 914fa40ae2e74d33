"""nn.init: gains, fans, constants and errors. Numbers against PyTorch are in test_nn_vs_torch."""
import math

import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu.nn import init


def test_gains():
    assert init.calculate_gain("linear") == init.calculate_gain("conv_transpose3d") == 1
    assert init.calculate_gain("tanh") == 5 / 3 and init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 1) == 1
    for args in (("x",), ("leaky_relu", "a"), ("leaky_relu", True)):
        with pytest.raises(ValueError):
            init.calculate_gain(*args)


def test_constants():
    t = ag.empty(2, 3)
    assert init.constant_(t, 3) is t and t.tolist() == [[3, 3, 3], [3, 3, 3]]
    assert init.ones_(t).tolist() == [[1] * 3] * 2 and init.zeros_(t).tolist() == [[0] * 3] * 2
    assert init.eye_(t).tolist() == [[1, 0, 0], [0, 1, 0]]
    weight = init.dirac_(ag.empty(4, 2, 3), groups=2)
    assert [[row[1] for row in block] for block in weight.tolist()] == [[1, 0], [0, 1]] * 2
    p = nn.Parameter(ag.empty(2, 2))
    assert init.eye_(p) is p and p.requires_grad and p.grad_fn is None and p._version == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: init.xavier_uniform_(ag.empty(3)),
        lambda: init.kaiming_normal_(ag.empty(3)),
        lambda: init.kaiming_uniform_(ag.empty(3, 2), mode="x"),
        lambda: init.kaiming_uniform_(ag.empty(3, 2), nonlinearity="x"),
        lambda: init.orthogonal_(ag.empty(3)),
        lambda: init.sparse_(ag.empty(3), 0.1),
        lambda: init.eye_(ag.empty(3)),
        lambda: init.dirac_(ag.empty(3)),
        lambda: init.dirac_(ag.empty(3, 2, 3), 2),
    ],
)
def test_errors(call):
    with pytest.raises(ValueError):
        call()


def test_ranges_and_moments():
    ag.manual_seed(0)
    w = init.kaiming_uniform_(ag.empty(200, 300), nonlinearity="relu")
    bound = math.sqrt(6 / 300)
    assert w.abs().max().item() <= bound and w.std().item() == pytest.approx(bound / 3**0.5, 0.01)
    w = init.xavier_normal_(ag.empty(200, 300), gain=2)
    assert w.std().item() == pytest.approx(2 * math.sqrt(2 / 500), rel=0.01)
    w = init.trunc_normal_(ag.empty(1000), 0, 1, -0.5, 0.5)
    assert w.abs().max().item() <= 0.5
    w = init.trunc_normal_(ag.empty(1000), 0, 1, 1.0, 1.1)
    assert 1.0 <= w.min().item() <= w.max().item() <= 1.1
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(ag.empty(3), 5.0, 1.0)
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(ag.empty(0, 2))
    for shape in ((3, 5), (5, 3), (4, 2, 3)):
        flat = init.orthogonal_(ag.empty(*shape), gain=2).reshape(shape[0], -1)
        small = flat @ flat.T if shape[0] <= flat.shape[1] else flat.T @ flat
        eye = ag.eye(small.shape[0]) * 4
        assert (small - eye).abs().max().item() < 1e-5
    zeros = (init.sparse_(ag.empty(10, 4), 0.25) == 0).sum(0)
    assert zeros.tolist() == [3, 3, 3, 3]
