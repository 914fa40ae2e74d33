"""How many floating-point operations an op does, for those where PyTorch's profiler says it."""

from math import prod
from typing import Any

__all__ = ["flops_of"]

_PRODUCTS = {
    "mm", "bmm", "mv", "dot", "addmm", "baddbmm", "addmv", "_linear", "_linear_bias", "_batched",
    "_folded", "_batched_mv", "_vm",
}  # fmt: skip
"""Rows that multiply matrices: a result's element takes n products and as many sums."""


def flops_of(gate: Any, args: tuple, results: list) -> int:
    """2 n an element for products that sum over n, 1 an element for `add` and `mul`, 0 for what is
    not counted."""
    if not results:
        return 0
    name = gate.entry.name if gate.entry is not None else gate.name.partition("::")[2]
    elements = prod(results[0]._array.shape)
    if name in ("add", "mul", "add_", "mul_"):
        return elements
    shapes = [t._array.shape for t in args if hasattr(t, "_array")]
    if name in _PRODUCTS and len(shapes) > 1:
        added = name in ("addmm", "addmv", "baddbmm", "_linear_bias")
        return 2 * elements * shapes[added][-1]
    if name == "_convolution" and len(shapes) > 1:
        return 2 * elements * prod(shapes[1][1:])
    return 0
