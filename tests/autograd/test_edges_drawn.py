"""Programs drawn at random: hooks on several tensors, hooks of every kind and gradient edges, in passes of every form."""

import random

import pytest

from .agree import agree, leaf
from .hooked import numbers


def grown(t, rng, leaves):
    """Tensors made of the leaves: products, sums, outputs of one node, writes, writes through views."""
    tensors = [v * 1 for v in leaves]
    for _ in range(rng.randint(2, 7)):
        kind, a, b = rng.randrange(7), rng.choice(tensors), rng.choice(tensors)
        if kind < 3:
            tensors.append((a * b, a + b, a.sin())[kind])
        elif kind == 3:
            tensors += t.stack([a, b]).unbind()
        elif kind == 4:
            tensors.append(a.clone().mul_(b))
        elif kind == 5:
            c = a * b
            c[0] = b[1]
            tensors.append(c)
        else:
            tensors.append(t.stack([a, b]).max(0).values)
    return tensors


def hang_hooks(t, rng, every, log):
    for i in range(rng.randint(1, 3)):
        chosen = [rng.choice(every) for _ in range(rng.randint(1, 4))]
        mode = rng.choice(["all", "any"])
        t.autograd.graph.register_multi_grad_hook(chosen, lambda g, i=i: log.append((i, numbers(g))), mode=mode)
    for i in range(rng.randint(0, 3)):
        x, kind = rng.choice(every), rng.randrange(4)
        if kind == 0:
            x.register_hook(lambda g, i=i: (log.append(("tensor", i, numbers(g))), None if g is None else g * 2)[1])
        elif x.is_leaf:
            continue
        elif kind == 1:
            x.grad_fn.register_hook(lambda ins, outs, i=i: log.append(("post", i, numbers(ins), numbers(outs))))
        elif kind == 2:
            x.grad_fn.register_prehook(lambda outs, i=i: log.append(("pre", i, numbers(outs))))
        else:
            x.retain_grad()


def run(t, rng, every, tensors, log):
    """One pass. Two roots: PyTorch leaves out a hook on a single one in some passes. No leaf in `grad`: it refuses
    these where a hook asks for them.
    """
    edge = t.autograd.graph.get_gradient_edge
    roots = [rng.choice(tensors) for _ in range(2)]
    seeds = [t.ones_like(v) for v in roots]
    if rng.random() < 0.5:
        roots = [edge(v) for v in roots]
    kind = rng.randrange(3)
    inputs = [rng.choice(every if kind == 1 else tensors) for _ in range(rng.randint(1, 3))]
    if kind == 0:
        t.autograd.backward(roots, seeds, retain_graph=True)
    elif kind == 1:
        t.autograd.backward(roots, seeds, retain_graph=True, inputs=inputs)
    else:
        if rng.random() < 0.5:
            inputs = [edge(v) for v in inputs]
        options = {"retain_graph": True, "allow_unused": True, "create_graph": rng.random() < 0.3}
        log.append(numbers(t.autograd.grad(roots, inputs, seeds, **options)))


@pytest.mark.parametrize("seed", range(60))
@agree
def test_programs(t, seed):
    rng, log = random.Random(seed), []
    leaves = [leaf(t, [i + 1.0, i / 2 + 1]) for i in range(3)]
    tensors = grown(t, rng, leaves)
    every = [*leaves, *tensors]
    hang_hooks(t, rng, every, log)
    for _ in range(rng.randint(1, 3)):
        run(t, rng, every, tensors, log)
        log.append("|")
    return log, [numbers(v.grad) for v in every]
