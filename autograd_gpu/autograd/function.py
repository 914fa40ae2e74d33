"""Function: users' own operations, with a forward and a backward of their own."""

import functools
from collections.abc import Callable
from typing import Any

from .._core.state import recording, set_recording, tick
from .._core.tensor import Tensor, make
from .hooks import call, wrap
from .mutation import record_write
from .node import AccumulateGrad, Node, Output, fill, freed, repair
from .views import base_of, edge_of, link_view, rebase, refuse_inplace

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """What `forward` and `backward` of a Function are given first: a place for whatever backward
    needs.
    """

    materialize_grads = True
    to_save: tuple = ()
    dirty_tensors: tuple = ()
    non_differentiable: tuple = ()
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, outputs, others, None) for backward: they are checked for writes
        and freed after it.

        TypeError for anything but Tensors and None: such values are kept as attributes of ctx.
        """
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    "save_for_backward can only save variables, but argument is of type "
                    f"{type(t).__name__}"
                )
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Kept for forward-mode derivatives, which this version does not compute."""

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which inputs forward has written; each must be returned."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which outputs have no derivative; backward gets zeros for them."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """With False, backward gets None, not zeros, for outputs that got no gradient."""
        self.materialize_grads = value


class FunctionNode(Node, FunctionCtx):
    """The node of a Function, and its ctx: attributes that forward sets are found on `grad_fn`.

    Tensors are saved as arrays and edges, never as Tensors, so there is no cycle even where an
    output is saved.
    """

    saved_names = ("saved",)
    saved: Any = ()  # arrays
    saved_edges: tuple = ()  # per array an edge, None, or the number of the output that it is
    forms: tuple = ()
    shapes_out: tuple = ()
    function: Any = None
    many: bool  # has it several differentiable outputs?
    single: int  # else: which output that is
    is_tensor: tuple[bool, ...]
    edge_list: list

    def __init__(self) -> None:
        self.g, self.seq, self.edge_list = None, 0, []

    def edges(self) -> list[Any]:
        return list(self.edge_list)

    def set_edge(self, index: int, edge: Any) -> None:
        self.edge_list[index] = edge

    def release(self) -> None:
        self.saved = None if self.saved else self.saved

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What forward saved. RuntimeError after it was freed by a backward without
        retain_graph.
        """
        if self.saved is None:
            raise freed()
        return tuple(
            self.again(a, edge) for a, edge in zip(self.saved, self.saved_edges, strict=True)
        )

    def again(self, array: Any, edge: Any) -> Tensor | None:
        """The Tensor that was saved: a leaf itself, of others an equal one."""
        if array is None:
            return None
        if isinstance(edge, AccumulateGrad) and edge.array is array:
            return edge.variable
        return make(array, self.output_edge(edge) if isinstance(edge, int) else edge)

    def output_edge(self, index: int) -> Any:
        """Where a gradient of output `index` goes."""
        return Output(self, index) if self.many else self

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        """Call the user's backward and check what it returns."""
        grads = list(grad) if self.many else [None] * len(self.shapes_out)
        if not self.many:
            grads[self.single] = grad
        grads = [
            (
                fill([g], (form,), recorded)[0]
                if g is None and form and self.materialize_grads
                else g
            )
            for g, form in zip(grads, self.shapes_out, strict=True)
        ]
        results = call(self.function.run_backward, recorded, self, *map(wrap, grads))
        return self.check(results if isinstance(results, tuple) else (results,), recorded)

    def check(self, results: tuple, recorded: bool) -> list[Any]:
        """One gradient an argument, of the right kind and shape; PyTorch's errors otherwise."""
        name, count = self.name(), len(self.is_tensor)
        while len(results) > count and results[-1] is None:
            results = results[:-1]
        if len(results) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got "
                f"{len(results)})"
            )
        out: list = []
        for i, (g, tensor) in enumerate(zip(results, self.is_tensor, strict=True)):
            if not tensor:
                if g is not None:
                    raise RuntimeError(
                        f"function {name} returned a gradient different from None at position "
                        f"{i + 1}, but the corresponding forward input was not a Variable"
                    )
                continue
            if g is not None and not isinstance(g, Tensor):
                raise RuntimeError(
                    f"function {name} returned a '{type(g).__name__}' at index {i}: expected "
                    "Variable or None"
                )
            k = len(out)
            out.append(
                None if g is None or self.edge_list[k] is None else self.fitted(g, k, i, recorded)
            )
        return out

    def fitted(self, g: Tensor, k: int, index: int, recorded: bool) -> Any:
        """A gradient summed to its input's shape where it was broadcast, and cast to its dtype."""
        shape, have = self.forms[k][0], g._array.shape
        lead = len(have) - len(shape)
        if lead < 0 or any(n not in (1, m) for n, m in zip(shape, have[lead:], strict=True)):
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {index} - got "
                f"{list(have)} but expected shape compatible with {list(shape)}"
            )
        return repair(g if recorded else g._array, self.forms[k])


class FunctionMeta(type):
    """Gives each Function the class of its nodes, `<Name>Backward`."""

    def __init__(cls, name: str, bases: tuple, attrs: dict) -> None:
        cls._backward_cls = type(name + "Backward", (FunctionNode,), {"function": cls})
        super().__init__(name, bases, attrs)


class Function(metaclass=FunctionMeta):
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

    `forward` runs unrecorded. `backward` gets one gradient an output and returns one an argument,
    None for those without. Written in operations on Tensors it can itself be differentiated. Where
    `setup_context(ctx, inputs, output)` is overridden, `forward` takes no ctx.
    """

    _backward_cls: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._args = args

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

    @classmethod
    def run_backward(cls, ctx: Any, *grads: Any) -> Any:
        """Call `backward`, or `vjp`, which is another name for it."""
        if cls.backward is not Function.backward and cls.vjp is not Function.vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
        return (cls.vjp if cls.backward is Function.backward else cls.backward)(ctx, *grads)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward, and record the call where an argument requires grad."""
        ctx = cls._backward_cls()
        tensors = [a for a in args if isinstance(a, Tensor)]
        edges = [edge_of(t) for t in tensors]
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and edge_of(a) is not None for a in args)
        ctx.is_tensor = tuple(isinstance(a, Tensor) for a in args)
        recorded = recording() and any(e is not None for e in edges)
        before = recording()
        set_recording(False)
        try:
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        finally:
            set_recording(before)
        return _finish(ctx, tensors, edges, output, recorded)


def _finish(ctx: Any, tensors: list, edges: list, output: Any, recorded: bool) -> Any:
    """Give the outputs their place in the graph."""
    outputs = list(output) if isinstance(output, tuple) else [output]
    dirty = {id(t) for t in ctx.dirty_tensors}
    if not dirty <= {id(o) for o in outputs}:
        raise RuntimeError(
            f"{type(ctx).__name__}: Some elements marked as dirty during the forward method were "
            "not returned as output. The inputs that are modified inplace must all be outputs of "
            "the Function."
        )
    frozen = {id(t) for t in ctx.non_differentiable}
    inputs = {id(t): i for i, t in enumerate(tensors)}
    for t in ctx.dirty_tensors:
        if recorded:
            refuse_inplace(t, *base_of(t))
        record_write(t._array)
    ctx.edge_list, ctx.forms = edges, tuple((t._array.shape, t._array.dtype) for t in tensors)
    ctx.shapes_out = tuple(_form(o) for o in outputs)
    live = [
        i for i, o in enumerate(outputs)
        if isinstance(o, Tensor) and id(o) not in frozen and o._array.dtype.kind not in "biu"
    ]  # fmt: skip
    ctx.many, ctx.single = len(live) > 1, live[0] if live else 0
    ctx.seq = tick()
    _save(ctx, outputs, tensors, edges)
    results = list(outputs)
    for i, o in enumerate(outputs):
        if not isinstance(o, Tensor):
            continue
        if id(o) in inputs and id(o) not in dirty:
            # An input returned as it is comes back as an alias of it.
            results[i] = o = _alias(o, (ctx.name(), i))
        if recorded and i in live:
            _attach(ctx, o, i, inputs.get(id(o)) if id(o) in dirty else None, edges)
        elif id(o) in frozen and getattr(o, "_view", None) is None:
            o._edge = None
    for name in ("to_save", "dirty_tensors", "non_differentiable"):  # tensors: ctx must hold none
        vars(ctx).pop(name, None)
    return tuple(results) if isinstance(output, tuple) else results[0]


def _form(output: Any) -> Any:
    if not isinstance(output, Tensor):
        return None
    from .._core.device import library

    return output._array.shape, output._array.dtype, library(output._array)


def _alias(t: Tensor, made: tuple) -> Tensor:
    out = make(t._array[...])
    link_view(out, t, _same, (), ("function", *made))
    return out


def _same(value: Any) -> Any:
    return value


def _attach(ctx: Any, o: Tensor, index: int, place: int | None, edges: list) -> None:
    edge = ctx.output_edge(index)
    if place is None:
        o._edge = edge
        view = getattr(o, "_view", None)
        if view is not None:
            o._view = (*view[:3], ("function", ctx.name(), index))
        return
    base, steps, _ = base_of(o)
    rebase(base, steps, ctx, edges, place, edge)
    edge_of(o)


def _save(ctx: Any, outputs: list, tensors: list, edges: list) -> None:
    places = {id(o): i for i, o in enumerate(outputs) if isinstance(o, Tensor)}
    known = {id(t): e for t, e in zip(tensors, edges, strict=True)}
    dirty = {id(t) for t in ctx.dirty_tensors}
    arrays: list = []
    kept: list = []
    for t in ctx.to_save:
        arrays.append(None if t is None else t._array)
        if t is None:
            kept.append(None)
        elif id(t) in known and id(t) not in dirty:
            kept.append(known[id(t)])
        else:
            kept.append(places.get(id(t), edge_of(t)))
    ctx.saved, ctx.saved_edges = tuple(arrays), tuple(kept)


# ---- backward that is not to be differentiated


class _DelayedError(Node):
    """A node that says, when a gradient reaches it, why there is none."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message, self.g, self.seq = message, None, tick()

    def gradients(self, grad: Any, recorded: bool, needed: Any = None) -> list[Any]:
        raise RuntimeError(self.message)


def once_differentiable(function: Callable) -> Callable:
    """Decorate a Function's backward that uses more than Tensor operations: a second derivative is
    then an error.
    """

    @functools.wraps(function)
    def wrapper(ctx: Any, *args: Any) -> Any:
        before = recording()
        set_recording(False)
        try:
            outputs = function(ctx, *args)
        finally:
            set_recording(before)
        if not before or not any(isinstance(a, Tensor) and edge_of(a) is not None for a in args):
            return outputs
        message = (
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
        many = isinstance(outputs, tuple)
        results = tuple(
            make(o._array, _DelayedError(message))
            if isinstance(o, Tensor) and o._array.dtype.kind in "fcV"
            else o
            for o in (outputs if many else (outputs,))
        )
        return results if many else results[0]

    return wrapper
