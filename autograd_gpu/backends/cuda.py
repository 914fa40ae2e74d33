"""How matrix products are computed on CUDA devices."""

from importlib.util import find_spec
from typing import Any

from .._core.precision import PRECISION

__all__ = ["is_built", "matmul"]


def is_built() -> bool:
    """Is there what CUDA needs besides a device: is CuPy installed?"""
    return find_spec("cupy") is not None


class _Matmul:
    """`backends.cuda.matmul`: may products be computed less exactly, because that is faster?

    `allow_tf32`: float32 products in TF32, factors with 10 bits of mantissa; False at first.
    `allow_fp16_reduced_precision_reduction`, `allow_bf16_reduced_precision_reduction`: partial sums
    of products of a half type in that type; True at first. A product itself is always added up in
    float32. Only bools can be set (RuntimeError, TypeError), and no other name (AttributeError).
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> bool:
        if name == "allow_tf32":
            return PRECISION.tf32
        if name in _HALVES:
            return _HALVES[name] not in PRECISION.full
        raise AttributeError(f"Unknown attribute {name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "allow_tf32":
            if not isinstance(value, bool):
                raise RuntimeError(
                    f"set_allow_tf32_cublas expects a bool, but got {type(value).__name__}"
                )
            if value is not PRECISION.tf32:
                PRECISION.choose("high" if value else "highest")
        elif name in _HALVES:
            if not isinstance(value, bool):
                raise TypeError(f"{name} expects a bool, but got {type(value)!r}")
            PRECISION.reduce(_HALVES[name], value)
        else:
            raise AttributeError(f"Unknown attribute {name}")


_HALVES = {
    "allow_fp16_reduced_precision_reduction": "e",
    "allow_bf16_reduced_precision_reduction": "E",
}

matmul = _Matmul()
