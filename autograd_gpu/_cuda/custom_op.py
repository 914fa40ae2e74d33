"""Users' operations: a function that launches kernels, a NumPy body, a derivative."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.device import device_of
from .._core.library import LIBRARIES, explained
from .._core.tensor import Tensor, make
from ..autograd.function import Function

__all__ = ["CustomOp", "custom_op"]


class CustomOp:
    """An operation on tensors, made by `custom_op`. Call it with tensors and other values."""

    def __init__(self, launch: Callable[..., Any], cpu: Callable[..., Any] | None) -> None:
        """See `custom_op`."""
        self.name = launch.__name__
        self.__name__, self.__doc__, self.__wrapped__ = self.name, launch.__doc__, launch
        self._launch, self._body = launch, cpu
        parameters = list(inspect.signature(launch).parameters.values())
        if not parameters or any(p.kind is not p.POSITIONAL_OR_KEYWORD for p in parameters):
            raise TypeError(
                f"{self.name}: expected a function of xp (the array library) and of named "
                "parameters, without * or **"
            )
        self.signature = inspect.Signature(parameters[1:])
        self.names = list(self.signature.parameters)
        self._formula: Callable[..., Any] | None = None
        self._formula_names: list[str] = []
        self._function = _function_of(self)

    def __repr__(self) -> str:
        return f"<custom op {self.name}{self.signature}>"

    def cpu(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """Declare what computes on the CPU: a function of NumPy arrays, which it must not write,
        and of the other arguments. Also a decorator."""
        self._body = body
        return body

    def derivative(self, formula: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the derivative; also a decorator.

        `formula` takes tensors, and its parameters' names say which: `grad`, the gradient of the
        result (of several results a tuple); `out`, the result; any argument of the op; `wanted`, a
        tuple that says which tensors need a gradient. It returns the gradients of the op's tensors
        in their order, as a tuple where there are several, with None for what has none. Written in
        ops that have derivatives, it gives derivatives of any order. ValueError for other names.
        """
        names = list(formula.names if isinstance(formula, CustomOp)
                     else inspect.signature(formula).parameters)  # fmt: skip
        unknown = set(names) - {"grad", "out", "wanted", *self.names}
        if unknown:
            raise ValueError(
                f"{self.name}: the derivative asks for {', '.join(sorted(unknown))}; there are "
                f"grad, out, wanted, {', '.join(self.names)}"
            )
        self._formula, self._formula_names = formula, names
        return formula

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The result, with its place in the graph. NotImplementedError on the CPU without a body,
        RuntimeError for tensors on different devices."""
        bound = self.signature.bind(*args, **options)
        bound.apply_defaults()
        return self._function.apply(*bound.arguments.values())

    def compute(self, args: Sequence[Any]) -> Any:
        """The result without a graph: a Tensor, or a tuple."""
        arrays = [a._array for a in args if isinstance(a, Tensor)]
        if not arrays:
            raise TypeError(f"{self.name}: expected a Tensor among the arguments, got none")
        places = dict.fromkeys(str(device_of(a)) for a in arrays)
        if len(places) > 1:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"{' and '.join(places)}! ({self.name})"
            )
        xp = LIBRARIES[arrays[0].__class__]
        result = self._on_cpu(args) if xp is np else self._on_device(xp, args)
        several = isinstance(result, tuple)
        results = [self._checked(xp, r) for r in (result if several else (result,))]
        return tuple(results) if several else results[0]

    def _on_cpu(self, args: Sequence[Any]) -> Any:
        if self._body is None:
            raise NotImplementedError(
                f"{self.name} runs on CUDA only: it has no body for the CPU. Give it one "
                f"(custom_op(cpu=...) or @{self.name}.cpu), or move its tensors to a CUDA device."
            )
        with np.errstate(all="ignore"):
            return self._body(*(_read_only(a) if isinstance(a, Tensor) else a for a in args))

    def _on_device(self, xp: Any, args: Sequence[Any]) -> Any:
        first = next(a._array for a in args if isinstance(a, Tensor))
        try:
            with xp.device(first.device.id):
                return self._launch(xp, *(_contiguous(xp, a) for a in args))
        except Exception as error:
            better = explained(self.name, error)
            if better is None:
                raise
            raise better from error

    def _checked(self, xp: Any, result: Any) -> Tensor:
        if xp is np and isinstance(result, np.generic):
            result = np.asarray(result)
        if result.__class__ is not xp.ndarray:
            raise TypeError(
                f"{self.name}: expected an array of {xp.ndarray.__module__.split('.')[0]} as the "
                f"result, got {type(result).__name__}"
            )
        return make(result)

    def gradients(self, ctx: Any, grads: tuple) -> tuple:
        """What the derivative returns, with None for arguments that are not tensors."""
        if self._formula is None:
            raise RuntimeError(
                f"{self.name} has no derivative: declare one with @{self.name}.derivative"
            )
        saved, values = iter(ctx.saved_tensors), dict(ctx.values)
        values |= {name: next(saved) for name in ctx.kept}
        if "out" in self._formula_names:
            outs = tuple(saved)
            values["out"] = outs if ctx.is_tuple else outs[0]
        values["grad"] = grads if ctx.is_tuple else grads[0]
        tensors = ctx.tensors
        values["wanted"] = tuple(ctx.needs_input_grad[n] for n in tensors)
        found = self._formula(*(values[name] for name in self._formula_names))
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(tensors):
            raise RuntimeError(
                f"{self.name}: the derivative returned {len(found)} gradients for {len(tensors)} "
                "tensors"
            )
        out: list[Any] = [None] * len(ctx.needs_input_grad)
        for place, gradient in zip(tensors, found, strict=True):
            out[place] = gradient
        return tuple(out)


def _contiguous(xp: Any, value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    array = value._array
    return array if array.flags.c_contiguous else xp.ascontiguousarray(array)


def _read_only(tensor: Tensor) -> np.ndarray:
    view = tensor._array.view()
    view.flags.writeable = False
    return view


def _function_of(op: CustomOp) -> Any:
    """The autograd Function of an op; its nodes are called <Name>Backward."""

    def forward(ctx: Any, *args: Any) -> Any:
        out = op.compute(args)
        named = dict(zip(op.names, args, strict=True))
        wanted = [name for name in op._formula_names if name in named]
        ctx.kept = [name for name in wanted if isinstance(named[name], Tensor)]
        ctx.values = {name: named[name] for name in wanted if name not in ctx.kept}
        ctx.is_tuple = isinstance(out, tuple)
        ctx.tensors = [n for n, a in enumerate(args) if isinstance(a, Tensor)]
        outs = (out if ctx.is_tuple else (out,)) if "out" in op._formula_names else ()
        ctx.save_for_backward(*(named[name] for name in ctx.kept), *outs)
        return out

    def backward(ctx: Any, *grads: Any) -> Any:
        return op.gradients(ctx, grads)

    name = "".join(word.capitalize() for word in op.name.split("_"))
    return type(name, (Function,), {
        "forward": staticmethod(forward), "backward": staticmethod(backward),
    })  # fmt: skip


def custom_op(
    launch: Callable[..., Any] | None = None, *, cpu: Callable[..., Any] | None = None
) -> Any:
    """Make an operation on tensors out of a function that launches kernels; a decorator.

        @custom_op(cpu=lambda x: x / (1 + np.exp(-x)))
        def swish(xp, x):
            y = xp.empty_like(x)
            kernel(x, y, x.size, threads=x.size)
            return y

        swish.derivative(lambda grad, x: ...)

    On CUDA the function gets `xp`, the array library (CuPy), then the arguments, with a contiguous
    array for each tensor; it must write into none of them, and returns an array or a tuple of
    arrays. On the CPU `cpu`, a function of NumPy arrays with the same arguments but xp, computes
    the same. Results of integers and booleans have no derivative.
    """
    if launch is None:
        return lambda function: CustomOp(function, cpu)
    return CustomOp(launch, cpu)
