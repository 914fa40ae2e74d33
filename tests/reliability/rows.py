"""Rows of edge cases: a short program, and what it must give in every dtype and layout, and in PyTorch."""

import math

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as functional


def spread(array):
    """The same values with gaps in memory, and the dimensions in reverse order."""
    wide = np.full([2 * n for n in array.shape[::-1]], 7, array.dtype)
    view = wide[(slice(None, None, 2),) * array.ndim].T if array.ndim else wide
    view[...] = array
    return view


LAYOUTS = {"plain": lambda a: a, "strided": spread}


class Bench:
    """What a row's program may name, in one library, dtype and layout.

    `g(f, *values)`: leaves of the values, y = f(*leaves), y.sum().backward(): (y, gradient, ...). `gg`: first and second
    derivative. `T`: a leaf; `C`: a constant of the row's dtype; `L`: plain Python of a tensor; `err`: what a call raises.
    """

    def __init__(self, torch, F, dtype="float64", layout="plain"):
        self.torch, self.F, self.dtype, self.layout = torch, F, getattr(torch, dtype), layout
        self.numpy_dtype = np.dtype(dtype)

    def C(self, values):
        return self.torch.from_numpy(LAYOUTS[self.layout](np.asarray(values, self.numpy_dtype)))

    def T(self, values):
        return self.C(values).requires_grad_()

    def g(self, f, *values):
        leaves = [self.T(v) for v in values]
        y = f(*leaves)
        y.sum().backward()
        assert all(x.grad.dtype is x.dtype and x.grad.shape == x.shape for x in leaves)
        return tuple(self.L(t) for t in (y, *(x.grad for x in leaves)))

    def gg(self, f, values):
        x = self.T(values)
        (first,) = self.torch.autograd.grad(f(x).sum(), x, create_graph=True)
        (second,) = self.torch.autograd.grad(first.sum(), x)
        return self.L(first), self.L(second)

    @staticmethod
    def L(t):
        return t.tolist() if hasattr(t, "tolist") else t

    @staticmethod
    def err(f):
        try:
            f()
        except Exception as error:
            return type(error).__name__, (str(error).splitlines() or [""])[0]
        return "NO ERROR", ""

    def run(self, code):
        names = {
            name: getattr(self, name) for name in ("torch", "F", "C", "T", "L", "g", "gg", "err")
        }
        names.update(inf=math.inf, nan=math.nan, np=np, dtype=self.dtype)
        return eval(code, names)


class Row:
    """id, program, expected; `only`: dtypes in which the expected numbers exist; `ours`: PyTorch differs, by decision."""

    def __init__(
        self, id, code, expected, *, only=("float64", "float32"), ours=False, rtol=None, plain=False
    ):
        self.id, self.code, self.expected, self.only, self.ours = id, code, expected, only, ours
        self.rtol, self.layouts = rtol, ["plain"] if plain else list(LAYOUTS)


def cases(rows):
    """A parametrize mark: every row in its dtypes and layouts."""
    return pytest.mark.parametrize(
        "row, dtype, layout",
        [
            pytest.param(r, d, lay, id=f"{r.id}-{d}-{lay}")
            for r in rows
            for d in r.only
            for lay in r.layouts
        ],
    )


def oracle_cases(rows):
    """A parametrize mark: every row that PyTorch must fulfil too."""
    return pytest.mark.parametrize("row", [pytest.param(r, id=r.id) for r in rows if not r.ours])


def check(row, dtype, layout):
    same(Bench(ag, functional, dtype, layout).run(row.code), row.expected, dtype, row)


def check_oracle(row, torch):
    dtype = row.only[0]
    same(Bench(torch, torch.nn.functional, dtype).run(row.code), row.expected, dtype, row)


def same(found, expected, dtype, row):
    assert agrees(found, expected, row.rtol or (1e-9 if dtype == "float64" else 2e-5)), (
        f"{found} is not {expected}"
    )


def agrees(a, b, rtol):
    """Nested numbers agree: NaN is NaN, infinities are equal, finite numbers are close; all else is equal."""
    if isinstance(b, (list, tuple)):
        return (
            isinstance(a, (list, tuple))
            and len(a) == len(b)
            and all(agrees(x, y, rtol) for x, y in zip(a, b, strict=True))
        )
    if isinstance(b, float) and isinstance(a, float):
        if math.isnan(b) or math.isinf(b) or math.isinf(a):
            return math.isnan(a) and math.isnan(b) or a == b
        return abs(a - b) <= rtol * abs(b) + rtol * 1e-3
    if isinstance(b, str) and isinstance(a, str):
        return b in a
    return type(a) is type(b) and a == b
