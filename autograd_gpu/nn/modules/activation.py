"""Activations: elementwise functions and softmaxes as layers. Inputs may have any shape."""
from __future__ import annotations

import warnings
from typing import Any

from ..._core.tensor import Tensor
from ..._ops.activation import relu
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ._layer import layer
from .module import Module

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]  # fmt: skip


@layer
class ReLU(Module):
    """y = max(x, 0). The derivative at 0 is 0."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        # The op itself, where it will do: sorting out `inplace` costs as much as a small relu.
        return F.relu(input, True) if self.inplace else relu(input)


@layer
class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope x (Maas et al. 2013)."""

    negative_slope: float = 0.01
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(Module):
    """y = x where x > 0, else a x with a trained a (He et al. 2015, arXiv:1502.01852).

    num_parameters: 1, or the number of channels (dimension 1 of the input) for one a each.
    init: the value that `weight` begins with. Shape of `weight`: (num_parameters,).
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        from ... import empty

        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill `weight` with the value it began with."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


@layer
class ELU(Module):
    """y = x where x > 0, else alpha (e^x - 1) (Clevert et al. 2015, arXiv:1511.07289)."""

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


@layer
class CELU(Module):
    """y = max(0, x) + min(0, alpha (e^(x/alpha) - 1)) (Barron 2017, arXiv:1704.07483)."""

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


@layer
class SELU(Module):
    """y = s x where x > 0, else s a (e^x - 1), with the s and a that keep mean 0 and variance 1
    fixed (Klambauer et al. 2017, arXiv:1706.02515)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


@layer
class GELU(Module):
    """y = x P(X <= x) for a standard normal X (Hendrycks and Gimpel 2016, arXiv:1606.08415).

    approximate: "none" for the exact form, "tanh" for the faster approximation.
    """

    approximate: str = "none"

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)


@layer
class SiLU(Module):
    """y = x sigmoid(x), also called swish (Elfwing et al. 2017, arXiv:1702.03118)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


@layer
class Mish(Module):
    """y = x tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Sigmoid(Module):
    """y = 1 / (1 + e^-x)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class Tanh(Module):
    """y = tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class LogSigmoid(Module):
    """y = log(sigmoid(x)), without overflow or cancellation."""

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Module):
    """y = x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """y = x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


@layer
class Softplus(Module):
    """y = log(1 + e^(beta x)) / beta, and y = x where beta x > threshold."""

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)


class Hardtanh(Module):
    """y = min(max(x, min_val), max_val). The derivative at both bounds is 0.

    min_value and max_value are old names of the bounds and warn (FutureWarning).
    AssertionError unless min_val < max_val.
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        self.min_val = renamed("min_value", "min_val", min_value, min_val)
        self.max_val = renamed("max_value", "max_val", max_value, max_val)
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"min_val={self.min_val}, max_val={self.max_val}{inplace}"


def renamed(old: str, new: str, old_value: float | None, value: float) -> float:
    """The value of an argument that had another name."""
    if old_value is None:
        return value
    warnings.warn(
        f"keyword argument `{old}` is deprecated and renamed to `{new}`",
        FutureWarning,
        stacklevel=3,
    )
    return old_value


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6) (Krizhevsky 2010). The derivative at 0 and at 6 is 0."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def forward(self, input: Tensor) -> Tensor:
        return F.relu6(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


@layer(show=())
class Hardsigmoid(Module):
    """y = min(max(x/6 + 1/2, 0), 1)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


@layer(show=())
class Hardswish(Module):
    """y = x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, arXiv:1905.02244)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


@layer
class Threshold(Module):
    """y = x where x > threshold, else value."""

    threshold: float
    value: float
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)


@layer
class Hardshrink(Module):
    """y = x where |x| > lambd, else 0."""

    lambd: float = 0.5

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


@layer
class Softshrink(Module):
    """y = x - lambd where x > lambd, x + lambd where x < -lambd, else 0."""

    lambd: float = 0.5

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


@layer
class GLU(Module):
    """y = a sigmoid(b) for the two halves a, b of x along `dim` (Dauphin et al. 2016,
    arXiv:1612.08083). RuntimeError where that dimension is odd."""

    dim: int = -1

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)


@layer
class Softmax(Module):
    """y_i = e^(x_i) / sum_j e^(x_j) along `dim`: positive numbers that sum to 1."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)


@layer
class LogSoftmax(Module):
    """y_i = x_i - log(sum_j e^(x_j)) along `dim`: the logarithm of a softmax."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)


@layer
class Softmin(Module):
    """The softmax of -x along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """The softmax over the channels at each place of an image: (N, C, H, W) or (C, H, W).

    ValueError for inputs of another number of dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3)
