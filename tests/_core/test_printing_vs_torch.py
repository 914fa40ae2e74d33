"""Printing against PyTorch: random tensors of all dtypes under random options."""

import math
import random
from math import inf, nan
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_gpu._core import device, dtype
from autograd_gpu._core.printing import set_printoptions, tensor_repr


@pytest.fixture(autouse=True)
def _default_options():
    yield
    set_printoptions(profile="default")
    dtype.set_default_dtype(dtype.BY_NAME["float32"])


def fake(array, requires_grad=False, grad_fn=None):
    node = type(grad_fn, (), {})() if grad_fn else None
    return SimpleNamespace(
        _array=array, dtype=dtype.of(array.dtype), device=device.cpu, shape=array.shape,
        grad_fn=node, requires_grad=requires_grad,
    )  # fmt: skip


KINDS = [
    "float16", "float32", "float64", "bfloat16", "int64", "int32", "int8", "uint8", "bool",
    "complex64", "complex128",
]  # fmt: skip


def _number(rng, style):
    return {
        "whole": lambda: float(rng.randint(-50, 50)),
        "plain": lambda: rng.gauss(0, 1),
        "large": lambda: rng.gauss(0, 1) * 10 ** rng.randint(0, 12),
        "mixed": lambda: rng.gauss(0, 1) * 10 ** rng.randint(-6, 6),
        "special": lambda: rng.choice([nan, inf, -inf, 0.0, -0.0, 1.0, -1.5, 1e9, 1e-9]),
        "zeros": lambda: rng.choice([0.0, -0.0]),
        "tiny": lambda: rng.gauss(0, 1) * 10 ** rng.randint(-300, -3),
        "quarters": lambda: rng.randint(-9, 9) / 4,
    }[style]()


STYLES = ["whole", "plain", "large", "mixed", "special", "zeros", "tiny", "quarters"]


def _values(rng, count, kind):
    style = rng.choice(STYLES)
    values = [_number(rng, style) for _ in range(count)]
    if kind.is_complex:
        return [complex(v, _number(rng, style)) for v in values]
    if kind.is_floating_point:
        return values
    return [int(v) % 100 if math.isfinite(v) else 3 for v in values]


def _options(rng):
    pick = {
        "precision": [0, 1, 2, 6, 10],
        "threshold": [0, 3, 10, 100],
        "edgeitems": [0, 1, 2, 5],
        "linewidth": [1, 20, 40, 120],
        "sci_mode": [True, False, None],
    }
    return {name: rng.choice(of) for name, of in pick.items() if rng.random() < 0.25}


@pytest.mark.parametrize("seed", range(40))
def test_random_tensors_print_as_torch_prints(seed):
    torch = pytest.importorskip("torch")
    pytest.importorskip("ml_dtypes")
    dtype.bfloat16()
    rng = random.Random(seed)
    try:
        for _ in range(15):
            _compare(torch, rng)
    finally:
        torch.set_printoptions(profile="default")
        torch.set_default_dtype(torch.float32)


def _compare(torch, rng):
    options = _options(rng)
    torch.set_printoptions(profile="default", **options)
    set_printoptions(profile="default", **options)
    default = rng.choice(["float32"] * 4 + ["float64", "float16", "bfloat16"])
    torch.set_default_dtype(getattr(torch, default))
    dtype.set_default_dtype(dtype.BY_NAME[default])
    name = rng.choice(KINDS)
    kind = dtype.BY_NAME[name]
    shape = [rng.choice([1, 1, 2, 3, 4, 7, 8, 15]) for _ in range(rng.choice([0, 1, 1, 2, 3, 4]))]
    if shape and rng.random() < 0.1:
        shape[rng.randrange(len(shape))] = 0
    wide = "complex128" if kind.is_complex else "float64" if kind.is_floating_point else "int64"
    values = _values(rng, math.prod(shape), kind)
    theirs = torch.tensor(values, dtype=getattr(torch, wide)).to(getattr(torch, name))
    theirs = theirs.reshape(shape)
    raw = theirs.view(torch.int16) if name == "bfloat16" else theirs
    ours = raw.numpy().view(kind.numpy)
    needs_grad = rng.random() < 0.3 and (kind.is_complex or kind.is_floating_point)
    theirs.requires_grad_(needs_grad)
    assert tensor_repr(fake(ours, needs_grad)) == repr(theirs), (options, name, shape)
    if rng.random() < 0.3 and needs_grad:
        product = theirs.unsqueeze(0)
        text = tensor_repr(fake(ours[None], grad_fn="UnsqueezeBackward0"))
        assert text == repr(product), (options, name, shape)


def test_hypothesis_floats():
    """The choice of the form at its borders, over all of float64."""
    torch = pytest.importorskip("torch")
    hypothesis = pytest.importorskip("hypothesis")
    strategies = hypothesis.strategies

    @hypothesis.settings(max_examples=400, deadline=None)
    @hypothesis.given(strategies.lists(strategies.floats(), max_size=6))
    def check(values):
        theirs = torch.tensor(values, dtype=torch.float64)
        assert tensor_repr(fake(np.array(values, "f8"))) == repr(theirs)

    check()
