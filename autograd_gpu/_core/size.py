"""Size: the shape of a tensor, a tuple that prints as PyTorch's does."""

import math
from collections.abc import Iterable
from typing import Any

__all__ = ["Size", "size_from"]


class Size(tuple):
    """A tuple of lengths. Slices and sums of sizes are sizes; `numel()` is their product."""

    __slots__ = ()

    def __new__(cls, lengths: Iterable[Any] = ()) -> "Size":
        self = super().__new__(cls, lengths)
        for n in self:
            if n.__class__ is not int and not hasattr(n, "__index__"):
                raise TypeError(
                    f"torch.Size() takes an iterable of 'int' (item 0 is '{type(n).__name__}')"
                )
        return self

    def numel(self) -> int:
        """How many elements a tensor of this size has."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __getitem__(self, key: Any) -> Any:
        item = super().__getitem__(key)
        return Size(item) if isinstance(key, slice) else item

    def __add__(self, other: Any) -> "Size":
        if not isinstance(other, tuple):
            raise TypeError(
                f"can only concatenate tuple (not {type(other).__name__}) to torch.Size"
            )
        return Size(tuple(self) + tuple(other))

    def __radd__(self, other: tuple) -> "Size":
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> "Size":
        return Size(tuple(self) * times)

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)


def size_from(args: tuple, op: str = "size") -> tuple[int, ...]:
    """The size in `f(2, 3)`, `f((2, 3))`, `f([2, 3])` or `f(size)`, as a tuple of ints; TypeError
    for anything else."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = tuple(args[0])
    try:
        return tuple([n if n.__class__ is int else n.__index__() for n in args])
    except AttributeError:
        bad = next(n for n in args if not hasattr(n, "__index__"))
        raise TypeError(
            f"{op}(): argument 'size' must be tuple of ints, but found element of type "
            f"{type(bad).__name__}"
        ) from None
