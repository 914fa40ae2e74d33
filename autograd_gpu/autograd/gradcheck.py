"""gradcheck and gradgradcheck: derivatives against finite differences."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.device import cpu, library, move
from .._core.layout import overlaps
from .._core.tensor import Tensor, make
from .api import grad
from .attributes import requires_grad_
from .views import edge_of

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A derivative disagrees with finite differences."""


def gradcheck(
    func: Callable,
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
) -> bool:
    """Compare the gradients of `func(*inputs)` with central differences (f(x + eps) - f(x - eps)) /
    2 eps.

    Inputs that require grad should be float64 or complex128 (others warn) and must not overlap in
    memory. Complex numbers count as pairs of real ones. `fast_mode` compares one random projection
    of each Jacobian instead of all its entries.
    `nondet_tol`: how far two runs of backward may differ.

    Returns True, or raises GradcheckError (returns False without `raise_exception`).
    NotImplementedError for the checks of forward mode and of batched gradients.
    """
    if check_forward_ad or check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError(
            "gradcheck: forward-mode and batched gradients are not supported, so cannot be checked"
        )
    if not check_backward_ad:
        raise ValueError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    args = _tuple(inputs)
    try:
        leaves = _check_inputs(args)
        _run(func, args, leaves, eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
        if check_undefined_grad:
            _check_undefined(func, args, leaves)
    except (GradcheckError, ValueError):
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable,
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
) -> bool:
    """`gradcheck` of the gradient itself: of the map from inputs and grad_outputs to the gradients
    of the inputs.

    `grad_outputs` default to random numbers; `gen_non_contig_grad_outputs` lays them out with gaps.
    """
    if check_fwd_over_rev:
        raise NotImplementedError("gradgradcheck: forward mode is not supported")
    if not check_rev_over_rev:
        raise ValueError(
            "gradgradcheck: Expected at least one of check_fwd_over_rev or check_rev_over_rev to "
            "be True"
        )
    args = _tuple(inputs)
    outputs = _differentiable(func(*args))
    if grad_outputs is None:
        seeds = tuple(_random_like(o, gen_non_contig_grad_outputs) for o in outputs)
    else:
        seeds = _tuple(grad_outputs)
    n = len(args)

    def gradient(*both: Any) -> tuple:
        given, weights = both[:n], both[n:]
        results = _differentiable(func(*given))
        wanted = [a for a in given if isinstance(a, Tensor) and edge_of(a) is not None]
        grads = grad(results, wanted, weights, create_graph=True, allow_unused=True)
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        gradient, args + seeds, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=False, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode,
    )  # fmt: skip


def _random_like(out: Tensor, gaps: bool) -> Tensor:
    rng = np.random.default_rng(0)
    shape, dtype = out._array.shape, out._array.dtype
    values = rng.standard_normal(shape)
    array = np.asarray(
        values + 1j * rng.standard_normal(shape) if dtype.kind == "c" else values
    ).astype(dtype)
    if gaps and array.ndim:
        wide = np.zeros((*shape[:-1], 2 * shape[-1]), dtype)
        wide[..., ::2] = array
        array = wide[..., ::2]
    return requires_grad_(make(move(array, out.device)))


def _tuple(value: Any) -> tuple:
    return (
        tuple(value) if isinstance(value, Sequence) and not isinstance(value, Tensor) else (value,)
    )


def _differentiable(outputs: Any) -> tuple[Tensor, ...]:
    return tuple(o for o in _tuple(outputs) if isinstance(o, Tensor) and edge_of(o) is not None)


def _check_inputs(args: tuple) -> list[int]:
    leaves = [i for i, a in enumerate(args) if isinstance(a, Tensor) and edge_of(a) is not None]
    if not leaves:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for i in leaves:
        array = args[i]._array
        if array.dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex.",
                UserWarning,
                stacklevel=3,
            )
        if overlaps(array):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients correctly. "
                "You should call .contiguous on the input before passing it to gradcheck."
            )
    return leaves


def _run(
    func: Callable, args: tuple, leaves: list[int], eps: float, atol: float, rtol: float,
    nondet_tol: float, dtypes: bool, fast: bool,
) -> None:  # fmt: skip
    every = [
        o for o in _tuple(func(*args)) if isinstance(o, Tensor) and o._array.dtype.kind not in "biu"
    ]
    for place, out in enumerate(every):
        if not fast:
            numerical = _numerical(func, args, leaves, place, eps)
            analytical = [_zero_jacobian(args[i], out) for i in leaves]
            if edge_of(out) is not None:
                analytical = _analytical(out, args, leaves, dtypes)
                _compare_runs(analytical, _analytical(out, args, leaves, dtypes), nondet_tol)
            for i, a, n in zip(leaves, analytical, numerical, strict=True):
                if not np.allclose(a, n, rtol, atol, equal_nan=True):
                    raise _mismatch(place, i, n, a, "")
        else:
            _check_projection(func, args, leaves, place, out, eps, atol, rtol, nondet_tol)


def _zero_jacobian(arg: Tensor, out: Tensor) -> np.ndarray:
    def parts(t: Tensor) -> int:
        return t._array.size * (2 if t._array.dtype.kind == "c" else 1)

    return np.zeros((parts(arg), parts(out)))


def _mismatch(
    place: int, index: int, numerical: Any, analytical: Any, extra: str
) -> GradcheckError:
    return GradcheckError(
        f"Jacobian mismatch for output {place} with respect to input "
        f"{index},\nnumerical:{numerical}\nanalytical:{analytical}\n{extra}"
    )


def _flat(array: np.ndarray) -> np.ndarray:
    """The real numbers of an array on the host, real and imaginary parts one after the other."""
    flat = np.ascontiguousarray(move(array, cpu)).reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def _value(func: Callable, args: tuple, place: int) -> np.ndarray:
    outs = [
        o for o in _tuple(func(*args)) if isinstance(o, Tensor) and o._array.dtype.kind not in "biu"
    ]
    return _flat(outs[place]._array).astype(np.float64)


def _moved(arg: Tensor, index: int | None, step: Any) -> Tensor:
    """A copy of a leaf with one real number (or, with None, all) moved by `step`."""
    array = arg._array
    flat = _flat(array).copy()
    if index is None:
        flat += step
    else:
        flat[index] += step
    array = flat.view(array.dtype).reshape(array.shape)
    return requires_grad_(make(move(array, arg.device)))


def _numerical(
    func: Callable, args: tuple, leaves: list[int], place: int, eps: float
) -> list[np.ndarray]:
    jacobians = []
    width = _value(func, args, place).size
    for i in leaves:
        rows = []
        for k in range(_flat(args[i]._array).size):
            ends = [
                _value(func, (*args[:i], _moved(args[i], k, step), *args[i + 1 :]), place)
                for step in (eps, -eps)
            ]
            rows.append((ends[0] - ends[1]) / (2 * eps))
        jacobians.append(np.array(rows) if rows else np.zeros((0, width)))
    return jacobians


def _seeds(out: Tensor) -> Any:
    """Unit vectors for every real number of an output."""
    complex_ = out._array.dtype.kind == "c"
    for k in range(out._array.size):
        for unit in (1, 1j) if complex_ else (1,):
            seed = np.zeros(out._array.size, out._array.dtype)
            seed[k] = unit
            yield make(move(seed.reshape(out._array.shape), out.device))


def _analytical(out: Tensor, args: tuple, leaves: list[int], dtypes: bool) -> list[np.ndarray]:
    columns: list[list] = [[] for _ in leaves]
    targets = [args[i] for i in leaves]
    for seed in _seeds(out):
        results = grad(out, targets, seed, retain_graph=True, allow_unused=True)
        for column, target, g, i in zip(columns, targets, results, leaves, strict=True):
            if g is not None and dtypes and g._array.dtype != target._array.dtype:
                raise GradcheckError(
                    f"Gradient has dtype {g.dtype!r}, but input {i} has {target.dtype!r}"
                )
            array = target._array
            found = g._array if g is not None else np.zeros(array.shape, array.dtype)
            column.append(_flat(found).astype(np.float64))
    return [
        np.array(c).T if c else np.zeros((_flat(t._array).size, 0))
        for c, t in zip(columns, targets, strict=True)
    ]


def _compare_runs(first: list, second: list, tolerance: float) -> None:
    for a, b in zip(first, second, strict=True):
        if a.size and not np.allclose(a, b, 0, tolerance, equal_nan=True):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                f"numerical gradient. The tolerance for nondeterminism was {tolerance}."
            )


def _check_projection(
    func: Callable, args: tuple, leaves: list[int], place: int, out: Tensor, eps: float,
    atol: float, rtol: float, nondet_tol: float,
) -> None:  # fmt: skip
    rng = np.random.default_rng(0)
    shape, dtype = out._array.shape, out._array.dtype
    weight = _flat(np.zeros(shape, dtype)).copy()
    weight[:] = rng.uniform(0.5, 1.5, weight.size)
    seed = make(move(weight.view(dtype).reshape(shape), out.device))
    targets = [args[i] for i in leaves]
    results: Any = [None] * len(leaves)
    if edge_of(out) is not None:
        results = grad(out, targets, seed, retain_graph=True, allow_unused=True)
        again = grad(out, targets, seed, retain_graph=True, allow_unused=True)
        pairs = [
            (move(a._array, cpu), move(b._array, cpu))
            for a, b in zip(results, again, strict=True)
            if a is not None and b is not None
        ]
        _compare_runs([a for a, _ in pairs], [b for _, b in pairs], nondet_tol)
    for i, target, g in zip(leaves, targets, results, strict=True):
        direction = rng.standard_normal(_flat(target._array).size)
        direction /= np.linalg.norm(direction) or 1
        ends = [
            _value(func, (*args[:i], _moved(target, None, step * direction), *args[i + 1 :]), place)
            for step in (eps, -eps)
        ]
        numerical = float((ends[0] - ends[1]) / (2 * eps) @ weight)
        analytical = 0.0 if g is None else float(_flat(g._array).astype(np.float64) @ direction)
        slack = atol * (1 + float(np.abs(weight).sum()))
        if abs(numerical - analytical) > slack + rtol * abs(numerical):
            raise _mismatch(
                place, i, numerical, analytical, "The above quantities were computed in fast mode."
            )


def _check_undefined(func: Callable, args: tuple, leaves: list[int]) -> None:
    """Outputs that get no gradient count as zero: so a gradient of zero must give gradients of
    zero.
    """
    outputs = _differentiable(func(*args))
    targets = [args[i] for i in leaves]
    for out in outputs:
        zero = make(library(out._array).zeros_like(out._array))
        for g in grad(out, targets, zero, retain_graph=True, allow_unused=True):
            if g is not None and bool((g._array != 0).any()):
                raise GradcheckError(
                    "Expected gradients of zero for a gradient of zero: check that undefined "
                    "gradients are handled as zeros"
                )
