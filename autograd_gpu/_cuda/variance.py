"""Variances, standard deviations, their means, and the backward formula that they share."""

from typing import Any

from .._core.layout import normal_dims
from .._core.library import Library
from .._core.manifest import FLOATS
from .launch import kernel, key
from .prepared import Kept, prepared
from .reduce import plan_of

__all__ = ["std", "std_mean", "var", "var_backward", "var_mean"]

_kept = Kept()


def _found(
    xp: Library, name: str, x: Any, dim: Any, correction: Any, keepdim: bool, *more: Any
) -> Any:
    """(the launch, the results' shape), or None for what the body does better (few long lanes, of
    which several kernels make use) or alone (other types, too few elements, of which it warns)."""
    dim = tuple(dim) if dim.__class__ is list else dim
    mark = xp, name, x.dtype, x.shape, x.strides, dim, correction, keepdim, more
    found = _kept.get(mark)
    if found is not None:
        return found
    if key(x.dtype) not in FLOATS or not x.size:
        return None
    planned = plan_of(x, normal_dims(dim, x.ndim, "var"), keepdim)
    if planned is None or planned.parts > 1:
        return None
    form, grid, block, reduction = planned.steps[0]
    if reduction["size"] <= correction:
        return None
    given = reduction, correction, *more
    run = prepared(xp, name, form, key(x.dtype), grid, block, *given)
    return _kept.keep(mark, (run, planned.shape))


def _moments(
    xp: Library, x: Any, dim: Any, correction: Any, keepdim: bool, root: bool, mean: bool
) -> Any:
    found = _found(xp, "var", x, dim, correction, keepdim, root)
    if found is None:
        return NotImplemented
    run, shape = found
    out = xp.new_array(shape, x.dtype)
    means = xp.new_array(shape, x.dtype) if mean else None
    run(x, out, means)
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
    x, g = (a if a._c_contiguous else xp.ascontiguousarray(a) for a in (input, grad))
    found = _found(xp, "var_backward", x, dim, correction, False)
    if found is None or g.dtype != x.dtype:
        return NotImplemented
    out = xp.new_array(x.shape, x.dtype)
    found[0](g, x, out)
    return out
