"""What hooks may return, and what they may not."""

import pytest

from .agree import agree, leaf
from .hooked import node_of, numbers

RESULTS = {
    "None": lambda t: None,
    "int": lambda t: 3,
    "False": lambda t: False,
    "str": lambda t: "a",
    "good": lambda t: t.ones(2, dtype=t.float64) * 7,
    "shape": lambda t: t.ones(3, dtype=t.float64),
    "0-d": lambda t: t.ones((), dtype=t.float64),
    "dtype": lambda t: t.ones(2),
    "complex": lambda t: t.ones(2, dtype=t.complex128),
    "tuple": lambda t: (t.ones(2, dtype=t.float64) * 7,),
    "list": lambda t: [t.ones(2, dtype=t.float64) * 7],
    "two": lambda t: (t.ones(2, dtype=t.float64) * 7,) * 2,
    "first of two": lambda t: (t.ones(2, dtype=t.float64) * 7, None),
    "tuple of None": lambda t: (None,),
    "two None": lambda t: (None, None),
    "tuple of int": lambda t: (3,),
    "tuple of a shape": lambda t: (t.ones(3, dtype=t.float64),),
    "empty": lambda t: (),
}
WORDS = (
    "hook returned 'int'", "hook returned 'str'", "hook returned", "expected Variable", "expected tuple",
    "has changed the size of value", "has changed the type of value (was torch.DoubleTensor got ",
    "has returned an incorrect number of values (got", "should return None", "can't replace a None gradient",
)  # fmt: skip


def known_words(error):
    return [w for w in WORDS if w in str(error)]


@pytest.mark.parametrize("kind", ["tensor", "pre", "post", "leaf", "leaf pre", "leaf post", "after"])
@pytest.mark.parametrize("result", RESULTS)
@agree
def test_results(t, kind, result):
    x = leaf(t, [1.0, 2.0])
    y = x * 2
    z = y * 5
    end = node_of(t, x)
    register = {
        "tensor": y.register_hook, "pre": y.grad_fn.register_prehook, "post": y.grad_fn.register_hook,
        "leaf": x.register_hook, "leaf pre": end.register_prehook, "leaf post": end.register_hook,
        "after": x.register_post_accumulate_grad_hook,
    }  # fmt: skip
    register[kind](lambda *_: RESULTS[result](t))
    try:
        z.sum().backward()
    except Exception as error:
        return type(error).__name__, known_words(error)
    return x.grad


@agree
def test_prehooks_of_several_outputs(t):
    """One gradient is replaced, taken away, or was not there."""
    found = []
    for change in (
        lambda outs: (outs[0] * 5, outs[1] * 2),
        lambda outs: (None, outs[1]),
        lambda outs: (None, None),
        lambda outs: (outs[1], outs[0]),
    ):
        x = leaf(t, [1.0, 2.0])
        p, q = (x * 1).unbind()
        p.grad_fn.register_prehook(change)
        (p * 3 + q * 4).backward()
        found.append(x.grad)
    return found


@agree
def test_a_gradient_that_is_not_there_cannot_be_replaced(t):
    x = leaf(t, [1.0, 2.0])
    p, q = (x * 1).unbind()
    p.grad_fn.register_prehook(lambda outs: (outs[0], t.ones((), dtype=t.float64)))
    try:
        p.backward()
    except RuntimeError as error:
        return known_words(error)
    return x.grad


@agree
def test_posthooks_take_gradients_away(t):
    x, w = leaf(t, [1.0]), leaf(t, [2.0])
    y = x * w
    y.grad_fn.register_hook(lambda ins, outs: (ins[0] * 10, None))
    y.sum().backward()
    return x.grad, w.grad


@agree
def test_each_hook_gets_what_the_last_returned(t):
    x, log = leaf(t, [1.0]), []
    y = x * 2
    for i in range(3):
        y.register_hook(lambda g, i=i: (log.append((i, numbers(g))), g + i)[1])
        y.grad_fn.register_prehook(lambda outs, i=i: (log.append(("pre", i, numbers(outs))), (outs[0] + i,))[1])
        y.grad_fn.register_hook(
            lambda ins, outs, i=i: (log.append(("post", i, numbers(ins), numbers(outs))), (ins[0] + i, None))[1]
        )
    y.sum().backward()
    return log, x.grad


@agree
def test_recorded_results_are_differentiated(t):
    x = leaf(t, [2.0])
    y = x * x
    y.grad_fn.register_prehook(lambda outs: (outs[0] * x,))
    y.grad_fn.register_hook(lambda ins, outs: tuple(g * x for g in ins))
    (g,) = t.autograd.grad(y, x, t.ones(1, dtype=t.float64), create_graph=True)
    return g.detach(), t.autograd.grad(g, x)


@agree
def test_what_a_hook_keeps_stays(t):
    """Later passes add into `.grad` in place; what hooks and retain_grad kept is not that memory."""
    x, kept = leaf(t, [1.0, 2.0]), []
    x.register_hook(lambda g: kept.append(g))
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: kept.append(g))
    node_of(t, y).register_hook(lambda ins, outs: kept.extend((ins[0], outs[0])))
    for _ in range(3):
        y.sum().backward(retain_graph=True)
    return kept, x.grad, y.grad
