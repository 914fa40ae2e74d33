"""Losses. reduction is "mean", "sum" or "none"; size_average and reduce are its two old names."""
from __future__ import annotations

from collections.abc import Callable

from ..._core.tensor import Tensor
from .. import functional as F
from ._layer import layer
from .distance import PairwiseDistance
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss",
    "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss",
    "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


# Differences ------------------------------------------------------------------------------------


@layer(show=())
class L1Loss(Module):
    """|input - target|. Both of one shape."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


@layer(show=())
class MSELoss(Module):
    """(input - target)^2. Both of one shape."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


@layer(show=())
class SmoothL1Loss(Module):
    """d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2
    (Girshick 2015, arXiv:1504.08083)."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    beta: float = 1.0

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


@layer(show=())
class HuberLoss(Module):
    """d^2 / 2 where d = |input - target| < delta, else delta (d - delta / 2) (Huber 1964)."""

    reduction: str = "mean"
    delta: float = 1.0

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


# Likelihoods ------------------------------------------------------------------------------------


@layer(show=())
class CrossEntropyLoss(Module):
    """-log softmax(input)[target]: the loss of a classifier that gives scores.

    input: (N, C), (C,) or (N, C, d1, ...). target: class numbers (N,), (), (N, d1, ...), or
    probabilities of input's shape. weight: (C,), one a class. Targets equal to ignore_index do
    not count. label_smoothing: the share of the target that is spread evenly over the classes
    (Szegedy et al. 2015, arXiv:1512.00567).
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"
    label_smoothing: float = 0.0

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


@layer(show=())
class NLLLoss(Module):
    """-input[target] for log-probabilities: (N, C) or (N, C, d1, ...), target as class numbers.

    weight: (C,), one a class. Targets equal to ignore_index do not count.
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


@layer(show=())
class BCELoss(Module):
    """-(t log p + (1 - t) log(1 - p)) for probabilities p, the logarithms not below -100.

    weight: a factor that broadcasts to the input.
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(
            input, target, weight=self.weight, reduction=self.reduction
        )


@layer(show=())
class BCEWithLogitsLoss(Module):
    """`BCELoss` of sigmoid(input), without overflow.

    weight: a factor that broadcasts to the input. pos_weight: a factor of the positive term.
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    pos_weight: Tensor | None = None

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            weight=self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


@layer(show=())
class KLDivLoss(Module):
    """t (log t - input) for log-probabilities `input` and probabilities t.

    log_target: t is given as its logarithm. reduction may also be "batchmean".
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    log_target: bool = False

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


@layer(show=())
class PoissonNLLLoss(Module):
    """e^input - target input for counts `target`; input - target log(input + eps) where
    `log_input` is False. full: with Stirling's approximation of log(target!)."""

    log_input: bool = True
    full: bool = False
    size_average: bool | None = None
    eps: float = 1e-8
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


@layer(show=(), kw_only=True)
class GaussianNLLLoss(Module):
    """(log v + (input - target)^2 / v) / 2 with v = max(var, eps). full: with log(2 pi) / 2."""

    full: bool = False
    eps: float = 1e-6
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


# Margins ----------------------------------------------------------------------------------------


@layer(show=())
class HingeEmbeddingLoss(Module):
    """x where target is 1, max(0, margin - x) where it is -1."""

    margin: float = 1.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction
        )


@layer(show=())
class MarginRankingLoss(Module):
    """max(0, -target (input1 - input2) + margin), target 1 or -1."""

    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


@layer(show=())
class CosineEmbeddingLoss(Module):
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1."""

    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


@layer(show=())
class SoftMarginLoss(Module):
    """log(1 + e^(-target input)), target 1 or -1."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


@layer(show=())
class MultiMarginLoss(Module):
    """sum_i max(0, margin - x_target + x_i)^p / C over the classes i other than the target.

    weight: (C,), one a class. ValueError unless p is 1 or 2.
    """

    p: int = 1
    margin: float = 1.0
    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def __post_init__(self) -> None:
        if self.p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if self.weight is not None and self.weight.dim() != 1:
            raise ValueError(
                "MultiMarginLoss: expected weight to be None or 1D tensor, "
                f"got {self.weight.dim()}D instead"
            )

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        options = {"p": self.p, "margin": self.margin, "weight": self.weight}
        return F.multi_margin_loss(input, target, reduction=self.reduction, **options)


@layer(show=())
class MultiLabelMarginLoss(Module):
    """sum_ij max(0, 1 - x_j + x_i) / C over the target classes j (the numbers before the first
    -1) and all other classes i."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


@layer(show=())
class MultiLabelSoftMarginLoss(Module):
    """The mean over the classes of `BCEWithLogitsLoss`. weight: (C,), one a class."""

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


@layer(show=())
class TripletMarginLoss(Module):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) for the p-norm distance d
    (Balntas et al. 2016). swap: the negative's distance to the positive counts where it is less.

    ValueError unless margin > 0.
    """

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def __post_init__(self) -> None:
        require_margin(self)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        options = {"margin": self.margin, "p": self.p, "eps": self.eps, "swap": self.swap}
        return F.triplet_margin_loss(
            anchor, positive, negative, reduction=self.reduction, **options
        )


@layer(show=(), kw_only=True)
class TripletMarginWithDistanceLoss(Module):
    """`TripletMarginLoss` with a distance of your own, by default `PairwiseDistance`.

    ValueError unless margin > 0.
    """

    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None
    margin: float = 1.0
    swap: bool = False
    reduction: str = "mean"

    def __post_init__(self) -> None:
        require_margin(self)
        if self.distance_function is None:
            del self.distance_function
            self.distance_function = PairwiseDistance()

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        options = {"margin": self.margin, "swap": self.swap, "reduction": self.reduction}
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, **options
        )


def require_margin(loss: TripletMarginLoss | TripletMarginWithDistanceLoss) -> None:
    """A triplet's margin is positive (ValueError)."""
    if loss.margin <= 0:
        raise ValueError(
            f"{type(loss).__name__}: expected margin to be greater than 0, "
            f"got {loss.margin} instead"
        )
