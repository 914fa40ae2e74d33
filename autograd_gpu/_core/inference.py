"""Inference tensors: what was made in inference mode, of which no version is kept and no view is
followed.
"""

from collections.abc import Iterator
from typing import Any

from .state import local, modes, off

__all__ = ["Inference", "is_inference", "mark", "release", "share"]


class Inference:
    """What the tensors made within one `inference_mode()` have in their `_family`: one token for
    all of them. As long as it lives, which is as long as the last of them, operations look for
    such tensors among what they save (it is one of `state.modes`).

    `writes`: None, or how often an alias was written that may be written outside inference mode,
    since autograd looks away: `x.detach()` and `x.data`, where they were made outside.
    """

    __slots__ = ("writes",)

    def __init__(self, writes: int | None = None) -> None:
        self.writes = writes
        key = ~id(self)  # negative, and no thread's key: see `thread_key`
        modes.add(key)
        off.add(key)

    def __iter__(self) -> Iterator:
        """Views that are followed, as in the families of other tensors: there are none."""
        return iter(())

    def __del__(self) -> None:
        key = ~id(self)
        modes.discard(key)
        off.discard(key)


def is_inference(t: Any) -> bool:
    """Was this tensor made in inference mode?"""
    return getattr(t, "_family", None).__class__ is Inference


def share(t: Any, source: Any) -> None:
    """`t` looks at the memory of `source`: it is an inference tensor where that is one."""
    family = getattr(source, "_family", None)
    if family.__class__ is Inference:
        t._family = family
    elif is_inference(t):
        del t._family


def release(t: Any) -> None:
    """`t`, an alias of an inference tensor made outside inference mode, may be written there."""
    if local.inference is None and is_inference(t):
        t._family = Inference(writes=0)


def mark(t: Any) -> None:
    """Called of each tensor made while some mode is in force: in inference mode it is marked."""
    token = local.inference
    if token is not None:
        t._family = token
