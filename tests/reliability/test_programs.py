"""Short programs with state: dtypes and interop, random numbers, layers, optimizers, loaders, copies."""

import copy
import pickle
import subprocess
import sys

import pytest

import autograd_gpu as ag
from autograd_gpu import optim
from autograd_gpu.nn import functional as F
from autograd_gpu.utils.data import DataLoader


def leaf(*values, dtype=ag.float64):
    return ag.tensor(list(values), dtype=dtype, requires_grad=True)


def test_a_gradient_that_does_not_fit_is_refused():
    """E64."""
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match=r"gradient of size '\[2\]' to a tensor of size '\[1\]'"):
        x.grad = ag.ones(2, dtype=ag.float64)
    with pytest.raises(RuntimeError, match="'float' to a tensor with grad_dtype 'Double'"):
        x.grad = ag.ones(1)
    assert x.grad is None


def test_truth_and_items():
    """E67."""
    for f, words in (
        (lambda: bool(ag.ones(2)), "Boolean value of Tensor with more than one value is ambiguous"),
        (lambda: bool(ag.empty(0)), "Boolean value of Tensor with no values is ambiguous"),
        (lambda: ag.ones(2).item(), "a Tensor with 2 elements cannot be converted to Scalar"),
    ):
        with pytest.raises(RuntimeError, match=words):
            f()


def test_copies_of_leaves_and_results():
    """E58."""
    x = leaf(1.0)
    y = copy.deepcopy(x)
    assert y.tolist() == [1.0]
    assert y.requires_grad
    assert y is not x
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x * 2)


def test_random_state():
    """E72."""
    ag.manual_seed(0)
    a = ag.rand(2)
    state = ag.get_rng_state()
    b = ag.rand(2)
    ag.set_rng_state(state)
    assert ag.equal(ag.rand(2), b)
    ag.manual_seed(0)
    assert ag.equal(ag.rand(2), a)
    with ag.random.fork_rng():
        ag.rand(5)
    assert ag.equal(ag.rand(2), b)
    generator = ag.Generator().manual_seed(0)
    assert ag.equal(ag.rand(2, generator=generator), a)


def test_dropout():
    """E73: the mask of the gradient is the forward's; p = 0 and 1; evaluation is the identity."""
    x = ag.ones(1000, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.sum().backward()
    assert ag.equal(y.detach(), x.grad)
    assert set(y.tolist()) == {0.0, 2.0}
    assert F.dropout(ag.ones(3), 1.0).tolist() == [0.0] * 3
    assert F.dropout(ag.ones(3), 0.0).tolist() == [1.0] * 3
    assert F.dropout(ag.ones(3), 0.9, training=False).tolist() == [1.0] * 3
    z = ag.tensor([float("inf"), float("nan")], requires_grad=True)
    F.dropout(z, 1.0).sum().backward()
    assert z.grad.tolist() == [0.0, 0.0]


def test_steps_without_gradients():
    """E87."""
    p, q = leaf(1.0), leaf(1.0)
    optimizer = optim.Adam([p, q])
    p.grad = ag.ones(1, dtype=ag.float64)
    optimizer.step()
    assert len(optimizer.state) == 1
    assert q.tolist() == [1.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_bad_arguments_of_optimizers():
    """E88; a parameter given twice is refused, where PyTorch warns."""
    p = leaf(1.0)
    for f, words in (
        (lambda: optim.SGD([p], lr=-1), "Invalid learning rate: -1"),
        (lambda: optim.SGD([], lr=1), "optimizer got an empty parameter list"),
        (lambda: optim.SGD([p * 2], lr=1), "can't optimize a non-leaf Tensor"),
        (
            lambda: optim.SGD([p], lr=0.1, nesterov=True),
            "Nesterov momentum requires a momentum and zero dampening",
        ),
        (lambda: optim.SGD([p, p], lr=1), "twice|duplicate|more than once"),
    ):
        with pytest.raises(ValueError, match=words):
            f()


def test_shared_parameters():
    """E90."""
    layer = ag.nn.Linear(2, 2, bias=False)
    model = ag.nn.Sequential(layer, layer)
    assert len(list(model.parameters())) == 1
    assert len(model.state_dict()) == 2
    model(ag.ones(1, 2)).sum().backward()
    once = layer.weight.grad.clone()
    layer.weight.grad = None
    first, second = layer(ag.ones(1, 2)), layer.weight.detach()
    (first.detach() @ layer.weight.T).sum().backward()
    (first @ second.T).sum().backward()
    assert ag.allclose(layer.weight.grad, once)


def test_states_that_do_not_fit_change_nothing():
    """E78, E79, E80: all is checked before anything is copied."""
    model = ag.nn.Linear(2, 1)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(
        RuntimeError, match=r"Error\(s\) in loading state_dict for Linear:"
    ) as error:
        model.load_state_dict(
            {"bias": ag.full((1,), 9.0), "weight": ag.ones(1, 3), "x": ag.ones(1)}
        )
    assert "size mismatch for weight" in str(error.value)
    assert "Unexpected key(s)" in str(error.value)
    assert all(ag.equal(v, before[k]) for k, v in model.state_dict().items())
    weight = model.weight
    result = model.load_state_dict({"weight": ag.ones(1, 2)}, strict=False)
    assert model.weight is weight
    assert weight.tolist() == [[1.0, 1.0]]
    assert result.missing_keys == ["bias"]


class Failing:
    def __len__(self):
        return 5

    def __getitem__(self, i):
        if i == 4:
            raise KeyError("k")
        return i


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders(workers):
    """E93: the error of a data set keeps its type, after the batches before it."""
    out = []
    with pytest.raises(KeyError):
        for batch in DataLoader(Failing(), 2, num_workers=workers):
            out.append(batch.tolist())
    assert out == [[0, 1], [2, 3]]


def test_sizes_of_loaders():
    """E93."""
    data = [ag.tensor(i) for i in range(5)]
    assert len(DataLoader(data, 2)) == 3
    assert len(DataLoader(data, 2, drop_last=True)) == 2
    assert list(DataLoader([], 2)) == []
    with pytest.raises(
        ValueError, match="num_samples should be a positive integer value, but got num_samples=0"
    ):
        DataLoader([], 2, shuffle=True)


def test_wide_fan_in():
    """F4: 1e5 leaves in one operation."""
    leaves = [ag.tensor(1.0, requires_grad=True) for _ in range(10**5)]
    ag.stack(leaves).sum().backward()
    assert all(x.grad.item() == 1.0 for x in leaves[::9999])


def test_pickles_travel_between_processes():
    """F19: a Tensor, a Parameter and a Module pickled in another process."""
    code = (
        "import pickle, sys, autograd_gpu as ag; ag.manual_seed(0); m = ag.nn.Linear(2, 3);"
        "x = ag.arange(6.).reshape(2, 3).T.requires_grad_();"
        "sys.stdout.buffer.write(pickle.dumps((x, m, ag.ones(2, dtype=ag.int8), ag.float16, ag.Size([2]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=120
    )
    x, model, ints, dtype, size = pickle.loads(done.stdout)
    assert x.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert x.requires_grad
    assert x.is_leaf
    assert ints.dtype is ag.int8
    assert dtype is ag.float16
    assert size == ag.Size([2])
    ag.manual_seed(0)
    assert ag.equal(model.weight, ag.nn.Linear(2, 3).weight)
    model(x.T[:, :2]).sum().backward()
    assert model.weight.grad is not None


def test_a_failed_allocation_in_the_middle_of_a_pass(monkeypatch):
    """F18: the error comes through with its type; afterwards the same step works."""
    x = ag.ones(3, requires_grad=True)
    y = x.exp()
    full = []
    y.register_hook(lambda g: ag.empty(10**15) if full else g)
    full.append(1)
    loss = y.sum()
    with pytest.raises(MemoryError):
        loss.backward(retain_graph=True)
    assert x.grad is None
    full.clear()
    loss.backward()
    assert ag.allclose(x.grad, x.exp())
