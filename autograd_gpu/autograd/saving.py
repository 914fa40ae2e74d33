"""What nodes keep for backward, where that is not simply the arrays: hooks that pack and unpack
them, and what inference tensors refuse.

Ops know none of this: while some mode is in force, a node that was just made is handed over here
(`observe_node`). Packed values lie in the node's own slots; its class is exchanged for one that
unpacks them for the time of a run.
"""

from collections.abc import Callable, Iterable
from typing import Any

from .._core.inference import Inference, alive, is_inference, mark
from .._core.library import RAW
from .._core.state import local, recording, set_recording
from .._core.tensor import Tensor, make
from .mutation import version
from .node import Output

__all__ = [
    "Packed",
    "before_write",
    "before_writes",
    "concerns",
    "node_observers",
    "observe_node",
    "observe_result",
    "pack_slot",
    "packed",
    "refuse_inference",
    "result_observers",
    "saved_value",
]

node_observers: list[Callable[[Any], None]] = []
"""Called with every node that is made (anomaly mode keeps the lines of the forward)."""

result_observers: list[Callable[[Any, Any], None]] = []
"""Called with the op and the result of every call (anomaly mode looks for NaN)."""


class Packed:
    """One saved tensor as a pack hook left it, and the hook that brings it back."""

    __slots__ = ("unpack_hook", "value")

    def __init__(self, value: Any, unpack_hook: Callable[[Any], Tensor]) -> None:
        self.value, self.unpack_hook = value, unpack_hook

    def unpack(self) -> Tensor:
        """The tensor again. TypeError where the hook gives anything else."""
        result = self.unpack_hook(self.value)
        if not isinstance(result, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(result).__name__}"
            )
        return result


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
    return Packed(value, unpack)


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
    if not alive or not local.on or local.inference is not None:
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
        found = original if _is_of(original, value) else _tensor(node, name, value)
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


def _tensor(node: Any, name: str, array: Any) -> Tensor:
    """What was saved, as a Tensor: an output of the node, or something without a history."""
    op = node.op
    if name == "out":
        return make(array, node)
    if name in op.relays:
        return make(array, Output(node, op.relays.index(name)))
    if name in op.outputs:
        return make(array, node if op.outputs.index(name) == op.main else None)
    edge = op.edge_of.get(name)
    return make(array, getattr(node, edge) if edge else None)


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
        before = [(name, getattr(self, name)) for name in self.saved_names]
        before = [(name, value) for name, value in before if _is_packed(value)]
        for name, value in before:
            setattr(self, name, _again(value))
        released = False
        try:
            result = method(self, *args)
            released = all(getattr(self, name) is None for name, _ in before)
            return result
        finally:
            if not released:
                for name, value in before:
                    setattr(self, name, value)

    return unpacked


def _is_packed(value: Any) -> bool:
    return value.__class__ is Packed or (
        value.__class__ in (list, tuple) and bool(value) and value[0].__class__ is Packed
    )


def _again(value: Any) -> Any:
    if value.__class__ is Packed:
        return value.unpack()._array
    return value.__class__(v.unpack()._array for v in value)


def saved_value(node: Any, name: str) -> Any:
    """What a node keeps under `name`, unpacked: an array, a list of them, an option, or None."""
    value = getattr(node, name)
    return _again(value) if _is_packed(value) else value
