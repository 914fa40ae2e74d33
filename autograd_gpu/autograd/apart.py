"""A pass that keeps its waiting gradients apart from the nodes, where another thread's pass has the
nodes' own slots, or somebody inspects what each node gives: the engine once more, slower, and
without a trace in the nodes.
"""

from heapq import heappop, heappush
from typing import Any

from .._core.state import state
from .accumulate import NO_GUARD, finish_leaf
from .hooks import outcome
from .mutation import check_saved
from .node import UNDEFINED, Output, plus
from .passes import Pass
from .plan import Feeds
from .watch import around, inspectors, watchers

__all__ = ["run_apart"]


def run_apart(one: Pass, grads: Any, keep: bool) -> None:
    """Run the pass; each leaf is served as soon as its gradient is complete."""
    one.pending = {}
    plan, heap = one.plan, one.heap
    feeds = Feeds(one.roots, plan, True)
    _hand(one, [r if plan is None or r in plan.wanted else None for r in one.roots], grads)
    for leaf in feeds.ready():
        finish_leaf(leaf, one)
    while heap:
        node = heappop(heap)[1]
        grad = one.pending.pop(node)
        if node.__class__ is Output:
            _collect(one, node, grad)
            continue
        with around(node, grad) if watchers or state.several_devices else NO_GUARD:
            if node.seq < state.last_write:
                check_saved(node)
            edges, results = outcome(node, None if grad is UNDEFINED else grad, one, keep)
            for inspect in inspectors:
                inspect(node, results)
        _hand(one, edges, results)
        results = grad = None  # who else held a gradient would make its leaf take a copy
        for leaf in feeds.after(node):
            finish_leaf(leaf, one)
    for leaf in one.leaves:
        finish_leaf(leaf, one)


def _hand(one: Pass, edges: Any, grads: Any) -> None:
    """As `deliver`: None counts as a gradient that is not defined."""
    pending = one.pending
    for edge, grad in zip(edges, grads, strict=False):
        if edge is None:
            continue
        held = pending.get(edge)
        if held is not None:
            pending[edge] = held if grad is None else plus(held, grad)
            continue
        pending[edge] = UNDEFINED if grad is None else grad
        if edge.seq:
            heappush(one.heap, (-edge.seq, edge))
        else:
            one.leaves.append(edge)


def _collect(one: Pass, output: Output, grad: Any) -> None:
    """Put the gradient of one output beside those of the others."""
    node, pending = output.node, one.pending
    if node not in pending:
        pending[node] = [None] * len(node.shapes_out)
        heappush(one.heap, (-node.seq, node))
    if grad is not UNDEFINED:
        held = pending[node][output.index]
        pending[node][output.index] = grad if held is None else plus(held, grad)
