"""The passes in progress, innermost last, and what hooks may ask of theirs."""

import threading
from collections.abc import Callable
from typing import Any

__all__ = [
    "Notes",
    "forget_notes",
    "held",
    "noted",
    "notes_of_pass",
    "passes",
    "queue_callback",
    "run_queued",
]

passes: list[tuple[list, list, Any, Any]] = []
"""(heap, leaves, roots, needed) of each: the waiting nodes, the leaves that have gradients, where
it began, and the nodes to which gradients must go, None for all."""


class _Held(threading.local):
    depth = 0


held = _Held()
"""`depth`: how many passes of this thread are in each other."""


class Notes:
    """What hooks put down for the time of one pass: `queued` functions that run at its end, and
    what they keep under a key of their own in `kept`.
    """

    def __init__(self, roots: Any, needed: Any) -> None:
        self.queued: list[Callable[[], Any]] = []
        self.kept: dict[Any, Any] = {}
        self._roots, self._needed = roots, needed
        self._visited: set | None = None

    def visits(self, edge: Any) -> bool:
        """Does this pass come to `edge`, if gradients are computed for all that it walks over?"""
        if self._visited is None:
            self._visited = self._walk()
        return edge in self._visited

    def _walk(self) -> set:
        needed = self._needed
        order = [r for r in self._roots if needed is None or r in needed]
        seen = set(order)
        for node in order:  # grows while it is walked
            hooks = getattr(node, "hooks", None)
            if hooks is not None and hooks.stop:
                continue
            for edge in node.edges():
                if edge is not None and edge not in seen and (needed is None or edge in needed):
                    seen.add(edge)
                    order.append(edge)
        return seen


# id of a pass's heap -> its notes; empty unless some hook asked for them
noted: dict[int, Notes] = {}


def notes_of_pass() -> Notes | None:
    """The notes of the innermost pass of this thread; None outside of passes."""
    if not held.depth:
        return None
    heap, _, roots, needed = passes[-1]
    if id(heap) not in noted:
        noted[id(heap)] = Notes(roots, needed)
    return noted[id(heap)]


def queue_callback(callback: Callable[[], Any]) -> None:
    """Call `callback()` when the innermost pass in progress has filled every `.grad`. It is not
    called where the pass fails.

    RuntimeError outside of a backward pass.
    """
    notes = notes_of_pass()
    if notes is None:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    if not callable(callback):
        raise TypeError(f"'{type(callback).__name__}' object is not callable")
    notes.queued.append(callback)


def run_queued(heap: list) -> None:
    """The end of the pass with this heap: what was queued, and what that queues."""
    notes = noted.get(id(heap))
    for callback in notes.queued if notes is not None else ():  # grows while it is walked
        callback()


def forget_notes(heap: list) -> None:
    """The pass with this heap is over."""
    noted.pop(id(heap), None)
