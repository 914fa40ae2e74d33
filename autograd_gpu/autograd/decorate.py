"""Contexts that also decorate functions, generator functions, coroutine functions and classes."""

import functools
import inspect
import warnings
from collections.abc import Callable, Generator
from typing import Any, TypeVar

__all__ = ["Decorated", "Decorator"]

Decorated = TypeVar("Decorated", bound=Callable)
"""What is decorated keeps its type."""


class Decorator:
    """A context manager that is also a decorator: each call of what it decorates runs within a
    fresh context (`clone`), so that calls may nest. Of generators and coroutines it is only their
    own code that does, never what consumes or schedules them.
    """

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate."""
        return self._wrapped(function)

    def _wrapped(self, function: Any) -> Any:
        if inspect.isclass(function):
            return self._wrap_init(function)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                return (yield from _steps(self, function(*args, **kwargs)))

            return generator
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                return await _Within(self, function(*args, **kwargs))

            return coroutine
        if inspect.isasyncgenfunction(function):
            return self._wrap_async_generator(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return call

    def clone(self) -> Any:
        """A fresh context of the same kind."""
        return type(self)()

    def _wrap_init(self, cls: Any) -> Any:
        warnings.warn(
            "Decorating classes is deprecated and will be disabled in future versions. You should "
            "only decorate functions or methods. To preserve the current behavior of class "
            f"decoration, you can directly decorate the `__init__` method of {cls.__name__} and "
            "nothing else.",
            FutureWarning,
            stacklevel=4,
        )
        cls.__init__ = self(cls.__init__)
        return cls

    def _wrap_async_generator(self, function: Callable) -> Callable:
        @functools.wraps(function)
        async def generator(*args: Any, **kwargs: Any) -> Any:
            inner = function(*args, **kwargs)
            step, value = inner.asend, None
            while True:
                try:
                    result = await _Within(self, step(value))  # type: ignore[func-returns-value]
                except StopAsyncIteration:
                    return
                try:
                    value = yield result
                    step = inner.asend
                except GeneratorExit:
                    await _Within(self, inner.aclose())
                    raise
                except BaseException as error:
                    value, step = error, inner.athrow  # type: ignore[assignment]

        return generator

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError


class _Within:
    """Something to await of which each step runs within a context of its own."""

    def __init__(self, context: Decorator, inner: Any) -> None:
        self.context, self.inner = context, inner

    def __await__(self) -> Generator:
        return _steps(self.context, self.inner.__await__())


def _steps(context: Decorator, inner: Any) -> Generator:
    """Drive a generator: between its steps its consumer runs, in whatever modes that has."""
    step, value = inner.send, None
    try:
        while True:
            with context.clone():
                result = step(value)
            try:
                value = yield result
                step = inner.send
            except GeneratorExit:
                with context.clone():
                    inner.close()
                raise
            except BaseException as error:
                value, step = error, inner.throw
    except StopIteration as stop:
        return stop.value
