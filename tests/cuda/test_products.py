"""Plans of products by their arithmetic alone: sizes and strides that no memory would hold."""

import pytest

from autograd_gpu._cuda.products import (
    COPY_A,
    COPY_B,
    DECLINED,
    EMPTY,
    SPREAD_A,
    SPREAD_B,
    batch_plan,
    plan,
)  # fmt: skip

BIG = 1 << 31  # the first number that cuBLAS's integers do not hold


def of(shape, strides=None, itemsize=4):
    """(shape, strides in bytes); by default row by row."""
    if strides is None:
        strides, size = [], itemsize
        for n in reversed(shape):
            strides.append(size)
            size *= n
        strides = tuple(reversed(strides))
    return tuple(shape), tuple(strides)


def asked(form, a, b, planned=plan, itemsize=4, conj=False):
    return planned(form, conj, *a, *b, itemsize)


def test_row_major_factors_are_asked_for_in_exchanged_order():
    made = asked("nn", of((3, 4)), of((4, 5)))
    assert made == (0, 0, 5, 3, 4, 5, 4, (3, 5), 0)


@pytest.mark.parametrize("place", range(3))
def test_lengths_beyond_cublas_are_declined(place):
    for length, problem in ((BIG - 1, 0), (BIG, DECLINED)):
        n, k, m = (length if i == place else 2 for i in range(3))
        assert asked("nn", of((n, k)), of((k, m))).problem == problem
        assert asked("nn", of((1, n, k)), of((1, k, m)), batch_plan).problem == problem


def test_rows_of_many_dimensions_are_counted_together():
    assert asked("nt", of((1 << 16, 1 << 15, 2)), of((3, 2))).problem == DECLINED
    assert asked("nt", of((1 << 16, (1 << 15) - 1, 2)), of((3, 2))).n == BIG - (1 << 16)


def test_leading_dimensions_beyond_cublas_are_copied():
    wide = of((3, 4), (BIG * 4, 4))
    assert asked("nn", wide, of((4, 5))).problem == COPY_A
    assert asked("nn", of((3, 4), ((BIG - 1) * 4, 4)), of((4, 5))).ld_a == BIG - 1
    assert asked("nn", of((2, 4)), of((4, 5), (4, BIG * 4))).problem == COPY_B


def test_distances_of_batches_and_offsets_may_pass_32_bits():
    a = of((3, 2, 2), (BIG * 4, 8, 4))
    made = asked("nn", a, of((3, 2, 2)), batch_plan)
    assert made.step_a == BIG and made.batches == 3 and made.starts == ((0, 0, 0),)
    a = of((2, 3, 1 << 15, 1 << 15))
    b = of((1, 3, 1 << 15, 1 << 15))
    made = asked("nn", a, b, batch_plan)
    assert made.batches == 3 and made.step_c == 1 << 30
    assert made.starts == ((0, 0, 0), (3 << 32, 0, 3 << 32))


def test_batches_beyond_cublas_are_declined():
    assert asked("nn", of((BIG, 1, 1)), of((BIG, 1, 1)), batch_plan).problem == DECLINED
    assert asked("nn", of((BIG - 1, 1, 1)), of((BIG - 1, 1, 1)), batch_plan).batches == BIG - 1


def test_strides_of_single_lines_mean_nothing():
    odd = of((1, 4), (-12, 4))
    assert asked("nn", odd, of((4, 5))).problem == 0
    assert asked("nn", of((1, 1), (7, -7)), of((1, 1), (0, 0))).problem == 0
    gaps = of((4,), (8,))  # a single row with gaps is a column of a matrix with two rows
    assert asked("nt", gaps, of((5, 4)))[1::5] == (1, 2)
    assert asked("nt", of((5, 4)), gaps)[::5] == (0, 2)
    assert asked("nt", of((5, 4)), of((4,), (-4,))).problem == COPY_B


def test_strides_that_are_no_number_of_elements_are_copied():
    assert asked("nn", of((3, 4), (18, 4)), of((4, 5))).problem == COPY_A
    assert asked("nn", of((3, 4)), of((4, 5), (20, 6))).problem == COPY_B
    assert asked("nn", of((2, 3, 4), (50, 16, 4)), of((2, 4, 5)), batch_plan).problem == COPY_A


def test_a_leading_dimension_is_never_shorter_than_a_line():
    overlapping = of((3, 4), (8, 4))  # rows that share elements
    assert asked("nn", overlapping, of((4, 5))).problem == COPY_A
    assert asked("nn", of((3, 4)), of((4, 5), (4, 8))).problem == COPY_B


def test_empty_products_need_no_layout():
    assert asked("nn", of((3, 0), (0, 0)), of((0, 5), (1, 1)))[-2:] == ((3, 5), EMPTY)
    assert asked("nn", of((0, 4), (-1, 3)), of((4, 5))).shape == (0, 5)
    assert asked("nn", of((2, 3, 0)), of((1, 0, 5)), batch_plan)[-2:] == ((2, 3, 5), EMPTY)


def test_uneven_batches_are_spread():
    n = 40
    a, b = of((n, 1, 2, 2)), of((1, n, 2, 2))
    assert asked("nn", a, b, batch_plan).problem == SPREAD_A | SPREAD_B
    turned = of((n, n, 2, 2), (16, 16 * n, 8, 4))
    assert asked("nn", turned, of((n, n, 2, 2)), batch_plan).problem == SPREAD_A
    assert asked("nn", of((n, n, 2, 2)), turned, batch_plan).problem == SPREAD_B


def test_conjugates_need_a_row_major_factor():
    assert asked("nh", of((3, 4)), of((5, 4)), itemsize=4, conj=True).flag_b == 2
    columns = of((5, 4), (4, 20))
    assert asked("nh", of((3, 4)), columns, conj=True).problem == COPY_B
    assert asked("nh", of((3, 4)), columns).problem == 0  # of real numbers
    assert asked("hn", of((4, 3), (4, 16)), of((4, 5)), conj=True).problem == COPY_A


def test_shapes_that_do_not_fit_are_declined():
    for form, a, b in (("nn", (3, 4), (3, 5)), ("nt", (3, 4), (5, 3)), ("hn", (3, 4), (4, 5)), ("nn", (), (3,))):
        assert asked(form, of(a), of(b)).problem == DECLINED
    assert asked("hn", of((2, 3, 4)), of((3, 2, 5))).problem == DECLINED
    assert asked("nn", of((2, 3, 4)), of((3, 4, 5)), batch_plan).problem == DECLINED
