"""What the backward of a Function may return: one gradient an argument, of its kind and form."""

from typing import Any

import numpy as np

from .._core.device import device, device_of
from .._core.tensor import Tensor
from .hooks import OWN
from .node import repair

__all__ = ["checked", "form_of"]


def checked(node: Any, results: Any, recorded: bool) -> list[Any]:
    """The gradients of the tensors among the arguments; PyTorch's errors for what cannot be
    them.
    """
    if not isinstance(results, tuple):
        results = (results,)
    tensors = node._in_tensors
    if len(results) != len(tensors):
        results = _trimmed(node, results, len(tensors))
    edges, forms = node._in_edges, node._in_forms
    out: list = []
    for i, (g, tensor) in enumerate(zip(results, tensors, strict=True)):
        if not tensor:
            if g is not None:
                raise RuntimeError(
                    f"function {node.name()} returned a gradient different than None at position "
                    f"{i + 1}, but the corresponding forward input was not a Variable"
                )
            continue
        k = len(out)
        if g is None:
            out.append(None)
            continue
        if not isinstance(g, Tensor):
            raise RuntimeError(
                f"function {node.name()} returned at position {i + 1}: expected Variable or None "
                f"(got {_named(type(g))})"
            )
        edge = edges[k]
        if edge is None:
            out.append(None)
            continue
        array, (shape, dtype, kind) = g._array, forms[k]
        if array.shape != shape or array.dtype is not dtype or array.__class__ is not kind:
            out.append(_fitted(node, g, _at_leaf(edge, array, forms[k]), i, recorded))
        else:
            out.append(g if recorded else array)
    return out


def _trimmed(node: Any, results: tuple, count: int) -> tuple:
    given = len(results)
    while len(results) > count and results[-1] is None:
        results = results[:-1]
    if len(results) != count:
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected {count}, "
            f"got {given})"
        )
    return results


def _named(cls: type) -> str:
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def _at_leaf(edge: Any, array: Any, form: tuple) -> tuple:
    """The form of an argument; a leaf whose `grad_dtype` was set sees to the dtype itself."""
    hooks = None if edge.seq else getattr(edge, "hooks", None)
    return form if hooks is None or hooks.grad_dtype is OWN else (form[0], array.dtype, form[2])


def _fitted(node: Any, g: Tensor, form: tuple, index: int, recorded: bool) -> Any:
    """A gradient on its input's device, summed to its shape where it was broadcast, and cast."""
    shape, dtype, kind = form
    have = g._array.shape
    lead = len(have) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, have[lead:], strict=True)):
        raise _invalid(
            node, index, f"got {list(have)} but expected shape compatible with {list(shape)}"
        )
    if g._array.dtype.kind == "c" and dtype.kind != "c":
        raise _invalid(node, index, "got a complex gradient but the input is real")
    found = device_of(g._array)
    if found != _place(kind):
        if have:
            raise _invalid(node, index, f"expected device {_place(kind)} but got {found}")
        g = g.to(_place(kind))
    return repair(g if recorded else g._array, (shape, dtype))


def form_of(array: Any) -> tuple:
    """Shape, dtype and place of an argument, where there are several devices; elsewhere the class
    of the array tells the place.
    """
    cls = array.__class__
    return array.shape, array.dtype, cls if cls is np.ndarray else device_of(array)


def _place(kind: Any) -> device:
    if isinstance(kind, device):
        return kind
    return device("cpu") if kind is np.ndarray else device("cuda", 0)


def _invalid(node: Any, index: int, why: str) -> RuntimeError:
    return RuntimeError(
        f"Function {node.name()} returned an invalid gradient at index {index} - {why}"
    )
