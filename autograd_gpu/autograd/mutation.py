"""Which memory was written since a node was recorded: versions, in-place writes, and the check of
what was saved.
"""

import weakref
from collections import deque
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.layout import owner
from .._core.state import ANOMALY, modes, state, tick

__all__ = ["check_saved", "modified", "record_write", "set_version", "version", "written_since"]

# id of an owner of memory -> its entry; only for memory that was ever written. A node that is
# younger than the youngest write needs no check at all: that is one comparison, and the common
# case.
_writes: dict[int, "_Entry"] = {}


# The number of the first write since a node was last recorded.
_streak = 0

_PLACES = 256


class _Entry:
    """`count` writes; `latest`: the clock's number of the last one. Writes between which no node
    was recorded are a run; `runs` holds (number of its first write, writes before it) of the latest
    runs, so that an error can say which version a node saved.
    """

    __slots__ = ("count", "latest", "runs", "watch")
    runs: deque[tuple[int, int]]

    def __init__(self, memory: Any, count: int = 0) -> None:
        key = id(memory)
        self.count, self.latest, self.runs = count, 0, deque((), _PLACES)
        self.watch = weakref.ref(memory, lambda _: _writes.pop(key, None))

    def before(self, seq: int) -> str:
        """How many writes there had been when the clock was at `seq`."""
        found = next((n for start, n in self.runs if start > seq), self.count)
        forgotten = found and len(self.runs) == _PLACES and self.runs[0][0] > seq
        return f"{found} or less" if forgotten else f"{found}"


def record_write(array: Any) -> None:
    """Say that `array` was written in place, outside the table of ops too (optimizers,
    load_state_dict).
    """
    global _streak
    memory = array if array.base is None else owner(array)
    entry = _writes.get(id(memory))
    if entry is None:
        entry = _writes[id(memory)] = _Entry(memory)
    now = tick()
    if now - 1 != state.last_write:
        _streak = now
    if entry.latest < _streak:
        entry.runs.append((now, entry.count))
    state.last_write = entry.latest = now
    entry.count += 1


def set_version(array: Any, count: int) -> None:
    """Let the memory of `array` be at a version: later writes count as not having been."""
    memory = owner(array)
    entry = _writes.get(id(memory))
    if entry is None:
        entry = _writes[id(memory)] = _Entry(memory)
    if count < entry.count:
        while entry.runs and entry.runs[-1][1] >= count:
            entry.runs.pop()
        # no node lies within a run: its beginning tells them apart as well as its end
        entry.latest = entry.runs[-1][0] if entry.runs else 0
    entry.count = count


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
                if entry is not None and entry.latest > node.seq:
                    raise modified(node, name, piece, entry)


def written_since(array: Any, seq: int) -> "_Entry | None":
    """What is known of writes to the memory of `array`, if there were any since `seq`."""
    entry = _writes.get(id(owner(array)))
    return entry if entry is not None and entry.latest > seq else None


def modified(node: Any, name: str, array: Any, entry: _Entry, maker: Any = None) -> RuntimeError:
    """The error that names what was saved, by which node, and both versions. `maker`: what made
    it, where the node's op does not tell.
    """
    place = "" if isinstance(array, np.ndarray) else "cuda."
    kind = f"torch.{place}{of(array.dtype).legacy}Tensor {list(array.shape)}"
    edge = node.op and node.op.edge_of.get(name)
    maker = node if name == "out" else getattr(node, edge) if edge else maker
    index, maker = getattr(maker, "index", 0), getattr(maker, "node", maker)
    made = (
        f", which is output {index} of {maker.name().partition('Backward')[0]},"
        if maker is not None and maker.seq
        else f", saved{f' as {name!r}' if name else ''} by {node.name()},"
    )
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{kind}]{made} is at version {entry.count}; expected version "
        f"{entry.before(node.seq)} instead. Hint: {_HINTS[ANOMALY in modes]}"
    )


_HINTS = {
    False: "enable anomaly detection to find the operation that failed to compute its gradient, "
    "with torch.autograd.set_detect_anomaly(True).",
    True: "the forward line given with this error is that of the operation that failed to compute "
    "its gradient. The variable was written there or anywhere later.",
}
