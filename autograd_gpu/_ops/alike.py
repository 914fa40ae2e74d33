"""The shape or dtype of another tensor; and elements in the usual order of memory."""

from typing import Any

from .._core.memory_format import channels_last, contiguous_format
from .._core.tensor import Tensor
from .convert import copied_into
from .declare import Array, composite, op

__all__ = ["contiguous", "expand_as", "reshape_as", "type_as", "view_as"]


def _tensor(name: str, other: Any) -> Tensor:
    if not isinstance(other, Tensor):
        raise TypeError(
            f"{name}(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}"
        )
    return other


@composite(where=("Tensor",))
def view_as(input, other):
    """The same memory in the other tensor's shape; see `view`."""
    return input.view(_tensor("view_as", other).shape)


@composite(where=("Tensor",))
def reshape_as(input, other):
    """The same elements in the other tensor's shape; see `reshape`."""
    return input.reshape(_tensor("reshape_as", other).shape)


@composite(where=("Tensor",))
def expand_as(input, other):
    """The tensor stretched to the other one's shape; see `expand`."""
    return input.expand(_tensor("expand_as", other).shape)


@composite(where=("Tensor",))
def type_as(input, other):
    """The tensor in the other one's dtype and on its device; itself where it is so already; see
    `to`.
    """
    return input.to(_tensor("type_as", other))


@op(where=(), node="CloneBackward0")
def _laid_out(xp, input: Array, order):
    """A copy whose dimensions follow each other in memory in this order, the outermost first."""
    back = sorted(range(len(order)), key=order.__getitem__)
    moved = input.transpose(order)
    return copied_into(xp.empty(moved.shape, moved.dtype), moved).transpose(back)


_laid_out.derivative(input=lambda grad: grad)


@composite(where=("Tensor",))
def contiguous(input, memory_format=contiguous_format):
    """The tensor with its elements row by row in memory, without gaps: itself if it is so already,
    else a copy.

    `memory_format=channels_last`: with the channels of (N, C, H, W) innermost.
    y = x,  dL/dx = g
    """
    if input.is_contiguous(memory_format=memory_format):
        return input
    ndim = input.ndim
    if memory_format is channels_last and ndim != 4:
        raise RuntimeError(
            f"required rank 4 tensor to use channels_last format, but got {ndim} dimensions"
        )
    return _laid_out(input, (0, 2, 3, 1) if memory_format is channels_last else tuple(range(ndim)))


_laid_out.samples(lambda t: [(t(2, 3, 4), (2, 0, 1)), (t.strided(2, 3), (0, 1)), (t(), ())])
