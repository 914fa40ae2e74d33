"""Optimizer: groups, hooks, closures, state dicts, pickling, and that bad input changes nothing."""

import copy
import pickle

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import optim

ALL = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam")


def parameter(*values):
    return ag.tensor(list(values) or [1.0, 2.0], requires_grad=True)


def with_grad(*values):
    p = parameter(*values)
    p.grad = ag.ones_like(p)
    return p


@pytest.mark.parametrize(
    "params, error, words",
    [
        (lambda p: [], ValueError, "empty parameter list"),
        (lambda p: p, TypeError, "iterable of Tensors or dicts"),
        (lambda p: [p * 2], ValueError, "non-leaf"),
        (lambda p: [3], TypeError, "one of the params is int"),
        (lambda p: [p, p], ValueError, "duplicate parameters"),
        (lambda p: [{"params": p}, {"params": [p]}], ValueError, "more than one parameter group"),
        (lambda p: [{"params": {p}}], TypeError, "ordered collections"),
        (lambda p: [{"lr": 0.1}], KeyError, "params"),
        (lambda p: [("a", p), parameter()], ValueError, "with/without names"),
        (lambda p: [{"params": [("a", p)]}, {"params": [parameter()]}], ValueError, "names"),
    ],
)
def test_bad_parameters(params, error, words):
    with pytest.raises(error, match=words):
        optim.SGD(params(parameter()), lr=0.1)


def test_a_refused_group_changes_nothing():
    p = parameter()
    optimizer = optim.SGD([p], lr=0.1)
    with pytest.raises(ValueError, match="more than one"):
        optimizer.add_param_group({"params": [parameter(), p]})
    with pytest.raises(TypeError, match="must be a dict"):
        optimizer.add_param_group(p)
    assert len(optimizer.param_groups) == 1


def test_groups_have_their_own_options():
    a, b = with_grad(), with_grad()
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.5)
    optimizer.step()
    assert a.tolist() == [0.5, 1.5] and b.tolist() == [0.0, 1.0]


def test_names_are_kept():
    optimizer = optim.SGD([("w", parameter()), ("b", parameter())], lr=0.1)
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["w", "b"]


def test_required_option():
    class Needy(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": optim.optimizer.required})

    with pytest.raises(ValueError, match="required 'lr'"):
        Needy([parameter()])
    assert Needy([{"params": parameter(), "lr": 1.0}]).param_groups[0]["lr"] == 1.0


@pytest.mark.parametrize("name", ALL)
def test_parameters_without_gradient_are_left_alone(name):
    p, q = with_grad(), parameter()
    optimizer = getattr(optim, name)([p, q])
    before = len(optimizer.state)
    optimizer.step()
    assert q.tolist() == [1.0, 2.0]
    assert len(optimizer.state) == (2 if name == "Adagrad" else before + (name != "SGD"))
    optimizer.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("name", ALL)
def test_gradient_is_not_changed_and_memory_stays(name):
    p = with_grad()
    q = ag.ones(40000, requires_grad=True)
    q.grad = ag.ones(40000)
    addresses = p.data_ptr(), q.data_ptr()
    options = {} if name == "Adadelta" else {"lr": 0.1}
    getattr(optim, name)([p, q], weight_decay=0.1, **options).step()
    assert p.grad.tolist() == [1.0, 1.0] and q.grad.sum().item() == 40000
    assert (p.data_ptr(), q.data_ptr()) == addresses


def test_zero_grad_in_place():
    p = with_grad()
    grad = p.grad
    optim.SGD([p], lr=0.1).zero_grad(set_to_none=False)
    assert p.grad is grad and grad.tolist() == [0.0, 0.0]


def test_a_step_bumps_the_version():
    p = parameter()
    y = (p * p).sum()
    p.grad = ag.ones_like(p)
    before = p._version
    optim.SGD([p], lr=0.1).step()
    assert p._version > before
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_closure_runs_with_gradients():
    p = parameter()
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with ag.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 5.0
    np.testing.assert_allclose(p.tolist(), [0.8, 1.6], rtol=1e-6)


def test_step_hooks():
    log = []
    optimizer = optim.SGD([with_grad()], lr=0.1)
    pre = optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append(("pre", args)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: log.append(("post", kwargs)))
    everywhere = optim.optimizer.register_optimizer_step_pre_hook(lambda *a: log.append("all"))
    optimizer.step()
    everywhere.remove()
    pre.remove()
    optimizer.step()
    assert log == ["all", ("pre", (optimizer,)), ("post", {}), ("post", {})]
    optimizer.register_step_pre_hook(lambda *a: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_pre_hook_may_replace_arguments():
    optimizer = optim.SGD([with_grad()], lr=0.1)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7), {}))
    assert optimizer.step() == 7


def test_state_dict_hooks():
    log = []
    optimizer = optim.SGD([with_grad()], lr=0.1)
    optimizer.register_state_dict_pre_hook(lambda o: log.append("before"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: log.append(state.pop("more")))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("first"), prepend=True)
    optimizer.load_state_dict(optimizer.state_dict())
    assert log == ["before", 1, "first", "loaded"]


def test_load_refuses_before_it_changes():
    p = with_grad()
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    optimizer.step()
    good = optimizer.state_dict()
    before = optimizer.state[p]["momentum_buffer"]
    bad = [
        ({"state": {}, "param_groups": []}, ValueError, "different number of parameter groups"),
        ({"state": {}, "param_groups": [{"params": [0, 1]}]}, ValueError, "match the size"),
        ({"state": {0: {"momentum_buffer": ag.ones(7)}}, "param_groups": good["param_groups"]},
         ValueError, "shape"),
        ({}, KeyError, "param_groups"),
    ]  # fmt: skip
    for state, error, words in bad:
        with pytest.raises(error, match=words):
            optimizer.load_state_dict(state)
        assert optimizer.state[p]["momentum_buffer"] is before
        assert optimizer.param_groups[0]["params"] == [p] and optimizer.param_groups[0]["lr"] == 0.1


def test_loaded_tensors_are_copies_in_the_parameters_dtype():
    p = parameter()
    p.grad = ag.ones_like(p)
    first = optim.Adam([p])
    first.step()
    state = first.state_dict()
    q = ag.tensor([1.0, 2.0], dtype=ag.float64, requires_grad=True)
    second = optim.Adam([q])
    second.load_state_dict(state)
    assert second.state[q]["exp_avg"].dtype is ag.float64
    assert second.state[q]["step"].dtype is ag.float32
    q.grad = ag.ones_like(q)
    second.step()
    assert state["state"][0]["step"].item() == 1.0 and second.state[q]["step"].item() == 2.0


def test_old_state_dicts_get_the_new_options():
    optimizer = optim.Adam([with_grad()])
    optimizer.step()
    state = optimizer.state_dict()
    state["state"][0]["step"] = 5
    del state["param_groups"][0]["amsgrad"]
    optimizer.load_state_dict(state)
    optimizer.step()
    assert optimizer.param_groups[0]["amsgrad"] is False
    assert optimizer.state[optimizer.param_groups[0]["params"][0]]["step"].item() == 6.0


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("way", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_go_on_alike(name, way):
    optimizer = getattr(optim, name)([with_grad()], weight_decay=0.1)
    optimizer.step()
    twin = way(optimizer)
    (p,), (q,) = optimizer.param_groups[0]["params"], twin.param_groups[0]["params"]
    q.grad = ag.ones_like(q)
    assert p is not q
    for _ in range(3):
        optimizer.step()
        twin.step()
    assert p.tolist() == q.tolist()
    assert repr(optimizer) == repr(twin)


@pytest.mark.parametrize("name", ALL)
def test_resume_is_bit_identical(name):
    def net():
        p = ag.tensor([[0.3, -1.0, 2.0]], dtype=ag.float64, requires_grad=True)
        return p, getattr(optim, name)([p])

    def train(p, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            ((p * p).sum() - p.sum()).backward()
            optimizer.step()

    p, whole = net()
    train(p, whole, 20)
    q, half = net()
    train(q, half, 10)
    r, other = net()
    r.data.copy_(q.data)
    other.load_state_dict(half.state_dict())
    train(r, other, 10)
    assert p.tolist() == r.tolist()


def test_what_would_change_the_result_is_refused():
    for name in ALL:
        with pytest.raises(NotImplementedError, match="differentiable"):
            getattr(optim, name)([parameter()], differentiable=True)
    optimizer = optim.Adam([with_grad()], capturable=True)
    with pytest.raises(AssertionError, match="capturable"):
        optimizer.step()


def test_bfloat16():
    pytest.importorskip("ml_dtypes")
    p = ag.ones(3, dtype=ag.bfloat16, requires_grad=True)
    for name in ALL:
        p.grad = ag.ones(3, dtype=ag.bfloat16)
        getattr(optim, name)([p], weight_decay=0.1).step()
        assert p.dtype is ag.bfloat16 and bool(ag.isfinite(p).all())
    before = p.tolist()
    p.grad = ag.ones(3, dtype=ag.bfloat16)
    optim.SGD([p], lr=1.0).step()
    np.testing.assert_allclose(p.tolist(), [b - 1 for b in before], atol=0.01)


def test_no_warning_leaves_a_step():
    p = ag.tensor([1.0, 1.0], requires_grad=True)
    with np.errstate(all="raise"):
        for name in ALL:
            p.grad = ag.tensor([float("inf"), 3e38])
            getattr(optim, name)([p]).step()
        assert np.geterr()["over"] == "raise"


def test_base_class():
    optimizer = optim.Optimizer([parameter()], {})
    assert repr(optimizer) == "Optimizer (\nParameter Group 0\n)"
    with pytest.raises(NotImplementedError):
        optimizer.step()
