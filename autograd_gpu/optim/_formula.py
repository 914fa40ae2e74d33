"""The steps that optimizers' formulas have in common, on arrays and without temporaries; `xp` is
their library."""

from typing import Any

__all__ = ["decay_gradient", "lean", "mean", "square_mean"]


def decay_gradient(xp: Any, p: Any, g: Any, t: Any, u: Any, decay: Any, maximize: bool) -> Any:
    """(-g if maximize else g) + decay p, in the scratch `u` (`decay` may be None)."""
    if maximize:
        g = xp.negative(g, u)
    return g if decay is None else xp.add(g, xp.multiply(p, decay, t), u)


def lean(beta: float) -> tuple[float, bool]:
    """The constants of `mean`: the weight of what is new, or of what is old where that is less."""
    return (1 - beta, False) if 1 - beta < 0.5 else (1 - (1 - beta), True)


def mean(xp: Any, m: Any, g: Any, t: Any, weight: Any, old: bool) -> None:
    """m = beta m + (1 - beta) g, as m + (1 - beta) (g - m): exact at both ends."""
    xp.subtract(g, m, t)
    xp.multiply(t, weight, t)
    if old:
        xp.subtract(g, t, m)
    else:
        xp.add(m, t, m)


def square_mean(xp: Any, v: Any, g: Any, t: Any, beta: Any, weight: Any) -> None:
    """v = beta v + weight g^2, with weight = 1 - beta; never below zero."""
    xp.multiply(v, beta, v)
    xp.multiply(xp.multiply(g, weight, t), g, t)
    xp.add(v, t, v)
