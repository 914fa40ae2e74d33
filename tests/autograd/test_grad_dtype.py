"""`grad_dtype`, and the tables of hooks that tensors show."""

from collections import OrderedDict

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf


def set_to(x, kind):
    x.grad_dtype = kind


def doubling(t):
    """A Function whose backward gives float64, whatever it got."""
    return function(t, lambda ctx, x: x * 2, lambda ctx, g: g.double() * 2)


@agree
def test_reading_and_setting(t):
    x = leaf(t, [1.0, 2.0], "float32")
    found = [x.grad_dtype, t.ones(1).grad_dtype, t.ones(1, dtype=t.int32).grad_dtype]
    x.grad_dtype = t.float64
    found.append(x.grad_dtype)
    x.grad_dtype = None
    found.append(x.grad_dtype)
    return found, fails(RuntimeError, "can only be set on leaf tensors", set_to, x * 2, t.float64), fails(
        RuntimeError, "can only be accessed on leaf tensors", lambda: (x * 2).grad_dtype
    ), [fails(RuntimeError, "grad_dtype must be a torch.dtype or None, but got", set_to, x, bad) for bad in (3, "float32")]  # fmt: skip


@agree
def test_gradients_are_cast(t):
    found = []
    for kind in (t.float64, t.float16, t.float32, None):
        x = leaf(t, [1.0, 2.0], "float32")
        x.grad_dtype, seen = kind, []
        x.register_hook(lambda g, seen=seen: seen.append(g.dtype))
        for _ in range(2):
            (x * 2).sum().backward()
        found.append((seen, x.grad, t.autograd.grad((x * 3).sum(), x)))
        found.append(t.autograd.grad((x * x).sum(), x, create_graph=True)[0].detach())
    return found


@agree
def test_a_functions_gradients(t):
    found = []
    for kind in (t.float64, None, t.float32, t.float16):
        x = leaf(t, [1.0, 2.0], "float32")
        x.grad_dtype = kind
        for _ in range(2):
            doubling(t).apply(x).sum().backward()
        (x * 2).sum().backward()
        found.append((x.grad, t.autograd.grad(doubling(t).apply(x).sum(), x)))
    return found


@agree
def test_assigned_gradients(t):
    x = leaf(t, [1.0, 2.0], "float32")
    x.grad_dtype = t.float16
    words = [fails(RuntimeError, "assign a gradient with dtype 'float' to a tensor with grad_dtype 'Half'",
                   setattr, x, "grad", t.ones(2))]  # fmt: skip
    x.grad = t.ones(2, dtype=t.float16)
    words.append(fails(RuntimeError, "already a gradient with dtype 'c10::half'", set_to, x, t.float64)
                 if t is ag and False else fails(RuntimeError, "because there is already a gradient", set_to, x, t.float64))  # fmt: skip
    x.grad_dtype = None
    x.grad = t.ones(2, dtype=t.float64)
    del x.grad
    return words, x.grad, x.grad_dtype


@agree
def test_it_lasts_while_the_tensor_does(t):
    x = t.ones(2)
    x.grad_dtype = t.float64
    found = [x.grad_dtype, x.detach().grad_dtype]
    x.requires_grad_()
    (x * 2).sum().backward()
    found.append(x.grad)
    x.requires_grad_(False)
    found.append(x.grad_dtype)
    return found


def test_integers_are_refused():
    """PyTorch takes them here, and fails in backward with an internal assertion."""
    with pytest.raises(RuntimeError, match="grad_dtype must be a floating point or complex dtype, not torch.int32"):
        set_to(leaf(ag, [1.0]), ag.int32)


def plain(table):
    return None if table is None else len(table)


@agree
def test_tables_of_hooks(t):
    x = leaf(t, [1.0, 2.0])
    found = [plain(x._backward_hooks), plain(x._post_accumulate_grad_hooks)]
    handle = x.register_hook(lambda g: g * 2)
    x.register_post_accumulate_grad_hook(lambda p: None)
    found += [plain(x._backward_hooks), plain(x._post_accumulate_grad_hooks), list(x._backward_hooks) == [handle.id]]
    handle.remove()
    found.append(plain(x._backward_hooks))
    x._backward_hooks = OrderedDict([(0, lambda g: g * 3)])
    x.sum().backward()
    found += [x.grad, plain(x._backward_hooks)]
    x._backward_hooks = None
    x.sum().backward()
    found += [x.grad, x._backward_hooks]
    y = x * 2
    y.register_hook(lambda g: g)
    found.append(plain(y._backward_hooks))
    y.add_(1)
    return [*found, y._backward_hooks, t.ones(1)._backward_hooks]


def test_a_table_needs_requires_grad():
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        ag.ones(1)._backward_hooks = {0: print}


def test_leaves_are_watched_only_while_they_have_hooks():
    from autograd_gpu.autograd.hooks import hooked_leaves

    before = len(hooked_leaves)
    x = leaf(ag, [1.0])
    handles = [x.register_hook(print), x.register_post_accumulate_grad_hook(print)]
    assert len(hooked_leaves) == before + 1
    handles[0].remove()
    assert len(hooked_leaves) == before + 1
    handles[1].remove()
    handles[1].remove()
    assert len(hooked_leaves) == before
