"""Layers that multiply by a weight: linear, bilinear."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .declare import Array, composite, op
from .helpers import conj
from .matmul import _batched, _folded, _rows, matmul, mm, transposed_rows
from .products import addmm
from .reduce import _sum
from .shape import t
from .summing import add_reduce

__all__ = ["bilinear", "linear"]


class _Unusual(Exception):
    """The shapes or dtypes are not those of the fused op: the call is made of others, which also
    have the errors.
    """


def _fused(xp: Any, input: Any, weight: Any) -> Any:
    """x W^T in rows, as one product."""
    if weight.ndim != 2 or weight.dtype is not input.dtype or input.dtype.char not in "fd":
        _refuse(input, weight)
    try:
        if input.ndim <= 2:
            return input.dot(weight.T)
        lead, k = input.shape[:-1], input.shape[-1]
        return input.reshape(math.prod(lead), k).dot(weight.T).reshape(*lead, len(weight))
    except ValueError:
        raise _Unusual from None


def _refuse(input: Any, weight: Any) -> None:
    if (
        weight.ndim != 2
        or input.dtype != weight.dtype
        or input.dtype.char not in "fd"
        or not input.ndim
    ):
        raise _Unusual


@op(where=(), node="MmBackward0", kernel="linear")
def _linear(xp, input: Array, weight: Array):
    """See `linear`."""
    return _fused(xp, input, weight)


@op(where=(), node="AddmmBackward0", kernel="linear_bias")
def _linear_bias(xp, bias: Array, input: Array, weight: Array):
    """See `linear`. As in `addmm` what is added comes first, and gets its gradient first."""
    if bias.ndim != 1 or bias.dtype != input.dtype or bias.shape[0] != weight.shape[0]:
        raise _Unusual
    out = _fused(xp, input, weight)
    out += bias
    return out


def _input_gradient(grad, weight):
    """g W"""
    if grad.ndim == 2:
        return grad.dot(weight) if grad.__class__ is np.ndarray else mm(grad, weight)
    return matmul(grad, weight)


def _weight_gradient(grad, input):
    """g^T x, of all rows"""
    if grad.__class__ is np.ndarray and grad.ndim == 2:
        return grad.T.dot(input)
    return transposed_rows(grad, input)


@lru_cache(64)
def _ones(n: int, dtype: np.dtype) -> Any:
    return np.ones(n, dtype)


def _bias_gradient(grad):
    """The sum of g over the rows, as a product with ones: BLAS adds in blocks, so it is also
    accurate.
    """
    if grad.__class__ is np.ndarray:
        if grad.ndim == 2 and len(grad) <= 4096:
            return _ones(len(grad), grad.dtype).dot(grad)
        return add_reduce(np, _rows(grad, grad.shape[-1]), 0, False)
    return _sum(_rows(grad, grad.shape[-1]), 0)


_linear.derivative(
    input=lambda grad, weight: _input_gradient(grad, weight),
    weight=lambda grad, input: _weight_gradient(grad, input),
)
_linear_bias.derivative(
    bias=lambda grad: _bias_gradient(grad),
    input=lambda grad, weight: _input_gradient(grad, weight),
    weight=lambda grad, input: _weight_gradient(grad, input),
)


@composite(where=("nn.functional",))
def linear(input, weight, bias=None):
    """An affine map of the last dimension.

    y = x W^T + b            dL/dx = g W,  dL/dW = g^T x,  dL/db = sum g

    input: (*, in), weight: (out, in) or (in,), bias: (out,) or (); output: (*, out) or (*).
    RuntimeError for sizes that do not fit and for different dtypes.
    """
    try:
        return _linear(input, weight) if bias is None else _linear_bias(bias, input, weight)
    except _Unusual:
        return _composed(input, weight, bias)


def _composed(input: Any, weight: Any, bias: Any) -> Any:
    if weight.ndim == 1:
        out = matmul(input, weight)
        return out if bias is None else out + bias
    if input.ndim == 2 and bias is not None:
        return addmm(bias, input, t(weight))
    if input.ndim <= 2:
        out = matmul(input, t(weight))
    else:
        out = _folded(input, t(weight))
    return out if bias is None else out + bias


@op(where=(), node="TrilinearBackward0")
def _trilinear(xp, input1: Array, weight: Array, input2: Array):
    """y_nk = sum_ij x1_ni W_kij x2_nj; see `bilinear`."""
    k, i, j = weight.shape
    left = mm(input1, weight.transpose(1, 0, 2).reshape(i, k * j)).reshape(len(input1), k, j)
    return _batched(left, input2[:, :, None])[:, :, 0]


def _trilinear_left(grad, weight, input2):
    """dL/dx1_ni = sum_kj g_nk W_kij* x2_nj*"""
    from .shape import _permute

    return _trilinear(grad, _permute(conj(weight), (1, 0, 2)), conj(input2))


def _trilinear_right(grad, input1, weight):
    """dL/dx2_nj = sum_ki g_nk W_kij* x1_ni*"""
    from .shape import _permute

    return _trilinear(grad, _permute(conj(weight), (2, 0, 1)), conj(input1))


def _trilinear_weight(grad, input1, input2):
    """dL/dW_kij = sum_n g_nk x1_ni* x2_nj*"""
    from .shape import _reshape, unsqueeze

    n, k = grad.shape
    i, j = input1.shape[1], input2.shape[1]
    pairs = _reshape(unsqueeze(conj(input1), 2) * unsqueeze(conj(input2), 1), (n, i * j))
    return _reshape(mm(t(grad), pairs), (k, i, j))


_trilinear.derivative(
    input1=lambda grad, weight, input2: _trilinear_left(grad, weight, input2),
    weight=lambda grad, input1, input2: _trilinear_weight(grad, input1, input2),
    input2=lambda grad, input1, weight: _trilinear_right(grad, input1, weight),
)


@composite(where=("", "nn.functional"))
def bilinear(input1, input2, weight, bias=None):
    """A bilinear map of the last dimensions of two inputs.

    y_k = x1^T W_k x2 + b_k
    dL/dx1 = sum_k g_k W_k x2,  dL/dW_k = g_k x1 x2^T,  dL/db = sum g

    input1: (*, in1), input2: (*, in2), weight: (out, in1, in2), bias: (out,); output: (*, out).
    RuntimeError for sizes that do not fit.
    """
    from .shape import _reshape

    lead = input1.shape[:-1]
    for d, (n, m) in enumerate(zip(lead, input2.shape[:-1], strict=False)):
        if n != m:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {d}: got {n} and {m}"
            )
    for place, name, x in ((1, "input1", input1), (2, "input2", input2)):
        if x.shape[-1] != weight.shape[place]:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {x.shape[-1]} but "
                "expected "
                f"{weight.shape[place]}"
            )
    n = math.prod(lead)
    flat1 = _reshape(input1, (n, weight.shape[1]))
    flat2 = _reshape(input2, (n, weight.shape[2]))
    out = _reshape(_trilinear(flat1, weight, flat2), (*lead, weight.shape[0]))
    return out if bias is None else out + bias


linear.samples(
    lambda t: [
        (t(2, 3), t(4, 3), t(4)),
        (t(2, 3), t(4, 3)),
        (t(3), t(4, 3), t(4)),
        (t(2, 2, 3), t(4, 3), t(4)),
        (t(2, 3), t(3)),
        (t(3, 0), t(2, 0), t(2)),
        (t(0, 3), t(2, 3), t(2)),
        (t.strided(2, 3), t.strided(4, 3), t(4)),
    ]
)
bilinear.samples(lambda t: [(t(2, 3), t(2, 4), t(5, 3, 4), t(5)), (t(3), t(4), t(2, 3, 4))])
