"""Zeros, infinities, NaN and extremes: values and gradients are PyTorch's, or a stated better."""

from math import inf, nan

import pytest

from .rows import Row, cases, check, check_oracle, oracle_cases

DOUBLE = ("float64",)

POWERS = [
    Row("B1", "g(lambda x: x**0, [0., 2.])", ([1.0, 1.0], [0.0, 0.0])),
    Row("B2", "g(lambda x, y: x**y, [0.], [0.])", ([1.0], [0.0], [0.0])),
    Row("B4", "g(lambda x, y: x**y, [-2.], [3.])", ([-8.0], [12.0], [nan])),
    Row("B5", "g(lambda x: x**.5, [0.])", ([0.0], [inf])),
    Row("B7", "g(lambda x: 2.**x, [-1., 0.])", ([0.5, 1.0], [0.34657359027997264, 0.6931471805599453])),
    Row("B8", "g(lambda y: 0.**y, [0., 1.])", ([1.0, 0.0], [0.0, 0.0])),
    Row("B10", "g(lambda x: x.rsqrt(), [0.])", ([inf], [-inf])),
    Row("B2.4", "g(lambda a, b: a**b, [2.], [1024.])", ([inf], [inf], [inf])),
    Row("B2.5", "g(lambda a, b: a**b, [0.], [-1.])", ([inf], [-inf], [-inf])),
    Row("B2.6", "g(lambda a, b: a**b, [0.], [.5])", ([0.0], [inf], [0.0])),
    Row("B2.7", "g(lambda a, b: a / b, [1.], [1e-300])", ([1e300], [1e300], [-inf]), only=DOUBLE),
    Row("B41", "g(lambda x: torch.sinc(x), [0., 1., 1e-8])",
        ([1.0, 3.8981718325193755e-17, 0.9999999999999998], [0.0, -1.0, -2.1063981330815398e-08]), only=DOUBLE),
    Row("B41-f32", "g(lambda x: torch.sinc(x), [0., .5])", ([1.0, 0.6366197724], [0.0, -1.2732395447])),
    Row("B46", "g(lambda x: torch.log(x), [0., -1.])", ([-inf, nan], [inf, -1.0])),
    Row("B47", "g(lambda x: torch.log1p(x), [-1., 1e-20])", ([-inf, 1e-20], [inf, 1.0])),
    Row("B49", "g(lambda x: 1 / x, [0., -0.])", ([inf, -inf], [-inf, -inf])),
    Row("B50", "g(lambda x, y: x / y, [0.], [0.])", ([nan], [inf], [nan])),
    Row("B58", "g(lambda x: torch.acosh(x), [1.])", ([0.0], [inf])),
    Row("B59", "g(lambda x: torch.atanh(x), [1.])", ([inf], [inf])),
    Row("B43", "g(lambda x, y: torch.xlogy(x, y), [0., 0.], [0., nan])", ([0.0, nan], [0.0, nan], [nan, nan])),
    Row("B44", "g(lambda x, y: torch.special.xlog1py(x, y), [0.], [-1.])", ([0.0], [0.0], [nan])),
    Row("B67", "g(lambda x: torch.fmax(x, C([1.])), [nan])", ([1.0], [0.0])),
    Row("B73", "gg(lambda x: x.abs(), [0.])", ([0.0], [0.0]), ours=True),  # PyTorch's zeros have no memory
]  # fmt: skip

REDUCTIONS = [
    Row("B11", "g(lambda x: x.norm(), [0., 0.])", (0.0, [0.0, 0.0])),
    Row("B13", "g(lambda x: x.norm(p=inf), [2., -2.])", (2.0, [0.5, -0.5])),
    Row("B14", "g(lambda x: x.norm(p=3), [0., 0.])", (0.0, [0.0, 0.0])),
    Row("B16", "g(lambda x: F.normalize(x, dim=0), [0., 0.])", ([0.0, 0.0], [1e12, 1e12])),
    Row("B17", "g(lambda x: F.cosine_similarity(x, C([1., 0.]), dim=0), [0., 0.])", (0.0, [1e8, 0.0])),
    Row("B19", "g(lambda x: torch.where(x > 0, torch.where(x > 0, x, torch.ones_like(x)).sqrt(),"
        " torch.zeros_like(x)), [-1., 0., 4.])", ([0.0, 0.0, 2.0], [0.0, 0.0, 0.25])),
    Row("B26", "g(lambda x: torch.logsumexp(x, 0), [-inf, -inf])", (-inf, [nan, nan])),
    Row("B28", "g(lambda x: torch.logsumexp(x, 0), [inf, inf])", (inf, [nan, nan])),
    Row("B29", "g(lambda x: torch.logsumexp(x, 0), [-inf, 0.])", (0.0, [0.0, 1.0])),
    Row("B31", "g(lambda x, y: torch.logaddexp(x, y), [-inf], [-inf])", ([-inf], [nan], [nan])),
    Row("B32", "g(lambda x: x.prod(), [0., 2., 3.])", (0.0, [6.0, 0.0, 0.0])),
    Row("B34", "g(lambda x: x.prod(0), [0., 2.])", (0.0, [2.0, 0.0])),
    Row("B35", "g(lambda x: x.cumprod(0), [2., 0., 3.])", ([2.0, 0.0, 0.0], [1.0, 8.0, 0.0])),
    Row("B37", "g(lambda x: x.var(), [5.])", (nan, [nan])),
    Row("B38", "g(lambda x: x.std(unbiased=False), [5.])", (0.0, [0.0])),
    Row("B40", "g(lambda x: x.var(), [2., 2.])", (0.0, [0.0, 0.0])),
    Row("B68", "L(torch.argmax(C([1., nan, 2.]))), L(torch.sort(C([nan, 1., -inf])).values)", (1, [-inf, 1.0, nan])),
    Row("B70", "g(lambda x: torch.nansum(x), [nan, 1.])", (1.0, [0.0, 1.0])),
    Row("B71", "g(lambda x: torch.masked_fill(x * 0 + 1 / x, torch.tensor([True, False]), 0.), [0., 2.])",
        ([0.0, 0.5], [nan, -0.25])),
    Row("B74", "gg(lambda x: x.norm(), [0., 0.])", ([0.0, 0.0], [nan, nan])),
    Row("B76", "gg(lambda x: x.prod(), [0., 2., 0.])", ([0.0, 0.0, 0.0], [2.0, 0.0, 2.0])),
]  # fmt: skip

ACTIVATIONS = [
    Row("B20", "g(lambda x: torch.softmax(x, 0), [-inf, 0., 0.])", ([0.0, 0.5, 0.5], [0.0, 0.0, 0.0])),
    Row("B22", "g(lambda x: torch.softmax(x, 0), [inf, 0.])", ([nan, nan], [nan, nan])),
    Row("B23", "g(lambda x: torch.softmax(x, 0)[0], [1000., 0.])", (1.0, [0.0, -0.0])),
    Row("B25", "g(lambda x: torch.log_softmax(x, 0)[1], [1000., 0.])", (-1000.0, [-1.0, 1.0])),
    Row("B52", "g(lambda x: F.logsigmoid(x), [-1000., 0., 1000.])",
        ([-1000.0, -0.6931471805599453, 0.0], [1.0, 0.5, 0.0])),
    Row("B53", "g(lambda x: F.softplus(x), [-1000., 1000.])", ([0.0, 1000.0], [0.0, 1.0])),
    Row("B55", "g(lambda x: F.gelu(x), [-inf, inf])", ([nan, inf], [nan, nan])),
    Row("B56", "g(lambda x: F.silu(x), [-1000., -inf])", ([-0.0, nan], [-0.0, nan])),
    Row("B2.8", "g(lambda x: F.softplus(x), [20., 21.])",
        ([20.000000002061153, 21.0], [0.9999999979388463, 1.0]), only=DOUBLE),
    Row("E85", "g(lambda x: F.layer_norm(x, (3,)), [2., 2., 2.])", ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])),
]  # fmt: skip

LOSSES = [
    Row("B61", "g(lambda x: F.binary_cross_entropy(x, C([0., 1.]), reduction='none'), [1., 0.])",
        ([100.0, 100.0], [1000000003995.8029, -1000000003995.8029]), rtol=1e-8, only=DOUBLE),
    Row("B61-f32", "g(lambda x: F.binary_cross_entropy(x, C([0., 1.]), reduction='none'), [1., 0.])",
        ([100.0, 100.0], [1e12, -1e12]), rtol=1e-5),
    Row("B62", "g(lambda x: F.binary_cross_entropy_with_logits(x, C([0., 1.]), reduction='none'), [1000., -1000.])",
        ([1000.0, 1000.0], [1.0, -1.0])),
    Row("B64", "g(lambda x: F.cross_entropy(x.reshape(1, 2), torch.tensor([-100])), [1., 2.])", (nan, [0.0, 0.0])),
    Row("B65", "g(lambda x: F.kl_div(x, C([0., 1.]), reduction='sum'), [-1., 0.])", (0.0, [-0.0, -1.0])),
    Row("B2.1", "g(lambda x: F.cross_entropy(x, torch.tensor([1])), [[1e4, 0.]])", (10000.0, [[1.0, -1.0]])),
    Row("B2.2", "g(lambda x: F.cross_entropy(x, torch.tensor([0])), [[-inf, 0.]])", (inf, [[-1.0, 1.0]])),
    Row("B2.3", "g(lambda x: F.cross_entropy(x, torch.tensor([1]), label_smoothing=.1), [[-inf, 0.]])",
        (inf, [[-0.05, 0.05]])),
]  # fmt: skip

ROWS = POWERS + REDUCTIONS + ACTIVATIONS + LOSSES


@pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom")
@cases(ROWS)
def test_row(row, dtype, layout):
    check(row, dtype, layout)


@pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom")
@oracle_cases(ROWS)
def test_pytorch_agrees(row, torch):
    check_oracle(row, torch)
