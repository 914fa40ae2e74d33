"""LRScheduler: what all schedules of learning rates share."""

import warnings
from typing import Any

from ..._core.tensor import Tensor
from .._check import number
from ..optimizer import Optimizer

__all__ = ["LRScheduler", "copied", "set_lr"]

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case."
)


class LRScheduler:
    """Base of the schedules: `step()` moves to the next epoch and sets `lr` in every group.

    A subclass gives `get_lr()`, the new rates, one a group; it is called with `last_epoch`
    already increased. `last_epoch=-1` starts anew and keeps each group's rate as its
    `initial_lr`; any other number resumes and needs `initial_lr` in the groups (KeyError).
    TypeError where `optimizer` is none.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0: load the optimizer's state dict first, or "
                    "start with last_epoch=-1"
                )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        watch(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave. Load the optimizer's state as well: it holds lr."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates that the last `step()` set, one a group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates for `last_epoch`, computed from the present ones; `step()` calls it."""
        self._warn_if_alone()
        groups = self.optimizer.param_groups
        return [
            self._next(copied(group["lr"]), base)
            for group, base in zip(groups, self.base_lrs, strict=True)
        ]

    def _warn_if_alone(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, "
                "please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def _next(self, lr: Any, base: Any) -> Any:
        """One group's rate from its present and its initial one."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch (or to `epoch`, which is deprecated) and set the rates."""
        if self._step_count == 1:
            self._warn_of_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _warn_of_order(self) -> None:
        optimizer = self.optimizer
        if step_of(optimizer) is not optimizer.__dict__.get("_watched_step"):
            text = (
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please, make sure to call `optimizer.step()` before "
                "`lr_scheduler.step()`."
            )
        elif not optimizer._opt_called:
            text = (
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in "
                "the opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to "
                "do this will result in skipping the first value of the learning rate schedule."
            )
        else:
            return
        warnings.warn(text, UserWarning, stacklevel=3)

    def _update_lr(self, epoch: int | None = None) -> None:
        self._get_lr_called_within_step = True
        try:
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = getattr(self, "_get_closed_form_lr", None)
            values = closed() if epoch is not None and closed else self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            set_lr(group, value)
        self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]


def check_optimizer(optimizer: Any) -> None:
    """TypeError for what is no optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def copied(lr: Any) -> Any:
    """The rate, apart from the optimizer's own where it is a Tensor."""
    return lr.detach().clone() if isinstance(lr, Tensor) else lr


def set_lr(group: dict[str, Any], value: Any) -> None:
    """Set a group's rate; a Tensor is filled, so that it stays the same object."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(number(value))
    else:
        group["lr"] = value


def step_of(optimizer: Optimizer) -> Any:
    """The function behind `optimizer.step`."""
    return getattr(optimizer.step, "__func__", optimizer.step)


def watch(optimizer: Optimizer) -> None:
    """From now on note whether the optimizer steps, for the warning about the order."""
    if "_watched_step" not in optimizer.__dict__:
        optimizer._watched_step = step_of(optimizer)  # type: ignore[attr-defined]
        optimizer._opt_called = False
