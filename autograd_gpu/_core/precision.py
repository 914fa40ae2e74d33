"""How exact matrix products of float32 and of half types have to be on a GPU."""

import warnings
from typing import Any

__all__ = ["PRECISION", "get_float32_matmul_precision", "set_float32_matmul_precision"]

_LEVELS = ("highest", "high", "medium")


class Precision:
    """What programs chose: `level` of float32 products, and whether partial sums of a half type
    may be kept in that type. `full` holds the dtype characters of those that may not."""

    __slots__ = ("full", "level", "tf32")
    level: str
    tf32: bool
    full: frozenset[str]

    def __init__(self) -> None:
        """PyTorch's defaults."""
        self.choose("highest")
        self.full = frozenset()

    def choose(self, level: str) -> None:
        """Set the level; all but "highest" allow TF32."""
        self.level, self.tf32 = level, level != "highest"

    def reduce(self, char: str, allowed: bool) -> None:
        """Say whether partial sums of a type may be kept in it."""
        self.full = self.full - {char} if allowed else self.full | {char}


PRECISION = Precision()


def set_float32_matmul_precision(precision: str) -> None:
    """How exact float32 matrix products are on a GPU: "highest" uses float32 throughout; "high" and
    "medium" allow TF32, which rounds the factors to 10 bits of mantissa and is faster.

    On a CPU products are always exact. RuntimeError for what is no string; another string warns and
    changes nothing.
    """
    given: Any = precision
    if not isinstance(given, str):
        raise RuntimeError(
            f"set_float32_matmul_precision expects a str, but got {type(given).__name__}"
        )
    if given not in _LEVELS:
        warnings.warn(
            f"set_float32_matmul_precision: {given!r} is none of {', '.join(map(repr, _LEVELS))}; "
            "nothing was changed",
            stacklevel=2,
        )
        return
    PRECISION.choose(given)


def get_float32_matmul_precision() -> str:
    """How exact float32 matrix products are on a GPU: see `set_float32_matmul_precision`."""
    return PRECISION.level
