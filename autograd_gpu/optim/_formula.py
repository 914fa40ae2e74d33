"""The steps that optimizers' formulas have in common, on arrays and without temporaries."""

from typing import Any

import numpy as np

__all__ = ["decay_gradient", "lean", "mean", "square_mean"]

add, multiply, negative, subtract = np.add, np.multiply, np.negative, np.subtract


def decay_gradient(p: Any, g: Any, t: Any, u: Any, decay: Any, maximize: bool) -> Any:
    """(-g if maximize else g) + decay p, in the scratch `u` (`decay` may be None)."""
    if maximize:
        g = negative(g, u)
    return g if decay is None else add(g, multiply(p, decay, t), u)


def lean(beta: float) -> tuple[float, bool]:
    """The constants of `mean`: the weight of what is new, or of what is old where that is less."""
    return (1 - beta, False) if 1 - beta < 0.5 else (1 - (1 - beta), True)


def mean(m: Any, g: Any, t: Any, weight: Any, old: bool) -> None:
    """m = beta m + (1 - beta) g, as m + (1 - beta) (g - m): exact at both ends."""
    subtract(g, m, t)
    multiply(t, weight, t)
    if old:
        subtract(g, t, m)
    else:
        add(m, t, m)


def square_mean(v: Any, g: Any, t: Any, beta: Any, weight: Any) -> None:
    """v = beta v + weight g^2, with weight = 1 - beta; never below zero."""
    multiply(v, beta, v)
    multiply(multiply(g, weight, t), g, t)
    add(v, t, v)
