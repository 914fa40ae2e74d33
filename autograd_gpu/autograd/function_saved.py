"""What a Function keeps for backward: as arrays and edges, checked for writes when it is asked for.

A node's `_kept` is None when freed, else a list with an entry a tensor: None, or a list of the
array (or the Packed that a hook made of it), the edge (or the number of the output that it is), and
a weak reference to the tensor itself (None of an output): as long as the program has that, it is
what is given out.
"""

import weakref
from typing import Any

from .._core.state import local, modes, state
from .._core.tensor import Tensor, make
from .mutation import modified, written_since
from .node import AccumulateGrad, freed
from .saved_tensor import SavedTensor
from .saving import Packed, packed, refuse_inference
from .views import edge_of

__all__ = ["keep", "kept_arrays", "kept_tensors", "raw_tensors"]


class _Cleared(tuple):
    """In the place of what was given out already, where that is done once only."""


_CLEARED = _Cleared()


def keep(node: Any, tensors: Any, outputs: tuple, returned: Any = ()) -> None:
    """Save what forward asked for. TypeError for what is no Tensor.

    An output is known by its number, unless it is one of `returned` too: an argument that comes
    back as it is.
    """
    if not isinstance(tensors, tuple):
        raise RuntimeError(
            f"to_save attribute is expected to be a tuple but is {type(tensors).__name__}"
        )
    kept: list[Any] = []
    node._kept = kept
    for t in tensors:
        if t is None:
            kept.append(None)
            continue
        if not isinstance(t, Tensor):
            raise TypeError(
                f"save_for_backward can only save variables, but argument {len(kept)} is of type "
                f"{type(t).__name__}"
            )
        for place, o in enumerate(outputs):
            if o is t and not _is_alias(node, t, returned):
                kept.append([t._array, place, None] if node.is_live(place) else _plain(t, None))
                break
        else:
            kept.append(_plain(t, edge_of(t)))
    if modes:
        _pack(node, tensors)


def _is_alias(node: Any, t: Tensor, returned: Any) -> bool:
    """Is this output an argument that was not written? Then another tensor is given out."""
    return any(t is a for a in returned) and not any(t is d for d in node.dirty_tensors or ())


def _plain(t: Tensor, edge: Any) -> list:
    return [t._array, edge, weakref.ref(t)]


def _pack(node: Any, tensors: tuple) -> None:
    """Hooks of saved tensors, and what inference tensors refuse."""
    for t, k in zip(tensors, node._kept, strict=True):
        if k is None:
            continue
        refuse_inference(t)
        if local.packing:
            k[:] = packed(make(t._array) if k[2] is None else t), k[1], None


def kept_tensors(node: Any) -> tuple[Tensor | None, ...]:
    """What was saved, as Tensors: those that the program still has, of others equal ones."""
    kept = _checked(node)
    if kept and state.last_write > node.seq:
        _check_writes(node, kept)
    tensors = tuple([None if k is None else _again(node, k) for k in kept])
    if kept and node._forward_cls.clear_saved_tensors_on_access:
        node._kept = _CLEARED
    return tensors


def _checked(node: Any) -> Any:
    kept = node._kept
    if kept is None:
        raise freed()
    if kept is _CLEARED:
        raise RuntimeError(
            "saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is "
            "set on the autograd.Function. Access it once, or do not set that."
        )
    return kept


def _again(node: Any, entry: list) -> Tensor:
    array, edge, ref = entry
    if ref is not None:
        tensor = ref()
        if tensor is not None and tensor._array is array and getattr(tensor, "_edge", node) is edge:
            return tensor
        if isinstance(edge, AccumulateGrad) and edge.array is array:
            return edge.variable
    elif edge.__class__ is int:
        edge = node.output_edge(edge)
    if array.__class__ is Packed:
        return make(array.unpack()._array, edge)
    made = make(array, edge)
    if ref is not None:
        entry[2] = weakref.ref(made)
    return made


def _check_writes(node: Any, kept: Any) -> None:
    """RuntimeError where what was saved was written since."""
    for entry in kept:
        if entry is None or entry[0].__class__ is Packed:
            continue
        array, edge, _ = entry
        writes = written_since(array, node.seq)
        if writes is not None:
            maker = node.output_edge(edge) if edge.__class__ is int else edge
            raise modified(node, "", array, writes, maker)


def kept_arrays(node: Any) -> tuple | None:
    """The arrays, or what hooks made of them; None where they were freed."""
    kept = node._kept
    return kept if kept is None else tuple(None if k is None else k[0] for k in kept)


def raw_tensors(node: Any) -> tuple[SavedTensor, ...]:
    """A handle of each saved tensor. RuntimeError where they were freed."""
    kept = node._kept
    if kept is None:
        raise freed()
    return tuple(_handle(node, i) for i in range(len(kept)))


def _handle(node: Any, place: int) -> SavedTensor:
    def held() -> Any:
        kept = node._kept
        return kept[place][0] if kept and kept[place] is not None else None

    def again(checked: bool) -> Any:
        entry = _checked(node)[place]
        if entry is None:
            return None
        if checked and state.last_write > node.seq:
            _check_writes(node, [entry])
        return _again(node, entry)

    def pack(hooks: tuple) -> None:
        entry = node._kept[place]
        given = make(entry[0]) if entry[2] is None else _again(node, entry)
        entry[:] = packed(given, hooks), entry[1], None

    return SavedTensor(held, again, pack)
