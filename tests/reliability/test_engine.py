"""Graphs, writes and hooks: each line is a program with the result or the error it must give."""

import gc
import sys
import threading
import traceback
import weakref

import pytest

import autograd_gpu as ag

from .rows import Bench

CHANGED = "one of the variables needed for gradient computation has been modified by an inplace operation: "
OVERLAP = "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory"
ERRORS = [
    ("E1", "x = T([1., 2.]); y = x.exp(); y.add_(1); y.sum().backward()", CHANGED + "[torch.DoubleTensor [2]]"),
    ("E3", "x = T([1.]); x.add_(1)", "a leaf Variable that requires grad is being used in an in-place operation."),
    ("E4", "x = T([1., 2.]); x[0:1].add_(1)",
     "a view of a leaf Variable that requires grad is being used in an in-place operation."),
    ("E7", "x = T([1., 2.]); a = x * 1; y = (a * a).sum(); a.detach().add_(1); y.backward()",
     CHANGED + "[torch.DoubleTensor [2]], which is output 0 of Mul"),
    ("E12", "b = T([1., 2.]) * 1; off = torch.no_grad(); off.__enter__(); v = b[:1]; off.__exit__(None, None, None); v.mul_(2)",
     "A view was created in no_grad mode and is being modified inplace with"),
    ("E13", "b = T([1., 2.]) * 1; u, w = b.unbind(0); u.mul_(2)",
     "Output 0 of Unbind is a view and is being modified inplace. This view"),
    ("E15", "a = torch.arange(4.); a[1:].add_(a[:-1])", OVERLAP),
    ("E15b", "a = torch.arange(4.); a[1:].copy_(a[:-1])", OVERLAP),
    ("E16", "torch.tensor([1]).add_(1.5)", "result type Float can't be cast to the desired output type Long"),
    ("E16b", "torch.tensor([1]).div_(2)", "result type Float can't be cast to the desired output type Long"),
    ("E19", "y = T([1.]) * 2; y.requires_grad_(False)", "you can only change requires_grad flags of leaf variables."),
    ("E19b", "torch.tensor([1]).requires_grad_()", "only Tensors of floating point"),
    ("E32", "x = T([3.]); y = (x**2).sum(); y.backward(); y.backward()", "Trying to backward through the graph a second time"),
    ("E54", "torch.tensor([1], requires_grad=True)",
     "Only Tensors of floating point and complex dtype can require gradients"),
]  # fmt: skip
VALUES = [
    ("E6", "x = T([1., 2.]); y = (x * x).sum(); x.data.add_(10); y.backward(); r = L(x.grad)", [22.0, 24.0]),
    ("E9", "x = T([1., 2., 3.]); b = x * 1; v = b[:2]; v.mul_(10); b.sum().backward(); r = L(b), L(x.grad)",
     ([10.0, 20.0, 3.0], [10.0, 10.0, 1.0])),
    ("E10", "x = T([1., 2., 3.]); w = T(5.); b = x.clone(); b[1] = w; (b**2).sum().backward(); r = L(x.grad), L(w.grad)",
     ([2.0, 0.0, 6.0], 10.0)),
    ("E18", "x = T([3.]); y = x * 1; y += y; y.sum().backward(); r = L(y), L(x.grad)", ([6.0], [2.0])),
    ("E22", "x = T([1., 2.]); g = C([1., 1.]); x.backward(g); s = x.grad.data_ptr() == g.data_ptr(); x.backward(g); "
     "r = s, L(x.grad), L(g)", (False, [2.0, 2.0], [1.0, 1.0])),
    ("E25", "x = T([3.]); (x * x).backward(); r = L(x.grad)", [6.0]),
    ("E27", "x = T([2.]); torch.autograd.grad((x**2).sum(), x); r = x.grad", None),
    ("E28", "x = T([1., 2., 3.]); x.sum().backward(); x.grad.add_(1); r = L(x.grad), x.grad.stride()", ([2.0] * 3, (1,))),
    ("E30", "x = T([1.]); y = (x + 1).sum(); y.backward(); y.backward(); r = L(x.grad)", [2.0]),
    ("E31", "x = T([3.]); y = (x**2).sum(); y.backward(retain_graph=True); y.backward(); r = L(x.grad)", [12.0]),
    ("E39", "x = T([2.]); y = x * x; z = (y * 3).sum(); "
     "r = L(torch.autograd.grad(z, y, retain_graph=True)[0]), L(torch.autograd.grad(z, z)[0])", ([3.0], 1.0)),
    ("E40", "a = T([1.]); b = T([2.]); (a * b).sum().backward(inputs=[a]); r = L(a.grad), L(b.grad)", ([2.0], None)),
    ("E57", "x = T([1.]); r = sum([(x**2).sum().item() for _ in range(3)])", 3.0),
    ("F3", "x = T([1.]); y = x\nfor _ in range(60): y = y + y\ny.backward(); r = L(x.grad)", [2.0**60]),
]  # fmt: skip


def execute(code, torch):
    bench = Bench(torch, torch.nn.functional)
    names = {"torch": torch, "T": bench.T, "C": bench.C, "L": bench.L}
    try:
        exec(code, names)
    finally:
        torch.set_grad_enabled(True)
    return names.get("r")


@pytest.mark.parametrize("code, words", [pytest.param(*row[1:], id=row[0]) for row in ERRORS])
def test_error(code, words, request):
    with pytest.raises(RuntimeError) as error:
        execute(code, ag)
    assert words in str(error.value)
    with pytest.raises(RuntimeError) as error:
        execute(code, request.getfixturevalue("torch"))
    assert words in str(error.value)


@pytest.mark.parametrize("code, expected", [pytest.param(*row[1:], id=row[0]) for row in VALUES])
def test_value(code, expected, request):
    assert execute(code, ag) == expected
    assert execute(code, request.getfixturevalue("torch")) == expected


def test_the_users_gradient_is_not_aliased():
    """E21, better than PyTorch: x.grad is a copy of what was passed in."""
    assert execute("x = T([1., 2.]); g = C([1., 1.]); x.view(2).backward(g); x.grad.mul_(5); r = L(x.grad), L(g)", ag) == (
        [5.0, 5.0], [1.0, 1.0])  # fmt: skip


def test_a_hook_that_writes_its_gradient():
    """E26, better than PyTorch: the other branch is not changed."""
    x = ag.ones(1, requires_grad=True)
    a, b = x * 1, x * 1
    a.register_hook(lambda g: g.mul_(10))
    (a + b).sum().backward()
    assert x.grad.tolist() == [11.0]


def test_errors_in_hooks_keep_their_type_and_the_engine_works_on():
    """E33, E34."""
    x = ag.ones(1, requires_grad=True)
    for kind in (KeyError, ZeroDivisionError, StopIteration, KeyboardInterrupt):
        y = x * 2

        def fail(g, kind=kind):
            raise kind("hk")

        handle = y.register_hook(fail)
        with pytest.raises(kind, match="hk"):
            y.sum().backward()
        assert x.grad is None
        handle.remove()
    (x * 5).sum().backward()
    assert x.grad.tolist() == [5.0]


def test_a_caught_error_holds_no_memory():
    """F9: the traceback's frames hold the arrays only as long as the exception lives."""

    def program():
        x = ag.ones(10, requires_grad=True)
        y = x.exp()
        dead = weakref.ref(y._array)
        y.register_hook(lambda g: 1 / 0)
        try:
            y.sum().backward()
        except ZeroDivisionError as error:
            assert traceback.extract_tb(error.__traceback__)
        return dead

    gc.collect()
    dead = program()
    gc.collect()
    assert sys.exc_info() == (None, None, None)
    assert dead() is None


def test_recorded_gradients_are_collected():
    """F10, better than PyTorch."""
    x = ag.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="reference cycle"):
        (x**2).sum().backward(create_graph=True)
    dead = weakref.ref(x)
    del x
    gc.collect()
    assert dead() is None


def test_threads_and_modes():
    """E48, F13, F15."""
    x, on = ag.zeros(100, requires_grad=True), []

    def work():
        on.append(ag.is_grad_enabled())
        for _ in range(50):
            (x * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(8)]
    with ag.no_grad():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert on == [True] * 8
    assert x.grad.tolist() == [400.0] * 100
