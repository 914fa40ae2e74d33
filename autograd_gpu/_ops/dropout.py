"""Dropout: random factors of zero and 1 / (1 - p), for each element or for each channel, and the
alpha forms.

Each is a product with noise that is drawn first, so derivatives of any order reuse the noise.
"""

import math
import warnings
from typing import Any

import numpy as np

from .._core.device import device_of, library
from .._core.dtype import of
from .._core.random import default_for, draw, empty_like, in_memory_order
from .._core.random import like as empty
from .._core.random.choices import keep_factor
from .._core.random.counted import random_bernoulli
from .._core.state import recording
from .._core.tensor import Tensor, make
from ..autograd.views import base_of, edge_of, refuse_inplace
from .arithmetic import add, mul
from .declare import Array, composite, op
from .helpers import like, raw
from .random_check import not_implemented

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

# The value that SELU gives far to the left of zero, negated: scale * alpha.
_SELU_FLOOR = 1.7580993408473766


def _apply(
    input: Any,
    p: Any,
    train: bool,
    inplace: bool,
    op: str,
    feature: bool = False,
    alpha: bool = False,
) -> Tensor:
    """The input times noise (alpha: plus a shift), or the input where nothing is dropped."""
    array = input._array
    if feature and array.ndim < 2:
        raise RuntimeError(
            "Feature dropout requires at least 2 dimensions in the input, "
            f"but {op} got {array.ndim}"
        )
    if p == 0 or not train or not array.size:
        return input
    if inplace:
        _may_write(input)
    times = input.mul_ if inplace else lambda factor: mul(input, factor)
    if p == 1:
        return times(make(library(array).zeros((), array.dtype)))
    _check_dtype(array.dtype, alpha)
    gen = default_for(device_of(array))
    if gen.counted and not (inplace or feature or alpha):
        return _native_dropout(input, p, *gen.take(-(-array.size // 4)))
    kept = _draw(array, p, feature, gen)
    if not alpha:
        return times(make(_noise(kept, p, array.dtype)))
    factor, shift = _alpha_noise(kept, p, array.dtype)
    scaled = times(make(factor))
    return scaled.add_(make(shift)) if inplace else add(scaled, make(shift))


def _may_write(input: Tensor) -> None:
    """Refuse what `mul_` would refuse, before numbers are drawn for it."""
    if recording() and edge_of(input) is not None:
        refuse_inplace(input, *base_of(input))


def _check_dtype(dtype: np.dtype, alpha: bool) -> None:
    if dtype.kind == "c":
        raise not_implemented("bernoulli_scalar_cpu_", dtype)
    if dtype.kind in "biu":
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {of(dtype).legacy}"
        )


@op(where=(), node="NativeDropoutBackward0", constants=("mask",), kernel="dropout")
def _native_dropout(xp, input: Array, p, seed, counter):
    """y = x m / (1 - p), m drawn by the counters from `counter` on            dL/dx = g m / (1 - p)

    The mask is that of `random_bernoulli`, in the input's order in memory.
    """
    mask = empty_like(input, np.dtype(np.bool_))
    flat = in_memory_order(mask).reshape(-1)
    random_bernoulli(flat, seed, counter, round((1 - p) * 2**32))
    return input * _noise(mask, p, input.dtype), mask


@composite(kernel="dropout_backward")
def dropout_backward(grad, mask, p):
    """g m / (1 - p)"""
    return grad * like(_noise(raw(mask), p, raw(grad).dtype), grad)


_native_dropout.derivative(input=lambda grad, mask, p: dropout_backward(grad, mask, p))
# of one dimension: which elements stay depends on the order in memory
_native_dropout.samples(lambda t: [
    (t(24), 0.5, 7, 0), (t(9), 0.1, 2**64 - 1, 2**40), (t(0), 0.5, 1, 1),
])  # fmt: skip


def _draw(array: Any, p: float, feature: bool, gen: Any) -> Any:
    """Which elements (channels) stay, in the input's order in memory."""
    if feature:
        shape = *array.shape[:2], *(1,) * (array.ndim - 2)
        kept = empty(array, shape, np.bool_)
    else:
        kept = empty_like(array, np.dtype(np.bool_))
    return draw(kept, gen.bernoulli, 1 - p)


def _two_values(kept: Any, yes: Any, no: Any) -> Any:
    """`yes` where kept and `no` elsewhere, in the order in memory of `kept`."""
    out = empty_like(kept, yes.dtype)
    out[...] = no
    library(kept).copyto(out, yes, where=kept)
    return out


def _noise(kept: Any, p: float, dtype: np.dtype) -> Any:
    return _two_values(kept, keep_factor(p, dtype), dtype.type(0))


def _alpha_noise(kept: Any, p: float, dtype: np.dtype) -> tuple[Any, Any]:
    """Factor and shift: dropped elements become SELU's floor, then all are rescaled.

    Mean 0 and variance 1 stay.
    """
    work = np.float64 if dtype.itemsize == 8 else np.float32
    a = 1.0 / math.sqrt((_SELU_FLOOR * _SELU_FLOOR * p + 1) * (1 - p))

    def rounded(value: Any) -> Any:
        return np.asarray(value).astype(dtype)[()]

    # Step by step as it would go for whole tensors, so that half precision rounds after each.
    down = rounded(rounded(work(-1)).astype(work) * work(_SELU_FLOOR * a))
    dropped = rounded(down.astype(work) + work(_SELU_FLOOR * a * p))
    stays = rounded(work(_SELU_FLOOR * a * p))
    factor = _two_values(kept, rounded(work(a)), dtype.type(0))
    return factor, _two_values(kept, stays, dropped)


def _check(input: Any, p: Any, op: str, error: type[Exception] = ValueError) -> None:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{op}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    if not 0.0 <= p <= 1.0:
        raise error(f"dropout probability has to be between 0 and 1, but got {p}")


@composite(where=("nn.functional",))
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element is zero with probability `p`, else it is divided by 1 - p, so that its mean
    stays.

    y = x m / (1 - p), m = 1 with probability 1 - p, else 0            dL/dx = g m / (1 - p)

    Without `training`, or for p = 0, the input itself. ValueError for a `p` outside [0, 1];
    RuntimeError for integer dtypes. Source: Srivastava and others, "Dropout: a simple way to
    prevent neural networks from overfitting" (2014).
    """
    _check(input, p, "dropout")
    return _apply(input, p, training, inplace, "dropout")


@composite(where=("nn.functional",))
def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, for whole channels of (N, C, L) or (C, L): every element of a channel has one
    fate.

    ValueError for a `p` outside [0, 1]; RuntimeError for another number of dimensions.
    """
    _check(input, p, "dropout1d")
    ndim = input._array.ndim
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input: (N, C, L), "
            "or (C, L) without a batch"
        )
    return _unbatched(input, p, training, inplace, "dropout1d", ndim == 2)


@composite(where=("nn.functional",))
def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, for whole channels of (N, C, H, W): every element of a channel has one fate.

    A 3-D input is taken as (N, C, L), with a warning. ValueError for a `p` outside [0, 1].
    """
    _check(input, p, "dropout2d")
    ndim = input._array.ndim
    if ndim not in (3, 4):
        _warn_dimensions("dropout2d", ndim, "(N, C, H, W)")
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input, which is taken as (N, C, L): channels are "
            "dimension 1. Use dropout1d for that, or give (C, H, W) a batch dimension",
            UserWarning,
            stacklevel=2,
        )
    return _apply(input, p, training, inplace, "dropout2d", feature=True)


@composite(where=("nn.functional",))
def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, for whole channels of (N, C, D, H, W) or (C, D, H, W): every element of a
    channel has one fate.

    ValueError for a `p` outside [0, 1].
    """
    _check(input, p, "dropout3d")
    ndim = input._array.ndim
    if ndim not in (4, 5):
        _warn_dimensions("dropout3d", ndim, "(N, C, D, H, W) or (C, D, H, W)")
    return _unbatched(input, p, training, inplace, "dropout3d", ndim == 4)


def _warn_dimensions(op: str, ndim: int, wanted: str) -> None:
    warnings.warn(
        f"{op}: Received a {ndim}-D input to {op}, which is deprecated: expected {wanted}. Use "
        "dropout for inputs without channels",
        UserWarning,
        stacklevel=3,
    )


def _unbatched(
    input: Tensor, p: float, training: bool, inplace: bool, op: str, alone: bool
) -> Tensor:
    """Channels are dimension 1; an input without a batch gets one for the time being."""
    if not alone:
        return _apply(input, p, training, inplace, op, feature=True)
    batch = input.unsqueeze(0)  # type: ignore[attr-defined]
    result = _apply(batch, p, training, inplace, op, feature=True)
    return input if inplace else result.squeeze(0)  # type: ignore[attr-defined]


@composite(where=("nn.functional",))
def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for nets of SELU: dropped elements take SELU's lowest value, and mean 0 and variance
    1 stay.

    y = x a m + b, where m = 1 with probability 1 - p, a = ((c^2 p + 1)(1 - p))^(-1/2), b = a c (p -
    1 + m), c = 1.758...            dL/dx = g a m

    ValueError for a `p` outside [0, 1]. Source: Klambauer and others, "Self-normalizing neural
    networks" (2017).
    """
    _check(input, p, "alpha_dropout")
    return _apply(input, p, training, inplace, "alpha_dropout", alpha=True)


@composite(where=("nn.functional",))
def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """As `alpha_dropout`, for whole channels: every element of a channel, dimension 1, has one
    fate.

    ValueError for a `p` outside [0, 1]; RuntimeError for fewer than two dimensions.
    """
    _check(input, p, "feature_alpha_dropout")
    return _apply(input, p, training, inplace, "feature_alpha_dropout", feature=True, alpha=True)


# ---- the package's own forms, in which `train` must be given


def _package_form(name: str, inplace: bool, feature: bool, alpha: bool) -> None:
    name += "_" * inplace

    def form(input: Tensor, p: float, train: bool) -> Tensor:
        _check(input, p, name, RuntimeError)
        return _apply(input, p, train, inplace, name, feature, alpha)

    form.__name__ = form.__qualname__ = "_" + name
    where = "in place" if inplace else "in a new tensor"
    form.__doc__ = (
        f"As the dropout of `nn.functional` of this kind, {where}. "
        "RuntimeError for a `p` outside [0, 1]."
    )
    composite(where=("",))(form)


for _inplace in (False, True):
    _package_form("dropout", _inplace, feature=False, alpha=False)
    _package_form("alpha_dropout", _inplace, feature=False, alpha=True)
    _package_form("feature_dropout", _inplace, feature=True, alpha=False)
    _package_form("feature_alpha_dropout", _inplace, feature=True, alpha=True)
