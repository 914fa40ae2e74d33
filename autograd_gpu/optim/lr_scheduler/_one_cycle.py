"""OneCycleLR: up to a large rate and down to nearly none, with momentum the other way round."""

import math
from typing import Any

from ..optimizer import Optimizer
from ._base import LRScheduler, check_optimizer

__all__ = ["OneCycleLR"]

Phase = tuple[float, str, str, str, str]


class OneCycleLR(LRScheduler):
    """One cycle of `total_steps` steps (or `epochs` times `steps_per_epoch`), a step a batch.

    lr rises from max_lr / div_factor to max_lr in the first `pct_start` of the steps and then
    falls to its initial value / final_div_factor; `three_phase` falls symmetrically first.
    `cycle_momentum` moves momentum (or beta1) between `max_momentum` and `base_momentum`.

    Raises ValueError for bad counts and options, and for a step after the last.

    Source: L. Smith, N. Topin, Super-convergence: very fast training of neural networks using
    large learning rates, 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not (isinstance(pct_start, float) and 0 <= pct_start <= 1):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self.cycle_momentum = cycle_momentum
        if cycle_momentum and not {"momentum", "betas"} & optimizer.defaults.keys():
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        self._anneal_func_type = anneal_strategy
        self._phases = _phases(self.total_steps, pct_start, three_phase)
        highest = _each("max_lr", optimizer, max_lr)
        top = _each("max_momentum", optimizer, max_momentum)
        bottom = _each("base_momentum", optimizer, base_momentum)
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                group["initial_lr"] = highest[i] / div_factor
                group["max_lr"] = highest[i]
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    self._set_momentum(group, top[i])
                    group["max_momentum"], group["base_momentum"] = top[i], bottom[i]
        super().__init__(optimizer, last_epoch)

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value

    def _anneal(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)

    def get_lr(self) -> list[Any]:
        """The rates for step `last_epoch`, one a group; sets the momenta too."""
        self._warn_if_alone()
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        start = 0.0
        for phase in self._phases:
            end = phase[0]
            if self.last_epoch <= end or phase is self._phases[-1]:
                break
            start = end
        part = (self.last_epoch - start) / (end - start)
        _, from_lr, to_lr, from_momentum, to_momentum = phase
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal(group[from_lr], group[to_lr], part))
            if self.cycle_momentum:
                value = self._anneal(group[from_momentum], group[to_momentum], part)
                self._set_momentum(group, value)
        return rates


def _total(total: int | None, epochs: int | None, steps: int | None) -> int:
    if total is None:
        if epochs is None or steps is None:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        return _positive("epochs", epochs) * _positive("steps_per_epoch", steps)
    return _positive("total_steps", total)


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value


def _phases(total: int, part: float, three: bool) -> list[Phase]:
    """For each phase: its last step, and the names of lr and momentum at both ends."""
    up = (float(part * total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three:
        return [up, (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    down = (float(2 * part * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    return [up, down, (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]


def _each(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups: {count}, got {len(value)}"
        )
    return list(value)
