"""Function: users' own operations, with a forward and a backward of their own."""

import inspect
import itertools
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from .._core.state import local, off, recording, set_recording
from .._core.tensor import Tensor, new
from .function_names import begin
from .function_node import BackwardCFunction, FunctionCtx, bind_base
from .function_outputs import finish
from .once_differentiable import once_differentiable
from .views import used_edge

__all__ = [
    "BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "InplaceFunction",
    "NestedIOFunction", "once_differentiable",
]  # fmt: skip

_number = itertools.count()


class FunctionMeta(type):
    """Gives each Function the class of its nodes, `<Name>Backward`."""

    def __init__(cls, name: str, bases: tuple, attrs: dict) -> None:
        cls._backward_cls: Any = type(
            name + "Backward",
            (BackwardCFunction,),
            {"_forward_cls": cls, "_autograd_function_id": next(_number), "__module__": __name__},
        )
        super().__init__(name, bases, attrs)


class Function(BackwardCFunction, metaclass=FunctionMeta):
    """An operation with a backward of your own. Subclass it, and call it through `apply`:

        class Cube(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, grad):
                (x,) = ctx.saved_tensors
                return grad * 3 * x**2

        y = Cube.apply(x)

    `forward` runs unrecorded and returns a Tensor or a tuple; what is no Tensor passes through.
    `backward` gets one gradient an output and returns one an argument, None for those without.
    Written in operations on Tensors it can itself be differentiated. Where
    `setup_context(ctx, inputs, output)` is overridden, `forward` takes no ctx.
    """

    _backward_cls: Any
    _parameters: tuple = (None, 0, None)  # forward, how many it has, and its signature
    clear_saved_tensors_on_access = False
    """With True, each saved tensor is given out once, and freed then."""
    boxed_grads_call = False
    """With True, backward gets one list of all gradients, which it may empty as it goes."""
    generate_vmap_rule = False
    """With True, the rule for `vmap` follows from the operations in forward and backward."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself.",
            DeprecationWarning,
            stacklevel=2,
        )
        begin(self)
        self.seq, self._in_edges, self._live = 1, [], 0
        self.needs_input_grad = None  # type: ignore[assignment]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Not how a Function is called: RuntimeError."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method: "
            f"{type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The operation itself; override it as a staticmethod."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> Any:
        """Fill ctx after a forward that takes none."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments from those of the outputs; override it as a
        staticmethod.
        """
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The derivatives of the outputs along those of the arguments, for forward-mode
        derivatives.
        """
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple, *args: Any) -> Any:
        """The operation on many samples at once."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward, and record the call where an argument requires grad.

        Keyword arguments are put in the places of forward's parameters first; with `setup_context`
        defaults are filled in as well.
        """
        separate = cls.setup_context is not _setup_context
        if separate:
            args, kwargs = _completed(cls, args, kwargs)
        elif kwargs:
            args, kwargs = _ordered(cls.forward, args, kwargs)
        given = (*args, *kwargs.values()) if kwargs else args
        ctx = new(cls._backward_cls)
        begin(ctx)
        tensors, recorded = _inputs(ctx, given)
        on = local.on
        if on:
            local.on = False
            off.add(_ident())
        try:
            if separate:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        finally:
            if local.on is not on:
                set_recording(on)
        return finish(ctx, tensors, output, recorded)


_ident = threading.get_ident
_setup_context = Function.setup_context
bind_base(Function)


def _inputs(ctx: Any, given: tuple) -> tuple[list, bool]:
    """Find the Tensors among the arguments, and whether the call is recorded."""
    tensors: list = []
    edges: list = []
    needs: list = []
    kinds: list = []
    found = False
    for a in given:
        if isinstance(a, Tensor):
            try:
                edge = a._edge
            except AttributeError:
                edge = used_edge(a)
            tensors.append(a)
            edges.append(edge)
            kinds.append(True)
            if edge is None:
                needs.append(False)
            else:
                needs.append(True)
                found = True
        else:
            kinds.append(False)
            needs.append(False)
    ctx._in_edges, ctx._in_tensors, ctx.needs_input_grad = edges, tuple(kinds), tuple(needs)
    return tensors, found and recording()


_PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _completed(cls: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments in the places of forward's parameters, defaults included. TypeError where they
    do not fit.
    """
    forward, count, signature = cls._parameters
    if forward != cls.forward:
        signature = inspect.signature(cls.forward)
        kinds = [p.kind for p in signature.parameters.values()]
        count = len(kinds) if all(k in _PLACED for k in kinds) else -1
        cls._parameters = cls.forward, count, signature
    if not kwargs and len(args) == count:
        return args, kwargs
    found = signature.bind(*args, **kwargs)
    found.apply_defaults()
    return found.args, found.kwargs


def _ordered(forward: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments in the order of the parameters of a forward that takes ctx first."""
    found = inspect.signature(forward).bind(None, *args, **kwargs)
    return found.args[1:], found.kwargs


# ---- names that old programs import


class InplaceFunction(Function):
    """A Function, for programs that import it; instances know whether they were to write in
    place.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """A Function, for programs that import it: what its instances save and mark may be nested in
    lists, tuples and dicts.
    """

    def save_for_backward(self, *args: Any) -> None:
        """Keep all tensors in `args`, in their order."""
        self.to_save = tuple(_tensors_in(args))

    def mark_dirty(self, *args: Any, **kwargs: Any) -> None:
        """Mark all tensors in the arguments."""
        self.dirty_tensors = tuple(_tensors_in((args, kwargs)))

    def mark_non_differentiable(self, *args: Any, **kwargs: Any) -> None:
        """Mark all tensors in the arguments."""
        self.non_differentiable = tuple(_tensors_in((args, kwargs)))

    def forward_extended(self, *input: Any) -> Any:
        """The operation, on nested arguments; override it."""
        raise NotImplementedError(f"{type(self).__name__}.forward_extended is not implemented.")

    def backward_extended(self, *grad_output: Any) -> Any:
        """Its gradients; override it."""
        raise NotImplementedError(f"{type(self).__name__}.backward_extended is not implemented.")


def _tensors_in(value: Any) -> Iterator[Tensor]:
    """The Tensors in nested lists, tuples and dicts. ValueError for anything else but None."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _tensors_in(v)
    elif isinstance(value, dict):
        for v in value.values():
            yield from _tensors_in(v)
    elif value is not None:
        raise ValueError(
            f"expected Tensors, None, and lists, tuples and dicts of them, but got "
            f"{type(value).__name__}"
        )
