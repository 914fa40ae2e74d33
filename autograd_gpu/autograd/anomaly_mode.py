"""Anomaly mode: which line of the forward led to a NaN, an infinity or an error in backward."""

import os
import threading
import traceback
import warnings
from types import TracebackType
from typing import Any

from .._core.device import library
from .._core.state import set_mode
from .._core.tensor import Tensor
from .engine import watchers
from .node import Output
from .saving import node_observers, result_observers

__all__ = [
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_detect_anomaly",
]

_KEY = -1
_HOME = os.path.dirname(os.path.dirname(__file__))


class _Settings:
    """What anomaly mode looks for; it is one setting for all threads, as in PyTorch."""

    enabled = False
    nan = True
    inf = False
    forward = False


class _Running(threading.local):
    """The nodes that this thread is running, the innermost last."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []


_settings, _running = _Settings(), _Running()


def is_anomaly_enabled() -> bool:
    """Is anomaly mode in force?"""
    return _settings.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Does anomaly mode look for NaN in gradients?"""
    return _settings.nan


class set_detect_anomaly:
    """Switch anomaly mode at once; as a context manager, switch back at the end.

    Every node then remembers the lines that made it. An error in backward names the line of the
    forward it belongs to, in the exception itself and, with the whole stack, in a warning.

    Args:
        mode: on or off.
        check_nan: a NaN in a gradient is a RuntimeError that names the node which computed it.
        check_inf: so is an infinity.
        check_forward: the same of the results of the forward's operations.
    """

    def __init__(
        self,
        mode: bool,
        check_nan: bool = True,
        *,
        check_inf: bool = False,
        check_forward: bool = False,
    ) -> None:
        s = _settings
        self.previous = (s.enabled, s.nan, s.inf, s.forward)
        _set(bool(mode), bool(check_nan), bool(check_inf), bool(check_forward))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _set(*self.previous)


class detect_anomaly:
    """A context in which anomaly mode is on; see `set_detect_anomaly`. Warns that it costs time."""

    def __init__(
        self, check_nan: bool = True, *, check_inf: bool = False, check_forward: bool = False
    ) -> None:
        self.check = bool(check_nan), bool(check_inf), bool(check_forward)
        self.previous: list[tuple] = []
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            UserWarning,
            stacklevel=2,
        )

    def __enter__(self) -> None:
        s = _settings
        self.previous.append((s.enabled, s.nan, s.inf, s.forward))
        _set(True, *self.check)

    def __exit__(self, *_: object) -> None:
        _set(*self.previous.pop())


def _set(enabled: bool, nan: bool, inf: bool, forward: bool) -> None:
    s = _settings
    if enabled and not s.enabled:
        node_observers.append(_remember)
        result_observers.append(_look)
        watchers.append(_Watch)
    elif s.enabled and not enabled:
        node_observers.remove(_remember)
        result_observers.remove(_look)
        watchers.remove(_Watch)
    s.enabled, s.nan, s.inf, s.forward = enabled, nan, inf, forward
    set_mode(_KEY, enabled)


def _remember(node: Any) -> None:
    """Keep the lines that made a node, and the node whose backward made it."""
    stack = traceback.StackSummary.extract(
        traceback.walk_stack(None), lookup_lines=False, capture_locals=False
    )
    frames = [f for f in reversed(stack) if not _ours(f.filename)]
    node.metadata["traceback_"] = traceback.StackSummary.from_list(frames).format()
    if _running.nodes:
        node.metadata["parent_"] = _running.nodes[-1]


def _ours(filename: str) -> bool:
    return filename.startswith((_HOME, "<autograd_gpu "))


def _line(node: Any) -> str:
    """The innermost line of the user's that made a node."""
    lines = node.metadata.get("traceback_")
    if not lines:
        return " It was made while anomaly mode was off, so its line is not known."
    return f" It was made by the forward here:\n{lines[-1].rstrip()}"


class _Watch:
    """Around the run of one node."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def __enter__(self) -> None:
        _running.nodes.append(self.node)

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        node = _running.nodes.pop()
        if isinstance(node, Output):
            return
        if error is None:
            self._check(node)
        elif not hasattr(error, "_forward_was_shown"):
            error._forward_was_shown = True  # type: ignore[attr-defined]
            _warn(node)
            error.add_note(f"Error in the backward of {node.name()}.{_line(node)}")

    def _check(self, node: Any) -> None:
        """RuntimeError where a gradient that the node just handed on is not a number."""
        for i, edge in enumerate(node.edges()):
            found = None if edge is None else _bad(edge.g)
            if found:
                _warn(node)
                error = RuntimeError(
                    f"Function '{node.name()}' returned {found} values in its {i}th output."
                    f"{_line(node)}"
                )
                error._forward_was_shown = True  # type: ignore[attr-defined]
                raise error


def _bad(grad: Any) -> str | None:
    """"nan" or "inf" where a gradient has such elements and they are looked for."""
    array = grad._array if isinstance(grad, Tensor) else grad
    if array is None or array.__class__ is list or array.dtype.kind in "biu":
        return None
    xp = library(array)
    if _settings.nan and bool(xp.isnan(array).any()):
        return "nan"
    if _settings.inf and bool(xp.isinf(array).any()):
        return "inf"
    return None


def _look(op: Any, result: Any) -> None:
    """RuntimeError where a result of the forward is not a number, if that is asked for."""
    if not _settings.forward:
        return
    for i, t in enumerate(result if isinstance(result, tuple) else (result,)):
        found = _bad(t._array)
        if found:
            raise RuntimeError(f"{op.name}() returned {found} values in its {i}th output.")


def _warn(node: Any) -> None:
    """Print the stack of the forward, and of the passes that made it (double backward)."""
    text = f"Error detected in {node.name()}."
    lines = node.metadata.get("traceback_")
    text += (
        " Traceback of forward call that caused the error:\n" + "".join(lines)
        if lines
        else " No forward pass information available. Enable detect anomaly during forward pass "
        "for more information."
    )
    parent = node.metadata.get("parent_")
    while parent is not None:
        text += f"\nPrevious calculation was induced by {parent.name()}."
        lines = parent.metadata.get("traceback_")
        if lines:
            text += " Traceback of forward call that induced the previous calculation:\n"
            text += "".join(lines)
        parent = parent.metadata.get("parent_")
    warnings.warn(text, UserWarning, stacklevel=2)
