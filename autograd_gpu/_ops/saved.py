"""What a node shows of what it saved, under PyTorch's names: `grad_fn._saved_self`, `_saved_dim`,
`_raw_saved_self`.

The properties are put on the node classes of an op when these are made, at its first use; a call
pays nothing.
"""

import functools
from typing import Any

import numpy as np

from .._core.library import RAW
from .._core.tensor import Tensor, make
from ..autograd.mutation import modified, written_since
from ..autograd.node import AccumulateGrad
from ..autograd.saved_tensor import SavedTensor
from ..autograd.saving import Packed, pack_slot

__all__ = ["expose", "option", "sizes", "tensor"]


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
    def handle(node: Any) -> SavedTensor:
        def pack(hooks: tuple) -> None:
            pack_slot(node, slot, tensor(node, slot, False), hooks)

        return SavedTensor(
            lambda: getattr(node, slot), lambda checked: tensor(node, slot, checked), pack
        )

    return property(handle, doc="A handle of this saved tensor.")


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


def tensor(node: Any, slot: str, checked: bool = True) -> Any:
    """A saved tensor as it was: an input with its history (a leaf itself), an output with this
    node. None where the gradients that are wanted do not need it.

    RuntimeError after it was freed, or, where that is `checked`, written in place.
    """
    value = getattr(node, slot)
    if value is None:
        return node.named(slot, True, {})  # an error where it was freed
    if value.__class__ in (list, tuple):
        if value and value[0].__class__ is Packed:
            return tuple(v.unpack() for v in value)
        return tuple(
            None if v.__class__ is slice else _attached(node, slot, v, checked) for v in value
        )
    return _attached(node, slot, value, checked)


def _attached(node: Any, slot: str, value: Any, checked: bool) -> Any:
    if value.__class__ is Packed:
        value = value.unpack()._array
    elif checked and value.__class__ in RAW:
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
