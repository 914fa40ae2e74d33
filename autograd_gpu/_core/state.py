"""What every floor shares: the clock of nodes and writes, the grad mode, and silence for NumPy's
warnings."""

import itertools
import threading
from typing import Any

import numpy as np

__all__ = ["hush", "local", "quiet", "recording", "set_recording", "state", "tick", "unhush"]

tick = itertools.count(1).__next__
"""One clock: recorded nodes and in-place writes take their numbers from it."""


class _State:
    """`off`: how many threads record nothing just now. `last_write`: the number of the youngest
    in-place write. `several_devices`: is there more than one CUDA device in use?"""

    __slots__ = ("last_write", "off", "several_devices")
    last_write: int
    off: int
    several_devices: bool


class _Local(threading.local):
    on = True


state, local, _lock = _State(), _Local(), threading.Lock()
state.off = state.last_write = 0
state.several_devices = False


def recording() -> bool:
    """Does this thread record operations? Generated code asks only where `state.off` says that some
    thread does not."""
    return local.on


def set_recording(on: bool) -> None:
    """Switch recording for this thread."""
    if local.on is not on:
        local.on = on
        with _lock:
            state.off += -1 if on else 1


# NumPy keeps its error state in a context variable. `np.errstate` costs 0.9 us an op, setting the
# variable 0.09 us; so generated code does `token = hush(quiet)` ... `unhush(token)`, and the user's
# own settings are untouched outside an op.
def _hush_slowly(_: Any) -> Any:
    return np.seterr(all="ignore")


def _unhush_slowly(token: Any) -> None:
    np.seterr(**token)


hush: Any = _hush_slowly
"""`token = hush(quiet)` silences NumPy's floating-point warnings in this context ..."""
unhush: Any = _unhush_slowly
"""... and `unhush(token)` restores what was."""
quiet: Any = None

try:
    from numpy._core.umath import _extobj_contextvar as _variable
except ImportError:
    pass  # a NumPy that keeps it elsewhere: slower, same behaviour
else:
    hush, unhush = _variable.set, _variable.reset
    with np.errstate(all="ignore"):
        quiet = _variable.get()
