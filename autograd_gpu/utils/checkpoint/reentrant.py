"""Checkpoints as one node, whose backward records the function anew and runs a pass within the
pass."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ..._core.tensor import Tensor
from ...autograd.api import backward as run_backward
from ...autograd.function import Function
from ...autograd.grad_mode import enable_grad
from ...autograd.passes import here
from .surroundings import Surroundings

__all__ = ["CheckpointFunction", "check_backward_validity", "detach_variable"]


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each tensor without its history, still requiring grad where it did; all else as it is.
    RuntimeError for anything but a tuple."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(_detached(value) if isinstance(value, Tensor) else value for value in inputs)


def _detached(t: Any) -> Any:
    x = t.detach()
    x.requires_grad = t.requires_grad
    return x


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn where no input requires grad: a checkpoint with `use_reentrant=True` then gives no
    gradient."""
    if not any(value.requires_grad for value in inputs if isinstance(value, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


class CheckpointFunction(Function):
    """`apply(function, preserve_rng_state, *args)`: the function's outputs; only its tensor
    arguments are kept.

    Function.backward as `.backward()` calls it: records the function on detached arguments, runs a
    pass from the outputs, which also fills the `.grad` of parameters, and returns the arguments'
    gradients. Those have no history: there is no second derivative.
    """

    @staticmethod
    def forward(ctx: Any, function: Callable, preserve_rng_state: bool, *args: Any) -> Any:
        """Run the function unrecorded."""
        check_backward_validity(args)
        ctx.run_function = function
        ctx.around = Surroundings(preserve_rng_state)
        ctx.inputs = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        outputs = function(*args)
        ctx.around.complete()
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients of the arguments. RuntimeError in a pass for given inputs only, and where
        no output of the function requires grad."""
        if here.top is not None and here.top.plan is not None:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        inputs = list(ctx.inputs)
        for place, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[place] = t
        detached = detach_variable(tuple(inputs))
        with enable_grad(), ctx.around.restored():
            outputs = ctx.run_function(*detached)
        _run(outputs if isinstance(outputs, tuple) else (outputs,), grads)
        return (None, None, *(d.grad if isinstance(d, Tensor) else None for d in detached))


def _run(outputs: tuple, grads: tuple) -> None:
    """A pass from those outputs that have a history."""
    roots = [
        (t, g)
        for t, g in zip(outputs, grads, strict=False)
        if isinstance(t, Tensor) and t.requires_grad
    ]
    if not roots:
        raise RuntimeError(
            "none of output has requires_grad=True, this checkpoint() is not necessary"
        )
    run_backward([t for t, _ in roots], [g for _, g in roots])
