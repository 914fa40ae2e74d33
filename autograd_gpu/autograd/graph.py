"""The public face of the graph: its nodes, and what a program may hang on them."""

from .node import AccumulateGrad, ListNode, Node, Output, deliver, fill, freed, plus, repair
from .node import sum_to as sum_to
from .node import verbs as verbs
from .saved_hooks import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks

__all__ = [
    "AccumulateGrad",
    "ListNode",
    "Node",
    "Output",
    "deliver",
    "disable_saved_tensors_hooks",
    "fill",
    "freed",
    "plus",
    "repair",
    "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip
