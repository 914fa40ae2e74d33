"""Calls of every op for tests: what a row declares with `.samples`, or what its signature
suggests."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.tensor import Tensor, make
from ..autograd.attributes import requires_grad_

__all__ = ["Maker", "samples_of"]


class Maker:
    """`t(2, 3)` in a row's samples: makes tensors from one seed, in one dtype.

    `t(2, 3, low=0.5, high=2)` is uniform in a domain, else standard normal; `t.int(n, 2, 3)` are
    indices below n, `t.bool` masks, `t.strided` has gaps in memory.
    """

    def __init__(self, dtype: str = "float64", seed: int = 0, requires_grad: bool = True) -> None:
        self.dtype, self.rng, self.requires_grad = (
            np.dtype(dtype),
            np.random.default_rng(seed),
            requires_grad,
        )

    def __call__(self, *shape: Any, low: float | None = None, high: float = 1.0) -> Tensor:
        return self.leaf(self.numbers(shape, low, high))

    def strided(self, *shape: Any, low: float | None = None, high: float = 1.0) -> Tensor:
        """As a call, with a gap after every element and the dimensions in reverse order in
        memory."""
        wide = np.zeros((*shape[::-1][:-1], 2 * shape[0]), self.dtype)
        view = wide[..., ::2].T
        view[...] = self.numbers(shape, low, high)
        return self.leaf(view)

    def fixed(self, *shape: Any, low: float | None = None, high: float = 1.0) -> Tensor:
        """As a call, without a gradient: for arguments that have none (weights of a loss, running
        means)."""
        return make(self.numbers(shape, low, high))

    def int(self, n: Any, *shape: Any) -> Tensor:
        """Integers in [0, n)."""
        return make(np.asarray(self.rng.integers(0, n, shape)))

    def bool(self, *shape: Any) -> Tensor:
        """A mask, about half of it True."""
        return make(np.asarray(self.rng.random(shape) < 0.5))

    def numbers(self, shape: tuple, low: float | None, high: float) -> Any:
        """Random numbers; complex ones have both parts random."""

        def draw() -> Any:
            return (
                self.rng.standard_normal(shape)
                if low is None
                else self.rng.uniform(low, high, shape)
            )

        values = draw() + 1j * draw() if self.dtype.kind == "c" else draw()
        return np.asarray(values).astype(self.dtype)

    def leaf(self, array: Any) -> Tensor:
        """A leaf, which requires grad if the maker says so and the dtype can."""
        out = make(array)
        return requires_grad_(out) if self.requires_grad and self.dtype.kind in "fc" else out


_SHAPES = [((),), ((3,),), ((2, 3, 4),), ((0,),)]
_PAIRS = [
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((0, 3), (1, 3)),
]


def samples_of(entry: Any, t: Maker) -> list[tuple[tuple, dict]]:
    """(args, kwargs) of calls of a table's entry. An empty list for composites that declare
    none."""
    if entry.sampler is not None:
        return [_split(call) for call in entry.sampler(t)]
    kinds = getattr(entry, "kinds", None)
    if (
        kinds is None
        or not entry.where + entry.methods
        or len(entry.params) - len(entry.keywords) != len(kinds)
        or set(kinds.values()) - {"array", "array|float"}
    ):
        return []
    groups: dict[int, list] = {1: _SHAPES, 2: _PAIRS}
    return [(tuple(t(*shape) for shape in shapes), {}) for shapes in groups.get(len(kinds), [])]


def _split(call: Any) -> tuple[tuple, dict]:
    call = call if isinstance(call, tuple) else (call,)
    if call and isinstance(call[-1], dict):
        return call[:-1], call[-1]
    return call, {}


Sampler = Callable[[Maker], list]
