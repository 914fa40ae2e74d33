"""What is done to gradients on their way: added, filled in, and given the shape and dtype of what
they are gradients of.
"""

from typing import Any

import numpy as np

from .._core.library import KERNELS
from .._core.tensor import Tensor, make

__all__ = ["UNDEFINED", "fill", "freed", "plus", "refuse_sizes", "repair", "sum_to", "verbs"]

# `sum`, `reshape`, `to` and `real`; the table of ops binds them, so that this floor imports nothing
# above it.
verbs: dict[str, Any] = {}

_SUM_TO = KERNELS.setdefault("sum_to", {})


class _NoGradient:
    """What waits at a leaf with hooks for which a Function gave None; the first gradient takes its
    place."""

    def __add__(self, other: Any) -> Any:
        return other


UNDEFINED = _NoGradient()


def plus(first: Any, second: Any) -> Any:
    """The sum of two gradients: on CUDA through the op, which has a kernel of its own."""
    if first.__class__ is np.ndarray or isinstance(first, Tensor) or isinstance(second, Tensor):
        return first + second
    if first is UNDEFINED:
        return second
    return verbs["add"](first, second)


def fill(grads: list, forms: tuple, recorded: bool = False) -> list:
    """Outputs that received no gradient count as zero. `forms`: (shape, dtype, library) an
    output.
    """

    def zeros(form: tuple) -> Any:
        array = form[2].zeros(form[0], form[1])
        return make(array) if recorded else array

    return [zeros(form) if g is None else g for g, form in zip(grads, forms, strict=True)]


def repair(grad: Any, form: tuple) -> Any:
    """A gradient in its input's shape and dtype: sums what was broadcast, casts, and drops an
    imaginary part.
    """
    shape, dtype = form
    tensor = grad.__class__ is Tensor or isinstance(grad, Tensor)
    array = grad._array if tensor else grad
    if array.shape != shape:
        run = None if tensor else _SUM_TO.get(array.__class__)
        if run is not None:  # on CUDA one kernel sums and casts
            summed = run(array, shape, dtype)
            if summed is not NotImplemented:
                return summed
        grad = sum_to(grad, shape)
        array = grad._array if tensor else grad
    if array.dtype is not dtype:
        if array.dtype.kind == "c" and dtype.kind != "c":
            grad = verbs["real"](grad)
        grad = verbs["to"](grad, dtype) if tensor else grad.astype(dtype)
    return grad


def sum_to(grad: Any, size: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum over what was added or stretched. Arrays and Tensors alike."""
    shape = grad._array.shape if isinstance(grad, Tensor) else grad.shape
    lead = len(shape) - len(size)
    dims = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(size) if n == 1 and shape[i + lead] != 1
    )
    out = verbs["sum"](grad, dims, True)
    return verbs["reshape"](out, size) if lead else out


def refuse_sizes(shape: tuple[int, ...], of_grad: tuple[int, ...]) -> None:
    """RuntimeError where a gradient of one shape cannot have come of an input of another."""
    for back, n in enumerate(reversed(shape), 1):
        other = of_grad[-back] if back <= len(of_grad) else 1
        if n not in (1, other):
            raise RuntimeError(
                f"The size of tensor a ({n}) must match the size of tensor b ({other}) at "
                f"non-singleton dimension {len(shape) - back}: a gradient has arrived for a tensor "
                "whose shape has changed since"
            )


def freed() -> RuntimeError:
    """The error of a second pass through a graph whose saved values are gone."""
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors "
        "after they have already been freed). Saved intermediate values of the graph are freed "
        "when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
        "backward through the graph a second time or if you need to access saved tensors after "
        "calling backward."
    )
