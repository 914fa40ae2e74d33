"""Dropout in both libraries: same noise, same gradients in every order."""

import pytest

import autograd_gpu as ag

from ..same_numbers import both, same_error, signed

DROPOUTS = {
    "dropout": lambda F, x, i: F.dropout(x, 0.3, inplace=i),
    "half": lambda F, x, i: F.dropout(x, inplace=i),
    "none": lambda F, x, i: F.dropout(x, 0.0, inplace=i),
    "all": lambda F, x, i: F.dropout(x, 1.0, inplace=i),
    "eval": lambda F, x, i: F.dropout(x, 0.3, training=False, inplace=i),
    "1d": lambda F, x, i: F.dropout1d(x[0], 0.3, inplace=i),
    "1d alone": lambda F, x, i: F.dropout1d(x[0, 0], 0.3, inplace=i),
    "2d": lambda F, x, i: F.dropout2d(x, 0.3, inplace=i),
    "2d of 3": lambda F, x, i: F.dropout2d(x[0], 0.3, inplace=i),
    "3d": lambda F, x, i: F.dropout3d(x, 0.3, inplace=i),
    "3d batch": lambda F, x, i: F.dropout3d(x.unsqueeze(0), 0.3, inplace=i),
    "alpha": lambda F, x, i: F.alpha_dropout(x, 0.3, True, inplace=i),
    "alpha eval": lambda F, x, i: F.alpha_dropout(x, 0.3, inplace=i),
    "feature alpha": lambda F, x, i: F.feature_alpha_dropout(x, 0.3, True, inplace=i),
    "alpha all": lambda F, x, i: F.alpha_dropout(x, 1.0, True, inplace=i),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:dropout.d:UserWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout(torch, name, inplace, dtype):
    def steps(t, F):
        x = signed(t, getattr(t, dtype))
        y = DROPOUTS[name](F, x, inplace)
        return [y, x]

    both(torch, steps)


@pytest.mark.filterwarnings("ignore:dropout.d:UserWarning")
@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_gradients_reuse_the_noise_in_every_order(torch, name):
    def steps(t, F):
        x = signed(t, t.float32).requires_grad_()
        y = DROPOUTS[name](F, x, False)
        (first,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
        (second,) = t.autograd.grad((first * first).sum(), x)
        return [first.detach(), second]

    both(torch, steps)


def test_dropout_follows_the_memory_order_of_its_input(torch):
    both(torch, lambda t, F: F.dropout(t.ones(7, 9).T, 0.3))
    both(torch, lambda t, F: F.dropout(t.ones(6, 10)[:, ::2].T, 0.3))
    both(torch, lambda t, F: F.dropout(t.ones(3, 1).expand(3, 4), 0.3))


def test_dropout_gives_its_input_back_where_nothing_is_dropped(torch):
    for F in (torch.nn.functional, ag.nn.functional):
        t = torch if F is torch.nn.functional else ag
        x = t.ones(3)
        assert F.dropout(x, 0.0) is x and F.dropout(x, training=False) is x


def test_the_forms_of_the_package(torch):
    both(torch, lambda t, F: t.dropout(t.ones(9), 0.3, True))
    both(torch, lambda t, F: t.dropout_(t.ones(9), 0.3, True))
    both(
        torch,
        lambda t, F: [
            t.alpha_dropout(t.ones(9), 0.3, True),
            t.feature_dropout(t.ones(9, 9), 0.3, True),
            t.feature_alpha_dropout(t.ones(9, 9), 0.3, True),
            t.dropout(t.ones(9), 0.3, False),
        ],
    )
    same_error(torch, lambda t, F: t.dropout(t.ones(3), 1.5, True), exact=True)
