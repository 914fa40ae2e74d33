"""Instance normalization: InstanceNorm1d, InstanceNorm2d, InstanceNorm3d."""
from __future__ import annotations

import warnings
from typing import Any

from ..._core.tensor import Tensor
from .. import functional as F
from .batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    """y = (x - mean) / sqrt(var + eps) weight + bias, for each channel of each sample
    (Ulyanov et al. 2016, arXiv:1607.08022).

    mean and (biased) var are those of the sample; with `track_running_stats` running ones follow
    in training mode and are used in evaluation mode. affine: with weight (ones at first) and,
    unless `bias=False`, bias (zeros at first), both (num_features,). ValueError for inputs of
    another number of dimensions or, if affine, of channels.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.dim() == self.dimensions[0]
        self._check_channels(input, 0 if single else 1)
        batch: Any = input.unsqueeze(0) if single else input
        out = F.instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return out.squeeze(0) if single else out

    def _check_channels(self, input: Tensor, dim: int) -> None:
        channels = input.size(dim)
        if channels == self.num_features:
            return
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features "
                f"({self.num_features}), but got: {channels}."
            )
        warnings.warn(
            f"input's size at dim={dim} does not match num_features. You can silence this "
            "warning by not passing in num_features, which is not used because affine=False",
            stacklevel=4,
        )


class InstanceNorm1d(_InstanceNorm):
    """Instance normalization of (N, C, L) or (C, L)."""

    __doc__ += "\n\n" + (_InstanceNorm.__doc__ or "")
    dimensions = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalization of (N, C, H, W) or (C, H, W)."""

    __doc__ += "\n\n" + (_InstanceNorm.__doc__ or "")
    dimensions = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalization of (N, C, D, H, W) or (C, D, H, W)."""

    __doc__ += "\n\n" + (_InstanceNorm.__doc__ or "")
    dimensions = (4, 5)
