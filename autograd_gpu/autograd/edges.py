"""GradientEdge: a place in the graph where a gradient arrives, without the tensor that had it."""

from typing import Any, NamedTuple

from .._core.device import device
from .._core.size import Size
from .._core.tensor import Tensor
from .node import Node, Output
from .views import edge_of

__all__ = ["GradientEdge", "edge_at", "form_at", "get_gradient_edge"]


class _Fields(NamedTuple):
    node: Node
    output_nr: int
    ownership_token: Node | None = None


class GradientEdge(_Fields):
    """Output `output_nr` of `node`: where a pass may begin (`backward`, `grad`) and what `grad` and
    `inputs=` may ask for, in place of a tensor.

    It keeps the node, and so the graph behind it, alive. `ownership_token` is kept as well, and
    means nothing: a node here owns its graph.
    """

    edge: Any = None  # the very edge of the tensor, with its hooks
    form: Any = None  # shape, dtype and device of the tensor


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of `tensor` arrives: `grad(y, get_gradient_edge(x))` is `grad(y, x)`.

    RuntimeError for a tensor that does not require grad.
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    edge = edge_of(tensor)
    several = isinstance(edge, Output)
    found = GradientEdge(edge.node if several else edge, edge.index if several else 0)
    found.edge, found.form = edge, (tensor.shape, tensor.dtype, tensor.device)
    return found


def edge_at(given: GradientEdge) -> Any:
    """The edge with which a pass begins that begins here.

    Raises TypeError for what is no node, IndexError for an output that the node does not have.
    """
    if given.edge is not None:
        return given.edge
    node, index = given.node, given.output_nr
    if not isinstance(node, Node):
        raise TypeError(f"GradientEdge: node must be a node of a graph, not {type(node).__name__}")
    count = outputs_of(node)
    if not 0 <= index < count:
        raise IndexError(
            f"GradientEdge: {node.name()} has {count} output{'s' * (count != 1)}, so that there is "
            f"no output {index}"
        )
    if hasattr(node, "output_edge"):  # of a Function: not all of its outputs need have gradients
        return node.output_edge(index)
    return Output(node, index) if hasattr(node, "shapes_out") and node.several() else node


def outputs_of(node: Any) -> int:
    """How many outputs a node has."""
    return len(node.shapes_out) if hasattr(node, "shapes_out") else 1


def form_at(given: GradientEdge) -> tuple[Size, Any, device]:
    """Shape, dtype and device of the tensor whose gradient arrives here."""
    if given.form is not None:
        return given.form
    from .introspect import input_metadata

    found = input_metadata(given.node)[given.output_nr]
    return Size(found.shape), found.dtype, found.device
