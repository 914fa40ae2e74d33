"""Optimizers whose parameters lie on a device (the stand-in): step for step what the CPU does."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import optim
from autograd_gpu._cuda import optim as fused
from autograd_gpu.testing import standin

from ..kernels.beside import every_way, stand_in
from ..kernels.cases import DTYPES, TOLERANCES
from .cases import CASES

SHAPES = [(3, 4), (5,), (), (0,), (2, 33, 7), (1,)]
FUSED = {"SGD": "Sgd", "Adam": "Adam", "AdamW": "Adam", "RMSprop": "Rmsprop"}
fused_cases = pytest.mark.parametrize("name, options", [c for c in CASES if c[0] in FUSED])


def draw(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if dtype == "complex64":
        return (values + 1j * rng.standard_normal(shape)).astype(dtype)
    return np.asarray(values).astype(DTYPES[dtype])


def train(device, name, options, dtype="float32", shapes=SHAPES, steps=3):
    """(parameters and states after some steps, the writes of each): a third of the parameters gets
    no gradient in the first step, so that counters differ."""
    rng = np.random.default_rng(0)
    params = [ag.tensor(draw(rng, s, dtype), device=device, requires_grad=True) for s in shapes]
    optimizer = getattr(optim, name)(params, **options)
    before = [p._version for p in params]
    for step in range(steps):
        for k, p in enumerate(params):
            gradient = ag.tensor(draw(rng, tuple(p.shape), dtype), device=device)
            p.grad = None if step == 0 and k % 3 == 2 else gradient
        optimizer.step()
    return optimizer, params, [p._version - b for p, b in zip(params, before, strict=True)]


def numbers(optimizer, params):
    """All parameters and states, on the host; counters lie there already."""
    found = [("p", p.detach()) for p in params]
    for p in params:
        found += sorted((k, v) for k, v in optimizer.state[p].items() if isinstance(v, ag.Tensor))
    assert all(t.device.type == "cpu" for name, t in found if name in ("step", "mu_product"))
    return [(name, t.cpu()._array) for name, t in found]  # NumPy has no bfloat16


def check(right, found, dtype):
    names = [name for name, _ in right]
    assert names == [name for name, _ in found]
    rtol, atol = TOLERANCES.get(dtype, TOLERANCES["float32"])
    for (_, wanted), (name, got) in zip(right, found, strict=True):
        assert wanted.dtype == got.dtype and wanted.shape == got.shape
        wide = np.dtype("c16" if wanted.dtype.kind == "c" else "f8")
        np.testing.assert_allclose(
            got.astype(wide), wanted.astype(wide), rtol, 2 * atol, err_msg=name
        )


def compare(name, options, dtype="float32", how="plain", **rest):
    """Both, and what was launched."""
    optimizer, params, writes = train("cpu", name, options, dtype, **rest)
    right = numbers(optimizer, params)
    with stand_in(how), standin.launches() as seen:
        mine, params, ours = train("cuda", name, options, dtype, **rest)
        check(right, numbers(mine, params), dtype)
    assert ours == writes
    return [launch for launch in seen if "optimizer_step" in launch.name]


@pytest.mark.parametrize("name, options", CASES)
def test_every_optimizer(name, options):
    steps = compare(name, options)
    if name in FUSED:
        assert steps and all(f"ag::{FUSED[name]}," in launch.name for launch in steps)
    else:
        assert not steps


@fused_cases
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "complex64"])
def test_types(name, options, dtype):
    if dtype == "float16" and name != "SGD":  # 1e-8 is zero in half precision
        options = {"eps": 1e-2, **options}
    assert compare(name, options, dtype)


@every_way
@fused_cases
def test_any_schedule_and_watched(name, options, how):
    compare(name, options, "float32", how)
    if name != "AdamW":
        compare(name, {"eps": 1e-2, **options} if name != "SGD" else options, "float16", how)


def test_one_launch_a_step():
    """For parameters of one type whose counters agree; those without elements cost nothing."""
    for name in ("SGD", "Adam"):
        steps = compare(name, {"lr": 0.1}, shapes=[(3,), (4, 5), (2,), (0,), ()], steps=4)
        assert len(steps) == 4 + (name == "Adam") * 3
    assert compare("Adam", {"lr": 0.1}, shapes=[(0,), (0, 3)]) == []


@pytest.mark.parametrize("many", [64, 65, 150])
def test_more_tensors_than_a_launch_holds(many, monkeypatch):
    monkeypatch.setattr(fused, "CHUNK", 32)
    shapes = [(k % 7 * 13 + k % 3,) for k in range(many)]
    steps = compare("SGD", {"lr": 0.1, "momentum": 0.9}, shapes=shapes, steps=1)
    full = [k for k in range(many) if shapes[k] != (0,) and k % 3 != 2]
    assert len(steps) == -(-len(full) // 64)
    assert sum(launch.grid[0] for launch in steps) == sum(-(-shapes[k][0] // 32) for k in full)


@pytest.mark.parametrize("size", [4095, 4096, 4097, 12289])
def test_sizes_about_a_block(size):
    (step,) = compare("Adam", {"lr": 0.1, "amsgrad": True}, shapes=[(size,)], steps=1)
    assert step.grid == (-(-size // 4096),)


def laid(kind, array, device):
    """A tensor of these numbers in a layout."""
    if kind == "transposed":
        return ag.tensor(np.ascontiguousarray(array.T), device=device).t().detach()
    if kind == "strided":
        wide = np.repeat(array, 2, 1)
        return ag.tensor(wide, device=device)[:, ::2].detach()
    if kind == "off a vector":
        flat = np.concatenate([array.ravel()[:1], array.ravel()])
        return ag.tensor(flat, device=device)[1:].reshape(array.shape).detach()
    return ag.tensor(array, device=device)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
@pytest.mark.parametrize("layout", ["transposed", "strided", "off a vector", "gradient"])
def test_layouts(name, layout):
    """What is not contiguous takes its step alone, and so do not its neighbours."""

    def run(device):
        rng = np.random.default_rng(2)
        params = [laid(layout, draw(rng, (6, 5), "float32"), device), ag.ones(3, device=device)]
        for p in params:
            p.requires_grad_()
        optimizer = getattr(optim, name)(params, lr=0.1, weight_decay=0.1)
        for _ in range(2):
            how = "transposed" if layout == "gradient" else ""
            params[0].grad = laid(how, draw(rng, (6, 5), "float32"), device)
            params[1].grad = ag.ones(3, device=device)
            optimizer.step()
        return numbers(optimizer, params)

    right = run("cpu")
    with stand_in(), standin.launches() as seen:
        check(right, run("cuda"), "float32")
    assert sum("optimizer_step" in launch.name for launch in seen) == 2


def test_types_and_devices_apart():
    """A launch for each type; a group may lie on two devices and the CPU."""
    places = ["cuda:0", "cuda:0", "cuda:1", "cpu"]
    with standin.activate(devices=2), standin.launches() as seen:
        params = [ag.ones(4, device=d, requires_grad=True) for d in places]
        params[1] = ag.ones(4, device="cuda:0", dtype=ag.float64, requires_grad=True)
        for p in params:
            p.grad = ag.full((4,), 2.0, dtype=p.dtype, device=p.device)
        for optimizer in (optim.Adam(params, lr=0.5), optim.Adadelta(params, lr=0.5)):
            optimizer.step()
        assert len({tuple(p.detach().cpu().float().tolist()) for p in params}) == 1
        assert [p.device.index for p in params] == [0, 0, 1, None]
    assert sum("optimizer_step" in launch.name for launch in seen) == 3


def test_state_dicts_cross_devices():
    """A checkpoint of the CPU goes on on the device as it would have there, and back."""
    first, params, _ = train("cpu", "Adam", {"lr": 0.1})
    saved = first.state_dict()
    with stand_in():
        theirs = [p.detach().to("cuda").requires_grad_() for p in params]
        second = optim.Adam(theirs, lr=0.1)
        second.load_state_dict(saved)
        assert second.state[theirs[0]]["exp_avg"].device.type == "cuda"
        for p, q in zip(params, theirs, strict=True):
            p.grad, q.grad = ag.ones_like(p), ag.ones_like(q)
        first.step()
        second.step()
        check(numbers(first, params), numbers(second, theirs), "float32")
        third = optim.Adam([p.detach().requires_grad_() for p in params], lr=0.1)
        third.load_state_dict(second.state_dict())
        check(numbers(first, params)[len(params):],
              numbers(third, third.param_groups[0]["params"])[len(params):], "float32")  # fmt: skip


def test_rates_as_tensors_and_capturable():
    with stand_in():
        p = ag.ones(3, device="cuda", requires_grad=True)
        p.grad = ag.ones(3, device="cuda")
        optim.SGD([p], lr=ag.tensor(0.25, device="cuda")).step()
        assert p.tolist() == [0.75] * 3
        optim.Adam([p], lr=0.25, capturable=True).step()
        assert p.tolist() == pytest.approx([0.5] * 3)


def test_a_node_sees_the_step():
    """A backward pass after the step over what it wrote is refused."""
    with stand_in():
        p = ag.ones(3, device="cuda", requires_grad=True)
        loss = (p * p).sum()
        p.grad = ag.ones(3, device="cuda")
        optim.SGD([p], lr=0.1).step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_zero_grad_in_place():
    with stand_in():
        p = ag.ones(3, device="cuda", requires_grad=True)
        p.grad = kept = ag.ones(3, device="cuda")
        optim.Adam([p]).zero_grad(set_to_none=False)
        assert p.grad is kept and kept.tolist() == [0, 0, 0]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs(search):
    def run(device):
        p = ag.tensor([[-1.2, 1.0], [0.5, 0.3]], device=device, requires_grad=True)
        q = ag.ones(3, device=device, requires_grad=True)  # has no gradient
        optimizer = optim.LBFGS([p, q], lr=0.1, max_iter=6, line_search_fn=search)

        def closure():
            optimizer.zero_grad()
            loss = ((1 - p[0]) ** 2).sum() + 3 * ((p[1] - p[0] ** 2) ** 2).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(3)]
        return losses, p.detach().cpu().numpy()

    right = run("cpu")
    with stand_in():
        found = run("cuda")
    np.testing.assert_allclose(found[0], right[0], rtol=1e-4)
    np.testing.assert_allclose(found[1], right[1], rtol=1e-3, atol=1e-5)
