"""Runs a graph backwards, youngest node first. Knows nodes, edges and waiting gradients; no
operation, no library.
"""

import contextvars
import os
import sys
import threading
from collections.abc import Sequence
from heapq import heappop, heappush, heappushpop
from typing import Any

from .._core.device import carried
from .._core.library import explained
from .._core.state import carried_modes, hush, local, quiet, set_recording, state, unhush
from .accumulate import NO_GUARD, finish_leaf, finish_leaves
from .apart import run_apart
from .hooks import hooked_leaves, step
from .mutation import check_saved
from .node import Undefined, deliver, split
from .passes import Pass, here, run_queued
from .plan import Feeds, Plan, reachable
from .watch import around, inspectors, watchers

__all__ = ["run_backward", "settle"]

_slots = threading.Lock()
"""Gradients wait in the nodes' own slots: those of one pass, and of the passes nested in it. Who
does not get hold of them in time keeps its gradients apart (apart.py); it may be that the owner
waits for this very thread."""
_PATIENCE = 0.005  # seconds; most passes are over by then


_errstate: Any = None  # the context variable in which NumPy keeps its error state
try:
    from numpy._core import umath
except ImportError:
    pass
else:
    _errstate = getattr(umath, "_extobj_contextvar", None)


def _renew() -> None:
    _slots._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def run_backward(
    roots: Sequence[Any],
    grads: Sequence[Any],
    keep: bool = False,
    recorded: bool = False,
    inputs: list | None = None,
    into: bool = False,
) -> list | None:
    """Gradients of `roots` into the leaves, or returned for `inputs` (edges) only.

    `keep`: do not free what was saved. `recorded`: the gradients are Tensors, and what is done to
    them is recorded. `into`: those of `inputs` are put into their `.grad`, and not returned.
    """
    outer = here.top
    if outer is None:
        if not _slots.acquire(False) and not _slots.acquire(timeout=_PATIENCE):
            return _pass(None, True, roots, grads, keep, recorded, inputs, into)
        try:
            return _pass(None, False, roots, grads, keep, recorded, inputs, into)
        finally:
            _slots.release()
    call = (outer, outer.pending is not None, roots, grads, keep, recorded, inputs, into)
    return _in_thread(outer, *call) if _is_deep() else _pass(*call)


def _is_deep() -> bool:
    """Have passes within passes used up half of the stack?"""
    try:
        sys._getframe(min(sys.getrecursionlimit() // 2, 500))
    except ValueError:
        return False
    return True


def _in_thread(outer: Pass, *call: Any) -> list | None:
    """Passes deep in each other (a backward that calls backward): a thread of its own brings a
    stack of its own. It stands for the thread that waits for it.
    """
    done: list = []
    device, modes = carried(), carried_modes()

    def work() -> None:
        here.top = outer
        try:
            with modes, device:
                done.append((_pass(*call), None))
        except BaseException as error:
            done.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
    thread.start()
    thread.join()
    result, error = done[0]
    if error is not None:
        raise error
    return result


def _pass(
    outer: Pass | None, apart: bool, roots: Sequence[Any], grads: Sequence[Any],
    keep: bool, recorded: bool, inputs: list | None, into: bool,
) -> list | None:  # fmt: skip
    one = Pass()
    one.roots, one.recorded, one.keep = roots, recorded, keep
    heap: list = []
    leaves: list = []
    one.heap, one.leaves = heap, leaves
    stashed = () if outer is None or apart else _stash(outer)
    before, plan = local.on, None
    one.users = quiet if _errstate is None else _errstate.get()
    token = hush(quiet)
    here.top = one
    try:
        set_recording(recorded)
        if inputs is not None:
            one.plan = plan = Plan(roots, inputs, into)
        if apart:
            run_apart(one, grads, keep)
        elif recorded or plan or hooked_leaves or state.several_devices or watchers:
            _run_with_care(one, grads, keep)
        else:
            deliver(roots, grads, heap, leaves)
            _run(one, heap, leaves, keep)
            finish_leaves(one)
        if one.notes is not None:
            run_queued(one.notes)
        return None if plan is None or into else [plan.captured[split(e)] for e in inputs or ()]
    except BaseException as error:
        _give_up(one)
        of_cuda = explained("backward", error)
        if of_cuda is not None:
            raise of_cuda from error
        raise
    finally:
        here.top = outer
        unhush(token)
        set_recording(before)
        for node, grad in stashed:
            node.g = grad


def _run(one: Pass, heap: list, leaves: list, keep: bool) -> None:
    """The loop. A node's `run` delivers to its edges and returns the one to go on with, if it has
    one at hand: a straight chain never touches the heap."""
    node: Any = None
    try:
        while True:
            if node is None:
                if not heap:
                    return
                node = heappop(heap)[1]
            elif heap and -heap[0][0] > node.seq:
                node = heappushpop(heap, (-node.seq, node))[1]
            grad = node.g
            node.g = None
            if node.seq < state.last_write:
                check_saved(node)
            node = node.run(grad, heap, leaves, keep)
    except BaseException:
        one.failed = node
        raise


def _run_with_care(one: Pass, grads: Sequence[Any], keep: bool) -> None:
    """The loop where not all nodes are needed, on Tensors, on several CUDA devices, where nodes are
    watched, and where a leaf has hooks: these run as soon as the leaf's gradient is complete.
    """
    if inspectors:
        run_apart(one, grads, keep)
        return
    plan, heap, leaves = one.plan, one.heap, one.leaves
    feeds = Feeds(one.roots, plan, False) if hooked_leaves else None
    wanted = one.roots if plan is None else [r if r in plan.wanted else None for r in one.roots]
    deliver(wanted, grads, heap, leaves)
    if feeds is not None and feeds.leaves:
        _finish_now(one, feeds.ready())
    else:
        feeds = None
    if feeds is None and not (one.recorded or state.several_devices or watchers):
        _run_planned(one, heap, leaves, keep)
    else:
        _run_each(one, keep, feeds)
    finish_leaves(one)


def _run_planned(one: Pass, heap: list, leaves: list, keep: bool) -> None:
    """As `_run`, for a pass with `inputs`."""
    node: Any = None
    special = one.plan.special if one.plan is not None else ()
    try:
        while True:
            if node is None:
                if not heap:
                    return
                node = heappop(heap)[1]
            elif heap and -heap[0][0] > node.seq:
                node = heappushpop(heap, (-node.seq, node))[1]
            if node.seq < state.last_write:
                check_saved(node)
            if node in special:
                node = step(node, one, keep)
            else:
                grad = node.g
                node.g = None
                node = node.run(grad, heap, leaves, keep)
    except BaseException:
        one.failed = node
        raise


def _run_each(one: Pass, keep: bool, feeds: Feeds | None) -> None:
    """The loop with all that is rare."""
    heap = one.heap
    special = one.plan.special if one.plan is not None else ()
    node: Any = None
    try:
        while heap:
            node = heappop(heap)[1]
            if node.__class__ is Undefined and (node := node.turn(heap)) is None:
                continue
            with around(node, node.g) if watchers or state.several_devices else NO_GUARD:
                if node.seq < state.last_write:
                    check_saved(node)
                following = _one_step(one, node, keep, special)
            if following is not None:
                heappush(heap, (-following.seq, following))
            if feeds is not None:
                _finish_now(one, feeds.after(node))
    except BaseException:
        one.failed = node
        raise


def _one_step(one: Pass, node: Any, keep: bool, special: Any) -> Any:
    if node.g is None or node in special:
        return step(node, one, keep)
    grad, node.g = node.g, None
    run = node.run_recorded if one.recorded else node.run
    return run(grad, one.heap, one.leaves, keep)


def _finish_now(one: Pass, complete: list) -> None:
    for leaf in complete:
        if leaf in one.leaves:
            one.leaves.remove(leaf)
            finish_leaf(leaf, one)


def settle(leaf: Any) -> None:
    """A hook reads or sets the `.grad` of a leaf for which a gradient waits: if that is complete it
    is added first, as if each leaf were served at once.
    """
    one = here.top
    if one is None or leaf not in one.leaves or one.node is None:
        return
    if leaf in reachable([one.node, *(n for _, n in one.heap)]):
        return
    before = local.on
    set_recording(one.recorded)
    token = hush(quiet)
    try:
        _finish_now(one, [leaf])
    finally:
        unhush(token)
        set_recording(before)


def _stash(outer: Pass) -> list:
    """A pass started inside another (by a hook) must not see the other's waiting gradients."""
    waiting = [(n, n.g) for n in (*(n for _, n in outer.heap), *outer.leaves)]
    for node, _ in waiting:
        node.g = None
    return waiting


def _give_up(one: Pass) -> None:
    """A pass failed: the leaves that no remaining node leads to have their whole gradient and get
    it; every other waiting gradient is dropped.
    """
    if one.pending is not None:
        return
    try:
        if one.failed is not None and one.leaves:
            behind = set(reachable([one.failed, *(n for _, n in one.heap)]))
            one.leaves[:] = [leaf for leaf in one.leaves if leaf not in behind]
            finish_leaves(one)
    finally:
        for node in reachable(one.roots):
            node.g = None
