"""SGD: stochastic gradient descent, with momentum."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .._core.state import hush, modes, quiet, unhush
from .._core.tensor import Tensor
from ..autograd.mutation import record_write
from ..autograd.node import AccumulateGrad
from ._batch import Batch
from ._check import at_least_zero, check_lr, check_modes, number
from ._elementwise import evaluate, with_gradient
from ._state import filled_like
from ._sweep import PIECE, scalars, sweep
from .optimizer import Optimizer

__all__ = ["SGD"]

add, multiply, ndarray, subtract = np.add, np.multiply, np.ndarray, np.subtract


class SGD(Optimizer):
    """Stochastic gradient descent.

    With the gradient g (negated if `maximize`), for each parameter p:

        g = g + weight_decay p
        b = momentum b + (1 - dampening) g      (b = g in the first step; with momentum only)
        p = p - lr b                            (Nesterov: p - lr (g + momentum b))

    Parameters of any floating or complex dtype. `foreach` and `fused` are accepted and change
    nothing. Raises ValueError for options below zero, and for Nesterov without momentum or with
    dampening.

    Source: I. Sutskever et al., On the importance of initialization and momentum in deep
    learning, ICML 2013 (in PyTorch's variant, where lr multiplies the velocity).
    """

    _param_shaped = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        at_least_zero("momentum value", momentum)
        at_least_zero("weight_decay value", number(weight_decay), weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_modes(foreach=foreach, differentiable=differentiable, fused=fused)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once and return the closure's loss, where one is given."""
        loss = None if closure is None else evaluate(closure)
        token = hush(quiet)
        try:
            for group in self.param_groups:
                if group["momentum"] == 0 and number(group["weight_decay"]) == 0:
                    self._step_plain(group)
                else:
                    self._step_group(group)
        finally:
            unhush(token)
        return loss

    def _step_plain(self, group: dict[str, Any]) -> None:
        """p = p - lr g: the common case, with as little Python around it as there can be."""
        rates: dict[str, Any] = {}
        batch: Batch | None = None
        if modes:
            self._before_step(group)
        lr, move = number(group["lr"]), add if group["maximize"] else subtract
        for p in group["params"]:
            edge = p._edge
            grad = edge.grad if isinstance(edge, AccumulateGrad) else p.grad
            if grad is None:
                continue
            array = p._array
            if array.__class__ is not ndarray:
                batch = batch or Batch("sgd", _update, self._scratch)
                batch.add([array, grad._array], (lr, *_NOTHING, bool(group["maximize"]), False))
                record_write(array)
                continue
            char = array.dtype.char
            rate = rates.get(char)
            if rate is None:
                (rate,) = scalars(array, lr)
                rates[char] = rate
            if array.size <= PIECE:
                move(array, multiply(grad._array, rate), array)
            else:
                sweep(_ascend if group["maximize"] else _descend, (array, grad._array),
                      (rate,), self._scratch)  # fmt: skip
            record_write(array)
        if batch is not None:
            batch.step()

    def _step_group(self, group: dict[str, Any]) -> None:
        momentum, decay = group["momentum"], number(group["weight_decay"])
        options = (
            number(group["lr"]),
            momentum or None,
            1 - group["dampening"] if group["dampening"] else None,
            decay or None,
        )
        flags = bool(group["nesterov"]), bool(group["maximize"])
        batch: Batch | None = None
        if modes:
            self._before_step(group)
        for p, grad in with_gradient(group["params"]):
            array, state = p._array, self.state[p] if momentum else {}
            arrays, first = [array, grad._array], False
            if momentum:
                first = state.get("momentum_buffer") is None
                if first:
                    state["momentum_buffer"] = filled_like(p)
                arrays.append(state["momentum_buffer"]._array)
            constants = scalars(array, *options, *flags, first)
            if array.__class__ is ndarray:
                sweep(_update, arrays, constants, self._scratch)
            else:
                batch = batch or Batch("sgd", _update, self._scratch)
                batch.add(arrays, constants)
            record_write(array)
        if batch is not None:
            batch.step()


_NOTHING = None, None, None, False  # no momentum, dampening, decay, Nesterov


def _descend(xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
    subtract(p, multiply(g, c[0], t), p)


def _ascend(xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
    add(p, multiply(g, c[0], t), p)


def _update(xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
    lr, momentum, share, decay, nesterov, maximize, first = c
    if maximize:
        g = xp.negative(g, u)
    if decay is not None:
        g = xp.add(g, xp.multiply(p, decay, t), u)
    if momentum is not None:
        (b,) = s
        if first:
            b[...] = g
        else:
            xp.multiply(b, momentum, b)
            xp.add(b, g if share is None else xp.multiply(g, share, t), b)
        g = xp.add(g, xp.multiply(b, momentum, t), u) if nesterov else b
    xp.subtract(p, xp.multiply(g, lr, t), p)
