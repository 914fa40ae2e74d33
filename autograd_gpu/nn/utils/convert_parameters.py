"""All parameters as one vector, and back."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._core.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other, as one vector (differentiable)."""
    from ... import cat

    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give each parameter its stretch of a vector as data; they share memory with it.

    TypeError if vec is no tensor, RuntimeError if it is too short; then nothing is changed.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    listed: list[Any] = list(parameters)
    wanted = sum(parameter.numel() for parameter in listed)
    if vec.numel() < wanted:
        raise RuntimeError(
            f"the vector has {vec.numel()} elements, but the parameters have {wanted}: "
            f"shape '[{wanted}]' is invalid for input of size {vec.numel()}"
        )
    start = 0
    for parameter in listed:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view(parameter.shape).data
        start = end
