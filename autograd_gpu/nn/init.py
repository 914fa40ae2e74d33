"""First values of parameters: fills in place that give PyTorch's numbers for the same seed.

Every function changes its tensor, without recording, and returns it. Where there is `generator`,
it draws the numbers; the default one otherwise.
"""
from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .._core.state import modes
from .._core.tensor import Tensor, make
from ..autograd.grad_mode import no_grad
from ..autograd.mutation import record_write
from ..autograd.saving import before_write

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_",
    "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_",
    "xavier_uniform_", "zeros_",
]  # fmt: skip

GAINS = {
    **dict.fromkeys(
        ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
         "conv_transpose3d", "sigmoid"), 1),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the size of signals through a nonlinearity.

    1 for linear maps, convolutions and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu,
    sqrt(2 / (1 + a^2)) for leaky_relu with slope a = param, 0.01 by default.
    ValueError for other names and for a slope that is no number.
    """
    if nonlinearity in GAINS:
        return GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, (int, float)):
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + slope**2))


# Constants --------------------------------------------------------------------------------------


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity, as far as it is square. ValueError unless it has 2 dimensions."""
    require_matrix(tensor)
    if modes:
        before_write(tensor)
    array = tensor._array
    array[...] = 0
    np.fill_diagonal(array, 1)
    record_write(array)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution's weight (3 to 5 dimensions) the identity on as many channels as it can.

    groups: so many blocks of output channels that are alike. ValueError for other numbers of
    dimensions, and where groups does not divide the output channels.
    """
    array = tensor._array
    if array.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if array.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    block = array.shape[0] // groups
    if modes:
        before_write(tensor)
    centre = tuple(length // 2 for length in array.shape[2:])
    array[...] = 0
    for group in range(groups):
        for channel in range(min(block, array.shape[1])):
            array[(group * block + channel, channel, *centre)] = 1
    record_write(array)
    return tensor


# Distributions ----------------------------------------------------------------------------------


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers uniform in [a, b). RuntimeError unless a <= b."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None
) -> Tensor:
    """Fill with normal numbers. RuntimeError unless std >= 0."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fill with normal numbers, drawn again while they are outside [a, b].

    Where less than 0.3 of the distribution lies inside, candidates are drawn uniformly from
    [a, b] and accepted with probability p(x) / max p. UserWarning where [a, b] is more than
    2 std away from mean.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            stacklevel=2,
        )
    inside = below((b - mean) / std) - below((a - mean) / std)
    if inside > 0.3:
        values = redrawn_normal(tensor, mean, std, a, b, generator)
    else:
        values = accepted_uniform(tensor, mean, std, a, b, generator)
    if modes:
        before_write(tensor)
    tensor._array[...] = values
    record_write(tensor._array)
    return tensor


def below(x: float) -> float:
    """The probability that a standard normal number is less than x."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def redrawn_normal(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Any:
    """Normal numbers; while any is outside, all are drawn anew and those outside replaced."""
    kind = tensor._array.dtype.type
    values = drawn(tensor, "normal_", mean, std, generator)
    while True:
        outside = (values < kind(a)) | (values > kind(b))
        if not outside.any():
            return values
        values = np.where(outside, drawn(tensor, "normal_", mean, std, generator), values)


def accepted_uniform(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Any:
    """Uniform candidates, accepted by their density in proportion to the largest in [a, b]."""
    kind = tensor._array.dtype.type
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values, pending = np.empty_like(tensor._array), np.ones_like(tensor._array, bool)
    while pending.any():
        candidates = drawn(tensor, "uniform_", a, b, generator)
        values = np.where(pending, candidates, values)
        distance = (candidates - kind(mean)) / kind(std)
        log_density = distance * distance * kind(-0.5) - kind(peak)
        chance = drawn(tensor, "uniform_", 0.0, 1.0, generator)
        with np.errstate(divide="ignore"):
            rejected = np.log(chance.astype(np.float64)).astype(kind) > log_density
        pending = pending & rejected
    return values


def drawn(tensor: Tensor, fill: str, first: float, second: float, generator: Any) -> Any:
    """A new array like the tensor's, filled by one of its in-place methods."""
    fresh: Any = make(np.empty_like(tensor._array))
    return getattr(fresh, fill)(first, second, generator=generator)._array


# By the number of connections -------------------------------------------------------------------


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output has, and how many outputs an input, for a weight (out, in, *).

    ValueError for fewer than 2 dimensions.
    """
    shape = tensor._array.shape
    if len(shape) < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in +-gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    ValueError for fewer than 2 dimensions.
    """
    std = xavier_std(tensor, gain)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with std gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    ValueError for fewer than 2 dimensions.
    """
    return normal_(tensor, 0.0, xavier_std(tensor, gain), generator)


def xavier_std(tensor: Tensor, gain: float) -> float:
    """gain sqrt(2 / (fan_in + fan_out))."""
    return gain * math.sqrt(2.0 / float(sum(fans(tensor))))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform in +-gain sqrt(3 / fan) (He et al. 2015, arXiv:1502.01852).

    mode: "fan_in" keeps the variance forward, "fan_out" backward. The gain is that of the
    nonlinearity, a its slope (see `calculate_gain`). ValueError for fewer than 2 dimensions and
    for other modes. A tensor without elements is left alone, with a warning.
    """
    if empty(tensor):
        return tensor
    std = kaiming_std(tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal with std gain / sqrt(fan) (He et al. 2015, arXiv:1502.01852).

    The arguments and errors are those of `kaiming_uniform_`.
    """
    if empty(tensor):
        return tensor
    return normal_(tensor, 0.0, kaiming_std(tensor, a, mode, nonlinearity), generator)


def kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """gain / sqrt(fan)."""
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def empty(tensor: Tensor) -> bool:
    """Warn of a tensor without elements."""
    if 0 not in tensor._array.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


# Matrices ---------------------------------------------------------------------------------------


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Make the rows or the columns, whichever are fewer, orthogonal, of length gain
    (Saxe et al. 2013, arXiv:1312.6120). Further dimensions are flattened into the columns.

    The normal numbers are PyTorch's, their QR decomposition is that of the LAPACK at hand (equal
    to about 1e-5). ValueError for fewer than 2 dimensions.
    """
    array = tensor._array
    if array.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if array.size == 0:
        return tensor
    rows = array.shape[0]
    flat: Any = make(np.empty_like(array, shape=(rows, array.size // rows), order="C"))
    numbers = flat.normal_(0, 1, generator=generator)._array
    wide = rows < numbers.shape[1]
    q, r = np.linalg.qr(numbers.T if wide else numbers)
    q = q * np.sign(np.diagonal(r))
    if modes:
        before_write(tensor)
    array[...] = ((q.T if wide else q) * array.dtype.type(gain)).reshape(array.shape)
    record_write(array)
    return tensor


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None
) -> Tensor:
    """Normal numbers in a matrix, with a share `sparsity` of each column zeroed (Martens 2010).

    Which are zeroed is drawn from the default generator. ValueError unless it has 2 dimensions.
    """
    from .. import randperm

    require_matrix(tensor)
    rows, columns = tensor._array.shape
    normal_(tensor, 0, std, generator)
    zeros = math.ceil(sparsity * rows)
    if modes:
        before_write(tensor)
    for column in range(columns):
        tensor._array[randperm(rows)._array[:zeros], column] = 0
    record_write(tensor._array)
    return tensor


def require_matrix(tensor: Tensor) -> None:
    """ValueError unless there are 2 dimensions."""
    if tensor._array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
