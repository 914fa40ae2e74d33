"""One expression on the same leaves in both libraries: values, dtypes, node names, first and second
derivatives, or the error, are the same."""

import numpy as np

import autograd_gpu as ag

from ..oracle import numpy_of


def world(m):
    """The names that expressions may use, of library `m`, and the leaves among them."""
    rng = np.random.default_rng(0)

    def leaf(*shape):
        return m.tensor(rng.standard_normal(shape).tolist(), dtype=m.float64, requires_grad=True)

    leaves = {
        "x": leaf(2, 3), "s": leaf(2, 3), "v": leaf(3), "w": leaf(), "c": leaf(2, 3, 4),
        "r": leaf(1, 3), "sq": leaf(3, 3),
    }  # fmt: skip
    leaves["e"] = m.zeros(0, 3, dtype=m.float64, requires_grad=True)
    names = {
        "m": m, "np": np, "T": m.tensor, "F": m.nn.functional,
        "i": m.tensor([[0, 1, 0], [1, 1, 0]]),
        "mask": m.tensor([[True, False, True], [False, True, False]]), "inf": float("inf"),
        "N": lambda a: m.tensor(np.asarray(a).tolist(), dtype=m.float64), "nan": float("nan"),
    }  # fmt: skip
    return {**names, **leaves}, list(leaves.values())


def cases(text):
    """The expressions in a text, each ended by a semicolon."""
    return [" ".join(part.split()) for part in text.split(";") if part.strip()]


def outcome(m, expression):
    """What the expression gives, with its derivatives; or the error."""
    names, leaves = world(m)
    try:
        result = eval(expression, names)
        return describe(m, result, leaves)
    except Exception as error:
        return error


def run_statements(m, statements):
    """The same for statements that change `y`, which begins as x * x."""
    names, leaves = world(m)
    names["y"] = names["x"] * names["x"]
    try:
        exec(statements.replace("|", "\n"), names)
        return describe(m, names["y"], leaves)
    except Exception as error:
        return error


def describe(m, result, leaves):
    """Values, dtypes, node names, then gradients of a function of the results, then theirs."""
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    tensors = [t for t in results if hasattr(t, "grad_fn")]
    facts = [(str(t.dtype), tuple(t.shape)) for t in tensors]
    facts += [(t.grad_fn.name(), t._is_view()) for t in tensors if t.grad_fn is not None]
    facts += [str(t) for t in results if not hasattr(t, "grad_fn")]
    values = [numpy_of(t) for t in tensors]
    recorded = [t for t in tensors if t.grad_fn is not None]
    if recorded:
        loss = sum(((t * t).sum() + (t.reshape(-1) * weights(m, t)).sum()) for t in recorded)
        first = m.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        values += [numpy_of(g) if g is not None else None for g in first]
        total = sum((g**3).sum() for g in first if g is not None)
        if total.requires_grad:
            values += [numpy_of(g) for g in m.autograd.grad(total, leaves, materialize_grads=True)]
    return facts, values


def weights(m, t):
    return m.tensor([k + 1.0 for k in range(t.numel())], dtype=t.dtype)


def compare(ours, theirs, words=True):
    """Equal facts and values; or errors of one type, and of one text if `words`."""
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), (ours, theirs)
        text = str(theirs)
        if words and not text.startswith(
            "one of the variables"
        ):  # which names a shape and versions
            assert str(ours) == text
        return
    if isinstance(ours, Exception):
        raise ours
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1], theirs[1], strict=True):
        if a is None or b is None:  # no gradient or one of zeros
            assert all(g is None or not g.any() for g in (a, b))
        else:
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def check(torch, expression, words=True):
    """The expression means the same in both."""
    compare(outcome(ag, expression), outcome(torch, expression), words)


def check_statements(torch, statements, words=True):
    """The statements do the same in both."""
    compare(run_statements(ag, statements), run_statements(torch, statements), words)
