"""The launching function of elementwise kernels: numbers, masks, what it declines, where it writes."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.library import LAUNCHERS, installed
from autograd_gpu._core.manifest import KERNELS, LAYOUT
from autograd_gpu._cuda.elementwise import Launcher
from autograd_gpu.testing import standin
from autograd_gpu.testing.emulator import KernelError

from .cases import DTYPES, EVERY_DTYPE, assert_same, bodies, expected, normal
from .launched import launching


@pytest.fixture
def device():
    with launching("plain"):
        yield standin


def run(name, *arguments, **options):
    given = [standin.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    return LAUNCHERS[name](installed(), *given, **options)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["eq", "lt", "le", "gt", "ge"])
def test_numbers_are_rounded_before_they_are_compared(device, name, dtype):
    """0.1 is the half that is nearest to it, as everywhere in PyTorch."""
    x = np.array([0.1, 0.2, 0.3, -0.1]).astype(EVERY_DTYPE[dtype])
    for number in (0.1, 0.2, 0.3, -0.1, 1 / 3):
        np.testing.assert_array_equal(
            run(name, x, number).get(), bodies()[name](x, x.dtype.type(number))
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_gradient_passes_at_a_bound(device, dtype):
    """An element that was cut to 0.1 is not above 0.1, which no half is."""
    x = np.array([0.1, 0.5]).astype(EVERY_DTYPE[dtype])
    g = np.ones(2, x.dtype)
    assert run("clamp_backward", g, x, None, 0.1).get().tolist() == [1, 0]
    assert run("clamp_backward", g, x, 0.1, None).get().tolist() == [1, 1]
    assert run("hardtanh_backward", g, x, 0.1, 0.9).get().tolist() == [0, 1]
    assert run("shrink_backward", g, x, 0.1).get().tolist() == [0, 1]
    assert run("threshold_backward", g, x, 0.1).get().tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_numbers_are_exact_where_they_are_computed_with(device, dtype):
    x = np.array([1.0, 2.0, 1000.0]).astype(EVERY_DTYPE[dtype])
    wanted = (x.astype("f4") * np.float32(1.001)).astype(x.dtype)
    assert_same(run("mul", x, 1.001).get(), wanted, dtype)


def test_options_by_name(device):
    a, b = normal(5, "float32"), normal(5, "float32", 1)
    assert_same(run("add", a, b, alpha=2).get(), a + 2 * b, "float32")
    out = run("gelu", a, approximate="tanh")
    assert out[1] is None
    assert_same(out[0].get(), expected("gelu", "float32", [a, "tanh"]), "float32")


def test_what_is_declined(device):
    x, whole = normal(4, "float32"), normal(4, "int64")
    for name, arguments in {
        "tanh": [whole], "mul": [whole, 0.5], "add": [whole, whole, 0.5], "eq": [whole, 1 << 70],
        "maximum": [x, normal(4, "float64")], "round": [x, 2], "softshrink": [x, -1.0],
        "celu": [x, 0], "masked_fill": [x, whole, 1.0], "where": [x, x, x], "clamp": [x, x, 0.5],
        "logical_and": [x, x], "tanh_backward": [x, None], "clamp_backward_low": [x, x, 0.0, None],
        "bitwise_and": [normal(4, "bool"), 2], "square": [x.astype("c8")],
    }.items():  # fmt: skip
        assert run(name, *arguments) is NotImplemented, name


def test_more_dimensions_than_fit(device):
    """Nine that do not collapse are left to the body; those that do are no matter."""
    a = normal((2,) * 9, "float32")
    x = standin.asarray(np.zeros((4,) * 9, "f4"))[(slice(None, None, 2),) * 9]
    x[...] = standin.asarray(a)
    assert LAUNCHERS["tanh"](installed(), x) is NotImplemented
    assert_same(run("tanh", a).get(), np.tanh(a), "float32")
    assert_same(run("mul", a, a[:1]).get(), a * a[:1], "float32")


def test_integers_wrap_around(device):
    top = np.array([np.iinfo("i8").max, np.iinfo("i8").min, 3])
    with np.errstate(over="ignore"):
        for name, arguments, wanted in (
            ("add", [top, top, 1], top + top), ("mul", [top, 3], top * 3), ("neg", [top], -top),
            ("sub", [top, 5, 7], top - np.int64(35)), ("square", [top], top * top),
        ):  # fmt: skip
            np.testing.assert_array_equal(run(name, *arguments).get(), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_transposed_arrays_give_transposed_results(device, dtype):
    a, b = normal((3, 5), dtype), normal((3, 5), dtype, 1)
    x, y = (standin.asarray(v).T for v in (a, b))
    out = LAUNCHERS["mul"](installed(), x, y)
    assert out.strides == x.strides
    assert_same(out.get(), expected("mul", dtype, [a.T, b.T]), dtype)


@pytest.mark.parametrize("way", ["plain", "random", "checked"])
def test_the_result_may_be_written_over_an_operand(way):
    with launching(way):
        for shape in [(500,), (4, 5)]:
            a, b = normal(shape, "float32"), normal(shape[-1:], "float32", 1)
            x = standin.asarray(a)
            run = Launcher(KERNELS["mul"], installed())
            assert run.strided((x, standin.asarray(b)), x) is x
            assert_same(x.get(), a * b, "float32")


def test_ops_launch_one_kernel_each(device):
    """A chain of ops, forward and backward: what is launched is what was meant."""
    x = ag.randn(3, 4).to("cuda").requires_grad_()
    with standin.launches() as seen:
        y = ag.tanh(x)
        z = ag.clamp(y, -0.5, 0.5)
    assert [s.name.split("<")[1].split(",")[0] for s in seen] == ["ag::Tanh", "ag::Clamp"]
    with standin.launches() as seen:
        z.backward(ag.ones(3, 4).to("cuda"))
    names = [s.name for s in seen]
    assert sum("ag::ClampBackward" in n for n in names) == 1
    assert sum("ag::TanhBackward" in n for n in names) == 1


@pytest.mark.parametrize("form", ["a", "a strided"])
def test_a_wrong_number_of_elements_is_seen(in_order, form):
    """The checker knows the arrays' ends, whatever the host says."""
    expression = KERNELS["sqrt"].spell(form, "float32")
    kernel = in_order("unary.cu", [expression], True).get_function(expression)
    x, out = np.ones(40, np.float32), np.empty(40, np.float32)
    layout = np.zeros((), LAYOUT)
    layout["ndim"], layout["shape"][0], layout["strides"][0, 0] = 1, 41, 1
    between = [layout] if form.endswith("strided") else []
    with pytest.raises(KernelError, match="out of bounds|outside|beyond"):
        kernel((2,), (32,), (out, np.int64(41), *between, x))
    kernel((2,), (32,), (out, np.int64(40), *between, x))
    assert (out == 1).all()
