"""Uniforms one by one, for samplers that do not know how many they will need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .uniform import uniform53

if TYPE_CHECKING:
    from collections.abc import Callable

    from .generator import Generator


@contextmanager
def uniforms(gen: Generator, ahead: int) -> Iterator[Callable[[], float]]:
    """A function that gives the next float64 uniform at each call.

    Words are drawn ahead in bulk; on leaving, the generator stands behind those that were used.
    """
    mark = gen.source.mark()
    used = 0

    def numbers() -> Iterator[float]:
        nonlocal used
        size = min(max(2 * ahead, 16), 4096)
        while True:
            for value in uniform53(gen, size).tolist():
                used += 1
                yield value

    draw = numbers()
    try:
        yield draw.__next__
    finally:
        gen.source.back(mark)
        gen.source.skip(2 * used)
