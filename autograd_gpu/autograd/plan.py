"""What a pass will come to: the nodes that lead to the inputs, and when a leaf is complete."""

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from .node import Node, split

__all__ = ["Feeds", "Plan", "reachable"]

_number = attrgetter("seq")


def reachable(roots: Iterable[Any]) -> list[Any]:
    """All edges behind `roots`, these first."""
    order = [r for r in dict.fromkeys(roots) if r is not None]
    seen = set(order)
    for node in order:  # grows while it is walked
        for edge in node.edges():
            if edge is not None and edge not in seen:
                seen.add(edge)
                order.append(edge)
    return order


class Plan:
    """A pass with `inputs`.

    `needed`: the nodes that run, those that lead to an input. `partial`: those of them that lead
    elsewhere too, and their edges without the others. `taps`: node -> the numbers of its outputs
    whose gradients are asked for. `wanted`: all edges to which gradients go. `special`: what the
    usual loop must not simply run. `captured`: (node, number) -> gradient.
    """

    __slots__ = ("captured", "needed", "partial", "special", "taps", "wanted")

    def __init__(self, roots: Iterable[Any], inputs: Iterable[Any], into: bool) -> None:
        """`into`: the gradients are put into `.grad` by the nodes of the inputs themselves, and not
        captured.
        """
        self.captured: dict[tuple[Node, int], Any] = {}
        self.taps: dict[Node, list[int]] = {}
        self.needed: set[Node] = set()
        self.partial: dict[Node, list[Any]] = {}
        for edge in inputs:
            node, index = split(edge)
            if into:
                self.needed.add(node)
            elif (node, index) not in self.captured:
                self.captured[node, index] = None
                self.taps.setdefault(node, []).append(index)
        self.wanted = {*self.needed, *self.taps}
        self._spread(roots)
        self.special = {*self.partial, *self.taps}

    def _spread(self, roots: Iterable[Any]) -> None:
        """From the inputs to all that lead there: an edge leads to something older."""
        found: dict[Any, list[Any]] = {}
        order = list(roots)
        for node in order:  # grows while it is walked
            if node not in found:
                found[node] = edges = node.edges()
                order += [e for e in edges if e is not None and e not in found]
        needed, wanted, partial = self.needed, self.wanted, self.partial
        for node in sorted(found, key=_number):
            edges = found[node]
            kept = [e if e in wanted else None for e in edges]
            if kept.count(None) < len(kept):
                needed.add(node)
                wanted.add(node)
            if kept != edges and node in needed:
                partial[node] = kept


class Feeds:
    """When is the gradient of a leaf complete? Counts the edges that lead to the leaves which
    someone observes; a leaf is complete when none is left.
    """

    def __init__(self, roots: list[Any], plan: Plan | None, every: bool) -> None:
        """`every`: of all leaves, not only those with hooks."""
        self.of: dict[Any, list[Any]] = {}
        self.waiting: Counter[Any] = Counter()
        nodes = reachable(roots)
        self.leaves = [n for n in nodes if not n.seq and (every or hasattr(n, "hooks"))]
        if not self.leaves:
            return
        observed = set(self.leaves)
        for node in nodes:
            if plan is not None and node not in plan.needed:
                continue
            for edge in node.edges() if plan is None else plan.partial.get(node) or node.edges():
                if edge in observed:
                    self.of.setdefault(node, []).append(edge)
                    self.waiting[edge] += 1

    def ready(self) -> list[Any]:
        """The leaves that are complete when the pass begins: roots that nothing else leads to."""
        return [leaf for leaf in self.leaves if not self.waiting[leaf]]

    def after(self, node: Any) -> list[Any]:
        """The leaves that are complete now that `node` has run."""
        done = []
        for leaf in self.of.pop(node, ()):
            self.waiting[leaf] -= 1
            if not self.waiting[leaf]:
                done.append(leaf)
        return done
