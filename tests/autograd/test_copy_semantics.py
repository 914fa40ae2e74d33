"""Random programs of views and writes against a model without views (copies.py): on the CPU, on the
stand-in device, and under PyTorch where it is installed.

Where a value is used it is cloned first, so that no saved value is written over: every error is then
one that the model foresees.
"""

import contextlib
from importlib.util import find_spec

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_gpu as ag
from autograd_gpu.testing import standin

from .copies import Model, Refused

# as tensors do it, as arrays of places do it
VIEWS = [
    (lambda v: v[0], lambda p: p[0]),
    (lambda v: v[1:], lambda p: p[1:]),
    (lambda v: v[..., ::2], lambda p: p[..., ::2]),
    (lambda v: v[:, 1], lambda p: p[:, 1]),
    (lambda v: v[None, ..., :2], lambda p: p[None, ..., :2]),
    (lambda v: v.transpose(0, -1), lambda p: np.swapaxes(p, 0, -1) if p.ndim else p),
    (lambda v: v.unsqueeze(1), lambda p: p[:, None]),
    (lambda v: v.squeeze(), lambda p: p.squeeze()),
    (lambda v: v.permute(*range(v.dim())[::-1]), lambda p: p.T),
    (lambda v: v.diagonal(), lambda p: np.diagonal(p)),
    (lambda v: v.unfold(0, 1, 1), lambda p: p[..., None]),
    (lambda v: v.movedim(0, -1), lambda p: np.moveaxis(p, 0, -1)),
    (lambda v: v.narrow(-1, 1, 1), lambda p: p[..., 1:2]),
    (lambda v: v.expand(2, *v.shape), lambda p: np.broadcast_to(p, (2, *p.shape))),
    (lambda v: v.view_as(v), lambda p: p),
    (lambda v: v[...], lambda p: p),
]
UNARY = [lambda v: v.sin(), lambda v: v.tanh() * 1.0, lambda v: v.sum(), lambda v: v * 1.0]
WRITES = [
    (lambda v, u: v.mul_(u), lambda v, u: v * u),
    (lambda v, u: v.add_(u, alpha=2), lambda v, u: v + 2 * u),
    (lambda v, u: v.copy_(u), lambda v, u: v * 0 + u),
    (lambda v, u: v.lerp_(u, 0.25), lambda v, u: v + 0.25 * (u - v)),
    (lambda v, u: v.addcmul_(u, u), lambda v, u: v + u * u),
    (lambda v, u: v.div_(u.square() + 1), lambda v, u: v / (u.square() + 1)),
    (lambda v, u: v.__setitem__(..., u), lambda v, u: v * 0 + u),
]
ALONE = [
    (lambda v: v.sin_(), lambda v: v.sin()),
    (lambda v: v.zero_(), lambda v: v * 0),
    (lambda v: v.fill_(0.5), lambda v: v * 0 + 0.5),
    (lambda v: v.mul_(-1.5), lambda v: v * -1.5),
    (lambda v: v.neg_(), lambda v: -v),
    (lambda v: v.square_(), lambda v: v.square()),
    (lambda v: v.clamp_(-1, 1), lambda v: v.clamp(-1, 1)),
]
PARTS = [(lambda t: slice(1, None), lambda p: p[1:]), (lambda t: (Ellipsis, 0), lambda p: p[..., 0]), (lambda t: 0, lambda p: p[0]),
         (lambda t: t.tensor([0, -1]), lambda p: p[[0, -1]]), (lambda t: [0], lambda p: p[[0]])]  # fmt: skip

places = st.integers(0, 30)


def one(name, count):
    return st.tuples(st.just(name), places, st.integers(0, count - 1), places)


steps = st.one_of(
    one("view", len(VIEWS)), one("view", len(VIEWS)), one("unary", len(UNARY)), one("write", len(WRITES)), one("write", len(WRITES)),
    one("alone", len(ALONE)), one("alone", len(ALONE)), one("part", len(PARTS)), one("detach", 1), one("times", 1),
)  # fmt: skip
programs = st.lists(st.tuples(st.booleans() | st.just(False), steps), min_size=2, max_size=12)


class Real:
    """Steps on tensors of a library."""

    def __init__(self, t, device="cpu"):
        self.t, self.device = t, device

    def leaf(self, values):
        return self.t.tensor(values, dtype=self.t.float64, device=self.device, requires_grad=True)

    def product(self, x, number):
        return x * number

    def no_grad(self):
        return self.t.no_grad()

    def view(self, v, i):
        return VIEWS[i][0](v)

    def unary(self, v, i):
        return UNARY[i](v.clone())

    def times(self, v, u):
        return v.clone() * u.clone()

    def detach(self, v):
        return v.detach()

    def settle(self, v):
        """PyTorch may else take a view for a leaf whose base has got a history."""
        if self.t.is_grad_enabled():
            v.grad_fn  # noqa: B018

    def write(self, v, i, u):
        self.settle(v)
        WRITES[i][0](v, u.clone())

    def alone(self, v, i):
        self.settle(v)
        ALONE[i][0](v)

    def part(self, v, i, u):
        self.settle(v)
        index = PARTS[i][0](self.t)
        v[index.to(self.device) if hasattr(index, "to") else index] = u.clone()

    def value(self, v):
        return v.clone()


class Copies(Real):
    """The same steps on models."""

    def __init__(self):
        super().__init__(ag)

    def leaf(self, values):
        self.leaves = [*getattr(self, "leaves", []), super().leaf(values)]
        return Model.of(self.leaves[-1], leaf=True)

    def product(self, x, number):
        return Model.of(x.value() * number)

    def view(self, v, i):
        return v.view(VIEWS[i][1])

    def unary(self, v, i):
        return Model.of(UNARY[i](v.value()))

    def times(self, v, u):
        return Model.of(v.value() * u.value())

    def write(self, v, i, u):
        value = u.value()
        if i == len(WRITES) - 1:
            value = _fitted(value, v.places.shape)
        _fits(value.shape, v.places.shape)
        v.write(WRITES[i][1](v.value(), value), [u])

    def alone(self, v, i):
        v.write(ALONE[i][1](v.value()))

    def part(self, v, i, u):
        part = Model(v.history, PARTS[i][1](v.places), v.cut)
        value = _fitted(u.value(), part.places.shape)
        _fits(value.shape, part.places.shape)
        part.write(value.expand(part.places.shape), [u])

    def value(self, v):
        return v.value()


def _fitted(value, shape):
    """Setitem drops leading dimensions of length 1."""
    while value.dim() > len(shape) and value.shape[0] == 1:
        value = value[0]
    return value


def _fits(shape, target):
    if np.broadcast_shapes(shape, target) != target:
        raise ValueError


ERRORS = (RuntimeError, IndexError, ValueError, TypeError, Refused)


def run(real, program):
    """Every step: "error" or nothing; then all values, and derivatives of two orders."""
    x, w = real.leaf([[0.5, -1.25, 2.0], [0.25, 1.5, -0.75]]), real.leaf([1.5, 0.3, -0.6])
    values, log = [x, w, real.product(x, 1.5), real.product(w, -1.0)], []
    for quiet, (name, first, which, second) in program:
        v, u = values[first % len(values)], values[second % len(values)]
        call = {"write": (v, which, u), "part": (v, which, u), "times": (v, u), "detach": (v,)}.get(name, (v, which))
        try:
            with real.no_grad() if quiet else contextlib.nullcontext():
                made = getattr(real, name)(*call)
        except ERRORS:
            log.append("error")
            continue
        log.append(None)
        if made is not None:
            values.append(made)
    return log, finished(real, values)


def finished(real, values):
    leaves, shown, total = getattr(real, "leaves", values[:2]), [], 0.0
    for v in values:
        try:
            value = real.value(v)
        except ERRORS:
            shown.append("error")
            continue
        shown.append(np.array(value.detach().tolist()))
        weights = real.t.arange(1.0, value.numel() + 1, dtype=real.t.float64, device=real.device).reshape(value.shape)
        total = total + (value * value * weights).sum()
    keep = {"allow_unused": True, "materialize_grads": True}
    first = real.t.autograd.grad(total, leaves, create_graph=True, **keep)
    sums = sum((g * g).sum() for g in first)
    second = real.t.autograd.grad(sums, leaves, **keep) if sums.requires_grad else []
    return shown, [np.array(g.tolist()) for g in (*first, *second)]


def compare(ours, wanted, program):
    assert ours[0] == wanted[0], program
    for mine, right in zip([*ours[1][0], *ours[1][1]], [*wanted[1][0], *wanted[1][1]], strict=True):
        if isinstance(mine, str) or isinstance(right, str):
            assert isinstance(mine, str) and isinstance(right, str), program
        else:
            np.testing.assert_allclose(mine, right, rtol=1e-8, atol=1e-10, err_msg=str(program))


@settings(max_examples=80, derandomize=True, deadline=None)
@given(program=programs)
def test_programs(program):
    with np.errstate(all="ignore"):
        wanted = run(Copies(), program)
    compare(run(Real(ag), program), wanted, program)
    with standin.activate():
        compare(run(Real(ag, "cuda"), program), wanted, program)
    if find_spec("torch"):
        import torch

        compare(run(Real(torch), program), wanted, program)
