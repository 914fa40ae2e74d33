"""How cuBLAS is told of a product of strided arrays: flags, leading dimensions, batch strides.

Pure arithmetic on shapes and strides, so that it is tested without arrays. cuBLAS reads memory
column by column. A row-major matrix is, read so, its transpose; hence C = A B is asked for as
C^T = B^T A^T, with the factors in exchanged order and without a copy. A factor fits where one of
its strides is 1: the other one is its leading dimension, and the flag says which of both it is.

A form names the product: "nn" A B, "nt" A B^T, "nh" A B^H, "hn" A^H B (^H: transposed and
conjugated). Only the last two dimensions of batches are turned.
"""

import math
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "COPY_A", "COPY_B", "DECLINED", "EMPTY", "LIMIT", "SPREAD_A", "SPREAD_B", "Batch", "Plan",
    "batch_plan", "plan",
]  # fmt: skip

N, T, C = 0, 1, 2  # cublasOperation_t
LIMIT = (1 << 31) - 1
MOST_CALLS = 16
"""Batches whose strides are not uniform: up to so many calls are better than a copy."""

COPY_A, COPY_B, SPREAD_A, SPREAD_B, EMPTY, DECLINED = 1, 2, 4, 8, 16, 32
"""Why a product cannot be asked for at once, bits of `problem`: a factor must be copied, or copied
as often as its batch broadcasts; nothing is to be added up; cuBLAS cannot do it."""

Numbers = tuple[int, ...]


class Plan(NamedTuple):
    """Arguments of a product in cuBLAS's order (B first), the result's shape, and what stands in
    the way."""

    flag_b: int
    flag_a: int
    m: int
    n: int
    k: int
    ld_b: int
    ld_a: int
    shape: Numbers
    problem: int


class Batch(NamedTuple):
    """The same for `batches` products, `step` elements apart; repeated at each of `starts`, offsets
    of A, B and C in bytes."""

    flag_b: int
    flag_a: int
    m: int
    n: int
    k: int
    ld_b: int
    ld_a: int
    step_b: int
    step_a: int
    step_c: int
    batches: int
    starts: tuple[tuple[int, int, int], ...]
    shape: Numbers
    problem: int


class Matrix(NamedTuple):
    """A matrix in memory: its lengths, and its strides in bytes."""

    rows: int
    columns: int
    down: int
    right: int

    def turned(self) -> "Matrix":
        """The transpose."""
        return Matrix(self.columns, self.rows, self.right, self.down)


def factor(matrix: Matrix, itemsize: int, conj: bool = False) -> tuple[int, int] | None:
    """(flag, leading dimension) of a factor as it stands in A B; None where it must be copied.

    Strides of dimensions of length 1 mean nothing. A conjugate is to be had of a transpose only.
    """
    rows, columns, down, right = matrix
    if not conj and (columns == 1 or right == itemsize):
        ld = columns if rows == 1 else _elements(down, itemsize)
        if columns <= ld <= LIMIT:
            return N, ld
    if rows == 1 or down == itemsize:
        ld = rows if columns == 1 else _elements(right, itemsize)
        if rows <= ld <= LIMIT:
            return (C if conj else T), ld
    return None


def _elements(stride: int, itemsize: int) -> int:
    """A stride in elements; -1 where it is no number of them."""
    n, rest = divmod(stride, itemsize)
    return -1 if rest else n


def flat(shape: Numbers, strides: Numbers) -> Matrix | None:
    """All dimensions but the last as rows; a vector is one row. None where the rows do not lie at
    one distance."""
    if len(shape) == 2:
        return Matrix(*shape, *strides)
    if not shape:
        return None
    rows, down = 1, 0
    for n, stride in zip(shape[-2::-1], strides[-2::-1], strict=True):
        if n == 1:
            continue
        if rows == 1:
            rows, down = n, stride
        elif stride == rows * down:
            rows *= n
        else:
            return None
    return Matrix(rows, shape[-1], down, strides[-1])


def _refused(problem: int, shape: Numbers = ()) -> Plan:
    return Plan(N, N, 0, 0, 0, 1, 1, shape, problem)


@lru_cache(4096)
def plan(
    form: str, conj: bool, shape_a: Numbers, strides_a: Numbers, shape_b: Numbers,
    strides_b: Numbers, itemsize: int,
) -> Plan:  # fmt: skip
    """One product of matrices. Further dimensions are rows: `conj`: "h" conjugates as well.

    "nn": (.., n, k) (k, m); "nt": (.., n, k) (.., m, k), where a vector is one row; "hn":
    (.., k, n) (.., k, m). The dimensions of the result are those that are not added over.
    """
    inner = shape_a[-1:] if form[0] == "n" else shape_a[:-1]
    if not shape_a or not shape_b:
        return _refused(DECLINED)
    if inner != (shape_b[:-1] if form[1] == "n" else shape_b[-1:]):
        return _refused(DECLINED)
    shape = (shape_a[:-1] if form[0] == "n" else shape_a[-1:]) + (
        shape_b[-1:] if form[1] == "n" else shape_b[:-1]
    )
    if not math.prod(shape) or not math.prod(inner):
        return _refused(EMPTY, shape)
    a, b = flat(shape_a, strides_a), flat(shape_b, strides_b)
    if a is None or b is None:
        return _refused((a is None) * COPY_A | (b is None) * COPY_B, shape)
    return _flags(form, conj, _turned(form[0], a), _turned(form[1], b), itemsize, shape)


def _turned(letter: str, matrix: Matrix) -> Matrix:
    return matrix if letter == "n" else matrix.turned()


def _flags(form: str, conj: bool, a: Matrix, b: Matrix, itemsize: int, shape: Numbers) -> Plan:
    """The plan of A B, of factors that are turned already; "h" in the form conjugates."""
    if max(*a[:2], *b[:2]) > LIMIT:
        return _refused(DECLINED)
    left = factor(a, itemsize, conj and form[0] == "h")
    right = factor(b, itemsize, conj and form[1] == "h")
    if left is None or right is None:
        return _refused((left is None) * COPY_A | (right is None) * COPY_B, shape)
    return Plan(right[0], left[0], b.columns, a.rows, a.columns, right[1], left[1], shape, 0)


# ---- batches


def _uneven(problem: int, shape: Numbers = ()) -> Batch:
    return Batch(N, N, 0, 0, 0, 1, 1, 0, 0, 0, 0, (), shape, problem)


@lru_cache(4096)
def batch_plan(
    form: str, conj: bool, shape_a: Numbers, strides_a: Numbers, shape_b: Numbers,
    strides_b: Numbers, itemsize: int,
) -> Batch:  # fmt: skip
    """Products of the matrices in the last two dimensions; the others broadcast."""
    if len(shape_a) < 2 or len(shape_b) < 2:
        return _uneven(DECLINED)
    a = _turned(form[0], Matrix(*shape_a[-2:], *strides_a[-2:]))
    b = _turned(form[1], Matrix(*shape_b[-2:], *strides_b[-2:]))
    lengths = _broadcast(shape_a[:-2], shape_b[:-2])
    if lengths is None or a.columns != b.rows:
        return _uneven(DECLINED)
    shape = (*lengths, a.rows, b.columns)
    if not math.prod(shape) or not a.columns:
        return _uneven(EMPTY, shape)
    one = _flags(form, conj, a, b, itemsize, shape)
    if one.problem:
        return _uneven(one.problem, shape)
    along = [
        _spread(shape_a, strides_a, lengths), _spread(shape_b, strides_b, lengths),
        _contiguous(lengths, a.rows * b.columns * itemsize),
    ]  # fmt: skip
    return _batched(one, _merged(lengths, along), itemsize)


def _broadcast(a: Numbers, b: Numbers) -> Numbers | None:
    """The lengths that two batches broadcast to; None where they do not."""
    size = max(len(a), len(b))
    a, b = (1,) * (size - len(a)) + a, (1,) * (size - len(b)) + b
    if any(n != m and n != 1 and m != 1 for n, m in zip(a, b, strict=True)):
        return None
    return tuple([m if n == 1 else n for n, m in zip(a, b, strict=True)])


def _spread(shape: Numbers, strides: Numbers, lengths: Numbers) -> Numbers:
    """Strides of a batch, 0 where it broadcasts."""
    own = tuple([0 if n == 1 else s for n, s in zip(shape[:-2], strides[:-2], strict=True)])
    return (0,) * (len(lengths) - len(own)) + own


def _contiguous(lengths: Numbers, size: int) -> Numbers:
    """The strides of a result's batch, whose matrices have `size` bytes."""
    strides = []
    for n in reversed(lengths):
        strides.append(size)
        size *= n
    return tuple(reversed(strides))


def _merged(lengths: Numbers, along: list[Numbers]) -> list[tuple[int, Numbers]]:
    """[(length, strides)]: neighbours that one stride reaches in every array become one."""
    dims: list[tuple[int, Numbers]] = []
    for n, *steps in zip(lengths, *along, strict=True):
        if n == 1:
            continue
        if dims and dims[-1][1] == tuple([n * s for s in steps]):
            dims[-1] = dims[-1][0] * n, tuple(steps)
        else:
            dims.append((n, tuple(steps)))
    return dims


def _batched(one: Plan, dims: list[tuple[int, Numbers]], itemsize: int) -> Batch:
    """The longest dimension in one call; calls for the others, or a copy where they are many."""
    dims = sorted(dims, key=lambda dim: -dim[0]) or [(1, (0, 0, 0))]
    (batches, steps), rest = dims[0], dims[1:]
    a, b, c = [_elements(step, itemsize) for step in steps]
    copies = (a < 0) * COPY_A | (b < 0) * COPY_B
    if math.prod(n for n, _ in rest) > MOST_CALLS and not copies:
        copies = _to_copy(dims)
    if copies:
        return _uneven(copies, one.shape)
    if batches > LIMIT:
        return _uneven(DECLINED)
    starts: list[tuple[int, int, int]] = [(0, 0, 0)]
    for n, (da, db, dc) in rest:
        starts = [
            (x + i * da, y + i * db, z + i * dc) for x, y, z in starts for i in range(n)
        ]
    return Batch(*one[:7], b, a, c, batches, tuple(starts), one.shape, 0)


def _to_copy(dims: list[tuple[int, Numbers]]) -> int:
    """Which factors do not lie at one distance from matrix to matrix, counted in the result's
    order."""
    order = sorted(dims, key=lambda dim: dim[1][2])
    problem = 0
    for place, bit in ((0, SPREAD_A), (1, SPREAD_B)):
        size, step = order[0][0], order[0][1][place]
        for n, steps in order[1:]:
            if steps[place] != size * step:
                problem |= bit
            size *= n
    return problem
