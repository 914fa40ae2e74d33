"""Checks of optimizers' options, with PyTorch's messages."""

from typing import Any

from .._core.tensor import Tensor

__all__ = ["at_least_zero", "check_betas", "check_lr", "check_modes", "number"]


def number(value: Any) -> float:
    """A Python number; a Tensor of one element gives its element."""
    return value.item() if isinstance(value, Tensor) else value


def check_lr(lr: Any) -> None:
    """ValueError for a negative learning rate, or a Tensor with more than one element."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    at_least_zero("learning rate", number(lr), lr)


def at_least_zero(name: str, value: Any, shown: Any = None) -> None:
    """ValueError for what is below zero (or NaN)."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {name}: {value if shown is None else shown}")


def check_betas(betas: Any) -> None:
    """ValueError where a decay rate lies outside [0, 1)."""
    for i in range(2):
        if not 0.0 <= number(betas[i]) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_modes(*, foreach: Any, differentiable: Any, fused: Any = None) -> None:
    """Refuse what would change the result; `foreach` and `fused` only choose how it is computed."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise NotImplementedError(
            "differentiable=True is not supported: the step works on arrays and records no "
            "graph. Write the update as tensor operations to differentiate through it."
        )
