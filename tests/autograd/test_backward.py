"""backward and grad: their arguments and checks, and how gradients accumulate."""

import numpy as np
import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


@agree
def test_gradients_accumulate_into_leaves_only(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    y = x * w
    y.sum().backward()
    (x * 2).sum().backward()
    return x.grad, w.grad, y.grad


@agree
def test_accumulation_is_in_place(t):
    x = leaf(t, [1.0])
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    return first is x.grad, first, first._version


@agree
def test_accumulation_with_create_graph_is_out_of_place(t):
    """E24."""
    x = leaf(t, [1.0])
    (x**2).sum().backward(create_graph=True)
    first = x.grad
    (x**2).sum().backward(create_graph=True)
    return first is x.grad, first.detach(), x.grad.detach(), x.grad.requires_grad


@agree
def test_a_recorded_pass_onto_a_plain_gradient(t):
    x = leaf(t, [3.0])
    (x**2).sum().backward()
    first = x.grad
    (x**3).sum().backward(create_graph=True)
    second = x.grad
    (x**2).sum().backward()
    return first, first is second, x.grad.detach(), x.grad.requires_grad, second is x.grad


@agree
def test_grad_may_be_set_cleared_and_deleted(t):
    x = leaf(t, [1.0, 2.0])
    x.grad = t.tensor([1.0, 1.0], dtype=t.float64)
    mine = x.grad
    (x * 2).sum().backward()
    seen = [mine is x.grad, x.grad.clone()]
    x.grad = None
    seen.append(x.grad)
    (x * 2).sum().backward()
    x.grad.zero_()
    seen.append(x.grad.clone())
    del x.grad
    return [*seen, x.grad]


@agree
def test_grad_of_a_tensor_without_requires_grad(t):
    x = t.ones(2)
    x.grad = t.zeros(2)
    x.requires_grad_()
    x.sum().backward()
    seen = x.grad.clone()
    x.requires_grad_(False)
    return seen, x.grad


@agree
def test_assigning_what_does_not_fit(t):
    x = leaf(t, [1.0])
    return [
        fails(
            RuntimeError,
            "assign a gradient of size",
            setattr,
            x,
            "grad",
            t.ones(2, dtype=t.float64),
        ),
        fails(RuntimeError, "assign a gradient with dtype", setattr, x, "grad", t.ones(1)),
        fails(TypeError, "assigned grad expected to be a Tensor", setattr, x, "grad", 3),
        fails(RuntimeError, "can't assign Variable as its own grad", setattr, x, "grad", x),
        x.grad,
    ]


def test_the_gradient_passed_in_is_not_aliased():
    """E21: PyTorch hands the user's own buffer on."""
    x = leaf(ag, [1.0, 2.0])
    seed = ag.ones(2, dtype=ag.float64)
    x.view(2).backward(seed)
    assert not np.may_share_memory(x.grad._array, seed._array)
    x.grad.mul_(5)
    assert seed.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "through",
    ["x", "x.view(2)", "x + 0", "x.view(1, 2)[0]", "x.expand(1, 2)[0]", "x[:]", "x.to(x)"],
)
def test_no_way_through_the_graph_aliases(through):
    x = leaf(ag, [1.0, 2.0])
    seed = ag.ones(2, dtype=ag.float64)
    y = eval(through, {"x": x})
    y.backward(seed)
    y.backward(seed)
    assert x.grad.tolist() == [2.0, 2.0]
    x.grad.mul_(5)
    assert seed.tolist() == [1.0, 1.0]
    x.grad = None
    y.backward(seed, inputs=[x])
    x.grad.mul_(5)
    assert seed.tolist() == [1.0, 1.0]
    (g,) = ag.autograd.grad(y, x, seed)
    g.mul_(5)
    assert seed.tolist() == [1.0, 1.0]


def test_leaves_do_not_share_a_gradient():
    x, y = leaf(ag, [1.0, 2.0]), leaf(ag, [1.0, 2.0])
    (x + y).backward(ag.ones(2, dtype=ag.float64))
    x.grad.mul_(5)
    assert y.grad.tolist() == [1.0, 1.0]


def test_results_of_grad_do_not_share():
    x, y = leaf(ag, [1.0, 2.0]), leaf(ag, [1.0, 2.0])
    a, b = ag.autograd.grad((x + y).sum(), (x, y))
    a.mul_(5)
    assert b.tolist() == [1.0, 1.0]


@agree
def test_a_leaf_itself_as_root(t):
    """E22."""
    x = leaf(t, [1.0, 2.0])
    seed = t.ones(2, dtype=t.float64)
    x.backward(seed)
    x.backward(seed)
    return x.grad, seed


@agree
def test_the_gradient_of_a_sum_is_writable(t):
    """E28."""
    x = leaf(t, [1.0, 2.0, 3.0])
    x.sum().backward()
    x.grad.add_(1)
    return x.grad, x.grad.stride()


@agree
def test_the_same_tensor_twice_in_one_operation(t):
    x = leaf(t, [3.0])
    (x * x).backward()
    a = x.grad.clone()
    (x + x).backward()
    return a, x.grad


@agree
def test_seeds(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    y = x**2
    y.backward(t.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=t.float64), retain_graph=True)
    first = x.grad.clone()
    y.backward(gradient=t.ones(2, 2), retain_graph=True)  # another floating dtype is cast
    return [
        first, x.grad,
        fails(RuntimeError, "grad can be implicitly created only for scalar outputs", y.backward),
        fails(RuntimeError, "Mismatch in shape", y.backward, t.ones(3, dtype=t.float64)),
        fails(RuntimeError, "Mismatch in shape", y.backward, t.ones(2, 1, dtype=t.float64)),
        works(y.backward, 1.0),
    ]  # fmt: skip


@agree
def test_a_scalar_root_of_one_element(t):
    x = leaf(t, [[3.0]])
    (x**2).backward()
    return x.grad


@agree
def test_a_root_without_a_graph(t):
    x = t.ones(2)
    words = "does not require grad and does not have a grad_fn"
    return [
        fails(RuntimeError, words, x.sum().backward),
        fails(RuntimeError, words, t.autograd.grad, x.sum(), leaf(t, [1.0])),
        fails(RuntimeError, words, x.backward, t.ones(2)),
    ]


@agree
def test_several_roots(t):
    x = leaf(t, [2.0])
    a, b = (x * 3).sum(), (x**2).sum()
    t.autograd.backward([a, b])
    first = x.grad.clone()
    t.autograd.backward((x * 3, x**2), (t.tensor([2.0], dtype=t.float64), None))
    return [
        first,
        x.grad,
        fails(RuntimeError, "got 2 tensors and 1 gradients", t.autograd.backward, [a, b], [None]),
    ]


@agree
def test_the_same_root_twice_adds_up(t):
    x = leaf(t, [2.0])
    y = (x**2).sum()
    t.autograd.backward([y, y])
    return x.grad


@agree
def test_a_root_that_leads_to_another_root(t):
    x = leaf(t, [2.0])
    y = x**2
    z = y * 3
    t.autograd.backward([z, y])
    return x.grad, t.autograd.grad([(w := x * 4) * w, w], x)


@agree
def test_inputs_get_a_gradient_and_others_do_not(t):
    """E40."""
    a, b = leaf(t, [1.0]), leaf(t, [2.0])
    y = a * b
    (y * 2).sum().backward(inputs=[a], retain_graph=True)
    first = a.grad.clone()
    (y * 2).sum().backward(inputs=y)
    return [
        first, a.grad, b.grad, y.grad,
        fails(RuntimeError, "cannot be empty", y.sum().backward, inputs=[]),
        fails(RuntimeError, "cannot be empty", t.autograd.grad, y.sum(), ()),
    ]  # fmt: skip


@agree
def test_inputs_accumulate(t):
    a, b = leaf(t, [1.0]), leaf(t, [2.0])
    for _ in range(2):
        (a * b).sum().backward(inputs=[a, a])
    return a.grad, b.grad


@agree
def test_inputs_that_the_root_does_not_reach(t):
    a, b = leaf(t, [1.0]), leaf(t, [2.0])
    (a * 2).sum().backward(inputs=[b])
    return a.grad, b.grad, works(lambda: (a * 2).sum().backward(inputs=[t.ones(1)]))


@agree
def test_inputs_with_create_graph(t):
    a, b = leaf(t, [3.0]), leaf(t, [2.0])
    (a**2 * b).sum().backward(inputs=[a], create_graph=True)
    g = a.grad
    return g, t.autograd.grad(g.sum(), [a, b]), b.grad


@agree
def test_inputs_and_freed_parts(t):
    """What leads to no input is neither run nor freed."""
    a, b = leaf(t, [3.0]), leaf(t, [2.0])
    y = a.exp() * b.exp()
    y.sum().backward(inputs=[a])
    return a.grad, works(lambda: y.sum().backward(inputs=[b])), b.grad
