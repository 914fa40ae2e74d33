"""Graphs drawn at random, and what happens in their passes: one list of numbers, two libraries, one log."""

import warnings

from hypothesis import strategies as st

KINDS = (
    "mul", "add", "sub", "unary", "expand", "unbind", "max", "view", "write", "log", "pair", "one_of_pair",
    "none", "some_none", "bare", "tensor_hook", "leaf_hook", "after_hook", "prehook", "posthook", "retain", "look",
)  # fmt: skip

instructions = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=14
)
passes = st.lists(
    st.fixed_dictionaries({
        "roots": st.lists(st.integers(0, 10), min_size=1, max_size=3),
        "inputs": st.one_of(st.none(), st.lists(st.integers(0, 9), min_size=1, max_size=3)),
        "grad": st.booleans(),
        "create": st.booleans(),
        "keep": st.integers(0, 5).map(bool),
        "edges": st.booleans(),
    }),
    min_size=1, max_size=3,
)  # fmt: skip


def numbers(value):
    """Gradients as rounded numbers, which log entries can hold."""
    if isinstance(value, (tuple, list)):
        return [numbers(v) for v in value]
    if value is None:
        return None
    return [float(f"{v:.6g}") for v in value.detach().reshape(-1).tolist()]


class Drawn:
    """The graph that `lines` describe, with `t`, and the log of its passes."""

    def __init__(self, t, lines, device="cpu"):
        self.t, self.log = t, []
        self.leaves = [
            t.tensor(v, dtype=t.float64, requires_grad=True, device=device)
            for v in ([1.0, 2.0], [0.5, -1.0], [3.0])
        ]
        self.tensors, self.count = [leaf * 1 for leaf in self.leaves[:2]], 0
        self.functions = functions(t, self.log)
        self.lonely = t.ones(1, dtype=t.float64, requires_grad=True, device=device) * 1
        for kind, i, j in lines:
            getattr(self, "do_" + kind)(i, j)

    def pick(self, i):
        return self.tensors[-1 - i % len(self.tensors)]

    def any(self, i):
        every = [*self.tensors, *self.leaves]
        return every[i % len(every)]

    def name(self):
        self.count += 1
        return self.count

    def do_mul(self, i, j):
        self.tensors.append(self.pick(i) * self.any(j))

    def do_add(self, i, j):
        self.tensors.append(self.pick(i) + self.any(j))

    def do_sub(self, i, j):
        self.tensors.append(self.any(j) - self.pick(i))

    def do_unary(self, i, j):
        self.tensors.append(self.pick(i).tanh() if j % 2 else self.pick(i).exp().clamp(max=4.0))

    def do_expand(self, i, j):
        self.tensors.append(self.pick(i).sum().expand(2))

    def do_unbind(self, i, j):
        self.tensors += [part * (k + 2) for k, part in enumerate(self.two(i).unbind())][j % 3 :]

    def do_max(self, i, j):
        self.tensors.append(self.t.stack([self.two(i), self.two(j)]).max(0)[0])

    def do_view(self, i, j):
        self.tensors.append(self.two(i).view(2, 1)[j % 2 :].reshape(-1))

    def do_write(self, i, j):
        """A CopySlices."""
        base = self.two(i) * 2
        base[j % 2].mul_(3)
        self.tensors.append(base)

    def do_log(self, i, j):
        self.tensors.append(self.functions["Log"].apply(self.pick(i), self.name()))

    def do_pair(self, i, j):
        self.tensors += self.functions["Pair"].apply(self.pick(i), self.pick(j), self.name())

    def do_one_of_pair(self, i, j):
        self.tensors.append(
            self.functions["Pair"].apply(self.pick(i), self.pick(j), self.name())[j % 2]
        )

    def do_none(self, i, j):
        self.tensors.append(self.functions["Nothing"].apply(self.pick(i), self.name()))

    def do_some_none(self, i, j):
        self.tensors.append(
            self.functions["Some"].apply(self.pick(i), self.pick(j), self.name())
        )

    def do_bare(self, i, j):
        self.tensors += self.functions["Bare"].apply(self.pick(i), self.pick(j), self.name())[j % 2 :]

    def two(self, i):
        return (self.pick(i) * 1.0).sum().expand(2) * self.leaves[0]

    def do_tensor_hook(self, i, j):
        name = self.name()
        times = (None, None, 2, 0.5)[j % 4]

        def hook(grad):
            self.log.append((name, "tensor", numbers(grad)))
            return None if times is None or grad is None else grad * times

        self.pick(i).register_hook(hook)

    def do_leaf_hook(self, i, j):
        name, leaf = self.name(), self.leaves[i % 3]
        leaf.register_hook(lambda g: self.log.append((name, "leaf", numbers(g))))

    def do_after_hook(self, i, j):
        name, leaf = self.name(), self.leaves[i % 3]
        leaf.register_post_accumulate_grad_hook(
            lambda p: self.log.append((name, "after", numbers(p.grad)))
        )

    def do_prehook(self, i, j):
        name = self.name()

        def hook(grads):
            self.log.append((name, "pre", numbers(grads)))

        node = self.pick(i).grad_fn
        node.register_prehook(hook)

    def do_posthook(self, i, j):
        name, node = self.name(), self.pick(i).grad_fn

        def hook(ins, outs):
            self.log.append((name, "post", numbers(ins), numbers(outs)))

        node.register_hook(hook)

    def do_retain(self, i, j):
        self.pick(i).retain_grad()

    def do_look(self, i, j):
        """A hook that looks at what has come to the leaves by now."""
        name = self.name()
        self.pick(i).register_hook(
            lambda g: self.log.append((name, "look", [numbers(v.grad) for v in self.leaves]))
        )

    def run(self, roots, inputs, grad, create, keep, edges):
        """One pass; what it raised, or what came of it."""
        roots = [self.pick(i) if i < 8 else self.leaves[i % 3] for i in roots]
        if inputs is not None:  # of a single root PyTorch runs the hooks even if it is not needed
            roots.append(self.lonely)
        seeds = [self.t.ones_like(r) for r in roots]
        given = None if inputs is None else [self.any(i) for i in inputs]
        if edges:
            edge = self.t.autograd.graph.get_gradient_edge
            roots = list(map(edge, roots))
            given = None if given is None else list(map(edge, given))
        try:
            if grad and given is not None:
                found = self.t.autograd.grad(
                    roots, given, seeds, retain_graph=keep, create_graph=create, allow_unused=True
                )
                self.log.append(("grad", numbers(found)))
            else:
                self.t.autograd.backward(roots, seeds, keep, create, inputs=given)
        except RuntimeError:
            self.log.append(("failed",))
        self.log.append(("leaves", [numbers(v.grad) for v in self.leaves]))
        self.log.append(("kept", [numbers(v.grad) for v in self.tensors if v.retains_grad]))


def functions(t, log):
    """Functions that log their passes: one input, two and two, and those that return None."""

    def made(name, forward, backward, materialize=True):
        def remember(ctx, *args):
            ctx.label, ctx.shapes = args[-1], [a.shape for a in args[:-1]]
            ctx.set_materialize_grads(materialize)
            return forward(*args[:-1])

        def logged(ctx, *grads):
            log.append((ctx.label, name, numbers(grads)))
            found = zip(backward(*grads), ctx.shapes, strict=True)
            return *(g if g is None else g.expand(shape) for g, shape in found), None

        body = {"forward": staticmethod(remember), "backward": staticmethod(logged)}
        return type(t.autograd.Function)(name, (t.autograd.Function,), body)

    def both(a, b):
        return None if a is None and b is None else (0 if a is None else a) + (0 if b is None else b)

    return {
        "Log": made("Log", lambda x: x * 2, lambda g: (g * 2,)),
        "Pair": made("Pair", lambda x, y: (x.sum() * 2, y.sum() * 3), lambda a, b: (a * 2, b * 3)),
        "Nothing": made("Nothing", lambda x: x * 2, lambda g: (None,)),
        "Some": made("Some", lambda x, y: x.sum() + y.sum(), lambda g: (None, g)),
        "Bare": made("Bare", lambda x, y: (x.sum(), y.sum()), lambda a, b: (both(a, b), b), False),
    }  # fmt: skip


def log_of(t, lines, passes, device="cpu"):
    """All that happens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = Drawn(t, lines, device)
        for one in passes:
            drawn.run(**one)
            if not one["keep"]:
                break
    return drawn.log
