"""Arrays of the stand-in keep to themselves and index by CuPy's rules."""

import copy
import operator
import pickle

import numpy as np
import pytest

from autograd_gpu.testing import standin


@pytest.fixture
def x():
    return standin.asarray(np.arange(12, dtype="float32").reshape(3, 4))


def test_nothing_of_numpys_takes_it_for_an_array(x):
    assert not isinstance(x, np.ndarray)
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        np.asarray(x)
    with pytest.raises(TypeError):
        np.ones(3)[x]
    with pytest.raises(TypeError):
        memoryview(x)


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.matmul, operator.lt])
def test_operators_refuse_arrays_of_numpys_on_both_sides(x, op):
    host = np.ones((4, 4), "float32")
    with pytest.raises(TypeError):
        op(x, host)
    with pytest.raises(TypeError):
        op(host, x.T if op is not operator.matmul else x.reshape(4, 3))


def test_in_place_operators_refuse_arrays_of_numpys(x):
    with pytest.raises(TypeError):
        x += np.ones(4, "float32")
    host = np.ones((3, 4), "float32")
    with pytest.raises(TypeError):
        host += x


def test_numpys_functions_become_the_stand_ins(x):
    assert isinstance(np.add(x, 1), standin.ndarray)
    assert isinstance(np.sum(x), standin.ndarray) and float(np.sum(x)) == 66
    assert isinstance(np.linalg.norm(x), standin.ndarray)
    with pytest.raises(TypeError):
        np.add(x, np.ones(4))
    with pytest.raises(TypeError):
        np.busday_count(x, x)


def test_reductions_and_elements_are_arrays(x):
    for result in (x.sum(), x[1, 2], x.max(), standin.sum(x, 0)[0], x.mean()):
        assert type(result) is standin.ndarray and result.shape == ()
    assert x[1, 2].item() == 6 and x.tolist()[1][2] == 6


def test_views_share_memory_and_their_base_is_the_owner(x):
    row = x[1]
    corner = row[1:3]
    assert row.base is x and corner.base is x and x.base is None
    corner[...] = -1
    assert x.get()[1].tolist() == [4, -1, -1, 7]
    assert corner.data.ptr == x.data.ptr + 5 * 4 and corner.data.mem is x.data.mem
    assert not corner.flags.owndata and x.flags["OWNDATA"]


def test_copies_do_not(x):
    for other in (x.copy(), x + 0, x[[0, 1, 2]], copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        other[...] = 5
    assert x.get()[0].tolist() == [0, 1, 2, 3]


def test_broadcast_views_can_be_written(x):
    wide = standin.broadcast_to(x[0], (2, 4))
    assert wide.strides == (0, 4) and wide.base is x
    wide[1, 2] = 9
    assert float(x[0, 2]) == 9


def test_indices_out_of_range_wrap(x):
    at = standin.asarray([0, 4, -5])
    assert x[at].get()[:, 0].tolist() == [0, 4, 4]
    assert x[:, standin.asarray([5])].get()[:, 0].tolist() == [1, 5, 9]
    assert x.take(at, 0).get()[:, 0].tolist() == [0, 4, 4]
    x[at] = 0.0
    assert x.get()[:, 0].tolist() == [0, 0, 8]
    with pytest.raises(IndexError):
        x[3]


def test_masks_choose(x):
    chosen = x[x > 8]
    assert chosen.get().tolist() == [9, 10, 11] and chosen.base is None
    x[x > 8] = 0
    assert float(x.sum()) == 36


def test_an_index_array_without_dimensions_copies(x):
    assert x[standin.asarray(1)].base is None and x[1].base is x


def test_values_of_numpys_are_refused(x):
    with pytest.raises(ValueError, match=r"non-scalar numpy.ndarray cannot be used for fill"):
        x[0] = np.ones(4)
    with pytest.raises(ValueError, match="cannot be used for fill"):
        x[0] = [1, 2, 3, 4]
    x[0] = np.float32(7)
    assert x.get()[0].tolist() == [7] * 4


def test_results_are_row_major_where_cupys_are(x):
    assert (x.T + 1)._c_contiguous and x.T.sum(1).flags.c_contiguous
    assert x.T.copy()._c_contiguous and standin.copy(x.T)._f_contiguous
    assert x.T.astype("float64").flags.f_contiguous


def test_get_and_set(x):
    host = x.get()
    host[...] = 0
    assert float(x.sum()) == 66
    x.set(host)
    assert float(x.sum()) == 0
    with pytest.raises(TypeError, match="float64 array cannot be set to float32"):
        x.set(host.astype("float64"))
    with pytest.raises(ValueError, match="Shape mismatch"):
        x.set(host.T.copy())
    with pytest.raises(TypeError, match=r"Only numpy.ndarray"):
        x.set([1])


def test_unwritten_memory_is_not_zero():
    assert np.isnan(standin.empty(3).get()).all() and (standin.empty(3, "int32").get() == -1).all()
    assert np.isnan(standin.empty_like(standin.zeros(3)).get()).all()


def test_types_without_a_device_counterpart_are_refused():
    for dtype in (np.longdouble, "U3", object, "datetime64[s]", ">f4"):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            standin.zeros(2, dtype)


def test_sorting_in_place_needs_contiguous_memory(x):
    with pytest.raises(NotImplementedError, match="non-contiguous"):
        x.T.sort()
    x.sort()
