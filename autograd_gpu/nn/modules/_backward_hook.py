"""Backward hooks of modules: identity nodes before and after the forward, with hooks on them."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..._core.tensor import Tensor
from ...autograd.function import Function
from ...autograd.grad_mode import is_grad_enabled

Grads = tuple[Any, ...]


class BackwardHookFunction(Function):
    """The identity on several tensors: one node that all their gradients pass together."""

    @staticmethod
    def forward(ctx: Any, *args: Tensor) -> tuple[Tensor, ...]:
        return args

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        return grads


class BackwardHook:
    """The full backward hooks of one call of a module.

    The arguments pass one identity node, the outputs another. When the gradients reach the
    output's node, the pre-hooks run; when they leave the input's node, the hooks run with both.
    Where no input needs a gradient there is no input node: then the hooks run at the output's.
    """

    def __init__(
        self, module: Any, hooks: Sequence[Callable[..., Any]], pre: Sequence[Callable[..., Any]]
    ) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre
        self.grad_outputs: Grads | None = None
        self.inputs: list[int] | None = None
        self.outputs: list[int] = []
        self.input_count = self.output_count = 0
        self.blanks: list[Callable[[], Any]] = []

    def setup_input_hook(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pass the tensors among the arguments through an identity whose node calls the hooks."""
        self.blanks = [blank(arg) for arg in args]
        self.input_count = len(args)
        args, self.inputs = pass_identity(args, self._on_input_node)
        return args

    def setup_output_hook(self, result: Any) -> Any:
        """Pass the tensors among the outputs through an identity whose node starts the hooks."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(result)}",
                stacklevel=5,
            )
            return result
        single = isinstance(result, Tensor)
        given: Any = (result,) if single else result
        outputs, indices = pass_identity(given, self._on_output_node)
        self.outputs, self.output_count = indices or [], len(outputs)
        return outputs[0] if single else outputs

    def _on_output_node(self, node: Any) -> None:
        node.register_hook(self._outputs_ready)

    def _on_input_node(self, node: Any) -> None:
        node.register_hook(self._inputs_ready)

    def _outputs_ready(self, _: Grads, grads: Grads) -> Grads:
        given = spread(grads, self.outputs, self.output_count)
        for hook in self.pre_hooks:
            changed = hook(self.module, given)
            if changed is not None:
                given = as_grads(changed, given, "Backward pre hook", "grad_output")
        self.grad_outputs = given
        if self.inputs is None:
            self._warn_no_input()
            nothing = (None,) * self.input_count
            for hook in self.hooks:
                changed = hook(self.module, nothing, given)
                if changed is not None and not (
                    isinstance(changed, tuple) and all(g is None for g in changed)
                ):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should "
                        "always return None or None for all gradients."
                    )
            self.grad_outputs = None
        # Also without pre-hooks: an output without a gradient stays so; the identity gave zeros.
        return tuple(given[i] for i in self.outputs)

    def _inputs_ready(self, grads: Grads, _: Grads) -> Grads | None:
        if self.grad_outputs is None or self.inputs is None:
            return None                     # a pass that did not come through the outputs
        known = spread(grads, self.inputs, self.input_count)
        # As in PyTorch, hooks see zeros for a tensor that got no gradient.
        given = tuple(b() if g is None else g for g, b in zip(known, self.blanks, strict=True))
        for hook in self.hooks:
            changed = hook(self.module, given, self.grad_outputs)
            if changed is not None:
                given = as_grads(changed, given, "Backward hook", "grad_input")
        self.grad_outputs = None
        return tuple(given[i] for i in self.inputs)

    def _warn_no_input(self) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients.",
            stacklevel=2,
        )


def pass_identity(
    values: tuple[Any, ...], on_node: Callable[[Any], None]
) -> tuple[tuple[Any, ...], list[int] | None]:
    """Pass the tensors that need a gradient through one identity node.

    Returns the values, and where those tensors are among them, or None if there are none.
    """
    indices = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not is_grad_enabled() or not indices:
        return values, None
    passed = BackwardHookFunction.apply(*[values[i] for i in indices])
    on_node(passed[0].grad_fn)
    result = list(values)
    for i, tensor in zip(indices, passed, strict=True):
        result[i] = tensor
    return rebuild(values, result), indices


def rebuild(values: tuple[Any, ...], items: list[Any]) -> tuple[Any, ...]:
    """A tuple of the same kind: a named tuple stays one."""
    return type(values)(*items) if hasattr(values, "_fields") else tuple(items)


def spread(grads: Grads, indices: list[int], count: int) -> Grads:
    """Gradients of the tensors among `count` values, None in the places of the others."""
    full: list[Any] = [None] * count
    for i, grad in zip(indices, grads, strict=True):
        full[i] = grad
    return tuple(full)


def blank(value: Any) -> Callable[[], Any]:
    """What makes the gradient that a value gets if none comes: zeros for a tensor, else None."""
    if not isinstance(value, Tensor):
        return lambda: None
    shape, dtype, device = value.shape, value.dtype, value.device

    def zeros() -> Any:
        from ... import zeros

        return zeros(shape, dtype=dtype, device=device)

    return zeros


def as_grads(changed: Any, before: Grads, hook: str, name: str) -> Grads:
    """What a hook returned, as a tuple of the right length. RuntimeError for another length or a
    bare Tensor, TypeError for what has no length."""
    if isinstance(changed, Tensor):
        raise RuntimeError(
            f"{hook} returned an invalid number of {name}: a single Tensor, but expected a tuple "
            f"of {len(before)}"
        )
    if not isinstance(changed, (tuple, list)):
        raise TypeError(
            f"{hook} returned {name} of type {type(changed).__name__}, but expected a tuple"
        )
    if len(changed) != len(before):
        raise RuntimeError(
            f"{hook} returned an invalid number of {name}, got {len(changed)}, but expected "
            f"{len(before)}"
        )
    return tuple(changed)


def first_node(result: Any) -> Any:
    """The node that made the first tensor in a module's result (tensor, sequence or dict)."""
    if isinstance(result, dict):
        result = next((value for value in result.values() if isinstance(value, Tensor)), None)
    while isinstance(result, (tuple, list)) and result:
        result = result[0]
    return result.grad_fn if isinstance(result, Tensor) else None


def what_is_missed(node: Any, args: Any, result: Any) -> str | None:
    """Why a hook on the last node does not see all gradients of a module; None where it does."""
    gone = "is deprecated and will be removed in future versions. This hook will be missing some"
    results = (result,) if isinstance(result, Tensor) else result
    for values, what, name in (
        (results, "return", "grad_output"), (args, "take as input", "grad_input"),
    ):
        if not isinstance(values, tuple) or not all(isinstance(v, Tensor) for v in values):
            return (
                f"non-full backward hooks on a Module that does not {what} a single Tensor or a "
                f"tuple of Tensors {gone} of the {name}"
            )
    made = {r.grad_fn for r in results} - {None}
    if len(made) > 1:
        return (
            "a non-full backward hook when outputs are generated by different autograd Nodes "
            f"{gone} grad_output"
        )
    if {a.grad_fn for a in args} - {None} != {n for n, _ in node.next_functions}:
        return (
            "a non-full backward hook when the forward contains multiple autograd Nodes "
            f"{gone} grad_input"
        )
    return None
