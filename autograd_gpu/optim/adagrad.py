"""Adagrad: steps divided by the root of the sum of all squared gradients."""

from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient
from ._state import filled_like, step_tensor

__all__ = ["Adagrad"]


class Adagrad(Elementwise):
    """Adagrad.

    With the gradient g (negated if `maximize`, plus weight_decay p), in step t:

        a = a + g^2
        p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(a) + eps)

    The sum a starts at `initial_accumulator_value`. Raises ValueError for options below zero.
    `foreach` and `fused` are accepted and change nothing.

    Source: J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and
    stochastic optimization, JMLR 2011.
    """

    _param_shaped = ("sum",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        at_least_zero("lr_decay value", lr_decay)
        at_least_zero("weight_decay value", weight_decay)
        at_least_zero("initial_accumulator_value value", initial_accumulator_value)
        at_least_zero("epsilon value", eps)
        check_modes(foreach=foreach, differentiable=differentiable, fused=fused)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters; their sums exist from the start, as in PyTorch."""
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            self.state[p].update(self._begin(p, self.param_groups[-1]))

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._param_shaped

    def _begin(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        start = group["initial_accumulator_value"]
        if p.is_complex():
            start = complex(start, start)  # real and imaginary parts are updated apart
        return {"step": step_tensor(), "sum": filled_like(p, start)}

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        return (
            number(group["lr"]) / (1 + (step - 1) * group["lr_decay"]),
            group["eps"],
            group["weight_decay"] or None,
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        size, eps, decay, maximize = c
        g = decay_gradient(xp, p, g, t, u, decay, maximize)
        xp.add(s[0], xp.multiply(g, g, t), s[0])
        xp.add(xp.sqrt(s[0], t), eps, t)
        xp.multiply(xp.divide(g, t, t), size, t)
        xp.subtract(p, t, p)
