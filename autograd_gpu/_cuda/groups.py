"""How many threads share an item of a computation, and how many items a block holds.

Rows lie along memory and are shared by threads that are neighbours in x; columns lie across it, so
that neighbours in x are neighbouring columns and the threads of one x share one. Blocks are of 256
threads; where the items are few, of up to 512."""

__all__ = ["FEW", "columns", "one_block", "rows", "tiles"]

FEW = 264  # blocks that keep a large GPU busy: two on each of its multiprocessors
_BLOCK, _MOST = 256, 512
_MAX_GRID = (1 << 31) - 1


def _power(n: int) -> int:
    """The least power of two that is not below n; 1 for n = 0."""
    return 1 << max(0, n - 1).bit_length()


def rows(items: int, size: int) -> tuple[tuple[int], tuple[int, int]]:
    """(grid, block) for `items` rows of `size` elements."""
    if size <= 32:
        lanes = _power(size)
    elif size <= 1024 and items >= 4 * FEW:
        lanes = 32
    else:  # four elements a thread, so that all are on their way at once
        most = _BLOCK if items >= FEW or size <= 4 * _MOST else _MOST
        lanes = min(most, max(32, _power(-(-size // 4))))
    beside = _BLOCK // lanes if lanes <= 32 else 1
    return (_grid(items, beside),), (lanes, beside)


def columns(items: int, size: int) -> tuple[tuple[int], tuple[int, int]]:
    """(grid, block) for `items` columns of `size` elements."""
    beside = min(32, _power(items))
    most = (_BLOCK if items >= 32 * FEW else _MOST) // beside
    shared = min(most, _power(-(-size // 4)))
    beside = max(beside, min(_BLOCK // shared, _power(items)), 32 // shared)
    return (_grid(items, beside),), (beside, shared)


def one_block(form: str, items: int, size: int) -> tuple[int, int]:
    """A single block for all items."""
    if form == "rows":
        lanes = min(32, _power(size))
        return lanes, max(32 // lanes, min(_MOST // lanes, _power(items)))
    beside = max(1, min(_MOST, _power(items)))
    shared = min(_MOST // beside, _power(-(-size // 4)))
    return max(beside, 32 // shared), shared


def tiles(inner: int) -> str:
    """The form for items whose elements lie `inner` apart."""
    return "rows" if inner == 1 else "columns"


def _grid(items: int, beside: int) -> int:
    return min(max(1, -(-items // beside)), _MAX_GRID)
