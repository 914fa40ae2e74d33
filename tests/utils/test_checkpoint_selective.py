"""Selective checkpoints: the results that a policy names are kept, all else is computed again."""

import functools
import weakref

import pytest

import autograd_gpu as ag
from autograd_gpu.nn import functional as F
from autograd_gpu.utils.checkpoint import (
    CheckpointPolicy,
    SelectiveCheckpointContext,
    checkpoint,
    create_selective_checkpoint_contexts,
)

from ..autograd.agree import leaf

NAMES = ("mm", "sin", "exp", "tanh", "dropout", "_linear_bias")


@pytest.fixture
def computed(monkeypatch):
    """The names of the primitive operations whose forwards run, in their order."""
    seen = []
    for name in NAMES:
        entry = ag._ops.table.REGISTRY[name]
        if not hasattr(entry, "forward"):
            continue

        def forward(*args, name=name, original=entry.forward, **kwargs):
            seen.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(entry, "forward", forward)
        monkeypatch.setitem(entry.namespace, "forward", forward)
    return seen


def kept(function, *args, policy, mutable=False, **options):
    context = functools.partial(create_selective_checkpoint_contexts, policy, mutable)
    return checkpoint(function, *args, use_reentrant=False, context_fn=context, **options)


def chain(a, w):
    return (ag.mm(a, w).sin() @ w).exp().tanh()


VALUES = [[1.0, 2.0], [3.0, 4.0]], [[0.5, 0.1], [0.2, 0.3]]


@pytest.mark.parametrize(
    ("policy", "again"),
    [
        ([ag.mm], ["sin", "exp", "tanh"]),
        ([ag.matmul], ["mm", "sin", "mm", "exp", "tanh"]),  # `@` of two matrices calls mm itself
        ([ag.mm, ag.sin], ["exp", "tanh"]),
        ([ag.mm, ag.sin, ag.exp, ag.tanh], []),
        ([], ["mm", "sin", "mm", "exp", "tanh"]),
        (lambda ctx, op, *args: op is ag.mm, ["sin", "exp", "tanh"]),
        (lambda ctx, op, *args: CheckpointPolicy.PREFER_RECOMPUTE, ["mm", "sin", "mm", "exp", "tanh"]),
        (lambda ctx, op, *args: CheckpointPolicy.PREFER_SAVE, []),
        (lambda ctx, op, *args: CheckpointPolicy.PREFER_CPU_OFFLOAD, []),
        (lambda ctx, op, a, *args: bool((ctx.op_output > 1).any()), ["sin", "mm", "tanh"]),
    ],
)
def test_what_runs_again(computed, policy, again):
    plain = [leaf(ag, v) for v in VALUES]
    chain(*plain).sum().backward()
    args = [leaf(ag, v) for v in VALUES]
    y = kept(chain, *args, policy=policy)
    computed.clear()
    y.sum().backward()
    assert [a.grad.tolist() for a in args] == [p.grad.tolist() for p in plain]
    assert computed == again


def test_what_a_policy_is_told():
    x, told = leaf(ag, VALUES[0]), []

    def policy(ctx, op, *args, **kwargs):
        assert isinstance(ctx, SelectiveCheckpointContext) and not ctx.is_recompute
        told.append((op, args, kwargs, ctx.op_output))
        args[0] + 1  # what it computes itself is no part of the function
        return False

    y = kept(lambda a: ag.softmax(a.sin(), dim=-1), x, policy=policy)
    count = len(told)
    y.sum().backward()
    assert len(told) == count, "the recomputation asks nobody"
    ops = [op for op, *_ in told]
    assert ops[0] is ag.sin and ag.softmax in ops and ag.add not in ops
    assert told[0][1][0] is x
    assert told[ops.index(ag.softmax)][2] == {"dim": -1}
    assert told[ops.index(ag.softmax)][3] is y


def test_an_operation_made_of_others(computed):
    """`linear` calls another one; naming it keeps what that gave."""
    layer = ag.nn.Linear(2, 2).double()
    x = leaf(ag, VALUES[0])
    y = kept(lambda a: layer(a).tanh().sin(), x, policy=[F.linear])
    computed.clear()
    y.sum().backward()
    assert "_linear_bias" not in computed and "tanh" in computed
    z = leaf(ag, VALUES[0])
    layer(z).tanh().sin().sum().backward()
    assert x.grad.tolist() == z.grad.tolist()


def test_random_numbers_are_drawn_again():
    """Kept or not, they move the generator: the second mask is the second of the forward too."""
    x, keep = leaf(ag, [1.0] * 64), [True]

    def f(a):
        b = F.dropout(a * 1, 0.5)
        keep[0] = False
        return F.dropout(b, 0.5)

    y = kept(f, x, policy=lambda ctx, op, *args, **kwargs: keep[0])
    y.sum().backward()
    assert x.grad.tolist() == y.tolist() and 0 < (y == 0).sum() < 64


def test_nested_and_views_and_writes(computed):
    plain, x = leaf(ag, VALUES[0]), leaf(ag, VALUES[0])

    def f(a, run):
        b = a.T * 2
        b[0].mul_(2)
        c = run(lambda d: d.sin().exp(), b)
        return c.transpose(0, 1) @ a

    f(plain, lambda g, a: g(a)).sum().backward()
    policy = lambda ctx, op, *args, **kwargs: op in (ag.mm, ag.sin)
    y = kept(f, x, lambda g, a: checkpoint(g, a, use_reentrant=False), policy=policy)
    y.sum().backward()
    assert x.grad.tolist() == plain.grad.tolist()


def test_only_one_pass():
    x, w = (leaf(ag, v) for v in VALUES)
    y = kept(chain, x, w, policy=[ag.mm])
    y.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="Trying to backward an extra time"):
        y.sum().backward()


def test_what_was_kept_goes_with_its_use():
    (x, w), seen = (leaf(ag, v) for v in VALUES), []

    def f(a, b):
        c = ag.mm(a, b)
        d = c.sin()
        seen.extend((weakref.ref(c._array), weakref.ref(d._array)))
        return d.exp()

    y = kept(f, x, w, policy=[ag.mm])
    assert seen[0]() is not None and seen[1]() is None
    y.sum().backward(retain_graph=True)
    assert seen[0]() is None


def test_nothing_kept_any_number_of_passes():
    x, w = (leaf(ag, v) for v in VALUES)
    y = kept(chain, x, w, policy=[])
    y.sum().backward(retain_graph=True)
    first = x.grad.tolist()
    y.sum().backward()
    assert x.grad.tolist() == [[2 * v for v in row] for row in first]


@pytest.mark.parametrize("mutable", [True, False])
def test_a_kept_result_written_in_place(mutable):
    x = leaf(ag, [0.5, 0.25])
    y = kept(lambda a: ag.add(a, 1).mul_(2).sin(), x, policy=[ag.add], mutable=mutable)
    if mutable:
        y.sum().backward()
    else:
        with pytest.raises(RuntimeError, match="has been mutated: add gave it"):
            y.sum().backward()


def test_another_recomputation():
    x = leaf(ag, [0.5, 0.25])
    turns = iter([ag.sin, ag.cos])
    y = kept(lambda a: next(turns)(a), x, policy=[ag.sin])
    with pytest.raises(RuntimeError, match="cos encountered during backward but not found in storage"):
        y.sum().backward()


def test_refused_policies():
    with pytest.raises(ValueError, match="expected a list of operations.*holds <built-in function len>"):
        create_selective_checkpoint_contexts([ag.mm, len])
    with pytest.raises(TypeError, match="policy_fn_or_list must be either a function or a list of ops"):
        create_selective_checkpoint_contexts("mm")


def test_policies_are_pytorchs(torch):
    from torch.utils.checkpoint import CheckpointPolicy as theirs

    assert [(p.name, p.value) for p in CheckpointPolicy] == [(p.name, p.value) for p in theirs]
