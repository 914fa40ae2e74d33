"""gradcheck's options, its words, and what it takes: as PyTorch's, option by option."""

import re
import warnings

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import GradcheckError, gradcheck, gradgradcheck

from .agree import agree, function, leaf


def apply(t, forward, backward):
    return function(t, forward, backward).apply


def said(check, *args, **options):
    """True or False, or the error's class and the words of its message that carry its meaning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return check(*args, **options)
        except Exception as error:
            first = str(error).split("\n")[0].split(". ")[0].split(", but got:")[0]
            return type(error).__name__, re.sub(r"[.]$", "", first)


def planted(t):
    """Wrong in one way each: (what, forward, backward, does fast mode see it as well?)"""
    rounds = []

    def noisy(ctx, g):
        rounds.append(1)
        return g * 2 + len(rounds) % 2 * 1e-7

    return {
        "sign": (lambda ctx, x: x * 2, lambda ctx, g: g * -2),
        "factor": (lambda ctx, x: x * 2, lambda ctx, g: g * 2.1),
        "None": (lambda ctx, x: x * 2, lambda ctx, g: None),
        "ignores the gradient": (lambda ctx, x: x.sum(), lambda ctx, g: t.ones(3, dtype=t.float64)),
        "not linear": (lambda ctx, x: x.sum(), lambda ctx, g: (g * g).expand(3) + (g == 0)),
        "not repeatable": (lambda ctx, x: x * 2, noisy),
        "two gradients": (lambda ctx, x: x * 2, lambda ctx, g: (g * 2, g)),
        "wrong shape": (lambda ctx, x: x * 2, lambda ctx, g: t.ones(2, dtype=t.float64)),
    }


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("what", list(planted(ag)))
@agree
def test_a_planted_error_is_found(t, what, fast):
    f = apply(t, *planted(t)[what])
    x = leaf(t, [1.0, 2.0, 3.0])
    kind = said(t.autograd.gradcheck, f, x, fast_mode=fast)
    kind = (kind[0], kind[1][:30]) if isinstance(kind, tuple) else kind
    assert kind is not True
    return kind, said(t.autograd.gradcheck, f, x, fast_mode=fast, raise_exception=False) in (False, kind)


def planted_complex(t):
    return {
        "no conjugate": (lambda ctx, z: z * 2j, lambda ctx, g: g * 2j),
        "only the real part": (lambda ctx, z: z * 2, lambda ctx, g: (g * 2).real + 0j),
        "of a real output": (lambda ctx, z: (z * z.conj()).real, lambda ctx, g: g + 0j),
    }


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("what", list(planted_complex(ag)))
@agree
def test_a_planted_error_of_complex_numbers_is_found(t, what, fast):
    f = apply(t, *planted_complex(t)[what])
    z = t.tensor([1 + 2j, 0.5 - 1j], dtype=t.complex128, requires_grad=True)
    found = said(t.autograd.gradcheck, f, z, fast_mode=fast)
    assert found[0] == "GradcheckError"
    return found, said(t.autograd.gradcheck, f, z, fast_mode=fast, raise_exception=False)


@pytest.mark.parametrize("fast", [False, True])
@agree
def test_right_functions_of_complex_numbers_pass(t, fast):
    z = t.tensor([[1 + 2j, 0.5 - 1j]], dtype=t.complex128, requires_grad=True)
    x = leaf(t, [1.0, 2.0])
    functions = [
        (lambda z: z * z, (z,)), (lambda z: z.abs(), (z,)), (lambda z: (z.conj(), z.real), (z,)),
        (lambda z, x: (z * x, x * 2, z.imag), (z, x)), (lambda z: z.sum(), (z,)), (lambda x: t.complex(x, x * x), (x,)),
    ]  # fmt: skip
    return [said(check, f, args, fast_mode=fast) for f, args in functions
            for check in (t.autograd.gradcheck, t.autograd.gradgradcheck)]  # fmt: skip


@agree
def test_complex_numbers_of_single_precision(t):
    z = t.tensor([1 + 2j, 0.5 - 1j], dtype=t.complex64, requires_grad=True)
    with pytest.warns(UserWarning, match="double precision floating point or complex"):
        return t.autograd.gradcheck(lambda z: z * z, z, eps=1e-2, atol=1e-2)


@pytest.mark.parametrize("fast", [False, True])
@agree
def test_what_functions_may_return(t, fast):
    x, empty = leaf(t, [1.0, 2.0]), t.zeros(0, 3, dtype=t.float64, requires_grad=True)
    check = t.autograd.gradcheck
    return [
        said(check, lambda x: [x * 2, x.argmax()], x, fast_mode=fast),
        said(check, lambda x: (x * 2, x.detach() * 3), x, fast_mode=fast),
        said(check, lambda x: x.detach() * 2, x, fast_mode=fast),
        said(check, lambda x: x.detach() * 2, x, fast_mode=fast, raise_exception=False),
        said(check, lambda x: x.detach() * 0, x, fast_mode=fast),
        said(check, lambda e: e * 2, empty, fast_mode=fast), said(check, lambda e: e.sum(), empty, fast_mode=fast),
        said(check, lambda x: x[:0] * 2, x, fast_mode=fast),
        said(check, lambda x: x.clone().mul_(2), x, fast_mode=fast),
        said(check, lambda x: x.mul_(2), x, fast_mode=fast)[0],
        said(check, lambda a, b: a * b, (x, x), fast_mode=fast), said(check, lambda a, n, s: a * n, [x, 3, "text"], fast_mode=fast),
        said(check, lambda x: x[x > 1.0000001] * 2, leaf(t, [1.0000001, 2.0]), fast_mode=fast),
    ]  # fmt: skip


@agree
def test_the_function_may_know_its_inputs_otherwise(t):
    """Parameters of a module: moved in their own memory."""
    net = t.nn.Linear(2, 2, dtype=t.float64)
    x = t.tensor([[1.0, -2.0]], dtype=t.float64)
    return said(t.autograd.gradcheck, lambda *_: net(x).tanh(), tuple(net.parameters()))


@agree
def test_inputs_are_as_they_were(t):
    x = leaf(t, [[0.1, 0.2], [0.3, 0.4]]).detach().t().requires_grad_()
    t.autograd.gradcheck(lambda v: v * v, x)
    t.autograd.gradcheck(lambda v: v * v, x, fast_mode=True)
    return x, x._version, x.grad


@agree
def test_options_that_contradict_each_other(t):
    x = leaf(t, [1.0])
    f = lambda x: x * 2  # noqa: E731
    return [
        said(t.autograd.gradcheck, f, x, check_backward_ad=False),
        said(t.autograd.gradcheck, f, x, check_batched_grad=True, check_backward_ad=False, check_forward_ad=True),
        said(t.autograd.gradcheck, f, x, check_batched_forward_grad=True),
        said(t.autograd.gradgradcheck, f, x, check_rev_over_rev=False),
        said(t.autograd.gradgradcheck, f, x, check_rev_over_rev=False, check_fwd_over_rev=True),
        said(t.autograd.gradcheck, f, x.detach()), said(t.autograd.gradcheck, f, x.detach(), raise_exception=False),
        said(t.autograd.gradcheck, f, t.ones(1, dtype=t.float64).expand(3).requires_grad_()),
        said(t.autograd.gradcheck, f, t.ones(1, dtype=t.float64).expand(3).requires_grad_(), raise_exception=False),
    ]  # fmt: skip


@pytest.mark.parametrize("option", ["check_forward_ad", "check_batched_grad"])
def test_what_is_not_there_says_so(option):
    x = leaf(ag, [1.0])
    with pytest.raises(NotImplementedError, match="forward-mode and batched gradients"):
        gradcheck(lambda x: x, x, **{option: True})
    with pytest.raises(NotImplementedError, match="forward-mode and batched gradients"):
        gradgradcheck(lambda x: x, x, **{option.replace("forward_ad", "fwd_over_rev"): True})


def test_memory_that_overlaps_otherwise_is_refused():
    """PyTorch finds a Jacobian mismatch, which says nothing of the reason."""
    x = ag.ones(4, dtype=ag.float64).as_strided((2, 3), (1, 1)).requires_grad_()
    with pytest.raises(RuntimeError, match="has elements that share memory. gradcheck only supports"):
        gradcheck(lambda x: x * 2, x)


def test_read_only_inputs():
    frozen = np.arange(1.0, 4.0)
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = ag.from_numpy(frozen).requires_grad_()
    assert gradcheck(lambda x: x**2, x) and gradgradcheck(lambda x: x**3, x)


def test_no_tensors_among_the_results_are_left_out():
    x = leaf(ag, [1.0, 2.0])
    assert gradcheck(lambda x: (x * 2, 3, None, "text"), x)


def undefined(t, backward):
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def one(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2

    return apply(t, forward, backward), apply(t, one, lambda ctx, a: backward(ctx, a, a * 0 if a is not None else None))


@agree
def test_backward_without_gradients(t):
    def ones_for_nothing(ctx, a, b):
        if a is None and b is None:
            return t.ones(2, dtype=t.float64)
        return (0 if a is None else a * 2) + (0 if b is None else b * 3)

    def right(ctx, a, b):
        if a is None and b is None:
            return None
        return (0 if a is None else a * 2) + (0 if b is None else b * 3)

    def refuses(ctx, a, b):
        if a is None or b is None:
            raise RuntimeError("no gradient")
        return a * 2 + b * 3

    x, results = leaf(t, [1.0, 2.0]), []
    for backward in (ones_for_nothing, right, refuses):
        for f in undefined(t, backward):
            for options in ({}, {"check_undefined_grad": False}, {"raise_exception": False}, {"fast_mode": True}):
                found = said(t.autograd.gradcheck, f, x, **options)
                results.append((found[0], found[1][:50]) if isinstance(found, tuple) else found)
    return results


@agree
def test_one_output_without_a_gradient_beside_one_of_zeros(t):
    """Wrong only so: no Jacobian shows it."""
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def backward(ctx, a, b):
        if b is None and a is not None and not a.any():
            return t.ones(2, dtype=t.float64)
        return sum((g * n for g, n in ((a, 2), (b, 3)) if g is not None), t.zeros(2, dtype=t.float64))

    f, x = apply(t, forward, backward), leaf(t, [1.0, 2.0])
    return said(t.autograd.gradcheck, f, x)[1][:60], said(t.autograd.gradcheck, f, x, check_undefined_grad=False)


@agree
def test_functions_in_the_midst_of_a_graph_see_no_gradient_either(t):
    def bad(ctx, g):
        return t.ones(2, dtype=t.float64) if g is None else g * 2

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2

    f = apply(t, forward, bad)
    return said(t.autograd.gradcheck, lambda x: f(x.exp()).sin(), leaf(t, [1.0, 2.0]), raise_exception=False)


def test_gradients_of_another_dtype():
    """The engine casts them, in PyTorch without a word; here the option finds them."""
    f = apply(ag, lambda ctx, x: x * 2, lambda ctx, g: g.float() * 2)
    x = leaf(ag, [1.0, 2.0])
    assert gradcheck(f, x)
    with pytest.raises(GradcheckError, match="Gradient has dtype mismatch: FnBackward returned torch.float32 for an input of torch.float64"):
        gradcheck(f, x, check_grad_dtypes=True)
    assert not gradcheck(lambda x: f(x.exp()) ** 2, x, check_grad_dtypes=True, raise_exception=False)
    assert gradcheck(lambda x: x.exp() * 2, x, check_grad_dtypes=True)


def test_the_words_of_a_mismatch_in_fast_mode():
    f = apply(ag, lambda ctx, x: x * 2, lambda ctx, g: g * 3)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, leaf(ag, [1.0, 2.0]), fast_mode=True)
    text = str(caught.value)
    assert "computed in fast mode" in text and "The max per-element difference (slow mode) is: 1.0" in text
    assert "[[2." in text and "[[3. 0.]" in text


def test_what_fast_mode_alone_finds_it_says():
    """An error below atol in each of many numbers, all of one sign."""
    f = apply(ag, lambda ctx, x: x * 2, lambda ctx, g: g * 2 + 0.9e-3 * g.sum())
    x = ag.ones(20, dtype=ag.float64, requires_grad=True)
    assert gradcheck(f, x, atol=1e-3)
    assert gradcheck(f, x, atol=1e-3, fast_mode=True)  # the tolerance is that of the sum


@agree
def test_masked_takes_what_is_nearly_zero(t):
    f, x = apply(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2 + 1e-9), leaf(t, [1.0, 2.0])
    check = t.autograd.gradcheck
    return [said(check, f, x)[1][:40], said(check, f, x, masked=True)[1][:40], said(check, f, x, masked=True, check_undefined_grad=False)]


@pytest.mark.parametrize("fast", [False, True])
@agree
def test_gradgradcheck_finds_wrong_second_derivatives(t, fast):
    def frozen(ctx, g):  # the right gradient, whose own derivative by x is lost
        return 3 * g * ctx.saved_tensors[0].detach() ** 2

    def bent(ctx, g):  # right where it is called, with a wrong derivative by g
        return 3 * ctx.saved_tensors[0] ** 2 * (g * 2 - g.detach())

    def save(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    x, results = leaf(t, [1.0, 2.0]), []
    for backward in (frozen, bent, lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2):
        f = apply(t, save, backward)
        results += [said(t.autograd.gradgradcheck, f, x, fast_mode=fast),
                    said(t.autograd.gradgradcheck, f, x, fast_mode=fast, raise_exception=False),
                    said(t.autograd.gradcheck, f, x, fast_mode=fast)]  # fmt: skip
    return results


@agree
def test_gradgradcheck_of_complex_numbers(t):
    def save(ctx, z):
        ctx.save_for_backward(z)
        return z**3

    z = t.tensor([1 + 2j, 0.5 - 1j], dtype=t.complex128, requires_grad=True)
    right = apply(t, save, lambda ctx, g: 3 * g * (ctx.saved_tensors[0] ** 2).conj())
    wrong = apply(t, save, lambda ctx, g: 3 * g * (ctx.saved_tensors[0].detach() ** 2).conj())
    check = t.autograd.gradgradcheck
    return [said(check, f, z, fast_mode=fast) for f in (right, wrong) for fast in (False, True)]


@agree
def test_gradgradcheck_with_gradients_of_ones_own(t):
    x, z = leaf(t, [[1.0, 2.0]]), t.tensor([1j], dtype=t.complex128, requires_grad=True)
    check = t.autograd.gradgradcheck
    return [
        said(check, lambda x: x**3, x, leaf(t, [[0.5, -1.0]])), said(check, lambda x: x**3, (x,), (leaf(t, [[0.5, -1.0]]),)),
        said(check, lambda x: x**3, x, t.ones(1, 2, dtype=t.float64)),
        said(check, lambda x, z: (x**3, x * z, x.argmax()), (x, z), gen_non_contig_grad_outputs=True),
        said(check, lambda x: (x * 2).sum(), x, gen_non_contig_grad_outputs=True),
    ]  # fmt: skip
