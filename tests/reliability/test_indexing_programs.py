"""Random index expressions, read and assigned, against NumPy's copies and against PyTorch, with gradients."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_gpu as ag

EXAMPLES = settings(max_examples=250, deadline=None)
SIDES = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)


@st.composite
def slices(draw, n):
    bound = st.none() | st.integers(-n - 2, n + 2)
    return slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3)))


@st.composite
def expressions(draw, shape, advanced=True):
    """An index for `shape`: a tuple of integers, slices, None, an Ellipsis, arrays of integers and masks."""
    out, dims = [], list(range(len(shape)))
    common = tuple(
        draw(st.lists(st.integers(1, 3), max_size=2))
    )  # all arrays of integers broadcast to this
    used = 0
    stop = draw(st.integers(0, len(shape)))
    while used < stop:
        n = shape[dims[used]]
        kinds = ["slice", "slice", "integer"] + ["array", "mask", "list"] * advanced
        kind = draw(st.sampled_from(kinds if n else ["slice", "mask"][: 1 + advanced]))
        if kind == "slice":
            out.append(draw(slices(n)))
        elif kind == "integer":
            out.append(draw(st.integers(-n, n - 1)))
        elif kind == "mask":
            wide = draw(st.integers(1, 2)) if used + 1 < stop else 1
            part = shape[used : used + wide]
            bits = draw(
                st.lists(st.booleans(), min_size=int(np.prod(part)), max_size=int(np.prod(part)))
            )
            out.append(np.array(bits, bool).reshape(part))
            used += wide - 1
        else:
            size = common if kind == "array" else common[-1:]
            cut = draw(st.integers(0, len(size)))
            size = size[cut:] or (1,)
            values = draw(
                st.lists(
                    st.integers(-n, n - 1), min_size=int(np.prod(size)), max_size=int(np.prod(size))
                )
            )
            array = np.array(values, np.int64).reshape(size)
            out.append(array.tolist() if kind == "list" and array.ndim == 1 else array)
        used += 1
    for extra in draw(st.lists(st.sampled_from([None, Ellipsis]), max_size=2)):
        if extra is None or not any(i is Ellipsis for i in out):
            out.insert(draw(st.integers(0, len(out))) if extra is None else len(out), extra)
    return tuple(out)


@st.composite
def cases(draw, advanced=True):
    shape = draw(SIDES)
    return shape, draw(expressions(shape, advanced)), draw(st.booleans())


def given_to(library, index):
    """The index with its arrays as the library's tensors."""
    turn = lambda i: library.from_numpy(i.copy()) if isinstance(i, np.ndarray) else i
    index = tuple(turn(i) for i in index)
    return index[0] if len(index) == 1 else index


def source(shape, gaps):
    array = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    if not gaps:
        return array
    wide = np.zeros([2 * n for n in shape[::-1]])
    view = wide[(slice(None, None, 2),) * len(shape)].T
    view[...] = array
    return view


def numbers(shape, index):
    """Which elements an index takes, by NumPy in two steps: integers and slices first, arrays on what is left, as PyTorch
    does it. None where it is refused (arrays that do not broadcast)."""
    basic, rest = [], []
    for i in index:
        if isinstance(i, (np.ndarray, list)):
            i = np.asarray(i)
            basic += [slice(None)] * (i.ndim if i.dtype == bool else 1)
            rest.append(i)
        else:
            basic.append(i)
            rest += [] if isinstance(i, int) else [i if i is Ellipsis else slice(None)]
    try:
        return np.arange(np.prod(shape, dtype=int)).reshape(shape)[tuple(basic)][tuple(rest)]
    except IndexError:
        return None


@EXAMPLES
@given(case=cases())
def test_reading(case):
    shape, index, gaps = case
    taken = numbers(shape, index)
    x = ag.from_numpy(source(shape, gaps)).requires_grad_()
    if taken is None:
        with pytest.raises(IndexError):
            x[given_to(ag, index)]
        return
    y = x[given_to(ag, index)]
    assert y.shape == taken.shape
    np.testing.assert_array_equal(y.detach().numpy(), taken + 1.0)
    seed = np.asarray(np.random.default_rng(0).standard_normal(taken.shape))
    (g,) = ag.autograd.grad(y, x, ag.from_numpy(seed), create_graph=True)
    scattered = np.zeros(int(np.prod(shape)))
    np.add.at(scattered, taken, seed)
    np.testing.assert_allclose(g.detach().numpy(), scattered.reshape(shape), atol=1e-12)


@EXAMPLES
@given(case=cases(advanced=False))
def test_a_basic_index_is_a_view(case):
    shape, index, gaps = case
    x = ag.from_numpy(source(shape, gaps).copy())
    y = x[given_to(ag, index)]
    y.fill_(-1.0)
    expected = source(shape, gaps).copy()
    expected[index] = -1.0
    np.testing.assert_array_equal(x.numpy(), expected)
    y += 5.0
    expected[index] += 5.0
    np.testing.assert_array_equal(x.numpy(), expected)


def distinct(taken):
    """Is no element taken twice? Which of several values stays in it is nobody's promise."""
    return taken is not None and np.unique(taken).size == taken.size


@EXAMPLES
@given(case=cases(), scalar=st.booleans(), part=st.integers(0, 3))
def test_assigning(case, scalar, part):
    shape, index, gaps = case
    array, taken = source(shape, gaps), numbers(shape, index)
    assume(distinct(taken))
    size = () if scalar else tuple(1 if i < part else n for i, n in enumerate(taken.shape))
    value = np.asarray(-np.arange(1.0, 1 + np.prod(size)).reshape(size))
    expected = array.copy()
    expected.reshape(-1)[taken] = value
    x, v = ag.from_numpy(array.copy()).requires_grad_(), ag.from_numpy(value).requires_grad_()
    z = x * 1
    version = z._version
    z[given_to(ag, index)] = v
    assert z._version > version
    np.testing.assert_array_equal(z.detach().numpy(), expected)
    seed = np.random.default_rng(0).standard_normal(array.size)
    gx, gv = ag.autograd.grad(z, (x, v), ag.from_numpy(seed.reshape(shape)))
    kept = seed.copy()
    kept[taken] = 0
    np.testing.assert_array_equal(gx.numpy(), kept.reshape(shape))
    back = np.asarray(seed[taken])
    back = back.sum(tuple(range(back.ndim - len(size))))
    back = back.sum(tuple(i for i, n in enumerate(size) if n == 1), keepdims=True).reshape(size)
    np.testing.assert_allclose(gv.numpy(), back, atol=1e-12)


@EXAMPLES
@given(case=cases(), value=st.sampled_from([-2, -2.75, True]))
def test_assigning_numbers(case, value):
    """Numbers take the tensor's dtype."""
    shape, index, _ = case
    array, taken = source(shape, False).astype(np.int64), numbers(shape, index)
    assume(taken is not None)
    expected = array.copy()
    expected.reshape(-1)[taken] = int(value)
    x = ag.from_numpy(array)
    x[given_to(ag, index)] = value
    np.testing.assert_array_equal(x.numpy(), expected)


@EXAMPLES
@given(case=cases())
def test_reading_is_pytorchs(torch, case):
    shape, index, gaps = case
    array = source(shape, gaps)
    try:
        theirs = torch.from_numpy(array)[given_to(torch, index)]
    except Exception as error:
        with pytest.raises((IndexError, RuntimeError)):
            ag.from_numpy(array)[given_to(ag, index)]
        assert isinstance(error, (IndexError, RuntimeError))
        return
    ours = ag.from_numpy(array)[given_to(ag, index)]
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@EXAMPLES
@given(case=cases(), scalar=st.booleans())
def test_programs_of_writes_are_pytorchs(torch, case, scalar):
    """Two writes and a read: values and gradients."""
    shape, index, _ = case
    array, taken = source(shape, False), numbers(shape, index)
    assume(distinct(taken))

    def program(t):
        x = t.from_numpy(array.copy()).requires_grad_()
        v = t.full(() if scalar else taken.shape, 2.0, dtype=t.float64, requires_grad=True)
        y = x * 1
        y[given_to(t, index)] = v * v
        y[..., :1] = y[..., :1] * 3
        y[given_to(t, index)] += 1
        out = (y[given_to(t, index)] * y.sum()).sum()
        out.backward()
        return y.detach(), out.detach(), x.grad, v.grad

    for ours, theirs in zip(program(ag), program(torch), strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize("index", [3, -4, (0, 5), slice(None, None, -1), slice(None, None, 0), "a", 1.5, (0, 0, 0), [7],
                                   np.array([0, 3]), np.array([True, False])])  # fmt: skip
def test_bad_indices(index, torch):
    """PyTorch's error type, from reading and from assigning; nothing is changed."""
    x = ag.arange(6.0).reshape(3, 2)
    kinds = []
    for t, y in ((ag, x), (torch, torch.arange(6.0).reshape(3, 2))):
        item = t.from_numpy(index) if isinstance(index, np.ndarray) else index
        for f in (lambda y=y, item=item: y[item], lambda y=y, item=item: y.__setitem__(item, 9.0)):
            with pytest.raises(Exception) as error:
                f()
            kinds.append(error.type)
    assert kinds[:2] == kinds[2:]
    assert x.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
