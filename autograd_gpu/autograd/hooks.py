"""Hooks on tensors and nodes. What has a hook changes its class, so that what has none pays
nothing, not even a test.
"""

import weakref
from collections.abc import Callable
from typing import Any

from .._core.state import hush, recording, set_recording, tick, unhush
from .._core.tensor import Tensor, as_array, make
from .node import AccumulateGrad, Node, Output, deliver

__all__ = ["Hooks", "RemovableHandle", "add_hook", "hooked_leaves", "hooks_of", "user_errstate"]

user_errstate: list[Any] = []
"""The tokens of NumPy's error state as it was when each pass began: user code in hooks runs under
it.
"""


hooked_leaves: dict[int, Any] = {}
"""The leaves with hooks: while there are any, passes find out when a leaf's gradient is
complete.
"""


class Hooks:
    """All hooks of one edge: `tensor` before anything, `retain` into a tensor's `.grad`, `capture`
    for `inputs=`, `pre` and `post` around the node, `after` when a leaf's gradient is in place."""

    __slots__ = ("after", "capture", "post", "pre", "retain", "stop", "tensor")

    def __init__(self) -> None:
        self.tensor: dict = {}
        self.retain: Any = None
        self.capture: Any = None
        self.stop = False
        self.pre: dict = {}
        self.post: dict = {}
        self.after: dict = {}


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
        edge.__class__ = _hooked_class(edge.__class__)
        return edge.hooks


def add_hook(edge: Any, kind: str, hook: Callable) -> RemovableHandle:
    """Put a hook into a table of `edge`."""
    table, key = getattr(hooks_of(edge), kind), tick()
    table[key] = hook
    if not edge.seq:
        place = id(edge)
        hooked_leaves[place] = weakref.ref(edge.variable, lambda _: hooked_leaves.pop(place, None))
    return RemovableHandle(table, key)


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
            body: dict = {"accept": accept_hooked, "accumulated": accumulated_hooked}
        else:
            base: Any = cls
            body = {
                "run": lambda self, *a: run_hooked(self, base.run, False, *a),
                "run_recorded": lambda self, *a: run_hooked(self, base.run_recorded, True, *a),
            }
        _hooked[cls] = type(cls.__name__, (cls,), {"__slots__": (), "plain": cls, **body})
    return _hooked[cls]


def accept_hooked(leaf: Any, grad: Any, recorded: bool) -> Any:
    """AccumulateGrad.accept where there are hooks."""
    hooks = leaf.hooks
    grad = run_tensor_hooks(hooks.tensor, grad, recorded)
    return run_prehooks(hooks.pre, (grad,), recorded)[0] if hooks.pre else grad


def accumulated_hooked(leaf: Any, grad: Any) -> None:
    """AccumulateGrad.accumulated where there are hooks."""
    for hook in list(leaf.hooks.after.values()):
        call(hook, False, leaf.variable)
    for hook in list(leaf.hooks.post.values()):
        call(hook, False, (), (wrap(grad),))


def run_hooked(
    node: Any, run: Callable, recorded: bool, grad: Any, heap: list, leaves: list, keep: Any
) -> Any:
    """A node with hooks: tensor hooks, retain_grad, capture, node pre-hooks, the node, node
    post-hooks.
    """
    hooks = node.hooks
    if hooks.tensor:
        grad = run_tensor_hooks(hooks.tensor, grad, recorded)
    if hooks.retain is not None:
        retain(hooks.retain(), grad, recorded)
    if hooks.capture is not None:
        hooks.capture.append(grad)
        if hooks.stop:
            return None
    many = grad.__class__ is list
    if hooks.pre:
        changed = run_prehooks(hooks.pre, tuple(grad) if many else (grad,), recorded)
        grad = list(changed) if many else changed[0]
    if not hooks.post or isinstance(node, Output):
        return run(node, grad, heap, leaves, keep)
    given = tuple(map(wrap, grad)) if many else (wrap(grad),)
    grads = node.gradients(grad, recorded, keep if recorded else None)
    for hook in list(hooks.post.values()):
        result = call(hook, recorded, tuple(map(wrap, grads)), given)
        if result is not None:
            grads = _replaced(node, result, grads, recorded)
    if not recorded and not keep:
        node.release()
    return deliver(node.edges(), grads, heap, leaves)


def _replaced(node: Any, result: Any, grads: Any, recorded: bool) -> list[Any]:
    result = result if isinstance(result, (tuple, list)) else (result,)
    if len(result) != len(grads):
        raise RuntimeError(
            f"hook of {node.name()} has returned an incorrect number of values (got {len(result)}, "
            f"but expected {len(grads)})"
        )
    return [check_result(r, g, recorded) for r, g in zip(result, grads, strict=True)]


def retain(tensor: Tensor | None, grad: Any, recorded: bool) -> None:
    """Put a gradient into the `.grad` of a tensor that is no leaf."""
    if tensor is None:
        return
    old = getattr(tensor, "_grad", None)
    grad = wrap(grad) if recorded else make(as_array(grad).copy())
    if old is not None:
        grad = old + grad  # type: ignore[operator]
    tensor._grad = grad


def run_tensor_hooks(table: dict, grad: Any, recorded: bool) -> Any:
    """Each tensor hook in its turn: it is given the gradient and may return another."""
    if not recorded and table:
        # A sibling branch may hold the same buffer: the hook gets its own, so that writing into it
        # harms nobody.
        grad = as_array(grad).copy()
    for hook in list(table.values()):
        result = call(hook, recorded, wrap(grad))
        if result is not None:
            grad = check_result(result, grad, recorded, hook)
    return grad


def run_prehooks(table: dict, grads: tuple, recorded: bool) -> tuple:
    """Node pre-hooks: given the gradients of the outputs, may return others."""
    for hook in list(table.values()):
        result = call(hook, recorded, tuple(map(wrap, grads)))
        if result is not None:
            result = result if isinstance(result, (tuple, list)) else (result,)
            if len(result) != len(grads):
                raise RuntimeError(
                    f"pre-hook returned {len(result)} gradients where {len(grads)} were expected"
                )
            grads = tuple(check_result(r, g, recorded) for r, g in zip(result, grads, strict=True))
    return grads


def call(hook: Callable, recorded: bool, *args: Any) -> Any:
    """Call user code: in the grad mode of the pass, and under the user's own NumPy error state."""
    before = recording()
    set_recording(recorded)
    token = hush(user_errstate[-1]) if user_errstate else None
    try:
        return hook(*args)
    finally:
        if token is not None:
            unhush(token)
        set_recording(before)


def check_result(result: Any, grad: Any, recorded: bool, hook: Any = None) -> Any:
    """What a hook returned, if it can stand for the gradient; PyTorch's errors otherwise."""
    if result is None:
        return grad
    if not isinstance(result, Tensor):
        raise TypeError(
            f"hook returned '{type(result).__name__}' where a Tensor or None was expected"
        )
    if grad is not None:
        old = grad._array if isinstance(grad, Tensor) else grad
        name = getattr(hook, "__name__", "hook")
        if result._array.shape != old.shape:
            raise RuntimeError(
                f"hook '{name}' has changed the size of value: got {list(result.shape)}, expected "
                f"{list(old.shape)}"
            )
        if result._array.dtype != old.dtype:
            raise RuntimeError(
                f"hook '{name}' has changed the type of value (was {old.dtype}, got "
                f"{result._array.dtype})"
            )
    return result if recorded else result._array


def wrap(grad: Any) -> Any:
    """A gradient as hooks see it: a Tensor, or None."""
    return grad if grad is None or isinstance(grad, Tensor) else make(as_array(grad))
