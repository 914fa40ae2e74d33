"""G23: NumPy's floating-point warnings: no operation emits one, and the user's own settings for them are untouched."""

import warnings

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.samples import Maker, samples_of
from autograd_gpu._ops.table import REGISTRY

from ..test_every_op import SAMPLED, floats, leaves

INF, NAN = float("inf"), float("nan")


class Extremes(Maker):
    """Samples whose numbers are zeros, negatives, infinities, NaN and the largest ones, in turn."""

    def __init__(self, values, dtype="float32"):
        super().__init__(dtype)
        self.values = values

    def numbers(self, shape, low, high):
        n = int(np.prod(shape))
        return np.resize(np.array(self.values), n).reshape(shape).astype(self.dtype)


VALUES = {
    "zeros": [0.0, -0.0],
    "negative": [-1.0, -2.5, -0.5],
    "infinite": [INF, -INF, INF],
    "NaN": [NAN],
    "huge": [3e38, -3e38, 3e38, 1e38],
    "tiny": [1e-45, -1e-45, 1e-38],
    "mixed": [0.0, -1.0, INF, NAN, 3e38, -INF, 1e-45, 1.0, -3e38],
}


def run(entry, values, dtype):
    """Forward and backward of all samples. Values that an op refuses with an error are its right."""
    with np.errstate(all="ignore"):
        samples = samples_of(entry, Extremes(values, dtype))
    for args, kwargs in samples:
        try:
            outs = floats(entry.function(*args, **kwargs))
            if outs:
                inputs = leaves(args)
                first = ag.autograd.grad(
                    outs, inputs, outs_like(outs), allow_unused=True, create_graph=True
                )
                again = [g for g in first if g is not None and g.requires_grad]
                if again:
                    ag.autograd.grad(again, inputs, outs_like(again), allow_unused=True)
        except Warning:
            raise
        except (ArithmeticError, ValueError, RuntimeError, IndexError, TypeError) as error:
            assert "encountered in" not in str(error), error


def outs_like(outs):
    return [ag.ones(o.shape, dtype=o.dtype) for o in outs]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("entry", SAMPLED)
def test_no_warning_leaves_an_operation(entry, values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        run(entry, VALUES[values], "float32")


@pytest.mark.parametrize("entry", SAMPLED)
def test_the_users_settings_are_untouched(entry):
    """Under settings that raise nothing is raised, and they are the same afterwards."""
    with np.errstate(divide="raise", over="print", under="log", invalid="raise"):
        settings = np.geterr()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            run(entry, VALUES["mixed"], "float64")
        assert np.geterr() == settings
    assert not [w for w in seen if issubclass(w.category, RuntimeWarning)]


def test_the_walk_is_not_empty():
    assert len(SAMPLED) > len(REGISTRY) // 3


def settings_in(function):
    """np.geterr() as `function` and what it calls find it."""
    with np.errstate(divide="raise", over="ignore", under="warn", invalid="print"):
        mine = np.geterr()
        function(lambda: np.geterr() == mine)
        assert np.geterr() == mine


def test_an_error_restores_the_settings():
    def program(same):
        for bad in (
            lambda: ag.ones(2, 3) + ag.ones(2),
            lambda: ag.ones(2).backward(),
            lambda: ag.ones(2) @ ag.ones(3),
            lambda: ag.ones(2).add_(ag.ones(3)),
            lambda: ag.cat([ag.ones(2), ag.ones(2, 2)]),
            lambda: ag.ones(2)[5],
            lambda: ag.zeros(2).view(3),
        ):
            with pytest.raises((RuntimeError, IndexError)):
                bad()
            assert same()

    settings_in(program)


@pytest.mark.parametrize("recorded", [False, True])
def test_hooks_and_functions_run_under_the_users_settings(recorded):
    """User code in hooks and Functions warns as it does elsewhere; an exception in it restores all."""

    def program(same):
        seen = []

        class Double(ag.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                seen.append(same())
                return x * 2

            @staticmethod
            def backward(ctx, g):
                seen.append(same())
                return g * 2

        x = ag.ones(2, requires_grad=True)
        y = Double.apply(x)
        y.register_hook(lambda g: seen.append(same()))
        x.register_hook(lambda g: seen.append(same()))
        x.register_post_accumulate_grad_hook(lambda p: seen.append(same()))
        y.grad_fn.register_hook(lambda *_: seen.append(same()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            y.sum().backward(create_graph=recorded)
        assert seen == [True] * 6
        assert same()
        y = Double.apply(x)
        y.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            y.sum().backward()
        assert same()

    settings_in(program)


def test_a_warning_of_user_code_in_a_hook_arrives():
    x = ag.zeros(2, requires_grad=True)
    y = x * 1
    y.register_hook(lambda g: ag.from_numpy(np.ones(2, np.float32) / x.detach().numpy()))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        y.sum().backward()
    assert x.grad.tolist() == [INF, INF]


def test_in_place_forms_and_optimizers_are_silent():
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error", RuntimeWarning)
        x = ag.tensor([0.0, -1.0, INF, 3e38])
        for f in (
            x.clone().log_,
            x.clone().sqrt_,
            x.clone().reciprocal_,
            x.clone().exp_,
            x.clone().square_,
        ):
            f()
        x.clone().div_(x - x)
        x.clone().pow_(-2)
        x.mean().item(), x.std().item(), ag.empty(0).mean(), ag.empty(0).sum()
        p = ag.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
        for optimizer in (
            ag.optim.SGD([p], 1e38, momentum=0.9),
            ag.optim.Adam([p]),
            ag.optim.RMSprop([p]),
        ):
            p.grad = x * 1
            optimizer.step()
        ag.nn.utils.clip_grad_norm_([p], 1.0)
        (
            ag.tensor([INF, 3e9, NAN]).to(ag.int32),
            ag.tensor([1e300], dtype=ag.float64).float(),
            x.half(),
        )
        repr(x), repr(ag.tensor([INF, NAN, 1e38, 1e-38])), ag.allclose(x, x), ag.isclose(x, x)
        ag.linspace(0, 3e38, 5), ag.arange(0, 1e38, 3e37), ag.tensor([1e300]), ag.logspace(0, 50, 3)
