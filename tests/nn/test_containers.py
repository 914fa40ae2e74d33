"""Containers: the list and dict interfaces. What they print is compared in test_nn_vs_torch."""
from collections import OrderedDict

import pytest

import autograd_gpu as ag
from autograd_gpu import nn


def names(module):
    return [type(m).__name__ for m in module]


def test_sequential():
    s = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU())
    assert names(s) == ["ReLU", "Tanh", "ELU"] and len(s) == 3
    assert names(s[1:]) == ["Tanh", "ELU"] and list(s[1:]._modules) == ["1", "2"]
    s[-1] = nn.GELU()
    assert names(s) == ["ReLU", "Tanh", "GELU"]
    del s[0]
    assert names(s) == ["Tanh", "GELU"] and list(s._modules) == ["0", "1"]
    assert isinstance(s.pop(0), nn.Tanh) and names(s) == ["GELU"]
    s.append(nn.ReLU()).insert(0, nn.Mish()).extend([nn.SiLU()])
    assert names(s) == ["Mish", "GELU", "ReLU", "SiLU"]
    assert names(s + nn.Sequential(nn.ELU())) == [*names(s), "ELU"]
    assert names(nn.Sequential(nn.ReLU()) * 3) == ["ReLU"] * 3
    s *= 2
    assert len(s) == 8
    named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert isinstance(named.a, nn.ReLU) and list(named._modules) == ["a", "b"]
    assert nn.Sequential()(5) == 5
    assert nn.Sequential(nn.ReLU())(ag.ones(1)).item() == 1


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda s: s[9], IndexError),
        (lambda s: s.__setitem__(9, nn.ReLU()), IndexError),
        (lambda s: s["0"], TypeError),
        (lambda s: s + 3, ValueError),
        (lambda s: s * 0, ValueError),
        (lambda s: s * 1.5, TypeError),
        (lambda s: s.insert(9, nn.ReLU()), IndexError),
        (lambda s: s.insert(0, 3), AssertionError),
        (lambda s: s.append(3), TypeError),
        (lambda s: s(1, 2), TypeError),
    ],
)
def test_sequential_errors(call, error):
    s = nn.Sequential(nn.ReLU(), nn.Tanh())
    with pytest.raises(error):
        call(s)
    assert names(s) == ["ReLU", "Tanh"]


def test_module_list():
    m = nn.ModuleList([nn.Linear(1, 1), nn.ReLU()])
    assert len(list(m.parameters())) == 2
    m.append(nn.Tanh())
    m.insert(0, nn.ELU())
    m += [nn.GELU()]
    assert names(m) == ["ELU", "Linear", "ReLU", "Tanh", "GELU"]
    assert names(m[1:3]) == ["Linear", "ReLU"] and list(m[1:3]._modules) == ["0", "1"]
    assert isinstance(m.pop(1), nn.Linear) and names(m.pop(slice(0, 2))) == ["ELU", "ReLU"]
    assert names(m + [nn.ReLU()]) == ["Tanh", "GELU", "ReLU"]
    assert list(reversed(m))[0] is m[1] and m[0] in m
    with pytest.raises(TypeError, match="should be called with an iterable"):
        m.extend(3)
    with pytest.raises(NotImplementedError):
        m(1)
    assert "0" not in dir(m)


def test_module_dict():
    d = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    assert "a" in d and list(d) == ["a", "b"] == list(d.keys()) and len(d) == 2
    assert isinstance(d["b"], nn.ReLU) and len(list(d.parameters())) == 2
    d["c"] = nn.Tanh()
    d.update([("e", nn.ELU()), ["f", nn.GELU()]])
    d.update(nn.ModuleDict({"g": nn.SiLU()}))
    assert list(d) == ["a", "b", "c", "e", "f", "g"]
    assert isinstance(d.pop("a"), nn.Linear)
    del d["b"]
    assert [k for k, _ in d.items()] == ["c", "e", "f", "g"] and names(d.values())[0] == "Tanh"
    for call, error in (
        (lambda: d["nope"], KeyError),
        (lambda: d.update(3), TypeError),
        (lambda: d.update([3]), TypeError),
        (lambda: d.update([(1, 2, 3)]), ValueError),
        (lambda: nn.ModuleDict({"keys": nn.ReLU()}), KeyError),
    ):
        with pytest.raises(error):
            call()
    d.clear()
    assert len(d) == 0


def test_parameter_list():
    p = nn.ParameterList([nn.Parameter(ag.ones(2)), ag.zeros(3), 5])
    assert [n for n, _ in p.named_parameters()] == ["0", "1"] and p[2] == 5
    assert isinstance(p[1], nn.Parameter) and p[-1] == 5
    p.append(ag.ones(1)).extend([ag.ones(4)])
    p += [ag.ones(5)]
    assert len(p) == 6 and len(p[1:3]) == 2 and len(list(p)) == 6
    p[0] = ag.zeros(2)
    assert isinstance(p[0], nn.Parameter) and p[0].tolist() == [0, 0]
    for call, error in (
        (lambda: p[9], IndexError),
        (lambda: p.extend(ag.ones(2)), TypeError),
        (lambda: p.extend(3), TypeError),
        (lambda: p(1), RuntimeError),
    ):
        with pytest.raises(error):
            call()


def test_parameter_dict():
    p = nn.ParameterDict({"a": nn.Parameter(ag.ones(2)), "b": ag.zeros(3), "c": 5})
    assert [n for n, _ in p.named_parameters()] == ["a", "b"] and p["c"] == 5
    assert list(p) == ["a", "b", "c"] and list(reversed(p)) == ["c", "b", "a"] and "a" in p
    assert p.get("zz") is None and p.get("zz", 3) == 3
    assert isinstance(p.setdefault("d", ag.ones(1)), nn.Parameter)
    assert p.popitem()[0] == "d" and p.pop("c") == 5
    assert list((p | {"q": ag.ones(1)}).keys()) == ["a", "b", "q"]
    assert list(({"r": 1} | p).keys()) == ["r", "a", "b"]
    assert p.copy()["a"] is p["a"]
    assert list(p.fromkeys(["u", "v"], 1).items()) == [("u", 1), ("v", 1)]
    p |= {"z": ag.ones(1)}
    assert len(p) == 3 and len(list(p.values())) == 3
    del p["z"]
    assert not hasattr(p, "z")
    for call, error in (
        (lambda: p[3], TypeError),
        (lambda: p["nope"], AttributeError),
        (lambda: p.__setitem__("keys", ag.ones(1)), KeyError),
        (lambda: p(1), RuntimeError),
    ):
        with pytest.raises(error):
            call()
    p.clear()
    assert len(p) == 0
