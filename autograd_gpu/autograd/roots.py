"""Where passes begin and what they are asked for: the arguments of `backward` and `grad` as edges
and gradients, and the errors for what does not fit.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._core.device import guard, library
from .._core.dtype import of
from .._core.size import Size
from .._core.tensor import Tensor, make
from .edges import GradientEdge, edge_at, form_at
from .node import NOWHERE, AccumulateGrad, repair
from .views import edge_of

__all__ = ["edges_of_inputs", "given_seeds", "roots_and_seeds", "targets_of", "tuple_of"]


def tuple_of(value: Any) -> tuple[Any, ...]:
    """Several things, or one alone."""
    return (value,) if isinstance(value, (Tensor, GradientEdge)) else tuple(value)


def given_seeds(grad_tensors: Any, grad_variables: Any) -> Any:
    """The gradients given to `backward` under their name or their old one."""
    if grad_variables is None:
        return grad_tensors
    warnings.warn(
        "`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=3
    )
    if grad_tensors is not None:
        raise RuntimeError(
            "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
            "`backward()`. Please only use `grad_tensors`."
        )
    return grad_variables


def targets_of(inputs: Any, caller: str) -> tuple[Any, ...]:
    """What `inputs` names: tensors and edges, one or several, or the values of a dict.

    TypeError for another mapping, RuntimeError where there is nothing.
    """
    if isinstance(inputs, Mapping):
        if type(inputs) is not dict:
            raise TypeError(
                f"`inputs` argument to `{caller}()` must be a dict, not {type(inputs).__name__}. "
                "Other Mapping types are not supported."
            )
        inputs = tuple(inputs.values())
    targets = tuple_of(inputs)
    if not targets:
        raise RuntimeError(f"`inputs` argument to `{caller}()` cannot be empty.")
    return targets


def edges_of_inputs(targets: tuple) -> list[Any]:
    """The edges of what a pass is asked for."""
    found = []
    for t in targets:
        if isinstance(t, GradientEdge):
            found.append(edge_at(t))
            continue
        if not isinstance(t, Tensor):
            raise RuntimeError(
                f"all inputs have to be Tensors or GradientEdges, but got {type(t).__name__}"
            )
        edge = edge_of(t)
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        found.append(AccumulateGrad(t) if edge is NOWHERE else edge)
    return found


def roots_and_seeds(tensors: Any, grads: Any, recorded: bool) -> tuple[list, list]:
    """The edges that a pass begins with, and the gradients for them."""
    outputs = tuple_of(tensors)
    given = (None,) * len(outputs) if grads is None else tuple_of(grads)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    roots, seeds = [], []
    for i, (out, gradient) in enumerate(zip(outputs, given, strict=True)):
        if isinstance(out, GradientEdge):
            edge, (shape, kind) = edge_at(out), _form(out, gradient)
        elif isinstance(out, Tensor):
            edge, shape, kind = edge_of(out), out._array.shape, out._array.dtype
        else:
            raise TypeError(f"element {i} of tensors must be a Tensor, not {type(out).__name__}")
        if gradient is not None:
            _check_seed(gradient, shape, kind, i)
        elif edge is not None:
            gradient = _implicit(out, shape, kind)
        if edge is None or edge is NOWHERE:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn"
            )
        roots.append(edge)
        seed = gradient if recorded else gradient._array
        seeds.append(repair(seed, (shape, kind)))
    return roots, seeds


def _form(edge: GradientEdge, gradient: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype at an edge. That of an edge made by hand, whose tensor is gone, may be known
    from the gradient alone.
    """
    try:
        shape, kind, _ = form_at(edge)
    except RuntimeError:
        if not isinstance(gradient, Tensor):
            raise
        return gradient._array.shape, gradient._array.dtype
    return tuple(shape), kind.numpy


def _implicit(out: Any, shape: tuple[int, ...], kind: Any) -> Tensor:
    """The gradient of a scalar with respect to itself."""
    if math.prod(shape) != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if kind.kind == "c":
        raise RuntimeError(
            f"grad can be implicitly created only for real scalar outputs but got {of(kind)!r}"
        )
    if isinstance(out, GradientEdge):
        return make(np.ones(shape, kind)).to(form_at(out)[2])
    array = out._array
    if array.__class__ is np.ndarray:
        ones = array.copy()
        ones[...] = 1
        return make(ones)
    with guard(array):
        return make(library(array).ones(shape, kind))


def _check_seed(gradient: Any, shape: tuple[int, ...], kind: Any, index: int) -> None:
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    array = gradient._array
    if array.shape != shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {gradient.shape!r} and "
            f"output[{index}] has a shape of {Size(shape)!r}."
        )
    if (array.dtype.kind == "c") != (kind.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{index}] has a dtype of {gradient.dtype!r} and "
            f"output[{index}] has a dtype of {of(kind)!r}."
        )
