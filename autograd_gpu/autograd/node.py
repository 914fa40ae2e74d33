"""Nodes of the graph, their outputs, leaves, and how gradients are handed from one to the next."""

import weakref
from heapq import heappop, heappush
from typing import Any

from .._core.state import tick
from .._core.tensor import Tensor, make
from .adjust import UNDEFINED, fill, freed, plus, refuse_sizes, repair, sum_to, verbs

__all__ = [
    "NOWHERE",
    "UNDEFINED",
    "AccumulateGrad",
    "ListNode",
    "Node",
    "Output",
    "Undefined",
    "deliver",
    "fill",
    "freed",
    "plus",
    "repair",
    "split",
    "sum_to",
    "verbs",
]


class Node:
    """One recorded operation.

    The subclasses are generated from the table of ops (`_ops/generate.py`): slots for the edges e0,
    e1, ... and for what is saved, and `run`, which puts the formulas' results on raw arrays
    directly into the edges' nodes. `seq` is the node's number, `g` the gradient that waits for it,
    `hooks` is rare and else unset.
    """

    __slots__ = ("g", "hooks", "seq")
    g: Any
    hooks: Any
    seq: int
    forms: Any
    shapes_out: Any
    op: Any = None
    edge_names: tuple[str, ...] = ()
    saved_names: tuple[str, ...] = ()
    title = "Node"
    _whole = False  # does it compute all gradients, whatever is wanted, and do hooks see them?

    def edges(self) -> list[Any]:
        """Where the gradients of the inputs go: nodes, outputs of nodes, leaves, or None."""
        return [getattr(self, name) for name in self.edge_names]

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        """What `run` does, as one reads it: the results are returned. For create_graph, hooks and
        views.

        `needed`: the set of nodes to which gradients must go, where that is not all.
        """
        op, results = self.op, []
        edges = [e if needed is None or e in needed else None for e in self.edges()]
        values: dict[str, Any] = {}
        if op.relays:
            values = dict(zip(op.grad_names, fill(grad, self.shapes_out, recorded), strict=True))
        elif op.many:
            values["grads"] = fill(grad, self.shapes_out, recorded)
        else:
            values["grad"] = grad
        if op.joint is not None:
            formula, names = op.joint
            wanted = tuple(e is not None for e in edges)
            results = list(formula(*[self.named(n, recorded, values) for n in names], wanted))
        else:
            for edge, (_, formula, names) in zip(edges, op.plan, strict=True):
                if edge is None:
                    results.append(None)
                else:
                    results.append(formula(*[self.named(n, recorded, values) for n in names]))
        forms = getattr(self, "forms", None)
        if forms is not None:
            results = [
                g if g is None else repair(g, f) for g, f in zip(results, forms, strict=True)
            ]
        return results

    def named(self, name: str, recorded: bool, given: dict[str, Any]) -> Any:
        """What a formula calls `name`. `recorded`: as the Tensor it was, an input at its edge, an
        output at this node.

        No Tensor was kept, so there is no cycle, and no history longer than the formulas need.
        """
        if name in given:
            return given[name]
        value = getattr(self, name)
        if name not in self.saved_names:
            return value
        op = self.op
        if value is None:
            if (
                name in op.optional
                or name in op.caches
                or name not in op.users
                or not self.wanted_by(name)
            ):
                return None
            raise freed()
        if not recorded:
            return value
        if name in op.caches:
            # a function of the inputs: a recorded formula computes it again, differentiably
            return None
        if value.__class__ in (float, int, bool, complex, tuple):
            return value
        return self.as_saved(name, value)

    def as_saved(self, name: str, array: Any) -> Tensor:
        """The array kept under `name` as a Tensor: an input with its edge, an output with this
        node."""
        op = self.op
        if name == "out":
            return make(array, self)
        if name in op.relays:
            return make(array, Output(self, op.relays.index(name)))
        if name in op.outputs:
            return make(array, self if op.outputs.index(name) == op.main else None)
        edge = op.edge_of.get(name)
        return make(array, getattr(self, edge) if edge else None)

    def several(self) -> bool:
        """Has it several outputs, so that a list of gradients waits for it?"""
        return self.op is not None and bool(self.op.relays or self.op.many)

    def undefined(self, recorded: bool) -> list[Any]:
        """The gradients where none of the outputs got one."""
        return [None for _ in self.edges()]

    def wanted_by(self, name: str) -> bool:
        """Was `name` to be saved, given the edges there are? If so and it is None, it has been
        freed.
        """
        edges = self.edges()
        return any(edges[i] is not None for i in self.op.users[name])

    def run(self, grad: Any, heap: list, leaves: list, keep: bool) -> Any:
        """Deliver the gradients of the inputs; what generated `run` methods do inline."""
        grads = self.gradients(grad, False)
        if not keep:
            self.release()
        return deliver(self.edges(), grads, heap, leaves)

    def run_some(self, grad: Any, heap: list, leaves: list, keep: bool, wanted: Any) -> Any:
        """The same, where only the edges in a set are wanted, of several. That of an op's nodes is
        generated when it is first needed.
        """
        if self.op is not None and not self.op.lists:
            run = self.op.partial(getattr(self, "forms", None) is not None)
            return run(self, grad, heap, leaves, keep, wanted)
        grads = self.gradients(grad, False, wanted)
        if not keep:
            self.release()
        return deliver([e if e in wanted else None for e in self.edges()], grads, heap, leaves)

    def run_recorded(self, grad: Any, heap: list, leaves: list, keep: bool) -> Any:
        """The same on Tensors, recorded."""
        grads = self.gradients(grad, True)
        if not keep:
            self.release()
        return deliver(self.edges(), grads, heap, leaves)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Per input: the node its gradient goes to and which output of that node it is; (None, 0)
        where there is none.
        """
        return tuple(
            (e.node, e.index) if isinstance(e, Output) else (None if e is NOWHERE else e, 0)
            for e in self.edges()
        )

    def release(self) -> None:
        """Free what was saved."""
        for name in self.saved_names:
            setattr(self, name, None)

    def name(self) -> str:
        """The name of the node's kind, as `MulBackward0`."""
        name = type(self).__name__
        return "torch::autograd::" + name if name == "CopyBackwards" else name

    def _sequence_nr(self) -> int:
        return self.seq

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle '{self.name().rpartition('::')[2]}' object")

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]} object at {id(self):#x}>"


class ListNode(Node):
    """A recorded operation on a list of tensors (`cat`): its edges are a list, its formula returns
    one.
    """

    __slots__ = ("edge_list",)
    edge_list: list

    def edges(self) -> list[Any]:
        """One an input tensor."""
        return list(self.edge_list)

    def wanted_by(self, name: str) -> bool:
        """What a joint formula saves is there whatever edges there are."""
        return True

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        """One gradient an input, None where none is wanted."""
        formula, names = self.op.joint
        results = formula(*[self.named(n, recorded, {"grad": grad}) for n in names])
        edges = self.edges()
        wanted = [e is not None and (needed is None or e in needed) for e in edges]
        return [
            repair(g, form) if want else None
            for g, form, want in zip(results, self.forms, wanted, strict=True)
        ]


class Output(Node):
    """One output of a node that has several: collects its gradient into the node's list. Younger
    than the node.
    """

    __slots__ = ("index", "node")
    edge_names = ("node",)

    def __init__(self, node: Any, index: int) -> None:
        self.node, self.index, self.g, self.seq = node, index, None, tick()

    def run(self, grad: Any, heap: list, leaves: list, keep: Any) -> Any:
        """Put the gradient beside those of the other outputs; the first calls the node."""
        node, fresh = self.node, self.node.g is None
        if fresh:
            node.g = [None] * len(node.shapes_out)
        held = node.g[self.index]
        node.g[self.index] = grad if held is None else plus(held, grad)
        return node if fresh else None

    run_recorded = run  # type: ignore[assignment]


class AccumulateGrad(Node):
    """The end of the graph at a leaf; holds `leaf.grad`, and the leaf itself only weakly. Its
    number is 0.
    """

    __slots__ = ("array", "grad", "leaf")
    grad: Any

    def __init__(self, leaf: Tensor) -> None:
        self.array, self.leaf = leaf._array, weakref.ref(leaf)
        self.grad, self.g, self.seq = None, None, 0

    @property
    def variable(self) -> Tensor:
        """The leaf. Where the program dropped it, an equal one: same memory, same gradient."""
        leaf = self.leaf()
        if leaf is None:
            leaf = make(self.array, self)
            self.leaf = weakref.ref(leaf)
        return leaf

    def accept(self, grad: Any, recorded: bool, captured: bool = False) -> Any:
        """The gradient as hooks leave it; here there are none. `captured`: it is returned, and not
        accumulated.
        """
        return grad

    def fit(self, grad: Any) -> Any:
        """A gradient in the leaf's shape and dtype; called where it has another. RuntimeError where
        the leaf has been given memory of another shape meanwhile (`leaf.data = ...`).
        """
        refuse_sizes(self.array.shape, grad.shape)
        return repair(grad, (self.array.shape, self.array.dtype))

    def accumulated(self, grad: Any) -> None:
        """Called after `grad` was set."""

    def name(self) -> str:
        """`torch::autograd::AccumulateGrad`, as PyTorch calls it."""
        return "torch::autograd::AccumulateGrad"

    def _sequence_nr(self) -> int:
        return 2**64 - 1


class Nowhere(Node):
    """Where gradients of a view go that was made under no_grad of a tensor that requires grad, or
    before its base did: the view requires grad as its base does, and has no history. They are
    dropped. Its number is 0.
    """

    __slots__ = ()
    g: Any = property(lambda self: None, lambda self, grad: None)  # type: ignore[assignment]
    seq = 0

    def accept(self, grad: Any, recorded: bool, captured: bool = False) -> Any:
        """None: there is nothing to accumulate."""


NOWHERE = Nowhere()


class Undefined:
    """Stands in the heap for a node that was handed None: its hooks, a Function's backward and all
    behind it run even so. It comes just before the node itself, when no more can arrive.
    """

    __slots__ = ("edge", "g", "seq")
    saved_names = ()
    run: Any  # hooks.py

    def __init__(self, edge: Any) -> None:
        self.edge, self.g, self.seq = edge, None, edge.seq + 0.5

    def __lt__(self, other: Any) -> bool:
        return False

    def edges(self) -> list[Any]:
        """To the node."""
        return [self.edge]

    def turn(self, heap: list) -> Any:
        """The node, if it is to run without a gradient now; None where one has come."""
        while heap and heap[0][1].__class__ is Undefined and heap[0][1].edge is self.edge:
            heappop(heap)
        return self.edge if self.edge.g is None else None


def split(edge: Any) -> tuple[Any, int]:
    """A node and the number of its output."""
    return (edge.node, edge.index) if isinstance(edge, Output) else (edge, 0)


def deliver(edges: Any, grads: Any, heap: list, leaves: list) -> None:
    """Hand gradients on. Returns None: the heap decides which node is next."""
    for edge, grad in zip(edges, grads, strict=False):
        if edge is None:
            continue
        if grad is None:
            _hand_none(edge, heap, leaves)
            continue
        if edge.g is not None:
            edge.g = plus(edge.g, grad)
            continue
        edge.g = grad
        if edge.seq:
            heappush(heap, (-edge.seq, edge))
        else:
            leaves.append(edge)


def _hand_none(edge: Any, heap: list, leaves: list) -> None:
    if edge.seq:
        if edge.g is None:
            waiting = Undefined(edge)
            heappush(heap, (-waiting.seq, waiting))
    elif edge.g is None and hasattr(edge, "hooks"):
        edge.g = UNDEFINED
        leaves.append(edge)
