"""The public verbs: `backward` and `grad`."""

import sys
import warnings
from typing import Any

from .._core.device import guard
from .._core.layout import owner
from .._core.tensor import Tensor, as_array, make
from .accumulate import alone, handed
from .edges import GradientEdge
from .engine import run_backward
from .gradients import wanted_dtype
from .node import repair, verbs
from .roots import edges_of_inputs, given_seeds, roots_and_seeds, targets_of

__all__ = ["backward", "grad"]


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Sum of gradients of `tensors` with respect to the leaves, added to their `.grad`.

    Args:
        tensors: a Tensor, a GradientEdge, or a sequence of them; each must require grad.
        grad_tensors: the gradients of some scalar with respect to `tensors`; None stands for 1 and
            is allowed for tensors of one element.
        retain_graph: keep what the graph saved, so that another pass can follow; default:
            `create_graph`.
        create_graph: record the pass, so that the gradients can be differentiated.
        grad_variables: what `grad_tensors` was called once, with a warning.
        inputs: only these (leaves or not, or edges, or a dict of them) get a gradient.

    Raises:
        RuntimeError: no graph, a freed graph, a non-scalar root without gradient, a gradient of the
            wrong shape, empty inputs.
        TypeError: what is no Tensor, or a mapping other than a dict.
    """
    grad_tensors = given_seeds(grad_tensors, grad_variables)
    targets = None if inputs is None else targets_of(inputs, "backward")
    roots, grads = roots_and_seeds(tensors, grad_tensors, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the "
            "parameter and its gradient which can cause a memory leak. We recommend using "
            "autograd.grad when creating the graph to avoid this. If you have to use this "
            "function, make sure to reset the .grad fields of your parameters to None after use "
            "to break the cycle and avoid the leak.",
            UserWarning,
            stacklevel=3,
        )
    if targets is None:
        run_backward(roots, grads, keep, create_graph)
        return
    for target in targets:
        if isinstance(target, Tensor):
            target.retain_grad()
    run_backward(roots, grads, keep, create_graph, edges_of_inputs(targets), True)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of the sum of `outputs` with respect to `inputs`, returned; no `.grad` is
    touched.

    `outputs` and `inputs` are Tensors or GradientEdges, one or several; the result is a tuple, or a
    dict where `inputs` is one. `allow_unused`: None for an
    input that the outputs do not depend on, instead of an error (default: the value of
    `materialize_grads`). `materialize_grads`: zeros in its place. `only_inputs` has no meaning any
    more. The other arguments are as in `backward`.

    Raises:
        RuntimeError: as `backward`; an input that does not require grad or was not used.
        ValueError: materialize_grads with allow_unused=False.
        NotImplementedError: is_grads_batched.
    """
    if is_grads_batched:
        raise NotImplementedError(
            "grad(): is_grads_batched=True is not supported; loop over the leading axis"
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    allow = materialize_grads if allow_unused is None else allow_unused
    targets = targets_of(inputs, "grad")
    roots, seeds = roots_and_seeds(outputs, grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    edges = edges_of_inputs(targets)
    results = run_backward(roots, seeds, keep, create_graph, edges) or []
    taken = [seed._array for seed in seeds] if create_graph else []
    found = []
    for i, (target, edge) in enumerate(zip(targets, edges, strict=True)):
        result, results[i] = results[i], None  # held by nobody else, unless somebody else holds it
        if result is None:
            found.append(_unused(target, i, allow, materialize_grads))
        elif create_graph:
            found.append(_recorded_result(result, _form(target, edge, result), taken))
        else:
            found.append(_result(result, _form(target, edge, result)))
    return dict(zip(inputs, found, strict=True)) if isinstance(inputs, dict) else tuple(found)


def _unused(target: Any, index: int, allow: bool, zeros: bool) -> Tensor | None:
    if not allow:
        raise RuntimeError(
            f"The differentiated Tensor at index {index} appears to not have been used in the "
            "graph. Set allow_unused=True if this is the desired behavior."
        )
    if not zeros:
        return None
    if isinstance(target, GradientEdge):
        raise RuntimeError(
            "materialize_grads cannot be used when the given input is a GradientEdge"
        )
    return make(_zeros_like(target._array))


def _form(target: Any, edge: Any, result: Any) -> tuple:
    """Shape and dtype of the gradient of `target`: those of its result where nothing is known."""
    given = result._array if isinstance(result, Tensor) else result
    if isinstance(target, Tensor):
        if not hasattr(edge, "hooks"):
            return target._array.shape, target._array.dtype
        kind = target.dtype if edge.seq else wanted_dtype(target)
        return target._array.shape, given.dtype if kind is None else kind.numpy
    if target.form is not None and edge.seq:
        return tuple(target.form[0]), target.form[1].numpy
    return given.shape, given.dtype


def _result(result: Any, form: tuple) -> Tensor:
    """What the caller gets: in memory of its own, not the seed's, another result's or that of what
    a hook or a Function kept. The caller holds `result` in one variable.
    """
    array = repair(result, form)
    if (
        array.base is not None
        or sys.getrefcount(array) > (handed + 1 if array is result else alone)
        or not array.flags.c_contiguous
    ):
        with guard(array):
            array = as_array(array).copy("C")
    return make(as_array(array))


def _recorded_result(result: Tensor, form: tuple, taken: list[Any]) -> Tensor:
    """The same of a recorded pass: a clone where its memory is that of a seed, a leaf or another
    result (`taken`).
    """
    result = repair(result, form)
    edge, memory = result._edge, owner(result._array)
    if edge is not None and not edge.seq or any(memory is owner(array) for array in taken):
        result = verbs["clone"](result)
    taken.append(result._array)
    return result


def _zeros_like(array: Any) -> Any:
    with guard(array):
        out = array.copy("C")
        out[...] = 0
    return out
