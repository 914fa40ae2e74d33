"""Views: how a tensor that shares another's memory can be made again, and how a write through one
reaches the base.
"""

import weakref
from typing import Any

from .._core.inference import is_inference, share
from .._core.layout import memory_order, owner
from .._core.state import local, modes, recording, set_recording, tick
from .._core.tensor import Tensor, make
from .hooks import hooks_of
from .mutation import check_saved
from .node import AccumulateGrad, Node, Output, deliver, freed, verbs

__all__ = [
    "CopySlices",
    "base_of",
    "edge_of",
    "link_view",
    "rebase",
    "refuse_inplace",
    "replay",
    "view_list",
]


def link_view(out: Tensor, source: Tensor, function: Any, options: tuple, mark: Any = None) -> None:
    """`out` may share memory with `source`: remember how to make it again, and let a write to the
    family find it.

    Whether it is a view is decided by the memory, not by the op's name (`reshape` of a strided
    array copies). `mark`: why its history could not follow a write: "no_grad", "multi", or
    ("function", name, index).
    """
    if modes:
        share(out, source)
        if is_inference(source):
            return
    array, memory = source._array, out._array.base
    if memory is not array and (
        memory is None or memory is not array.base and owner(out._array) is not owner(array)
    ):
        return
    out._view = source, function, options, mark or _unrecorded_mark()
    try:
        family = source._family
    except AttributeError:
        family = source._family = []
    out._family = family
    if (
        len(family) > 63 and len(family) & (len(family) - 1) == 0
    ):  # now and then: at 64, 128, 256, ...
        family[:] = [r for r in family if r() is not None]
    family.append(weakref.ref(out))


def view_list(arrays: list, source: Tensor, function: Any, options: tuple) -> tuple[Tensor, ...]:
    """Several views of one tensor, made by one operation: each is made again by doing the whole and
    picking one.
    """
    out = tuple([make(a) for a in arrays])
    mark = _unrecorded_mark() or "multi"
    for index, view in enumerate(out):
        link_view(view, source, _pick, (function, index, options), mark)
    return out


def _unrecorded_mark() -> str | None:
    if local.on:
        return None
    return "inference" if local.inference else "no_grad"


def _pick(value: Any, function: Any, index: int, options: tuple) -> Any:
    return function(value, *options)[index]


def base_of(t: Tensor) -> tuple[Tensor, list[tuple], Any]:
    """The tensor whose memory this is, the view operations that lead from it to `t`, and a mark of
    how `t` was made.
    """
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
    """The tensor's edge; a view whose memory was written since is made again from its base first.

    RuntimeError where that would go past what made the view: unbind, a Function, no_grad.
    """
    try:
        return t._edge
    except AttributeError:
        base, steps, mark = base_of(t)
        if mark is not None:
            if local.on:
                raise _forbidden(
                    t, mark, "its base or another view of its base has been modified inplace"
                ) from None
            return None
        before = recording()
        set_recording(True)
        try:
            again = replay(steps, base) if edge_of(base) is not None else None
        finally:
            set_recording(before)
        t._edge = again if again is None else _renamed(again._edge)
        return t._edge


_named: dict[type, type] = {}


def _renamed(node: Any) -> Any:
    """PyTorch makes a stale view again by strides, whatever made it first, and names the node
    so.
    """
    cls = node.__class__
    if not isinstance(node, Output) and cls.__name__ not in _BY_FUNCTION:
        if cls not in _named:
            _named[cls] = type("AsStridedBackward0", (cls,), {"__slots__": ()})
        node.__class__ = _named[cls]
    return node


_BY_FUNCTION = ("ViewAsRealBackward0", "ViewAsComplexBackward0", "AsStridedBackward0")

_REASONS = {
    "no_grad": (
        "The view was created in no_grad mode, so autograd does not know what is meant: it is "
        "forbidden. Move both the view and the inplace operation into the no_grad block (where it "
        "is not to be tracked) or both out of it (where it is). (view was created in no_grad mode)"
    ),
    "inference": (
        "Autograd does not know what is meant, so it is forbidden. Move both the view and the "
        "inplace operation into the inference_mode block (where it is not to be tracked) or both "
        "out of it (where it is)."
    ),
    "multi": (
        "This view is the output of a function that returns multiple views. Such functions do not "
        "allow the output views to be modified inplace. You should replace the inplace operation "
        "by an out-of-place one."
    ),
    "function": (
        "This view was created inside a custom Function (or because an input was returned as-is), "
        "whose backward the history of an inplace write would override, with incorrect gradients. "
        "This behavior is forbidden. Clone the output of the custom Function first."
    ),
}


def _forbidden(t: Tensor, mark: Any, done: str) -> RuntimeError:
    """The error of a write to a view whose history cannot follow, or to its base."""
    if mark == "no_grad":
        return RuntimeError(
            f"A view was created in no_grad mode and {done} with grad mode enabled. "
            f"{_REASONS[mark]}"
        )
    if mark == "inference":
        return RuntimeError(
            f"A view was created in inference mode and {done} in normal mode. {_REASONS[mark]}"
        )
    if mark == "multi":
        view = t._view
        while view[3] != mark:
            view = view[0]._view
        mark = mark, view[2][0].op.title(), view[2][1]
    kind, name, index = mark
    name = name.replace("Backward0", "").removesuffix("Backward")
    return RuntimeError(f"Output {index} of {name} is a view and {done}. {_REASONS[kind]}")


def refuse_inplace(target: Tensor, base: Tensor, steps: list, mark: Any) -> None:
    """PyTorch's errors for recorded in-place writes to leaves, and to views whose history cannot
    follow.
    """
    if mark is not None:
        raise _forbidden(target, mark, "is being modified inplace")
    if isinstance(edge_of(base), AccumulateGrad):
        what = "a view of a leaf Variable" if steps else "a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")


def rebase(
    base: Tensor, steps: list, node: Node, edges: list, place: int = 0, edge: Any = None
) -> None:
    """After a recorded write: the base's history is the write's, and every other view of the family
    is stale.

    `place`: which of the node's inputs was written; `edge`: what stands for the node, where it has
    several outputs.
    """
    before = edge_of(base)
    base._edge = CopySlices(base, before, steps, node, edges, place) if steps else edge or node
    kept = [(base, before.hooks)] if hasattr(before, "hooks") else []
    for ref in getattr(base, "_family", ()):
        member = ref()
        if member is not None and hasattr(member, "_edge"):
            if hasattr(member._edge, "hooks"):
                kept.append((member, member._edge.hooks))
            del member._edge
    for member, hooks in kept:
        if (
            hooks.retain is not None and hooks.retain() is member
        ):  # what is kept is the gradient of the new value
            hooks_of(edge_of(member)).retain, hooks.retain = hooks.retain, None


class CopySlices(Node):
    """A write through a view V of a base: dL/dbase = g outside of V, and f'(V g) within it.

    The formula below is itself an in-place write through a view; on Tensors it is recorded, so any
    order follows.
    """

    __slots__ = ("e0", "inner", "order", "place", "rest", "steps")
    edge_names = ("e0",)

    def __init__(
        self, base: Tensor, edge: Any, steps: list, inner: Node, edges: list, place: int = 0
    ) -> None:
        self.e0, self.steps, self.inner, self.place = edge, steps, inner, place
        self.order = memory_order(base._array)
        self.rest = [*edges[:place], *edges[place + 1 :]]
        self.g, self.seq = None, tick()

    def name(self) -> str:
        """As PyTorch calls it."""
        return "torch::autograd::CopySlices"

    def edges(self) -> list[Any]:
        """To the base's history before the write, and to the other inputs of the write."""
        return [self.e0, *self.rest]

    def set_edge(self, index: int, edge: Any) -> None:
        """Put another edge in a place."""
        if index:
            self.rest[index - 1] = edge
        else:
            self.e0 = edge

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        """Of the base: g outside of the view, f'(V g) within it; and of the other inputs."""
        if self.inner is None:
            raise freed()
        check_saved(self.inner)
        grad = verbs["clone_in"](
            grad, self.order
        )  # what is a view of the base must be one of its gradient
        part = replay(self.steps, grad)
        rest = list(self.inner.gradients(verbs["clone"](part), recorded))
        first = rest.pop(self.place)
        if recorded:
            verbs["copy_"](part, part * 0 if first is None else first)
        else:
            part[...] = 0 if first is None else first
        return [grad, *rest]

    def release(self) -> None:
        """Free what the write saved."""
        # Not `inner.release()`: a recorded pass may still visit it.
        self.inner = None  # type: ignore[assignment]

    def run(self, grad: Any, heap: list, leaves: list, keep: bool) -> Any:
        """Deliver the gradients."""
        grads = self.gradients(grad, False)
        if not keep:
            self.release()
        return deliver(self.edges(), grads, heap, leaves)
