"""Variances, standard deviations, their means, and the backward formula that they share."""

from typing import Any

from .._core.layout import normal_dims
from .._core.library import Library
from .._core.manifest import FLOATS
from .launch import kernel, key, launch
from .reduce import Plan, plan_of

__all__ = ["std", "std_mean", "var", "var_backward", "var_mean"]


def _planned(x: Any, dim: Any, correction: Any, keepdim: bool) -> Plan | None:
    """None for what the body does better (few long lanes, of which several kernels make use) or
    alone (types that have no variance, too few elements for one)."""
    if key(x.dtype) not in FLOATS or not x.size:
        return None
    found = plan_of(x, normal_dims(dim, x.ndim, "var"), keepdim)
    if found is None or found.parts > 1 or found.steps[0].reduction["size"] <= correction:
        return None
    return found


def _moments(
    xp: Library, x: Any, dim: Any, correction: Any, keepdim: bool, root: bool, mean: bool
) -> Any:
    found = _planned(x, dim, correction, keepdim)
    if found is None:
        return NotImplemented
    form, grid, block, reduction = found.steps[0]
    out = xp.ndarray(found.shape, x.dtype)
    means = xp.ndarray(found.shape, x.dtype) if mean else None
    given = x, out, means, reduction, correction, root
    launch(xp, "var", form, key(x.dtype), grid, block, *given)
    return (out, means) if mean else out


@kernel("var")
def var(xp: Library, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """sum (x - mean)^2 / (n - c)"""
    return _moments(xp, input, dim, correction, keepdim, False, False)


@kernel("std")
def std(xp: Library, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The root of the variance."""
    return _moments(xp, input, dim, correction, keepdim, True, False)


@kernel("var_mean")
def var_mean(xp: Library, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The variance and the mean."""
    return _moments(xp, input, dim, correction, keepdim, False, True)


@kernel("std_mean")
def std_mean(xp: Library, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The root of the variance, and the mean."""
    return _moments(xp, input, dim, correction, keepdim, True, True)


@kernel("var_backward")
def var_backward(
    xp: Library, grad: Any, input: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    """2 g (x - mean) / (n - c)"""
    x = input if input._c_contiguous else xp.ascontiguousarray(input)
    found = _planned(x, dim, correction, keepdim)
    if found is None or grad.dtype != x.dtype:
        return NotImplemented
    form, grid, block, reduction = found.steps[0]
    g, out = xp.ascontiguousarray(grad), xp.ndarray(x.shape, x.dtype)
    given = g, x, out, reduction, correction
    launch(xp, "var_backward", form, key(x.dtype), grid, block, *given)
    return out
