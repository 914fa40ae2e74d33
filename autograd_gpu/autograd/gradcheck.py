"""gradcheck and gradgradcheck: derivatives against finite differences."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._core.device import move
from .._core.layout import overlaps
from .._core.tensor import Tensor, make
from .analytical import (
    GradcheckError,
    check_dtypes,
    check_repeatable,
    check_times_grad,
    check_undefined,
    jacobians,
)
from .api import grad
from .attributes import requires_grad_
from .layouts import check_layouts
from .numerical import as_tuple, floating, jacobian, of_part
from .projections import Projections, explained
from .views import edge_of

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
    check_grad_layouts: bool = True,
) -> bool:
    """Are the gradients of `func(*inputs)` those of central differences, (f(x + eps) - f(x - eps))
    / 2 eps?

    Checked by each input that requires grad, which should be float64 or complex128 (others warn)
    and must not overlap in memory; of a complex output, the real and the imaginary part, each as a
    function of its own, by PyTorch's convention dL/dRe + i dL/dIm. Results that are no Tensors, or
    of integers, are left out.

    Besides: two equal passes must not differ by more than `nondet_tol`; a gradient of zero must
    give zeros, and so must none at all (`check_undefined_grad`); a Function must return gradients
    of its inputs' dtypes (`check_grad_dtypes`); and the gradients must not depend on how the given
    one lies in memory: strided, expanded or reversed (`check_grad_layouts`; PyTorch has no such
    check).

    `fast_mode`: compare a random projection of each Jacobian instead of all its numbers.
    `masked`: a gradient of zero may give what is nearly zero.

    Returns True, or raises GradcheckError (returns False without `raise_exception`).
    AssertionError for options that contradict each other or a func whose results change their
    shape, ValueError where no input requires grad, RuntimeError for an input that overlaps,
    NotImplementedError for the checks of forward mode and of batched gradients.
    """
    _check_options(
        (check_forward_ad or check_backward_ad,
         "Expected at least one of check_forward_ad or check_backward_ad to be True"),
        (check_backward_ad or not check_batched_grad,
         "Setting check_batched_grad=True requires check_backward_ad to be True"),
        (check_forward_ad or not check_batched_forward_grad,
         "Setting check_batched_forward_grad=True requires check_forward_ad to be True"),
    )  # fmt: skip
    if check_forward_ad or check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError(
            "gradcheck: forward-mode and batched gradients are not supported, so cannot be checked"
        )
    args = as_tuple(inputs)
    leaves = _check_inputs(args)
    args = tuple(_writable(a) if i in leaves else a for i, a in enumerate(args))
    check = _Check(func, args, leaves, eps, atol, rtol, nondet_tol)
    try:
        check.derivatives(fast_mode)
        check.rules(masked, check_grad_dtypes, check_undefined_grad, check_grad_layouts)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
    check_grad_layouts: bool = True,
) -> bool:
    """`gradcheck` of the gradient itself: of the map from inputs and grad_outputs to the gradients
    of the inputs.

    `grad_outputs`: the gradients of the outputs that have one; default: random numbers in [-1, 1).
    `gen_non_contig_grad_outputs` lays them out with gaps. Other options, results and errors are
    those of `gradcheck`.
    """
    _check_options(
        (check_fwd_over_rev or check_rev_over_rev,
         "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"),
        (check_rev_over_rev or not check_undefined_grad,
         "Setting check_undefined_grad=True requires check_rev_over_rev to be True"),
        (check_rev_over_rev or not check_batched_grad,
         "Setting check_batched_grad=True requires check_rev_over_rev to be True"),
    )  # fmt: skip
    args = as_tuple(inputs)
    if grad_outputs is None:
        outputs = _differentiable(func(*args))
        seeds = tuple(_random_like(o, gen_non_contig_grad_outputs) for o in outputs)
    else:
        seeds = as_tuple(grad_outputs)
    n, wanted = len(args), [i for i, a in enumerate(args) if _has_gradient(a)]

    def gradient(*both: Any) -> tuple:
        results = _differentiable(func(*both[:n]))
        found = grad(
            results, [both[i] for i in wanted], both[n:], create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradient, args + seeds, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode, masked=masked, check_grad_layouts=check_grad_layouts,
    )  # fmt: skip


def _check_options(*conditions: tuple[bool, str]) -> None:
    for holds, message in conditions:
        if not holds:
            raise AssertionError(message)


def _has_gradient(value: Any) -> bool:
    return isinstance(value, Tensor) and edge_of(value) is not None


def _differentiable(outputs: Any) -> list[Tensor]:
    return [o for o in as_tuple(outputs) if _has_gradient(o)]


def _check_inputs(args: tuple) -> list[int]:
    """Which arguments are differentiated by. The errors and the warning of those that cannot be,
    or not well."""
    leaves = [i for i, a in enumerate(args) if _has_gradient(a)]
    for i in leaves:
        array = args[i]._array
        if array.dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                UserWarning,
                stacklevel=3,
            )
        if array.size and 0 in (
            s for s, n in zip(array.strides, array.shape, strict=True) if n > 1
        ):
            what = "has a dimension with stride 0"
        elif overlaps(_forwards(array)):
            what = "has elements that share memory"
        else:
            continue
        raise RuntimeError(
            f"The {i}th input {what}. gradcheck only supports inputs that are non-overlapping to "
            "be able to compute the numerical gradients correctly. You should call .contiguous on "
            "the input before passing it to gradcheck."
        )
    if not leaves:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    return leaves


def _forwards(array: Any) -> Any:
    """The array with its negative strides turned round."""
    return array[tuple(slice(None, None, -1 if s < 0 else 1) for s in array.strides)]


def _writable(arg: Tensor) -> Tensor:
    """The argument, or a copy of one in memory that cannot be written."""
    if getattr(arg._array.flags, "writeable", True):
        return arg
    return requires_grad_(make(arg._array.copy()))


def _random_like(out: Tensor, gaps: bool) -> Tensor:
    rng = np.random.default_rng(0)
    shape, dtype = out._array.shape, out._array.dtype
    values = rng.uniform(-1, 1, shape)
    if dtype.kind == "c":
        values = values + 1j * rng.uniform(-1, 1, shape)
    array = move(np.asarray(values).astype(dtype), out.device)
    if gaps and array.ndim:
        wide = move(np.zeros((*shape[:-1], 2 * shape[-1]), dtype), out.device)
        wide[..., ::2] = array
        array = wide[..., ::2]
    return requires_grad_(make(array))


class _Check:
    """One call of gradcheck."""

    def __init__(
        self, func: Callable, args: tuple, leaves: list[int], eps: float, atol: float, rtol: float,
        nondet_tol: float,
    ) -> None:  # fmt: skip
        self.func, self.args, self.leaves, self.eps = func, args, leaves, eps
        self.atol, self.rtol, self.nondet_tol = atol, rtol, nondet_tol
        self.targets = [args[i] for i in leaves]
        every = floating(func(*args))
        self.places = [i for i, o in enumerate(every) if edge_of(o) is not None]
        self.outs = [every[i] for i in self.places]

    def parts(self) -> Iterator[tuple[int, str]]:
        """Outputs and their parts: first imaginary ones and real outputs, then real parts."""
        kinds = [o._array.dtype.kind == "c" for o in self.outs]
        yield from ((i, "imaginary" if c else "") for i, c in enumerate(kinds))
        yield from ((i, "real") for i, c in enumerate(kinds) if c)

    def derivatives(self, fast: bool) -> None:
        """Backward passes against finite differences."""
        if not self.outs:
            self.nothing_to_differentiate(fast)
        elif fast:
            self.by_projections()
        else:
            self.by_jacobians()

    def nothing_to_differentiate(self, fast: bool) -> None:
        """Where no output has a gradient, none may depend on the inputs."""
        found = (
            Projections(self.func, self.args, self.leaves, [], self.eps).slopes
            if fast
            else [jacobian(self.func, self.args, i, self.eps) for i in self.leaves]
        )
        slack = self.nondet_tol if fast else 0.0
        for slopes in (s for by_output in found for pair in by_output for s in pair):
            if slopes is not None and (np.abs(slopes) > slack).any():
                raise GradcheckError("Numerical gradient for function expected to be zero")

    def by_jacobians(self) -> None:
        """Number by number."""
        numerical = [jacobian(self.func, self.args, i, self.eps) for i in self.leaves]
        for place, part in self.parts():
            found, again = (jacobians(self.outs[place], self.targets, part) for _ in range(2))
            check_repeatable(found, again, self.nondet_tol)
            for index, a in enumerate(found):
                n = of_part(numerical[index][self.places[place]], part)
                if not np.allclose(a, n, self.rtol, self.atol):
                    raise _mismatch(place, index, part, make(np.asarray(n)), make(a))

    def by_projections(self) -> None:
        """Only along random directions."""
        guess = Projections(self.func, self.args, self.leaves, self.outs, self.eps)
        for place, part in self.parts():
            numerical = guess.numerical(place, self.places[place], part)
            found = guess.analytical(place, part, self.nondet_tol)
            for index, (a, n) in enumerate(zip(found, numerical, strict=True)):
                if not np.allclose(a, n, self.rtol, guess.slack(place, index, self.atol)):
                    raise _mismatch(place, index, part, n, a, explained(
                        self.func, self.args, self.leaves[index], self.outs[place],
                        self.places[place], part, self.eps, self.atol, self.rtol,
                    ))  # fmt: skip

    def rules(self, masked: Any, dtypes: bool, undefined: bool, layouts: bool) -> None:
        """What holds for every backward, whatever it computes."""
        if not self.outs:
            return
        if dtypes:
            check_dtypes(self.outs)
        check_times_grad(self.outs, self.targets, bool(masked))
        if undefined:
            check_undefined(self.outs, self.targets)
        if layouts:
            check_layouts(self.outs, self.targets, self.nondet_tol)


def _mismatch(
    place: int, index: int, part: str, numerical: Any, analytical: Any, more: str = ""
) -> GradcheckError:
    only = f"While considering the {part} part of complex outputs only, " if part else ""
    return GradcheckError(
        f"{only}Jacobian mismatch for output {place} with respect to input {index},\n"
        f"numerical:{numerical}\nanalytical:{analytical}\n{more}"
    )
