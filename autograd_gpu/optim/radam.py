"""RAdam: Adam that trusts the mean square only once it has seen enough."""

import math
from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_betas, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient, lean, mean, square_mean

__all__ = ["RAdam"]


class RAdam(Elementwise):
    """RAdam, rectified Adam.

    With the gradient g (negated if `maximize`, plus weight_decay p), in step t:

        m = beta1 m + (1 - beta1) g,   m' = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) g^2
        R = 2 / (1 - beta2) - 1,       r = R - 2 t beta2^t / (1 - beta2^t)
        p = p - lr m' q sqrt(1 - beta2^t) / (sqrt(v) + eps)      where r > 5, with
            q = sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r))
        p = p - lr m'                                            elsewhere

    With `decoupled_weight_decay`, p = p (1 - lr weight_decay) comes first and g stays as it is.
    Raises ValueError for options outside their range. `foreach` is accepted, changes nothing.

    Source: L. Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020.
    """

    _param_shaped = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        at_least_zero("epsilon value", eps)
        check_betas(betas)
        at_least_zero("weight_decay value", weight_decay)
        check_modes(foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._param_shaped

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        lr, decay, decoupled = (
            number(group["lr"]), group["weight_decay"], group["decoupled_weight_decay"],
        )  # fmt: skip
        beta1, beta2 = map(number, group["betas"])
        rest = 1 - beta2**step
        size, top = lr / (1 - beta1**step), 2 / (1 - beta2) - 1
        r = top - 2 * step * beta2**step / rest
        if r > 5:
            q = (r - 4) * (r - 2) * top / ((top - 4) * (top - 2) * r)
            size *= math.sqrt(q) * math.sqrt(rest)
        return (
            size,
            r > 5,
            group["eps"],
            *lean(beta1),
            beta2,
            1 - beta2,
            1 - lr * decay if decay and decoupled else None,
            decay if decay and not decoupled else None,
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        size, rectified, eps, weight, old, beta2, rest, shrink, decay, maximize = c
        if shrink is not None:
            xp.multiply(p, shrink, p)
        g = decay_gradient(xp, p, g, t, u, decay, maximize)
        m, v = s
        mean(xp, m, g, t, weight, old)
        square_mean(xp, v, g, t, beta2, rest)
        xp.multiply(m, size, t)
        if rectified:
            xp.add(xp.sqrt(v, u), eps, u)
            xp.divide(t, u, t)
        xp.subtract(p, t, p)
