"""Every argument of a launch is checked against what the kernel declares: CuPy would misread it."""

import numpy as np
import pytest

from autograd_gpu._core import library
from autograd_gpu._core.manifest import KERNELS, LAYOUT
from autograd_gpu._cuda.launch import Instance, blocks


def instance(form):
    row = KERNELS["mul"]
    return Instance(f"mul ({form})", None, row.parameters(form, "float32"))


def given(cuda, form):
    """Arguments that fit, by parameter."""
    xp = library.installed()
    values = {p.name: xp.ones((2, 3), "f4") if p.pointer else 6 for p in instance(form).parameters}
    if form.endswith("strided"):
        (name,) = [p.name for p in instance(form).parameters if p.dtype == "Layout"]
        values[name] = np.zeros((), LAYOUT)
    return xp, values


@pytest.mark.parametrize("form", ["aa", "aa strided"])
def test_what_fits(cuda, form):
    xp, values = given(cuda, form)
    typed = instance(form).typed(xp, list(values.values()))
    for parameter, value, was in zip(instance(form).parameters, typed, values.values(), strict=True):
        wanted = LAYOUT if parameter.dtype == "Layout" else parameter.dtype
        assert value is was if parameter.pointer else value.dtype == wanted


def test_how_many(cuda):
    xp, values = given(cuda, "aa")
    for wrong in ([*values.values()][:-1], [*values.values(), 1], []):
        with pytest.raises(TypeError, match=rf"mul \(aa\): expected {len(values)} arguments .*, got {len(wrong)}"):
            instance("aa").typed(xp, wrong)


@pytest.mark.parametrize("form", ["aa", "aa strided"])
def test_each_array(cuda, form):
    xp, values = given(cuda, form)
    whole = xp.ones((3, 2), "f4")
    for parameter in instance(form).parameters:
        if not parameter.pointer:
            continue
        for wrong, error, message in (
            (xp.ones((2, 3), "f8"), TypeError, "expected float32, got float64"), (np.ones((2, 3), "f4"), TypeError, "expected an array on a CUDA device"),
            (None, TypeError, "got NoneType"), (1.0, TypeError, "got float"), (whole.T, ValueError, "expected a contiguous array"),
        ):  # fmt: skip
            call = [*(values | {parameter.name: wrong}).values()]
            if wrong is not None and error is ValueError and form.endswith("strided") and parameter.const:
                assert whole.T.strides in [getattr(a, "strides", 0) for a in instance(form).typed(xp, call)]
                continue
            with pytest.raises(error, match=f"{parameter.name}: .*{message}"):
                instance(form).typed(xp, call)


@pytest.mark.parametrize("wrong", [np.zeros((), "i8"), 6, None])
def test_structures(cuda, wrong):
    xp, values = given(cuda, "aa strided")
    (name,) = [p.name for p in instance("aa strided").parameters if p.dtype == "Layout"]
    with pytest.raises(TypeError, match=f"{name}: expected a structure Layout"):
        instance("aa strided").typed(xp, [*(values | {name: wrong}).values()])


def test_blocks():
    assert [blocks(n) for n in (0, 1, 256, 257, 512, 513)] == [1, 1, 1, 2, 2, 3]
    assert blocks(1 << 50) == (1 << 31) - 1 and blocks(10_000, 32, 100) == 100
