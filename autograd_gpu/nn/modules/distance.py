"""Distances between vectors: CosineSimilarity, PairwiseDistance."""
from __future__ import annotations

from ..._core.tensor import Tensor
from .. import functional as F
from ._layer import layer
from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


@layer(show=())
class CosineSimilarity(Module):
    """x1 . x2 / (|x1| |x2|) along `dim`, each norm not below eps."""

    dim: int = 1
    eps: float = 1e-8

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last dimension, which `keepdim` keeps as 1."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
