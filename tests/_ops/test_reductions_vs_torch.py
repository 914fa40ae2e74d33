"""Reductions, scans, sorts, order statistics and norms: one expression in both libraries."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.linalg
import autograd_gpu.nn.functional

from ..oracle import assert_same, numpy_of

CALLS = (Path(__file__).parent / "reduction_calls.txt").read_text().splitlines()


def names(lib):
    """What the expressions use: `torch`, `F`, `T`, and tensors of several dtypes."""
    t = lib.tensor
    return {
        "torch": lib, "F": lib.nn.functional, "T": t, "nan": math.nan, "inf": math.inf,
        "i": t([3, 1, 2]), "x": lib.arange(12.0).reshape(3, 4), "e": lib.empty(0),
        "e2": lib.empty(2, 0), "b": t([True, False]), "c": t([1 + 2j, 3.0]),
        "h": t([1.0, 1.0, 1.0], dtype=lib.float16), "u": t([200, 100], dtype=lib.uint8),
    }  # fmt: skip


def outcome(lib, expression):
    """The result or the error, and the beginnings of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = eval(expression, names(lib))
        except Exception as error:
            result = error
    return result, [str(w.message)[:40] for w in caught]


@pytest.mark.parametrize("expression", CALLS)
def test_values_dtypes_errors_and_warnings(expression, torch):
    theirs, their_warnings = outcome(torch, expression)
    ours, our_warnings = outcome(ag, expression)
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), (ours, theirs)
    else:
        if isinstance(ours, Exception):
            raise ours
        assert_same(ours, theirs, expression)
        assert type(ours).__name__ == type(theirs).__name__
        assert our_warnings == their_warnings


def derivatives(lib, expression, arrays):
    """The name of the node, the value, first derivatives (recorded and not), second ones."""
    f = eval(f"lambda x, y=None: {expression}", names(lib))
    leaves = [lib.tensor(a, requires_grad=True) for a in arrays]

    def weighted(value):
        n = math.prod(value.shape)
        w = np.cos(np.arange(1, n + 1)).reshape(tuple(value.shape))
        total = (value * lib.tensor(w)).sum()
        return total.real + 0.5 * total.imag if total.is_complex() else total

    out = f(*leaves)
    first = lib.autograd.grad(weighted(out), leaves, create_graph=True, allow_unused=True)
    plain = lib.autograd.grad(weighted(f(*leaves)), leaves, allow_unused=True)
    try:
        total = sum(weighted(g) for g in first if g is not None)
        second = lib.autograd.grad(total, leaves, allow_unused=True)
    except (RuntimeError, NotImplementedError):  # the first derivative is a constant
        second = [None] * len(leaves)
    number = lambda values: [None if v is None else numpy_of(v) for v in values]  # noqa: E731
    return out.grad_fn.name(), numpy_of(out), number(first), number(plain), number(second)


def agree(ours, theirs, context):
    """Equal numbers; nothing counts as zeros."""
    for a, b in zip(ours, theirs, strict=True):
        a = np.zeros_like(b) if a is None and b is not None else a
        b = np.zeros_like(a) if b is None and a is not None else b
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10, err_msg=context)


def compare(torch, expression, *arrays, named=True, second=True):
    ours, theirs = derivatives(ag, expression, arrays), derivatives(torch, expression, arrays)
    if named:
        assert ours[0] == theirs[0]
    agree([ours[1]], [theirs[1]], "value")
    agree(ours[2], theirs[2], "recorded gradient")
    agree(ours[3], theirs[3], "gradient")
    if second:
        agree(ours[4], theirs[4], "second derivative")


rng = np.random.default_rng(0)
MATRIX, OTHER = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
BLOCK = rng.standard_normal((2, 3, 4))
COMPLEX = rng.standard_normal(4) + 1j * rng.standard_normal(4)

OF_A_MATRIX = """
x.sum(1)|x.sum((0,1),keepdim=True)|x.mean(0)|x.mean(1,keepdim=True)|x.nansum(0)|x.nanmean(1)|x.prod()
x.prod(1)|x.prod(0,keepdim=True)|x.var()|x.var(0)|x.var((0,1),keepdim=True)|x.var(1,correction=2)
x.std(1)|x.std(0,False,True)|torch.var_mean(x,1)[0]|torch.var_mean(x,1)[1]
torch.var_mean(x)[0]*torch.var_mean(x)[1]|torch.std_mean(x,0,keepdim=True)[0]|torch.std_mean(x,0)[1]
x.logsumexp(0)|x.logsumexp((0,1),True)|x.amax(1)|x.amin((0,1))|x.amax(0,True)|x.max()|x.min()
x.max(1).values|x.min(0,True)[0]|x.aminmax(dim=1).min|x.median()|x.median(1,True)[0]|x.nanmedian(0)[0]
x.mode(0)[0]|x.kthvalue(2,0)[0]|x.norm()|x.norm(2,0)|x.norm(1,1,True)|x.norm(3,0)|x.norm(inf,1)
x.norm(-inf)|x.norm(.5,1)|x.norm(-1.,0)|torch.linalg.vector_norm(x,2,(0,1))|torch.dist(x,x*2)
torch.dist(x,x*x,3)|F.cosine_similarity(x,x*x)|F.normalize(x)|F.normalize(x,3,0)|x.cumsum(0)
x.cumsum(-1)|x.cumprod(0)|x.cumprod(1)|x.cummax(0)[0]|x.cummin(1)[0]|x.logcumsumexp(0)
x.logcumsumexp(1)|x.diff()|x.diff(n=2,dim=0)|x.sort()[0]|x.sort(0,True)[0]|x.sort(stable=True)[0]
x.msort()|x.topk(2)[0]|x.topk(1,0,False)[0]|x.max(x*x)|x.clone().cumsum_(0)|x.clone().cumprod_(0)
x[:,::2].cumprod(0)|x.T.sum(0)|x.T.norm(2,1)|x.T.prod(0)|x.T.max(0)[0]
"""


def listed(text):
    return [e for e in text.replace("\n", "|").split("|") if e]


@pytest.mark.parametrize("expression", listed(OF_A_MATRIX))
def test_derivatives_of_a_matrix(expression, torch):
    compare(torch, expression, MATRIX)


@pytest.mark.parametrize(
    "expression",
    listed(
        "x.sum((0,2))|x.mean((0,2),True)|x.amax((0,2))|x.var((1,2))|x.norm(2,(0,2))|x.cumsum(1)"
        "|x.logsumexp((0,2))|x.max(1)[0]|x.topk(2,1)[0]|x.sort(1)[0]|x.kthvalue(2,1)[0]"
        "|x.median(1)[0]|x.logcumsumexp(1)|x.cumprod(1)|x.cummax(2)[0]|x.diff(dim=1)"
    ),
)
def test_derivatives_of_three_dimensions(expression, torch):
    compare(torch, expression, BLOCK)


@pytest.mark.parametrize(
    "expression",
    listed(
        "x.sum()|x.mean()|x.prod()|x.prod(0)|x.amax()|x.max(0)[0]|x.median(0)[0]|x.norm()"
        "|x.norm(3,0)|x.cumsum(0)|x.cumprod(0)|x.cummax(0)[0]|x.logcumsumexp(0)|x.sort()[0]"
        "|x.topk(1)[0]|x.kthvalue(1)[0]|x.logsumexp(0)|x.nansum()|x.mode()[0]|x.aminmax().min"
    ),
)
def test_derivatives_of_a_number(expression, torch):
    compare(torch, expression, np.float64(1.5))


@pytest.mark.parametrize(
    "expression",
    listed(
        "x.quantile(.3)|x.quantile(.3,dim=1)|x.quantile(T([.2,.9]).double(),dim=0)|x.nanquantile(.3)"
        "|x.quantile(.3,dim=1,interpolation='midpoint')|x.quantile(.3,dim=1,interpolation='lower')"
    ),
)
def test_derivatives_of_quantiles(expression, torch):
    compare(torch, expression, MATRIX, named=False)


@pytest.mark.parametrize(
    "expression",
    listed(
        "torch.dist(x,y)|torch.max(x,y)|F.cosine_similarity(x,y,dim=0)|F.cosine_similarity(x,y[0])"
        "|torch.dist(x,y[0],3)|F.pairwise_distance(x,y)"
    ),
)
def test_derivatives_of_two(expression, torch):
    compare(torch, expression, MATRIX, OTHER)


@pytest.mark.parametrize("expression", [f"torch.cdist(x,y,{p})" for p in (1, 2, 3, "inf")])
def test_derivatives_of_all_distances(expression, torch):
    compare(torch, expression, MATRIX, OTHER, second=False)
    compare(torch, "torch.pdist(x)", MATRIX, second=False)


@pytest.mark.parametrize(
    "expression",
    listed(
        "x.sum()|x.mean(0)|x.prod()|x.prod(0)|x.var()|x.std()|torch.var_mean(x)[0]|x.logsumexp(0)"
        "|x.norm()|x.norm(1)|x.norm(3)|x.norm(inf)|x.cumsum(0)|x.cumprod(0)|x.logcumsumexp(0)"
        "|torch.dist(x,x*x)|x.diff()"
    ),
)
def test_derivatives_of_complex_numbers(expression, torch):
    compare(torch, expression, COMPLEX)


inf, nan = math.inf, math.nan
EDGES = [
    ("x.std()", [2.0, 2.0]), ("x.std(correction=0)", [5.0]), ("x.amax()", [1.0, nan, 2.0]),
    ("x.max()", [1.0, nan, nan]), ("x.nanmedian()", [1.0, nan, 2.0, 2.0, 3.0]),
    ("x.aminmax().min", [1.0, nan, 1.0]), ("x.aminmax().min+x.aminmax().max", [1.0, 1.0, 2.0]),
    ("x.logcumsumexp(0)", [1000.0, -1000.0, 0.0]), ("x.prod()", [0.0, 2.0, 0.0, 3.0]),
    ("x.prod()", [0.0, 0.0, 0.0]), ("x.prod(0)", [0.0, 2.0, 3.0]), ("x.norm(3)", [0.0, 1.0, -2.0]),
    ("x.cumprod(0)", [2.0, 0.0, 3.0, 0.0, 5.0]), ("x.norm(inf)", [2.0, nan, nan]),
    ("F.normalize(x,dim=0)", [1e-13, 0.0]), ("torch.dist(x,x*1)", [1.0, 2.0]),
    ("F.cosine_similarity(x,x*2,dim=0)", [1e-9, 1e-9]), ("x.sort().values", [2.0, 2.0, 1.0]),
    ("x.sort(descending=True).values", [2.0, 2.0, 1.0]), ("x.nanmean()", [nan, 1.0, 2.0]),
    ("x.prod()", [0j, 1 + 2j, 3j]), ("x.cumprod(0)", [1j, 0j, 1 + 2j, 3j]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "values"), EDGES)
def test_derivatives_at_edges(expression, values, torch):
    compare(torch, expression, np.array(values), second="dist" not in expression)


# ---- many random lanes, with ties and NaN

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def random_pair(torch, dtype, shape, seed):
    draw = np.random.default_rng(seed)
    values = draw.integers(-5, 5, shape) if seed % 2 else draw.standard_normal(shape) * 50
    values = np.abs(values) if dtype == "uint8" else values > 0 if dtype == "bool" else values
    array = values.astype(dtype)
    if array.dtype.kind == "f" and array.size > 3 and seed % 3:
        array.reshape(-1)[:4] = [-0.0, math.inf, -math.inf, math.nan]
    return torch.tensor(array), ag.tensor(array)


@pytest.mark.parametrize("shape", [(7,), (40,), (3, 50), (50, 3), (4, 30, 5), (1,)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_orders_of_random_lanes(dtype, shape, torch):
    for seed in range(4):
        t, a = random_pair(torch, dtype, shape, seed)
        d, down = seed % len(shape), bool(seed & 2)
        same = lambda f: assert_same(f(a), f(t), f"{dtype} {shape} {seed}")  # noqa: B023, E731
        same(lambda v: v.sort(dim=d, descending=down, stable=True))  # noqa: B023
        same(lambda v: [*v.max(d), *v.min(d), *v.cummax(d), *v.cummin(d), v.max()])  # noqa: B023
        same(lambda v: [v.any(d), v.all(d), v.count_nonzero(d)])  # noqa: B023
        if dtype != "bool":
            k = min(3, shape[d])
            same(lambda v: [v.topk(k, d, down)[0], v.kthvalue(k, d)[0]])  # noqa: B023
            same(lambda v: [v.median(d)[0], v.nanmedian(d)[0], v.median(), v.argmax(d)])  # noqa: B023
        if not (t != t).any():
            for dim in (None, d):
                same(lambda v: v.unique(True, True, True, dim=dim))  # noqa: B023
                same(lambda v: v.unique_consecutive(True, True, dim=dim))  # noqa: B023
