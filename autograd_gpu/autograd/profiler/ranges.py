"""record_function: a range of the program's own in a profile."""

import functools
from collections.abc import Callable
from typing import Any

from .record import Recorder

__all__ = ["markers", "record_function", "running"]

running: list[Recorder] = []
"""The recorders of the profiles that are being taken."""

markers: list[Any] = []
"""What else is told of ranges, by `push(name)` and `pop()`: see `emit_nvtx`."""


class record_function:
    """A named range: `with record_function("forward"): ...`, or `@record_function("step")` over a
    function. Where no profile is taken it does nothing.

    `args`: a text that the trace shows beside the name. Raises RuntimeError on entering where the
    name is no str."""

    def __init__(self, name: str, args: str | None = None) -> None:
        """See the class."""
        self.name, self.args = name, args
        self._open: list[tuple[list, list]] = []

    def __enter__(self) -> "record_function":
        if not isinstance(self.name, str):
            raise RuntimeError(
                "record_function(): Expected a value of type 'str' for argument 'name' but "
                f"instead found type '{type(self.name).__name__}'."
            )
        told = list(markers)
        for marker in told:
            marker.push(self.name)
        opened = []
        for recorder in running:
            record = recorder.enter(self.name, "user")
            record.args = self.args or ""
            opened.append((recorder, record))
        self._open.append((opened, told))
        return self

    def __exit__(self, *_: object) -> None:
        if not self._open:
            raise AssertionError("record_function(): the range was left, but never entered")
        opened, told = self._open.pop()
        for recorder, record in opened:
            recorder.leave(record)
        for marker in told:
            marker.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a range around each call."""

        @functools.wraps(function)
        def ranged(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return ranged
