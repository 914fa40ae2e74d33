"""LBFGS: a quasi-Newton method that remembers the last steps instead of a matrix."""

from collections.abc import Callable, Iterable
from typing import Any

from .._core.device import at, device_of, library
from .._core.state import hush, modes, quiet, unhush
from .._core.tensor import Tensor, make
from ..autograd.mutation import record_write
from ..autograd.saving import before_writes
from ._check import check_lr, number
from ._elementwise import evaluate
from ._line_search import Point, strong_wolfe
from .optimizer import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS, for smooth problems whose loss is not noisy.

    A step takes up to `max_iter` iterations x = x - t H g, where H is built from the last
    `history_size` differences of x and of the gradient g, and t is `lr` or, with
    `line_search_fn="strong_wolfe"`, found by a line search. It ends early at `max_eval` calls of
    the closure (1.25 max_iter), where max|g| <= `tolerance_grad`, and where the change of x or of
    the loss falls below `tolerance_change`. The closure is required; one parameter group only
    (ValueError).

    Source: J. Nocedal, S. Wright, Numerical optimization, 2006, algorithms 7.4 and 3.5; the line
    search follows M. Schmidt's minFunc.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn must be None or 'strong_wolfe', not {line_search_fn}")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate; returns the loss from before. TypeError without a closure."""
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure that computes the loss and its gradients")
        loss = evaluate(closure)
        token = hush(quiet)
        try:
            with at(device_of(self.param_groups[0]["params"][0]._array)):
                _Run(self, closure, number(loss)).iterate()
        finally:
            unhush(token)
        return loss


class _Run:
    """One call of `step`: flat vectors of all parameters, and the state that outlives it."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any], loss: float) -> None:
        self.group = optimizer.param_groups[0]
        self.params, self.closure = self.group["params"], closure
        self.state = optimizer.state[self.params[0]]
        self.state["func_evals"] = self.state.get("func_evals", 0) + 1
        self.state.setdefault("n_iter", 0)
        self.loss, self.evaluations = loss, 1
        self.gradient = self.gather()

    def gather(self) -> Any:
        """All gradients as one real vector."""
        parts = []
        for p in self.params:
            zero = p.grad is None
            array = library(p._array).zeros_like(p._array) if zero else p.grad._array
            parts.append(_real(array))
        return library(parts[0]).concatenate(parts)

    def move(self, length: float, direction: Any) -> None:
        """x = x + length direction."""
        if modes:
            before_writes(self.params)
        start = 0
        for p in self.params:
            array = p._array
            n = array.size * (2 if array.dtype.kind == "c" else 1)
            part = direction[start : start + n]
            if array.dtype.kind == "c":
                part = part.view(array.dtype)
            array += (length * part.reshape(array.shape)).astype(array.dtype)
            record_write(array)
            start += n

    def again(self) -> tuple[float, Any]:
        """Loss and gradient where the parameters are."""
        self.evaluations += 1
        self.state["func_evals"] += 1
        return number(evaluate(self.closure)), self.gather()

    def iterate(self) -> None:
        """Iterate until one of the criteria is met."""
        group, state = self.group, self.state
        if self.flat(self.gradient):
            return
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction, length = self.direction(), number(group["lr"])
            previous, before = self.gradient, self.loss
            if state["n_iter"] == 1:
                length *= min(1.0, 1.0 / float(abs(previous).sum()))
            slope = float(previous @ direction)
            state["d"], state["prev_flat_grad"] = make(direction), make(previous)
            state["t"], state["prev_loss"] = length, before
            if slope > -group["tolerance_change"]:
                return
            last = iteration == group["max_iter"]
            length = self.advance(direction, length, slope, last)
            state["t"] = length
            if (
                last
                or self.evaluations >= group["max_eval"]
                or self.flat(self.gradient)
                or _largest(direction * length) <= group["tolerance_change"]
                or abs(self.loss - before) < group["tolerance_change"]
            ):
                return

    def advance(self, direction: Any, length: float, slope: float, last: bool) -> float:
        """Move along the direction; returns how far."""
        if self.group["line_search_fn"] is None:
            self.move(length, direction)
            if not last:  # nobody would look at the new loss
                self.loss, self.gradient = self.again()
            return length
        start = [p._array.copy(order="K") for p in self.params]

        def at(t: float) -> Point:
            self.move(t, direction)
            loss, gradient = self.again()
            if modes:
                before_writes(self.params)
            for p, array in zip(self.params, start, strict=True):
                p._array[...] = array
                record_write(p._array)
            return Point(t, loss, gradient, float(gradient @ direction))

        here = Point(0.0, self.loss, self.gradient, slope)
        best = strong_wolfe(at, here, length, _largest(direction))
        self.move(best.t, direction)
        self.loss, self.gradient = best.loss, best.gradient
        return best.t

    def direction(self) -> Any:
        """-H g, by the two loops over the remembered steps."""
        state, g = self.state, self.gradient
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        self.remember()
        changes = [t._array for t in state["old_dirs"]]
        steps = [t._array for t in state["old_stps"]]
        weights = [number(r) for r in state["ro"]]
        q, parts = -g, []
        for y, s, r in zip(reversed(changes), reversed(steps), reversed(weights), strict=True):
            parts.append(float(s @ q) * r)
            q -= parts[-1] * y
        q *= number(state["H_diag"])
        for y, s, r in zip(changes, steps, weights, strict=True):
            q += s * (parts.pop() - float(y @ q) * r)
        return q

    def remember(self) -> None:
        """Keep the last step and its change of the gradient, where the curvature is positive."""
        state = self.state
        change = self.gradient - state["prev_flat_grad"]._array
        step = state["d"]._array * number(state["t"])
        curvature = float(change @ step)
        if curvature <= 1e-10:
            return
        new = {"old_dirs": make(change), "old_stps": make(step), "ro": 1.0 / curvature}
        for name, value in new.items():
            if len(state[name]) == self.group["history_size"]:
                state[name].pop(0)
            state[name].append(value)
        state["H_diag"] = curvature / float(change @ change)

    def flat(self, gradient: Any) -> bool:
        """Is the gradient as good as zero?"""
        return _largest(gradient) <= self.group["tolerance_grad"]


def _largest(vector: Any) -> float:
    return float(abs(vector).max()) if vector.size else 0.0


def _real(array: Any) -> Any:
    flat = library(array).ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat
