"""Parameter and Buffer."""
import copy
import pickle

import pytest

import autograd_gpu as ag
from autograd_gpu import nn


def test_a_parameter_shares_memory_and_is_a_leaf():
    t = ag.ones(2)
    p = nn.Parameter(t)
    assert isinstance(p, ag.Tensor) and p.requires_grad and p.is_leaf and p._array is t._array
    assert not t.requires_grad
    assert not nn.Parameter(t, requires_grad=False).requires_grad
    assert nn.Parameter(nn.Parameter(t) * 2).is_leaf
    assert nn.Parameter().shape == (0,)
    assert type(p * 1) is ag.Tensor and type(p.detach()) is ag.Tensor and type(p.data) is ag.Tensor


def test_errors():
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype"):
        nn.Parameter(ag.ones(1, dtype=ag.long))
    assert nn.Parameter(ag.ones(1, dtype=ag.long), False).dtype == ag.int64
    with pytest.raises(TypeError, match="expects a Tensor"):
        nn.Parameter([1.0])
    with pytest.raises(TypeError, match="expects a Tensor"):
        nn.Buffer(3)


def test_repr():
    assert repr(nn.Parameter(ag.ones(2))) == (
        "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    )
    assert repr(nn.Parameter(ag.ones(2), False)) == "Parameter containing:\ntensor([1., 1.])"
    assert repr(nn.Buffer(ag.ones(2))) == "tensor([1., 1.])"


def test_copies():
    p = nn.Parameter(ag.ones(2))
    p.tag = "kept by pickle"
    p.grad = ag.ones(2)
    q = copy.deepcopy(p)
    assert type(q) is nn.Parameter and q.requires_grad and q.grad is None and not hasattr(q, "tag")
    assert q._array is not p._array and q.tolist() == [1, 1]
    both = copy.deepcopy([p, p])
    assert both[0] is both[1]
    r = pickle.loads(pickle.dumps(p))
    assert type(r) is nn.Parameter and r.requires_grad and r.tag == p.tag and r.tolist() == [1, 1]
    frozen = pickle.loads(pickle.dumps(nn.Parameter(ag.ones(1), False)))
    assert not frozen.requires_grad


def test_buffer():
    b = nn.Buffer(ag.ones(2), persistent=False)
    assert isinstance(b, ag.Tensor) and not b.requires_grad and not b.persistent
    m = nn.Module()
    m.kept, m.scratch = nn.Buffer(ag.ones(1)), b
    assert list(m.state_dict()) == ["kept"] and list(dict(m.named_buffers())) == ["kept", "scratch"]
    for twin in (copy.deepcopy(b), pickle.loads(pickle.dumps(b))):
        assert type(twin) is nn.Buffer and not twin.persistent and twin.tolist() == [1, 1]
