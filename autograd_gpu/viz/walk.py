"""From tensors to a picture: a walk along `next_functions`, without recursion."""

from typing import Any

from .._core.tensor import Tensor
from ..autograd.function import BackwardCFunction
from ..autograd.function_saved import kept_arrays
from ..autograd.node import AccumulateGrad
from ..autograd.saving import Packed
from ..autograd.views import CopySlices
from .picture import Arrow, Box, Picture, printable

__all__ = ["Walk"]


class Walk:
    """One walk: `draw(outputs)` gives the Picture.

    Boxes are found by the identity of a node or tensor; `kept` holds these for as long as the walk
    takes, so that no number is given twice.
    """

    def __init__(self, named: dict[str, Tensor], attrs: bool, saved: bool, max_chars: int) -> None:
        self.names: dict[int, list[str]] = {}
        for name, t in named.items():
            self.names.setdefault(id(t), []).append(printable(str(name)))
        self.attrs, self.saved, self.max_chars = attrs, saved, max_chars
        self.picture = Picture()
        self.places: dict[int, int] = {}
        self.kept: list[Any] = [named]
        self.waiting: list[Any] = []

    def draw(self, outputs: tuple[Tensor, ...]) -> Picture:
        """All that leads to these tensors."""
        for t in outputs:
            self.tensor(t, "output")
        while self.waiting:
            self.visit(self.waiting.pop())
        return self.picture

    def box(self, key: Any, box: Box) -> int:
        """The number of a new box, which is that of `key`."""
        self.kept.append(key)
        self.picture.boxes.append(box)
        self.places[id(key)] = len(self.picture.boxes) - 1
        return self.places[id(key)]

    def arrow(self, tail: int, head: int, style: str = "solid") -> None:
        """One more arrow."""
        self.picture.arrows.append(Arrow(tail, head, style))

    def tensor(self, t: Tensor, kind: str) -> int:
        """The box of a tensor, with the arrows from what made it and from its base."""
        if id(t) in self.places:
            return self.places[id(t)]
        lines = [*self.names.get(id(t), ()), size(t)]
        place = self.box(t, Box(kind, lines))
        node: Any = t.grad_fn
        if node is not None:
            self.arrow(self.node(node), place)
        base: Any = t._base
        if base is not None:
            self.arrow(self.tensor(base, "base"), place, "dotted")
        return place

    def node(self, node: Any) -> int:
        """The box of a node; a new one is visited later."""
        if id(node) in self.places:
            return self.places[id(node)]
        box = Box("node", [printable(node.name().rpartition("::")[2])])
        if self.attrs:
            box.rows = self.attributes(node)
        self.waiting.append(node)
        return self.box(node, box)

    def visit(self, node: Any) -> None:
        """The arrows that lead to a node: from its next functions, its leaf, what it saved."""
        place = self.node(node)
        for source, _ in node.next_functions:
            if source is not None:
                self.arrow(self.node(source), place)
        if isinstance(node, AccumulateGrad):
            self.arrow(self.tensor(node.variable, "leaf"), place)
        elif self.saved or isinstance(node, BackwardCFunction):
            self.visit_saved(node, place)

    def visit_saved(self, node: Any, place: int) -> None:
        """A box for each array that a node saved."""
        for name, value in saved_values(node):
            if value is FREED:
                self.extra(Box("saved", [name, "freed"], freed=True), place)
            elif is_array(value):
                self.extra(Box("saved", [name, size(value)]), place)
            elif isinstance(value, (tuple, list)):
                for i, each in enumerate(value):
                    if is_array(each):
                        self.extra(Box("saved", [f"{name}[{i}]", size(each)]), place)

    def extra(self, box: Box, place: int) -> None:
        """A box that belongs to that of one node."""
        self.picture.boxes.append(box)
        self.arrow(len(self.picture.boxes) - 1, place, "plain")

    def attributes(self, node: Any) -> list[str]:
        """Name and value of what a node saved, a line each."""
        values = list(saved_values(node))
        if isinstance(node, CopySlices) and node.inner is not None:
            values.insert(0, ("write", node.inner.name()))
        width = max((len(name) for name, _ in values), default=0)
        return [f"{name:{width}}  {self.shown(value)}" for name, value in values]

    def shown(self, value: Any) -> str:
        """A value, no longer than wanted."""
        if value is FREED:
            return "[freed]"
        if is_array(value):
            return "[saved tensor]"
        if isinstance(value, (tuple, list)) and any(map(is_array, value)):
            return "[saved tensors]"
        text = printable(str(value))
        return text if len(text) <= self.max_chars else text[: self.max_chars - 3] + "..."


FREED = object()


def saved_values(node: Any) -> list[tuple[str, Any]]:
    """(name, value) of what a node saved; FREED for what a pass has freed."""
    if isinstance(node, CopySlices):
        node = node.inner
        if node is None:
            return [("write", FREED)]
    if isinstance(node, BackwardCFunction):
        return [("saved_tensors", FREED if (kept := kept_arrays(node)) is None else kept)]
    values = []
    for name in dict.fromkeys([*node.saved_names, *option_names(node)]):
        try:
            value = node.named(name, False, {})
        except RuntimeError:
            value = FREED
        if value is not None:
            values.append((name, value))
    return values


def option_names(node: Any) -> list[str]:
    """What the formulas of a node are given beside gradients and saved tensors."""
    if node.op is None:
        return []
    formulas = [names for _, _, names in node.op.plan]
    if node.op.joint is not None:
        formulas.append(node.op.joint[1])
    return [name for names in formulas for name in names if hasattr(node, name)]


def is_array(value: Any) -> bool:
    """Is this an array of any library, a Tensor, or what a hook packed one into?"""
    return isinstance(value, Packed) or hasattr(value, "shape") and hasattr(value, "strides")


def size(value: Any) -> str:
    """`(2, 3)`; of what a hook packed nothing is known."""
    return "packed" if isinstance(value, Packed) else str(tuple(value.shape))
