"""gradcheck finds backwards that are right for dense gradients only: strided, expanded, reversed ones, on both devices.

PyTorch's passes all of them: it only ever gives dense gradients.
"""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import Function, GradcheckError, gradcheck, gradgradcheck

from .agree import function, leaf


def apply(forward, backward):
    return function(ag, forward, backward).apply


def numbers(device, *shape):
    return ag.arange(1.0, 1.0 + int(np.prod(shape)), dtype=ag.float64, device=device).reshape(shape).requires_grad_()


def has_gaps(g):
    """Rows that do not follow each other in memory, all the right way round."""
    return not g.is_contiguous() and all(s > 0 for s in g.stride())


WRONG = {
    "strided": (has_gaps, lambda g: g * 3),
    "expanded": (lambda g: 0 in g.stride(), lambda g: g * 3),
    "reversed": (lambda g: any(s < 0 for s in g.stride()), lambda g: g * 3),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("layout", WRONG)
def test_a_backward_that_is_wrong_for_one_layout_is_found(layout, fast, device):
    is_so, wrong = WRONG[layout]
    f = apply(lambda ctx, x: x * 2, lambda ctx, g: wrong(g) if is_so(g) else g * 2)
    x = numbers(device, 2, 3)
    with pytest.raises(GradcheckError, match=f"Gradient depends on the memory layout of grad_output: for output 0 with respect to input 0,\n{layout}"):
        gradcheck(f, x, fast_mode=fast)
    assert not gradcheck(f, x, fast_mode=fast, raise_exception=False)
    assert gradcheck(f, x, fast_mode=fast, check_grad_layouts=False)


@pytest.mark.parametrize("layout", WRONG)
def test_of_one_dimension_and_of_complex_numbers(layout, device):
    is_so, wrong = WRONG[layout]
    f = apply(lambda ctx, x: x * 2, lambda ctx, g: wrong(g) if is_so(g) else g * 2)
    assert not gradcheck(f, numbers(device, 4), raise_exception=False)
    z = ag.tensor([1 + 2j, 3.0], dtype=ag.complex128, device=device, requires_grad=True)
    assert not gradcheck(f, z, raise_exception=False)
    assert gradcheck(f, numbers(device, 1)), "one number lies as it lies"


def flat(ctx, g):
    """Reads the memory as if it were dense, as a kernel does that asks for no strides."""
    return g.as_strided(g.shape, (3, 1)) * 2


def test_memory_read_as_if_it_were_dense(torch):
    f = apply(lambda ctx, x: x * 2, flat)
    x = leaf(ag, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(GradcheckError, match="memory layout|fails for a grad_output"):
        gradcheck(f, x)
    theirs = function(torch, lambda ctx, x: x * 2, flat).apply
    assert torch.autograd.gradcheck(theirs, leaf(torch, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])), "PyTorch's misses it"


def test_a_backward_that_fails_for_a_layout(device):
    f = apply(lambda ctx, x: x * 2, lambda ctx, g: g.view(-1).view(g.shape) * 2)
    with pytest.raises(GradcheckError, match="Backward fails for a grad_output that is strided in memory, of output 0: RuntimeError") as caught:
        gradcheck(f, numbers(device, 2, 3))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_the_second_output_and_the_second_input(device):
    def backward(ctx, a, b):
        return a * 2 + b, b * (3 if has_gaps(b) else 1)

    f = apply(lambda ctx, x, y: (x * 2, x + y), backward)
    x, y = numbers(device, 2, 3), numbers(device, 2, 3)
    with pytest.raises(GradcheckError, match="for output 1 with respect to input 1"):
        gradcheck(f, (x, y))


def test_a_row_that_is_expanded(device):
    """Equal rows: what a sum over the first dimension gives."""
    def backward(ctx, g):
        return g * (3 if g.stride()[0] == 0 and g.stride()[1] == 1 else 2)

    f = apply(lambda ctx, x: x * 2, backward)
    assert not gradcheck(f, numbers(device, 2, 3), raise_exception=False)
    assert gradcheck(f, numbers(device, 1, 3))


def test_second_derivatives_are_checked_as_well(device):
    class Slope(Function):
        """2 x g, whose own backward minds the layout."""

        @staticmethod
        def forward(ctx, x, g):
            ctx.save_for_backward(x, g)
            return 2 * x * g

        @staticmethod
        def backward(ctx, gg):
            x, g = ctx.saved_tensors
            return 2 * g * gg * (3 if has_gaps(gg) else 1), 2 * x * gg

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return Slope.apply(*ctx.saved_tensors, g)

    x = numbers(device, 2, 3)
    assert gradcheck(Square.apply, x)
    with pytest.raises(GradcheckError, match="memory layout"):
        gradgradcheck(Square.apply, x)
    assert gradgradcheck(Square.apply, x, check_grad_layouts=False)


def test_rounding_is_no_error(device):
    x = ag.linspace(0.1, 1.0, 600, dtype=ag.float64, device=device).reshape(20, 30).requires_grad_()
    w = ag.linspace(-1.0, 1.0, 600, dtype=ag.float64, device=device).reshape(30, 20)
    assert gradcheck(lambda x: (x @ w).exp().cumsum(0), x, fast_mode=True)


def test_what_differs_anyway_may_differ_so_far():
    rounds = []

    def noisy(ctx, g):
        rounds.append(1)
        return g * (2 + len(rounds) % 2 * 1e-6)

    f, x = apply(lambda ctx, x: x * 2, noisy), leaf(ag, [1.0, 2.0, 3.0])
    assert gradcheck(f, x, nondet_tol=1e-5, fast_mode=True)
    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(f, x, nondet_tol=1e-7, fast_mode=True)
