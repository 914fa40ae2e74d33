"""One call in both libraries: values, first and second derivatives, nodes' names, errors and
warnings.
"""

import warnings

import numpy as np

import autograd_gpu as ag

from ..oracle import assert_same, to_torch

WIDE = {
    "float64": (1e-7, 1e-8),
    "float32": (1e-4, 1e-5),
    "float16": (2e-2, 2e-2),
    "bfloat16": (6e-2, 6e-2),
}


def tensors(*shapes, dtype="float64", seed=0, low=None, high=None):
    """Leaves of random numbers, uniform between two bounds where these are given."""
    rng = np.random.default_rng(seed)
    out = []
    for shape in shapes:
        values = rng.standard_normal(shape) if low is None else rng.uniform(low, high, shape)
        out.append(ag.tensor(np.asarray(values)).to(getattr(ag, dtype)).requires_grad_())
    return out


def flat(value):
    return [t for v in value for t in flat(v)] if isinstance(value, (list, tuple)) else [value]


def differentiated(m, outputs, leaves, second):
    """Gradients for seeds that are leaves themselves, and gradients of these."""
    outs = [o for o in flat(outputs) if o.requires_grad]
    rng = np.random.default_rng(1)
    seeds = [
        m.tensor(rng.standard_normal(tuple(o.shape))).to(o.dtype).requires_grad_() for o in outs
    ]
    first = m.autograd.grad(outs, leaves, seeds, create_graph=second, allow_unused=True)
    if not second:
        return first, []
    again = [g for g in first if g is not None and g.requires_grad]
    if not again:
        return first, []
    weights = [m.tensor(rng.standard_normal(tuple(g.shape))).to(g.dtype) for g in again]
    try:
        twice = m.autograd.grad(again, [*leaves, *seeds], weights, allow_unused=True)
    except RuntimeError as error:
        assert m is not ag, error  # PyTorch lacks some second derivatives
        twice = None
    return first, twice


def same(torch, call, *inputs, second=True, node=None, tolerance=None):
    """`call(m, F, *inputs)` agrees in both libraries. `node`: the name of our result's node, where
    not PyTorch's.
    """
    theirs_in = [to_torch(torch, x) for x in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = call(ag, ag.nn.functional, *inputs)
        theirs = call(torch, torch.nn.functional, *theirs_in)
    assert_same(ours, theirs, "values", tolerance or WIDE.get(str(flat(theirs)[0].dtype)[6:]))
    if not flat(theirs)[0].requires_grad:
        return
    assert flat(ours)[0].grad_fn.name() == (node or flat(theirs)[0].grad_fn.name())
    leaves = [x for x in flat(inputs) if isinstance(x, ag.Tensor) and x.requires_grad]
    tleaves = [x for x in flat(theirs_in) if isinstance(x, torch.Tensor) and x.requires_grad]
    mine, mine2 = differentiated(ag, ours, leaves, second)
    plain, _ = differentiated(ag, call(ag, ag.nn.functional, *inputs), leaves, False)
    his, his2 = differentiated(torch, theirs, tleaves, second)
    for a, b, c in zip(mine, his, plain, strict=True):
        assert (a is None) == (b is None) == (c is None)
        if b is not None:
            wide = tolerance or WIDE[a.dtype.name]
            assert_same(a, b, "recorded gradient", wide)
            assert_same(c, b, "gradient", wide)
    for a, b in zip(mine2 or [], his2 or [], strict=False):
        if a is None or b is None:
            rest = a if b is None else b
            assert rest is None or not np.any(
                rest.detach().cpu().numpy(**({} if b is None else {"force": True}))
            )
        else:
            assert_same(a, b.clone(), "second derivative", tolerance or WIDE[a.dtype.name])


def outcome(m, call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(m, m.nn.functional)
        except Exception as error:
            return type(error).__name__.lstrip("_"), str(error).split("\nException")[0].strip()
    return "no error", "; ".join(str(w.message) for w in caught)


def same_error(torch, call):
    """Both libraries raise the same type with the same words, or give the same warnings."""
    ours, theirs = outcome(ag, call), outcome(torch, call)
    assert ours[0] == theirs[0], (ours, theirs)
    assert ours[1].replace(" ", "") == theirs[1].replace(" ", "")
