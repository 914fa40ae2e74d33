"""What gradcheck asks of backward passes: Jacobians, one row a pass, and whether the passes can be
trusted."""

from typing import Any

import numpy as np

from .._core.device import move
from .._core.tensor import Tensor, make
from .api import grad
from .function import BackwardCFunction
from .hooks import call, wrap
from .numerical import host
from .plan import reachable
from .views import edge_of

__all__ = [
    "GradcheckError", "check_dtypes", "check_repeatable", "check_times_grad", "check_undefined",
    "gradients", "jacobians", "seed_of",
]  # fmt: skip


class GradcheckError(RuntimeError):
    """A derivative is not what finite differences, or the rules of a backward, say it should be."""


def seed_of(out: Tensor, values: Any) -> Tensor:
    """A gradient for an output, of numbers that lie on the host."""
    array = np.array(values, out._array.dtype).reshape(out._array.shape)
    return make(move(array, out.device))


def gradients(outs: Any, targets: list[Tensor], seeds: Any) -> list[Any]:
    """The gradients of the targets as arrays, None where the outputs do not depend on them."""
    found = grad(outs, targets, seeds, retain_graph=True, allow_unused=True)
    return [None if g is None else g._array for g in found]


def jacobians(out: Tensor, targets: list[Tensor], part: str) -> list[np.ndarray]:
    """For each target the matrix (its numbers, those of the output): one pass for each number of
    the output. `part` of a complex output: "real" or "imaginary", whose gradient is i."""
    n = out._array.size
    matrices = [np.zeros((t._array.size, n), host(t._array).dtype) for t in targets]
    values = np.zeros(n, out._array.dtype)
    for k in range(n):
        values[k] = 1j if part == "imaginary" else 1
        for matrix, g in zip(matrices, gradients(out, targets, seed_of(out, values)), strict=True):
            if g is not None:
                matrix[:, k] = host(g)
        values[k] = 0
    return matrices


def check_repeatable(first: list[Any], second: list[Any], tolerance: float) -> None:
    """GradcheckError where two passes of one gradient differ by more than `nondet_tol`."""
    for a, b in zip(first, second, strict=True):
        if a is not None and np.size(a) and np.abs(a - b).max() > tolerance:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                f"numerical gradient. The tolerance for nondeterminism was {tolerance}.\n\n"
                "Where that is to be expected, say how far results may differ: nondet_tol=..."
            )


def check_times_grad(outs: list[Tensor], targets: list[Tensor], close: bool) -> None:
    """GradcheckError unless gradients of zero give zeros, of the targets' shape and dtype."""
    zeros = [seed_of(o, np.zeros(o._array.shape)) for o in outs]
    for g, target in zip(gradients(outs, targets, zeros), targets, strict=True):
        if g is None:
            continue
        values = host(g)
        if not (np.allclose(values, 0) if close else (values == 0).all()):
            raise GradcheckError("backward not multiplied by grad_output")
        for what, a, b in (("type", g.dtype, target._array.dtype),
                           ("size", g.shape, target._array.shape)):  # fmt: skip
            if a != b:
                raise GradcheckError(f"grad is incorrect {what}")


# ---- Functions, which may see what no op does: no gradient at all, and dtypes of their own


def _functions(outs: list[Tensor]) -> list[BackwardCFunction]:
    """The nodes of Functions behind the outputs."""
    return [n for n in reachable(map(edge_of, outs)) if isinstance(n, BackwardCFunction)]


def check_undefined(outs: list[Tensor], targets: list[Tensor]) -> None:
    """GradcheckError unless every backward takes outputs without a gradient for outputs with a
    gradient of zero: with none at all, and one after the other."""
    undefined = "Expected backward function to handle undefined output grads."
    passes: list[Any] = []
    try:
        for node in _functions(outs):
            passes += [g for g in call(node.undefined, False, False) if g is not None]
        zeros = [seed_of(o, np.zeros(o._array.shape)) for o in outs]
        for k in range(len(outs) if len(outs) > 1 else 0):
            rest = outs[:k] + outs[k + 1 :]
            passes += [
                g for g in gradients(rest, targets, zeros[:k] + zeros[k + 1 :]) if g is not None
            ]
    except RuntimeError as error:
        raise GradcheckError(f"{undefined} It raised {type(error).__name__}: {error}") from error
    if any((host(g) != 0).any() for g in passes):
        raise GradcheckError(
            "Expected all input grads to be undefined or zero when all output grads are undefined "
            "or zero."
        )


def check_dtypes(outs: list[Tensor]) -> None:
    """GradcheckError for a Function whose backward returns gradients of another dtype than the
    inputs': the engine casts them, and precision may be lost."""
    for node in _functions(outs):
        ones = [None if form is None else _ones(form) for form in node.shapes_out]
        results = call(node.apply, False, *map(wrap, ones))
        results = results if isinstance(results, tuple) else (results,)
        found = [g for g, tensor in zip(results, node._in_tensors, strict=False) if tensor]
        for g, form in zip(found, node._in_forms, strict=False):
            if isinstance(g, Tensor) and g._array.dtype != form[1]:
                raise GradcheckError(
                    f"Gradient has dtype mismatch: {node.name()} returned {g.dtype!r} for an input "
                    f"of {make(np.zeros(0, form[1])).dtype!r}"
                )


def _ones(form: tuple) -> Any:
    shape, dtype, xp = form
    return xp.ones(shape, dtype)
