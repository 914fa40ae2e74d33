"""The arguments of a checkpointed call, kept until it is computed again."""

import weakref
from typing import Any

from ..._core.dtype import of
from ..._core.state import local
from ..._core.tensor import Tensor, make
from ...autograd.mutation import version
from ...autograd.node import AccumulateGrad
from ...autograd.saving import packed, refuse_inference
from ...autograd.views import edge_of

__all__ = ["Argument", "unchanged"]


class Argument:
    """A tensor as it was: its array and its place in the graph, not itself, since a write in place
    would lead it to nodes that hold this.

    Hooks of saved tensors that are in force pack it, an enclosing checkpoint among them.
    """

    __slots__ = ("count", "edge", "leaf", "value")

    def __init__(self, t: Tensor) -> None:
        refuse_inference(t)
        self.edge = edge_of(t)
        self.leaf = weakref.ref(t) if self.edge is None else None
        if local.packing:
            self.value: Any = packed(t)
        else:
            self.value, self.count = t._array, version(t._array)

    def again(self) -> Tensor:
        """The tensor. RuntimeError where it was written since."""
        array, edge = self.value, self.edge
        if hasattr(array, "unpack"):
            array = array.unpack()._array
        else:
            unchanged(array, self.count, "an argument of a checkpointed function")
        if isinstance(edge, AccumulateGrad) and edge.array is array:
            return edge.variable
        leaf = None if self.leaf is None else self.leaf()
        return leaf if leaf is not None and leaf._array is array else make(array, edge)


def unchanged(array: Any, count: int, what: str) -> None:
    """RuntimeError where an array has seen more than `count` writes."""
    now = version(array)
    if now != count:
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: [torch.{of(array.dtype).legacy}Tensor {list(array.shape)}], {what}, is at "
            f"version {now}; expected version {count} instead."
        )
