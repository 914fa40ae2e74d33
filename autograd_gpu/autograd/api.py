"""The public verbs: `backward` and `grad`, their checks and their errors."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.device import guard, library
from .._core.dtype import of
from .._core.tensor import Tensor, as_array, make
from .engine import accumulate, own, run_backward
from .node import AccumulateGrad, repair
from .views import edge_of

__all__ = ["backward", "grad"]


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Sum of gradients of `tensors` with respect to the leaves, added to their `.grad`.

    Args:
        tensors: a Tensor or a sequence of them; each must require grad.
        grad_tensors: the gradients of some scalar with respect to `tensors`; None stands for 1 and
            is allowed for tensors of one element.
        retain_graph: keep what the graph saved, so that another pass can follow; default:
            `create_graph`.
        create_graph: record the pass, so that the gradients can be differentiated.
        inputs: only these (leaves or not) get a gradient.

    Raises:
        RuntimeError: no graph, a freed graph, a non-scalar root without gradient, a gradient of the
            wrong shape.
    """
    roots, grads = _roots(tensors, grad_tensors, create_graph)
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
    if inputs is None:
        run_backward(roots, grads, keep, create_graph)
        return
    targets = _tuple(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    edges = [_input_edge(t) for t in targets]
    results = run_backward(roots, grads, keep, create_graph, edges)
    done: set = set()
    for target, edge, result in zip(targets, edges, results or (), strict=True):
        if result is not None and edge not in done:
            done.add(edge)
            _store(target, edge, result, create_graph)


def _store(target: Tensor, edge: Any, result: Any, recorded: bool) -> None:
    if isinstance(edge, AccumulateGrad):
        accumulate(edge, result if recorded else own(as_array(result)), recorded)
        edge.accumulated(result)
    else:
        held = getattr(target, "_grad", None)
        fresh = result if recorded else make(as_array(result).copy())
        target._grad = fresh if held is None else held + fresh


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    is_grads_batched: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`, returned; no `.grad` is
    touched.

    `allow_unused`: None for an input that the outputs do not depend on, instead of an error
    (default: the value of `materialize_grads`). `materialize_grads`: zeros in its place. The other
    arguments are as in `backward`.

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
            "False."
        )
    allow = materialize_grads if allow_unused is None else allow_unused
    targets = _tuple(inputs)
    roots, seeds = _roots(outputs, grad_outputs, create_graph)
    if not targets:
        raise RuntimeError("grad(): `inputs` cannot be empty.")
    keep = create_graph if retain_graph is None else retain_graph
    results = run_backward(roots, seeds, keep, create_graph, [_input_edge(t) for t in targets])
    taken = {id(seed) for seed in seeds}
    return tuple(
        (
            _unused(t, i, allow, materialize_grads)
            if r is None
            else _result(r, t, create_graph, taken)
        )
        for i, (r, t) in enumerate(zip(results or (), targets, strict=True))
    )


def _unused(target: Tensor, index: int, allow: bool, zeros: bool) -> Tensor | None:
    if not allow:
        raise RuntimeError(
            f"One of the differentiated Tensors (input {index}) appears to not have been used in "
            "the graph. Set allow_unused=True if this is the desired behavior."
        )
    return make(_zeros_like(target._array)) if zeros else None


def _result(result: Any, target: Tensor, recorded: bool, taken: set[int]) -> Tensor:
    """What the caller gets: in memory of its own, not the seed's, nor another result's (`taken`:
    ids of arrays).
    """
    form = target._array.shape, target._array.dtype
    if recorded:
        return repair(result, form)
    array = as_array(repair(result, form))
    if array.base is not None or id(array) in taken or not array.flags.c_contiguous:
        with guard(array):
            array = array.copy("C")
    taken.add(id(array))
    return make(array)


def _zeros_like(array: Any) -> Any:
    with guard(array):
        out = array.copy("C")
        out[...] = 0
    return out


def _tuple(value: Any) -> tuple[Any, ...]:
    return (
        (value,)
        if isinstance(value, Tensor)
        or not isinstance(value, Sequence)
        and not hasattr(value, "__iter__")
        else tuple(value)
    )


def _input_edge(t: Any) -> Any:
    if not isinstance(t, Tensor):
        raise TypeError(f"inputs must be Tensors, got {type(t).__name__}")
    edge = edge_of(t)
    if edge is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def _roots(tensors: Any, grads: Any, recorded: bool) -> tuple[list, list]:
    """The edges that a pass begins with, and the gradients for them."""
    outputs = _tuple(tensors)
    given = (None,) * len(outputs) if grads is None else _tuple(grads)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    if not outputs:
        raise RuntimeError("grad requires non-empty outputs.")
    roots, seeds = [], []
    for i, (out, gradient) in enumerate(zip(outputs, given, strict=True)):
        if not isinstance(out, Tensor):
            raise TypeError(f"element {i} of tensors must be a Tensor, not {type(out).__name__}")
        edge = edge_of(out)
        if gradient is None and edge is not None:
            gradient = _implicit(out)
        elif gradient is not None:
            _check_seed(out, gradient, i)
        if edge is None:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn"
            )
        roots.append(edge)
        seed = gradient if recorded else gradient._array
        seeds.append(repair(seed, (out._array.shape, out._array.dtype)))
    return roots, seeds


def _implicit(out: Tensor) -> Tensor:
    array = out._array
    if array.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if array.dtype.kind == "c":
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got "
            f"{of(array.dtype)!r}"
        )
    if array.__class__ is np.ndarray:
        ones = array.copy()
        ones[...] = 1
        return make(ones)
    with guard(array):
        return make(library(array).ones(array.shape, array.dtype))


def _check_seed(out: Tensor, gradient: Any, index: int) -> None:
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._array.shape != out._array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {gradient.shape!r} and "
            f"output[{index}] has a shape of {out.shape!r}."
        )
    if (gradient._array.dtype.kind == "c") != (out._array.dtype.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{index}] has a dtype of {gradient.dtype!r} and "
            f"output[{index}] has a dtype of {out.dtype!r}."
        )
