"""Clipping of gradients, by their common norm or value by value."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..._core.device import at, device_of, library, move
from ..._core.library import KERNELS
from ..._core.state import modes
from ..._core.tensor import Tensor, as_array, make
from ...autograd.mutation import record_write
from ...autograd.saving import before_write, before_writes

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place, so that their common norm is at most max_norm.

    The norm is that of all gradients as one vector, of order norm_type (inf: the largest). It is
    returned as it was before. RuntimeError for a norm that is not finite, if error_if_nonfinite;
    then nothing is changed. `foreach` has no effect here.
    """
    parameters = listed(parameters)
    total = get_total_norm(
        [p.grad for p in parameters if p.grad is not None], norm_type, error_if_nonfinite
    )
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of order norm_type of all tensors as one vector, 0. for none; a 0-d tensor.

    RuntimeError for a norm that is not finite, if error_if_nonfinite. `foreach` has no effect.
    """
    arrays = [tensor._array for tensor in listed(tensors)]
    order = float(norm_type)
    if not arrays:
        return make(np.zeros((), np.float32))
    total = many("total_norm", arrays, order)
    if total is NotImplemented:
        here = device_of(arrays[0])
        norms = [move(norm(array, order), here) for array in arrays]
        with at(here):
            total = norm(library(norms[0]).stack(norms), order)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so "
            "it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return make(total)


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients, in place, by max_norm / (total_norm + 1e-6) where that is below 1."""
    clipped = [p.grad for p in listed(parameters) if p.grad is not None]
    if modes:
        before_writes(clipped)
    grads = [grad._array for grad in clipped]
    total = total_norm._array
    if not grads or many("clip_by_norm", grads, total, float(max_norm)) is NotImplemented:
        with np.errstate(all="ignore"), at(device_of(total)):
            scale = float(max_norm) / (total + 1e-6)
            factor = float(library(scale).minimum(scale, 1.0))  # NaN stays NaN
        for array in grads:
            with np.errstate(all="ignore"), at(device_of(array)):
                library(array).multiply(array, array.dtype.type(factor), out=array)
    for array in grads:
        record_write(array)


def clip_grad_value_(
    parameters: Tensors, clip_value: float, foreach: bool | None = None
) -> None:
    """Clamp every element of the gradients, in place, to [-clip_value, clip_value].

    NotImplementedError for complex gradients, before any is changed.
    """
    bound = float(clip_value)
    parameters = listed(parameters)
    if any(p.grad is not None and p.grad.is_complex() for p in parameters):
        raise NotImplementedError("clamp is not supported for complex types")
    for parameter in parameters:
        grad = parameter.grad
        if grad is not None:
            if modes:
                before_write(grad)
            with at(device_of(grad._array)):
                library(grad._array).clip(grad._array, -bound, bound, out=grad._array)
            record_write(grad._array)


def listed(tensors: Any) -> list[Tensor]:
    """One tensor, or an iterable of them, as a list."""
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def many(name: str, arrays: list[Any], *options: Any) -> Any:
    """What the kernel of a name gives for arrays of one device, all of them in one launch;
    NotImplemented where there is none, or where it does not accept them."""
    run = KERNELS.get(name, {}).get(arrays[0].__class__)
    if run is None or any(a.__class__ is not arrays[0].__class__ for a in arrays):
        return NotImplemented
    if len({a.data.device_id for a in arrays}) > 1:
        return NotImplemented
    with at(device_of(arrays[0])):
        return run(arrays, *options)


def norm(array: Any, order: float) -> Any:
    """The vector norm of an array's elements, a 0-d array of its (real) dtype."""
    with at(device_of(array)):
        return _norm(library(array), array, order)


def _norm(xp: Any, array: Any, order: float) -> Any:
    size = xp.abs(array).reshape(-1)
    dtype = size.dtype
    if dtype.itemsize == 2:
        size = size.astype(np.float32)              # half types: summed in float32
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        if order == 2.0:
            value = euclidean(xp, size)
        elif math.isinf(order):
            value = size.max() if order > 0 else size.min()
        elif order == 0.0:
            value = (size != 0).sum()
        else:
            value = xp.power((size**order).sum(), 1.0 / order)
    return as_array(value).astype(dtype)


def euclidean(xp: Any, size: Any) -> Any:
    """The 2-norm, as one dot product: accurate (BLAS adds in many lanes) and without temporary.

    Where squares overflow or vanish, the numbers are scaled by the largest first.
    """
    value = xp.sqrt(xp.dot(size, size))
    if size.size and not 0 < value < math.inf:
        largest = size.max()
        if 0 < largest < math.inf:
            return largest * xp.sqrt(xp.square(size / largest).sum())
    return value
