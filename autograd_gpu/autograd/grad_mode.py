"""Grad modes, per thread, as context managers and as decorators: no_grad, enable_grad,
set_grad_enabled, inference_mode.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .._core.state import local, set_mode, set_recording, thread_key

__all__ = [
    "enable_grad", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
    "set_grad_enabled",
]  # fmt: skip

_INFERENCE = 2



def is_grad_enabled() -> bool:
    """Are operations recorded in this thread, as far as the grad mode goes?"""
    return local.on


class _Decorator:
    """A context manager that also decorates functions, generator functions and coroutine
    functions.
    """

    def __call__(self, function: Callable) -> Callable:
        if inspect.isclass(function):
            import warnings

            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You "
                "should only decorate functions or methods. To preserve the current behavior of "
                "class decoration, you can directly decorate the `__init__` method of "
                f"{function.__name__} and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
            function.__init__ = self(function.__init__)  # type: ignore[misc]
            return function
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self.clone():
                    return await function(*args, **kwargs)

            return coroutine

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return call

    def clone(self) -> Any:
        """A fresh context: one for each call of a decorated function, so that calls may nest."""
        return type(self)()

    def _wrap_generator(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            # The mode holds while the generator's own code runs, never while its consumer's does.
            inner = function(*args, **kwargs)
            step, value = inner.send, None
            try:
                while True:
                    with self.clone():
                        result = step(value)
                    try:
                        value = yield result
                        step = inner.send
                    except GeneratorExit:
                        with self.clone():
                            inner.close()
                        raise
                    except BaseException as error:
                        value, step = error, inner.throw  # type: ignore[assignment]
            except StopIteration as stop:
                return stop.value

        return generator

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError


class _Switch(_Decorator):
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


class set_grad_enabled(_Decorator):
    """Switch recording at once; as a context manager, switch back at the end. `mode`: bool."""

    def __init__(self, mode: bool) -> None:
        self.mode, self.previous = bool(mode), local.on
        set_recording(self.mode)

    def __call__(self, function: Callable) -> Callable:
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


class inference_mode(_Decorator):
    """Within it nothing is recorded, and what is made are inference tensors: no version of them is
    kept, no view of them followed, and nothing may save them for backward later.

    `mode`: False ends it for the time of the context. Tensors made before stay what they are: views
    of them are views, writes to them are counted. Outside, inference tensors may be read; a write
    in place, `requires_grad_()` and saving for backward are RuntimeErrors; `clone()` makes a
    normal tensor.
    """

    def __new__(cls, mode: bool | Callable = True) -> Any:  # noqa: D102
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)  # @inference_mode without parentheses

    def __init__(self, mode: bool | Callable = True) -> None:
        self.mode = bool(mode)
        self.previous: list[tuple[bool, bool]] = []

    def clone(self) -> "inference_mode":
        """A fresh context of the same mode."""
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        self.previous.append((local.on, local.inference))
        set_recording(not self.mode)
        _set_inference(self.mode)

    def __exit__(self, *_: object) -> None:
        on, inference = self.previous.pop()
        set_recording(on)
        _set_inference(inference)


def _set_inference(on: bool) -> None:
    local.inference = on
    set_mode(thread_key(_INFERENCE), on)


def is_inference_mode_enabled() -> bool:
    """Is inference mode in force in this thread?"""
    return local.inference
