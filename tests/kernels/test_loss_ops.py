"""cross_entropy and nll_loss as users call them: on the stand-in as on the CPU, derivatives too."""

from itertools import product

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F
from autograd_gpu._ops import cross_entropy
from autograd_gpu.testing import standin

from .beside import assert_near, stand_in
from .launched import array

SHAPES = [(6, 5), (70, 10), (3, 4, 7), (2, 3, 2, 2), (5,)]
OPTIONS = [
    dict(zip(("reduction", "ignore_index", "label_smoothing"), values, strict=True))
    for values in product(("mean", "sum", "none"), (-100, 1), (0.0, 0.2))
]


def arguments(shape, weighted, seed=0):
    """(x, target, weight) for Tensors."""
    random = np.random.default_rng(seed)
    classes = shape[1] if len(shape) > 1 else shape[0]
    target = random.integers(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ())
    weight = random.uniform(0.5, 2, classes).astype("f4") if weighted else None
    return array(shape, "f4", seed), target, weight


def derivatives(function, device, x, target, weight, **options):
    """The loss, its gradient, and the gradient of that one's squares."""
    x = ag.tensor(x, device=device, requires_grad=True)
    target = ag.tensor(target, device=device)
    weight = weight if weight is None else ag.tensor(weight, device=device)
    loss = function(x, target, weight, **options)
    (first,) = ag.autograd.grad(loss.sum() * 1.5, x)
    (recorded,) = ag.autograd.grad(function(x, target, weight, **options).sum(), x, create_graph=True)
    (second,) = ag.autograd.grad((recorded**2).sum(), x)
    return [t.detach().cpu().numpy() for t in (loss, first, recorded, second)]


def agree(function, *given, **options):
    right = derivatives(function, "cpu", *given, **options)
    found = derivatives(function, "cuda", *given, **options)
    assert [a.dtype for a in found] == [a.dtype for a in right]
    assert_near(found, right, "float32")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy_is_that_of_the_cpu(shape):
    with stand_in():
        for weighted, options in product((False, True), OPTIONS):
            agree(F.cross_entropy, *arguments(shape, weighted), **options)


def of_squares(x, target, weight, **options):
    """A loss that is linear itself."""
    return F.nll_loss(x * x, target, weight, **options)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nll_loss_is_that_of_the_cpu(shape):
    with stand_in():
        for weighted, options in product((False, True), OPTIONS[::2]):
            given = {k: v for k, v in options.items() if k != "label_smoothing"}
            agree(of_squares, *arguments(shape, weighted), **given)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_one_op_is_the_two_of_the_cpu(options):
    """The body of the kernel beside log_softmax and nll_loss, both on the CPU."""

    def one(x, target, weight, *, reduction, ignore_index, label_smoothing):
        return cross_entropy._of_classes(
            x, target, weight, reduction, ignore_index, label_smoothing
        )

    for shape, weighted in product(SHAPES[:4], (False, True)):
        given = arguments(shape, weighted)
        right = derivatives(F.cross_entropy, "cpu", *given, **options)
        assert_near(derivatives(one, "cpu", *given, **options), right, "float32")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_infinite_scores_go_as_on_the_cpu(smoothing):
    x, target, _ = arguments((8, 5), False)
    x[0, 1], x[1, 1], x[2, 1], x[3], x[4, :2] = np.inf, -np.inf, np.nan, -np.inf, np.inf
    target[:5] = 1
    options = {"reduction": "none", "label_smoothing": smoothing}
    with stand_in():
        agree(F.cross_entropy, x, target, None, **options)
        target[5:] = 0
        agree(F.cross_entropy, x, target, None, ignore_index=1, **options)


@pytest.mark.parametrize("dtype", [ag.float16, ag.bfloat16, ag.float64])
def test_other_types(dtype):
    x, target, _ = arguments((9, 6), False)
    name = str(dtype).rpartition(".")[2]
    with stand_in():
        results = []
        for device in ("cpu", "cuda"):
            scores = ag.tensor(x, dtype=dtype, device=device, requires_grad=True)
            loss = F.cross_entropy(scores, ag.tensor(target, device=device))
            (grad,) = ag.autograd.grad(loss, scores)
            results.append([loss.detach().float().cpu().numpy(), grad.float().cpu().numpy()])
            assert loss.dtype == grad.dtype == dtype
        assert_near(results[1], results[0], name if dtype != ag.float64 else "float32", 2)


def test_a_training_step_takes_two_launches():
    with stand_in():
        x = ag.randn(64, 10, device="cuda", requires_grad=True)
        target = ag.randint(10, (64,), device="cuda")
        with standin.launches() as seen:
            F.cross_entropy(x, target).backward()
    names = [launch.name for launch in seen if "fill" not in launch.name.lower()]
    assert [n.partition("<")[0] for n in names] == [
        "ag::cross_entropy", "ag::cross_entropy_backward"
    ]  # fmt: skip


@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss])
def test_errors_are_those_of_the_cpu(function):
    x, target = np.ones((3, 4), np.float32), np.zeros(3, np.int64)
    cases = [
        (x, target + 4, None), (x, target - 1, None), (x, target[:2], None), (x[0], target, None),
        (x, target, np.ones(3, np.float32)), (x, target, np.ones(4)), (x, target.astype("i4"), None),
    ]  # fmt: skip
    with stand_in():
        for case in cases:
            said = []
            for device in ("cpu", "cuda"):
                given = [v if v is None else ag.tensor(v, device=device) for v in case]
                with pytest.raises((IndexError, ValueError, RuntimeError)) as caught:
                    function(*given)
                said.append((caught.type, str(caught.value)))
            assert said[0] == said[1]


def test_bytes_are_classes_too():
    x, target, _ = arguments((6, 5), False)
    with stand_in():
        agree(F.cross_entropy, x, target.astype(np.uint8), None)
        agree(of_squares, x, target.astype(np.uint8), None)


def test_of_no_samples():
    """The mean is NaN, the sum 0, and there is an empty gradient."""
    with stand_in():
        x = ag.zeros(0, 4, device="cuda", requires_grad=True)
        target = ag.zeros(0, dtype=ag.int64, device="cuda")
        for function in (F.cross_entropy, F.nll_loss):
            assert function(x, target).isnan().item()
            loss = function(x, target, reduction="sum")
            assert loss.item() == 0 and ag.autograd.grad(loss, x)[0].shape == (0, 4)
