"""Derivatives of derivatives: orders, mixed partials, and gradients with respect to what the first
pass did not need.
"""

import pytest

from .agree import agree, leaf, works


@agree
def test_orders_of_a_power(t):
    x = leaf(t, [1.5, -2.0])
    found, y = [], x**5
    for _ in range(6):
        (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
        found.append(y)
    return [f.detach() for f in found]


FUNCTIONS = [
    "x.exp()", "x.sin() * x", "x.tanh()", "(x * x + 1).log()", "1 / (x * x + 2)", "(x * x + 1).sqrt()", "x.sigmoid()",
    "(x ** 3).relu()", "x.abs() ** 3", "x.softmax(0)", "x.logsumexp(0)", "x.prod()", "x.var()", "x.norm()", "x.max() ** 2",
    "x.cumsum(0) ** 2", "x.view(1, 3) @ x.view(3, 1)", "t.cat([x, x * x]).exp()", "x[:2].exp() * x[1:]", "t.outer(x, x) ** 2",
    "x.clamp(-1, 1) ** 3", "t.where(x > 0, x ** 3, x ** 2)", "x.mean() ** 3", "x.pow(2).sum().sqrt()", "2 ** x", "x.atan()",
    "t.stack([x, x.sin()]).prod(0)", "x.expand(2, 3).exp()", "x.log_softmax(0) ** 2", "x.masked_fill(x > 1, 0.5) ** 3",
    "x.double().float().double() ** 3", "x.repeat(2) ** 3", "x.flip(0) * x ** 2", "t.maximum(x, x ** 2) ** 2",
]  # fmt: skip


@pytest.mark.parametrize("source", FUNCTIONS)
@agree
def test_three_orders(t, source):
    x = leaf(t, [0.75, -1.25, 1.5])
    y, found = eval(source, {"x": x, "t": t}), []
    weights = t.tensor([1.0, -2.0, 0.5], dtype=t.float64)
    total = (
        y.sum()
        if y.dim() == 0
        else (y * t.arange(1, y.numel() + 1, dtype=t.float64).reshape(y.shape)).sum()
    )
    for _ in range(3):
        (g,) = t.autograd.grad(total, x, create_graph=True, allow_unused=True)
        found.append(None if g is None else g.detach())
        if g is None or not g.requires_grad:
            break
        total = (g * weights).sum()
    return found


@agree
def test_mixed_partials_commute(t):
    x, y = leaf(t, [0.5]), leaf(t, [1.5])
    z = (x**2 * y**3 + (x * y).sin()).sum()
    (gx,) = t.autograd.grad(z, x, create_graph=True)
    (gy,) = t.autograd.grad(z, y, create_graph=True)
    (gxy,) = t.autograd.grad(gx, y, create_graph=True)
    (gyx,) = t.autograd.grad(gy, x, create_graph=True)
    return (
        gxy.detach(),
        gyx.detach(),
        t.autograd.grad(gxy, [x, y], retain_graph=True),
        t.autograd.grad(gyx, [x, y]),
    )


@agree
def test_a_hessian_row_by_row(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    y = (x[0] * x[1] ** 2 + x[2].exp() * x[0] + x.prod()).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    return t.stack([t.autograd.grad(g[i], x, retain_graph=True)[0] for i in range(3)])


@agree
def test_gradient_penalty(t):
    """The first pass needs only the gradient of x; the second all parameters."""
    w, b = leaf(t, [[0.5, -1.0], [2.0, 0.25]]), leaf(t, [0.1, -0.2])
    v = leaf(t, [1.0, -1.5])
    x = leaf(t, [[1.0, 2.0], [-0.5, 0.3], [0.2, 0.7]])
    score = ((x @ w + b).tanh() @ v).sum()
    (g,) = t.autograd.grad(score, x, create_graph=True)
    penalty = ((g.norm(dim=1) - 1) ** 2).mean()
    penalty.backward()
    return g, penalty, w.grad, b.grad, v.grad, x.grad


@agree
def test_penalty_on_parameters(t):
    w = leaf(t, [0.5, -1.0])
    x = t.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=t.float64)
    loss = ((x @ w).sigmoid()).sum()
    (g,) = t.autograd.grad(loss, w, create_graph=True)
    (loss + (g**2).sum()).backward()
    return w.grad


@agree
def test_hessian_vector_products(t):
    x, v = leaf(t, [1.0, 2.0]), t.tensor([0.5, -1.0], dtype=t.float64)
    y = (x**3).prod()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    return t.autograd.grad(g, x, v), t.autograd.grad((y := (x**3).prod()), x, create_graph=True)[
        0
    ] @ v


@agree
def test_derivative_with_respect_to_the_seed(t):
    """The double-backward trick: forward derivatives from two reverse passes."""
    x, v = leaf(t, [1.0, 2.0]), leaf(t, [1.0, 1.0])
    (g,) = t.autograd.grad(x**2 * 3, x, v, create_graph=True)
    return t.autograd.grad(
        g, v, t.tensor([1.0, 10.0], dtype=t.float64), retain_graph=True
    ), t.autograd.grad(g.sum(), [x, v])


@agree
def test_backward_of_a_gradient_that_was_accumulated(t):
    x = leaf(t, [2.0])
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    x.grad = None
    g.backward()
    return g.detach(), x.grad


@agree
def test_linear_functions_have_no_second_derivative(t):
    x = leaf(t, [2.0])
    (g,) = t.autograd.grad((x * 3).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(((x * 3) ** 1).sum(), x, create_graph=True)
    return g.requires_grad, works(t.autograd.grad, g, x), h.detach()


@agree
def test_newtons_method(t):
    x = leaf(t, [3.0])
    for _ in range(4):
        y = (x**4 - 3 * x**2 + x).sum()
        (g,) = t.autograd.grad(y, x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x)
        with t.no_grad():
            x -= g / h
    return x


@agree
def test_inner_steps_are_differentiated(t):
    """Two steps of gradient descent on w, and the derivative of the result by the step size and the
    data.
    """
    w, rate, x = leaf(t, [1.0, -1.0]), leaf(t, 0.1), leaf(t, [[0.5, 2.0], [1.0, -1.0]])
    v = w
    for _ in range(2):
        loss = ((x @ v) ** 2).sum()
        (g,) = t.autograd.grad(loss, v, create_graph=True)
        v = v - rate * g
    return v, t.autograd.grad((v**2).sum(), [w, rate, x])


@agree
def test_retain_and_free_in_the_second_pass(t):
    x = leaf(t, [2.0])
    y = (x**3).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    g.sum().backward()
    return x.grad, works(g.sum().backward), works(y.backward)


@agree
def test_broadcasting_in_the_second_derivative(t):
    a, b = leaf(t, [[1.0], [2.0]]), leaf(t, [0.5, 1.5, -1.0])
    ga, gb = t.autograd.grad(((a * b).sin() * a).sum(), [a, b], create_graph=True)
    return t.autograd.grad((ga**2).sum() + (gb**3).sum(), [a, b])


@agree
def test_mixed_dtypes_in_the_second_derivative(t):
    a, b = leaf(t, [1.0, 2.0], "float32"), leaf(t, [0.5, 1.5])
    ga, gb = t.autograd.grad((a * b * a).sum(), [a, b], create_graph=True)
    return ga.detach(), gb.detach(), t.autograd.grad(ga.double().sum() + (gb**2).sum(), [a, b])


@agree
def test_complex_second_derivative(t):
    z = t.tensor([0.5 + 1.0j, -1.0 + 0.25j], dtype=t.complex128, requires_grad=True)
    y = (z**3).abs().sum()
    (g,) = t.autograd.grad(y, z, create_graph=True)
    return g.detach(), t.autograd.grad((g.abs() ** 2).sum(), z)
