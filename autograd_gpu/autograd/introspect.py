"""What a program may ask of a node: the form of its outputs, a dict of its own, and to run it by
hand.
"""

import gc
from typing import Any

import numpy as np

from .._core.device import device, device_of
from .._core.dtype import dtype, of
from .._core.state import recording
from .._core.tensor import Tensor
from .hooks import hooks_of, wrap
from .node import AccumulateGrad, Node, Output
from .views import CopySlices

__all__ = ["InputMetadata", "input_metadata"]


class InputMetadata:
    """Form of one output of a node, which is what its gradient must look like."""

    __slots__ = ("device", "dtype", "shape")
    is_nested_tensor = is_cpp_nested_tensor = False

    def __init__(self, shape: tuple[int, ...], kind: Any, place: device) -> None:
        self.shape: list[int] = list(shape)
        self.dtype: dtype = of(np.dtype(kind))
        self.device = place


def input_metadata(node: Any) -> tuple[InputMetadata, ...]:
    """Shape, dtype and device of each output of `node` (the inputs of its backward).

    Nodes keep no form of what they need no form of. It is read off what the node saved, off its
    tensor or another node that uses it, while there are any; RuntimeError where nothing tells.
    """
    forms = getattr(node, "shapes_out", None)
    if forms:
        return tuple(
            InputMetadata(f[0], f[1], device_of(f[2].zeros((), f[1])))
            for f in forms if f is not None
        )  # fmt: skip
    found = _form(node, set())
    if found is None:
        raise RuntimeError(
            f"{node.name()}: the shape of its output is not known, since the tensor is gone and "
            "the node did not save it. Keep the tensor, or take `get_gradient_edge(tensor)`."
        )
    return (found,)


def _form(node: Any, seen: set) -> InputMetadata | None:
    if node is None or node in seen:
        return None
    seen.add(node)
    if isinstance(node, AccumulateGrad):
        return _of_array(node.array)
    if isinstance(node, Output):
        shape, kind, library = node.node.shapes_out[node.index]
        return InputMetadata(shape, kind, device_of(library.zeros((), kind)))
    if isinstance(node, CopySlices) and node.e0 is not None:
        return _form(node.e0, seen)
    out = getattr(node, "out", None)
    if hasattr(out, "shape"):
        return _of_array(out)
    users = gc.get_referrers(node)
    for user in users:
        if isinstance(user, Tensor) and getattr(user, "_edge", None) is node:
            return _of_array(user._array)
    return _of_inputs(node, seen) or _of_users(node, users)


def _of_array(array: Any) -> InputMetadata:
    return InputMetadata(array.shape, array.dtype, device_of(array))


def _of_inputs(node: Any, seen: set) -> InputMetadata | None:
    """An elementwise op whose inputs did not broadcast: its output looks like each of them."""
    op = node.op
    if op is None or not op.broadcasts or not op.same_dtype or hasattr(node, "forms"):
        return None
    for edge in node.edges():
        found = _form(edge, seen)
        if found is not None:
            return found
    return None


def _of_users(node: Any, users: list) -> InputMetadata | None:
    """A node that has kept what this one made."""
    for user in users:
        op = getattr(user, "op", None)
        if op is None or not isinstance(user, Node):
            continue
        for name, edge in op.edge_of.items():
            kept = getattr(user, name, None)
            if getattr(user, edge, None) is node and hasattr(kept, "shape"):
                return _of_array(kept)
    return None


def metadata(self: Any) -> dict[Any, Any]:
    """A dict for whatever a program wants to hang on this node."""
    hooks = hooks_of(self)
    try:
        return hooks.metadata
    except AttributeError:
        hooks.metadata = {}
        return hooks.metadata


def run_by_hand(self: Any, *grads: Tensor | None) -> Any:
    """The gradients of the inputs from those of the outputs, without hooks and without going on:
    a tuple, or what would be alone in it. TypeError for another number of gradients.
    """
    count = len(getattr(self, "shapes_out", None) or (0,))
    if len(grads) != count:
        raise TypeError(f"expected {count} arguments, got {len(grads)} instead")
    for i, g in enumerate(grads):
        if g is not None and not isinstance(g, Tensor):
            raise TypeError(f"argument {i} is not a Variable")
    if isinstance(self, AccumulateGrad):
        return _accumulated(self, grads[0])
    if all(g is None for g in grads):
        results = [None] * len(self.edges())
    else:
        recorded = recording()
        given = [g if g is None or recorded else g._array for g in grads]
        results = self.gradients(given if self.several() else given[0], recorded)
    wrapped = tuple(map(wrap, results))
    return wrapped[0] if len(wrapped) == 1 else wrapped


def _accumulated(leaf: Any, grad: Any) -> tuple:
    from .accumulate import accumulate

    if grad is not None:
        recorded = recording()
        accumulate(leaf, grad if recorded else grad._array, recorded)
    return ()


def _bind() -> None:
    node: Any = Node
    node.metadata = property(metadata, doc=metadata.__doc__)
    node._input_metadata = property(input_metadata, doc=input_metadata.__doc__)
    node.requires_grad = True
    node.__call__ = run_by_hand


_bind()
