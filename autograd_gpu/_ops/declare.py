"""@op and @composite: how an operation is said once."""

import functools
import inspect
from collections.abc import Callable
from heapq import heappush
from types import FunctionType
from typing import Any

import numpy as np

from .._core.device import guard, library
from .._core.library import LIBRARIES, QUICK, RAW
from .._core.state import hush, modes, off, quiet, recording, state, tick, unhush
from .._core.tensor import Tensor, as_array, make, new
from ..autograd.node import ListNode, Node, Output, fill, freed, plus, repair
from ..autograd.views import link_view, unfollowed, view_list
from . import generate
from .bind import bind_composite, bind_op, inplace_doc, inplace_stub
from .inplace_source import graft
from .registry import KERNELS, PUBLIC, REGISTRY, Array, Arrays, Entry, Index, kind_of
from .run_source import partial_source

__all__ = ["PUBLIC", "REGISTRY", "Array", "Arrays", "Composite", "Index", "Op", "composite", "op"]


ENVIRONMENT: dict[str, Any] = {}
"""The names that generated source may use besides its own."""


class Op(Entry):
    """One primitive. `function` is what users call; its code is generated on the first call."""

    def __init__(self, forward: Any, options: dict[str, Any]) -> None:
        self.forward = forward
        self._read_options(options)
        self._read_signature()
        self.formulas: dict[int, tuple] = {}
        self.plan: list[tuple] = []
        self.joint: Any = None
        self.differentiable: list[int] = []
        self.edge_of: dict[str, str] = {}
        # what is saved -> the places of the edges whose formulas use it
        self.users: dict[str, list[int]] = {}
        self.saved_arrays: tuple[str, ...] = ()
        self.grad_names: tuple[str, ...] = ()
        self.writer: Any = None
        self.quick: dict[tuple, bool] = {}  # how a write was called -> may it go the quick way
        self.source = ""
        name = options.get("name", forward.__name__)
        kernel = options.get("kernel")
        self.kernel: str = name if kernel is True else kernel or ""
        self.kernels: dict[type, Any] = KERNELS.setdefault(self.kernel, {}) if kernel else {}
        self._partial: dict[bool, Any] = {}
        self.namespace = dict(
            ENVIRONMENT, OP=self, forward=forward, elsewhere=self.elsewhere,
            quick=QUICK.setdefault(self.kernel, {}) if kernel else {},
            __name__=forward.__module__,
        )  # fmt: skip
        function = self._stub(name.lstrip("_"), general_stub.__code__)
        function.derivative, function.write = self.derivative, self.write
        # what `x + y` calls: the same code but for its answer to strangers
        self.operator: Any = None
        super().__init__(
            name, function, options.get("where", ("", "Tensor")), tuple(options.get("methods", ()))
        )
        if options.get("inplace"):
            bind_op(self)

    def _read_options(self, options: dict[str, Any]) -> None:
        """view: the result looks at the first input; "many": it is a list of such views, of which
        the formula is given the gradients as `grads`. outputs: names of several results; main: the
        only one with a derivative, else each in `relays` has one. promote: "same", "float"
        (integers become floats) or "bool" (inputs are promoted, the result is a mask). constants,
        caches: what the forward returns besides, for the formulas; caches are functions of the
        inputs and are computed again when recording. check: given the Tensors and numbers of a call
        that is not the usual one, it may refuse them. uniform: all elements become one number,
        so that a write may reach some of them repeatedly."""
        self.view = options.get("view", False)
        self.many = self.view == "many"
        self.outputs: tuple[str, ...] = tuple(options.get("outputs", ()))
        self.relays: tuple[str, ...] = tuple(options.get("relays", ()))
        self.main = 0 if self.outputs and not self.relays else None
        self.result = options.get("result", tuple)
        self.promote = options.get("promote")
        self.constants: tuple[str, ...] = tuple(options.get("constants", ()))
        self.caches: tuple[str, ...] = tuple(options.get("caches", ()))
        self.extras = self.constants + self.caches
        self.node_name = options.get("node")
        self.check = options.get("check")
        self.uniform = options.get("uniform", False)
        self.floating = self.promote == "float"
        self.same_dtype = self.promote in ("same", "float")

    def _read_signature(self) -> None:
        """Names, defaults and kinds of the parameters, without xp. Read off the code: `inspect`
        would double the time that importing the table takes."""
        code, annotations = self.forward.__code__, self.forward.__annotations__
        last = code.co_argcount
        positional = code.co_varnames[1:last]
        keywords = code.co_varnames[last : last + code.co_kwonlyargcount]
        self.params, self.keywords = [*positional, *keywords], set(keywords)
        given = self.forward.__defaults__ or ()
        self.defaults = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
        self.defaults.update(self.forward.__kwdefaults__ or {})
        self.kinds = {p: kind for p in self.params if (kind := kind_of(annotations.get(p)))}
        self.arrays = [(i, p, self.kinds[p]) for i, p in enumerate(self.params) if p in self.kinds]
        self.optional = {name for name, kind in self.kinds.items() if "None" in kind}
        self.lists = any("list" in kind for kind in self.kinds.values())
        head = [self._parameter(p) for p in positional]
        tail = [self._parameter(p) for p in keywords]
        self.signature = ", ".join([*head, "*", *tail, "out=None"])
        self.operator_signature = ", ".join([*head, *tail])
        self.broadcasts = (
            any("float" in kind for kind in self.kinds.values()) or self.promote is not None
        )

    def _parameter(self, name: str) -> str:
        return f"{name}={self.defaults[name]!r}" if name in self.defaults else name

    def inplace_method(self, name: str) -> Any:
        """The `f_` of this op, not yet bound to Tensor. Its code is generated on the first call, as
        that of the op is."""
        self.write_method = self._stub(name, inplace_stub.__code__)
        self.write_method.__qualname__, self.write_method.__doc__ = name, inplace_doc(name[:-1])
        return self.write_method

    def method(self, name: str) -> Any:
        """Operators get a code of their own: they answer NotImplemented to operands they do not
        know."""
        if not name.startswith("__") or name == "__getitem__":
            return self.function
        if self.operator is None:
            self.operator = self._stub(name, operator_stub.__code__)
        return self.operator

    def derivative(self, _joint: Any = None, /, **formulas: Any) -> Any:
        """One formula an input; its parameter names are the list of what the node keeps.

        A single positional formula gives the gradients of all inputs it names in `of=("input",
        "weight")` at once: its last parameter is `wanted`, a tuple of bools.
        """
        names = [name for _, name, _ in self.arrays]
        inputs = formulas.pop("of", None) or list(formulas)
        self.differentiable = [k for k, name in enumerate(names) if name in inputs]
        self.edge_of = {names[k]: f"e{k}" for k in self.differentiable}
        self.grad_names = tuple("grad_" + o for o in self.relays)
        if _joint is not None:
            params = _parameters(_joint)
            params = params if self.lists else params[:-1]
            self.joint = _joint, params
            for name in params:
                self._use(name, list(range(len(self.differentiable))))
        for place, k in enumerate(self.differentiable if _joint is None else ()):
            formula = formulas[names[k]]
            params = _parameters(formula)
            self.formulas[k] = formula, params
            for name in params:
                self._use(name, [place])
        self.plan = (
            [(f"e{k}", *self.formulas[k]) for k in self.differentiable] if _joint is None else []
        )
        arrays = {*names, "out", *self.outputs, *self.extras}
        self.saved_arrays = tuple(n for n in self.users if n in arrays)
        return self.function

    def _use(self, name: str, places: list[int]) -> None:
        if name == "grad" or name in self.grad_names or self.many and name == "grads":
            return
        known = {*self.params, "out", *self.outputs, *self.extras}
        if name not in known and name.rpartition("_")[0] not in self.kinds:
            raise TypeError(
                f"the derivative of {self.forward.__name__} names '{name}', which is nothing that "
                "can be saved"
            )
        self.users.setdefault(name, []).extend(places)

    def write(self, writer: Any) -> Any:
        """A forward that writes into its first argument: `writer(xp, input, other, ...)`, for
        in-place forms."""
        self.writer = writer
        return self.function

    def _stub(self, name: str, code: Any) -> Any:
        """A function whose first call gives it its code and calls again. The object never changes,
        so `from autograd_gpu import mul` and `Tensor.__mul__` stay what they are."""
        stub = FunctionType(code, self.namespace, name)
        stub.__doc__, stub.__module__ = self.forward.__doc__, self.forward.__module__
        kinds, empty = inspect.Parameter, inspect.Parameter.empty
        params = [
            kinds(p, kinds.KEYWORD_ONLY if p in self.keywords else kinds.POSITIONAL_OR_KEYWORD,
                  default=self.defaults.get(p, empty))
            for p in self.params
        ]  # fmt: skip
        stub.__signature__ = inspect.Signature(params, __validate_parameters__=False)  # type: ignore[attr-defined]
        return stub

    def generate(self, general: str) -> Any:
        """Write and compile the source; graft the code onto the function."""
        from . import general as paths

        space = self.namespace
        space["general"], space["operator"] = paths.general, paths.operator
        space["finish"] = paths.finish
        operator = general == "operator"
        self.node_classes()
        stub = self.operator if operator else self.function
        name = stub.__name__
        source = generate.compile_source(generate.call_source(self, name, operator), name, space)
        self.source += source
        made = space.pop(name)
        stub.__defaults__, stub.__kwdefaults__ = made.__defaults__, made.__kwdefaults__
        stub.__code__ = made.__code__
        return stub

    def elsewhere(self, *args: Any, **kwargs: Any) -> Any:
        """The forward on arrays of a device: the kernel where there is one that accepts, else the
        body. AttributeError, which sends the call the long way, for arrays of two devices."""
        first = args[0][0] if args[0].__class__ is list else args[0]
        kind = first.__class__
        xp = LIBRARIES.get(kind)
        if xp is None:  # a number first
            kind = next(a.__class__ for a in args if a.__class__ in LIBRARIES)
            xp = LIBRARIES[kind]
        if xp is np or np.ndarray in map(type, args):
            raise AttributeError("arrays of two devices")
        if xp.several_devices:
            place = one_device(xp, args)
            if place != xp.current_device():
                with xp.device(place):
                    return self.elsewhere(*args, **kwargs)
        run = self.kernels.get(kind)
        if run is not None:
            result = run(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return self.forward(xp, *args, **kwargs)

    def partial(self, repaired: bool) -> Any:
        """The nodes' `run_some`, for passes in which not all edges are wanted."""
        if repaired not in self._partial:
            space = dict(self.node_classes())
            source = partial_source(self, repaired)
            generate.compile_source(source, f"{self.name} node, in part", space)
            self._partial[repaired] = space["run_some"]
        return self._partial[repaired]

    def node_classes(self) -> dict[str, Any]:
        """The generated classes of this op's nodes, in a dict under "Node" and "RepairNode"."""
        space = self.namespace
        if "Node" not in space:
            from . import general as paths
            from .saved import expose

            space["general"], space["operator"] = paths.general, paths.operator
            if self.differentiable:
                self.source = generate.compile_source(
                    generate.node_source(self), f"{self.name} node", space
                )
                for cls in ("Node", "RepairNode"):
                    space[cls].__name__ = space[cls].__qualname__ = self.title()
                expose(self, space["Node"])
            else:
                space["Node"] = None
        return space

    def title(self) -> str:
        """The name of this op's nodes."""
        name = self.name.lstrip("_")
        return self.node_name or "".join(part.title() for part in name.split("_")) + "Backward0"


class Composite(Entry):
    """A function of Tensors (and raw arrays): its derivative follows from those of the ops it
    calls."""


def general_stub(*args: Any, **kwargs: Any) -> Any:
    return OP.generate("general")(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def operator_stub(*args: Any, **kwargs: Any) -> Any:
    return OP.generate("operator")(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def _parameters(formula: Any) -> list[str]:
    code = formula.__code__
    return list(code.co_varnames[: code.co_argcount])


def op(**options: Any) -> Callable[[Any], Any]:
    """Declare a primitive: the decorated function is its forward on raw arrays. Options: see `Op`;
    `where`: where it is shown, of "" (the package), "Tensor", "nn.functional", "linalg" ...,
    default the first two; `methods`: further names on Tensor; `inplace`: there is an `f_`;
    `kernel`: what replaces the forward on CUDA, True for the kernel of the op's own name."""
    return lambda forward: Op(forward, options).function


def composite(
    kernel: str | None = None,
    where: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    inplace: bool = False,
) -> Callable[[Any], Any]:
    """Declare a function in plain operations. Where a kernel is known for the class of its first
    raw array, that runs instead: so only on that device, and only while nothing is recorded; where
    the kernel declines (NotImplemented), the body. `inplace`: give Tensor an `f_` that writes the
    function's result into the tensor."""

    def wrap(body: Any) -> Any:
        function = body
        if kernel is not None:
            kernels = KERNELS.setdefault(kernel, {})

            def function(first: Any, *rest: Any) -> Any:
                run = kernels.get(first.__class__)
                if run is not None:
                    if state.several_devices:
                        with guard(first):
                            result = run(first, *rest)
                            return body(first, *rest) if result is NotImplemented else result
                    result = run(first, *rest)
                    if result is not NotImplemented:
                        return result
                return body(first, *rest)

            function = _on_arrays_first(body, function)
            functools.update_wrapper(function, body)
            function.kernel_name = kernel  # type: ignore[attr-defined]
        entry = Composite(body.__name__, function, where, methods)
        if inplace:
            bind_composite(entry)
        return function

    return wrap


def _on_arrays_first(body: Any, elsewhere: Any) -> Any:
    """For the two arities that nearly all formulas have: an ndarray goes to the body at once."""
    if body.__defaults__ or body.__kwdefaults__ or body.__code__.co_kwonlyargcount:
        return elsewhere
    if body.__code__.co_argcount == 2:
        return lambda first, second: (
            body(first, second) if first.__class__ is np.ndarray else elsewhere(first, second)
        )
    if body.__code__.co_argcount == 3:
        return lambda first, second, third: (
            body(first, second, third)
            if first.__class__ is np.ndarray
            else elsewhere(first, second, third)
        )
    return elsewhere


def one_device(xp: Any, args: Any) -> int:
    """The CUDA device of all arrays. AttributeError where there are two; 0-d ones count too, as in
    PyTorch."""
    if args[0].__class__ is list:
        args = (*args[0], *args[1:])
    found = {a.data.device_id for a in args if a.__class__ is xp.ndarray}
    if len(found) > 1:
        raise AttributeError("arrays of two devices")
    return found.pop()


def form(array: Any) -> tuple:
    """The shape and dtype that a gradient of this input must have; None for a number."""
    return (array.shape, array.dtype) if hasattr(array, "dtype") else None  # type: ignore[return-value]


def form_out(array: Any) -> tuple:
    """What zeros for an output that got no gradient are made of."""
    return array.shape, array.dtype, library(array)


def share_node(node: Any, views: tuple) -> None:
    """Let one node be the history of several results."""
    kind = library(views[0]._array) if views else None
    node.shapes_out = tuple([(v._array.shape, v._array.dtype, kind) for v in views])
    for i, view in enumerate(views):
        view._edge = Output(node, i)


ENVIRONMENT.update(
    numpy=np, ndarray=np.ndarray, new=new, make=make, Tensor=Tensor, Base=Node, ListBase=ListNode,
    Output=Output,
    off=off, modes=modes, recording=recording, tick=tick, as_array=as_array, fill=fill, freed=freed,
    link_view=link_view, unfollowed=unfollowed, graft=graft,
    RAW=RAW, plus=plus, hush=hush, unhush=unhush, quiet=quiet, repair=repair, library=library,
    heappush=heappush, form=form,
    form_out=form_out, view_list=view_list, share_node=share_node,
)  # fmt: skip
