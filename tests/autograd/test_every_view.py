"""Every view op of the table, with writes through it, against copies.

The oracle knows no views. A tensor is a vector M of its memory; a view is an array of places in M,
read by M[places]; a write makes a new M by `index_put`. Values and derivatives of two orders of
these functional programs are what the views must give:

    x --> b = 1.5 x --> v = view(b) --> v.mul_(s).add_(x[0]) --> loss(b, v, view(b))
    x --> M ---------> M[p] ----------> M' = put(M, p, ...) ---> loss(M'[q], M'[p], M'[p])
"""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.layout import owner
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu._ops.table import REGISTRY

OUT_OF_TABLE = {
    "select": lambda b: b.select(1, -1), "narrow": lambda b: b.narrow(1, 1, 2),
    "b[0]": lambda b: b[0], "b[1:, ::2]": lambda b: b[1:, ::2], "b[None]": lambda b: b[None], "b[..., 1]": lambda b: b[..., 1],
    "b.T": lambda b: b.T, "b.mT": lambda b: b.mT, "b.view_as": lambda b: b.view_as(b), "b.expand_as": lambda b: b.expand_as(b),
    "b.t()[0].unsqueeze(0)": lambda b: b.t()[0].unsqueeze(0), "b.view(-1)[1:5:2]": lambda b: b.view(-1)[1:5:2],
    "chain": lambda b: b.view(3, 2).t()[1:].unsqueeze(1).movedim(1, 0).squeeze(0).view(3, 1)[1:],
    "b.squeeze()": lambda b: b.squeeze(), "b.squeeze(0)": lambda b: b.squeeze(0), "b.unflatten": lambda b: b.unflatten(1, (3, 1)),
}  # fmt: skip

COMPLEX = {"_real", "_imag", "view_as_real", "view_as_complex", "real", "imag", "conj", "mH", "H"}


def views_of_the_table():
    """(what it is, a function of the base, the base's shape, its memory's layout)."""
    for entry in sorted(REGISTRY.values(), key=lambda e: e.name):
        if entry.name in COMPLEX:
            continue
        for i, (args, kwargs) in enumerate(samples_of(entry, Maker())):
            if not args or not isinstance(args[0], ag.Tensor) or not args[0].is_floating_point():
                continue
            if any(isinstance(a, ag.Tensor) for a in args[1:]):
                continue
            out = entry.function(*args, **kwargs)
            first = out[0] if isinstance(out, tuple) and out else out
            if isinstance(first, ag.Tensor) and first._is_view() and first._base is args[0]:
                def made(b, entry=entry, args=args, kwargs=kwargs):
                    return entry.function(b, *args[1:], **kwargs)

                yield pytest.param(made, args[0]._array, isinstance(out, tuple), id=f"{entry.name}-{i}")


CASES = list(views_of_the_table())
SINGLE = [pytest.param(*c.values[:2], id=c.id) for c in CASES if not c.values[2]]
SEVERAL = [pytest.param(*c.values[:2], id=c.id) for c in CASES if c.values[2] and c.values[1].size]
SINGLE += [pytest.param(f, np.linspace(0.3, 1.7, 6).reshape(2, 3), id=n) for n, f in OUT_OF_TABLE.items()]


def test_the_table_was_walked():
    """What PyTorch lists as views is here, each with samples."""
    found = {c.id.rpartition("-")[0] for c in CASES}
    assert found >= {
        "_reshape", "_reshape_alias", "_view", "transpose", "_permute", "t", "unsqueeze", "_expand", "expand",
        "diagonal", "unfold", "as_strided", "split", "unbind", "chunk", "flatten", "unflatten", "ravel", "movedim",
        "moveaxis", "swapaxes", "swapdims", "permute", "squeeze", "view", "reshape", "tensor_split",
    } & {e.name for e in REGISTRY.values()}  # fmt: skip
    assert len(found) > 25


def places_of(view, memory):
    """For each element of a view where it lies in the memory, in elements."""
    spread = np.zeros(view.shape, np.int64)
    if not view.size:
        return spread
    start = (view.__array_interface__["data"][0] - memory.__array_interface__["data"][0]) // view.itemsize
    for d, (n, step) in enumerate(zip(view.shape, view.strides, strict=True)):
        spread += (np.arange(n) * (step // view.itemsize)).reshape((n,) + (1,) * (view.ndim - d - 1))
    return spread + start


class Memory:
    """The oracle: all elements as one immutable vector."""

    def __init__(self, base, places, size):
        self.flat = ag.index_put(
            ag.zeros(size, dtype=base.dtype, device=base.device), (tensor(places.reshape(-1), base),), base.reshape(-1)
        )

    def read(self, places):
        return self.flat[tensor(places.reshape(-1), self.flat)].reshape(places.shape)

    def write(self, places, values):
        self.flat = ag.index_put(self.flat, (tensor(places.reshape(-1), self.flat),), values.reshape(-1))


def tensor(array, like):
    return ag.tensor(array, device=like.device)


def base_of(x):
    """1.5 x, in memory as x is."""
    return x * 1.5


def loss(b, v, w):
    weights = ag.arange(1.0, b.numel() + 1, dtype=b.dtype, device=b.device).reshape(b.shape)
    return (b**2 * weights).sum() + (v.exp() * w).sum() + v.sum().sin()


def derivatives(total, inputs):
    """The loss, its gradients, and the gradients of those."""
    first = ag.autograd.grad(total, inputs, create_graph=True, materialize_grads=True)
    second = ag.autograd.grad(sum((g * g).sum() for g in first), inputs, allow_unused=True, materialize_grads=True)
    return [total.item(), *[g.tolist() for g in (*first, *second)]]


def numbers(array, device):
    x = ag.tensor(0.0, device=device).new_empty(0)  # on the device
    made = np.empty_like(array, dtype=np.float64)
    made[...] = np.linspace(0.3, 1.1, array.size).reshape(array.shape)
    x = ag.from_numpy(made) if device == "cpu" else ag.from_numpy(made).to(device)
    return x.requires_grad_(), ag.tensor(0.7, dtype=ag.float64, device=device, requires_grad=True)


def layout(b):
    """Where the elements of a base on the CPU lie; a device's arrays are dense here."""
    if b.is_cpu:
        return b._array
    return np.empty_like(b._array._host)


WRITES = {
    "mul_ add_": (lambda v, s, x: v.mul_(s).add_(x.sum()), lambda v, s, x: v * s + x.sum()),
    "exp_": (lambda v, s, x: v.exp_(), lambda v, s, x: v.exp()),
    "copy_": (lambda v, s, x: v.copy_(s * 2), lambda v, s, x: (s * 2).expand(v.shape)),
    "[...] =": (lambda v, s, x: v.__setitem__(..., s**2), lambda v, s, x: (s**2).expand(v.shape)),
    "div_ tanh_": (lambda v, s, x: v.div_(s).tanh_(), lambda v, s, x: (v / s).tanh()),
}  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(("view", "array"), SINGLE)
def test_a_write_through_every_view(view, array, write, device):
    x, s = numbers(array, device)
    b = base_of(x)
    v = view(b)
    sample = layout(b)
    seen = view(ag.from_numpy(sample))._array
    places, own = places_of(seen, owner(sample)), places_of(sample, owner(sample))
    in_place, functional = WRITES[write]
    if len(np.unique(places)) < places.size:
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            in_place(v, s, x)
        assert b._version == 0
        return
    memory = Memory(base_of(x), own, owner(sample).size)
    in_place(v, s, x)
    assert v._base is b
    assert v._version == b._version >= 1
    memory.write(places, functional(memory.read(places), s, x))
    ours = derivatives(loss(b, v, view(b)), [x, s])
    oracle = derivatives(loss(memory.read(own), memory.read(places), memory.read(places)), [x, s])
    for mine, wanted in zip(ours, oracle, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("view", "array"), SINGLE)
def test_a_write_to_the_base_of_every_view(view, array, device):
    """Also under no_grad, and through an alias: the view is made again, and its history is right."""
    x, s = numbers(array, device)
    b = base_of(x)
    v = view(b)
    (v.sum() * 0).backward(retain_graph=True)
    b.mul_(s)
    w = view(b)
    with ag.no_grad():
        b.sub_(1)
    alias = b[...]
    alias.add_(x)
    functional = base_of(x) * s - 1 + x
    ours = derivatives(loss(b, v, w), [x, s])
    oracle = derivatives(loss(functional, view(functional), view(functional)), [x, s])
    for mine, wanted in zip(ours, oracle, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("view", "array"), SEVERAL)
def test_outputs_of_every_op_with_several_views(view, array, device):
    x, s = numbers(array, device)
    b = base_of(x)
    views = [v for v in view(b) if v.numel()]
    refused = []
    for v in views:
        try:
            v.mul_(s)
        except RuntimeError as error:
            assert "is a view and is being modified inplace" in str(error)
            refused.append(v)
        else:  # views one by one: chunks of no equal length
            assert type(v.grad_fn).__name__ == "AsStridedBackward0"
    assert refused == views or not refused
    with ag.no_grad():
        views[-1].fill_(2.0)
    assert b._version == len(views) - len(refused) + 1
    assert (b.detach() == 2.0).sum().item() >= views[-1].numel()
    if refused:
        with pytest.raises(RuntimeError, match="another view of its base has been modified inplace"):
            views[0] * 1
    (b * b).sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize(("view", "array"), [*SINGLE, *SEVERAL])
def test_results_are_views_where_they_share_memory(view, array):
    """Whether b requires grad or not, and whether anything is recorded."""
    for requires_grad in (True, False):
        for recording in (True, False):
            x = ag.from_numpy(np.zeros_like(array, dtype=np.float64))
            b = base_of(x.requires_grad_(requires_grad))
            with ag.set_grad_enabled(recording):
                out = view(b)
            for v in out if isinstance(out, tuple) else (out,):
                assert v._is_view() == (np.shares_memory(v._array, b._array) or not v.numel())
                assert v._base is b
                assert v.requires_grad == requires_grad
                assert v._version == b._version == 0
