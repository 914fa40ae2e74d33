"""Edge cases: ties and kinks, zeros, infinities and NaN, empty and 0-d tensors, broadcasting.

Each expression is run with both libraries. `g` gives a function's value and gradients, `gg` its
first two derivatives, `err` the type of its error; `v` makes a float64 vector without a gradient.
"""

import pytest

import autograd_gpu as ag

from .autograd.agree import agree

TIES = """
g(lambda x: x.max(), [1., 3., 3.])
g(lambda x: x.min(), [1., 1., 3.])
g(lambda x: x.max(0).values, [1., 3., 3.])
g(lambda x: x.min(0).values, [3., 1., 1.])
g(lambda x: x.amax(), [3., 3., 1.])
g(lambda x: x.amin(0), [[3., 1.], [3., 1.]])
g(lambda x: x.median(), [3., 3., 1., 3.])
g(t.maximum, [2., 1.], [2., 0.])
g(t.minimum, [2., 1.], [2., 0.])
g(t.fmax, [2., 1.], [2., 0.])
g(lambda x: x.relu(), [-1., 0., 1., nan])
g(lambda x: x.clamp(0., 1.), [-1., 0., .5, 1., 2., nan])
g(lambda x: x.clamp(min=0.), [-1., 0., 1.])
g(lambda x: x.abs(), [-2., 0., -0., 3.])
g(lambda x: x.sign(), [-2., 0., 3., nan])
g(lambda x: F.relu6(x), [0., 6.])
g(lambda x: F.hardtanh(x), [-1., 1.])
g(lambda x: F.leaky_relu(x), [-1., 0., 1.])
g(lambda x: F.smooth_l1_loss(x, v([0., 0., 0.]), reduction='none'), [-1., 0., 1.])
g(lambda x: F.l1_loss(x, v([0.]), reduction='none'), [0.])
g(lambda x: x.sort().values * v([1., 2., 3.]), [2., 2., 1.])
g(lambda x: x.topk(2).values, [3., 3., 3.])
g(lambda x: x.cummax(0).values, [1., 1., 0.])
g(lambda x: x.round(), [.5, 1.5, 2.5])
g(lambda x: t.remainder(x, v([3.])), [-4.])
t.tensor([1, 3, 3]).argmax(), t.tensor([2, 1, 1]).argmin()
"""

EXTREMES = """
g(lambda x: x**0, [0., 2.])
g(lambda x, y: x**y, [0.], [0.])
g(lambda x, y: x**y, [-2.], [3.])
g(lambda x, y: x**y, [2.], [1024.])
g(lambda x, y: x**y, [0.], [-1.])
g(lambda x, y: x**y, [0.], [.5])
g(lambda x: x**.5, [0.])
g(lambda x: 2.**x, [-1., 0.])
g(lambda x: 0.**x, [0., 1.])
g(lambda x: x.rsqrt(), [0.])
g(lambda x: x.sqrt(), [0., -1.])
g(lambda x: x.norm(), [0., 0.])
g(lambda x: x.norm(p=inf), [2., -2.])
g(lambda x: x.norm(p=3), [0., 0.])
g(lambda x: x.norm(p=1), [0., -2.])
g(lambda x: F.normalize(x, dim=0), [0., 0.])
g(lambda x: F.cosine_similarity(x, v([1., 0.]), dim=0), [0., 0.])
g(lambda x: t.where(x > 0, t.where(x > 0, x, t.ones_like(x)).sqrt(), t.zeros_like(x)), [-1., 0., 4.])
g(lambda x: t.softmax(x, 0), [-inf, 0., 0.])
g(lambda x: t.softmax(x, 0), [inf, 0.])
g(lambda x: t.softmax(x, 0)[0], [1000., 0.])
g(lambda x: t.log_softmax(x, 0)[1], [1000., 0.])
g(lambda x: t.logsumexp(x, 0), [-inf, -inf])
g(lambda x: t.logsumexp(x, 0), [inf, inf])
g(lambda x: t.logsumexp(x, 0), [-inf, 0.])
g(lambda x, y: t.logaddexp(x, y), [-inf], [-inf])
g(lambda x: x.prod(), [0., 2., 3.])
g(lambda x: x.prod(0), [0., 2.])
g(lambda x: x.cumprod(0), [2., 0., 3.])
g(lambda x: x.var(), [5.])
g(lambda x: x.std(unbiased=False), [5.])
g(lambda x: x.var(), [2., 2.])
g(lambda x: t.sinc(x), [0., 1., 1e-8])
g(lambda x, y: t.xlogy(x, y), [0., 0.], [0., nan])
g(lambda x, y: t.special.xlog1py(x, y), [0.], [-1.])
g(lambda x: t.log(x), [0., -1.])
g(lambda x: t.log1p(x), [-1., 1e-20])
g(lambda x: 1 / x, [0., -0.])
g(lambda x, y: x / y, [0.], [0.])
g(lambda x, y: x / y, [1.], [1e-300])
g(lambda x: F.logsigmoid(x), [-1000., 0., 1000.])
g(lambda x: F.softplus(x), [-1000., 20., 21., 1000.])
g(lambda x: F.silu(x), [-1000., -inf])
g(lambda x: t.sigmoid(x), [-1000., 1000., inf, -inf])
g(lambda x: t.tanh(x), [-1000., inf])
g(lambda x: t.acosh(x), [1.])
g(lambda x: t.atanh(x), [1.])
g(lambda x: F.binary_cross_entropy(x, v([0., 1.]), reduction='none'), [1., 0.])
g(lambda x: F.binary_cross_entropy_with_logits(x, v([0., 1.]), reduction='none'), [1000., -1000.])
g(lambda x: F.cross_entropy(x.view(1, 2), t.tensor([-100])), [1., 2.])
g(lambda x: F.cross_entropy(x, t.tensor([1])), [[1e4, 0.]])
g(lambda x: F.cross_entropy(x, t.tensor([0])), [[-inf, 0.]])
g(lambda x: F.cross_entropy(x, t.tensor([1]), label_smoothing=.1), [[-inf, 0.]])
g(lambda x: F.kl_div(x, v([0., 1.]), reduction='sum'), [-1., 0.])
g(lambda x: t.fmax(x, v([1.])), [nan])
t.argmax(t.tensor([1., nan, 2.])), t.sort(t.tensor([nan, 1., -inf])).values
g(lambda x: t.nansum(x), [nan, 1.])
g(lambda x: t.masked_fill(x * 0 + 1 / x, t.tensor([True, False]), 0.), [0., 2.])
gg(lambda x: x.abs(), [0.])
gg(lambda x: x.norm(), [0., 0.])
gg(lambda x: x.prod(), [0., 2., 0.])
gg(lambda x: x**2, [0., 3.])
gg(lambda x: x**3, [0.])
t.tensor([[0., 1.]]) @ t.tensor([[inf], [1.]])
t.full((4,), 60000, dtype=t.float16).mean(), t.full((4,), 60000, dtype=t.float16).sum()
t.tensor([1e4, 1e4 + 1, 1e4 + 2]).var()
t.tensor([[nan, 1.], [2., 3.]]).amax(), t.tensor([nan, 1.]).max(0)
t.allclose(v([nan]), v([nan])), t.equal(v([nan]), v([nan])), t.allclose(v([nan]), v([nan]), equal_nan=True)
"""

SHAPES = """
g(lambda a, b: a + b, [[1.], [2.]], [1., 2., 3.])
g(lambda a, b: a / b, [[1., 2.]], [[1.], [2.]])
g(lambda a, b: t.where(t.tensor([[True, False], [False, False]]), a, b), [1., 2.], [[10.]])
g(lambda a, b: a @ b, [[[1., 2.]]], [[[1.], [2.]], [[3.], [4.]]])
g(lambda a, b: a @ b, [1., 2.], [[[1.], [2.]], [[3.], [4.]]])
g(lambda a, b: a.reshape(2, 0) @ b.reshape(0, 3), [], [])
t.empty(0).sum(), t.empty(0).prod(), t.empty(0).mean(), t.empty(0).logsumexp(0)
err(lambda: t.empty(0).argmax()), err(lambda: t.empty(0).max()), err(lambda: t.empty(0, 3).amax(0))
t.empty(0).std(), t.empty(0).all(), t.empty(0).any(), t.empty(0).var()
t.empty(0, 3).amax(1).shape, t.empty(0, 3).sum(0), t.empty(3, 0).mean(1)
F.cross_entropy(t.empty(0, 3), t.empty(0, dtype=t.long))
g(lambda x: t.cat([x, x]), [1.])
g(lambda x: t.stack([x, x, x]), 2.)
g(lambda x: x[t.tensor([-1])], [1., 2., 3.])
g(lambda x: x[t.tensor([0, 0, 1])], [1., 2., 3.])
err(lambda: t.tensor([1., 2.])[t.tensor([2])]), err(lambda: t.ones(2)[2]), err(lambda: t.ones(2)[0, 0])
err(lambda: v([1.])[::-1])
g(lambda x: x.flip(0) * v([1., 2., 3.]), [1., 2., 3.])
g(lambda x: x.squeeze().sum(), [[[3.]]])
err(lambda: t.ones(2, 3) + t.ones(2))
g(lambda x: x.mean(dim=()), [1., 3.])
g(lambda x: x.repeat(2, 2), [1., 2.])
g(lambda x: x.as_strided((2, 2), (1, 1)), [1., 2., 3.])
g(lambda x: t.einsum('ii->i', x), [[1., 2.], [3., 4.]])
g(lambda x: t.einsum('i,i->', x, x), [1., 2.])
err(lambda: t.ones(2, 3).t().view(-1))
g(lambda x: x.gather(0, t.tensor([0, 0, 1])), [5., 6.])
g(lambda x, s: x.index_add(0, t.tensor([1, 1]), s), [0., 0.], [1., 2.])
g(lambda x: F.embedding(t.tensor([1, 1, 0]), x, padding_idx=0), [[1.], [2.]])
g(lambda x: F.pad(x, (1, -1)), [1., 2.])
t.arange(0, 1, .1).numel(), t.linspace(0, 1, 0), t.arange(5, 0, -2), t.eye(0)
err(lambda: t.empty(-1)), err(lambda: t.ones(3).view(-1, -1)), err(lambda: t.ones(3).reshape(2, -1))
err(lambda: F.cross_entropy(t.ones(1, 2), t.tensor([2])))
err(lambda: F.cross_entropy(t.ones(1, 2), t.tensor([1.])))
err(lambda: F.embedding(t.tensor([5]), t.ones(2, 3)))
err(lambda: F.conv2d(t.ones(1, 1, 2, 2), t.ones(1, 1, 3, 3)))
err(lambda: F.max_pool2d(t.ones(1, 1, 2, 2), 2, padding=2))
err(lambda: F.dropout(t.ones(1), 1.5)), err(lambda: t.nn.Dropout(-.1))
err(lambda: t.arange(0, 1, 0))
err(lambda: t.mm(t.ones(2, 3), t.ones(2, 3))), err(lambda: t.ones(2).dot(t.ones(3)))
err(lambda: t.ones(2, 3).sum(5)), err(lambda: t.cat([t.ones(2), t.ones(2, 2)])), err(lambda: t.stack([t.ones(2), t.ones(3)]))
"""


def lines(text):
    return text.strip().splitlines()


def names(t):
    """What the expressions may use, of either library."""

    def v(values, requires_grad=False):
        return t.tensor(values, dtype=t.float64, requires_grad=requires_grad)

    def g(function, *values):
        leaves = [v(value, True) for value in values]
        y = function(*leaves)
        y.sum().backward()
        return y.detach(), [x.grad for x in leaves]

    def gg(function, *values):
        leaves = [v(value, True) for value in values]
        first = t.autograd.grad(function(*leaves).sum(), leaves, create_graph=True)
        total = sum(f.sum() for f in first)
        second = [None] * len(leaves)
        if total.requires_grad:
            second = t.autograd.grad(total, leaves, allow_unused=True)
        return [f.detach() for f in first], second

    def err(function):
        try:
            function()
        except Exception as error:
            return type(error).__name__
        return "no error"

    F = t.nn.functional
    return {
        "t": t,
        "F": F,
        "v": v,
        "g": g,
        "gg": gg,
        "err": err,
        "inf": float("inf"),
        "nan": float("nan"),
    }


@pytest.mark.parametrize("source", lines(TIES))
@agree
def test_ties_and_kinks(t, source):
    return eval(source, names(t))


@pytest.mark.parametrize("source", lines(EXTREMES))
@agree
def test_zeros_infinities_and_nan(t, source):
    return eval(source, names(t))


@pytest.mark.parametrize("source", lines(SHAPES))
@agree
def test_shapes_and_indices(t, source):
    return eval(source, names(t))


def test_hypot_at_zero():
    """PyTorch gives NaN; the subgradient of least norm is 0."""
    x, y = (ag.zeros(1, requires_grad=True) for _ in range(2))
    ag.hypot(x, y).backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([0.0], [0.0])


@pytest.mark.parametrize("name", ["tanh", "sqrt", "exp", "sigmoid"])
@agree
def test_float32_at_the_ends_of_its_range(t, name):
    x = t.tensor([1e-45, 1e-38, 9.0, 20.0, 88.0, 89.0, 1e38], requires_grad=True)
    y = getattr(x, name)()
    y.sum().backward()
    return y.detach(), x.grad


@pytest.mark.parametrize("kind", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["contiguous", "strided"])
@agree
def test_kinks_in_other_dtypes_and_layouts(t, kind, layout):
    x = t.tensor([[-1.0, 0.0, 1.0], [2.0, 2.0, -0.5]], dtype=getattr(t, kind))
    x = (x.t().contiguous().t() if layout == "strided" else x).requires_grad_()
    found = []
    for function in (
        lambda v: v.relu(), lambda v: v.clamp(0, 1), lambda v: v.abs(), lambda v: v.amax(1), lambda v: v.max(1)[0],
        lambda v: v.sign(), lambda v: v.prod(0), lambda v: t.maximum(v, v * 1),
    ):  # fmt: skip
        y = function(x)
        found.append((y.detach(), t.autograd.grad(y.sum(), x)))
    return found
