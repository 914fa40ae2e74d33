"""What a node shows of what it saved, under PyTorch's names: `grad_fn._saved_self`, `_saved_dim`,
`_raw_saved_self`.

The properties are put on the node classes of an op when these are made, at its first use; a call
pays nothing.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.library import RAW
from .._core.tensor import Tensor, make
from ..autograd.mutation import modified, written_since
from ..autograd.node import AccumulateGrad, freed
from ..autograd.saving import Packed, pack_slot

__all__ = ["SavedTensor", "expose", "option", "sizes", "tensor"]


def expose(op: Any, cls: type) -> None:
    """Give a node class what PyTorch's node of that name has, as far as the op's formulas keep it
    or it follows from what they keep.
    """
    for name, rule in _rules(op).items():
        setattr(cls, "_saved_" + name, _shown(name, rule))
        if isinstance(rule, str) and rule in op.saved_arrays:
            setattr(cls, "_raw_saved_" + name, _raw(rule))


def _rules(op: Any) -> dict[str, Any]:
    """PyTorch's name -> the slot it is kept in, a function of the node, or None: not kept."""
    from .saved_names import RULES

    if op.name in RULES:
        return {k: _rule(op, v) for k, v in RULES[op.name].items()}
    found = {}
    for slot in op.users:
        base, _, what = slot.rpartition("_")
        if base in op.kinds and what in ("shape", "dtype"):
            if what == "shape" and "list" not in op.kinds[base]:
                found[("self" if base == "input" else base) + "_sym_sizes"] = slot
        else:
            found[{"input": "self", "out": "result"}.get(slot, slot)] = slot
    return found


def _rule(op: Any, rule: Any) -> Any:
    known = not isinstance(rule, str) or rule in op.users
    return rule if known else None


@functools.cache
def _shown(name: str, rule: Any) -> property:
    def get(node: Any) -> Any:
        if rule is None:
            raise AttributeError(
                f"{node.name()} has no '_saved_{name}': its formula here needs no such value, and "
                "none is kept"
            )
        if not isinstance(rule, str):
            return rule(node)
        return tensor(node, rule) if rule in node.saved_names else option(node, rule)

    return property(get, doc=f"What PyTorch calls `{name}` of what this node saved.")


@functools.cache
def _raw(slot: str) -> property:
    return property(lambda node: SavedTensor(node, slot), doc="A handle of this saved tensor.")


_WRAPPING = {
    "dim", "dim0", "dim1", "dim2", "dimension", "dims", "diagonal", "ignore_index", "k",
    "offset", "pad", "padding_idx", "shifts",
}  # fmt: skip


def option(node: Any, slot: str) -> Any:
    """A number, a text or a tuple that a node keeps. Negative dimensions count from 2**64, as in
    PyTorch, which keeps unsigned ones.
    """
    value = getattr(node, slot)
    if slot not in _WRAPPING:
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, (tuple, list)):
        return tuple(map(unsigned, value))
    return unsigned(value)


def unsigned(value: Any) -> Any:
    """-1 as 2**64 - 1."""
    return value % 2**64 if isinstance(value, int) and value < 0 else value


def tensor(node: Any, slot: str) -> Any:
    """A saved tensor as it was: an input with its history (a leaf itself), an output with this
    node. None where the gradients that are wanted do not need it.

    RuntimeError after it was freed, or written in place.
    """
    value = getattr(node, slot)
    if value is None:
        return node.named(slot, True, {})  # an error where it was freed
    if value.__class__ in (list, tuple):
        if value and value[0].__class__ is Packed:
            return tuple(v.unpack() for v in value)
        return tuple(None if v.__class__ is slice else _attached(node, slot, v) for v in value)
    return _attached(node, slot, value)


def _attached(node: Any, slot: str, value: Any) -> Any:
    if value.__class__ is Packed:
        value = value.unpack()._array
    elif value.__class__ in RAW:
        entry = written_since(value, node.seq)
        if entry is not None:
            raise modified(node, slot, value, entry)
    if value.__class__ not in RAW:  # a number, in the place of a tensor
        number = isinstance(value, (int, float, complex))
        return make(np.asarray(value)) if number and slot in node.op.kinds else value
    edge = _edge(node, slot)
    if isinstance(edge, AccumulateGrad) and edge.array is value:
        return edge.variable
    return make(value, edge)


def _edge(node: Any, slot: str) -> Any:
    """Where a gradient of a saved tensor goes."""
    op = node.op
    if slot in op.caches:
        return None
    kept = op.edge_of.get(slot)
    if kept is not None and not op.lists:
        return getattr(node, kept)
    again = node.named(slot, True, {})
    return again._edge if isinstance(again, Tensor) else None


def sizes(node: Any, slot: str) -> tuple[int, ...]:
    """The shape of what a node saved, or kept the shape of."""
    shape = getattr(node, slot + "_shape", None)
    if shape is None:
        saved = tensor(node, slot)
        if saved is None:
            raise AttributeError(f"{node.name()} keeps no '{slot}', since no gradient needs it")
        shape = saved.shape
    return tuple(shape)


class SavedTensor:
    """One tensor that a node saved, as `_raw_saved_*` gives it."""

    def __init__(self, node: Any, slot: str) -> None:
        self._node, self._slot = node, slot

    @property
    def data(self) -> Any:
        """What is kept: the tensor, or what its pack hook made of it; None after it was freed."""
        value = getattr(self._node, self._slot)
        if value.__class__ is Packed:
            return value.value
        return None if value is None else tensor(self._node, self._slot)

    @property
    def unpack_hook(self) -> Callable | None:
        """The hook that brings the tensor back, or None."""
        value = getattr(self._node, self._slot)
        return value.unpack_hook if value.__class__ is Packed else None

    def unpack(self) -> Any:
        """The tensor, as backward gets it. RuntimeError after it was freed."""
        return tensor(self._node, self._slot)

    def register_hooks(self, pack_hook: Callable, unpack_hook: Callable) -> None:
        """Let the tensor pass through `pack_hook` now, and what that returns through `unpack_hook`
        whenever it is needed.

        Raises:
            TypeError: a hook that cannot be called.
            RuntimeError: nothing is saved, it was freed, it has hooks, or pack_hook writes into it.
        """
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError(f"register_hooks(): {type(hook).__name__} is not callable")
        value = getattr(self._node, self._slot)
        if value is None:
            raise self._nothing()
        packed = value[0] if value.__class__ in (list, tuple) and value else value
        if packed.__class__ is Packed:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        original = tensor(self._node, self._slot)
        pack_slot(self._node, self._slot, original, (pack_hook, unpack_hook))

    def _nothing(self) -> RuntimeError:
        try:
            tensor(self._node, self._slot)
        except RuntimeError:
            return RuntimeError(
                "Calling register_hooks on a saved tensor after it has been freed. "
                + str(freed()).partition("freed). ")[2]
            )
        return RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
