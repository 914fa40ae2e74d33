"""NAdam: Adam with Nesterov's momentum."""

import math
from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_betas, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient, lean, mean, square_mean
from ._state import step_tensor

__all__ = ["NAdam"]


class NAdam(Elementwise):
    """NAdam.

    With the gradient g (negated if `maximize`, plus weight_decay p), in step t:

        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),     P_t = mu_1 mu_2 ... mu_t
        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        d = sqrt(v / (1 - beta2^t)) + eps
        p = p - lr ((1 - mu_t) / (1 - P_t) g + mu_(t+1) / (1 - P_(t+1)) m) / d

    With `decoupled_weight_decay`, p = p (1 - lr weight_decay) comes first and g stays as it is.
    Raises ValueError for options outside their range. `foreach` is accepted, changes nothing.

    Source: T. Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
    """

    _param_shaped = ("exp_avg", "exp_avg_sq")
    _same_constants = False  # P_t is a parameter's own

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        at_least_zero("momentum_decay value", momentum_decay)
        check_modes(foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._param_shaped

    def _begin(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = super()._begin(p, group)
        return {"step": state.pop("step"), "mu_product": step_tensor(1.0), **state}

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        lr, decay, decoupled = (
            number(group["lr"]), group["weight_decay"], group["decoupled_weight_decay"],
        )  # fmt: skip
        beta1, beta2 = map(number, group["betas"])
        mu, mu_next = (
            beta1 * (1.0 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)
        )
        product = state["mu_product"]._array
        product *= mu
        return (
            lr * (1.0 - mu) / (1.0 - product.item()),
            lr * mu_next / (1.0 - product.item() * mu_next),
            1 / math.sqrt(1 - beta2**step),
            group["eps"],
            *lean(beta1),
            beta2,
            1 - beta2,
            1 - lr * decay if decay and decoupled else None,
            decay if decay and not decoupled else None,
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        of_g, of_m, root, eps, weight, old, beta2, rest, shrink, decay, maximize = c
        if shrink is not None:
            xp.multiply(p, shrink, p)
        g = decay_gradient(xp, p, g, t, u, decay, maximize)
        m, v = s
        mean(xp, m, g, t, weight, old)
        square_mean(xp, v, g, t, beta2, rest)
        xp.multiply(g, of_g, u)
        xp.add(u, xp.multiply(m, of_m, t), u)
        xp.add(xp.multiply(xp.sqrt(v, t), root, t), eps, t)
        xp.subtract(p, xp.divide(u, t, t), p)
