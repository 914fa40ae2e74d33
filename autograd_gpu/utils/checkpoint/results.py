"""Results of operations, kept for a recomputation."""

from collections.abc import Callable
from typing import Any

from ..._core.device import cpu, device_of, move
from ..._core.library import RAW
from ..._ops.declare import Op
from ...autograd.mutation import version

__all__ = ["Step"]


class Step:
    """One primitive operation of the forward: its row, and what it gave, while that is held.

    `kept`: a policy said so; `taken`: a recomputation has had it; `places`: where arrays that are
    in host memory came from.
    """

    __slots__ = ("counts", "kept", "known", "op", "places", "taken")

    def __init__(self, op: Op) -> None:
        self.op, self.kept, self.taken = op, False, False
        self.known: Any = None
        self.counts: list[int] = []
        self.places: list[Any] | None = None

    def keep(self, offload: bool) -> None:
        """Keep what it gave, where it is or in host memory."""
        if self.known is None or self.kept:
            return
        self.kept = True
        self.counts = [version(a) for a in _arrays(self.known)]
        if offload:
            self.places = [device_of(a) for a in _arrays(self.known)]
            self.known = _mapped(self.known, lambda a: move(a, cpu))

    def take(self, mutable: bool) -> tuple:
        """What it gave; it is not held any longer."""
        known, self.known, self.taken = self.known, None, True
        if not mutable and [version(a) for a in _arrays(known)] != self.counts:
            raise RuntimeError(
                f"Tensor cached during selective activation checkpoint has been mutated: "
                f"{self.op.name} gave it, and something wrote into it in place. Let the policy not "
                "save it."
            )
        if self.places is None:
            return known
        places = iter(self.places)
        return _mapped(known, lambda a: move(a, next(places)))


def _mapped(value: Any, change: Callable) -> Any:
    if isinstance(value, tuple):
        return tuple(_mapped(v, change) for v in value)
    return change(value) if value.__class__ in RAW else value


def _arrays(value: Any) -> list[Any]:
    found: list[Any] = []
    _mapped(value, found.append)
    return found
