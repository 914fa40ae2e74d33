"""The steps that the derivatives of functions share: inputs and outputs as tuples, the vector of a
product, zeros where nothing depends, and what strict mode forbids.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .._core.tensor import Tensor
from .api import grad

__all__ = [
    "OF_OUTPUT", "alone", "demand", "demand_some", "filled", "given_back", "gradients",
    "outputs_of", "points_of", "scalar_of", "tensors", "vector_of", "zeros",
]  # fmt: skip

OF_OUTPUT = "The output of the function is independent of input {}"
_NO_GRADIENT = "Output {} of the function does not require gradients"


def tensors(value: Any, name: str, verb: str) -> tuple[tuple[Tensor, ...], bool]:
    """As a tuple, and whether it was one. No other sequence is taken."""
    many = isinstance(value, tuple)
    values = value if many else (value,)
    for i, each in enumerate(values):
        if not isinstance(each, Tensor):
            where = f"the value at index {i}" if many else f"the given {name}"
            raise TypeError(
                f"{verb}: {name} must be either a Tensor or a tuple of Tensors but {where} has "
                f"type {type(each).__name__}"
            )
    return values, many


def points_of(inputs: Any, create_graph: bool, verb: str) -> tuple[tuple[Tensor, ...], bool]:
    """The inputs as other Tensors that require grad. New ones always: what `func` itself knows of
    the inputs, as a closure, counts as constant.
    """
    given, many = tensors(inputs, "inputs", verb)
    return tuple(
        t.view_as(t) if create_graph and t.requires_grad else t.detach().requires_grad_()
        for t in given
    ), many


def outputs_of(
    func: Callable, points: tuple, strict: bool, verb: str
) -> tuple[tuple[Tensor, ...], bool]:
    """What `func` returns, as a tuple, and whether it was one."""
    outputs, several = tensors(func(*points), "outputs of the function", verb)
    demand(outputs, strict, verb, _NO_GRADIENT)
    return outputs, several


def scalar_of(func: Callable, points: tuple, strict: bool, verb: str) -> Tensor:
    """What `func` returns, which must be one Tensor of one element."""
    outputs, several = outputs_of(func, points, strict, verb)
    if several:
        raise RuntimeError(
            f"{verb}: the function given should return a single Tensor, but returned a tuple of "
            f"{len(outputs)}"
        )
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"{verb}: the Tensor returned by the function should contain a single element, but has "
            f"shape {tuple(outputs[0].shape)}"
        )
    return outputs[0]


def vector_of(
    v: Any, like: tuple[Tensor, ...], many: bool, create_graph: bool, verb: str, whose: str
) -> tuple[Tensor, ...] | None:
    """The vector of a product, checked against what it is multiplied with."""
    if v is None:
        if len(like) == 1 and like[0].numel() == 1:
            return None
        raise RuntimeError(
            f"{verb}: The vector v can only be None if {whose} a single Tensor with a single "
            f"element, but the shapes are {[tuple(t.shape) for t in like]}"
        )
    given, _ = tensors(v, "v", verb)
    if len(given) != len(like):
        raise RuntimeError(
            f"{verb}: v is a tuple of invalid length: should be {len(like)} but got {len(given)}"
            if many
            else f"{verb}: The given v should contain a single Tensor, but has {len(given)}"
        )
    for i, (each, other) in enumerate(zip(given, like, strict=True)):
        if each.shape != other.shape:
            raise RuntimeError(
                f"{verb}: {f'Entry {i} in ' if many else ''}v has invalid size: should be "
                f"{other.shape!r} but got {each.shape!r}"
            )
    return tuple(t.view_as(t) if create_graph and t.requires_grad else t.detach() for t in given)


def zeros(like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Leaves to differentiate a linear function by: their values do not matter, if finite."""
    return tuple(t.new_zeros(t.shape).requires_grad_() for t in like)


def gradients(
    outputs: Sequence[Tensor | None],
    inputs: tuple[Tensor, ...],
    seeds: Sequence[Tensor] | None,
    create_graph: bool,
    retain_graph: bool | None = None,
) -> tuple[Tensor | None, ...]:
    """`grad`, passing over outputs that are None or require no gradient."""
    given = (None,) * len(outputs) if seeds is None else seeds
    pairs = [
        (out, seed)
        for out, seed in zip(outputs, given, strict=True)
        if out is not None and out.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    roots, weights = zip(*pairs, strict=True)
    return grad(roots, inputs, weights, retain_graph, create_graph, allow_unused=True)


def filled(
    found: tuple[Tensor | None, ...], like: Sequence[Tensor], strict: bool, recorded: bool,
    verb: str, missing: str, constant: str,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Zeros for what is None; what `strict` forbids is said with `missing` and `constant`."""
    for i, each in enumerate(found if strict else ()):
        if each is None:
            raise _forbidden(verb, missing.format(i))
        if recorded and not each.requires_grad:
            raise _forbidden(verb, constant.format(i), " when create_graph=True")
    return tuple(
        t.new_zeros(t.shape) if each is None else each for each, t in zip(found, like, strict=True)
    )


def demand(found: Sequence[Tensor | None], strict: bool, verb: str, constant: str) -> None:
    """In strict mode all of these are there, and can be differentiated."""
    for i, each in enumerate(found if strict else ()):
        if each is None or not each.requires_grad:
            raise _forbidden(verb, (OF_OUTPUT if each is None else constant).format(i))


def _forbidden(verb: str, what: str, when: str = "") -> RuntimeError:
    return RuntimeError(f"{verb}: {what}. This is not allowed in strict mode{when}.")


def given_back(values: tuple[Tensor, ...], many: bool, create_graph: bool) -> Any:
    """What the caller gets: a tuple where it gave one, without a graph unless it asked for it."""
    demand_some(values)
    return alone(values if create_graph else tuple(t.detach() for t in values), many)


def demand_some(values: tuple) -> None:
    """IndexError for an empty tuple, of inputs or of outputs."""
    if not values:
        raise IndexError("tuple index out of range: there is no Tensor to derive, or to derive by")


def alone(values: tuple, many: bool) -> Any:
    """The tuple, or what is alone in it."""
    return values if many else values[0]
