"""What nodes show of what they saved: `_saved_self`, `_saved_dim`, `_raw_saved_self` and their like."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.samples import Maker, samples_of

from ..oracle import assert_same, to_torch
from ..test_every_op import DIFFERENTIABLE, counterpart, flat_torch, floats, oracle
from .agree import agree, fails, function, leaf, works

ELSEWHERE = {
    # (node, name): PyTorch's forward takes another way there, so that it saves other things
    ("AvgPool2DBackward0", "stride"), ("MaxPool2DWithIndicesBackward0", "stride"),  # () for the kernel's size
    ("ConvolutionBackward0", "input"),  # what was padded before
    ("DivBackward0", "other"), ("DivBackward0", "self"),  # of cosine_similarity: expanded, clamped before
    ("FlipBackward0", "dims"), ("PermuteBackward0", "dims"),  # -1 for the last
    ("LinalgVectorNormBackward0", "ord"),  # 2 and 2.0
    ("MmBackward0", "mat2_sym_strides"), ("MmBackward0", "self_sym_strides"),  # of empty matrices
    ("AddmmBackward0", "mat1_sym_strides"), ("AddmmBackward0", "mat2_sym_strides"),
    ("MvBackward0", "vec"),  # `linear`: a matrix with one row, turned
    ("NormBackward1", "dim"), ("NormBackward1", "self"),  # of pairwise_distance
    ("LinalgSvdBackward0", "U"), ("LinalgSvdBackward0", "Vh"),  # up to the sign of each column
    ("PreluKernelBackward0", "weight"),  # of another shape
    ("SumBackward1", "dim"),  # of a loss: -1 for 1
    ("SliceBackward0", "dim"), ("SliceBackward0", "end"),  # `diff`
    ("ViewBackward0", "self_sym_sizes"),  # of cross_entropy
    ("StdBackward0", "correction"), ("StdMeanBackward0", "correction"),  # None for 1
    ("VarBackward0", "correction"), ("VarMeanBackward0", "correction"),
}  # fmt: skip


COMPARED = [entry for entry in DIFFERENTIABLE if entry.id != "matrix_power"]  # other products, of the same value


def shown(value):
    """What can be compared, but for tensors."""
    if isinstance(value, (tuple, list)):
        return tuple(map(shown, value))
    return value


def names_of(node):
    return [name[len("_saved_") :] for name in dir(node) if name.startswith("_saved_")]


def compare(mine, his, name, context):
    if hasattr(his, "detach"):
        assert_same(mine, his, context)
        results = name.startswith("result")  # statistics: outputs of PyTorch's node, values of ours
        assert results or mine.requires_grad == his.requires_grad, context
    elif isinstance(his, tuple) and any(hasattr(v, "detach") for v in his):
        for a, b in zip(mine, his, strict=True):
            compare(a, b, name, context)
    else:
        assert shown(mine) == shown(his), (context, mine, his)


@pytest.mark.parametrize("entry", COMPARED)
def test_names_and_values_are_pytorchs(entry, torch):
    """Whatever the node of a result shows under a name that PyTorch's node of the same kind has."""
    theirs = counterpart(torch, entry)
    for args, kwargs in samples_of(entry, Maker()) if theirs is not None else ():
        ours = floats(entry.function(*args, **kwargs))
        kwargs = {k: to_torch(torch, v) for k, v in kwargs.items()}
        found = flat_torch(torch, oracle(torch, entry, theirs, to_torch(torch, args), kwargs))
        for a, b in zip(ours, [f for f in found if f.requires_grad], strict=False):
            a, b = a.grad_fn, b.grad_fn
            if a is None or b is None or a.name() != b.name() or a.op is None:
                continue
            names = set(names_of(b))
            for name in names:
                if (a.name(), name) not in ELSEWHERE and hasattr(a, "_saved_" + name):
                    compare(
                        getattr(a, "_saved_" + name), getattr(b, "_saved_" + name), name,
                        f"{entry.name}: {a.name()}._saved_{name}",
                    )  # fmt: skip


WANTED = {
    "MulBackward0": "self other", "DivBackward0": "self other", "ExpBackward0": "result", "LogBackward0": "self",
    "PowBackward0": "self exponent", "PowBackward1": "self exponent result", "SumBackward0": "self_sym_sizes",
    "SumBackward1": "dim keepdim self_sym_sizes", "MeanBackward1": "dim keepdim self_sym_sizes self_sym_numel",
    "MmBackward0": "self mat2 self_sym_sizes", "AddmmBackward0": "mat1 mat2 alpha beta", "BmmBackward0": "self mat2",
    "ReluBackward0": "result", "SigmoidBackward0": "result", "SoftmaxBackward0": "dim result",
    "LogSoftmaxBackward0": "dim result", "TransposeBackward0": "dim0 dim1", "PermuteBackward0": "dims",
    "ViewBackward0": "self_sym_sizes", "CatBackward0": "dim", "StackBackward0": "dim", "AddBackward0": "alpha",
    "SubBackward0": "alpha", "ClampBackward1": "self min max", "IndexBackward0": "indices self_sym_sizes",
    "SliceBackward0": "dim start end step self_sym_sizes", "SelectBackward0": "dim index self_sym_sizes",
    "ConvolutionBackward0": "input weight stride padding dilation groups transposed output_padding",
    "MaxBackward0": "dim indices keepdim self_sym_sizes", "WhereBackward0": "condition", "GeluBackward0": "self approximate",
    "NativeLayerNormBackward0": "input weight normalized_shape result1 result2", "EmbeddingBackward0": "indices padding_idx",
    "StdBackward0": "self dim keepdim correction result", "MaskedFillBackward0": "mask", "UnbindBackward0": "dim",
}  # fmt: skip


@agree
def test_common_nodes_show_what_pytorchs_do(t):
    x, v = leaf(t, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), leaf(t, [1.0, 2.0])
    F, one = t.nn.functional, leaf(t, [[[1.0, 2.0, 3.0, 4.0]]])
    made = [
        x * x, x / x, x.exp(), x.log(), x**2, x**x, x.sum(), x.sum(1), x.mean(0), x.mm(x.T), F.linear(x, x, v),
        x[None].bmm(x.T[None]), x.relu(), x.sigmoid(), x.softmax(1), x.log_softmax(0), x.transpose(0, 1), x.T,
        x.view(3, 2), t.cat([x, x]), t.stack([x, x]), x + x, x - x, x.clamp(0, 2), x[t.tensor([1, 0])], x[:, 1:3], x[1],
        F.conv1d(one, one, stride=2, padding=1), x.max(1).values, t.where(x > 2, x, -x), F.gelu(x), F.layer_norm(x, [3]),
        F.embedding(t.tensor([0, 1]), x), x.std(1), x.masked_fill(x > 2, 0.0), x.unbind()[0],
    ]  # fmt: skip
    nodes = {y.grad_fn.name(): y.grad_fn for y in made}
    assert set(nodes) == set(WANTED)
    return [
        (kind, name, tuple(value) if isinstance(value, tuple) else value)
        for kind, names in WANTED.items()
        for name in names.split()
        for value in [getattr(nodes[kind], "_saved_" + name)]
    ]


@agree
def test_tensors_come_back_as_they_were(t):
    x, w = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    y, z = x * w, x * x
    e = x.exp()
    m = e * e
    return (
        y.grad_fn._saved_self, y.grad_fn._saved_other, z.grad_fn._saved_self is x, z.grad_fn._saved_other is x,
        e.grad_fn._saved_result.grad_fn is e.grad_fn, e.grad_fn._saved_result is e, e.grad_fn._saved_result.requires_grad,
        m.grad_fn._saved_self.grad_fn is e.grad_fn, m.grad_fn._saved_self.requires_grad,
        (x * 3).grad_fn._saved_other, (x * 0.5).grad_fn._saved_other, (x * 3).grad_fn._saved_self,
        (x**2).grad_fn._saved_exponent, (2**x).grad_fn._saved_self,
    )  # fmt: skip


@agree
def test_gradients_of_what_came_back(t):
    x = leaf(t, [1.0, 2.0])
    y = (x * 2).exp()
    return t.autograd.grad((y.grad_fn._saved_result * 3).sum(), x)


@agree
def test_after_freeing_and_after_writes(t):
    again = "Trying to backward through the graph a second time"
    x = leaf(t, [1.0, 2.0])
    e = x.exp()
    s = (e * e).sum(-1)
    node = s.grad_fn.next_functions[0][0]
    raw = node._raw_saved_self
    s.backward()
    v = t.ones(2, dtype=t.float64)
    y = x * v
    v.add_(1)
    return (
        fails(RuntimeError, again, lambda: node._saved_self), s.grad_fn._saved_dim, s.grad_fn._saved_keepdim,
        raw.data, fails(RuntimeError, again, raw.unpack),
        fails(RuntimeError, "register_hooks on a saved tensor after it has been freed", raw.register_hooks, abs, abs),
        fails(RuntimeError, "modified by an inplace operation", lambda: y.grad_fn._saved_other),
    )  # fmt: skip


@agree
def test_names_that_are_not_there(t):
    node = leaf(t, [1.0]).exp().grad_fn
    return fails(AttributeError, "_saved_foo", lambda: node._saved_foo), works(setattr, node, "_saved_result", 3)


def test_what_is_not_kept_says_so():
    node = leaf(ag, [0.5]).erfinv().grad_fn  # our formula needs the result alone
    with pytest.raises(AttributeError, match="ErfinvBackward0 has no '_saved_self'.*its formula here needs no such value"):
        node._saved_self  # noqa: B018
    assert not hasattr(node, "_saved_self")


@agree
def test_hooks_on_one_saved_tensor(t):
    log = []

    def pack(v):
        log.append(("pack", v.tolist(), v.requires_grad))
        return [v.tolist()]

    def unpack(kept):
        log.append("unpack")
        return t.tensor(kept[0], dtype=t.float64) * 10

    x, w = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    node = (x * w).grad_fn
    raw = node._raw_saved_other
    first = raw.data, raw.unpack(), raw.unpack_hook
    raw.register_hooks(pack, unpack)
    again = node._raw_saved_other
    found = node._saved_other, again.data, again.unpack_hook is unpack
    words = [
        fails(RuntimeError, "whose hooks have already been set", again.register_hooks, pack, unpack),
        fails(RuntimeError, "with value None is forbidden", node._raw_saved_self.register_hooks, pack, unpack),
    ]
    (x * w).grad_fn  # noqa: B018
    y = x * w
    y.grad_fn._raw_saved_other.register_hooks(pack, unpack)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return first, found, words, log, x.grad


@agree
def test_hooks_that_fail(t):
    x, w = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)

    def raw():
        return (x * w).grad_fn._raw_saved_other

    y = x * w
    y.grad_fn._raw_saved_other.register_hooks(lambda v: v, lambda v: 3)
    return (
        fails(RuntimeError, "pack hook is modifying its input", raw().register_hooks, lambda v: v.mul_(2), lambda v: v),
        works(raw().register_hooks, 3, abs), works(raw().register_hooks, abs),
        fails(TypeError, "unpack_hook expected to be a Tensor", y.sum().backward),
    )  # fmt: skip


@agree
def test_under_saved_tensors_hooks(t):
    x = leaf(t, [1.0, 2.0])
    n = x * 2
    with t.autograd.graph.saved_tensors_hooks(lambda v: v.tolist(), lambda v: t.tensor(v, dtype=t.float64)):
        y = n * n
    back = y.grad_fn._saved_self
    return back.grad_fn is n.grad_fn, back.requires_grad, back.detach(), y.grad_fn._raw_saved_self.data


@agree
def test_a_functions_saved_tensors(t):
    Times = function(
        t,
        lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
        lambda ctx, g: g * ctx.saved_tensors[0],
    )
    x = leaf(t, [2.0])
    y = Times.apply(x)
    (raw,) = y.grad_fn._raw_saved_tensors
    raw.register_hooks(lambda v: v.tolist(), lambda v: t.tensor(v, dtype=t.float64) * 5)
    y.backward()
    return x.grad, fails(RuntimeError, "a second time", lambda: y.grad_fn._raw_saved_tensors)


def test_on_a_gpu():
    """What was saved on a GPU comes back on it."""
    from autograd_gpu.testing import standin

    with standin.activate():
        x = ag.tensor(np.array([1.0, 2.0]), device="cuda", requires_grad=True)
        y = x * 2.0
        e = y.exp()
        assert e.grad_fn._saved_result.is_cuda
        assert (y * y).grad_fn._saved_self.tolist() == [2.0, 4.0]
        assert (x * x).grad_fn._saved_self is x
