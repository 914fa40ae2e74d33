"""RMSprop: steps divided by the root of a running mean of squared gradients."""

from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient, lean, mean, square_mean

__all__ = ["RMSprop"]


class RMSprop(Elementwise):
    """RMSprop.

    With the gradient g (negated if `maximize`, plus weight_decay p):

        v = alpha v + (1 - alpha) g^2
        d = sqrt(v) + eps                       (centered: sqrt(v - m^2) + eps, m the mean of g)
        p = p - lr g / d                        (momentum: b = momentum b + g / d, p = p - lr b)

    Raises ValueError for options below zero. `foreach` is accepted and changes nothing.

    Source: T. Hinton, Neural networks for machine learning, lecture 6, 2012; centered:
    A. Graves, Generating sequences with recurrent neural networks, 2013.
    """

    _fused = "rmsprop"
    _param_shaped = ("square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        at_least_zero("epsilon value", eps)
        at_least_zero("momentum value", momentum)
        at_least_zero("weight_decay value", weight_decay)
        at_least_zero("alpha value", alpha)
        check_modes(foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        names: tuple[str, ...] = ("square_avg",)
        if group["momentum"] > 0:
            names += ("momentum_buffer",)
        return (*names, "grad_avg") if group["centered"] else names

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        alpha = group["alpha"]
        return (
            number(group["lr"]),
            alpha,
            1 - alpha,
            *lean(alpha),
            group["eps"],
            group["weight_decay"] or None,
            group["momentum"] or None,
            bool(group["centered"]),
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        lr, alpha, rest, weight, old, eps, decay, momentum, centered, maximize = c
        g = decay_gradient(xp, p, g, t, u, decay, maximize)
        square_mean(xp, s[0], g, t, alpha, rest)
        if centered:
            mean(xp, s[-1], g, t, weight, old)
            xp.multiply(s[-1], s[-1], t)
            xp.sqrt(xp.subtract(s[0], t, t), t)
        else:
            xp.sqrt(s[0], t)
        xp.divide(g, xp.add(t, eps, t), t)
        if momentum is not None:
            buffer = s[1]
            xp.add(xp.multiply(buffer, momentum, buffer), t, buffer)
            xp.multiply(buffer, lr, t)
        else:
            xp.multiply(t, lr, t)
        xp.subtract(p, t, p)
