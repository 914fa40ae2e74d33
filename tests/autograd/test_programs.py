"""Random programs of arithmetic, views, writes, detach and no_grad: both libraries must do the
same.

A program is a list of steps on a growing list of tensors. Values, gradients of two orders, versions
and the types of errors must agree. Where PyTorch meets an error the program ends there, in both.
"""

import warnings

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_gpu as ag

from .agree import leaf, plain, same

UNARY = [
    "sin",
    "exp",
    "tanh",
    "neg",
    "abs",
    "sigmoid",
    "square",
    "clone",
    "relu",
    "sqrt",
    "sum",
    "mean",
    "contiguous",
]
BINARY = ["__add__", "__sub__", "__mul__", "maximum"]
VIEWS = [
    lambda v: v[0], lambda v: v[1:], lambda v: v.t() if v.dim() == 2 else v[:1], lambda v: v.view(-1), lambda v: v[..., :2],
    lambda v: v.unbind()[0], lambda v: v.split(1)[-1], lambda v: v.data, lambda v: v.unsqueeze(0), lambda v: v.reshape(-1)[::2], lambda v: v.transpose(0, -1), lambda v: v.flatten(), lambda v: v[:, 1],
]  # fmt: skip
WRITES = ["add_", "mul_", "sub_", "copy_"]
WRITES_ALONE = ["zero_", "neg_", "sin_", "tanh_", "exp_", "square_", "abs_"]

places = st.integers(0, 30)
steps = st.one_of(
    st.tuples(st.just("unary"), places, st.sampled_from(UNARY)),
    st.tuples(st.just("binary"), places, st.sampled_from(BINARY), places),
    st.tuples(
        st.just("number"), places, st.sampled_from(BINARY[:3]), st.sampled_from([2, 0.5, -1.5])
    ),
    st.tuples(st.just("view"), places, st.integers(0, len(VIEWS) - 1)),
    st.tuples(st.just("view"), places, st.integers(0, len(VIEWS) - 1)),
    st.tuples(st.just("write"), places, st.sampled_from(WRITES), places),
    st.tuples(st.just("write"), places, st.sampled_from(WRITES), places),
    st.tuples(st.just("alone"), places, st.sampled_from(WRITES_ALONE)),
    st.tuples(st.just("set"), places, st.integers(0, 2), places),
    st.tuples(st.just("mask"), places, st.booleans(), places),
    st.tuples(st.just("join"), places, st.booleans(), places),
    st.tuples(st.just("gather"), places, st.booleans()),
    st.tuples(st.just("expand"), places, st.booleans()),
    st.tuples(st.just("backward"), places, st.booleans()),
    st.tuples(st.just("retain"), places),
    st.tuples(st.just("detach"), places),
    st.tuples(st.just("sum"), places, st.sampled_from([None, 0, -1])),
)
programs = st.lists(
    st.tuples(st.sampled_from(["", "", "", "", "no_grad"]), steps), min_size=1, max_size=14
)


def step(t, values, one):
    kind, v = one[0], values[one[1] % len(values)]
    other = values[one[3] % len(values)] if len(one) > 3 and kind != "number" else None
    if kind in ("write", "alone", "set", "mask"):
        v.grad_fn  # noqa: B018  # else PyTorch may take a view for a leaf whose base has got a history
    if kind == "unary":
        return getattr(v, one[2])()
    if kind == "binary":
        return getattr(v, one[2])(other)
    if kind == "number":
        return getattr(v, one[2])(one[3])
    if kind == "view":
        return VIEWS[one[2]](v)
    if kind == "detach":
        return v.detach()
    if kind == "sum":
        return v.sum() if one[2] is None else v.sum(one[2])
    if kind == "write":
        # A copy: PyTorch reads what it has just written where memory overlaps, and refuses
        # y.mul_(y) in backward.
        return getattr(v, one[2])(other.clone())
    if kind == "alone":
        return getattr(v, one[2])()
    if kind == "mask" and 0 not in v.stride():  # else PyTorch only warns, and writes
        v[v.detach() > 0.5] = other.sum() if one[2] else 0.25
        return None
    if kind == "mask":
        return None
    if kind == "join":
        return t.cat([v.reshape(-1), other.reshape(-1)]) if one[2] else t.stack([v, other])
    if kind == "gather":
        return v[t.tensor([0, -1, 0])] if one[2] else v[..., t.tensor([1, 1])]
    if kind == "expand":
        return v.expand(2, *v.shape) if one[2] else v[None].expand(3, *v.shape)
    if kind == "backward":
        v.sum().backward(retain_graph=one[2])
        return None
    if kind == "retain":
        return v.retain_grad()
    v[one[2] :] = other.clone()  # of its own: `x[i] = x[i]` is nothing here and a write there
    return None


def run(t, program):
    x, w = leaf(t, [[0.5, -1.25, 2.0], [0.25, 1.5, -0.75]]), leaf(t, [1.5, 0.3, -0.6])
    values, log = [x, w, x * 1, t.tensor([[0.2, 0.4, 0.8], [1.0, 1.2, 1.4]], dtype=t.float64)], []
    for mode, one in program:
        try:
            if mode:
                with t.no_grad():
                    out = step(t, values, one)
            else:
                out = step(t, values, one)
        except (RuntimeError, IndexError) as error:
            log.append((one[0], type(error).__name__))
            continue
        if out is not None and out.numel() < 100:
            values.append(out)
    log += [(v.detach(), v.requires_grad, v._version) for v in values]
    log += [v.grad for v in values]
    try:
        total = sum(
            (
                (v * t.arange(1.0, v.numel() + 1, dtype=t.float64).reshape(v.shape)).sum()
                for v in values
            ),
            t.zeros(()),
        )
        (g, h) = t.autograd.grad(total, [x, w], create_graph=True, allow_unused=True)
        log += [None if v is None else v.detach() for v in (g, h)]
        kept = [v for v in (g, h) if v is not None and v.requires_grad]
        if kept:
            log += t.autograd.grad(
                sum((v**2).sum() for v in kept), [x, w], allow_unused=True, materialize_grads=True
            )
    except (RuntimeError, IndexError) as error:
        log.append(type(error).__name__)
    return log


def quietly(t, program):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return plain(run(t, program))


@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(program=programs)
def test_random_programs(torch, program):
    same(quietly(ag, program), quietly(torch, program))
