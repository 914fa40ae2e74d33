"""Hooks on modules in all their forms, beside PyTorch: order, replacements, errors, warnings."""

import itertools
import warnings

import pytest

from ..autograd.agree import agree, leaf
from ..autograd.hooked import numbers


def plain(value):
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else numbers(value)


def parts(t):
    """Modules of either library."""

    class Mul(t.nn.Module):
        def __init__(self, k=2.0):
            super().__init__()
            self.w = t.nn.Parameter(t.tensor([k], dtype=t.float64))

        def forward(self, x, y=None, *, z=None, fail=False):
            if fail:
                raise ValueError("forward fails")
            return sum((v for v in (y, z) if v is not None), x * self.w)

    class Several(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = t.nn.Parameter(t.tensor([3.0], dtype=t.float64))

        def forward(self, x, y, k=1):
            return x * self.w, y * k, "text", x.detach()

    class Dict(t.nn.Module):
        def forward(self, x):
            return {"a": x * 2}

    class List(t.nn.Module):
        def forward(self, x):
            return [x * 2, x * 3]

    return Mul, Several, Dict, List


def attempt(function):
    """What it returns or raises, and the beginning of what it warns of."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = function()
        except Exception as error:
            result = type(error).__name__
    return result, [str(w.message)[:40] for w in seen if "cuda" not in str(w.message).lower()]


def logging(log, name, change=None):
    def hook(module, *values):
        log.append((name, [plain(list(v) if isinstance(v, tuple) else v) for v in values]))
        return change(*values) if change else None

    return hook


@pytest.mark.parametrize("fail", [False, True])
@agree
def test_forward_hooks(t, fail):
    found = []
    for prepend, with_kwargs, always in itertools.product((False, True), repeat=3):
        log, m = [], parts(t)[0]()
        m.register_forward_hook(logging(log, "forward"))
        m.register_forward_hook(logging(log, "last"), prepend=prepend, with_kwargs=with_kwargs, always_call=always)
        m.register_forward_pre_hook(logging(log, "pre"))
        m.register_forward_pre_hook(logging(log, "pre, last"), prepend=prepend, with_kwargs=with_kwargs)
        z = t.ones(2, dtype=t.float64)
        found.append((attempt(lambda m=m, z=z: numbers(m(leaf(t, [1.0, 2.0]), z=z, fail=fail))), log))
    return found


@agree
def test_replacements(t):
    one, log = t.ones(1, dtype=t.float64), []
    m = parts(t)[0]()
    m.register_forward_pre_hook(lambda m, args: args[0] * 10)
    m.register_forward_pre_hook(lambda m, args, kwargs: ((args[0] + 1,), {**kwargs, "y": one * 5}), with_kwargs=True)
    m.register_forward_hook(lambda m, args, out: out * 2)
    m.register_forward_hook(lambda m, args, kwargs, out: (log.append(plain(kwargs)), out + 1)[1], with_kwargs=True)
    return m(one), log


@agree
def test_what_forward_hooks_may_return(t):
    one, found = t.ones(1, dtype=t.float64), []
    for value in (3, (1,), ((one,), {}, 3), [(one,), {}], None, ((one * 2,), {})):
        m = parts(t)[0]()
        m.register_forward_pre_hook(lambda m, args, kwargs, value=value: value, with_kwargs=True)
        found.append(attempt(lambda m=m: numbers(m(one)))[0])
    for value in (3, (one * 2,), (), (one, one), False):
        m = parts(t)[0]()
        m.register_forward_pre_hook(lambda m, args, value=value: value)
        found.append(attempt(lambda m=m: numbers(m(one)))[0])
    for value in (3, False, "a", (1,)):
        m = parts(t)[0]()
        m.register_forward_hook(lambda m, args, out, value=value: value)
        found.append(attempt(lambda m=m: m(one))[0])
    return found


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("where", ["pre", "forward", "always"])
@agree
def test_hooks_that_raise(t, where, always):
    log, m = [], parts(t)[0]()
    one = t.ones(1, dtype=t.float64)

    def bad(module, *_):
        raise KeyError(where)

    m.register_forward_hook(logging(log, "first"), always_call=always)
    if where == "pre":
        m.register_forward_pre_hook(bad)
    else:
        m.register_forward_hook(bad, always_call=where == "always")
    m.register_forward_hook(logging(log, "last"), always_call=always)
    return attempt(lambda: m(one)), attempt(lambda: m(one, fail=True)), log


def passed(t, module, args, use=lambda out: out.sum(), **hooks):
    """One pass through a module with hooks: `hooks` are the kinds, and what they return."""
    log = []
    register = {
        "full": module.register_full_backward_hook, "pre": module.register_full_backward_pre_hook,
        "old": module.register_backward_hook,
        "full_first": lambda h: module.register_full_backward_hook(h, prepend=True),
        "pre_first": lambda h: module.register_full_backward_pre_hook(h, prepend=True),
    }  # fmt: skip
    for kind, change in hooks.items():
        register[kind](logging(log, kind, change))
    result = attempt(lambda: use(module(*args)).backward())
    return log, result, [numbers(v.grad) for v in args if hasattr(v, "grad")], [numbers(p.grad) for p in module.parameters()]


FORMS = [("full",), ("pre",), ("full", "pre"), ("full", "full_first", "pre", "pre_first"), ("old",)]


@pytest.mark.parametrize("kinds", FORMS, ids=" ".join)
@agree
def test_backward_hooks(t, kinds):
    Mul, Several, Dict, List = parts(t)
    hooks = dict.fromkeys(kinds)
    given = [
        lambda: (leaf(t, [1.0, 2.0]),), lambda: (t.ones(2, dtype=t.float64),), lambda: (leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])),
        lambda: (leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)),
    ]  # fmt: skip
    found = [passed(t, Mul(), args(), **hooks) for args in given]
    for use in (lambda o: o[0].sum(), lambda o: o[1].sum(), lambda o: o[0].sum() + o[1].sum()):
        for args in (lambda: (leaf(t, [1.0]), leaf(t, [2.0])), lambda: (leaf(t, [1.0]), leaf(t, [2.0]), 4)):
            found.append(passed(t, Several(), args(), use, **hooks))
    found.append(passed(t, Dict(), (leaf(t, [1.0]),), lambda o: o["a"].sum(), **hooks))
    found.append(passed(t, List(), (leaf(t, [1.0]),), lambda o: o[0].sum(), **hooks))
    twice = leaf(t, [3.0])
    found.append(passed(t, Mul(), (twice, twice), **hooks))
    return found


CHANGES = {
    "tuple": lambda g: (g[0] * 10,), "list": lambda g: [g[0] * 10], "bare": lambda g: g[0] * 10, "two": lambda g: (g[0], g[0]),
    "None": lambda g: None, "tuple of None": lambda g: (None,), "int": lambda g: 3, "shape": lambda g: (g[0][:1],),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@agree
def test_what_backward_hooks_may_return(t, change):
    Mul, f = parts(t)[0], CHANGES[change]
    x, still = lambda: (leaf(t, [1.0, 2.0]),), (t.ones(2, dtype=t.float64),)
    found = [passed(t, Mul(), x(), full=lambda ins, outs: f(ins)), passed(t, Mul(), x(), pre=f, full=None)]
    if change not in ("int", "shape", "bare"):
        found.append(passed(t, Mul(), still, full=lambda ins, outs: f(outs)))
    return found


@agree
def test_all_global_hooks(t):
    log, handles, Mul = [], [], parts(t)[0]
    from importlib import import_module

    every = import_module(f"{t.__name__}.nn.modules.module")
    m = t.nn.Sequential(Mul(2.0), Mul(3.0))
    m[0].register_forward_hook(logging(log, "own forward"))
    m[0].register_forward_pre_hook(logging(log, "own pre"))
    m[0].register_full_backward_hook(logging(log, "own backward"))
    m[0].register_full_backward_pre_hook(logging(log, "own backward pre"))
    handles = [
        every.register_module_forward_pre_hook(logging(log, "pre")),
        every.register_module_forward_hook(logging(log, "forward")),
        every.register_module_forward_hook(logging(log, "forward, kwargs"), with_kwargs=True),
        every.register_module_full_backward_hook(logging(log, "backward")),
        every.register_module_full_backward_pre_hook(logging(log, "backward pre")),
    ]
    x = leaf(t, [1.0])
    m(x).sum().backward()
    for handle in handles:
        handle.remove()
    log.append("|")
    m(x).sum().backward()
    other = attempt(lambda: every.register_module_backward_hook(print))[0]
    return log, x.grad, other


@agree
def test_global_replacements_and_always_called(t):
    from importlib import import_module

    every, Mul, log = import_module(f"{t.__name__}.nn.modules.module"), parts(t)[0], []
    m, x = Mul(), leaf(t, [1.0])
    handles = [
        every.register_module_forward_pre_hook(lambda m, args: (args[0] * 10,)),
        every.register_module_forward_hook(lambda m, args, out: out + 1),
        every.register_module_full_backward_hook(lambda m, ins, outs: (ins[0] * 7,)),
        every.register_module_full_backward_pre_hook(lambda m, outs: (outs[0] * 5,)),
    ]
    y = m(x)
    y.sum().backward()
    for handle in handles:
        handle.remove()
    with every.register_module_forward_hook(logging(log, "always"), always_call=True):
        failed = attempt(lambda: m(x, fail=True))
    return y.detach(), x.grad, m.w.grad, failed, log


@agree
def test_writes_around_hooked_modules(t):
    Mul = parts(t)[0]

    class Writes(t.nn.Module):
        def forward(self, x):
            return x.mul_(2)

    class Same(t.nn.Module):
        def forward(self, x):
            return x

    found = []
    for kind in ("full", "pre", "old"):
        found.append(passed(t, Mul(), (leaf(t, [1.0]),), lambda out: out.mul_(2).sum(), **{kind: None})[1][0])
        found.append(passed(t, Writes(), (leaf(t, [1.0]) * 1,), **{kind: None})[1][0])
        found.append(passed(t, Same(), (leaf(t, [1.0]),), **{kind: None}))
    return found


@agree
def test_passes_through_hooked_modules(t):
    """Twice, recorded, the same module twice, the weight alone, removed in between, nothing recorded."""
    log, m = [], parts(t)[0]()
    m.register_full_backward_hook(logging(log, "full"))
    handle = m.register_full_backward_pre_hook(logging(log, "pre"))
    x = leaf(t, [2.0])
    y = (m(x) ** 2).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    g.sum().backward()
    log.append("|")
    y = m(m(x)).sum()
    y.backward(retain_graph=True)
    log.append("|")
    t.autograd.grad(y, m.w, retain_graph=True)
    handle.remove()
    log.append("|")
    y.backward()
    with t.no_grad():
        quiet = m(x).requires_grad
    names = m(x).grad_fn.name()
    return log, g.detach(), x.grad, m.w.grad, quiet, names


def test_global_hooks_of_the_old_form(monkeypatch):
    """PyTorch allows one form of global backward hooks a process: here a fresh one is played."""
    import autograd_gpu as ag
    from autograd_gpu.nn.modules import _hook_tables, module

    monkeypatch.setattr(_hook_tables, "_global_kind", [])
    Mul, own, everywhere = parts(ag)[0], [], []
    m = Mul()
    m.register_backward_hook(logging(own, "old"))
    handle = module.register_module_backward_hook(logging(everywhere, "old"))
    with pytest.raises(RuntimeError, match="regular backward hooks and full backward hooks"):
        module.register_module_full_backward_hook(print)
    m(leaf(ag, [1.0])).sum().backward()
    assert own == everywhere and len(own) == 1
    handle.remove()
    m(leaf(ag, [1.0])).sum().backward()
    assert len(own) == 2 and len(everywhere) == 1
