"""Launches that are made again and again: all but the arrays is looked up and typed once."""

from collections.abc import Callable
from typing import Any

from .._core.library import Library
from .launch import find, launch

__all__ = ["Kept", "prepared"]


class Kept(dict[Any, Any]):
    """What was found, by all that it depends on; forgotten when it becomes too much."""

    def keep(self, mark: Any, value: Any) -> Any:
        """Put a value in, which is returned."""
        if len(self) >= 4096:
            self.clear()
        self[mark] = value
        return value


def prepared(
    xp: Library, name: str, form: str, dtype: str, grid: Any, block: Any, *numbers: Any
) -> Callable[..., None]:
    """`launch` as a function of the arrays, which come first among the kernel's parameters. It no
    more looks at them: that their dtypes are right and that they are contiguous is for the caller
    to see to."""
    grid = grid if grid.__class__ is tuple else (grid,)
    block = block if block.__class__ is tuple else (block,)
    if xp.several_devices:
        return lambda *arrays: launch(xp, name, form, dtype, grid, block, *arrays, *numbers)
    instance = find(xp, name, form, dtype, 0)
    function, null, first = instance.function, xp.null, len(instance.parameters) - len(numbers)
    typed = tuple([
        xp.structure(value) if convert is None else convert(value)
        for convert, value in zip(instance.converters[first:], numbers, strict=True)
    ])
    if not any(p.optional for p in instance.parameters):
        return lambda *arrays: function(grid, block, (*arrays, *typed))

    def run(*arrays: Any) -> None:
        function(grid, block, (*[null if a is None else a for a in arrays], *typed))

    return run
