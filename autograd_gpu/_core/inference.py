"""Inference tensors: what was made in inference mode, of which no version is kept and no view is
followed.
"""

from typing import Any

from .state import local, set_mode

__all__ = ["Inference", "is_inference", "mark", "share"]


class Inference:
    """What all inference tensors of one memory have in their `_family`. As long as it lives,
    operations look for such tensors among what they save (it is one of `state.modes`)."""

    __slots__ = ()

    def __init__(self) -> None:
        set_mode(~id(self), True)

    def __del__(self) -> None:
        set_mode(~id(self), False)


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


def mark(t: Any) -> None:
    """Called of each tensor made while some mode is in force: in inference mode it is marked."""
    if local.inference:
        t._family = Inference()
