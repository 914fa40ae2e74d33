"""What every floor shares: the clock of nodes and writes, the modes of each thread, and silence
for NumPy's warnings."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

__all__ = [
    "ANOMALY", "carried_modes", "hush", "local", "modes", "off", "quiet", "recording", "set_mode",
    "set_recording", "state", "thread_key", "tick", "unhush",
]  # fmt: skip

tick = itertools.count(1).__next__
"""One clock: recorded nodes and in-place writes take their numbers from it."""


off: set[int] = set()
"""Why some operation, somewhere, may not be recorded as usual: the threads that record nothing just
now, and all that is in `modes`. Empty in the usual case, and then nothing else is asked."""

modes: set[int] = set()
"""The rare modes in force in some thread (anomaly, inference, hooks of saved tensors), and the
inference tensors that are alive."""


ANOMALY = -1
"""The key of anomaly mode in `modes`."""


class _State:
    """`last_write`: the number of the youngest in-place write. `several_devices`: is there more
    than one CUDA device in use?"""

    __slots__ = ("last_write", "several_devices")
    last_write: int
    several_devices: bool


class _End:
    """Dies with its thread: what was in force there alone is in force no more."""

    def __init__(self, thread: int) -> None:
        self.thread = thread

    def __del__(self, off: set = off, modes: set = modes) -> None:
        off.discard(self.thread)
        for kind in range(2, 16):
            off.discard(-16 * self.thread - kind)
            modes.discard(-16 * self.thread - kind)


class _Local(threading.local):
    """The modes of one thread. `inference`: in inference mode, the token of what is made in it.
    `packing`: its hooks of saved tensors, the innermost last; `no_packing`: why there may be none.
    `before_write`: called with an array that is about to be written."""

    on = True
    inference: Any = None
    packing: tuple = ()
    no_packing: str | None = None
    before_write: tuple = ()

    def __init__(self) -> None:  # once in each thread
        self.end = _End(threading.get_ident())


state, local = _State(), _Local()
state.last_write = 0
state.several_devices = False


def recording() -> bool:
    """Does this thread record operations? Generated code asks only where `off` is not empty."""
    return local.on and local.inference is None


def set_recording(on: bool) -> None:
    """Switch recording for this thread."""
    if local.on is not on:
        local.on = on
        if on:
            off.discard(threading.get_ident())
        else:
            off.add(threading.get_ident())


def thread_key(kind: int) -> int:
    """The key of a thread's mode: `kind` is 2 and more. No thread's own number is negative, and
    those of inference tensors end otherwise."""
    return -16 * threading.get_ident() - kind


def set_mode(key: int, on: bool) -> None:
    """Put a rare mode in force, or end it. `key` is its own: negative, no number of a thread."""
    if on:
        modes.add(key)
        off.add(key)
    else:
        modes.discard(key)
        off.discard(key)


def carried_modes() -> AbstractContextManager[None]:
    """A context for another thread that stands for this one, in which this one's modes hold."""
    mine = {name: value for name, value in local.__dict__.items() if name != "end"}
    kinds = [kind for kind in range(2, 16) if thread_key(kind) in modes]

    @contextmanager
    def there() -> Iterator[None]:
        set_recording(mine.get("on", True))
        local.__dict__.update(mine)
        for kind in kinds:
            set_mode(thread_key(kind), True)
        try:
            yield
        finally:
            for kind in kinds:
                set_mode(thread_key(kind), False)
            set_recording(True)

    return there()


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
