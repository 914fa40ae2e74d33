"""Dropout: random zeros in training mode, nothing in evaluation mode."""
from __future__ import annotations

from ..._core.tensor import Tensor
from .. import functional as F
from ._layer import layer
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


@layer
class _Dropout(Module):
    """What all of them are made of: the probability `p` of a zero, and `inplace`."""

    p: float = 0.5
    inplace: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(
                f"dropout probability has to be between 0 and 1, but got {self.p}"
            )

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Each element is zeroed with probability p, the others are scaled by 1 / (1 - p)
    (Hinton et al. 2012, arXiv:1207.0580). In evaluation mode the identity.

    ValueError unless 0 <= p <= 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Each channel of (N, C, L) or (C, L) is zeroed as a whole with probability p
    (Tompson et al. 2015, arXiv:1411.4280). ValueError unless 0 <= p <= 1."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Each channel of (N, C, H, W) is zeroed as a whole with probability p
    (Tompson et al. 2015, arXiv:1411.4280). ValueError unless 0 <= p <= 1."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Each channel of (N, C, D, H, W) is zeroed as a whole with probability p
    (Tompson et al. 2015, arXiv:1411.4280). ValueError unless 0 <= p <= 1."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for SELU nets: elements take SELU's lower limit, and an affine map keeps mean 0 and
    variance 1 (Klambauer et al. 2017, arXiv:1706.02515). ValueError unless 0 <= p <= 1."""

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels. ValueError unless 0 <= p <= 1."""

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
