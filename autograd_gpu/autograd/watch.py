"""What surrounds the run of one node: its CUDA device, and whoever watches nodes one by one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from .._core.device import guard
from .._core.state import state

__all__ = ["around", "inspectors", "watchers"]

watchers: list[Callable[[Any, Any], AbstractContextManager]] = []
"""While there are any (anomaly mode, the profiler), each node runs and each leaf accumulates within
`watch(node, grad)` of each."""

inspectors: list[Callable[[Any, Any], None]] = []
"""Called with each node and the gradients that it gave, within `watch(node, grad)`: while there are
any, there are watchers, and passes keep their gradients apart (apart.py)."""


def around(node: Any, grad: Any, array: Any = None) -> ExitStack:
    """The device of `array`, else of the gradient, and what watches the node."""
    with ExitStack() as stack:  # who entered is left again where a later one cannot be entered
        place = (_first(grad) if array is None else array) if state.several_devices else None
        if place is not None:
            stack.enter_context(guard(place))
        for watch in tuple(watchers):
            stack.enter_context(watch(node, grad))
        return stack.pop_all()


def _first(grad: Any) -> Any:
    """An array of what waits in a node: its device is where the node runs."""
    while grad.__class__ is list:
        grad = next((g for g in grad if g is not None), None)
    return getattr(grad, "_array", grad)
