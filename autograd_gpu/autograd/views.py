"""Views: how a tensor that shares another's memory can be made again, and how a write through one
reaches the base.
"""

import weakref
from typing import Any

from .._core.inference import Inference
from .._core.layout import memory_order, owner
from .._core.state import local, modes, recording, set_recording, tick
from .._core.tensor import Tensor, make
from .hooks import hooks_of
from .mutation import check_saved, record_write
from .node import NOWHERE, AccumulateGrad, Node, Output, deliver, freed, verbs
from .saving import node_observers
from .view_modes import replaying

__all__ = [
    "CopySlices",
    "base_of",
    "edge_of",
    "link_view",
    "mark_written",
    "origin_of",
    "rebase",
    "refuse_inplace",
    "replay",
    "stale",
    "succeed",
    "unfollowed",
    "used_edge",
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
        family = getattr(source, "_family", None)
        if family.__class__ is Inference:
            out._family = family
            return
        if local.inference is not None:
            mark = "inference"
    array, result = source._array, out._array
    memory = result.base
    if (
        memory is not array
        and result is not array
        and (memory is None or memory is not array.base and owner(result) is not owner(array))
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
    mark = _unrecorded_mark()
    for index, view in enumerate(out):
        link_view(view, source, _pick, (function, index, options), mark or "multi")
        if mark is not None and getattr(source, "_edge", NOWHERE) is not None:
            view._edge = unfollowed(view)
    return out


def unfollowed(view: Tensor) -> Any:
    """The edge of what a view op made of a tensor that requires grad, where nothing is recorded: a
    view requires grad too, a copy does not.
    """
    return NOWHERE if hasattr(view, "_view") else None


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
        if edge_of(base) is None:
            t._edge = None
            return None
        if mark is not None:
            done = "its base or another view of its base has been modified inplace"
            raise _forbidden(t, mark, done) from None
        t._edge = _edge_again(base, steps)
        return t._edge


def used_edge(t: Tensor) -> Any:
    """The edge of an argument of an operation: where nothing is recorded, a stale view stays so."""
    try:
        return t._edge
    except AttributeError:
        return edge_of(t) if recording() else None


def _edge_again(base: Tensor, steps: list) -> Any:
    """The view operations are done again, and only the history of their result is kept."""
    before = recording()
    set_recording(True)
    try:
        edge = replay(steps, base)._edge
    finally:
        set_recording(before)
    return edge if replaying() else _renamed(edge)


def stale(family: list, recorded: bool) -> None:
    """The memory of these views was written: what they remember of their history is out of date.

    A view that became a leaf by itself stays one, as long as its base requires no grad. One whose
    gradient is kept is made again at once: what is kept is the gradient of the new value.
    """
    alive, kept = [], []
    for ref in family:
        view = ref()
        if view is None:
            continue
        alive.append(ref)
        edge = getattr(view, "_edge", stale)
        if edge is stale or not recorded and _unmoved(view, edge):
            continue
        hooks = getattr(edge, "hooks", None)
        if hooks is not None and base_of(view)[2] is None:
            kept.append((view, hooks))
        if isinstance(edge, AccumulateGrad):
            view._grad = edge.grad
        del view._edge
    family[:] = alive
    for view, hooks in kept:
        keep_gradient(view, hooks)


def _unmoved(view: Tensor, edge: Any) -> bool:
    """Is the view's edge its own, and not its base's?"""
    return edge is None or isinstance(edge, AccumulateGrad) and edge_of(base_of(view)[0]) is None


def keep_gradient(t: Tensor, before: Any) -> None:
    """What `retain_grad` asked for in the hooks of an older edge holds for the one there is now."""
    if before.retain is not None and before.retain() is t:
        hooks_of(edge_of(t)).retain, before.retain = before.retain, None


def mark_written(target: Tensor) -> None:
    """Count an unrecorded write to this tensor's memory; views of it are stale."""
    family = getattr(target, "_family", None)
    if family is None:
        record_write(target._array)
    elif family.__class__ is not Inference:
        record_write(target._array)
        if family:
            stale(family, False)
    elif family.writes is not None:
        family.writes += 1


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
    kind = mark if mark.__class__ is str else mark[0]
    name, index = mark[1:] if t._view[3] is mark and kind != mark else _maker(t)
    name = name.replace("Backward0", "").removesuffix("Backward")
    return RuntimeError(f"Output {index} of {name} is a view and {done}. {_REASONS[kind]}")


def _maker(t: Tensor) -> tuple[str, int]:
    """The name of the operation that made a view, and which of its outputs it is."""
    function, options = t._view[1:3]
    return (options[0].op.title(), options[1]) if function is _pick else (function.op.title(), 0)


def refuse_inplace(target: Tensor, base: Tensor, steps: list, mark: Any) -> None:
    """PyTorch's errors for recorded in-place writes to leaves, and to views whose history cannot
    follow.
    """
    if mark is not None:
        raise _forbidden(target, mark, "is being modified inplace")
    if isinstance(edge_of(base), AccumulateGrad) or isinstance(edge_of(target), AccumulateGrad):
        what = "a view of a leaf Variable" if steps else "a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")


def origin_of(view: Tensor) -> Any:
    """The base and the view operations; False where a recorded write would be refused."""
    base, steps, mark = base_of(view)
    if mark is not None or isinstance(edge_of(base), AccumulateGrad):
        return False
    return base, steps


def rebase(
    base: Tensor, steps: list, node: Node, edges: list, place: int = 0, edge: Any = None
) -> None:
    """After a recorded write: the base's history is the write's, and every other view of the family
    is stale.

    `place`: which of the node's inputs was written; `edge`: what stands for the node, where it has
    several outputs.
    """
    before = edge_of(base)
    after = CopySlices(base, before, steps, node, edges, place) if steps else edge or node
    if modes and steps:
        for observe in node_observers:
            observe(after)
    succeed(base, before, after)


def succeed(base: Tensor, before: Any, after: Any) -> None:
    """A tensor that is no view has another edge than before; every view of it is stale."""
    base._edge = after
    family = getattr(base, "_family", None)
    if family and family.__class__ is list:
        stale(family, True)
    if before is not None and hasattr(before, "hooks"):
        keep_gradient(base, before.hooks)


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
        results = [grad, *rest]
        if needed is not None:
            results = [
                g if e in needed else None for g, e in zip(results, self.edges(), strict=True)
            ]
        return results

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
