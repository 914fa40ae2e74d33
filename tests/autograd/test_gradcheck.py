"""gradcheck finds what is wrong, and nothing where nothing is."""

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import GradcheckError, gradcheck, gradgradcheck

from .agree import agree, leaf


def function(t, forward, backward):
    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(t.autograd.Function)("Fn", (t.autograd.Function,), body).apply


def verdict(check, *args, **options):
    try:
        return check(*args, **options)
    except Exception as error:
        known = [
            words
            for words in ("Jacobian mismatch for output 0", "Jacobian mismatch for output 1")
            if words in str(error)
        ]
        return type(error).__name__, known


@pytest.mark.parametrize("fast", [False, True])
@agree
def test_right_formulas_pass(t, fast):
    x, y = leaf(t, [[0.5, 1.5], [2.0, -1.0]]), leaf(t, [1.0, 2.0])
    functions = [lambda x, y: x * y, lambda x, y: (x @ y).exp(), lambda x, y: (x.sum(), y * 2), lambda x, y: x[0] / y,
                 lambda x, y: x.detach() * y]  # fmt: skip
    return [verdict(t.autograd.gradcheck, f, (x, y), fast_mode=fast) for f in functions]


@pytest.mark.parametrize("fast", [False, True])
@agree
def test_a_wrong_formula_is_found(t, fast):
    wrong = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2.1)
    zero = function(t, lambda ctx, x: x * 2, lambda ctx, g: None)
    x = leaf(t, [1.0, 2.0])
    options = {"fast_mode": fast}
    return [
        verdict(t.autograd.gradcheck, wrong, x, **options),
        verdict(t.autograd.gradcheck, wrong, (x,), raise_exception=False, **options),
        verdict(t.autograd.gradcheck, zero, (x,), raise_exception=False, **options),
        verdict(t.autograd.gradcheck, wrong, x, atol=1.0, rtol=1.0, **options),
    ]


@agree
def test_only_one_wrong_entry(t):
    def backward(ctx, g):
        out = g * 2
        out[1] = 0
        return out

    return verdict(
        t.autograd.gradcheck, function(t, lambda ctx, x: x * 2, backward), leaf(t, [1.0, 2.0, 3.0])
    )


@agree
def test_the_second_of_several_outputs_and_inputs(t):
    f = function(t, lambda ctx, x, y: (x * 2, x * y), lambda ctx, a, b: (a * 2, b * 3))
    return verdict(t.autograd.gradcheck, f, (leaf(t, [1.0]), leaf(t, [3.0])))


@pytest.mark.parametrize("fast", [False, True])
@agree
def test_a_nondeterministic_backward_is_found(t, fast):
    count = []

    def backward(ctx, g):
        count.append(1)
        return g * 2 + len(count) % 2 * 1e-7

    f = function(t, lambda ctx, x: x * 2, backward)
    x = leaf(t, [1.0, 2.0, 3.0])
    found = verdict(t.autograd.gradcheck, f, x, fast_mode=fast)
    return found[0], verdict(
        t.autograd.gradcheck, f, x, fast_mode=fast, nondet_tol=1e-3, raise_exception=False
    )


@agree
def test_undefined_gradients_are_checked(t):
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    f = function(t, forward, lambda ctx, a, b: a * 2 + b * 3)
    x = leaf(t, [1.0, 2.0])
    return verdict(t.autograd.gradcheck, f, x, raise_exception=False)


@agree
def test_complex_functions(t):
    z = t.tensor([1 + 2j, 0.5 - 1j], dtype=t.complex128, requires_grad=True)
    x = leaf(t, [1.0, 2.0])
    wrong = function(t, lambda ctx, z: z * 2j, lambda ctx, g: g * 2j)
    right = function(t, lambda ctx, z: z * 2j, lambda ctx, g: g * -2j)
    return [verdict(t.autograd.gradcheck, f, args) for f, args in (
        (lambda z: z * z, (z,)), (lambda z: z.abs(), (z,)), (lambda z, x: z * x, (z, x)), (lambda z: z.real * z.imag, (z,)),
        (wrong, (z,)), (right, (z,)),
    )]  # fmt: skip


@agree
def test_inputs_without_requires_grad(t):
    x = leaf(t, [1.0])
    return verdict(t.autograd.gradcheck, lambda a, b, c: a * b * c, (x, t.ones(1), 3.0)), \
        verdict(t.autograd.gradcheck, lambda a: a * 2, t.ones(1))[0]  # fmt: skip


@agree
def test_second_derivatives(t):
    first = function(
        t,
        lambda ctx, x: (ctx.save_for_backward(x), x**3)[1],
        lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2,
    )
    frozen = function(t, lambda ctx, x: (ctx.save_for_backward(x), x**3)[1],
                      lambda ctx, g: 3 * g * ctx.saved_tensors[0].detach() ** 2)  # fmt: skip
    x, y = leaf(t, [1.0, 2.0]), leaf(t, [[3.0], [0.5]])
    return [
        verdict(t.autograd.gradgradcheck, first, x), verdict(t.autograd.gradgradcheck, frozen, x, raise_exception=False),
        verdict(t.autograd.gradgradcheck, lambda a, b: (a * b).exp(), (x, y)),
        verdict(t.autograd.gradgradcheck, lambda a: a**3, x, leaf(t, [0.5, -1.0])),
        verdict(t.autograd.gradgradcheck, lambda a: (a**2).t() if a.dim() == 2 else a**2, y, gen_non_contig_grad_outputs=True),
        verdict(t.autograd.gradgradcheck, lambda a, b: (a * b).sin(), (x, y), fast_mode=True),
    ]  # fmt: skip


@agree
def test_strided_inputs(t):
    x = leaf(t, [[0.5, 1.5, 2.5], [2.0, -1.0, 1.0]]).detach().t().requires_grad_()
    return verdict(t.autograd.gradcheck, lambda v: (v * v).sum(0), x)


def test_float32_warns():
    with pytest.warns(UserWarning, match="is not a double precision floating point"):
        gradcheck(lambda v: v * 2, leaf(ag, [1.0], "float32"), eps=1e-2, atol=1e-2)


def test_overlapping_inputs_are_refused():
    x = ag.ones(1, dtype=ag.float64).expand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(lambda v: v * 2, x)


def test_errors_of_the_function_come_through():
    with pytest.raises(KeyError):
        gradcheck(lambda v: {}[v], leaf(ag, [1.0]))


def test_the_words_of_a_mismatch():
    wrong = function(ag, lambda ctx, x: x * 2, lambda ctx, g: g * 3)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong, leaf(ag, [1.0]))
    assert "Jacobian mismatch for output 0 with respect to input 0" in str(caught.value)
    assert "numerical" in str(caught.value) and "analytical" in str(caught.value)


def test_integer_outputs_are_left_out():
    x = leaf(ag, [1.0, 2.0])
    assert gradcheck(lambda v: (v.argmax(), v * 2, 3), x)
    assert gradgradcheck(lambda v: (v.argmax(), v**2, 3), x)


def test_unsupported_checks_say_so():
    for option in ("check_forward_ad", "check_batched_grad"):  # the two of which each can be asked alone
        with pytest.raises(NotImplementedError):
            gradcheck(lambda v: v, leaf(ag, [1.0]), **{option: True})


def test_something_must_be_checked():
    x = ag.ones(2, dtype=ag.float64, requires_grad=True)
    with pytest.raises(AssertionError, match="at least one of check_fwd_over_rev or check_rev"):
        ag.autograd.gradgradcheck(lambda a: a * a, x, check_rev_over_rev=False)
