"""Adadelta: steps in the units of the parameters, without a learning rate to choose."""

from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient, square_mean

__all__ = ["Adadelta"]


class Adadelta(Elementwise):
    """Adadelta.

    With the gradient g (negated if `maximize`, plus weight_decay p):

        v = rho v + (1 - rho) g^2
        d = sqrt(a + eps) / sqrt(v + eps) g
        a = rho a + (1 - rho) d^2
        p = p - lr d

    Raises ValueError for options outside their range. `foreach` is accepted and changes nothing.

    Source: M. Zeiler, ADADELTA: an adaptive learning rate method, 2012.
    """

    _param_shaped = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        at_least_zero("epsilon value", eps)
        at_least_zero("weight_decay value", weight_decay)
        check_modes(foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._param_shaped

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        return (
            number(group["lr"]),
            group["rho"],
            1 - group["rho"],
            group["eps"],
            group["weight_decay"] or None,
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        lr, rho, rest, eps, decay, maximize = c
        g = decay_gradient(xp, p, g, t, u, decay, maximize)
        v, a = s
        square_mean(xp, v, g, t, rho, rest)
        xp.sqrt(xp.add(v, eps, t), t)
        xp.divide(g, t, u)
        xp.sqrt(xp.add(a, eps, t), t)
        xp.multiply(u, t, u)
        square_mean(xp, a, u, t, rho, rest)
        xp.subtract(p, xp.multiply(u, lr, t), p)
