"""Errors put into a program: at the k-th call of what it does, for every k, one run each.

    for fault in faults(points):
        with fault:
            program(points)         # calls points.pass_by(...) wherever it may fail
        ...                         # what must hold whether it failed or not
"""

import sys
from contextlib import contextmanager

import numpy as np

import autograd_gpu as ag
from autograd_gpu._core.state import local, modes, off
from autograd_gpu.autograd import accumulate, engine
from autograd_gpu.autograd.passes import here


class Fault(Exception):
    """The error that is put in."""


class Points:
    """Places where a program may be made to fail. `at`: the number of the call that fails."""

    def __init__(self):
        self.at, self.count, self.place = None, 0, None

    def pass_by(self, place, value=None):
        """One place is passed; gives `value`."""
        self.count += 1
        if self.count == self.at:
            self.place = place
            raise Fault(place)
        return value

    def hook(self, place, function=lambda *args: None):
        """A hook that passes by before it does its work."""

        def passing(*args):
            self.pass_by(place)
            return function(*args)

        return passing


def faults(points, step=1, most=10_000):
    """One context a run: the first fails at its first call, ..., the last does not fail."""
    for k in range(1, most, step):
        points.at, points.count, points.place = k, 0, None
        yield swallowed()
        if points.place is None:
            points.at = None
            return
    raise AssertionError("there is no end of calls")


@contextmanager
def swallowed():
    try:
        yield
    except Fault:
        pass


@contextmanager
def calls_inside(points, clean=("set_recording", "__exit__", "there", "<genexpr>")):
    """Every call of a Python function of the package is a place. `clean`: those that restore what was.

    An error there is like Ctrl-C: it comes from outside, anywhere.
    """
    home = ag.__path__[0]

    def trace(frame, event, arg):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith((home, "<autograd_gpu")):
            if code.co_name not in clean and sys.exc_info()[0] is None:
                points.pass_by(f"{code.co_filename.rpartition('/')[2]}:{code.co_name}")

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def allocations(points, xp):
    """Every allocation on the device is a place: there is no memory left."""
    taken = xp.cuda.get_allocator()

    def allocate(size):
        points.pass_by(f"allocation of {size} bytes")
        return taken(size)

    with xp.cuda.using_allocator(allocate):
        yield


def thread_state():
    """Everything that a failed pass must put back."""
    return {
        "grad mode": ag.is_grad_enabled(),
        "modes": (dict(vars(local)), set(modes), set(off)),
        "errors of NumPy": np.geterr(),
        "passes": here.top,
        "slots": engine._slots.locked(),
        "adding": accumulate.adding._is_owned(),
    }


def waiting(roots):
    """The nodes behind `roots` in which a gradient waits."""
    from autograd_gpu.autograd.plan import reachable
    from autograd_gpu.autograd.views import edge_of

    edges = [edge_of(t) for t in roots]
    return [n for n in reachable(e for e in edges if e is not None) if n.g is not None]
