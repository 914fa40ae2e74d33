"""The node of a Function, which is the ctx that its forward and backward are given."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .._core.state import hush, local, set_recording, unhush
from .._core.tensor import Tensor, make
from .function_names import HooksOf, OwnNames, begin, reserve
from .function_results import checked
from .function_saved import kept_tensors, raw_tensors
from .hooks import wrap
from .node import Node, Output, deliver, fill
from .passes import here

__all__ = ["BackwardCFunction", "FunctionCtx", "bind_base"]


class FunctionCtx:
    """What `forward` and `backward` of a Function are given first: a place for whatever backward
    needs. Any attribute may be set.
    """

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, outputs, others, None) for backward, which finds them in
        `saved_tensors`: they are checked for writes and freed after it.

        Call it once. Where the call is recorded, apply raises TypeError for anything but Tensors
        and None: such values are kept as attributes of ctx.
        """
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`. AssertionError for anything but Tensors and None."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors, but got "
                    f"{type(t).__name__}; keep other values as attributes of ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which inputs forward has written; each must be returned."""
        self.dirty_tensors = args

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Does nothing but warn: which tensors share memory is known anyway."""
        import warnings

        warnings.warn(
            "`mark_shared_storage` is deprecated. Tensors with shared storages are automatically "
            "tracked.",
            FutureWarning,
            stacklevel=2,
        )

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which outputs have no derivative; backward gets zeros for them."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """With False, backward gets None, not zeros, for outputs that got no gradient."""
        self.materialize_grads = value


class _Forms:
    """`shapes_out`, as the engine asks for it."""

    def __get__(self, node: Any, cls: Any = None) -> Any:
        return () if node is None else node._out_forms


class BackwardCFunction(Node, FunctionCtx):
    """The node of a Function, and its ctx: attributes that forward sets are found on `grad_fn`.

    Tensors are saved as arrays and edges, never as Tensors, so there is no cycle even where an
    output is saved. What begins with `_in` is one a tensor among the arguments, but `_in_tensors`,
    which says of each argument whether it is one; `_out_forms` has an entry an output.
    """

    __slots__ = (
        "_in_edges", "_in_forms", "_in_tensors", "_kept", "_live", "_out_forms", "_own",
        "dirty_tensors", "materialize_grads", "needs_input_grad", "non_differentiable", "to_save",
    )  # fmt: skip
    _in_edges: list
    _in_forms: list  # (shape, dtype, class of the array)
    _in_tensors: tuple[bool, ...]
    _kept: Any  # see function_saved.py
    _live: Any  # which outputs have a derivative: the number of the only one, or a list
    _own: dict | None  # the program's attributes whose names the engine uses itself
    _out_forms: tuple  # (shape, dtype, library), or None for what is no tensor
    _forward_cls: Any = None
    _materialize_non_diff_grads = True
    _whole = True
    hooks = HooksOf()
    shapes_out = _Forms()
    saved_for_forward: Any = None

    def __init__(self) -> None:
        begin(self)

    # ---- what programs ask for

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What forward saved. RuntimeError after it was freed by a backward without retain_graph,
        and for what was written since.
        """
        return kept_tensors(self)

    @property
    def saved_variables(self) -> tuple[Tensor | None, ...]:
        """The old name of `saved_tensors`."""
        import warnings

        warnings.warn(
            "'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2
        )
        return kept_tensors(self)

    @property
    def _raw_saved_tensors(self) -> tuple:
        """What forward saved, as objects on which hooks can be registered."""
        return raw_tensors(self)

    def maybe_clear_saved_tensors(self) -> None:
        """Called in backward: free what forward saved, if this pass is to free it anyway."""
        if here.top is not None and not here.top.keep:
            self._kept = None

    def set_materialize_grads(self, value: bool) -> None:
        """With False, backward gets None, not zeros, for outputs that got no gradient. TypeError
        for anything but a bool.
        """
        if not isinstance(value, bool):
            raise TypeError(
                f"set_materialize_grads() expected a bool, but got {type(value).__name__}"
            )
        self.materialize_grads = value

    def apply(self, *grads: Tensor | None) -> Any:
        """What the user's backward returns for these gradients of the outputs."""
        return _backward_of(self._forward_cls)(self._ctx(), *grads)

    def __call__(self, *grads: Any) -> NoReturn:
        """TypeError: `apply` is what runs backward by hand."""
        raise TypeError(f"'{self.name()}' object is not callable; call its apply")

    # ---- what the engine asks for

    def name(self) -> str:
        """`<Name of the Function>Backward`."""
        return type(self).__name__

    def edges(self) -> list[Any]:
        """One a tensor among the arguments."""
        return list(self._in_edges)

    def release(self) -> None:
        """Free what forward saved."""
        self._kept = None

    def run(self, grad: Any, heap: list, leaves: list, keep: bool) -> Any:
        """Deliver the gradients of the arguments."""
        grads = self.gradients(grad, False)
        if not keep:
            self._kept = None
        return deliver(self._in_edges, grads, heap, leaves)

    def several(self) -> bool:
        """Has it several outputs with a derivative, so that a list of gradients waits for it?"""
        return self._live.__class__ is not int

    def undefined(self, recorded: bool) -> list[Any]:
        """Its backward runs even where none of the outputs got a gradient."""
        return self.gradients([None] * len(self._out_forms) if self.several() else None, recorded)

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        """Call the user's backward and check what it returns."""
        cls = self._forward_cls
        backward = _backward_of(cls)
        if len(self._out_forms) == 1 and grad is not None:
            args: Any = (make(grad) if grad.__class__ is np.ndarray else wrap(grad),)
        else:
            args = self._all(grad, recorded)
        if cls.boxed_grads_call:
            args = (list(args),)
        top = here.top
        token = None
        if top is not None:
            top.node = self
            token = hush(top.users)
        try:
            results = backward(self if self._own is None else self._ctx(), *args)
        finally:
            if token is not None:
                unhush(token)
            if local.on is not recorded:
                set_recording(recorded)
        return checked(self, results, recorded)

    def _all(self, grad: Any, recorded: bool) -> list[Any]:
        """The gradients of all outputs: zeros, or None, where there is none."""
        forms, live = self._out_forms, self._live
        given: list = [None] * len(forms)
        if live.__class__ is int:
            given[live] = grad
        else:
            given = list(grad)
        for i, (g, form) in enumerate(zip(given, forms, strict=True)):
            if g is not None:
                given[i] = wrap(g)
            elif (
                form is not None
                and self.materialize_grads
                and (self._materialize_non_diff_grads or self.is_live(i))
            ):
                given[i] = make(fill([None], (form,))[0])
        return given

    def is_live(self, index: int) -> bool:
        """Has output `index` a derivative?"""
        live = self._live
        return index == live if live.__class__ is int else index in live

    def output_edge(self, index: int) -> Any:
        """Where a gradient of output `index` goes."""
        return self if self._live.__class__ is int else Output(self, index)

    def _ctx(self) -> Any:
        return self if self._own is None else OwnNames(self)


def _backward_of(cls: Any) -> Callable:
    """`backward`, or `vjp`, which is another name for it. RuntimeError where a Function has
    both.
    """
    backward = cls.backward
    if backward is _base.backward:
        return cls.vjp
    if cls.vjp is not _base.vjp:
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
            "should only implement one of them."
        )
    return backward


_base: Any = None  # Function


def bind_base(function: Any) -> None:
    """Function is defined above this module."""
    global _base
    _base = function


reserve(BackwardCFunction)
