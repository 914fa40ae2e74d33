"""What nodes keep for backward, where that is not simply the arrays: hooks that pack and unpack
them, and what inference tensors refuse.

Ops know none of this: while some mode is in force, a node that was just made is handed over here
(`observe_node`). Packed values lie in the node's own slots; its class is exchanged for one that
unpacks them for the time of a run.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from .._core.device import device_of
from .._core.inference import Inference, is_inference, mark
from .._core.library import RAW
from .._core.state import local, recording, set_recording
from .._core.tensor import Tensor, make
from .mutation import version

__all__ = [
    "Packed",
    "before_write",
    "before_writes",
    "concerns",
    "node_observers",
    "observe_node",
    "observe_result",
    "observe_write",
    "pack_slot",
    "packed",
    "refuse_inference",
    "result_observers",
    "writes_as_usual",
]

node_observers: list[Callable[[Any], None]] = []
"""Called with every node that is made (anomaly mode keeps the lines of the forward)."""

result_observers: list[Callable[[Any, Any], None]] = []
"""Called with the op and the result of every call (anomaly mode looks for NaN)."""


class Packed:
    """One saved tensor as a pack hook left it, and the hook that brings it back."""

    __slots__ = ("form", "unpack_hook", "value")

    def __init__(self, value: Any, unpack_hook: Callable[[Any], Tensor], array: Any) -> None:
        self.value, self.unpack_hook = value, unpack_hook
        self.form = array.shape, device_of(array)

    def unpack(self) -> Tensor:
        """The tensor again. TypeError where the hook gives anything else."""
        result = self.unpack_hook(self.value)
        if not isinstance(result, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(result).__name__}"
            )
        return result

    def array(self) -> Any:
        """Its array, for a formula. RuntimeError where that has another shape or device."""
        array = self.unpack()._array
        shape, place = self.form
        if array.shape != shape and not _fits(array.shape, shape):
            raise RuntimeError(
                f"saved tensor unpack_hook returned a tensor of shape {list(array.shape)} in the "
                f"place of one of shape {list(shape)}"
            )
        if device_of(array) != place:
            raise RuntimeError(
                f"saved tensor unpack_hook returned a tensor on {device_of(array)} in the place of "
                f"one on {place}"
            )
        return array


def _fits(found: tuple, wanted: tuple) -> bool:
    """Can one shape be broadcast to the other?"""
    pairs = zip(found[::-1], wanted[::-1], strict=False)
    return len(found) <= len(wanted) and all(n in (1, m) for n, m in pairs)


def packed(tensor: Tensor, hooks: tuple[Callable, Callable] | None = None) -> Packed:
    """Hand a tensor to the pack hook (default: the innermost of this thread).

    RuntimeError where the hook writes into the tensor.
    """
    pack, unpack = hooks or local.packing[-1]
    before, count = recording(), version(tensor._array)
    set_recording(False)
    try:
        value = pack(tensor)
    finally:
        set_recording(before)
    if version(tensor._array) != count:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input "
            "to pack hook cannot be modified by in-place operations as this can lead to unexpected "
            "side-effects. Give the hook a clone to write into."
        )
    return Packed(value, unpack, tensor._array)


def observe_node(node: Any, values: Any) -> None:
    """A node was made while some mode is in force. `values`: the arguments of the call, in the
    order of the op's parameters."""
    given = dict(zip(node.op.params, values, strict=True))
    for name in node.saved_names:
        value = given.get(name)
        for t in value if isinstance(value, (list, tuple)) else (value,):
            if getattr(node, name, None) is not None and isinstance(t, Tensor):
                refuse_inference(t)
    if local.packing:
        for name in node.saved_names:
            pack_slot(node, name, given.get(name))
    for observe in node_observers:
        observe(node)


def refuse_inference(t: Tensor) -> None:
    """RuntimeError for an inference tensor: its writes are not counted, so nothing can be saved of
    it."""
    if is_inference(t):
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
            "inference mode in computation tracked by autograd. To work around this, you can make "
            "a clone to get a normal tensor and use it in autograd, or use `no_grad()` instead of "
            "`inference_mode()`."
        )


def concerns(values: Any) -> bool:
    """Does some mode in force concern what this thread does with these arguments? Where not, a call
    goes on in the usual way."""
    if result_observers or node_observers or local.packing:
        return True
    if not local.on or local.inference is not None:
        return False
    for v in values:
        if v.__class__ is list or v.__class__ is tuple:
            if any(is_inference(each) for each in v):
                return True
        elif isinstance(v, Tensor) and is_inference(v):
            return True
    return False


def observe_result(op: Any, result: Any) -> None:
    """A call ended while some mode is in force: `result` is a Tensor or a tuple of them."""
    if local.inference is not None and not (op.view or op.many):
        for t in result if isinstance(result, tuple) else (result,):
            mark(t)
    for observe in result_observers:
        observe(op, result)


def observe_write(op: Any, target: Tensor) -> None:
    """A write in place ended while some mode is in force."""
    for observe in result_observers:
        observe(op, target)


def before_write(t: Tensor) -> None:
    """Called before a write in place while some mode is in force. RuntimeError for an inference
    tensor outside inference mode."""
    family = getattr(t, "_family", None)
    if family.__class__ is Inference and local.inference is None and family.writes is None:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
            "a clone to get a normal tensor before doing inplace update."
        )
    for keep in local.before_write:
        keep(t._array)


def writes_as_usual(t: Tensor, values: tuple) -> bool:
    """`before_write`, and: may the write of these values then go on in the usual way?"""
    if local.inference is not None and not result_observers:  # nothing is saved
        for keep in local.before_write:
            keep(t._array)
        return True
    before_write(t)
    return not concerns((t, *values))


def before_writes(tensors: Iterable[Tensor | None]) -> None:
    """The same of several tensors, some of which may be None."""
    for t in tensors:
        if t is not None:
            before_write(t)


# ---- nodes whose slots hold packed values


def pack_slot(node: Any, name: str, original: Any = None, hooks: Any = None) -> None:
    """Replace what `node` keeps under `name` by what a pack hook makes of it.

    `original`: the tensor that it was, or a list of them; without it an equal tensor is made.
    """
    value = getattr(node, name, None)
    if value.__class__ in RAW:
        found = original if _is_of(original, value) else node.as_saved(name, value)
        made: Any = packed(found, hooks)
    elif value.__class__ in (list, tuple) and value and all(v.__class__ in RAW for v in value):
        several = isinstance(original, (list, tuple))
        made = value.__class__(
            packed(o if _is_of(o, v) else make(v), hooks)
            for o, v in zip(original if several else value, value, strict=True)
        )
    else:
        return
    setattr(node, name, made)
    if not isinstance(node, PackedNode):
        node.__class__ = _packed_class(node.__class__)


def _is_of(original: Any, array: Any) -> bool:
    return isinstance(original, Tensor) and original._array is array


class PackedNode:
    """The mark of a node class of which some slots hold packed values."""

    __slots__ = ()


_classes: dict[type, type] = {}


def _packed_class(cls: Any) -> type:
    if cls not in _classes:
        body = {
            "__slots__": (),
            "__module__": cls.__module__,
            "run": _unpacking(cls.run),
            "run_some": _unpacking(cls.run_some),
            "run_recorded": _unpacking(cls.run_recorded),
            "gradients": _unpacking(cls.gradients),
        }
        _classes[cls] = type(cls.__name__, (cls, PackedNode), body)
    return _classes[cls]


def _unpacking(method: Callable) -> Callable:
    def unpacked(self: Any, *args: Any) -> Any:
        use = _enter(self)
        try:
            return method(self, *args)
        finally:
            _leave(self, use)

    return unpacked


class _Use:
    """A node whose slots hold arrays for the time of `count` runs, and what they held before."""

    __slots__ = ("before", "count")

    def __init__(self, before: list[tuple[str, Any]]) -> None:
        self.count, self.before = 1, before


# Passes of several threads may run a node at once: who comes first unpacks, who goes last packs.
_uses: dict[Any, _Use] = {}
_lock = threading.Lock()


def _enter(node: Any) -> _Use:
    with _lock:
        use = _uses.get(node)
        if use is not None:
            use.count += 1
            return use
        # read here, where no other run has arrays in their place
        before = [(name, getattr(node, name)) for name in node.saved_names]
    use = _Use([(name, value) for name, value in before if _is_packed(value)])
    # All of them before any is put in place: an unpack hook may fail. No lock: it may run anything.
    arrays = [_again(value) for _, value in use.before]
    with _lock:
        other = _uses.get(node)
        if other is not None:
            other.count += 1
            return other
        for (name, value), array in zip(use.before, arrays, strict=True):
            if getattr(node, name) is value:  # another run may have released it
                setattr(node, name, array)
        _uses[node] = use
    return use


def _leave(node: Any, use: _Use) -> None:
    with _lock:
        use.count -= 1
        if use.count:
            return
        del _uses[node]
        if any(getattr(node, name) is not None for name, _ in use.before):  # it was not released
            for name, value in use.before:
                setattr(node, name, value)


def _is_packed(value: Any) -> bool:
    return value.__class__ is Packed or (
        value.__class__ in (list, tuple) and bool(value) and value[0].__class__ is Packed
    )


def _again(value: Any) -> Any:
    if value.__class__ is Packed:
        return value.array()
    return value.__class__(v.array() for v in value)
