"""Writes to what was saved for backward: kept is what stood there before them."""

from collections import defaultdict
from typing import Any
from weakref import WeakSet

import numpy as np

from .._core.device import guard
from .._core.layout import meet, memory_of
from .._core.state import local
from .._core.tensor import Tensor, make
from .saved_hooks import saved_tensors_hooks

__all__ = ["allow_mutation_on_saved_tensors"]


class _Saved:
    """One saved tensor: the array that was saved, or a copy from before the first write to it."""

    __slots__ = ("__weakref__", "array")

    def __init__(self, array: Any) -> None:
        self.array = array


class SavedTensors:
    """What the graphs recorded in one `allow_mutation_on_saved_tensors()` have saved."""

    def __init__(self) -> None:
        self._all: WeakSet[_Saved] = WeakSet()
        # id of the memory -> what still lies in it; memory lives as long as anything here does
        self._places: defaultdict[int, WeakSet[_Saved]] = defaultdict(WeakSet)
        self._prune_at = 64

    def clear(self) -> None:
        """Forget all of it: a backward pass through these graphs is an AssertionError from now on.
        Called at the end of the context."""
        for saved in list(self._all):
            saved.array = None
        self._all.clear()
        self._places.clear()

    def _pack(self, tensor: Tensor) -> _Saved:
        saved = _Saved(tensor._array)
        self._all.add(saved)
        if len(self._places) > self._prune_at:
            for place in [key for key, members in self._places.items() if not members]:
                del self._places[place]
            self._prune_at = 64 + 2 * len(self._places)
        self._places[_memory(saved.array)].add(saved)
        return saved

    def _unpack(self, saved: _Saved) -> Tensor:
        if saved.array is None:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in "
                "which the graph was originally recorded."
            )
        return make(saved.array)

    def _keep(self, array: Any) -> None:
        """`array` is about to be written: copy what was saved of these elements."""
        members = self._places.get(_memory(array))
        if not members:
            return
        copies: dict[int, Any] = {}
        for saved in list(members):
            before = saved.array
            if before is not None and meet(before, array):
                if id(before) not in copies:
                    copies[id(before)] = before, _copy(before)
                saved.array = copies[id(before)][1]
                members.discard(saved)


def _memory(array: Any) -> int:
    """A number for the memory that an array looks at, the same for `t` and `t.data`."""
    return id(memory_of(array) if isinstance(array, np.ndarray) else array.data.mem)


def _copy(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return array.copy(order="K")
    with guard(array):
        return array.copy()


class allow_mutation_on_saved_tensors:
    """Within it, tensors that were saved for backward may be written in place: backward computes
    with the values that were there before.

    They are copied on the first write, and only then. It holds for graphs recorded and run
    backward within the context, in this thread; what NumPy or other libraries write is not
    noticed, as ever. Entering gives an object whose `clear()` lets go of all that was saved.

    Raises:
        RuntimeError: a context in another; hooks are forbidden (`disable_saved_tensors_hooks`).
        AssertionError: in a backward pass after the context, or after `clear()`.
    """

    def __enter__(self) -> SavedTensors:
        if local.before_write:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        self._context = SavedTensors()
        self._hooks = saved_tensors_hooks(self._context._pack, self._context._unpack)
        self._hooks.__enter__()
        local.before_write = (self._context._keep,)
        return self._context

    def __exit__(self, *_: object) -> None:
        local.before_write = ()
        self._hooks.__exit__()
        self._context.clear()
