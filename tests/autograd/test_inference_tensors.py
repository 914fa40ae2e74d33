"""Inference tensors: what may be written and saved, inside inference mode and outside, and graphs
that meet it."""

import gc

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import modes

from .agree import agree, fails, function, leaf, on_host
from .test_inference_mode import kinds


def made(t, *shape):
    """An inference tensor of ones."""
    with t.inference_mode():
        return t.ones(shape or (3,))


WRITES = {
    "add_": lambda t, x: x.add_(1),
    "mul_": lambda t, x: x.mul_(2.0),
    "iadd": lambda t, x: x.__iadd__(1),
    "zero_": lambda t, x: x.zero_(),
    "fill_": lambda t, x: x.fill_(1),
    "copy_": lambda t, x: x.copy_(t.ones(3)),
    "item": lambda t, x: x.__setitem__(0, 1.0),
    "mask": lambda t, x: x.__setitem__(x > 0, 1.0),
    "uniform_": lambda t, x: x.uniform_(),
    "normal_": lambda t, x: x.normal_(),
    "relu_": lambda t, x: x.relu_(),
    "relu": lambda t, x: t.nn.functional.relu(x, inplace=True),
    "clamp_": lambda t, x: x.clamp_(0, 1),
    "lerp_": lambda t, x: x.lerp_(t.ones(3), 0.5),
    "index_add_": lambda t, x: x.index_add_(0, t.tensor([0]), t.ones(1)),
    "scatter_": lambda t, x: x.scatter_(0, t.tensor([0]), 1.0),
    "masked_fill_": lambda t, x: x.masked_fill_(x > 0, 1.0),
    "index_put_": lambda t, x: x.index_put_((t.tensor([0]),), t.ones(1)),
    "unsqueeze_": lambda t, x: x.unsqueeze_(0),
    "squeeze_": lambda t, x: x.squeeze_(),
    "t_": lambda t, x: x.t_(),
    "transpose_": lambda t, x: x.transpose_(0, 0),
    "out add": lambda t, x: t.add(t.ones(3), t.ones(3), out=x),
    "out mul": lambda t, x: t.mul(t.ones(3), 2, out=x),
    "init": lambda t, x: t.nn.init.uniform_(x),
    "init constant": lambda t, x: t.nn.init.constant_(x, 1.0),
    "init trunc": lambda t, x: t.nn.init.trunc_normal_(x),
    "of a view": lambda t, x: x[:2].add_(1),
    "of a leaf": lambda t, x: x.add_(leaf(t, [1.0, 1.0, 1.0], "float32")),
    "requires_grad_": lambda t, x: x.requires_grad_(),
    "requires_grad": lambda t, x: setattr(x, "requires_grad", True),
    "version": lambda t, x: x._version,
}
ALLOWED = {
    "requires_grad_(False)": lambda t, x: x.requires_grad_(False),
    "detach_": lambda t, x: x.detach_(),
    "grad": lambda t, x: setattr(x, "grad", t.ones(3)),
    "through detach": lambda t, x: x.detach().add_(1),
    "through data": lambda t, x: x.data.mul_(3),
    "clone": lambda t, x: x.clone().add_(1),
    "reads": lambda t, x: (x.tolist(), x[0].item(), x.is_leaf, x.grad_fn, x.output_nr, x._base, x.grad),
}


def outcome(t, work, x):
    """What was returned, or the error; and what became of x."""
    try:
        result = work(t, x)
    except Exception as error:
        result = type(error).__name__, str(error)[:53]
    result = kinds(result) if isinstance(result, t.Tensor) else result
    return result, kinds(x), None if x.is_inference() else x._version > 0


@agree
@pytest.mark.parametrize("name", [*WRITES, *ALLOWED])
def test_writes(t, name):
    """Outside the mode, within it; and to normal tensors and to leaves within it."""
    work = {**WRITES, **ALLOWED}[name]
    seen = [outcome(t, work, made(t))]
    with t.inference_mode():
        seen.append(outcome(t, work, t.ones(3)))
    x = t.ones(3)
    with t.inference_mode():
        seen.append(outcome(t, work, x))
    if name in ("detach_", "version"):  # a leaf keeps requires_grad in PyTorch
        return seen
    x = leaf(t, [1.0, 1.0, 1.0], "float32")
    with t.inference_mode():
        seen.append(outcome(t, work, x))
    return seen


REFUSED = (
    "Inplace update to inference tensor outside InferenceMode",
    "Setting requires_grad=True on inference tensor",
    "Inference tensors do not track version counter",
)


@pytest.mark.parametrize("name", WRITES)
def test_a_refused_write_changes_nothing(name):
    """PyTorch writes first, and then raises."""
    x = made(ag)
    with pytest.raises(RuntimeError) as error:
        WRITES[name](ag, x)
    assert str(error.value).startswith(REFUSED)
    assert x.tolist() == [1, 1, 1]
    assert (x.shape, x.requires_grad) == ((3,), False)


@agree
@on_host
def test_numpy_writes_to_inference_tensors(t):
    """An array shares the memory and knows no modes."""
    x = made(t)
    x.numpy()[0] = 5
    return x.tolist(), kinds(t.from_numpy(x.numpy())), np.asarray(x).sum().item()


def test_ufuncs_with_out():
    x = made(ag)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        np.add(np.ones(3, np.float32), 1, out=(x,))
    assert x.tolist() == [1, 1, 1]
    with ag.inference_mode():
        np.add(np.ones(3, np.float32), 1, out=(x,))
    assert x.tolist() == [2, 2, 2]


@agree
def test_aliases_through_which_it_can_be_written(t):
    """`detach()` and `.data`, where they were made outside: autograd looks away."""
    x, seen = made(t), []
    alias = x.detach()
    seen.append(alias._version)
    alias.add_(1)
    seen += [alias._version, kinds(alias), fails(RuntimeError, "version counter", getattr, x, "_version")]
    seen.append(fails(RuntimeError, "Setting requires_grad=True", alias.requires_grad_))
    seen.append(fails(RuntimeError, "cannot be saved", lambda: alias * leaf(t, [1.0, 2.0, 3.0])))
    with t.inference_mode():
        inside = x.detach(), x.data
    seen.append(x.clone())
    return [*seen, *[fails(RuntimeError, "Inplace update", i.add_, 1) for i in inside]]


@agree
def test_data_is_taken_over_with_its_kind(t):
    x, n, w = made(t), t.ones(3), leaf(t, [1.0, 2.0, 3.0], "float32")
    x.data = t.zeros(3)
    with t.inference_mode():
        n.data = w.data = t.zeros(3)
    return [v.is_inference() for v in (x, n, w)], w.requires_grad, x


F = {
    "mul": lambda t, x, w: w * x,
    "rmul": lambda t, x, w: x * w,
    "add": lambda t, x, w: w + x,
    "div": lambda t, x, w: w / x,
    "rdiv": lambda t, x, w: x / w,
    "pow": lambda t, x, w: w**x,
    "matmul": lambda t, x, w: x[None] @ w[:, None],
    "linear": lambda t, x, w: t.nn.functional.linear(x[None], w[None]),
    "frozen linear": lambda t, x, w: t.nn.functional.linear(x[None], t.ones(2, 3), w[:2]),
    "where": lambda t, x, w: t.where(x > 0, w, x),
    "gather": lambda t, x, w: w.gather(0, x.long()),
    "maximum": lambda t, x, w: t.maximum(w, x),
    "mse": lambda t, x, w: t.nn.functional.mse_loss(w, x),
    "bce": lambda t, x, w: t.nn.functional.binary_cross_entropy(w / 4, x),
    "norm": lambda t, x, w: t.nn.functional.layer_norm(w, (3,), x),
    "conv": lambda t, x, w: t.nn.functional.conv1d(x[None, None], w[None, None, :2]),
    "lerp": lambda t, x, w: t.lerp(w, x, 0.5),
    "cat": lambda t, x, w: t.cat([w, x]),
    "stack": lambda t, x, w: t.stack([w, x]),
    "einsum": lambda t, x, w: t.einsum("i,i->", w, x),
    "exp": lambda t, x, w: w.exp() + x,
    "sum": lambda t, x, w: (w + x).sum(),
    "add_": lambda t, x, w: (w * 1).add_(x),
    "mul_": lambda t, x, w: (w * 1).mul_(x),
    "number first": lambda t, x, w: (w * 1).mul_(2) * x,
    "copy_": lambda t, x, w: (w * 1).copy_(x),
    "set": lambda t, x, w: (w * 1).__setitem__(0, x[0]),
    "view": lambda t, x, w: x.view(3, 1) * w,
    "detach": lambda t, x, w: x.detach() * w,
    "data": lambda t, x, w: x.data * w,
    "clone": lambda t, x, w: x.clone() * w,
    "prelu": lambda t, x, w: t.nn.functional.prelu(w, x[:1]),
    "clamp": lambda t, x, w: w.clamp(x, x),
    "atan2": lambda t, x, w: t.atan2(w, x),
    "index_fill": lambda t, x, w: w.index_fill(0, x.long()[:1], 1.0),
    "index_add": lambda t, x, w: w.index_add(0, t.tensor([0, 1, 2]), x),
    "Parameter": lambda t, x, w: t.nn.Parameter(x),
    "frozen Parameter": lambda t, x, w: t.nn.Parameter(x, requires_grad=False),
    "seed": lambda t, x, w: (w * 2).backward(x),
    "grad_outputs": lambda t, x, w: t.autograd.grad(w * 2, w, x)[0],
    "Function": lambda t, x, w: saving(t, False).apply(w, x),
    "saved in a Function": lambda t, x, w: saving(t, True).apply(w, x),
}


def saving(t, save):
    def forward(ctx, a, b):
        if save:
            ctx.save_for_backward(a, b)
        return a * b

    return function(t, forward, lambda ctx, g: (g, None))


@agree
@pytest.mark.parametrize("name", F)
def test_saving(t, name):
    """Where backward needs it, an inference tensor is refused; within the mode nothing is saved."""
    seen = []
    for inside in (False, True):
        x, w = made(t), leaf(t, [1.0, 2.0, 3.0], "float32")
        if inside and name in ("seed", "grad_outputs"):
            continue
        with t.inference_mode(inside):
            try:
                result = F[name](t, x, w)
                seen.append(kinds(result) if result is not None else None)
            except RuntimeError as error:
                seen.append(str(error)[:46])
    return seen


@agree
def test_views_of_normal_tensors(t):
    """They are followed, and marked: what a write through them would mean is not clear."""
    n, w = t.ones(3), leaf(t, [1.0, 2.0, 3.0])
    y = w * 1
    with t.inference_mode():
        a, b, c, d = n[:2], w[:2], y[:2], y.chunk(3)[0]
        with t.enable_grad():
            e = y[1:]
    words = "A view was created in inference mode and is being modified inplace"
    seen = [kinds([a, b, c, d]), a.add_(1), kinds(a * w[:2]), kinds([b * 2, c * 2])]
    seen += [fails(RuntimeError, words, v.add_, 1) for v in (b, c, d, e)]
    seen += [n._version, w._version, y._version]
    y.add_(1)
    words = "A view was created in inference mode and its base or another view of its base has been"
    seen.append(fails(RuntimeError, words, lambda: c * 2))
    return seen


@agree
def test_writes_to_normal_tensors_within(t):
    """They are counted, so that what was saved of them is protected."""
    n, w, seen = t.ones(3), leaf(t, [1.0, 2.0, 3.0]), []
    y = (w * w).sum()
    z = w * 1
    q = (z * z).sum()
    with t.inference_mode():
        n.add_(1)
        n[:1].mul_(2)
        t.add(w, w, out=z)
        w.mul_(2)
    words = "modified by an inplace operation"
    seen += [n, n._version, kinds([n, z]), fails(RuntimeError, words, y.backward)]
    seen.append(fails(RuntimeError, words, q.backward))
    return seen


@agree
def test_out_within(t):
    n, w, none = t.ones(3), leaf(t, [1.0, 2.0, 3.0], "float32"), t.empty(0)
    with t.inference_mode():
        results = [t.add(w, w, out=n), t.add(w, w, out=t.empty(3)), t.add(n, n, out=none)]
        return kinds(results), n._version, kinds(none)


@agree
def test_a_graph_from_before(t):
    w, seen = leaf(t, [1.0, 2.0]), []
    y = (w * w).sum()
    with t.inference_mode():
        seen.append(kinds(t.autograd.grad(y, w, retain_graph=True)))
        y.backward(retain_graph=True)
        seen.append(kinds(w.grad))
        y.backward(retain_graph=True)
    words = "Inplace update to inference tensor"
    seen += [w.grad.clone(), fails(RuntimeError, words, y.backward)]
    seen.append(fails(RuntimeError, words, w.grad.zero_))
    w.grad = None
    (w * 3).sum().backward()
    return [*seen, kinds(w.grad), w.grad]


@agree
def test_backward_within(t):
    with t.inference_mode():
        w = leaf(t, [1.0, 2.0])
        y = (w * w).sum()
        words = "does not require grad and does not have a grad_fn"
        return kinds([w, y]), fails(RuntimeError, words, y.backward)


@agree
def test_leaves_made_within(t):
    with t.inference_mode():
        w = leaf(t, [1.0, 2.0])
    n = leaf(t, [1.0, 2.0])
    words = "Inference tensors cannot be saved for backward"
    (w + n).sum().backward()
    return kinds([w, w * 2, w + 2]), fails(RuntimeError, words, lambda: w * n), kinds(w.grad)


def test_leaves_made_within_alone():
    """An operation of nothing but inference tensors is recorded like any other; PyTorch records
    `w + 2` and not `w.exp()` or `w * w`, without a word."""
    with ag.inference_mode():
        w = leaf(ag, [1.0, 2.0])
    (w.exp() + w).sum().backward()
    assert np.allclose(w.grad.tolist(), np.exp([1.0, 2.0]) + 1)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * w


STEPS = {
    "SGD": lambda t, p: t.optim.SGD(p, lr=0.1),
    "momentum": lambda t, p: t.optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda t, p: t.optim.Adam(p, lr=0.1),
    "AdamW": lambda t, p: t.optim.AdamW(p, lr=0.1),
    "RMSprop": lambda t, p: t.optim.RMSprop(p, lr=0.1),
    "Adagrad": lambda t, p: t.optim.Adagrad(p, lr=0.1),
}


@agree
@pytest.mark.parametrize("name", STEPS)
def test_optimizers(t, name):
    """What a step within the mode makes are inference tensors, which a step outside may not write.
    """
    p = leaf(t, [1.0, 2.0])
    optimizer = STEPS[name](t, [p])
    (p * p).sum().backward()
    with t.inference_mode():
        optimizer.step()
    state = {k: kinds(v) for k, v in sorted(optimizer.state[p].items()) if isinstance(v, t.Tensor)}
    try:
        optimizer.step()
        after = "stepped"
    except RuntimeError as error:
        after = str(error)[:52]
    return kinds(p), p._version > 0, state, after


@agree
@pytest.mark.parametrize("what", ["clip_grad_norm_", "clip_grad_value_"])
def test_clipping(t, what):
    p = leaf(t, [1.0, 2.0], "float32")
    p.grad = made(t, 2)
    clip = getattr(t.nn.utils, what)
    words = "Inplace update to inference tensor"
    seen = [fails(RuntimeError, words, clip, [p], 0.1)]
    seen.append(fails(RuntimeError, words, t.optim.SGD([p]).zero_grad, False))
    with t.inference_mode():
        clip([p], 0.1)
        t.optim.SGD([p]).zero_grad(False)
    return [*seen, kinds(p.grad), p.grad]


def test_others_go_on_as_usual_while_inference_tensors_live():
    """And get the same results."""
    x = made(ag)
    assert modes
    with_them = gradient()
    del x
    gc.collect()
    assert not modes
    assert gradient() == with_them


def gradient():
    w, n = leaf(ag, [1.0, 2.0, 3.0]), ag.ones(3)
    y = (w * 2 + n).exp() + n
    y.mul_(3).add_(w)
    a, b = y.sort()
    ag.cat([a, b.double() * a, y.view(3, 1)[:, 0]]).sum().backward()
    return w.grad.tolist()
