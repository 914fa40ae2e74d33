"""Every optimizer against PyTorch: numbers, state dicts, printed form, errors."""

import itertools

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import optim

from .cases import CASES, OPTIONS

torch = pytest.importorskip("torch")

DTYPES = {"float32": 4e-6, "float64": 1e-13, "float16": 6e-3, "complex64": 4e-6}


def torch_like(array):
    return torch.from_numpy(np.array(array))


def pair(array):
    """The same parameter for both libraries."""
    theirs = torch_like(array).requires_grad_()
    ours = ag.tensor(np.array(array)).requires_grad_()
    return ours, theirs


def give(p, array):
    p.grad = torch_like(array) if isinstance(p, torch.Tensor) else ag.tensor(np.array(array))


def draw(rng, shape, dtype):
    if np.dtype(dtype).kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def near(ours, theirs, tolerance):
    got, want = ours._array, theirs.detach().numpy()
    assert got.dtype == want.dtype and got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, options", CASES)
def test_numbers(name, options, dtype):
    if dtype == "float16" and name != "SGD":  # 1e-8 is zero in half precision: PyTorch gets NaN
        options = {"eps": 1e-2, **options}
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (5,), (), (0,)]
    pairs = [pair(draw(rng, shape, dtype)) for shape in shapes]
    ours = getattr(optim, name)([p for p, _ in pairs], **options)
    theirs = getattr(torch.optim, name)([p for _, p in pairs], **options)
    for _ in range(12):
        for both in pairs:
            gradient = draw(rng, both[0].shape, dtype)
            for p in both:
                give(p, gradient)
        ours.step()
        theirs.step()
    for mine, other in pairs:
        near(mine, other, DTYPES[dtype])
        for key, value in theirs.state[other].items():
            if isinstance(value, torch.Tensor):
                near(ours.state[mine][key], value, DTYPES[dtype] * 4)
                assert list(ours.state[mine]) == list(theirs.state[other])


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "strided", "gradient transposed"])
def test_large_and_strided_arrays(name, layout):
    rng = np.random.default_rng(1)
    array = draw(rng, (300, 250), "float32")  # more than two pieces
    ours, theirs = pair(array)
    if layout == "transposed":
        ours = ag.tensor(np.ascontiguousarray(array.T)).t().detach().requires_grad_()
    elif layout == "strided":
        wide = np.zeros((300, 500), "float32")
        wide[:, ::2] = array
        ours = ag.from_numpy(wide)[:, ::2].detach().requires_grad_()
    options = OPTIONS[name][0]  # no weight decay: cancellation there magnifies rounding
    mine = getattr(optim, name)([ours], **options)
    other = getattr(torch.optim, name)([theirs], **options)
    for _ in range(3):
        gradient = draw(rng, array.shape, "float32")
        give(theirs, gradient)
        ours.grad = (
            ag.tensor(np.ascontiguousarray(gradient.T)).t()
            if layout == "gradient transposed"
            else ag.tensor(gradient)
        )
        mine.step()
        other.step()
    near(ours, theirs, 4e-6)


def trained(module, name, options, steps, lr=None):
    """An optimizer after some steps, in either library, with the parameters it has."""
    rng = np.random.default_rng(3)
    make = module.tensor if module is ag else torch_like
    params = [make(draw(rng, shape, "float32")).requires_grad_() for shape in ((2, 3), (4,))]
    optimizer = getattr(module.optim, name)(params, **options)
    return params, optimizer, feed(params, optimizer, steps)


def feed(params, optimizer, steps):
    rng = np.random.default_rng(4)
    for _ in range(steps):
        for p in params:
            give(p, draw(rng, tuple(p.shape), "float32"))
        optimizer.step()


def plain(value):
    """Tensors as lists, so that both libraries' state dicts compare."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(v) for v in value)
    if hasattr(value, "dtype"):
        return str(value.dtype), np.asarray(value.detach()).round(4).tolist()
    return value


@pytest.mark.parametrize("name, options", CASES)
def test_state_dict_and_repr(name, options):
    _, ours, _ = trained(ag, name, options, 2)
    _, theirs, _ = trained(torch, name, options, 2)
    assert repr(ours) == repr(theirs)
    mine, other = plain(ours.state_dict()), plain(theirs.state_dict())
    assert mine["param_groups"] == other["param_groups"]
    assert list(mine["param_groups"][0]) == list(other["param_groups"][0])
    assert mine["state"].keys() == other["state"].keys()
    for key in mine["state"]:
        assert list(mine["state"][key]) == list(other["state"][key])
        for name in mine["state"][key]:
            got, want = mine["state"][key][name], other["state"][key][name]
            if want is None:
                assert got is None
            else:
                assert got[0] == want[0]
                np.testing.assert_allclose(got[1], want[1], atol=2e-4)


def to_ours(value):
    if isinstance(value, torch.Tensor):
        return ag.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {k: to_ours(v) for k, v in value.items()}
    return [to_ours(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name, options", CASES)
def test_goes_on_from_torchs_state_dict(name, options):
    params, theirs, _ = trained(torch, name, options, 3)
    mine = [ag.tensor(p.detach().numpy().copy()).requires_grad_() for p in params]
    ours = getattr(optim, name)(mine)
    ours.load_state_dict(to_ours(theirs.state_dict()))
    feed(params, theirs, 3)
    feed(mine, ours, 3)
    for a, b in zip(mine, params, strict=True):
        near(a, b, 4e-6)


BAD = [
    {"lr": -1}, {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}, {"eps": -1.0}, {"momentum": -1},
    {"weight_decay": -1}, {"nesterov": True}, {"alpha": -1}, {"lr_decay": -1}, {"rho": 2},
    {"initial_accumulator_value": -1}, {"momentum_decay": -1}, {"foreach": True, "fused": True},
    {"differentiable": True, "fused": True}, {"lr": "vector"}, {"lr": "tensor", "foreach": True},
]  # fmt: skip


@pytest.mark.parametrize("name, bad", list(itertools.product(OPTIONS, BAD)))
def test_bad_options_give_torchs_errors(name, bad):
    tensors = {"vector": [1.0, 1.0], "tensor": 0.1}

    def outcome(module):
        options = {
            k: module.tensor(tensors[v]) if isinstance(v, str) else v for k, v in bad.items()
        }
        try:
            getattr(module.optim, name)([module.ones(2, requires_grad=True)], **options)
        except TypeError:
            return "unknown option"
        except Exception as error:
            return type(error), str(error)

    assert outcome(ag) == outcome(torch)


def test_weight_decay_and_lr_as_tensors():
    rng = np.random.default_rng(5)
    ours, theirs = pair(draw(rng, (3,), "float32"))
    a = optim.SGD([ours], lr=ag.tensor(0.1), weight_decay=ag.tensor(0.2))
    b = torch.optim.SGD([theirs], lr=torch.tensor(0.1), weight_decay=torch.tensor(0.2))
    for _ in range(3):
        gradient = draw(rng, (3,), "float32")
        give(ours, gradient)
        give(theirs, gradient)
        a.step()
        b.step()
    near(ours, theirs, 1e-6)
    assert repr(a) == repr(b)
