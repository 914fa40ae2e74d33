"""Derivatives of whole functions: Jacobians, Hessians, and their products with vectors."""

from collections.abc import Callable
from typing import Any

from .._core.device import guard
from .._core.tensor import Tensor
from .calculus import (
    OF_OUTPUT,
    alone,
    demand,
    demand_some,
    filled,
    given_back,
    gradients,
    outputs_of,
    points_of,
    scalar_of,
    tensors,
    vector_of,
    zeros,
)
from .grad_mode import enable_grad
from .node import verbs

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_INPUT_IS = "the input of the function is"
_OF_JACOBIAN = "The jacobian of the function is independent of input {}"
_OF_HESSIAN = "The hessian of the function is independent of input {}"
_OF_SEED = (
    "The gradient with respect to the input is independent of entry {} in the grad_outputs, whose "
    "coefficients the double backward trick reads"
)
_OF_SECOND_SEED = (
    "The hessian of the function is independent of entry {} in the grad_jacobian, whose "
    "coefficients the double backward trick reads"
)
_CONSTANT_GRADIENT = "The gradient with respect to input {} is independent of the inputs"
_CONSTANT_JACOBIAN = (
    "The jacobian of the function with respect to input {} is independent of the input"
)


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(*inputs), v J)`, with J_ij = d output_i / d input_j; one backward pass.

    Args:
        func: takes the Tensors of `inputs`; returns a Tensor or a tuple of Tensors.
        inputs: a Tensor or a tuple of Tensors. They are not changed: `func` gets other Tensors on
            the same memory.
        v: a Tensor or a tuple of Tensors, of the outputs' shapes. None stands for 1 where `func`
            returns one Tensor of one element.
        create_graph: record, so that both results can be differentiated, also with respect to
            those of `inputs` and `v` that require grad. Otherwise the results have no graph.
        strict: an error instead of zeros for an input that the outputs do not depend on; with
            `create_graph`, also for a derivative that is constant.

    Returns:
        The outputs as `func` gave them, and v J with the nesting, shapes and dtypes of `inputs`.

    Raises:
        TypeError: `inputs`, `v` or the outputs are something else.
        RuntimeError: `v` is missing, or its number or shapes are wrong; what `strict` forbids.
        IndexError: `func` returns an empty tuple.
    """
    with enable_grad():
        points, many = points_of(inputs, create_graph, "vjp")
        outputs, several = outputs_of(func, points, strict, "vjp")
        whose = "the function returns"
        vector = vector_of(v, outputs, several, create_graph, "vjp", whose)
        found = gradients(outputs, points, vector, create_graph)
        product = filled(found, points, strict, create_graph, "vjp", OF_OUTPUT, _OF_JACOBIAN)
        return given_back(outputs, several, create_graph), given_back(product, many, create_graph)


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(*inputs), J v)`, with J_ij = d output_i / d input_j; two backward passes.

    The pass backward gives u J for any u, and is linear in u: its own derivative with respect to u,
    weighted by v, is J v (J. Townsend, "A new trick for calculating Jacobian vector products",
    2017). All that `func` does must have a second derivative therefore.

    `v` has the shapes of `inputs`; None stands for 1 where the input is one Tensor of one element.
    The other arguments, and the errors, are as in `vjp`.

    Returns:
        The outputs as `func` gave them, and J v with the nesting, shapes and dtypes of the outputs.

    Raises:
        RuntimeError: also where an output cannot have a gradient, as integers.
    """
    with enable_grad():
        points, many = points_of(inputs, create_graph, "jvp")
        vector = vector_of(v, points, many, create_graph, "jvp", _INPUT_IS)
        outputs, several = outputs_of(func, points, strict, "jvp")
        seeds = zeros(outputs)
        firsts = gradients(outputs, points, seeds, True)
        demand(firsts, strict, "jvp", _CONSTANT_GRADIENT)
        found = gradients(firsts, seeds, vector, create_graph)
        product = filled(found, outputs, strict, create_graph, "jvp", _OF_SEED, _OF_JACOBIAN)
        outputs = given_back(outputs, several, create_graph)
        return outputs, given_back(product, several, create_graph)


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(*inputs), v H)`, with H_ij = d2 output / d input_i d input_j; two backward passes
    (B. Pearlmutter, "Fast exact multiplication by the Hessian", 1994), and no H.

    `func` returns one Tensor of one element. `v` has the shapes of `inputs`; None stands for 1
    where the input is one Tensor of one element. The other arguments, and the errors, are as in
    `vjp`.

    Returns:
        The output, and v H with the nesting, shapes and dtypes of `inputs`.

    Raises:
        RuntimeError: also where `func` returns a tuple, or more than one element.
    """
    with enable_grad():
        points, many, vector, output, firsts = _first(func, inputs, v, create_graph, strict, "vhp")
        found = gradients(firsts, points, vector, create_graph)
        product = filled(found, points, strict, create_graph, "vhp", _OF_JACOBIAN, _OF_HESSIAN)
        outputs = given_back((output,), False, create_graph)
        return outputs, given_back(product, many, create_graph)


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(*inputs), H v)`, with H_ij = d2 output / d input_i d input_j; three backward passes.

    H is symmetric where the second derivatives are continuous; there `vhp` gives the same, sooner.
    The arguments, the errors and the shapes are those of `vhp`; all that `func` does must have a
    third derivative.
    """
    with enable_grad():
        points, many, vector, output, firsts = _first(func, inputs, v, create_graph, strict, "hvp")
        seeds = zeros(points)
        seconds = gradients(firsts, points, seeds, True)
        found = gradients(seconds, seeds, vector, create_graph)
        product = filled(found, points, strict, create_graph, "hvp", _OF_SECOND_SEED, _OF_HESSIAN)
        outputs = given_back((output,), False, create_graph)
        return outputs, given_back(product, many, create_graph)


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """J_ij = d output_i / d input_j: a backward pass for each element of the outputs.

    Args:
        func: takes the Tensors of `inputs`; returns a Tensor or a tuple of Tensors.
        inputs: a Tensor or a tuple of Tensors. They are not changed.
        create_graph: record, so that the result can be differentiated. Otherwise it has no graph.
        strict: an error instead of zeros for an input that an output does not depend on; with
            `create_graph`, also for a derivative that is constant.
        vectorize: loops over the elements all the same, so it is not faster. Complex outputs,
            where each row is the gradient that a 1 in that place gives, and outputs without
            elements are taken with it only.
        strategy: "reverse-mode"; there is no forward mode.

    Returns:
        A Tensor of the output's shape followed by the input's, in the input's dtype. A tuple of
        these where `func` returns a tuple or `inputs` is one; where both are, `J[i][j]` is that of
        output i and input j.

    Raises:
        TypeError: `inputs` or the outputs are something else.
        RuntimeError: what `strict` forbids, and `strict` with `vectorize`; without `vectorize`, a
            complex or an empty output.
        IndexError: `inputs` or what `func` returns is an empty tuple.
        NotImplementedError: strategy="forward-mode".
        AssertionError: any other strategy.
    """
    _check_strategy(strategy, "jacobian: strategy")
    if strict and vectorize:
        raise RuntimeError(
            "jacobian: `strict=True` and `vectorize=True` are not supported together; leave one out"
        )
    with enable_grad():
        points, many = points_of(inputs, create_graph, "jacobian")
        outputs, several = outputs_of(func, points, strict, "jacobian")
        demand_some(outputs)
        rows = tuple(
            _jacobian_of(out, i, points, create_graph, strict, vectorize)
            for i, out in enumerate(outputs)
        )
        return alone(tuple(given_back(row, many, create_graph) for row in rows), several)


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """H_ij = d2 output / d input_i d input_j: a backward pass for each element of the inputs.

    `func` returns one Tensor of one element. `vectorize` loops all the same, as in `jacobian`,
    whose arguments and errors these are; `outer_jacobian_strategy` is its `strategy`, for the
    second derivative.

    Returns:
        A Tensor of the input's shape twice; for a tuple, a tuple of tuples, where `H[i][j]` has the
        shape of input i followed by that of input j.

    Raises:
        RuntimeError: also where `func` returns a tuple, or more than one element.
    """
    given, many = tensors(inputs, "inputs", "hessian")
    _check_strategy(outer_jacobian_strategy, "hessian: outer_jacobian_strategy")

    def scalar(*point: Tensor) -> Tensor:
        return scalar_of(func, point, strict, "hessian").squeeze()

    def gradient(*point: Tensor) -> tuple[Tensor, ...]:
        first = jacobian(scalar, point, create_graph=True)
        demand(first, strict, "hessian", _CONSTANT_JACOBIAN)
        return first

    rows = jacobian(gradient, given, create_graph, strict, vectorize)
    return alone(tuple(alone(row, many) for row in rows), many)


def _jacobian_of(
    out: Tensor, index: int, points: tuple, recorded: bool, strict: bool, vectorize: bool
) -> tuple[Tensor, ...]:
    """The Jacobians of one output, one for each input."""
    count = out.numel()
    if not vectorize:
        _check_output(out, index)
    elif not count:
        return tuple(p.new_zeros(out.shape + p.shape) for p in points)
    missing = f"Output {index} of the function is independent of input {{}}"
    rows = []
    for j in range(count):
        seed = out.new_zeros(out.shape)
        with guard(seed._array):
            seed._array.reshape(-1)[j] = 1
        found = gradients((out,), points, (seed,), recorded, True)
        rows.append(filled(found, points, strict, recorded, "jacobian", missing, _OF_JACOBIAN))
    return tuple(
        verbs["stack"](column).view(out.shape + p.shape)
        for column, p in zip(zip(*rows, strict=True), points, strict=True)
    )


def _check_output(out: Tensor, index: int) -> None:
    if not out.numel():
        raise RuntimeError(
            f"jacobian: stack expects a non-empty TensorList, but output {index} of the function "
            f"has no elements (shape {tuple(out.shape)}); vectorize=True takes it"
        )
    if out.requires_grad and out.is_complex():
        raise RuntimeError(
            "jacobian: grad can be implicitly created only for real scalar outputs but got "
            f"{out.dtype!r} for output {index} of the function; vectorize=True takes it"
        )


def _check_strategy(strategy: Any, name: str) -> None:
    if strategy == "forward-mode":
        raise NotImplementedError(
            f'{name}="forward-mode" is not supported: there is no forward mode; use "reverse-mode"'
        )
    if strategy != "reverse-mode":
        raise AssertionError(
            f'{name}: Expected strategy to be either "forward-mode" or "reverse-mode", got '
            f"{strategy!r}"
        )


def _first(
    func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool, verb: str
) -> tuple[tuple[Tensor, ...], bool, Any, Tensor, tuple[Tensor | None, ...]]:
    """What both Hessian products begin with: points, were they a tuple?, v, output, gradients."""
    points, many = points_of(inputs, create_graph, verb)
    vector = vector_of(v, points, many, create_graph, verb, _INPUT_IS)
    output = scalar_of(func, points, strict, verb)
    firsts = gradients((output,), points, None, True)
    demand(firsts, strict, verb, _CONSTANT_JACOBIAN)
    return points, many, vector, output, firsts
