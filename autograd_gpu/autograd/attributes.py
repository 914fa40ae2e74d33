"""What a Tensor knows of its graph: requires_grad, grad_fn, detach, versions and backward, bound to
Tensor here.
"""

from typing import Any

from .._core.inference import Inference, is_inference, release, share
from .._core.layout import lend
from .._core.state import local, modes
from .._core.tensor import Tensor, make, new
from . import api
from .gradients import pause, paused
from .mutation import version
from .node import NOWHERE, AccumulateGrad, Output
from .views import base_of, edge_of

__all__ = ["requires_grad_"]


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
    if mode and self._array.dtype.kind in "biu":
        raise RuntimeError(
            "only Tensors of floating point and complex dtype can require gradients, not "
            f"{self.dtype!r}"
        )
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
    elif requires_grad and (edge is None or edge is NOWHERE):
        if is_inference(self) and local.inference is None:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed. You can make a clone to get a normal tensor."
            )
        if self._array.dtype.kind in "biu":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, not {self.dtype!r}"
            )
        self._edge = edge = paused.pop(id(self), None) or AccumulateGrad(self)
        edge.array, edge.grad = self._array, getattr(self, "_grad", None)
        _tell_views(self, None, NOWHERE)
    elif not requires_grad and edge is not None and edge is not NOWHERE:
        self._grad, self._edge = edge.grad, None
        _tell_views(self, NOWHERE, None)
        if hasattr(edge, "hooks"):
            pause(self, edge)
    return self


def _tell_views(base: Tensor, before: Any, now: Any) -> None:
    """The views without a history require grad when their base does."""
    for ref in getattr(base, "_family", ()):
        view = ref()
        if view is not None and getattr(view, "_edge", base) is before and base_of(view)[0] is base:
            view._edge = now


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


def detach(self: Tensor) -> Tensor:
    """The same memory without a history. Writes are seen by both, and counted for both."""
    out = new(Tensor)
    out._array, out._edge = self._array, None
    family = getattr(self, "_family", None)
    if family is not None:  # so that views of this tensor hear of writes through it
        out._family = family
        if family.__class__ is Inference:
            release(out)
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
    """The same memory with no history and a version of its own: autograd does not hear of writes
    to it. Prefer `detach()`.
    """
    out = make(lend(self._array))
    if modes:
        share(out, self)
        release(out)
    return out


def set_data(self: Tensor, value: Tensor) -> None:
    """Let this tensor look at another's memory; graphs made before keep what they saved."""
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    edge = edge_of(self)
    if edge is not None and value._array.dtype.kind in "biu":
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype"
        )
    self._array = value._array
    if modes:
        share(self, value)
    if isinstance(edge, AccumulateGrad):
        edge.array = value._array


def get_version(self: Tensor) -> int:
    """How many in-place writes this tensor's memory has seen."""
    if not is_inference(self):
        return version(self._array)
    if self._family.writes is None:  # type: ignore[attr-defined]
        raise RuntimeError("Inference tensors do not track version counter.")
    return self._family.writes  # type: ignore[attr-defined]


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
    api.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def _bind() -> None:
    t: Any = Tensor
    t.requires_grad = property(get_requires_grad, set_requires_grad, doc=get_requires_grad.__doc__)
    t.is_leaf = property(
        lambda self: is_leaf_edge(edge_of(self)), doc="Is this no result of recorded operations?"
    )
    t.grad_fn, t.output_nr = property(grad_fn), property(output_nr)
    t.data = property(get_data, set_data, doc=get_data.__doc__)
    t._version, t._base = property(get_version), property(get_base)
    for function in (
        is_inference, requires_grad_, detach, detach_, backward,
    ):  # fmt: skip
        setattr(t, function.__name__, function)
    t._is_view = is_view


_bind()
