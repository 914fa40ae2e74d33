"""Tensors among NumPy arrays, in DLPack, as sequences, in copies and pickles."""

import copy
import pickle

import numpy as np
import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
list(t); list(x); list(z); list(e); 1.0 in t; 5 in t; t in t; None in t; "a" in t; T(1) in t;
1 in z; reversed(x); reversed(z); np.asarray(t); np.asarray(r); np.array(r); np.array([z, z]);
np.array([t, t]); np.array([r, r]); np.asarray(t, dtype=np.float64);
bf.numpy(); r.numpy(); r.numpy(force=True); (r * 2).numpy(); t + np.ones(2); np.float64(2) * t;
t * np.float32(2); np.multiply(t, t); np.add(t, 1); np.float64(2) < t; np.sin(t); r.__dlpack__();
m.from_dlpack(np.ones(2)); np.from_dlpack(t); m.from_dlpack([1]); m.utils.dlpack.from_dlpack(t);
m.utils.dlpack.from_dlpack(m.utils.dlpack.to_dlpack(t)); m.from_dlpack(np.ones(2, dtype=bool));
int(t.__dlpack_device__()[0]); t.view_as(x); x.view_as(m.ones(6)); x.reshape_as(m.ones(3, 2));
t.expand_as(m.ones(3, 2)); t.type_as(d); t.type_as(t) is t; x.t().contiguous(); x.contiguous() is x;
x.t().contiguous().stride(); t.expand_as(1);
m.ones(2, 3, 4, 5).contiguous(memory_format=m.channels_last).stride();
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


# ---- NumPy's operators and functions (PyTorch refuses most of these)


@pytest.mark.parametrize("call, name", [
    (lambda a, t: a + t, "AddBackward0"), (lambda a, t: a - t, "SubBackward0"),
    (lambda a, t: a * t, "MulBackward0"),
    (lambda a, t: a / t, "DivBackward0"), (lambda a, t: a**t, "PowBackward1"),
    (lambda a, t: a @ t, "DotBackward0"),
    (lambda a, t: np.sin(t), "SinBackward0"), (lambda a, t: np.arctan2(a, t), "Atan2Backward0"),
    (lambda a, t: np.maximum(t, 1.5), "MaximumBackward0"),
    (lambda a, t: np.exp(a * t), "ExpBackward0"),
])  # fmt: skip
def test_an_array_on_the_left_gives_a_tensor_with_gradient(call, name):
    a, t = np.array([1.0, 3.0]), ag.tensor([2.0, 1.0], dtype=ag.float64, requires_grad=True)
    y = call(a, t)
    assert isinstance(y, ag.Tensor) and y.grad_fn.name() == name
    y.sum().backward()
    assert np.isfinite(t.grad.numpy()).all()


def test_comparisons_with_arrays_are_masks():
    t = ag.tensor([1.0, 2.0])
    assert (np.array([1.0, 1.0]) == t).tolist() == [True, False]
    assert (np.array([1.0, 3.0]) < t).tolist() == [False, False]


def test_numpy_scalars_do_not_promote():
    t = ag.ones(2, requires_grad=True)
    for y in (
        np.float64(2) * t,
        t * np.float64(2),
        np.float64(2) ** t,
        np.float64(1) - t,
        np.float64(1) / t,
    ):
        assert y.dtype is ag.float32 and y.requires_grad


def test_a_function_without_counterpart_runs_on_arrays():
    t = ag.tensor([1.0, 8.0])
    assert isinstance(np.cbrt(t), ag.Tensor) and np.cbrt(t).tolist() == [1.0, 2.0]
    assert np.add.reduce(t).item() == 9.0
    fraction, whole = np.modf(ag.tensor([1.5]))
    assert (fraction.item(), whole.item()) == (0.5, 1.0)
    t.requires_grad_()
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        np.cbrt(t)
    with ag.no_grad():
        assert np.cbrt(t).tolist() == [1.0, 2.0]


def test_writing_into_an_array_in_place():
    a = np.ones(2)
    a += ag.ones(2)
    assert type(a) is np.ndarray and a.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="requires grad"):
        a += ag.ones(2, requires_grad=True)
    t = ag.zeros(2)
    np.add(a, 1.0, out=t)
    assert t.tolist() == [3.0, 3.0] and t._version == 1


def test_arrays_of_no_numbers_are_refused():
    with pytest.raises(TypeError):
        np.array(["a"]) + ag.ones(1)


def test_numpy_shares_memory_and_keeps_shapes_apart():
    t = ag.zeros(2, 3)
    a = t.numpy()
    a[0, 0] = 5
    a.shape = (6,)
    assert t[0, 0].item() == 5 and t.shape == (2, 3)


# ---- DLPack


def test_dlpack_shares_memory_both_ways(torch):
    ours = ag.arange(3.0)
    theirs = torch.from_dlpack(ours)
    theirs[0] = 7
    assert ours[0].item() == 7
    back = ag.from_dlpack(theirs)
    back[1] = 8
    assert theirs[1].item() == 8
    assert ag.from_dlpack(theirs, copy=True).data_ptr() != theirs.data_ptr()


def test_dlpack_refuses_unknown_dtypes():
    with pytest.raises(TypeError):
        ag.from_dlpack(np.ones(2, np.uint32))


# ---- copies and pickles


def test_deepcopy_of_a_leaf_keeps_its_gradient():
    x = ag.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    y = copy.deepcopy(x)
    assert y.requires_grad and y.is_leaf and y.grad.tolist() == [3.0, 3.0]
    y.grad[0] = 0
    assert x.grad.tolist() == [3.0, 3.0] and y.data_ptr() != x.data_ptr()


def test_deepcopy_of_a_result_is_refused():
    with pytest.raises(RuntimeError, match=r"graph leaves\) support the deepcopy protocol"):
        copy.deepcopy(ag.ones(2, requires_grad=True) * 2)


def test_deepcopy_keeps_shared_memory_shared():
    a = ag.arange(6.0).reshape(2, 3)
    b, row, turned = copy.deepcopy([a, a[0], a.t()])
    b[0, 0] = 9
    assert row[0].item() == 9 and turned[0, 0].item() == 9 and a[0, 0].item() == 0
    assert turned.stride() == (1, 3)
    same, again = copy.deepcopy([a, a])
    assert same is again


def test_copy_shares_memory():
    a = ag.ones(2, requires_grad=True)
    b = copy.copy(a)
    assert b is not a and b.data_ptr() == a.data_ptr() and b.requires_grad and b.is_leaf


class Named(ag.Tensor):
    """A subclass with attributes of its own."""


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64", "int64", "bool"])
def test_pickle(dtype):
    x = ag.tensor([1, 0, 1]).to(getattr(ag, dtype))
    y = pickle.loads(pickle.dumps(x))
    assert y.dtype is x.dtype and y.tolist() == x.tolist() and not y.requires_grad
    y[0] = 0


def test_pickle_keeps_requires_grad_attributes_and_class():
    x = Named([1.0, 2.0]).requires_grad_()
    x.label = "w"
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert type(y) is Named and y.label == "w" and y.requires_grad and y.tolist() == [1.0, 2.0]
    z = pickle.loads(pickle.dumps(x * 2))
    assert z.is_leaf and z.requires_grad


def test_contiguous_is_differentiable():
    x = ag.ones(2, 3, requires_grad=True)
    y = x.t().contiguous()
    assert y.grad_fn.name() == "CloneBackward0" and y.is_contiguous()
    (y * ag.arange(6.0).reshape(3, 2)).sum().backward()
    assert x.grad.tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
