"""`checkpoint` itself: a call of which only the arguments are kept."""

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..._core.state import recording
from .frame import Frame
from .log import Log
from .reentrant import CheckpointFunction
from .settings import noop_context_fn, settings
from .surroundings import Surroundings

__all__ = ["checkpoint"]

_CHECKS = ("default", "none")


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    context_fn: Callable[
        [], tuple[AbstractContextManager, AbstractContextManager]
    ] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call `function(*args, **kwargs)`, and keep of it only the arguments: what it saves for
    backward is computed again when it is needed.

        y = checkpoint(block, x, use_reentrant=False)

    The function must do the same both times. Memory falls to the arguments of the checkpoints and
    the inside of one of them at a time; the price is one more forward.

    Args:
        function: a function or a module.
        use_reentrant: False is recommended. The graph is recorded as usual, only what it saves is
            left out: every kind of pass works, also `autograd.grad` and higher derivatives, with
            keyword arguments, nested checkpoints, and arguments without grad. True: one node takes
            the place of the graph; it serves `.backward()` without `inputs` only, and needs a
            tensor among `args` that requires grad.
        preserve_rng_state: random numbers of the default generators, on the CPU and on every CUDA
            device, are the same the second time (dropout masks).
        context_fn: gives two contexts, for the forward and for the recomputation.
        determinism_check: "default": shape, dtype and device of what was saved must be the same
            again; "none": only their number.
        debug: a CheckpointError lists the operations of the forward and of the recomputation.
        early_stop: the recomputation ends as soon as it has saved what the forward saved.

    `context_fn`, `determinism_check`, `debug`, `early_stop` and `kwargs` are for
    `use_reentrant=False`. Without grad mode it is a plain call. Warns (UserWarning) where
    `use_reentrant` is not passed; it is True then.

    Raises:
        ValueError: what `use_reentrant=True` cannot have; an unknown determinism_check; debug
            together with a context_fn.
        CheckpointError: in backward, where the recomputation saved something else.
        RuntimeError: in backward, where an argument was written in the meantime.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly; "
            "without it, it is True. use_reentrant=False is recommended: it works with "
            "autograd.grad, with keyword arguments and with inputs that need no gradient.",
            stacklevel=2,
        )
        use_reentrant = True
    if not use_reentrant:
        frame, context = _prepared(context_fn, determinism_check, debug, early_stop)
        if not recording():
            return function(*args, **kwargs)
        frame.hold(function, args, kwargs, Surroundings(preserve_rng_state))
        return _recorded(frame, context, args)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError(
            "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
        )
    return CheckpointFunction.apply(function, preserve_rng_state, *args)


def _prepared(
    context_fn: Callable, check: str, debug: bool, early_stop: bool
) -> tuple[Frame, AbstractContextManager]:
    """A frame by these options, and the context of the forward. ValueError for options that do not
    go together."""
    frame = Frame()
    if debug if settings.debug is None else settings.debug:
        if context_fn is not noop_context_fn:
            raise ValueError("debug=True is incompatible with non-default context_fn")
        frame.log = Log()
        context_fn = frame.log.contexts
    if check not in _CHECKS:
        raise ValueError(f"determinism_check should be one of {list(_CHECKS)}, but got {check}")
    frame.forms = [] if check == "default" else None
    frame.early_stop = early_stop if settings.early_stop is None else settings.early_stop
    if not callable(context_fn):
        raise TypeError(
            "checkpoint(): context_fn must be callable and return two contexts, but got "
            f"{type(context_fn).__name__}"
        )
    context, frame.context = context_fn()
    return frame, context


def _recorded(frame: Frame, context: AbstractContextManager, args: tuple) -> Any:
    """The forward: recorded, with the frame in the place of what is saved."""
    done = False
    with frame.hooks(), context:
        result = frame.function(*args, **frame.kwargs)
        done = True
    if not done:
        raise RuntimeError(
            "torch.utils.checkpoint: the forward context provided by context_fn suppressed an "
            "exception raised during the checkpointed forward. This is not supported: there is no "
            "result to return."
        )
    frame.complete = True
    frame.around.complete()
    return result
