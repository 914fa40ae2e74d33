"""A backward that is not to be differentiated: an error waits in the second derivative's way."""

import functools
from collections.abc import Callable
from typing import Any

from .._core.device import library
from .._core.state import recording, set_recording, tick
from .._core.tensor import Tensor, make
from .node import AccumulateGrad, Node, Output
from .views import edge_of

__all__ = ["once_differentiable"]


class DelayedError(Node):
    """A node that says, when a gradient reaches it, why there is none."""

    __slots__ = ("leaves", "message", "shapes_out")

    def __init__(self, message: str, outputs: list[Tensor]) -> None:
        self.message, self.g, self.seq = message, None, tick()
        self.leaves = [AccumulateGrad(make(o._array)) for o in outputs]
        self.shapes_out = tuple(
            (o._array.shape, o._array.dtype, library(o._array)) for o in outputs
        )

    def name(self) -> str:
        """As PyTorch calls it."""
        return "torch::autograd::Error"

    def edges(self) -> list[Any]:
        """To leaves that no program has."""
        return list(self.leaves)

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        """RuntimeError, always."""
        raise RuntimeError(self.message)


def once_differentiable(function: Callable) -> Callable:
    """Decorate a Function's backward that uses more than Tensor operations: nothing in it is
    recorded, and a second derivative is then a RuntimeError.
    """

    @functools.wraps(function)
    def wrapper(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        before = recording()
        set_recording(False)
        try:
            outputs = function(ctx, *args, **kwargs)
        finally:
            set_recording(before)
        if not before or not any(isinstance(a, Tensor) and edge_of(a) is not None for a in args):
            return outputs
        return _refusing(outputs)

    return wrapper


def _refusing(outputs: Any) -> Any:
    """The same values, of which a derivative is an error."""
    several = isinstance(outputs, tuple)
    results = list(outputs) if several else [outputs]
    places = [i for i, o in enumerate(results) if isinstance(o, Tensor)]
    if any(results[i]._array.dtype.kind in "biu" for i in places):
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    node = DelayedError(
        "trying to differentiate twice a function that was marked with @once_differentiable",
        [results[i] for i in places],
    )
    for number, i in enumerate(places):
        edge = Output(node, number) if len(places) > 1 else node
        results[i] = make(results[i]._array, edge)
    return tuple(results) if several else results[0]
