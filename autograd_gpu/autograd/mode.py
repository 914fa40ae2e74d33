"""Grad modes: no_grad, enable_grad, set_grad_enabled, per thread, as context managers and as
decorators.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .._core.state import recording, set_recording

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]


def is_grad_enabled() -> bool:
    """Are operations recorded in this thread?"""
    return recording()


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
        self.previous = recording()
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
        self.mode, self.previous = bool(mode), recording()
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
