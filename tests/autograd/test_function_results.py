"""What Function.backward may return, and the classes it may be written in."""

import pytest

from .agree import agree, fails, function, leaf, works


@pytest.mark.parametrize("result", ["g", "(g, g, g)", "(g.sum(), g)", "(g[:2], g)", "(None, g)", "(g, g, None)", "(g.expand(2, 3), g)",
                                    "(g.unsqueeze(0), g)", "(3, g)", "(g, None)", "None", "(None, None)", "(g.float(), g)"])  # fmt: skip
@agree
def test_results_of_backward(t, result):
    """E36."""
    fn = function(t, lambda ctx, a, b: a + b, lambda ctx, g: eval(result, {"g": g}))
    a, b = leaf(t, [1.0, 2.0, 3.0]), leaf(t, [1.0, 1.0, 1.0])
    try:
        fn.apply(a, b).sum().backward()
    except Exception as error:
        return type(error).__name__, str(error).split(" (")[0].split(" - ")[0][
            :60
        ] if result != "(3, g)" else None
    return a.grad, b.grad


@agree
def test_words_of_wrong_results(t):
    def run(result):
        fn = function(t, lambda ctx, a, b: a + b, lambda ctx, g: eval(result, {"g": g}), "Mine")
        return (fn.apply(leaf(t, [1.0, 2.0]), leaf(t, [1.0, 1.0])) * 1).sum().backward

    return [
        fails(
            RuntimeError,
            "MineBackward returned an incorrect number of gradients (expected 2, got 3)",
            run("(g, g, g)"),
        ),
        fails(
            RuntimeError,
            "MineBackward returned an incorrect number of gradients (expected 2, got 1)",
            run("g"),
        ),
        fails(RuntimeError, "returned an invalid gradient at index 0", run("(g[:1].expand(3), g)")),
        fails(RuntimeError, "expected Variable or None", run("(3, g)")),
    ]


@agree
def test_a_gradient_for_what_is_no_tensor(t):
    fn = function(t, lambda ctx, a, k: a * k, lambda ctx, g: (g, g))
    none = function(t, lambda ctx, a, k: a * k, lambda ctx, g: g * 2)
    return works(fn.apply(leaf(t, [1.0]), 2).backward), works(
        none.apply(leaf(t, [1.0]), 2).backward
    )


@agree
def test_no_backward(t):
    class Half(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x / 2

    y = Half.apply(leaf(t, [1.0]))
    return y, fails(NotImplementedError, "must implement either the backward", y.backward)


@agree
def test_vjp_is_another_name(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = leaf(t, [1.0])
    Double.apply(x).backward()
    return x.grad


@agree
def test_the_old_way_is_refused(t):
    class Old(t.autograd.Function):
        def forward(self, x):
            return x

    words = "Legacy autograd function"
    return fails(RuntimeError, words, lambda: Old()(leaf(t, [1.0]))), works(
        Old.apply, leaf(t, [1.0])
    )
