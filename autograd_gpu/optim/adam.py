"""Adam: steps scaled by running means of the gradient and of its square."""

import math
from collections.abc import Iterable
from typing import Any

from .._core.tensor import Tensor
from ._check import at_least_zero, check_betas, check_lr, check_modes, number
from ._elementwise import Elementwise
from ._formula import decay_gradient, lean, mean, square_mean

__all__ = ["Adam"]


class Adam(Elementwise):
    """Adam, for stochastic objectives.

    With the gradient g (negated if `maximize`, plus weight_decay p), in step t:

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2           (amsgrad: the largest v so far is used below)
        p = p - lr m' / (sqrt(v') + eps),       m' = m / (1 - beta1^t),  v' = v / (1 - beta2^t)

    With `decoupled_weight_decay`, p = p (1 - lr weight_decay) comes first and g stays as it is.
    Parameters of any floating or complex dtype (real and imaginary parts are updated apart).
    `foreach` and `fused` are accepted and change nothing. Raises ValueError for options outside
    their range.

    Source: D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015; amsgrad:
    S. Reddi et al., On the convergence of Adam and beyond, ICLR 2018.
    """

    _fused = "adam"
    _param_shaped = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        check_lr(lr)
        at_least_zero("epsilon value", eps)
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        check_betas(betas)
        at_least_zero("weight_decay value", weight_decay)
        check_modes(foreach=foreach, differentiable=differentiable, fused=fused)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._param_shaped if group["amsgrad"] else self._param_shaped[:2]

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        lr, decay = number(group["lr"]), number(group["weight_decay"])
        beta1, beta2 = map(number, group["betas"])
        # m' / (sqrt(v') + eps) = root m / (1 - beta1^t) / (sqrt(v) + root eps): an operation less
        root = math.sqrt(1 - beta2**step)
        decoupled = group["decoupled_weight_decay"]
        return (
            lr * root / (1 - beta1**step),
            group["eps"] * root,
            *lean(beta1),
            beta2,
            1 - beta2,
            1 - lr * decay if decay and decoupled else None,
            decay if decay and not decoupled else None,
            bool(group["maximize"]),
        )

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        size, eps, weight, old, beta2, rest, shrink, decay, maximize = c
        if shrink is not None:
            xp.multiply(p, shrink, p)
        if maximize or decay is not None:
            g = decay_gradient(xp, p, g, t, u, decay, maximize)
        m, v = s[0], s[1]
        mean(xp, m, g, t, weight, old)
        square_mean(xp, v, g, t, beta2, rest)
        if len(s) == 3:
            v = xp.maximum(s[2], v, out=s[2])
        xp.add(xp.sqrt(v, t), eps, t)
        xp.multiply(xp.divide(m, t, t), size, t)
        xp.subtract(p, t, p)
