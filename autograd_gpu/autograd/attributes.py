"""What a Tensor knows of its graph: requires_grad, grad, grad_fn, detach, hooks and backward, bound
to Tensor here.
"""

import warnings
import weakref
from collections.abc import Callable
from typing import Any

from .._core.dtype import of
from .._core.inference import Inference, is_inference, share
from .._core.state import local, modes
from .._core.tensor import Tensor, make
from . import api
from .hooks import RemovableHandle, add_hook, hooks_of
from .mutation import record_write, version
from .node import AccumulateGrad, Output
from .views import base_of, edge_of

__all__ = ["Silent", "mark_written", "requires_grad_"]


class Silent(list):
    """The family of a `.data` tensor: writes through it count here, and no saved tensor hears of
    them.
    """

    writes = 0


def mark_written(target: Tensor) -> None:
    """Count a write to this tensor's memory."""
    family = getattr(target, "_family", None)
    if isinstance(family, Silent):
        family.writes += 1
    elif family.__class__ is not Inference:
        record_write(target._array)


def is_leaf_edge(edge: Any) -> bool:
    """Is this the end of a graph, or nothing?"""
    return edge is None or not edge.seq


_NOT_A_LEAF = "you can only change requires_grad flags of leaf variables."
_DETACH = (
    " If you want to use a computed variable in a subgraph that doesn't require differentiation "
    "use var_no_grad = var.detach()."
)


def get_requires_grad(self: Tensor) -> bool:
    """Are operations on this tensor recorded? A view says what its base says."""
    if getattr(self, "_edge", None) is not None:
        return True
    return is_view(self) and edge_of(base_of(self)[0]) is not None


def set_requires_grad(self: Tensor, mode: bool) -> None:
    """Make the tensor a leaf of graphs, or stop. RuntimeError for integers, and on a result of
    operations.
    """
    if not is_leaf_edge(edge_of(self)):
        raise RuntimeError(_NOT_A_LEAF if mode else _NOT_A_LEAF + _DETACH)
    requires_grad_(self, mode)


def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Record operations on this tensor from now on (or stop), and return it.

    Raises:
        RuntimeError: the dtype is not floating or complex; False on a tensor that is not a leaf.
    """
    edge = edge_of(self)
    if edge is not None and edge.seq:
        if not requires_grad:
            raise RuntimeError(_NOT_A_LEAF + _DETACH)
    elif requires_grad and edge is None:
        if is_inference(self) and not local.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed. You can make a clone to get a normal tensor."
            )
        if self._array.dtype.kind in "biu":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, not {self.dtype!r}"
            )
        self._edge = edge = _paused.pop(id(self), None) or AccumulateGrad(self)
        edge.array, edge.grad = self._array, getattr(self, "_grad", None)
    elif not requires_grad and edge is not None:
        self._grad, self._edge = edge.grad, None
        if hasattr(edge, "hooks"):
            key = id(self)
            edge.leaf = weakref.ref(self, lambda _: _paused.pop(key, None))
            _paused[key] = edge
    return self


# id of a tensor -> its AccumulateGrad with hooks, while the tensor does not require grad: they
# return with requires_grad.
_paused: dict[int, AccumulateGrad] = {}


def grad_fn(self: Tensor) -> Any:
    """The node that made this tensor; None for a leaf."""
    edge = edge_of(self)
    if isinstance(edge, Output):
        return edge.node
    return edge if edge is not None and edge.seq else None


def output_nr(self: Tensor) -> int:
    """Which output of `grad_fn` this tensor is."""
    edge = edge_of(self)
    return edge.index if isinstance(edge, Output) else 0


def get_grad(self: Tensor) -> Tensor | None:
    """The gradient that `backward` accumulated, or None. On a tensor that is no leaf: what
    `retain_grad` kept.
    """
    edge = edge_of(self)
    if edge is not None and not edge.seq:
        return edge.grad
    kept = getattr(self, "_grad", None)
    if edge is not None and kept is None and not retains_grad(self):
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
    if edge is not None and not edge.seq:
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
    mine, its = self._array, value._array
    if mine.dtype != its.dtype:
        kind = of(its.dtype).legacy.lower()
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{kind}' to a tensor with grad_dtype "
            f"'{of(mine.dtype).legacy}'. The gradient must match the tensor's grad_dtype (defaults "
            "to the tensor's dtype)."
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


def detach(self: Tensor) -> Tensor:
    """The same memory without a history. Writes are seen by both, and counted for both."""
    out = make(self._array)
    if modes:
        share(out, self)
    if isinstance(getattr(self, "_family", None), Silent):
        out._family = self._family
    return out


def detach_(self: Tensor) -> Tensor:
    """Forget the history of this tensor itself. RuntimeError on a view, whose base would keep
    it.
    """
    if getattr(self, "_view", None) is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    edge = edge_of(self)
    if edge is not None and edge.seq:
        self._edge = None
    elif edge is not None:
        requires_grad_(self, False)
    return self


def get_data(self: Tensor) -> Tensor:
    """The same memory, no history, and writes that autograd does not hear of: prefer `detach()`."""
    out = make(self._array)
    if modes:
        share(out, self)
    if not is_inference(out):
        out._family = Silent()
    return out


def set_data(self: Tensor, value: Tensor) -> None:
    """Let this tensor look at another's memory; graphs made before keep what they saved."""
    if not isinstance(value, Tensor):
        raise TypeError(f"data must be a Tensor, not {type(value).__name__}")
    edge = edge_of(self)
    if edge is not None and value._array.dtype.kind in "biu":
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype"
        )
    self._array = value._array
    if isinstance(edge, AccumulateGrad):
        edge.array = value._array


def get_version(self: Tensor) -> int:
    """How many in-place writes this tensor's memory has seen."""
    family = getattr(self, "_family", None)
    if is_inference(self):
        raise RuntimeError("Inference tensors do not track version counter.")
    return family.writes if isinstance(family, Silent) else version(self._array)


def get_base(self: Tensor) -> Tensor | None:
    """The tensor that this is a view of, or None."""
    return base_of(self)[0] if is_view(self) else None


def is_view(self: Tensor) -> bool:
    """Is this a view that autograd follows?"""
    return getattr(self, "_view", None) is not None


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Gradients of this tensor with respect to the leaves, added to their `.grad`; see
    `autograd.backward`.
    """
    api.backward(self, gradient, retain_graph, create_graph, inputs)


def _bind() -> None:
    t: Any = Tensor
    t.requires_grad = property(get_requires_grad, set_requires_grad, doc=get_requires_grad.__doc__)
    t.is_leaf = property(
        lambda self: is_leaf_edge(edge_of(self)), doc="Is this no result of recorded operations?"
    )
    t.grad_fn, t.output_nr = property(grad_fn), property(output_nr)
    t.grad = property(get_grad, set_grad, del_grad, doc=get_grad.__doc__)
    t.data = property(get_data, set_data, doc=get_data.__doc__)
    t._version, t._base = property(get_version), property(get_base)
    t.retains_grad = property(retains_grad)
    for function in (
        is_inference, requires_grad_, retain_grad, register_hook,
        register_post_accumulate_grad_hook, detach, detach_, backward,
    ):  # fmt: skip
        setattr(t, function.__name__, function)
    t._is_view = is_view


_bind()
