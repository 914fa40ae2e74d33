"""For debug=True: the operations of a forward and of its recomputation, one a line."""

import threading
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ..._core.tensor import Tensor
from ..._ops.observe import observe, unobserve

__all__ = ["Log"]

_HOME = str(Path(__file__).parent.parent.parent)


class Log:
    """What ran the first time, and what the latest other time."""

    def __init__(self) -> None:
        self.forward: list[str] = []
        self.recomputed: list[str] = []

    def contexts(self) -> tuple[AbstractContextManager, AbstractContextManager]:
        """The context_fn of a checkpoint that is logged."""
        return _written(self.forward), _Again(self.recomputed)

    def text(self) -> str:
        """Both lists."""
        return (
            "Operations of the original forward:\n"
            + "".join(self.forward)
            + "Operations of the recomputation:\n"
            + "".join(self.recomputed)
        )


class _Again:
    """A context for every recomputation: the list begins anew."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.open: list[AbstractContextManager] = []

    def __enter__(self) -> None:
        self.lines.clear()
        self.open.append(_written(self.lines))
        self.open[-1].__enter__()

    def __exit__(self, *error: Any) -> None:
        self.open.pop().__exit__(*error)


@contextmanager
def _written(lines: list[str]) -> Iterator[None]:
    """A block of this thread of which every operation is written down."""
    thread = threading.get_ident()
    inside = False

    def see(gate: Any, call: Any, args: tuple, kwargs: dict) -> Any:
        nonlocal inside
        name = gate.title(args)
        if inside or threading.get_ident() != thread or name.startswith("["):
            return call(*args, **kwargs)  # "[...]" is no operation
        inside = True
        try:
            line = f"  {name}({', '.join(map(_brief, gate.given(args)))}){_place()}\n"
            lines.append(line)
            result = call(*args, **kwargs)
            lines[-1] = f"  {_brief(result)} = {line.lstrip()}"
            return result
        finally:
            inside = False

    observe(see)
    try:
        yield
    finally:
        unobserve(see)


def _brief(value: Any) -> str:
    """A value in a few characters."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_brief, value))}]"
    text = repr(value)
    return text if len(text) < 40 else type(value).__name__


def _place() -> str:
    """The innermost line that is not ours."""
    for frame, line in traceback.walk_stack(None):
        name = frame.f_code.co_filename
        if not name.startswith((_HOME, "<autograd_gpu ")):
            return f"  # {name}:{line}, in {frame.f_code.co_name}"
    return ""
