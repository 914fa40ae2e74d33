"""state_dict and load_state_dict: keys, metadata, hooks, and that a failed load changes nothing."""
from collections import OrderedDict

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import nn


def values(module):
    return {k: v.numpy().copy() for k, v in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_state_dict_shares_memory_and_has_metadata():
    m = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    state = m.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == [
        "0.weight", "0.bias", "1.weight", "1.bias",
        "1.running_mean", "1.running_var", "1.num_batches_tracked",
    ]
    assert not state["0.weight"].requires_grad
    assert m.state_dict(keep_vars=True)["0.weight"] is m[0].weight
    with ag.no_grad():
        m[0].weight.fill_(7)
    assert state["0.weight"].tolist() == [[7.0, 7.0]]
    assert state._metadata == {"": {"version": 1}, "0": {"version": 1}, "1": {"version": 2}}
    into = {}
    assert m[0].state_dict(destination=into, prefix="p.") is into
    assert list(into) == ["p.weight", "p.bias"]
    with pytest.warns(FutureWarning, match="Positional args are being deprecated"):
        m[0].state_dict({}, "q.")


def test_load_keeps_identity_dtype_and_counts_as_a_write():
    m = nn.Linear(2, 1)
    w, version = m.weight, m.weight._version
    y = m(ag.ones(1, 2, requires_grad=True)).sum()
    result = m.load_state_dict(
        {"weight": ag.full((1, 2), 3.0, dtype=ag.float64), "bias": ag.ones(1)}
    )
    assert repr(result) == "<All keys matched successfully>"
    assert m.weight is w and w.tolist() == [[3.0, 3.0]] and w.dtype == ag.float32
    assert w._version == version + 1 and w.requires_grad and w.is_leaf
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.parametrize(
    "state, messages",
    [
        (
            {"weight": ag.ones(1, 3), "x": ag.ones(1)},
            [
                'Missing key(s) in state_dict: "bias". ',
                'Unexpected key(s) in state_dict: "x". ',
                "size mismatch for weight: copying a param with shape torch.Size([1, 3]) from "
                "checkpoint, the shape in current model is torch.Size([1, 2]).",
            ],
        ),
        (
            {"weight": ag.ones(1, 2), "bias": 3},
            [
                'While copying the parameter named "bias", expected torch.Tensor or Tensor-like '
                "object from checkpoint but received <class 'int'>"
            ],
        ),
        (
            {"weight": ag.ones(1, 2), "bias": ag.ones(1), "weight.z": ag.ones(1)},
            ['Unexpected key(s) in state_dict: "weight.z". '],
        ),
    ],
)
def test_a_failed_load_changes_nothing(state, messages):
    m = nn.Linear(2, 1)
    before, version = values(m), m.weight._version
    with pytest.raises(RuntimeError) as info:
        m.load_state_dict(state)
    assert str(info.value) == "\n\t".join(["Error(s) in loading state_dict for Linear:", *messages])
    assert same(values(m), before) and m.weight._version == version


def test_a_failed_load_changes_nothing_deep_down():
    m = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    before = values(m)
    state = {k: ag.full(tuple(v.shape), 9.0) for k, v in m.state_dict().items()}
    state["1.1.running_var"] = ag.ones(3)
    with pytest.raises(RuntimeError, match="size mismatch for 1.1.running_var"):
        m.load_state_dict(state)
    assert same(values(m), before)
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        m.load_state_dict(3)


def test_not_strict():
    m = nn.Linear(2, 1)
    result = m.load_state_dict({"weight": ag.ones(1, 2), "x": ag.ones(1)}, strict=False)
    assert result.missing_keys == ["bias"] and result.unexpected_keys == ["x"]
    assert repr(result) == "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['x'])"
    assert m.weight.tolist() == [[1.0, 1.0]]
    before = values(m)
    with pytest.raises(RuntimeError, match="size mismatch"):
        m.load_state_dict({"weight": ag.zeros(1, 2), "bias": ag.ones(2)}, strict=False)
    assert same(values(m), before)


def test_assign():
    m = nn.Linear(2, 1)
    w = ag.ones(1, 2, dtype=ag.float64)
    b = nn.Parameter(ag.ones(1), requires_grad=False)
    m.load_state_dict({"weight": w, "bias": b}, assign=True)
    assert isinstance(m.weight, nn.Parameter) and m.weight.dtype == ag.float64
    assert m.weight.numpy_shares(w) if hasattr(m.weight, "numpy_shares") else True
    assert m.weight._array is w._array and m.weight.requires_grad
    assert m.bias is b and b.requires_grad
    old = m.weight
    with pytest.raises(RuntimeError, match="an exception occurred"):
        m.load_state_dict({"weight": ag.ones(1, 2), "bias": ag.ones(1, dtype=ag.long)}, assign=True)
    assert m.weight is old


def test_old_files():
    m = nn.BatchNorm1d(2)
    state = m.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1
    m.num_batches_tracked.fill_(5)
    m.load_state_dict(state)
    assert m.num_batches_tracked.item() == 5
    m.load_state_dict(dict(state))
    state._metadata[""]["version"] = 2
    with pytest.raises(RuntimeError, match='Missing key.*"num_batches_tracked"'):
        m.load_state_dict(state)
    scalar = nn.Module()
    scalar.x = nn.Parameter(ag.zeros(()))
    scalar.load_state_dict({"x": ag.ones(1)})
    assert scalar.x.item() == 1 and scalar.x.shape == ()


class Extra(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(ag.zeros(1))
        self.note = "new"

    def get_extra_state(self):
        return {"note": self.note}

    def set_extra_state(self, state):
        self.note = state["note"]


def test_extra_state():
    m = Extra()
    state = m.state_dict()
    assert state["_extra_state"] == {"note": "new"}
    state["_extra_state"] = {"note": "loaded"}
    bad = dict(state, weight=ag.zeros(2))
    with pytest.raises(RuntimeError):
        m.load_state_dict(bad)
    assert m.note == "new"
    m.load_state_dict(state)
    assert m.note == "loaded"
    del state["_extra_state"]
    with pytest.raises(RuntimeError, match='Missing key.*"_extra_state"'):
        m.load_state_dict(state)
    with pytest.raises(RuntimeError, match='Unexpected key.*"_extra_state"'):
        nn.Linear(1, 1).load_state_dict({**nn.Linear(1, 1).state_dict(), "_extra_state": 1})


# Hooks and overrides ----------------------------------------------------------------------------


def test_state_dict_hooks():
    m, log = nn.Sequential(nn.Linear(1, 1)), []
    m[0].register_state_dict_pre_hook(lambda mod, prefix, keep: log.append(prefix))
    m[0].register_state_dict_post_hook(
        lambda mod, state, prefix, metadata: state.pop(prefix + "bias") and None
    )
    assert list(m.state_dict()) == ["0.weight"] and log == ["0."]
    m[0].register_state_dict_post_hook(lambda *_: {})
    with pytest.raises(RuntimeError, match="state_dict post-hook must return None"):
        m.state_dict()
    other = nn.Linear(1, 1)
    other._register_state_dict_hook(lambda mod, sd, prefix, meta: {"all": 1})
    assert other.state_dict() == {"all": 1}


def test_load_pre_hooks_may_rename():
    m = nn.Sequential(nn.Linear(2, 1))

    def rename(state, prefix, *_):
        state[prefix + "weight"] = state.pop(prefix + "kernel")

    seen = []
    m[0]._register_load_state_dict_pre_hook(rename)
    handle = m[0].register_load_state_dict_pre_hook(lambda mod, *_: seen.append(mod))
    given = {"0.kernel": ag.ones(1, 2), "0.bias": ag.ones(1)}
    m.load_state_dict(given)
    assert m[0].weight.tolist() == [[1, 1]] and list(given) == ["0.kernel", "0.bias"]
    assert seen == [m[0]]
    handle.remove()


def test_post_hooks_see_the_loaded_module_and_may_forgive():
    m, seen = nn.Sequential(nn.Linear(2, 1)), []

    def hook(module, keys):
        seen.append(module[0].weight.tolist())
        keys.missing_keys.clear()

    m.register_load_state_dict_post_hook(hook)
    m.load_state_dict({"0.weight": ag.ones(1, 2)})
    assert seen == [[[1.0, 1.0]]]
    before = values(m)
    with pytest.raises(RuntimeError, match="Unexpected"):
        m.load_state_dict({"0.weight": ag.zeros(1, 2), "x": 1})
    assert seen[-1] == [[0.0, 0.0]] and same(values(m), before)


class Derived(nn.Linear):
    """A class that computes something from what `super()` has loaded."""

    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        self.total = self.weight.sum().item()


def test_overridden_loading():
    m = nn.Sequential(Derived(2, 1), nn.Linear(1, 1))
    state = {k: ag.ones(*v.shape) for k, v in m.state_dict().items()}
    m.load_state_dict(state)
    assert m[0].total == 2.0
    before = values(m)
    bad = {**{k: v * 5 for k, v in state.items()}, "1.bias": ag.ones(3)}
    with pytest.raises(RuntimeError, match="size mismatch for 1.bias"):
        m.load_state_dict(bad)
    assert same(values(m), before)
    with pytest.raises(RuntimeError):
        m.load_state_dict(bad, assign=True)
    assert same(values(m), before)
    missing = []
    m[0]._load_from_state_dict({"weight": ag.zeros(1, 2)}, "", {}, True, missing, [], [])
    assert m[0].total == 0.0 and missing == ["bias"]
