"""Nothing stays behind: every shape of graph dies by reference counts alone, with the collector off."""

import gc
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd.views import edge_of

from .agree import function, leaf


@pytest.fixture
def device(default_device):
    gc.collect()
    gc.disable()
    try:
        yield default_device
    finally:
        gc.enable()


class Mark:
    """Something that closures hold; its weak reference tells when they die."""


def keeping(x, save):
    """A Function that saves what `save` picks of (input, output)."""

    def forward(ctx, x):
        y = x * 2
        ctx.save_for_backward(*save(x, y))
        ctx.free = "anything"
        return y

    return function(ag, forward, lambda ctx, g: g * len(ctx.saved_tensors)).apply(x)


def two_outputs(x):
    def forward(ctx, x):
        a, b = x * 2, x * 3
        ctx.save_for_backward(x, a, b)
        return a, b

    return function(ag, forward, lambda ctx, g, h: g * 2 + h * 3).apply(x)


def view_write(x):
    b = x * 1
    v = b[1:]
    w = v.view(-1)
    w.mul_(3)
    v.add_(x[1:])
    return b, v, w


def hooked(x):
    y = x * 2
    z = y.exp()
    weak = weakref.ref(y)
    y.register_hook(lambda g: g * (weak() is not None))
    y.grad_fn.register_hook(lambda i, o: None)
    z.grad_fn.register_prehook(lambda o: None)
    z.retain_grad()
    return y, z


def unbind_hooked(x):
    a, b = x[:2].unbind()
    a.register_hook(lambda g: g)
    b.retain_grad()
    b.grad_fn.register_hook(lambda i, o: None)
    return a, b, a * b


def closure_hook(x):
    """A hook that holds its own tensor: a cycle of the program's, through `y` itself."""
    y = x * 2
    mark = Mark()
    y.register_hook(lambda g: mark and g)
    return y


SHAPES = {
    "chain": lambda x: (x * 2).exp().tanh(),
    "outputs saved": lambda x: (x.exp(), x.tanh(), x.sigmoid(), x.sqrt(), x.softmax(0)),
    "diamond": lambda x: [(y := x * 2), y * y + y],
    "unbind": lambda x: x.unbind(),
    "split and cat": lambda x: [*(parts := x.split(2)), ag.cat([parts[1], parts[0]])],
    "max": lambda x: tuple(x.view(2, 2).max(0)),
    "views": lambda x: [(v := (x * 1).view(2, 2)), v.t(), v.t()[0]],
    "write": lambda x: (x * 1).add_(x).mul_(2),
    "write through views": view_write,
    "Function": lambda x: keeping(x, lambda x, y: (x,)),
    "Function that saves its output": lambda x: keeping(x, lambda x, y: (y, x)),
    "Function with two outputs": two_outputs,
    "hooks": hooked,
    "hooks of outputs": unbind_hooked,
    "closures": closure_hook,
    "matmul": lambda x: x.view(2, 2) @ x.view(2, 2),
    "setitem": lambda x: set_item(x),
    "index": lambda x: x[ag.tensor([0, 1, 1])],
    "detached": lambda x: [(y := x * 2), y.detach(), y.data],
}


def set_item(x):
    y = x * 1
    y[0] = x[1]
    y[1:] = 2.0
    return y


def flat(value):
    return [v for part in value for v in flat(part)] if isinstance(value, (tuple, list)) else [value]


def watched(tensors):
    """Weak references to the tensors and their arrays: nodes have none of their own, but hold these."""
    refs = [weakref.ref(t) for t in tensors]
    return refs + [weakref.ref(t._array) for t in tensors if not isinstance(t._array, memoryview)]


def nodes_alive():
    from autograd_gpu.autograd.node import Node

    return sum(issubclass(type(o), Node) and o.seq != 0 for o in gc.get_objects())


PASSES = {
    "never": lambda outs, x: None,
    "backward": lambda outs, x: ag.autograd.backward(*seeded(outs)),
    "retained": lambda outs, x: ag.autograd.backward(*seeded(outs), retain_graph=True),
    "inputs": lambda outs, x: ag.autograd.backward(*seeded(outs), retain_graph=True, inputs=[x, *outs[:1]]),
    "grad": lambda outs, x: ag.autograd.grad(seeded(outs)[0], [x, *seeded(outs)[0]], seeded(outs)[1]),
    "recorded": lambda outs, x: ag.autograd.grad(
        seeded(outs)[0], [x], [s.requires_grad_() for s in seeded(outs)[1]], create_graph=True
    ),
    "twice": lambda outs, x: second_order(outs, x),
    "failed": lambda outs, x: fail(outs, x),
}  # fmt: skip


def seeded(outs):
    outs = [o for o in outs if o.requires_grad]
    return outs, [ag.ones_like(o) for o in outs]


def second_order(outs, x):
    roots, seeds = seeded(outs)
    (g,) = ag.autograd.grad(roots, x, [s.requires_grad_() for s in seeds], create_graph=True)
    if g.requires_grad:
        ag.autograd.grad((g * g).sum(), seeds, allow_unused=True)


def fail(outs, x):
    handle = x.register_hook(lambda g: 1 / 0)
    try:
        ag.autograd.backward(*seeded(outs))
    except ZeroDivisionError:
        pass
    handle.remove()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_graph_dies(device, shape):
    x = leaf(ag, [1.0, 2.0, 3.0, 4.0])
    before = nodes_alive()
    for name, way in PASSES.items():
        outs = flat(SHAPES[shape](x))
        refs = watched(outs)
        way(outs, x)
        del outs
        assert [r() for r in refs] == [None] * len(refs), name
    x.grad = None
    assert nodes_alive() == before


def test_leaves_die_with_all_they_have(device):
    x = leaf(ag, [1.0, 2.0])
    x.register_hook(lambda g: g)
    x.register_post_accumulate_grad_hook(lambda p: None)
    (x * x).sum().backward()
    refs = watched([x, x.grad])
    del x
    assert [r() for r in refs] == [None] * len(refs)
    from autograd_gpu.autograd.hooks import hooked_leaves

    assert not any(entry[0]() is None for entry in hooked_leaves.values())


def test_threads_leave_nothing(device):
    x = leaf(ag, [1.0, 2.0])
    before, refs = nodes_alive(), []

    def work():
        y = (x * 2).exp()
        y.register_hook(lambda g: g)
        refs.extend(watched([y]))
        y.sum().backward()

    for _ in range(3):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [r() for r in refs] == [None] * len(refs)
    assert nodes_alive() == before


def test_deep_passes_in_passes_leave_nothing(device):
    x = leaf(ag, [1.0])
    before, level = nodes_alive(), [0]

    class Deep(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            level[0] += 1
            if level[0] < 100:
                with ag.enable_grad():
                    Deep.apply(x).backward()
            return g

    Deep.apply(x).backward()
    assert level == [100] and nodes_alive() == before


def objects_after(steps, step):
    for _ in range(steps):
        step()
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize("recorded", [False, True])
def test_a_loop_of_training_does_not_grow(device, recorded):
    """200 steps (60 on the device) with views, writes, a Function, hooks, several outputs: as many objects as after 20."""
    w, b = ag.zeros(3, 3, requires_grad=True), ag.zeros(3, requires_grad=True)
    x, y = ag.ones(4, 3), ag.ones(4, 3)
    optimizer = ag.optim.Adam([w, b], lr=0.01)

    def step():
        optimizer.zero_grad()
        h = x @ w + b
        h[0].mul_(0.5)
        h.register_hook(lambda g: g * 1)
        parts = keeping(h, lambda x, y: (y,)).unbind()
        loss = ((ag.stack(parts) - y) ** 2).mean()
        if recorded:
            (g,) = ag.autograd.grad(loss, w, create_graph=True)
            loss = loss + (g * g).sum()
        loss.backward()
        optimizer.step()

    gc.enable()
    first = objects_after(20, step)
    assert abs(objects_after(180 if device == "cpu" else 40, step) - first) <= 10


CHAINS = {
    "copy slices": "y[:].mul_(1.0)",
    "functions": "y = F.apply(y)",
    "two outputs": "y = G.apply(y)[1]",
    "hooks": "y = y * 1.0; y.register_hook(hook); y.grad_fn.register_hook(post)",
    "unbind": "y = y.unbind()[0].expand(1)",
}
"""Others are in test_memory.py."""


@pytest.mark.slow
@pytest.mark.parametrize("chain", CHAINS)
def test_long_chains_die_without_recursion(chain):
    """Built, gone back through, and freed: the pass, the retained graph, the graph never used."""
    program = f"""
        import autograd_gpu as ag

        class F(ag.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * 1
            @staticmethod
            def backward(ctx, g):
                return g

        class G(ag.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1, x * 1
            @staticmethod
            def backward(ctx, g, h):
                return g + h

        hook = lambda g: None
        post = lambda i, o: None
        x = ag.zeros(1, requires_grad=True)
        for keep in (True, None):
            y = x * 1
            for i in range(40_000):
                {CHAINS[chain]}
            if keep is not None:
                y.backward(retain_graph=keep)
                assert x.grad.item() == 1.0
                assert ag.autograd.grad(y, x)[0].item() == 1.0
            del y
        print("done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=250
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-500:]


def test_a_node_is_not_kept_by_its_number(device):
    """Handles, edges and weak tables hold no graph."""
    x = leaf(ag, [1.0])
    y = x * 2
    handle = y.register_hook(lambda g: g)
    ref = watched([y])
    assert edge_of(y) is y.grad_fn
    del y
    assert [r() for r in ref] == [None] * len(ref)
    handle.remove()
