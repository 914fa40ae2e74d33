"""Adamax: Adam with the largest gradient in place of the mean square."""

from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_betas, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient, lean, mean

__all__ = ["Adamax"]


class Adamax(Elementwise):
    """Adamax, Adam in the infinity norm.

    With the gradient g (negated if `maximize`, plus weight_decay p), in step t:

        m = beta1 m + (1 - beta1) g
        n = max(beta2 n, |g| + eps)
        p = p - lr / (1 - beta1^t) m / n

    Raises ValueError for options outside their range. `foreach` is accepted and changes nothing.

    Source: D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015, section 7.
    """

    _param_shaped = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._param_shaped

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        beta1, beta2 = map(number, group["betas"])
        return (
            number(group["lr"]) / (1 - beta1**step),
            group["eps"],
            *lean(beta1),
            beta2,
            group["weight_decay"] or None,
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        size, eps, weight, old, beta2, decay, maximize = c
        g = decay_gradient(xp, p, g, t, u, decay, maximize)
        m, n = s
        mean(xp, m, g, t, weight, old)
        xp.multiply(n, beta2, n)
        xp.maximum(n, xp.add(xp.abs(g, t), eps, t), out=n)
        xp.multiply(m, size, t)
        xp.subtract(p, xp.divide(t, n, t), p)
