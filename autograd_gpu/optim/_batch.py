"""Parameters on a device take their step together: one launch for all that are of a kind."""

from typing import Any

from .._core.device import at, device_of
from .._core.library import KERNELS
from ._sweep import Kernel, Scratch, sweep

__all__ = ["Batch", "together"]


class Batch:
    """Collects what waits for a step: parameter, gradient and states of each, and the constants of
    the formula; then takes it, with the fused kernel of the name where there is one that accepts,
    else one parameter after the other."""

    def __init__(self, name: str | None, kernel: Kernel, scratch: Scratch) -> None:
        """`kernel`: the formula on arrays; see `_sweep`."""
        self.name, self.kernel, self.scratch = name, kernel, scratch
        self.waiting: dict[Any, list[list[Any]]] = {}

    def add(self, arrays: list[Any], constants: tuple) -> None:
        """One parameter more."""
        p = arrays[0]
        kind = p.data.device_id, p.dtype, p.flags.c_contiguous, len(arrays), constants
        self.waiting.setdefault(kind, []).append(arrays)

    def step(self) -> None:
        """Take the step."""
        for (*_, constants), rows in self.waiting.items():
            with at(device_of(rows[0][0])):
                if together(self.name, rows[0][0], rows, constants) is not NotImplemented:
                    continue
                for arrays in rows:
                    sweep(self.kernel, arrays, constants, self.scratch)
        self.waiting.clear()


def together(name: str | None, first: Any, *args: Any) -> Any:
    """What the kernel of this name gives for many arrays like `first`; NotImplemented where there
    is none, or none that accepts them."""
    run = KERNELS.get(name or "", {}).get(first.__class__)
    return NotImplemented if run is None else run(*args)
