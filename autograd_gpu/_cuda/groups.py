"""How many threads share an item of a computation, and how many items a block holds.

Rows lie along memory and are shared by threads that are neighbours in x; columns lie across it, so
that neighbours in x are neighbouring columns and the threads of one x share one. Blocks are of 256
threads; where the items are few, of up to 512."""

from math import prod

__all__ = ["FEW", "Tiles", "columns", "one_block", "rows", "tiles"]

Tiles = tuple[str, tuple[int, ...], tuple[int, int], tuple[int, int, int]]
"""(form, grid, block, (slabs, size, across)): see Item in groups.cuh."""

FEW = 264  # blocks that keep a large GPU busy: two on each of its multiprocessors
_BLOCK, _MOST = 256, 512
_MAX_X, _MAX_Y = (1 << 31) - 1, (1 << 16) - 1


def _power(n: int) -> int:
    """The least power of two that is not below n; 1 for n = 0."""
    return 1 << max(0, n - 1).bit_length()


def rows(items: int, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(grid, block) for `items` rows of `size` elements."""
    if size <= 32:
        lanes = _power(size)
    elif size <= 1024 and items >= 4 * FEW:
        lanes = 32
    else:  # four elements a thread, so that all are on their way at once
        most = _BLOCK if items >= FEW or size <= 4 * _BLOCK else _MOST
        lanes = min(most, max(32, _power(-(-size // 4))))
    beside = _BLOCK // lanes if lanes <= 32 else 1
    return (_grid(items, beside), 1), (lanes, beside)


def columns(items: int, size: int, slabs: int = 1) -> tuple[tuple[int, int], tuple[int, int]]:
    """(grid, block) for `items` columns of `size` elements in each of some slabs."""
    beside = min(32, _power(items))
    most = (_BLOCK if items * slabs >= 32 * FEW else _MOST) // beside
    shared = min(most, _power(-(-size // 4)))
    beside = max(beside, min(_BLOCK // shared, _power(items)), 32 // shared)
    return (_grid(items, beside), min(max(1, slabs), _MAX_Y)), (beside, shared)


def one_block(form: str, across: int, size: int) -> tuple[int, int]:
    """A single block for all items."""
    if form == "rows":
        lanes = min(32, _power(size))
        return lanes, max(32 // lanes, min(_MOST // lanes, _power(across)))
    beside = max(1, min(_MOST, _power(across)))
    shared = min(_MOST // beside, _power(-(-size // 4)))
    return max(beside, 32 // shared), shared


def tiles(shape: tuple[int, ...], dim: int) -> Tiles:
    """How a contiguous array is gone over along a dimension."""
    size = shape[dim] if shape else 1
    outer, inner = prod(shape[:dim]), prod(shape[dim + 1 :])
    if inner == 1:
        return "rows", *rows(outer, size), (1, size, outer)
    return "columns", *columns(inner, size, outer), (outer, size, inner)


def _grid(items: int, beside: int) -> int:
    return min(max(1, -(-items // beside)), _MAX_X)
