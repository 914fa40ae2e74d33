"""A Function that writes a view which is not its first argument: the base's history follows.

    x -> base -> view --+
    a ------------------+--> Scale (marks the view dirty) --> CopySlices --> base

PyTorch 2.13 loses the gradient of `a` here (its CopySlices takes the written input for the first),
so the expected values are the derivatives of sum(base^2) with base[1:] = a x[1:].
"""

import numpy as np

import autograd_gpu as ag


def program(lib=ag):
    class Scale(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a, view):
            ctx.save_for_backward(a, view.clone())
            ctx.mark_dirty(view)
            return view.mul_(a)

        @staticmethod
        def backward(ctx, grad):
            a, view = ctx.saved_tensors
            return (grad * view).sum(), grad * a

    x = lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64, requires_grad=True)
    a = lib.tensor(5.0, dtype=lib.float64, requires_grad=True)
    base = x * 1
    view = base[1:]
    assert Scale.apply(a, view) is view
    loss = (base * base).sum()
    return [t.detach().numpy() for t in lib.autograd.grad(loss, (x, a))]


def test_gradients():
    grad_x, grad_a = program()
    np.testing.assert_allclose(grad_x, [2.0, 2 * 2 * 25, 2 * 3 * 25])
    np.testing.assert_allclose(grad_a, 2 * 5 * (4 + 9))

