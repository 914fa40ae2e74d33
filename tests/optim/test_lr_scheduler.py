"""Schedules against PyTorch: rates, state dicts, warnings, errors."""

import warnings

import pytest

import autograd_gpu as ag
from autograd_gpu.optim import lr_scheduler as ours

torch = pytest.importorskip("torch")
theirs = torch.optim.lr_scheduler

CASES = [
    ("StepLR", (3,), {}),
    ("StepLR", (1,), {"gamma": 0.5}),
    ("MultiStepLR", ([2, 5, 5, 9],), {"gamma": 0.5}),
    ("ExponentialLR", (0.9,), {}),
    ("LambdaLR", (lambda epoch: 1 / (1 + epoch),), {}),
    ("LambdaLR", ([lambda epoch: 0.9**epoch, lambda epoch: 1.0],), {}),
    ("MultiplicativeLR", (lambda epoch: 0.95,), {}),
    ("ConstantLR", (), {"factor": 0.5, "total_iters": 4}),
    ("LinearLR", (), {"start_factor": 0.25, "total_iters": 6}),
    ("LinearLR", (), {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 6}),
    ("PolynomialLR", (), {"total_iters": 7, "power": 2.0}),
    ("CosineAnnealingLR", (6,), {}),
    ("CosineAnnealingLR", (4,), {"eta_min": 0.01}),
    ("OneCycleLR", (0.5,), {"total_steps": 25}),
    ("OneCycleLR", ([0.5, 0.1],), {"epochs": 5, "steps_per_epoch": 5, "three_phase": True,
                                   "anneal_strategy": "linear"}),
]  # fmt: skip


def optimizer(module, cls="SGD", **options):
    groups = [
        {"params": [module.ones(2, requires_grad=True)]},
        {"params": [module.zeros(1, requires_grad=True)], "lr": 0.3},
    ]
    options = {"momentum": 0.9, **options} if cls == "SGD" else options
    return getattr(module.optim, cls)(groups, **{"lr": 0.1, **options})


def both(name, args, options, cls="SGD"):
    pairs = []
    for module, schedulers in ((ag, ours), (torch, theirs)):
        o = optimizer(module, cls)
        pairs.append((o, getattr(schedulers, name)(o, *args, **options)))
    return pairs


def rates(o):
    return [float(group["lr"]) for group in o.param_groups]


@pytest.mark.parametrize("cls", ["SGD", "Adam"])
@pytest.mark.parametrize("name, args, options", CASES)
def test_rates(name, args, options, cls):
    (a, mine), (b, other) = both(name, args, options, cls)
    for _ in range(24):
        assert rates(a) == rates(b) and mine.get_last_lr() == other.get_last_lr()
        for key in ("momentum", "betas"):
            assert a.param_groups[0].get(key) == b.param_groups[0].get(key)
        a.step()
        b.step()
        mine.step()
        other.step()


@pytest.mark.parametrize("name, args, options", CASES)
def test_state_dicts_interchange(name, args, options):
    (a, mine), (b, other) = both(name, args, options)
    for _ in range(3):
        a.step(), b.step(), mine.step(), other.step()
    state, expected = mine.state_dict(), other.state_dict()
    assert {k: state[k] for k in ("last_epoch", "_step_count", "_last_lr", "base_lrs")} == {
        k: expected[k] for k in ("last_epoch", "_step_count", "_last_lr", "base_lrs")
    }
    fresh = optimizer(ag)
    again = getattr(ours, name)(fresh, *args, **options)
    again.load_state_dict(expected)
    fresh.load_state_dict({**a.state_dict(), "state": {}})
    for _ in range(5):
        again.step()
        other.step()
        assert rates(fresh) == rates(b)


@pytest.mark.parametrize("name, args, options", [c for c in CASES if "OneCycle" not in c[0]])
def test_closed_form_and_resume_at_an_epoch(name, args, options):
    (a, mine), (b, other) = both(name, args, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch in (4, 0, 9):
            mine.step(epoch)
            other.step(epoch)
            assert rates(a) == pytest.approx(rates(b), rel=1e-14)


def test_several_schedules():
    results = []
    for module, s in ((ag, ours), (torch, theirs)):
        o = optimizer(module)
        first = s.LinearLR(o, 0.1, total_iters=4)
        second = s.SequentialLR(o, [s.ConstantLR(o, 0.5, 3), s.ExponentialLR(o, 0.9)], [5])
        seen = []
        for _ in range(10):
            o.step()
            second.step()
            seen.append(rates(o) + second.get_last_lr())
        chained = s.ChainedScheduler([first, s.StepLR(o, 2)])
        for _ in range(5):
            chained.step()
            seen.append(rates(o))
        results.append(seen)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 0, "cooldown": 2, "factor": 0.5},
        {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 1},
        {"patience": 0, "min_lr": [0.05, 0.2]},
    ],
)
def test_plateau(options):
    metrics = [1.0, 0.9, 0.95, 0.9, 0.91, 0.5, 0.6, 0.7, 0.8, 0.81, 0.82, 0.83, 0.84, float("nan")]
    (a, mine), (b, other) = both("ReduceLROnPlateau", (), options)
    for metric in metrics:
        mine.step(metric)
        other.step(torch.tensor(metric))
        assert rates(a) == rates(b) and mine.num_bad_epochs == other.num_bad_epochs
    state, expected = mine.state_dict(), other.state_dict()
    assert state.keys() == expected.keys()


def test_tensor_rates_are_filled():
    o = optimizer(ag, lr=ag.tensor(0.1))
    lr = o.param_groups[0]["lr"]
    scheduler = ours.StepLR(o, 1)
    o.step()
    scheduler.step()
    assert o.param_groups[0]["lr"] is lr and lr.item() == pytest.approx(0.01)
    assert scheduler.get_last_lr()[0] is not lr


def warned(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [str(w.message)[:60] for w in caught]


def test_warnings_about_the_order():
    for first in ("scheduler", "optimizer", "overridden"):
        seen = []
        for module, s in ((ag, ours), (torch, theirs)):
            o = optimizer(module)
            scheduler = s.StepLR(o, 1)
            if first == "optimizer":
                o.step()
            if first == "overridden":
                o.step = lambda: None
            seen.append(warned(scheduler.step) + warned(scheduler.get_lr))
        assert seen[0] == seen[1] and len(seen[0]) == (1 if first == "optimizer" else 2)


def test_errors():
    o = optimizer(ag)
    with pytest.raises(ValueError, match="T_max"):
        ours.CosineAnnealingLR(o, 0)
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        ours.StepLR(3, 1)
    with pytest.raises(KeyError, match="initial_lr"):
        ours.StepLR(o, 1, last_epoch=3)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        ours.LambdaLR(o, [lambda e: 1.0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        ours.ConstantLR(o, 2.0)
    with pytest.raises(ValueError, match="greater than 0"):
        ours.LinearLR(o, 0.0)
    with pytest.raises(ValueError, match="Factor should be < 1"):
        ours.ReduceLROnPlateau(o, factor=1.0)
    with pytest.raises(ValueError, match="mode foo is unknown"):
        ours.ReduceLROnPlateau(o, "foo")
    with pytest.raises(ValueError, match="total_steps OR"):
        ours.OneCycleLR(o, 0.1)
    with pytest.raises(ValueError, match="one more than"):
        ours.SequentialLR(o, [ours.StepLR(o, 1)], [1])
    with pytest.raises(NotImplementedError):
        ours.LRScheduler(o)
    cycle = ours.OneCycleLR(o, 0.1, total_steps=2)
    cycle.step()
    with pytest.raises(ValueError, match="Tried to step 3 times"):
        cycle.step(), cycle.step()


@pytest.mark.parametrize("name, args, options", CASES)
def test_state_dicts_go_through_files_of_both_libraries(tmp_path, name, args, options):
    (a, mine), (b, other) = both(name, args, options)
    path = tmp_path / "states.pt"
    torch.save({"scheduler": other.state_dict(), "optimizer": b.state_dict()}, path)
    state = ag.load(path)
    mine.load_state_dict(state["scheduler"])
    a.load_state_dict(state["optimizer"])
    ag.save({"scheduler": mine.state_dict(), "optimizer": a.state_dict()}, path)
    state = torch.load(path, weights_only=True)
    other.load_state_dict(state["scheduler"])
    b.load_state_dict(state["optimizer"])
    for _ in range(6):
        a.step(), b.step(), mine.step(), other.step()
        assert rates(a) == rates(b)
