"""The end of a pass: a gradient is added to the `.grad` of a leaf."""

import os
import sys
import threading
from contextlib import nullcontext
from typing import Any

import numpy as np

from .._core.device import library
from .._core.state import modes, state
from .._core.tensor import as_array, make
from .layout_policy import policy
from .mutation import record_write
from .node import NOWHERE, UNDEFINED, AccumulateGrad, refuse_sizes, verbs
from .passes import Pass
from .saving import before_write
from .watch import around, watchers

__all__ = [
    "NO_GUARD", "accumulate", "adding", "alone", "finish_leaf", "finish_leaves", "handed", "own",
]  # fmt: skip

NO_GUARD = nullcontext()

adding = threading.RLock()
"""Held while gradients are added: passes of several threads may end in the same leaf, and
`held += grad` is a read and a write. No code of users runs under it, unless a collection does."""


def _renew() -> None:
    adding._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def _of_a_variable() -> int:
    array = bytearray(1)
    return sys.getrefcount(array)


def _of_a_parameter(array: Any) -> int:
    return sys.getrefcount(array)


def _of_a_variable_and_a_parameter() -> int:
    array = bytearray(1)
    return _of_a_parameter(array)


# 2 and 3; less where a build of Python borrows.
alone, handed = _of_a_variable(), _of_a_variable_and_a_parameter()
"""What `sys.getrefcount` says of an array that nobody else holds: of one in a variable, and of one
in a variable of the caller that was handed over."""


def accumulate(leaf: Any, grad: Any, recorded: bool) -> None:
    """`leaf.grad += grad`: out of place while recording, in place otherwise; never in memory that
    others hold. The caller holds `grad` in one variable.
    """
    held = leaf.grad
    if recorded:
        leaf.grad = verbs["clone"](grad) if held is None else held + grad
    elif held is None:
        if not grad.shape:  # NumPy gives scalars where 0-d arrays meet
            grad = as_array(grad)
        if (
            grad.base is not None
            or sys.getrefcount(grad) > handed
            or not grad.flags.c_contiguous
            and policy.enforced
        ):
            grad = as_array(grad)
            grad = grad.copy("C") if grad.__class__ is np.ndarray else own(grad)
        leaf.grad = make(as_array(grad))
    elif getattr(held._array.flags, "writeable", True):  # CuPy's always are
        if modes:
            before_write(held)
        try:
            if grad.__class__ is np.ndarray:
                held._array += grad
            else:
                _add_into(held._array, grad)
        except ValueError:  # `leaf.data` is of another shape now than `leaf.grad`
            refuse_sizes(grad.shape, held._array.shape)
            raise
        record_write(held._array)
    else:  # memory the user lent us for reading
        leaf.grad = make(held._array + grad)


def own(array: Any) -> Any:
    """A copy, row by row; on CUDA by a kernel."""
    if array.__class__ is np.ndarray:
        return array.copy("C")
    out = library(array).ndarray(array.shape, array.dtype)
    return verbs["copy_into"](out, array)


def _add_into(held: Any, grad: Any) -> None:
    """`held += grad` for a gradient that is no ndarray: one on CUDA, which kernels add, or a scalar
    of NumPy's beside a 0-d array."""
    if held.__class__ is np.ndarray:
        held += grad
    else:
        verbs["copy_into"](held, verbs["add"](held, grad))


def finish_leaves(one: Pass) -> None:
    """All gradients have arrived at the leaves: add them to `.grad`."""
    if one.recorded or one.plan is not None or state.several_devices or watchers:
        for leaf in one.leaves:
            finish_leaf(leaf, one)
        return
    later = []
    with adding:
        for leaf in one.leaves:
            if leaf.__class__ is not AccumulateGrad:  # it has hooks
                later.append(leaf)
                continue
            grad, leaf.g = leaf.g, None
            array = leaf.array
            if grad.shape != array.shape or grad.dtype is not array.dtype:
                grad = leaf.fit(grad)
            accumulate(leaf, grad, False)
    for leaf in later:
        finish_leaf(leaf, one)


def finish_leaf(leaf: Any, one: Pass) -> None:
    """The gradient of a leaf is complete: its hooks, its `.grad`, more hooks; or it is captured."""
    if one.pending is None:
        grad, leaf.g = leaf.g, None
    else:
        grad = one.pending.pop(leaf, None)
    if grad is None or leaf is NOWHERE:
        return
    plan, array = one.plan, leaf.array
    with around(leaf, grad, array) if watchers or state.several_devices else NO_GUARD:
        if grad is UNDEFINED:
            grad = None
        elif (
            grad.shape != array.shape
            or (grad._array if one.recorded else grad).dtype is not array.dtype
        ):
            grad = leaf.fit(grad)
        if plan is not None and leaf in plan.taps:
            plan.captured[leaf, 0] = leaf.accept(grad, one.recorded, True)
            return
        grad = leaf.accept(grad, one.recorded)
        if grad is not None:
            with adding:
                accumulate(leaf, grad, one.recorded)
    leaf.accumulated(grad)
