"""Runs a graph backwards, youngest node first. Knows nodes, edges and waiting gradients; no
operation, no library.
"""

import contextvars
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from .._core.device import carried, guard, library
from .._core.library import explained
from .._core.state import hush, quiet, recording, set_recording, state, unhush
from .._core.tensor import Tensor, as_array, make
from .hooks import hooked_leaves, hooks_of, user_errstate
from .mutation import check_saved, record_write
from .node import deliver, repair, verbs
from .passes import forget_notes, held, noted, passes, run_queued

__all__ = ["run_backward", "watchers"]

watchers: list[Callable[[Any], AbstractContextManager]] = []
"""While there are any (anomaly mode, the profiler), each node runs within `watch(node)` of each."""

# Waiting gradients lie in the nodes: one pass at a time, nested ones excepted.
_lock = threading.Lock()


def _references() -> int:
    """What `sys.getrefcount` says of an array that one local variable holds: 2, less where a build
    borrows.
    """
    array = bytearray(1)
    return sys.getrefcount(array)


_ALONE = _references()


_DEEP = 10
_HERE = nullcontext()


def run_backward(
    roots: Sequence[Any],
    grads: Sequence[Any],
    keep: bool = False,
    recorded: bool = False,
    inputs: list | None = None,
) -> list | None:
    """Gradients of `roots` into the leaves, or returned for `inputs` (edges) only.

    `keep`: do not free what was saved. `recorded`: the gradients are Tensors, and what is done to
    them is recorded.
    """
    depth = held.depth
    if depth and depth % _DEEP == 0:
        return _in_thread(depth, roots, grads, keep, recorded, inputs)
    if not depth:
        _lock.acquire()
    held.depth = depth + 1
    try:
        return _pass(roots, grads, keep, recorded, inputs)
    finally:
        held.depth = depth
        if not depth:
            _lock.release()


def _in_thread(depth: int, *call: Any) -> list | None:
    """Passes deep in each other (a backward that calls backward): a thread of its own brings a
    stack of its own.

    It works for the pass that holds the lock, and so takes none.
    """
    done: list = []
    on, here = recording(), carried()

    def work() -> None:
        held.depth = depth + 1
        set_recording(on)
        try:
            with here:
                done.append((_pass(*call), None))
        except BaseException as error:
            done.append((None, error))
        finally:
            set_recording(True)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
    thread.start()
    thread.join()
    result, error = done[0]
    if error is not None:
        raise error
    return result


def _pass(
    roots: Sequence[Any], grads: Sequence[Any], keep: bool, recorded: bool, inputs: list | None
) -> list | None:
    heap: list = []
    leaves: list = []
    stashed = _stash()
    needed, cut = _prune(roots, inputs, recorded) if inputs is not None else (None, [])
    passes.append((heap, leaves, roots, needed))
    before = recording()
    user_errstate.append(_user_errstate())
    token = hush(quiet)
    try:
        set_recording(recorded)
        deliver([r if needed is None or r in needed else None for r in roots], grads, heap, leaves)
        if recorded or hooked_leaves or state.several_devices or watchers:
            _run_watched(
                heap, leaves, keep, recorded, needed, _feeds(roots) if inputs is None else {}
            )
        else:
            _run(heap, leaves, keep)
        results = None if inputs is None else _captured(leaves, inputs, recorded)
        if inputs is None:
            _finish(leaves, recorded)
        if noted:
            run_queued(heap)
        return results
    except BaseException as error:
        _forget(roots)
        of_cuda = explained("backward", error)
        if of_cuda is not None:
            raise of_cuda from error
        raise
    finally:
        unhush(token)
        user_errstate.pop()
        set_recording(before)
        passes.pop()
        if noted:
            forget_notes(heap)
        for edge in inputs or ():
            edge.hooks.capture, edge.hooks.stop = None, False
        for node, index, edge in cut:
            node.set_edge(index, edge)
        for node, grad in stashed:
            node.g = grad


def _user_errstate() -> Any:
    if user_errstate:
        return user_errstate[-1]
    try:
        from numpy._core.umath import _extobj_contextvar as variable
    except ImportError:
        return quiet
    return variable.get()


def _run(heap: list, leaves: list, keep: bool) -> None:
    """The loop. A node's `run` delivers to its edges and returns the one to go on with, if it has
    one at hand: a straight chain never touches the heap."""
    node: Any = None
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


def _run_watched(
    heap: list, leaves: list, keep: bool, recorded: bool, needed: Any, feeds: dict
) -> None:
    """The loop on Tensors, where there are several CUDA devices, and where a leaf has hooks: these
    run as soon as the leaf's gradient is complete.

    `needed`: the nodes to which gradients must go, where that is not all. `feeds`: see `_feeds`.
    """
    waiting = Counter(leaf for fed in feeds.values() for leaf in fed)
    while heap:
        node = heappop(heap)[1]
        grad, node.g = node.g, None
        with _around(node, grad) if watchers or state.several_devices else _HERE:
            if node.seq < state.last_write:
                check_saved(node)
            if recorded:
                following = node.run_recorded(grad, heap, leaves, needed)
                if not keep:
                    node.release()
            else:
                following = node.run(grad, heap, leaves, keep)
        if following is not None:
            heappush(heap, (-following.seq, following))
        for leaf in feeds.get(node, ()):
            waiting[leaf] -= 1
            if not waiting[leaf] and leaf.g is not None:
                leaves.remove(leaf)
                _finish([leaf], recorded)


def _around(node: Any, grad: Any) -> ExitStack:
    """The device of the gradient, and what watches the node."""
    stack = ExitStack()
    if state.several_devices:
        stack.enter_context(guard(_first(grad)))
    for watch in watchers:
        stack.enter_context(watch(node))
    return stack


def _first(grad: Any) -> Any:
    """An array of what waits in a node: its device is where the node runs."""
    while grad.__class__ is list:
        grad = next(g for g in grad if g is not None)
    return grad._array if isinstance(grad, Tensor) else grad


def _feeds(roots: Sequence[Any]) -> dict[Any, list]:
    """Node -> the leaves with hooks that it hands gradients to, one entry an edge."""
    if not hooked_leaves:
        return {}
    feeds: dict[Any, list] = {}
    order, seen = list(roots), set(roots)
    for node in order:  # grows while it is walked
        for edge in node.edges():
            if edge is None:
                continue
            if not edge.seq and hasattr(edge, "hooks"):
                feeds.setdefault(node, []).append(edge)
            if edge not in seen:
                seen.add(edge)
                order.append(edge)
    return feeds


def _finish(leaves: list, recorded: bool) -> None:
    """All gradients have arrived at the leaves: add them to `.grad`."""
    for leaf in leaves:
        grad, leaf.g = leaf.g, None
        grad = leaf.accept(grad, recorded)
        if grad is None:
            continue
        array = leaf.array
        with guard(array) if state.several_devices else _HERE:
            if (
                grad.shape != array.shape
                or (grad._array if recorded else grad).dtype is not array.dtype
            ):
                grad = repair(grad, (array.shape, array.dtype))
            accumulate(leaf, grad, recorded)
        leaf.accumulated(grad)


def accumulate(leaf: Any, grad: Any, recorded: bool) -> None:
    """`leaf.grad += grad`: out of place while recording, in place otherwise; never in memory that
    others hold.
    """
    held = leaf.grad
    if recorded:
        leaf.grad = grad if held is None else held + grad
    elif held is None:
        if not grad.shape:  # NumPy gives scalars where 0-d arrays meet
            grad = as_array(grad)
        # 1 more than alone: the parameter `grad`, and the caller's variable.
        if (
            grad.base is not None
            or sys.getrefcount(grad) > _ALONE + 1
            or not grad.flags.c_contiguous
        ):
            grad = as_array(grad)
            grad = grad.copy("C") if grad.__class__ is np.ndarray else own(grad)
        leaf.grad = make(as_array(grad))
    elif getattr(held._array.flags, "writeable", True):  # CuPy's always are
        if grad.__class__ is np.ndarray:
            held._array += grad
        else:
            add_into(held._array, grad)
        record_write(held._array)
    else:  # memory the user lent us for reading
        leaf.grad = make(held._array + grad)


def own(array: Any) -> Any:
    """A copy, row by row; on CUDA by a kernel."""
    if array.__class__ is np.ndarray:
        return array.copy("C")
    out = library(array).ndarray(array.shape, array.dtype)
    return verbs["copy_into"](out, array)


def add_into(held: Any, grad: Any) -> None:
    """`held += grad` for a gradient that is no ndarray: one on CUDA, which kernels add, or a scalar
    of NumPy's beside a 0-d array."""
    if held.__class__ is np.ndarray:
        held += grad
    else:
        verbs["copy_into"](held, verbs["add"](held, grad))


def _captured(leaves: list, inputs: list, recorded: bool) -> list:
    for leaf in leaves:
        hooks = leaf.hooks
        grad, leaf.g = leaf.g, None
        array = leaf.array
        if (
            grad.shape != array.shape
            or (grad._array if recorded else grad).dtype is not array.dtype
        ):
            with guard(array):
                grad = repair(grad, (array.shape, array.dtype))
        hooks.capture.append(leaf.accept(grad, recorded))
    return [edge.hooks.capture[0] if edge.hooks.capture else None for edge in inputs]


def _prune(roots: Sequence[Any], inputs: list, recorded: bool) -> tuple[set, list]:
    """Which nodes lead to an input? Every other edge is cut for this pass, so that no formula runs
    for it.

    A recorded pass needs all edges, since what was saved is attached to them: there the loop is
    told the needed nodes. Inputs get a capture.
    """
    order, seen = list(roots), set(roots)
    for node in order:  # grows while it is walked
        for edge in node.edges():
            if edge is not None and edge not in seen:
                seen.add(edge)
                order.append(edge)
    needed, cut, wanting = set(inputs), [], set(inputs)
    for node in sorted(order, key=lambda n: n.seq):  # an edge leads to something older
        edges = node.edges()
        wanted = [edge in needed for edge in edges]
        for i, (edge, want) in enumerate(zip(edges, wanted, strict=True)):
            if edge is not None and not want and any(wanted) and not recorded:
                cut.append((node, i, edge))
                node.set_edge(i, None)
        if any(wanted):
            needed.add(node)
        if node in wanting:
            hooks = hooks_of(node)
            hooks.capture, hooks.stop = [], not any(wanted)
    for edge in inputs:
        hooks = hooks_of(edge)
        if hooks.capture is None:
            hooks.capture = []
    return needed, cut


def _stash() -> list:
    """A pass started inside another (by a hook) must not see the other's waiting gradients."""
    waiting = [(n, n.g) for heap, leaves, *_ in passes for n in (*(n for _, n in heap), *leaves)]
    for node, _ in waiting:
        node.g = None
    return waiting


def _forget(roots: Sequence[Any]) -> None:
    """A pass failed: drop every waiting gradient it may have left behind."""
    stack, seen = list(roots), set(roots)
    while stack:
        node = stack.pop()
        node.g = None
        for edge in node.edges():
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
