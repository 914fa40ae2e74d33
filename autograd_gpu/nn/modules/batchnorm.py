"""Batch normalization: BatchNorm1d, BatchNorm2d, BatchNorm3d."""
from __future__ import annotations

from typing import Any

from ..._core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ._make import fresh
from .module import Module

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class _NormBase(Module):
    """What batch and instance normalization share: parameters and running statistics."""

    _version = 2
    dimensions: tuple[int, ...] = ()
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Any                # Tensors, or None without running statistics
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        from ... import long, ones, tensor, zeros

        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", fresh(num_features, **where) if affine else None)
        both = affine and bias
        self.register_parameter("bias", fresh(num_features, **where) if both else None)
        mean = var = count = None
        if track_running_stats:
            mean, var = zeros(num_features, **where), ones(num_features, **where)
            count = tensor(0, dtype=long, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1, count 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget all batches; weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.dimensions:
            expected = " or ".join(f"{n}D" for n in self.dimensions)
            raise ValueError(f"expected {expected} input (got {input.dim()}D input)")

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        # Files of before version 2 have no count of batches: the module's own stays.
        key = f"{prefix}num_batches_tracked"
        count = self.num_batches_tracked
        if local_metadata.get("version") in (None, 1) and count is not None:
            state_dict.setdefault(key, count.detach().clone())
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    _load_from_state_dict.writes_nothing_itself = True  # type: ignore[attr-defined]

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """y = (x - mean) / sqrt(var + eps) weight + bias, for each channel (dimension 1).

    In training mode mean and (biased) var are those of the batch, and the running ones follow:
    running = (1 - momentum) running + momentum batch, with the unbiased variance; momentum None
    means the plain average over all batches. In evaluation mode, unless
    `track_running_stats=False`, the running ones are used (Ioffe and Szegedy 2015,
    arXiv:1502.03167).

    affine: with weight (ones at first) and, unless `bias=False`, bias (zeros at first), both
    (num_features,). ValueError for inputs of another number of dimensions, and for one value a
    channel in training mode.
    """

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        factor = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                factor = 1.0 / float(self.num_batches_tracked)
        measured = self.training or (self.running_mean is None and self.running_var is None)
        tracked = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            measured,
            factor,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalization of (N, C) or (N, C, L)."""

    __doc__ += "\n\n" + (_BatchNorm.__doc__ or "")
    dimensions = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of (N, C, H, W)."""

    __doc__ += "\n\n" + (_BatchNorm.__doc__ or "")
    dimensions = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalization of (N, C, D, H, W)."""

    __doc__ += "\n\n" + (_BatchNorm.__doc__ or "")
    dimensions = (5,)
