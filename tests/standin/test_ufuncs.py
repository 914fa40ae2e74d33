"""Ufuncs of the stand-in: CuPy's types of elements, keywords and methods."""

import numpy as np
import pytest

from autograd_gpu.testing import standin

ml_dtypes = pytest.importorskip("ml_dtypes")
bfloat16 = np.dtype(ml_dtypes.bfloat16)


def device(values, dtype="float32"):
    return standin.asarray(np.array(values, dtype))


def test_types_that_cupy_has_no_loop_for_are_refused():
    z = device([1j], "complex64")
    for refused in (standin.floor, standin.logical_not, standin.invert):
        with pytest.raises(TypeError):
            refused(z)
    with pytest.raises(TypeError, match="Wrong type"):
        standin.logical_and(z, z)
    with pytest.raises(TypeError):
        standin.arctan2(z, z)


def test_keywords_that_cupy_does_not_take_are_refused():
    x = device([1, 2])
    for word in ("where", "order", "subok", "signature", "axis"):
        with pytest.raises(TypeError, match="Wrong arguments"):
            standin.add(x, x, **{word: True})
    assert standin.add(x, x, out=x) is x and x.get().tolist() == [2, 4]
    assert standin.add(x, 1, dtype="float64").dtype == np.float64


@pytest.mark.parametrize("other", [[1, 2], np.ones(2), None, "a"])
def test_operands_that_are_neither_arrays_nor_numbers_are_refused(other):
    with pytest.raises(TypeError, match="Unsupported type"):
        standin.add(device([1, 2]), other)


def test_a_number_does_not_widen_an_array_but_a_float_widens_bfloat16():
    assert standin.add(device([1], "float16"), 1.5).dtype == np.float16
    assert standin.add(device([1], "int8"), 1).dtype == np.int8
    x = device([1], bfloat16)
    assert standin.add(x, x).dtype == bfloat16 and standin.add(x, 1).dtype == bfloat16
    assert standin.add(x, 1.5).dtype == np.float32 and (x * 0.5).dtype == np.float32
    assert (x**2.0).dtype == np.float64
    assert standin.where(x > 0, x, x).dtype == np.float32


def test_whole_numbers_take_the_smallest_float_that_cupy_has():
    assert standin.sqrt(device([4], "int8")).dtype == np.float16
    assert standin.sqrt(device([4], "int64")).dtype == np.float64


def test_methods_are_those_that_cupy_supports():
    x = device([1, 2, 3])
    assert float(standin.add.reduce(x)) == 6
    assert standin.multiply.accumulate(x).get().tolist() == [1, 2, 6]
    for name in ("maximum", "logical_or", "subtract"):
        with pytest.raises(NotImplementedError, match="reduce` is not supported"):
            getattr(standin, name).reduce(x)
    with pytest.raises(NotImplementedError, match="at` is not supported"):
        standin.multiply.at(x, 0, 2)


def test_at_counts_repeated_indices_wraps_and_knows_few_types():
    x = device([0, 0, 0])
    standin.add.at(x, standin.asarray([0, 0, 4]), 1)
    assert x.get().tolist() == [2, 1, 0]
    standin.maximum.at(x, standin.asarray([2]), device([5]))
    assert x.get().tolist() == [2, 1, 5]
    for dtype in ("int8", "complex64", bfloat16):
        with pytest.raises(TypeError, match="only supports"):
            standin.add.at(device([0], dtype), standin.asarray([0]), 1)
    with pytest.raises(TypeError, match="only supports"):
        standin.maximum.at(device([0], "float16"), standin.asarray([0]), 1)


def test_results_are_arrays_even_of_numbers():
    result = standin.exp(0.0)
    assert type(result) is standin.ndarray and result.dtype == np.float64


def test_nothing_warns(recwarn):
    x = device([0, -1, 1e38])
    _ = x / x, standin.log(x), x * x, x.astype("int32")
    assert not recwarn.list


def test_results_are_row_major_however_inputs_lie():
    x = standin.zeros((3, 4), "float32").T
    assert standin.add(x, x)._c_contiguous and (-x)._c_contiguous
