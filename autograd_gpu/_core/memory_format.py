"""The names of memory layouts that functions take as `memory_format`."""

from typing import Any

__all__ = ["channels_last", "contiguous_format", "memory_format", "preserve_format"]


class memory_format:
    """How the elements of a new tensor are to lie in memory."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:
        return self.name


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
