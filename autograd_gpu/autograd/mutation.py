"""Which memory was written since a node was recorded: versions, in-place writes, and the check of
what was saved.
"""

import weakref
from collections import deque
from typing import Any

from .._core.dtype import of
from .._core.layout import owner
from .._core.state import state, tick

__all__ = ["check_saved", "record_write", "version"]

# id of an owner of memory -> its entry; only for memory that was ever written. A node that is
# younger than the youngest write needs no check at all: that is one comparison, and the common
# case.
_writes: dict[int, "_Entry"] = {}


class _Entry:
    """`count` writes; the clock's numbers of the latest of them, so that an error can say how many
    came after a save.
    """

    __slots__ = ("count", "ticks", "watch")
    ticks: deque

    def __init__(self, memory: Any) -> None:
        key = id(memory)
        self.count, self.ticks = 0, deque((), 64)
        self.watch = weakref.ref(memory, lambda _: _writes.pop(key, None))


def record_write(array: Any) -> None:
    """Say that `array` was written in place, outside the table of ops too (optimizers,
    load_state_dict).
    """
    memory = array if array.base is None else owner(array)
    entry = _writes.get(id(memory))
    if entry is None:
        entry = _writes[id(memory)] = _Entry(memory)
    state.last_write = now = tick()
    entry.ticks.append(now)
    entry.count += 1


def version(array: Any) -> int:
    """How many in-place writes the memory of `array` has seen."""
    entry = _writes.get(id(owner(array)))
    return 0 if entry is None else entry.count


def check_saved(node: Any) -> None:
    """Called only where some write is younger than the node: was it to memory that the node
    saved?
    """
    for name in node.saved_names:
        array = getattr(node, name, None)
        for piece in array if array.__class__ in (list, tuple) else (array,):
            if hasattr(piece, "base"):
                entry = _writes.get(id(owner(piece)))
                if entry is not None and entry.ticks[-1] > node.seq:
                    raise modified(node, name, piece, entry)


def modified(node: Any, name: str, array: Any, entry: _Entry) -> RuntimeError:
    """The error that names what was saved, by which node, and both versions."""
    since = sum(t > node.seq for t in entry.ticks)
    kind = f"torch.{of(array.dtype).legacy}Tensor {list(array.shape)}"
    edge = node.op and node.op.edge_of.get(name)
    maker = node if name == "out" else getattr(node, edge) if edge else None
    index, maker = getattr(maker, "index", 0), getattr(maker, "node", maker)
    made = (
        f", which is output {index} of {maker.name().partition('Backward')[0]},"
        if maker is not None and maker.seq
        else f", saved as '{name}' by {node.name()},"
    )
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{kind}]{made} is at version {entry.count}; expected version "
        f"{entry.count - since} instead. Hint: enable anomaly detection to find the operation that "
        "failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."
    )
