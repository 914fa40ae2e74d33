"""The graph's public face: nodes and edges, and hooks on what passes through them."""

from collections.abc import Iterable

from .._core.inference import is_inference
from .._core.tensor import Tensor
from . import introspect as _introspect  # noqa: F401  (binds metadata, _input_metadata ...)
from .edges import GradientEdge, get_gradient_edge
from .multi import register_multi_grad_hook
from .node import Node
from .saved_hooks import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from .saved_mutation import allow_mutation_on_saved_tensors
from .views import mark_written

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "increment_version", "region_activation_memory_budget",
    "register_multi_grad_hook",
    "save_on_cpu", "saved_tensors_hooks",
    "set_override_stale_capture_stream", "set_warn_on_accumulate_grad_stream_mismatch",
]  # fmt: skip


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Say that a tensor, or each of several, was written in place by something that autograd does
    not know of: backward passes that saved the old values will refuse.

    Inference tensors have no version: nothing happens. RuntimeError for anything but Tensors.
    """
    if isinstance(tensor, Tensor):
        tensor = (tensor,)
    elif not isinstance(tensor, Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    for t in tensor:
        if not isinstance(t, Tensor):
            raise RuntimeError(
                "increment_version expects each element of the iterable to be a tensor, but one is "
                f"of type {type(t).__name__}"
            )
        if not is_inference(t):
            mark_written(t)


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Whether to warn where a leaf's stream is not that of the node its gradient comes from.

    Nodes here have no streams: a backward pass runs on the current stream of whoever calls it, so
    that there is no mismatch to warn of. RuntimeError for anything but a bool.
    """
    _check_flag(enabled)


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Whether a backward pass within a CUDA graph's capture may leave a stream that is not part of
    it.

    Nodes here have no streams: the pass runs on the stream that captures, as with True.
    RuntimeError for anything but a bool.
    """
    _check_flag(enabled)


def _check_flag(enabled: bool) -> None:
    if not isinstance(enabled, bool):
        raise RuntimeError(f"enabled must be a bool, but got {type(enabled).__name__}")


def region_activation_memory_budget(budget: float) -> None:
    """RuntimeError: a setting of PyTorch's compiler, which means nothing where ops run at once."""
    raise RuntimeError(
        "autograd.graph.region_activation_memory_budget can only be used inside a compiled region; "
        "there are none here. To save less for backward, see utils.checkpoint and save_on_cpu."
    )
