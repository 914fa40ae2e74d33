"""Grad modes, per thread, as context managers and as decorators: no_grad, enable_grad,
set_grad_enabled, inference_mode; and whether passes may use several threads.
"""

import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any

from .._core.inference import Inference
from .._core.state import local, off, set_recording
from .decorate import Decorated, Decorator

__all__ = [
    "enable_grad", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled",
    "is_multithreading_enabled", "no_grad", "set_grad_enabled", "set_multithreading_enabled",
]  # fmt: skip


def _checked(name: str, mode: Any) -> bool:
    if not isinstance(mode, bool):
        raise TypeError(
            f"{name}(): argument 'mode' (position 1) must be bool, not {type(mode).__name__}"
        )
    return mode


def is_grad_enabled() -> bool:
    """Are operations recorded in this thread, as far as the grad mode goes?"""
    return local.on


class _Switch(Decorator):
    mode = True

    def __init__(self, function: Callable | None = None) -> None:
        self.previous = True

    def __new__(cls, function: Callable | None = None) -> Any:
        if function is not None:  # @no_grad without parentheses
            return cls()(function)
        return super().__new__(cls)

    def __enter__(self) -> None:
        self.previous = local.on
        set_recording(self.mode)

    def __exit__(self, *_: object) -> None:
        set_recording(self.previous)


class no_grad(_Switch):
    """Within it, operations are not recorded; a context manager, and a decorator with or without
    parentheses.
    """

    mode = False


class enable_grad(_Switch):
    """Within it, operations are recorded, also inside `no_grad`."""


class set_grad_enabled(Decorator):
    """Switch recording at once; as a context manager, switch back at the end. `mode`: bool.

    TypeError for anything but a bool.
    """

    def __init__(self, mode: bool) -> None:
        self.mode, self.previous = _checked("set_grad_enabled", mode), local.on
        set_recording(self.mode)

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a function, a generator function or a coroutine function."""
        set_recording(self.previous)  # as a decorator it acts in the calls, not where it is written
        return super().__call__(function)

    def clone(self) -> "set_grad_enabled":
        """A fresh context of the same mode."""
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        set_recording(self.mode)

    def __exit__(self, *_: object) -> None:
        set_recording(self.previous)

    def __repr__(self) -> str:
        return f"set_grad_enabled(mode={self.mode})"


class inference_mode(Decorator):
    """Within it nothing is recorded, and what is made are inference tensors: no version of them is
    kept, no view of them followed, and nothing may save them for backward later.

    `mode`: False ends it for the time of the context. Tensors made before stay what they are: views
    of them are views, writes to them are counted. Outside, inference tensors may be read; a write
    in place, `requires_grad_()` and saving for backward are RuntimeErrors; `clone()` makes a
    normal tensor.
    """

    def __new__(cls, mode: bool | Callable = True) -> Any:  # noqa: D102
        if mode is True or mode is False:
            return object.__new__(cls)
        return cls()(mode)  # @inference_mode without parentheses

    def __init__(self, mode: bool | Callable = True) -> None:
        self.mode, self.previous = bool(mode), []

    previous: list[tuple[bool, Inference | None]]

    def clone(self) -> "inference_mode":
        """A fresh context of the same mode."""
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        token = local.inference
        self.previous.append((local.on, token))
        if self.mode:
            local.on = False  # not set_recording: the token is reason enough to ask
            if token is None:
                local.inference = Inference()
        else:
            set_recording(True)
            local.inference = None

    def __exit__(self, *_: object) -> None:
        on, local.inference = self.previous.pop()
        if on:
            local.on = True
            off.discard(get_ident())
        else:
            set_recording(False)


def is_inference_mode_enabled() -> bool:
    """Is inference mode in force in this thread?"""
    return local.inference is not None


class _Threading(threading.local):
    enabled = True


_threading = _Threading()


class set_multithreading_enabled(Decorator):
    """Whether backward passes may run in several threads: says so at once, and as a context manager
    until its end. `mode`: bool.

    It is kept for programs that set it. A pass here always runs in the thread that calls it, node
    after node, whatever this says: what PyTorch does with False, and on the CPU in any case.

    TypeError for anything but a bool.
    """

    def __init__(self, mode: bool) -> None:
        self.mode = _checked("set_multithreading_enabled", mode)
        self.previous, _threading.enabled = _threading.enabled, mode

    def clone(self) -> "set_multithreading_enabled":
        """A fresh context of the same mode."""
        return set_multithreading_enabled(self.mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _threading.enabled = self.previous


def is_multithreading_enabled() -> bool:
    """What `set_multithreading_enabled` says in this thread."""
    return _threading.enabled
