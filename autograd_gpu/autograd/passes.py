"""The passes in progress in a thread, and what hooks may ask of theirs."""

import threading
from collections.abc import Callable
from typing import Any

from .node import split
from .plan import reachable

__all__ = ["Notes", "Pass", "here", "notes_of_pass", "queue_callback", "run_queued"]


class Pass:
    """One pass in progress.

    `heap`: the nodes that wait; `leaves`: those that have a gradient; `roots`: where it began;
    `recorded`: is it itself recorded; `keep`: does what was saved stay; `plan`: what it is to come
    to, None for all; `users`: NumPy's error state outside of it, under which hooks run; `node`: the
    node whose hooks or Function run just now; `failed`: the node that raised; `pending`: its
    gradients, where they do not lie in the nodes.
    """

    heap: list
    leaves: list
    roots: Any
    recorded: bool
    keep: bool
    users: Any
    plan: Any = None
    node: Any = None
    notes: Any = None
    pending: Any = None
    failed: Any = None


class _Here(threading.local):
    top: Pass | None = None


here = _Here()
"""`top`: the innermost pass of this thread."""


class Notes:
    """What hooks put down for the time of one pass: `queued` functions that run at its end, and
    what they keep under a key of their own in `kept`.
    """

    def __init__(self, owner: Pass) -> None:
        self.queued: list[Callable[[], Any]] = []
        self.kept: dict[Any, Any] = {}
        self._plan, self._roots = owner.plan, owner.roots  # not the pass: that would be a cycle
        self._visited: set | None = None

    def visits(self, edge: Any) -> bool:
        """Do the hooks at `edge` run in this pass? Those of all outputs of a node do if it runs."""
        node, _ = split(edge)
        if self._visited is None:
            self._visited = set(reachable(self._roots))
        return node in self._visited and (self._plan is None or node in self._plan.wanted)


def notes_of_pass() -> Notes | None:
    """The notes of the innermost pass of this thread; None outside of passes."""
    top = here.top
    if top is None:
        return None
    if top.notes is None:
        top.notes = Notes(top)
    return top.notes


def queue_callback(callback: Callable[[], Any]) -> None:
    """Call `callback()` when the innermost pass in progress has filled every `.grad`. It is not
    called where the pass fails.

    RuntimeError outside of a backward pass.
    """
    notes = notes_of_pass()
    if notes is None:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    notes.queued.append(callback)


def run_queued(notes: Notes) -> None:
    """The end of a pass: what was queued, and what that queues."""
    for callback in notes.queued:  # grows while it is walked
        callback()
