"""Views: how a tensor that shares another's memory can be made again, and how a write through one reaches the base."""

import weakref
from typing import Any

from .._core.layout import owner
from .._core.state import local, recording, set_recording, tick
from .._core.tensor import Tensor
from .graph import AccumulateGrad, Node, deliver, freed, verbs
from .mutation import check_saved

__all__ = ["CopySlices", "base_of", "edge_of", "link_view", "rebase", "refuse_inplace", "replay"]


def link_view(out: Tensor, source: Tensor, function: Any, options: tuple, mark: str | None = None) -> None:
    """`out` may share memory with `source`: remember how to make it again, and let a write to the family find it.

    Whether it is a view is decided by the memory, not by the op's name (`reshape` of a strided array copies).
    """
    array, memory = source._array, out._array.base
    if memory is not array and (memory is None or memory is not array.base and owner(out._array) is not owner(array)):
        return
    out._view = source, function, options, mark or (None if local.on else "no_grad")
    try:
        family = source._family
    except AttributeError:
        family = source._family = []
    out._family = family
    if len(family) > 63 and len(family) & (len(family) - 1) == 0:  # now and then: at 64, 128, 256, ...
        family[:] = [r for r in family if r() is not None]
    family.append(weakref.ref(out))


def base_of(t: Tensor) -> tuple[Tensor, list[tuple], str | None]:
    """The tensor whose memory this is, the view operations that lead from it to `t`, and a mark of how `t` was made."""
    steps, mark = [], None
    while (view := getattr(t, "_view", None)) is not None:
        t = view[0]
        steps.append(view[1:3])
        mark = mark or view[3]
    return t, steps[::-1], mark


def replay(steps: list[tuple], value: Any) -> Any:
    """The view again, of another base: a Tensor or a raw array."""
    for function, options in steps:
        value = function(value, *options)
    return value


def edge_of(t: Tensor) -> Any:
    """The tensor's edge; a view whose memory was written since is replayed on its base first."""
    try:
        return t._edge
    except AttributeError:
        base, steps, _ = base_of(t)
        before = recording()
        set_recording(True)
        try:
            t._edge = replay(steps, base)._edge if edge_of(base) is not None else None
        finally:
            set_recording(before)
        return t._edge


_MADE = {
    "no_grad": "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
    "use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
    "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you "
    "want the inplace to be tracked). (view was created in no_grad mode)",
    "multi": "Output {index} of {name} is a view and is being modified inplace. This view is the output of a function "
    "that returns multiple views. Such functions do not allow the output views to be modified inplace. You should "
    "replace the inplace operation by an out-of-place one.",
    "function": "Output {index} of {name} is a view and is being modified inplace. This view was created inside a custom "
    "Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the "
    "custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. "
    "You can fix this by cloning the output of the custom Function.",
}


def refuse_inplace(target: Tensor, base: Tensor, steps: list, mark: str | None) -> None:
    """PyTorch's errors for recorded in-place writes to leaves, and to views whose history cannot follow."""
    if mark is not None:
        edge = target._edge
        name = edge.name() if edge is not None else "UnbindBackward0"
        index = 0
        if hasattr(edge, "index"):
            name, index = edge.node.name(), edge.index
        raise RuntimeError(_MADE[mark].format(index=index, name=name))
    if isinstance(edge_of(base), AccumulateGrad):
        what = "a view of a leaf Variable" if steps else "a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")


def rebase(base: Tensor, steps: list, node: Node, edges: list, place: int = 0, edge: Any = None) -> None:
    """After a recorded write: the base's history is the write's, and every other view of the family is stale.

    `place`: which of the node's inputs was written; `edge`: what stands for the node, where it has several outputs.
    """
    base._edge = CopySlices(edge_of(base), steps, node, edges, place) if steps else edge or node
    for ref in getattr(base, "_family", ()):
        member = ref()
        if member is not None and hasattr(member, "_edge"):
            del member._edge


class CopySlices(Node):
    """A write through a view V of a base: dL/dbase = g outside of V, and f'(V g) within it.

    The formula below is itself an in-place write through a view; on Tensors it is recorded, so any order follows.
    """

    __slots__ = ("e0", "inner", "place", "rest", "steps")
    edge_names = ("e0",)

    def __init__(self, base_edge: Any, steps: list, inner: Node, edges: list, place: int = 0) -> None:
        self.e0, self.steps, self.inner, self.place = base_edge, steps, inner, place
        self.rest = [*edges[:place], *edges[place + 1 :]]
        self.g, self.seq = None, tick()

    def edges(self) -> list[Any]:
        return [self.e0, *self.rest]

    def set_edge(self, index: int, edge: Any) -> None:
        if index:
            self.rest[index - 1] = edge
        else:
            self.e0 = edge

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        if self.inner is None:
            raise freed()
        check_saved(self.inner)
        grad = verbs["clone"](grad)
        part = replay(self.steps, grad)
        rest = list(self.inner.gradients(verbs["clone"](part), recorded))
        first = rest.pop(self.place)
        if recorded:
            verbs["copy_"](part, part * 0 if first is None else first)
        else:
            part[...] = 0 if first is None else first
        return [grad, *rest]

    def release(self) -> None:
        # Not `inner.release()`: a recorded pass may still visit it.
        self.inner = None  # type: ignore[assignment]

    def run(self, grad: Any, heap: list, leaves: list, keep: bool) -> Any:
        grads = self.gradients(grad, False)
        if not keep:
            self.release()
        return deliver(self.edges(), grads, heap, leaves)
