"""Rare settings of views and versions: how a stale view is made again, and writes that are not to
count.
"""

import threading
from typing import Any

from .._core.tensor import Tensor
from .decorate import Decorated, Decorator
from .mutation import set_version, version

__all__ = [
    "_force_original_view_tracking",
    "_unsafe_preserve_version_counter",
    "is_view_replay_enabled",
    "replaying",
    "set_view_replay_enabled",
]


class _Replay(threading.local):
    on = False


_replay = _Replay()


def replaying() -> bool:
    """Do stale views keep the names of the operations that made them?"""
    return _replay.on


is_view_replay_enabled = replaying


class _force_original_view_tracking(Decorator):
    """Whether a view whose base was written is made again by the operations that made it first
    (True), or as PyTorch usually does (False, the default); per thread.

    Call it, or use it as a context manager or a decorator. Gradients do not depend on it. Here the
    operations are always done again, on every device; what changes is the kind of the node that
    `grad_fn` of the view shows: the operation's own, or `AsStridedBackward0`.
    """

    def __init__(self, mode: bool) -> None:
        self.previous, self.mode = _replay.on, bool(mode)
        _replay.on = self.mode

    def __call__(self, function: Decorated) -> Decorated:
        _replay.on = self.previous
        return super().__call__(function)

    def clone(self) -> Any:
        """A fresh context of the same mode."""
        return type(self)(self.mode)

    def __enter__(self) -> None:
        _replay.on = self.mode

    def __exit__(self, *_: object) -> None:
        _replay.on = self.previous


set_view_replay_enabled = _force_original_view_tracking


class _unsafe_preserve_version_counter(Decorator):
    """At its end the versions of the given tensors are what they were when it was made, so that
    writes within it go unnoticed: for memory that is emptied and filled again with the same values.

    A backward pass through values that the writes did change computes wrong gradients silently.
    """

    def __init__(self, tensors: Tensor | tuple[Tensor, ...]) -> None:
        self.tensors = (tensors,) if isinstance(tensors, Tensor) else tensors
        if not isinstance(self.tensors, tuple):
            raise AssertionError("Expected tensors to be a tuple")
        self.versions = tuple(version(t._array) for t in self.tensors)

    def clone(self) -> Any:
        """A fresh context for the same tensors, from their versions now."""
        return type(self)(self.tensors)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        for t, count in zip(self.tensors, self.versions, strict=True):
            set_version(t._array, count)
