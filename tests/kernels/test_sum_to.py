"""Gradients of broadcasts on the stand-in: summed and cast by one kernel, within the engine too."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.testing import standin

from .beside import assert_near, every_way, launched, stand_in, widened
from .launched import FLOATS, array

SIZES = [
    ((4, 5), (5,)), ((4, 5), (1, 5)), ((4, 5), (4, 1)), ((4, 5), ()), ((4, 5), (1, 1)),
    ((2, 3, 4, 5), (3, 1, 5)), ((1, 5), (5,)), ((0, 3), (1, 3)), ((3, 0), (3, 1)), ((64, 10), (10,)),
]  # fmt: skip
CASTS = [
    ("float32", "float16"), ("float32", "bfloat16"), ("float64", "float32"), ("float16", "float32"),
    ("bfloat16", "float32"), ("float32", "float32"), ("bfloat16", "bfloat16"),
]  # fmt: skip


def wanted(grad, size):
    lead = grad.ndim - len(size)
    dims = [d for d, n in enumerate(grad.shape) if d < lead or n != size[d - lead]]
    return widened(grad).sum(tuple(dims)).reshape(size)


@every_way
@pytest.mark.parametrize(("source", "result"), CASTS)
def test_sizes_and_types(source, result, how):
    with stand_in(how):
        for shape, size in SIZES:
            grad = array(shape, FLOATS[source])
            found = launched("sum_to", grad, size, FLOATS[result])
            assert found.dtype == FLOATS[result]
            assert_near(found, wanted(grad, size), result)


def test_long_sums_are_cast_at_the_end():
    """Ten thousand halves of 1: not the 2048 at which float16 no longer counts."""
    grad = np.ones((10000, 2), np.float16)
    with stand_in():
        for dtype in (np.float16, np.float32):
            assert launched("sum_to", grad, (2,), np.dtype(dtype)).tolist() == [10000, 10000]


def test_declines_complex_numbers_and_what_needs_no_sum():
    x = array((3, 4), np.complex64)
    with stand_in():
        assert launched("sum_to", x, (4,), np.dtype("f4")) is NotImplemented
        assert launched("sum_to", x, (4,), x.dtype) is NotImplemented
        assert launched("sum_to", x.real.copy(), (3, 4), np.dtype("f2")) is NotImplemented


@pytest.mark.parametrize("dtype", [ag.float32, ag.float16])
def test_in_a_backward_pass(dtype):
    """The bias of a sum, in a type narrower than the gradient's."""
    with stand_in():
        results = []
        for device in ("cpu", "cuda"):
            x = ag.tensor(array((64, 10), "f4"), device=device)
            b = ag.tensor(array((10,), "f4", 1), device=device).to(dtype).requires_grad_()
            y = ((x + b) ** 2).sum()
            with standin.launches() as seen:
                (grad,) = ag.autograd.grad(y, b)
            results.append(grad)
        assert grad.dtype == dtype and grad.shape == (10,)
        kind = str(dtype).rpartition(".")[2]
        assert_near(grad.cpu().numpy(), results[0].numpy(), kind, 2)
    sums = [launch.name for launch in seen if "reduce<ag::Total" in launch.name]
    assert len(sums) == 1


def test_second_derivatives_are_recorded():
    with stand_in():
        b = ag.tensor([1.0, 2.0], device="cuda", requires_grad=True)
        y = (b * ag.ones(3, 2, device="cuda")).pow(3).sum()
        (grad,) = ag.autograd.grad(y, b, create_graph=True)
        (second,) = ag.autograd.grad(grad.sum(), b)
    assert second.tolist() == [18.0, 36.0]
