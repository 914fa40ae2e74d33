"""Random programs of views and in-place writes: values and two derivatives are PyTorch's."""

import random
import warnings

import numpy as np
import pytest

import autograd_gpu as ag

from ..oracle import numpy_of

VIEWS = [
    lambda r, t: f"v.select({(d := r.randrange(t.dim()))}, {r.randrange(-t.shape[d], t.shape[d])})",
    lambda r, t: f"v[{r.randrange(-t.shape[0], t.shape[0])}]",
    lambda r, t: f"v[..., {r.randrange(2)}:]",
    lambda r, t: "v[::2]",
    lambda r, t: "v.t()",
    lambda r, t: "v.transpose(0, -1)",
    lambda r, t: f"v.unsqueeze({r.randrange(t.dim() + 1)})",
    lambda r, t: "v[None]",
    lambda r, t: "v.squeeze()",
    lambda r, t: "v.reshape(-1)",
    lambda r, t: "v.flatten()",
    lambda r, t: f"v.diagonal({r.choice([0, 1, -1])})",
    lambda r, t: f"v.narrow({r.randrange(t.dim())}, 0, 1)",
    lambda r, t: "v.movedim(0, -1)",
    lambda r, t: "v.unflatten(0, (1, -1))",
    lambda r, t: "v.unfold(0, 2, 2)",
    lambda r, t: "v.as_strided((2,), (2,))" if t.is_contiguous() else "v[:]",
    lambda r, t: "v.view(-1)",
    lambda r, t: "v[...]",
]

WRITES = """
v.mul_(w); v.add_(w); v.mul_(2.5); v.fill_(w); v.zero_(); v.copy_(w); v.sin_(); v.div_(w + 5);
v[...] = w; v.masked_fill_(v > 0.3, w); v.masked_fill_(v > 0.3, 1.5); v[v > 0.2] = w; v.tril_();
v[0] = w; v[0] += w; v[-1] = v[0] * w; v.clamp_(-0.5, 0.5); v[[0, 0]] = w;
v.index_fill_(0, T([0]), w); v.flatten()[0:2].mul_(w); v.sub_(v.mean()); v *= w; v.exp_();
v.index_add_(0, T([0]), v[:1].detach() * 2); v.scatter_(0, T([0]), w.reshape(1)); v.tanh_();
v.unsqueeze_(0); v.squeeze_(); v.transpose_(0, -1); v.t_()
""".replace("\n", " ").split(";")


def program(torch, seed):
    """Statements that PyTorch accepts, one by one."""
    rng = random.Random(seed)
    names = world(torch)
    exec("ts = [x * x - 0.5]", names)
    lines = ["ts = [x * x - 0.5]"]
    for _ in range(rng.randrange(3, 9)):
        ts = names["ts"]
        k = rng.randrange(len(ts)) if rng.random() < 0.6 else len(ts) - 1
        try:
            if rng.random() < 0.55:
                line = f"v = ts[{k}]; ts.append({rng.choice(VIEWS)(rng, ts[k])})"
            else:
                line = f"v = ts[{k}]; {rng.choice(WRITES).strip()}"
            exec(line, names)
        except Exception:
            continue
        lines.append(line)
    return lines


def world(m):
    values = np.random.default_rng(3).standard_normal((4, 6)).tolist()
    x = m.tensor(values, dtype=m.float64, requires_grad=True)
    return {"T": m.tensor, "x": x, "w": m.tensor(0.7, dtype=m.float64, requires_grad=True)}


def outcome(m, lines):
    names = world(m)
    try:
        for line in lines:
            exec(line, names)
        ts, x, w = names["ts"], names["x"], names["w"]
        loss = sum(((t * t * (k + 1)).sum() + (t * w).sum()) for k, t in enumerate(ts))
        first = m.autograd.grad(loss, [x, w], create_graph=True, materialize_grads=True)
        total = sum((g**2).sum() for g in first)
        second = (
            m.autograd.grad(total, [x, w], materialize_grads=True) if total.requires_grad else ()
        )
        return [numpy_of(t) for t in (*ts, *first, *second)]
    except Exception as error:
        return error


@pytest.mark.parametrize("block", range(8))
def test_random_programs(block, torch):
    warnings.simplefilter("ignore")
    for seed in range(50 * block, 50 * block + 50):
        lines = program(torch, seed)
        theirs, ours = outcome(torch, lines), outcome(ag, lines)
        text = "\n".join(lines)
        if isinstance(theirs, Exception) or isinstance(ours, Exception):
            assert type(ours) is type(theirs), f"{text}\n{ours!r}\n{theirs!r}"
            continue
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=text)
