"""`x[...]` and `x[...] = value` against PyTorch: values, views, nodes, derivatives, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_gpu as ag

from .calls import cases, check, check_statements

READ = """
c[0]; c[-2]; c[5]; c[-3]; c[0, 5]; c[0, 0, 0]; c[0, 0, 0, 0]; c[(0,)]; c[()]; c[...]; c[..., ...];
c[True]; c[False]; c[None]; c[..., None]; c[None, None]; c[:, None, 1]; c[:]; c[:, :]; c[1:2];
c[0:1:2]; c[::2, 1:]; c[10:20]; c[1:0]; c[-1:, :-1]; c[0, ..., 0]; c[0, ..., 0, 0, 0]; c[:, 1];
c[1:, 2, ::2]; c[..., 1]; c[0][1:3]; c[::-1]; c[::0]; c[1.0:2]; c['a':]; c[T(0):T(1)];
c[np.int64(0):2]; c[[0, 1]]; c[[True, False]]; c[[]]; c[range(2)]; c[(0, 1),]; c[((0, 1), (0, 1))];
c[[1.5]]; c[1.5]; c['a']; c[{}]; c[object()]; c[2**70]; c[np.int64(1)]; c[np.array(1)];
c[np.array([0, 1])]; c[np.array([True, False])]; c[np.float32(1)]; c[np.bool_(True)]; c[T(1)];
c[T(True)]; c[T(1.5)]; c[T([1.5])]; c[T([])]; c[T([-1])]; c[T([5])]; c[T([0], dtype=m.int8)];
c[T([0], dtype=m.int32)]; c[T([0, 1, 1, 0])]; c[T([[0, 1], [1, 0]])]; c[m.zeros(0, dtype=m.int64)];
c[:, T([0, 2, 2])]; c[:, T([[0, 1], [2, 2]])]; c[:, :, T([0, 0, 3])]; c[T([0, 1]), T([0, 1, 2])];
c[T([0, 1]), T([2, 2])]; c[:, T([0, 1]), None]; c[0, T([1]), :, None]; c[T([0]), :, T([1])];
c[T([0, 0]), 1:, T([1, 1])]; c[0, :, T([1])]; c[1:, T([0, 0, 2]), ::2]; c[T([1]), None, T([1, 1])];
c[None, T([0]), ..., T([0])]; c[:, True]; c[0, True]; c[True, True]; c[T([0, 1]), True];
c[:, [0, 1], [0]]; c[mask]; c[i > 0]; c[mask, 1:3]; c[mask, 0]; c[~mask, T([0, 3, 1])];
c[T([True, False, True])]; c[:, mask]; c[T([True, False]), T([0, 1])]; c[c > 0.5]; c[c > 99];
w[None]; w[...]; w[True]; w[0]; w[:]; w[T([True])]; w[()]; e[0]; e[:, 1]; e[T([], dtype=m.int64)];
v[v > 0]; c.T[1]; c.transpose(0, 1)[T([2, 0])]; c.select(0, 5); c.select(3, 0); c.select(-1, -1);
w.select(0, 0); c.narrow(0, 1, 5); c.narrow(0, -1, 1); c.narrow(1, 0, -1); c.narrow(1, 9, 1);
c.narrow(2, 1, 2); w.narrow(0, 0, 1);
"""


@pytest.mark.parametrize("expression", cases(READ))
def test_reading(expression, torch):
    check(torch, expression)


@pytest.mark.parametrize(
    "expression",
    ["c[[0, T(1)]]", "c[[slice(0, 1), 0]]", "c[[None, 0]]", "c[[[0, 1], [0, 1]]]", "c[[...]]"],
)
def test_a_list_with_structure_counts_as_a_tuple(expression, torch):
    with pytest.warns(UserWarning):
        check(torch, expression)


def test_uint8_indices_are_masks(torch):
    with pytest.warns(UserWarning, match="uint8"):
        check(torch, "c[T([1, 0], dtype=m.uint8)]")


WRITE = """
y[0]=w; y[0, 1]=w; y[T(0)]=1; y[:, 1:]=7; y[0]=v; y[0]=N(np.ones((1, 1, 3)));
y[0]=N(np.ones((2, 3))); y[0]=N(np.ones(2)); y[y > 2]=0; y[y > 0.1]=w; y[mask]=v; y[mask]=v[:2];
y[T([0])]=m.ones(3, dtype=m.float32); y[0]=m.ones(3, dtype=m.float32);
y[T([0])]=m.ones(3, dtype=m.int64); y[T([0, 0])]=N([[1, 2, 3], [4, 5, 6]]); y[...]=v | y=y * 2;
y[None]=3; y[True]=4; y[False]=4; y[[0, 1], [1, 2]]=w; y[0]='a'; y[0]=[1, 2, 3]; y[0]=None; y[0]=1j;
y[5]=1; y[0, 5]=1; y[0, 0, 0]=1; y[::-1]=1; y[1.5]=1; x[0]=1; x[mask]=1;
y.index_put_((T([0, 0]), T([1, 1])), w, accumulate=True);
y.index_put_((T([0, 0]), T([1, 1])), v[:2] * T([2.0, 3.0]), True); y.index_put_((mask,), w);
y.index_put_((T([0]),), T(1.0, dtype=m.float32)); y.index_put_((T([7]),), w);
y.index_put_((T([0]),), N(np.ones((4, 3))));
y=y.index_put((T([0, 0]), T([1, 1])), v[:2], accumulate=True);
y=y.index_put((T([0, 1]), T([1, 1])), v[:2] * 2); y[T([7])]=1; y[T([0]), :1]=w; y[0, T([1])]=w;
y[T([0])]+=w; y[0]+=w; y[0]+=v; y[mask]*=2; y[[]]=1; y[0]=y[1]; y[0]=y[1] * w;
y[T([0, 1])]=N(np.ones((4, 3))); y[y > 0.4]=y[y > 0.4] * 2; y[:, None]=v; y[..., 0]=w;
y[..., T([0, 2])]=w; y[1, [0, 2]]=v[1:] * v[:2]; u=y[0] | u[1]=w | u.mul_(2);
u=y.t()[1:] | u[0]=w | u.mul_(w); u=y[0] | y[1]=w | y=y * u; u=y[0] | u[1]=w | y=y * u;
u=y.view(-1)[1:4] | u*=w | y[0]=u; del y[0]; y=m.zeros(2, 3, dtype=m.float64) | y[0]=v;
y=m.zeros(2, 3, dtype=m.float64) | y[1, T([0, 2])]=v[:2]; y=m.zeros(3, dtype=m.int32) | y[0]=1.7;
y=m.zeros(3) | y[0]=T(1 + 2j); y=m.zeros(3, dtype=m.int8) | y[0]=300;
y=m.zeros(3, dtype=m.int8) | y[[0, 1]]=200; y=m.zeros(3, dtype=m.bool) | y[0]=2;
y=m.zeros(2, dtype=m.complex64) | y[0]=1 + 2j; y=m.arange(4) | y[y > 1]=9;
y=m.zeros(3) | y[T([0])]=1 | y[T([1])]=True; with m.no_grad(): y[0]=5 | y=y * 2;
"""


@pytest.mark.parametrize("statements", cases(WRITE))
def test_writing(statements, torch):
    check_statements(torch, statements)


@pytest.mark.parametrize("key", [slice(1, None), np.s_[0], np.s_[:, 0]])
def test_a_write_that_overlaps_itself_is_refused(key):
    a = ag.arange(4.0)
    with pytest.raises(RuntimeError, match="written-to tensor"):
        a[1:] = a[:-1]
    with pytest.raises(RuntimeError, match="more than one element"):
        ag.zeros(3, 1).expand(3, 3)[0] = 1
    b = ag.zeros(3, 1).expand(3, 3)
    b[:, 0] = 1  # each element once
    assert b.tolist() == [[1.0] * 3] * 3


def test_numpy_values_are_taken():
    a = ag.zeros(2, 2)
    a[0], a[1, 1] = np.ones(2, np.float32), np.float32(3)
    assert a.tolist() == [[1.0, 1.0], [0.0, 3.0]]


def test_a_failed_write_changes_nothing():
    a = ag.arange(6.0).reshape(2, 3)
    for index, value in [
        ((ag.tensor([0, 5]),), 1.0),
        ((a > 1,), ag.ones(2)),
        ((0,), ag.ones(2)),
        ((0,), 1j),
    ]:
        with pytest.raises((IndexError, RuntimeError)):
            a[index] = value
        assert a.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] and a._version == 0


def test_an_index_that_is_written_after_use_is_noticed():
    x, index = ag.ones(3, requires_grad=True), ag.tensor([0, 1])
    y = x[index].sum()
    index[0] = 2
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_second_pass_through_saved_indices_says_so():
    x = ag.ones(3, requires_grad=True)
    y = x[ag.tensor([0, 1])].sum()
    y.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_basic_indices_are_numpys(data):
    """Integers, slices with positive steps, None, Ellipsis: NumPy's elements, as a view."""
    shape = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    items = []
    for n in shape[: data.draw(st.integers(0, len(shape)))]:
        edge = st.none() | st.integers(-5, 5)
        part = st.builds(slice, edge, edge, st.none() | st.integers(1, 3))
        items.append(data.draw(part | st.integers(-n, n - 1) if n else part))
        if data.draw(st.booleans()):
            items.append(None)
    if data.draw(st.booleans()):
        items.append(Ellipsis)
    tensor = ag.from_numpy(array)
    ours, theirs = tensor[tuple(items)], np.asarray(array[tuple(items)])
    np.testing.assert_array_equal(ours.numpy(), theirs)
    leaf = ag.from_numpy(array.copy()).requires_grad_()
    np.testing.assert_array_equal(leaf[tuple(items)].detach().numpy(), theirs)
    if ours.numel():
        ours.fill_(-1)
        assert (array == -1).sum() == theirs.size
