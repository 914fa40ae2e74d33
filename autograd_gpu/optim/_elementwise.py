"""Elementwise: optimizers whose update is one formula on arrays of the parameter's shape."""

from collections.abc import Callable, Iterator
from typing import Any

from numpy import ndarray

from .._core.state import hush, modes, quiet, unhush
from .._core.tensor import Tensor
from ..autograd.grad_mode import enable_grad
from ..autograd.mutation import record_write
from ._batch import Batch
from ._state import filled_like, step_tensor
from ._sweep import scalars, sweep
from .optimizer import Optimizer

__all__ = ["Elementwise", "evaluate", "refuse_capturable", "with_gradient"]


class Elementwise(Optimizer):
    """An optimizer whose update is one formula on `p`, its gradient and arrays of its shape.

    A subclass says which states a group has (`_slots`), which numbers the formula needs
    (`_constants`) and the formula itself (`_kernel`, see `_sweep.Kernel`).
    """

    _fused: str | None = None  # the CUDA kernel that takes the step of many parameters
    _same_constants = True  # do they depend on nothing but the group and the step number?

    def _slots(self, group: dict[str, Any]) -> tuple[str, ...]:
        raise NotImplementedError

    def _constants(self, group: dict[str, Any], step: float, state: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _kernel(self, xp: Any, p: Any, g: Any, s: Any, t: Any, u: Any, c: Any) -> None:
        raise NotImplementedError

    def _begin(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        state: dict[str, Any] = {"step": step_tensor()}
        for name in self._slots(group):
            state[name] = filled_like(p)
        return state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once and return the closure's loss, where one is given."""
        loss = evaluate(closure)
        token = hush(quiet)
        try:
            for group in self.param_groups:
                refuse_capturable(group)
                self._step_group(group)
        finally:
            unhush(token)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        names = self._slots(group)
        cache: dict[Any, Any] = {}
        kernel, scratch = self._kernel, self._scratch
        batch: Batch | None = None
        if modes:
            self._before_step(group)
        for p, grad in with_gradient(group["params"]):
            state, array = self.state[p], p._array
            if not state:
                state.update(self._begin(p, group))
            count = state["step"]._array
            number = count.item() + 1
            key = number, array.dtype.char
            constants = cache.get(key) if self._same_constants else None
            if constants is None:
                constants = scalars(array, *self._constants(group, number, state))
                cache[key] = constants
            arrays = [array, grad._array, *[state[name]._array for name in names]]
            if array.__class__ is ndarray:
                sweep(kernel, arrays, constants, scratch)
            else:
                batch = batch or Batch(self._fused, kernel, scratch)
                batch.add(arrays, constants)
            count[...] = number
            for written in arrays[2:]:
                record_write(written)
            record_write(array)
        if batch is not None:
            batch.step()


def with_gradient(params: list[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """The parameters that have a gradient, with it."""
    for p in params:
        grad = p.grad
        if grad is not None:
            yield p, grad


def evaluate(closure: Callable[[], Any] | None) -> Any:
    """The closure's loss, with gradients recorded."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def refuse_capturable(group: dict[str, Any]) -> None:
    """As PyTorch for parameters on the CPU: there is nothing to capture a step into."""
    if group.get("capturable") and any(p._array.__class__ is ndarray for p in group["params"]):
        raise AssertionError(
            "If capturable=True, params and state_steps must be on supported devices: "
            "['cuda']; a step on the CPU cannot be captured."
        )
