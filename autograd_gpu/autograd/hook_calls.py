"""Calling hooks: what they are given, and what they may return."""

from collections.abc import Callable, Mapping
from typing import Any

from .._core.device import device_of
from .._core.dtype import of
from .._core.state import hush, local, set_recording, unhush
from .._core.tensor import Tensor, as_array, make
from .passes import here

__all__ = [
    "call", "check_result", "check_results", "is_defined", "own", "run_prehooks",
    "run_tensor_hooks", "wrap",
]  # fmt: skip


def call(hook: Callable, recorded: bool, *args: Any) -> Any:
    """Call user code: in the grad mode of the pass, and under the user's own NumPy error state."""
    before, top = local.on, here.top
    set_recording(recorded)
    token = hush(top.users) if top is not None else None
    try:
        return hook(*args)
    finally:
        if token is not None:
            unhush(token)
        set_recording(before)


def wrap(grad: Any) -> Any:
    """A gradient as hooks see it: a Tensor, or None."""
    return grad if grad is None or isinstance(grad, Tensor) else make(as_array(grad))


def own(grad: Any, recorded: bool) -> Any:
    """A copy for a hook: another branch may hold the same buffer, and writing into it is to harm
    nobody.
    """
    return grad if recorded or grad is None else as_array(grad).copy()


def is_defined(grad: Any) -> bool:
    """Has a node got a gradient for any of its outputs?"""
    return grad is not None and (grad.__class__ is not list or any(g is not None for g in grad))


def run_tensor_hooks(table: Mapping, grad: Any, recorded: bool) -> Any:
    """Each tensor hook in its turn: it is given the gradient and may return another."""
    if table:
        grad = own(grad, recorded)
    for hook in list(table.values()):
        result = call(hook, recorded, wrap(grad))
        if result is not None:
            check_result(result, grad, hook)
            grad = result if recorded else result._array
    return grad


def run_prehooks(table: Mapping, grads: tuple, recorded: bool) -> tuple:
    """Node pre-hooks: given the gradients of the outputs, may return others."""
    grads = tuple(own(g, recorded) for g in grads) if table else grads
    for hook in list(table.values()):
        result = call(hook, recorded, tuple(map(wrap, grads)))
        if result is not None:
            grads = tuple(check_results(result, grads, hook, recorded))
    return grads


def check_results(result: Any, grads: Any, hook: Any, recorded: bool = False) -> list[Any]:
    """What a node's hook returned, in the place of the gradients that it was given: a tuple of as
    many, with None for no gradient.

    Raises TypeError for what is no tuple of Tensors, RuntimeError for another number or form.
    """
    if not isinstance(result, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(result).__name__}'")
    if len(result) != len(grads):
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values (got {len(result)}, "
            f"but expected {len(grads)})"
        )
    for new, grad in zip(result, grads, strict=True):
        if new is not None:
            check_result(new, grad, hook)
    return [new if new is None or recorded else new._array for new in result]


def check_result(result: Any, grad: Any, hook: Any) -> None:
    """Can a hook's result stand for this gradient? PyTorch's errors where it cannot."""
    if not isinstance(result, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
    if grad is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    old, new = grad._array if isinstance(grad, Tensor) else as_array(grad), result._array
    if new.dtype != old.dtype:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the type of value (was {_kind(old)} got "
            f"{_kind(new)})"
        )
    if new.__class__ is not old.__class__:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the device of value (was {device_of(old)} got "
            f"{device_of(new)})"
        )
    if new.shape != old.shape:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the size of value: got {list(new.shape)}, expected "
            f"{list(old.shape)}"
        )


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", None) or repr(hook)


def _kind(array: Any) -> str:
    return f"torch.{of(array.dtype).legacy}Tensor"
