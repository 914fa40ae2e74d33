"""gradcheck's fast mode: random projections v^T J u of the Jacobians instead of all their
numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.tensor import Tensor
from .analytical import check_repeatable, gradients, jacobians, seed_of
from .numerical import along, host, jacobian, of_part

__all__ = ["Projections", "explained"]


def _unit(rng: Any, array: Any) -> np.ndarray:
    """Positive numbers of length 1, so that no two of a Jacobian's errors cancel by sign of
    these."""
    values = rng.random(array.shape)
    return values / (np.linalg.norm(values) or 1)


class Projections:
    """One direction an input, one weight an output; complex inputs have two directions, of their
    real and their imaginary parts."""

    def __init__(
        self, func: Callable, args: tuple, leaves: list[int], outs: list[Tensor], eps: float
    ) -> None:
        rng = np.random.default_rng(0)
        arrays = [args[i]._array for i in leaves]
        self.directions = [
            (_unit(rng, a), _unit(rng, a)) if a.dtype.kind == "c" else _unit(rng, a) for a in arrays
        ]
        self.weights = [_unit(rng, o._array).reshape(-1) for o in outs]
        self.outs, self.targets = outs, [args[i] for i in leaves]
        self.slopes = [
            along(func, args, i, eps, u) for i, u in zip(leaves, self.directions, strict=True)
        ]

    def numerical(self, place: int, place_in_all: int, part: str) -> list[Any]:
        """v^T J u of an output, by finite differences: a number for each input."""
        weight = self.weights[place]
        return [of_part(found[place_in_all], part) @ weight for found in self.slopes]

    def analytical(self, place: int, part: str, tolerance: float) -> list[Any]:
        """The same by two backward passes, which must agree."""
        out = self.outs[place]
        values = self.weights[place] * (1j if part == "imaginary" else 1)
        seeds = seed_of(out, values), seed_of(out, values)
        first, second = (
            [g if g is None else host(g) for g in gradients(out, self.targets, seed)]
            for seed in seeds
        )
        check_repeatable(first, second, tolerance)
        return [
            0.0 if g is None else _projected(g, u)
            for g, u in zip(first, self.directions, strict=True)
        ]

    def slack(self, place: int, index: int, atol: float) -> float:
        """`atol`, meant for each number of a Jacobian, for their weighted sum."""
        u = self.directions[index]
        total = u[0].sum() + u[1].sum() if isinstance(u, tuple) else u.sum()
        return atol * float(total) * float(self.weights[place].sum())


def _projected(gradient: np.ndarray, direction: Any) -> Any:
    if isinstance(direction, tuple):
        real, imaginary = (u.reshape(-1) for u in direction)
        return gradient.real @ real + 1j * (gradient.imag @ imaginary)
    return gradient @ direction.reshape(-1)


def explained(
    func: Callable, args: tuple, index: int, out: Tensor, place_in_all: int, part: str,
    eps: float, atol: float, rtol: float,
) -> str:  # fmt: skip
    """Both Jacobians number by number, for the message of a projection that differs."""
    numerical = of_part(jacobian(func, args, index, eps)[place_in_all], part)
    analytical = jacobians(out, [args[index]], part)[0]
    text = (
        "\nThe above quantities relating the numerical and analytical jacobians are computed in "
        "fast mode. In slow mode they are:\n\n"
        f"Numerical:\n {numerical}\nAnalytical:\n{analytical}\n\n"
        "The max per-element difference (slow mode) is: "
        f"{np.abs(numerical - analytical).max(initial=0)}.\n"
    )
    if np.allclose(analytical, numerical, rtol, atol):
        text += (
            "Fast gradcheck failed but element-wise differences are small: the check may pass "
            "with fast_mode=False.\n"
        )
    return text
