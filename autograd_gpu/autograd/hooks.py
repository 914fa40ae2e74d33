"""Hooks on tensors and nodes. What has a hook changes its class, so that what has none pays
nothing, not even a test.
"""

import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .._core.state import tick
from .._core.tensor import Tensor, as_array, make
from .hook_calls import (
    call,
    check_result,
    check_results,
    is_defined,
    own,
    run_prehooks,
    run_tensor_hooks,
    wrap,
)
from .node import NOWHERE, AccumulateGrad, Node, Output, Undefined, deliver, repair, verbs
from .passes import Pass, here

__all__ = [
    "OWN", "Hooks", "RemovableHandle", "add_hook", "entering", "hooked_leaves", "hooks_of",
    "no_hooks", "outcome", "step",
]  # fmt: skip

hooked_leaves: dict[int, tuple] = {}
"""The leaves with hooks (a weak reference, the hooks), by the id of their edge: while there are
any, passes find out when a leaf's gradient is complete.
"""


no_hooks: Mapping = MappingProxyType({})
"""The table of a kind of which there never was a hook."""

OWN: Any = object()
"""The `grad_dtype` of a leaf whose gradient has the leaf's own dtype."""


class Hooks:
    """All hooks of one edge: `tensor` before anything, `retain` into a tensor's `.grad`, `pre` and
    `post` around the node, `after` when a leaf's gradient is in place; `outputs`: (number, hooks)
    of those outputs of the node that have some. Besides, what else is rare: a node's `metadata`, a
    leaf's `grad_dtype`.
    """

    __slots__ = (
        "after", "grad_dtype", "metadata", "outputs", "post", "pre", "retain", "tensor",
    )  # fmt: skip

    metadata: dict

    def __init__(self) -> None:
        self.tensor: Mapping = no_hooks
        self.pre: Mapping = no_hooks
        self.post: Mapping = no_hooks
        self.after: Mapping = no_hooks
        self.retain: Any = None
        self.outputs: list[tuple[int, Hooks]] = []
        self.grad_dtype: Any = OWN

    def table(self, kind: str) -> dict:
        """The hooks of a kind: a dict to put one in."""
        if getattr(self, kind) is no_hooks:
            setattr(self, kind, OrderedDict())
        return getattr(self, kind)

    def any(self) -> bool:
        """Is there a hook of the program's?"""
        return bool(self.tensor or self.pre or self.post or self.after)


class RemovableHandle:
    """What registering a hook returns. `remove()` takes the hook away; also a context manager that
    does so at its end.
    """

    def __init__(self, table: dict, key: int) -> None:
        self.table, self.id = table, key

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self.table.pop(self.id, None)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def hooks_of(edge: Any) -> Hooks:
    """The hooks of an edge, made when first asked for."""
    try:
        return edge.hooks
    except AttributeError:
        edge.hooks = Hooks()
        if isinstance(edge, Output):  # its hooks run when the node does
            hooks_of(edge.node).outputs.append((edge.index, edge.hooks))
        else:
            edge.__class__ = _hooked_class(edge.__class__)
        return edge.hooks


class _LeafHandle(RemovableHandle):
    """The handle of a leaf's hook: after the last of them, passes need not watch the leaf."""

    def __init__(self, table: dict, key: int, place: int, hooks: Hooks) -> None:
        super().__init__(table, key)
        self.place, self.hooks = place, hooks

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        super().remove()
        watched = hooked_leaves.get(self.place)
        if watched is not None and watched[1] is self.hooks and not self.hooks.any():
            del hooked_leaves[self.place]


def add_hook(edge: Any, kind: str, hook: Callable) -> RemovableHandle:
    """Put a hook into a table of `edge`."""
    if edge is NOWHERE:  # no gradient ever comes
        return RemovableHandle({}, tick())
    hooks = hooks_of(edge)
    table, key = hooks.table(kind), tick()
    table[key] = hook
    if edge.seq:
        return RemovableHandle(table, key)
    watch_leaf(edge)
    return _LeafHandle(table, key, id(edge), hooks)


def watch_leaf(leaf: Any) -> None:
    """Let passes find out when the gradient of this leaf is complete, since it has hooks."""
    place = id(leaf)
    hooked_leaves[place] = (
        weakref.ref(leaf.variable, lambda _: hooked_leaves.pop(place, None)), leaf.hooks,
    )  # fmt: skip


def register_hook(self: Any, fn: Callable) -> RemovableHandle:
    """Call `fn(grad_inputs, grad_outputs)` after the node has run; a tuple it returns takes the
    place of grad_inputs.
    """
    return add_hook(self, "post", fn)


def register_prehook(self: Any, fn: Callable) -> RemovableHandle:
    """Call `fn(grad_outputs)` before the node runs; a tuple it returns takes the place of
    grad_outputs.
    """
    return add_hook(self, "pre", fn)


_kinds: list[Any] = [Node, AccumulateGrad]
for _cls in _kinds:
    _cls.register_hook, _cls.register_prehook = register_hook, register_prehook

_hooked: dict[type, type] = {}


def _hooked_class(cls: type) -> type:
    if cls not in _hooked:
        if issubclass(cls, AccumulateGrad):
            body: dict = {
                "accept": accept_hooked, "accumulated": accumulated_hooked, "fit": fit_hooked,
            }  # fmt: skip
        else:
            base: Any = cls
            body = {
                "run": lambda self, *a: run_hooked(self, base.run, False, *a),
                "run_recorded": lambda self, *a: run_hooked(self, base.run_recorded, True, *a),
            }
        _hooked[cls] = type(cls.__name__, (cls,), {"__slots__": (), "plain": cls, **body})
    return _hooked[cls]


def accept_hooked(leaf: Any, grad: Any, recorded: bool, captured: bool = False) -> Any:
    """AccumulateGrad.accept where there are hooks."""
    hooks, wanted = leaf.hooks, leaf.hooks.grad_dtype
    if grad is not None and wanted is not OWN and wanted is not None:
        grad = repair(grad, (leaf.array.shape, wanted.numpy))
    entering(leaf)
    grad = run_tensor_hooks(hooks.tensor, grad, recorded)
    if captured or not hooks.pre:
        return grad
    return run_prehooks(hooks.pre, (grad,), recorded)[0]


def fit_hooked(leaf: Any, grad: Any) -> Any:
    """AccumulateGrad.fit: where the program chose a dtype, `accept` has seen to it, or will."""
    if leaf.hooks.grad_dtype is OWN:
        return leaf.plain.fit(leaf, grad)
    array = grad._array if isinstance(grad, Tensor) else grad
    return repair(grad, (leaf.array.shape, array.dtype))


def accumulated_hooked(leaf: Any, grad: Any) -> None:
    """AccumulateGrad.accumulated where there are hooks."""
    top = here.top
    recorded = top is not None and top.recorded
    for hook in list(leaf.hooks.after.values()):
        result = call(hook, recorded, leaf.variable)
        if result is not None:
            check_result(result, leaf.array, hook)
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")
    for hook in list(leaf.hooks.post.values()):
        result = call(hook, recorded, (), (wrap(own(grad, recorded)),))
        if result is not None:
            check_results(result, (), hook)


def run_hooked(
    node: Any, run: Callable, recorded: bool, grad: Any, heap: list, leaves: list, keep: bool
) -> Any:
    """A node with hooks: tensor hooks, retain_grad, node pre-hooks, the node, node post-hooks."""
    hooks = node.hooks
    grad = _before(node, grad, recorded)
    defined = is_defined(grad)
    if defined and not hooks.post:
        return run(node, grad, heap, leaves, keep)
    grads = node.gradients(grad, recorded) if defined else node.undefined(recorded)
    if hooks.post:
        grads = _after(node, grad, grads, recorded)
    if not keep:
        node.release()
    return deliver(node.edges(), grads, heap, leaves)


def step(node: Any, one: Pass, keep: bool) -> Any:
    """One node the long way: where it has no gradient at all, where not all of its edges are
    wanted, where its gradient is asked for.
    """
    grad, node.g = node.g, None
    plan = one.plan
    if not (grad is None or one.recorded or node in plan.taps or hasattr(node, "hooks")):
        if len(plan.partial[node]) > 1:
            return node.run_some(grad, one.heap, one.leaves, keep, plan.wanted)
    edges, grads = outcome(node, grad, one, keep)
    return deliver(edges, grads, one.heap, one.leaves)


def outcome(node: Any, grad: Any, one: Pass, keep: bool) -> tuple[Any, Any]:
    """Run a node and say what goes where: (edges, gradients). `grad`: None where it got none."""
    plan, recorded = one.plan, one.recorded
    if isinstance(node, Output):
        return [node.node], [grad]
    defined = grad is not None
    if not defined and node.several():
        grad = [None] * len(node.shapes_out)
    hooked = hasattr(node, "hooks")
    if plan is not None and node in plan.taps:
        if hooked and node not in plan.needed:
            grad = _at_tensors(node, grad, recorded)
        for index in plan.taps[node]:
            plan.captured[node, index] = grad[index] if node.several() else grad
        if node not in plan.needed:
            return (), ()
    if plan is not None and node in plan.partial:
        edges, needed = plan.partial[node], None if node._whole else plan.wanted
    else:
        edges, needed = node.edges(), None
    if hooked:
        grad = _before(node, grad, recorded)
        defined = is_defined(grad)
    grads = node.gradients(grad, recorded, needed) if defined else node.undefined(recorded)
    if hooked and node.hooks.post:
        grads = _after(node, grad, grads, recorded)
    if not keep:
        node.release()
    return edges, grads


def _run_undefined(self: Undefined, grad: Any, heap: list, leaves: list, keep: bool) -> Any:
    node, one = self.turn(heap), here.top
    return None if node is None or one is None else step(node, one, keep)


Undefined.run = _run_undefined


def entering(node: Any) -> None:
    """User code is about to run for this node."""
    if here.top is not None:
        here.top.node = node


def _at_tensors(node: Any, grad: Any, recorded: bool) -> Any:
    """The hooks of the tensors that a node made, and their `retain_grad`."""
    entering(node)
    hooks = node.hooks
    if hooks.tensor:
        grad = run_tensor_hooks(hooks.tensor, grad, recorded)
    if hooks.retain is not None:
        retain(hooks.retain(), grad, recorded)
    if hooks.outputs:
        grad = list(grad)
        for index, each in hooks.outputs:
            grad[index] = run_tensor_hooks(each.tensor, grad[index], recorded)
        for index, each in hooks.outputs:
            if each.retain is not None:
                retain(each.retain(), grad[index], recorded)
    return grad


def _before(node: Any, grad: Any, recorded: bool) -> Any:
    """All hooks that come before the node."""
    grad = _at_tensors(node, grad, recorded)
    if not node.hooks.pre:
        return grad
    many = grad.__class__ is list
    changed = run_prehooks(node.hooks.pre, tuple(grad) if many else (grad,), recorded)
    return list(changed) if many else changed[0]


def _after(node: Any, grad: Any, grads: list, recorded: bool) -> list:
    """The hooks that come after the node: what they make of its results."""
    outs = grad if grad.__class__ is list else [grad]
    given = tuple(wrap(own(g, recorded)) for g in outs)
    grads = [own(g, recorded) for g in grads]
    for hook in list(node.hooks.post.values()):
        result = call(hook, recorded, tuple(map(wrap, grads)), given)
        if result is not None:
            grads = check_results(result, grads, hook, recorded)
    return grads


def retain(tensor: Tensor | None, grad: Any, recorded: bool) -> None:
    """Put a gradient into the `.grad` of a tensor that is no leaf."""
    if tensor is None or grad is None:
        return
    old = getattr(tensor, "_grad", None)
    grad = verbs["clone"](wrap(grad)) if recorded else make(as_array(grad).copy())
    if old is not None:
        grad = old + grad  # type: ignore[operator]
    tensor._grad = grad
