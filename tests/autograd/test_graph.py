"""The recorded graph: leaves, nodes and their names, edges, what a pass frees and what a second
pass finds.
"""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


@agree
def test_leaves_and_results(t):
    x, plain = leaf(t, [1.0, 2.0]), t.tensor([1.0])
    y = x * 2
    return [
        (v.is_leaf, v.requires_grad, v.grad_fn is None, v.output_nr)
        for v in (x, plain, y, y.detach(), plain * 2)
    ]


@agree
def test_requires_grad_is_set_in_many_ways(t):
    a = t.ones(2, requires_grad=True)
    b = t.zeros(2)
    b.requires_grad = True
    c = t.zeros(2)
    same = c.requires_grad_() is c
    d = t.zeros(2).requires_grad_(False)
    b.requires_grad = False
    return [a.requires_grad, b.requires_grad, c.requires_grad, same, d.requires_grad]


@agree
def test_requires_grad_of_what_it_may_not(t):
    x = leaf(t, [1.0])
    y = x * 2
    y.requires_grad_()
    return [
        fails(
            RuntimeError,
            "you can only change requires_grad flags of leaf variables",
            setattr,
            y,
            "requires_grad",
            True,
        ),
        fails(
            RuntimeError,
            "you can only change requires_grad flags of leaf variables",
            y.requires_grad_,
            False,
        ),
        fails(
            RuntimeError,
            "you can only change requires_grad flags of leaf variables",
            setattr,
            y,
            "requires_grad",
            False,
        ),
        fails(RuntimeError, "only Tensors of floating point", t.tensor([1]).requires_grad_),
        fails(
            RuntimeError,
            "Only Tensors of floating point and complex dtype",
            lambda: t.tensor([1], requires_grad=True),
        ),
        fails(
            RuntimeError,
            "only Tensors of floating point and complex dtype can require gradients",
            setattr,
            t.tensor([True]),
            "requires_grad",
            True,
        ),
        t.tensor([1]).requires_grad_(False).requires_grad,
        y.requires_grad,
    ]


@agree
def test_an_integer_result_is_not_recorded(t):
    x = leaf(t, [1.5, -2.0])
    return [
        v.requires_grad for v in (x.long(), x > 0, x.argmax(), x.double(), x.float(), x.sort()[1])
    ]


@agree
def test_detach_shares_memory_without_history(t):
    x = leaf(t, [1.0, 2.0])
    y = x * 2
    d = y.detach()
    d[0] = 7.0
    return [
        d.requires_grad,
        d.is_leaf,
        y.detach(),
        x.detach().requires_grad,
        d._version,
        y._version,
    ]


BINARY = ["x + y", "x - y", "x * y", "x / y", "x ** y", "x @ y", "x + 1", "1 + x", "x - 1", "1 - x", "x * 2", "2 * x", "x / 2",
          "2 / x", "x ** 2", "2 ** x", "-x", "x % 2", "abs(x)"]  # fmt: skip


@pytest.mark.parametrize("source", BINARY)
@agree
def test_names_and_edges_of_operators(t, source):
    """An operand that is a number has the edge (None, 0)."""
    x, y = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    out = eval(source, {"x": x, "y": y})
    edges = [(None if n is None else n.name(), i) for n, i in out.grad_fn.next_functions]
    if source in ("1 - x", "x % 2"):  # PyTorch has overloads without an edge for the number
        edges = edges[:1]
    return [out.grad_fn.name(), edges]


NAMES = [
    "x.sum()", "x.sum(0)", "x.mean()", "x.mean(1)", "x.exp()", "x.log()", "x.sqrt()", "x.tanh()", "x.sigmoid()", "x.relu()",
    "x.sin()", "x.cos()", "x.abs()", "x.neg()", "x.reciprocal()", "x.clamp(0, 1)", "x.prod()", "x.var()", "x.std()",
    "x.max()", "x.min()", "x.max(0)[0]", "x.amax(0)", "x.norm()", "x.view(-1)", "x.reshape(4)", "x.t()", "x.T", "x.mT",
    "x.transpose(0, 1)", "x.permute(1, 0)", "x.unsqueeze(0)", "x.squeeze()", "x.expand(3, 2, 2)", "x.repeat(2, 1)",
    "x.flatten()", "x[0]", "x[:, 1]", "x[0, 0]", "x[x > 1]", "x[None]", "x.clone()", "x.t().contiguous()",
    "x.float()", "x.unbind()[0]", "x.split(1)[0]", "x.chunk(2)[0]", "x.mm(x)", "x @ x[0]", "x.matmul(x)", "x.cumsum(0)",
    "x.softmax(0)", "x.log_softmax(0)", "x.logsumexp(0)", "x.masked_fill(x > 1, 0)", "x.gather(0, t.tensor([[0, 1]]))",
    "x.index_select(0, t.tensor([0]))", "x.tril()", "x.flip(0)", "x.diagonal()", "x.pow(2)", "x.pow(x)", "t.cat([x, x])",
    "t.stack([x, x])", "t.where(x > 1, x, 0)", "t.maximum(x, x)", "t.einsum('ij->ji', x)", "t.dot(x[0], x[1])", "x.square()",
    "x.rsqrt()", "t.atan2(x, x)", "t.outer(x[0], x[1])", "x.select(0, 1)", "x.narrow(0, 0, 1)", "x.addmm(x, x)",
    "x.sort()[0]", "x.topk(1)[0]", "x.log1p()", "x.expm1()", "x.erf()", "x.round()", "x.sign()", "x.type_as(x.float())",
    "x.masked_select(x > 1)", "x.roll(1)", "x.unfold(0, 1, 1)", "x.lerp(x, 0.5)", "x.triu()",
]  # fmt: skip


@pytest.mark.parametrize("source", NAMES)
@agree
def test_names_of_nodes(t, source):
    x = leaf(t, [[1.5, 2.5], [0.5, 3.5]])
    out = eval(source, {"x": x, "t": t})
    return out.grad_fn.name(), out.output_nr, len(out.grad_fn.next_functions)


@agree
def test_repr_names_the_node(t):
    x = leaf(t, [1.0])
    return (
        repr(x),
        repr(x * 2),
        repr((x * 3).sum()),
        repr(x.detach()),
        str((x * 2).grad_fn).split(" ")[0],
    )


@agree
def test_accumulate_grad_is_the_end(t):
    x = leaf(t, [1.0])
    end, number = (x * 2).grad_fn.next_functions[0]
    again = (x + 1).grad_fn.next_functions[0][0]
    return end.name(), number, end.variable is x, again is end, end.next_functions


@agree
def test_results_of_several_outputs(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    a, b = x.unbind()
    edges = (a * b).grad_fn.next_functions
    return (
        [(n.name(), i) for n, i in edges],
        a.grad_fn is b.grad_fn,
        edges[0][0] is a.grad_fn,
        b.output_nr,
    )


SECOND = [
    "x + 1", "x - y", "x * 2", "x * y", "x / 2", "x / y", "2 / x", "x ** 2", "x ** 1", "x ** y", "2 ** x", "-x", "x.exp()",
    "x.log()", "x.sin()", "x.tanh()", "x.sigmoid()", "x.relu()", "x.sqrt()", "x.abs()", "x.clamp(0, 1)", "x.sum()", "x.mean()",
    "x.prod()", "x.var()", "x.std()", "x.max()", "x.amax()", "x.max(0)[0]", "x.norm()", "x.view(-1)", "x.t()", "x.expand(2, 2, 2)",
    "x[0]", "x[[0, 1]]", "x[x > 1]", "x.clone()", "x.unbind()[0]", "x @ y", "x.softmax(0)", "x.log_softmax(0)",
    "x.logsumexp(0)", "x.cumsum(0)", "x.masked_fill(x > 1, 0)", "x.masked_select(x > 1)", "x.index_select(0, i)",
    "x.gather(0, i[None])", "t.where(x > 1, x, y)", "t.maximum(x, y)", "t.cat([x, y])", "t.stack([x, y])", "x.tril()",
    "x.float()", "x.repeat(2, 2)", "x.flip(0)", "x.reciprocal()", "x.square()", "x.rsqrt()", "x.log1p()", "x.expm1()", "x.erf()",
    "x.sign()", "x.round()", "x.diagonal()", "x.sort()[0]", "t.atan2(x, y)", "x.remainder(2)", "x.cumprod(0)", "x.split(1)[0]",
    "x.addmm(x, y)", "t.dot(x[0], y[0])", "t.outer(x[0], y[0])", "t.einsum('ij,jk->ik', x, y)", "x.lerp(y, 0.5)",
    "x.tan()", "x.asin()", "x.atan()", "x.sinh()", "x.cosh()", "x.log2()", "t.hypot(x, y)", "x.scatter(0, i[None], y[:1])",
    "t.nn.functional.softplus(x)", "t.nn.functional.gelu(x)", "t.nn.functional.silu(x)", "t.nn.functional.elu(x)",
    "t.nn.functional.leaky_relu(x)", "t.nn.functional.mse_loss(x, y)", "t.nn.functional.l1_loss(x, y)",
    "t.nn.functional.linear(x, y)", "t.nn.functional.linear(x, y, x[0])", "t.nn.functional.layer_norm(x, (2,))",
    "t.nn.functional.cross_entropy(x, i)", "t.nn.functional.nll_loss(x, i)", "t.nn.functional.embedding(i, x)",
    "t.nn.functional.hardtanh(x)", "t.nn.functional.logsigmoid(x)",
]  # fmt: skip


@pytest.mark.parametrize("source", SECOND)
@agree
def test_a_second_pass_finds_freed_what_pytorch_frees(t, source):
    x, y = leaf(t, [[1.5, 2.5], [0.5, 3.5]]), leaf(t, [[1.25, 2.0], [0.25, 3.0]])
    out = eval(source, {"x": x, "y": y, "t": t, "i": t.tensor([0, 1])}).sum()
    out.backward()
    again = works(out.backward)
    return again


@agree
def test_the_error_of_a_second_pass(t):
    x = leaf(t, [3.0])
    y = (x**2).sum()
    y.backward()
    fails(RuntimeError, "Trying to backward through the graph a second time", y.backward)
    fails(RuntimeError, "Trying to backward through the graph a second time", t.autograd.grad, y, x)
    return x.grad


@agree
def test_retain_graph(t):
    x = leaf(t, [3.0])
    y = (x**2).sum()
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward(retain_graph=True)
    y.backward()
    return first, x.grad, works(y.backward)


@agree
def test_nothing_saved_nothing_freed(t):
    x = leaf(t, [1.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@agree
def test_a_freed_part_is_found_only_where_it_is_used(t):
    x = leaf(t, [2.0])
    y = x.exp()
    a, b = y + 1, y * y
    a.sum().backward()
    return works(lambda: b.sum().backward()), x.grad


@agree
def test_grad_through_a_freed_part_that_is_not_needed(t):
    x = leaf(t, [2.0])
    y = x.exp()
    y.sum().backward()
    return t.autograd.grad((y * 3).sum(), y), works(lambda: t.autograd.grad((y * 3).sum(), x))


@agree
def test_a_diamond_and_a_shared_leaf(t):
    x = leaf(t, [3.0])
    a = x * 2
    out = (a * a + a.exp() * x + x).sum()
    out.backward()
    return out, x.grad


@agree
def test_control_flow(t):
    x = leaf(t, [0.5, 2.0])
    total = x * 0
    for i in range(4):
        if total.sum() > 3:
            total = total * x
        else:
            total = total + x * i
    while total.sum() < 100:
        total = total * 2
    total.sum().backward()
    return total, x.grad


@agree
def test_detach_underscore(t):
    x = leaf(t, [1.0, 2.0])
    y = x * 2
    same = y.detach_() is y
    z = x * 3
    fails(RuntimeError, "Can't detach views in-place", z[0:1].detach_)
    return same, y.requires_grad, y.is_leaf


@agree
def test_doubling_is_linear_in_time(t):
    x = leaf(t, [1.0])
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    return x.grad


@agree
def test_wide_fan_in(t):
    leaves = [leaf(t, [float(i)]) for i in range(300)]
    t.cat(leaves).pow(2).sum().backward()
    return t.stack([v.grad for v in leaves])


def test_a_node_has_a_repr_and_a_number():
    x = leaf(ag, [1.0])
    a, b = x * 2, x * 3
    assert "MulBackward0" in repr(a.grad_fn)
    assert a.grad_fn._sequence_nr() < b.grad_fn._sequence_nr()


@agree
def test_number_conversions_are_leaves(t):
    x = leaf(t, [2.0])
    return float(x), int(x), bool(x), x.item(), x.sum().item()


@agree
def test_a_tensor_made_of_a_tensor_has_no_history(t):
    x = leaf(t, [2.0])
    y = t.tensor(x * 2)
    return (
        y.requires_grad,
        t.as_tensor(x) is x,
        t.zeros_like(x).requires_grad,
        t.ones_like(x, requires_grad=True).is_leaf,
    )
