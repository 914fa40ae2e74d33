"""Normalization of each sample by itself: over dimensions, groups or neighbouring channels."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ._layer import layer
from ._make import fresh
from .module import Module

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) weight + bias over the last dimensions
    (Ba et al. 2016, arXiv:1607.06450).

    normalized_shape: the lengths of these dimensions. weight (ones at first) and bias (zeros at
    first) have this shape; they are None without `elementwise_affine`, bias with `bias=False`.
    The variance is the biased one.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Iterable[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        add_scale(self, self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        reset_scale(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """y = x / sqrt(mean(x^2) + eps) weight over the last dimensions
    (Zhang and Sennrich 2019, arXiv:1910.07467).

    normalized_shape: the lengths of these dimensions, the shape of weight (ones at first; None
    without `elementwise_affine`). eps None means the dtype's own.
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Iterable[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        new = fresh(*self.normalized_shape, device=device, dtype=dtype)
        self.register_parameter("weight", new if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """y = (x - mean) / sqrt(var + eps) weight + bias over groups of channels of (N, C, *)
    (Wu and He 2018, arXiv:1803.08494).

    The channels are split into num_groups groups, each normalized with its biased variance.
    weight (ones at first) and bias (zeros at first): (num_channels,), None without `affine`.
    ValueError unless num_groups divides num_channels.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        add_scale(self, (num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        reset_scale(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


@layer
class LocalResponseNorm(Module):
    """y_c = x_c / (k + alpha / size sum_j x_j^2)^beta over `size` neighbouring channels j of
    (N, C, *) (Krizhevsky et al. 2012)."""

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def as_shape(shape: int | Iterable[int]) -> tuple[int, ...]:
    """One length, or several, as a tuple."""
    return tuple(shape) if isinstance(shape, Iterable) else (int(shape),)


def add_scale(
    module: Any, shape: tuple[int, ...], affine: bool, bias: bool, device: Any, dtype: Any
) -> None:
    """Register weight and bias of a shape, or None in their places."""
    for name, wanted in (("weight", affine), ("bias", affine and bias)):
        new = fresh(*shape, device=device, dtype=dtype) if wanted else None
        module.register_parameter(name, new)


def reset_scale(module: Any) -> None:
    """Weight 1, bias 0, where there are such."""
    if module.weight is not None:
        init.ones_(module.weight)
    if module.bias is not None:
        init.zeros_(module.bias)
