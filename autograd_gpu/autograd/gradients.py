"""The gradient of a Tensor: `grad`, its dtype, `retain_grad`, hooks; bound to Tensor here."""

import warnings
import weakref
from collections.abc import Callable
from typing import Any

from .._core.dtype import dtype
from .._core.tensor import Tensor
from .engine import settle
from .hooks import OWN, RemovableHandle, add_hook, hooks_of, no_hooks, watch_leaf
from .node import AccumulateGrad
from .views import edge_of

__all__ = ["pause", "paused"]

paused: dict[int, AccumulateGrad] = {}
"""id of a tensor -> its AccumulateGrad with hooks, while the tensor does not require grad: they
return with requires_grad."""


def pause(t: Tensor, edge: AccumulateGrad) -> None:
    """Keep the hooks of a leaf that does not require grad."""
    key = id(t)
    edge.leaf = weakref.ref(t, lambda _: paused.pop(key, None))
    paused[key] = edge


def get_grad(self: Tensor) -> Tensor | None:
    """The gradient that `backward` accumulated, or None. On a tensor that is no leaf: what
    `retain_grad` kept.
    """
    edge = getattr(self, "_edge", None)  # of a stale view: what it kept
    if isinstance(edge, AccumulateGrad):
        if edge.g is not None:  # inside a pass
            settle(edge)
        return edge.grad
    kept = getattr(self, "_grad", None)
    if edge is not None and edge.seq and kept is None and not retains_grad(self):
        warnings.warn(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
            ".grad attribute won't be populated during autograd.backward(). If you indeed want "
            "the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the "
            "non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access "
            "the leaf Tensor instead.",
            UserWarning,
            stacklevel=2,
        )
    return kept


def set_grad(self: Tensor, value: Tensor | None) -> None:
    """Replace the gradient. Checked: a Tensor of this tensor's shape, dtype and device."""
    if value is not None:
        check_grad(self, value)
    edge = edge_of(self)
    if isinstance(edge, AccumulateGrad):
        if edge.g is not None:  # inside a pass
            settle(edge)
        edge.grad = value
    else:
        self._grad = value


def check_grad(self: Tensor, value: Any) -> None:
    """PyTorch's errors for a gradient that does not fit."""
    if not isinstance(value, Tensor):
        raise TypeError(
            "assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(value).__name__}"
        )
    if value is self:
        raise RuntimeError("can't assign Variable as its own grad")
    mine, its, wanted = self._array, value._array, wanted_dtype(self)
    if wanted is not None and wanted != value.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{scalar(value.dtype)}' to a tensor with "
            f"grad_dtype '{wanted.legacy}'. The gradient must match the tensor's grad_dtype "
            "(defaults to the tensor's dtype). Set grad_dtype to that dtype, or to None for any, "
            "with caution: code that uses gradients may expect them in the tensor's dtype."
        )
    if self.device.type != value.device.type:
        raise RuntimeError(
            f"attempting to assign a gradient located on device '{value.device}' to a tensor "
            f"located on device '{self.device}'. Please ensure that the gradient and the tensor "
            "are on the same device"
        )
    if mine.shape != its.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(its.shape)}' to a tensor of size "
            f"'{list(mine.shape)}'. Please ensure that the gradient and the tensor are the same "
            "size"
        )


def del_grad(self: Tensor) -> None:
    """`del t.grad` sets it to None."""
    set_grad(self, None)


def retains_grad(self: Tensor) -> bool:
    """Is this a non-leaf whose gradient is kept?"""
    hooks = getattr(edge_of(self), "hooks", None)
    return hooks is not None and hooks.retain is not None and hooks.retain() is self


def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this non-leaf in `.grad`. Nothing on a leaf; RuntimeError without
    requires_grad.
    """
    edge = edge_of(self)
    if edge is None:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if edge.seq:
        hooks_of(edge).retain = weakref.ref(self)


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook(grad)` whenever a gradient of this tensor is computed; a Tensor it returns takes
    the gradient's place.
    """
    edge = edge_of(self)
    if edge is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    return add_hook(edge, "tensor", hook)


def register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> RemovableHandle:
    """Call `hook(leaf)` after a gradient was added to `leaf.grad`. RuntimeError on a tensor that is
    no leaf.
    """
    edge = edge_of(self)
    if edge is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if edge.seq:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    return add_hook(edge, "after", hook)


# ---- grad_dtype


def wanted_dtype(t: Tensor) -> dtype | None:
    """The dtype that a gradient of a leaf must have; None: any."""
    edge = edge_of(t)
    if edge is None:
        edge = paused.get(id(t))
    hooks = getattr(edge, "hooks", None)
    return t.dtype if hooks is None or hooks.grad_dtype is OWN else hooks.grad_dtype


def get_grad_dtype(self: Tensor) -> dtype | None:
    """The dtype of this leaf's gradient: its own, unless it was set. None: whatever comes.

    RuntimeError on a tensor that is no leaf.
    """
    if not self.is_leaf:
        raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
    return wanted_dtype(self)


def set_grad_dtype(self: Tensor, kind: dtype | None) -> None:
    """Let backward passes leave gradients of another dtype in `.grad`.

    RuntimeError on a tensor that is no leaf, for anything but a dtype and None, and where there is
    a gradient of another dtype already.
    """
    if not self.is_leaf:
        raise RuntimeError("grad_dtype can only be set on leaf tensors.")
    if kind is not None and not isinstance(kind, dtype):
        raise RuntimeError(
            f"grad_dtype must be a torch.dtype or None, but got {type(kind).__name__}"
        )
    if kind is not None and kind.numpy.kind in "biu" and kind != self.dtype:
        raise RuntimeError(f"grad_dtype must be a floating point or complex dtype, not {kind!r}")
    held = self.grad
    if kind is not None and held is not None and held.dtype != kind:
        raise RuntimeError(
            f"Cannot set grad_dtype to '{kind.legacy}' because there is already a gradient with "
            f"dtype '{scalar(held.dtype)}'. Please clear the gradient (.grad = None) before "
            "changing grad_dtype, or ensure that the new grad_dtype matches the existing "
            "gradient's dtype."
        )
    edge = edge_of(self)
    if edge is None:
        edge = paused.get(id(self))
        if edge is None:
            edge = AccumulateGrad(self)
            pause(self, edge)
    hooks_of(edge).grad_dtype = kind


def scalar(kind: dtype) -> str:
    """A dtype as PyTorch's older messages name it: `float`, `c10::Half`."""
    return kind.legacy.lower()


# ---- the tables of hooks, as programs that copy parameters know them


def get_backward_hooks(self: Tensor) -> dict | None:
    """The dict of `register_hook`'s hooks; None where there never was one."""
    return _table(self, "tensor")


def set_backward_hooks(self: Tensor, table: dict | None) -> None:
    """Put a dict of hooks in the place of all there are; None takes them away. RuntimeError on a
    tensor that does not require grad, unless there is nothing to put.
    """
    edge = edge_of(self)
    if edge is None:
        if table:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return
    hooks = hooks_of(edge)
    hooks.tensor = no_hooks if table is None else table
    if not edge.seq and hooks.any():
        watch_leaf(edge)


def get_post_hooks(self: Tensor) -> dict | None:
    """The dict of `register_post_accumulate_grad_hook`'s hooks; None where there never was one."""
    return _table(self, "after")


def _table(t: Tensor, kind: str) -> Any:
    hooks = getattr(edge_of(t), "hooks", None)
    table = no_hooks if hooks is None else getattr(hooks, kind)
    return None if table is no_hooks else table


def _bind() -> None:
    t: Any = Tensor
    t.grad = property(get_grad, set_grad, del_grad, doc=get_grad.__doc__)
    t.grad_dtype = property(get_grad_dtype, set_grad_dtype, doc=get_grad_dtype.__doc__)
    t.retains_grad = property(retains_grad, doc=retains_grad.__doc__)
    t._backward_hooks = property(
        get_backward_hooks, set_backward_hooks, doc=get_backward_hooks.__doc__
    )
    t._post_accumulate_grad_hooks = property(get_post_hooks, doc=get_post_hooks.__doc__)
    for function in (retain_grad, register_hook, register_post_accumulate_grad_hook):
        setattr(t, function.__name__, function)


_bind()
