"""einsum: sums of products by Einstein's convention, made of permutations, matrix products and
sums.
"""

import math
from typing import Any

from .declare import composite
from .diagonal import diagonal
from .matmul import bmm
from .reduce import _sum
from .shape import _permute, _reshape

__all__ = ["einsum"]

_DOTS = "..."


@composite(where=("",))
def einsum(*args):
    """Sums of products of elements, where letters name the dimensions.

    einsum("ij,jk->ik", a, b): y_ik = sum_j a_ij b_jk
    derivatives through the products and sums

    A letter that the output does not name is summed over; one that an operand names twice takes its
    diagonal. "..." stands for dimensions that broadcast. Without "->" the output has the letters
    that occur once, in the order of the alphabet, after the dots. Also einsum(a, [0, 1], b, [1, 2],
    [0, 2]). Operands are multiplied from left to right. RuntimeError for an equation that the
    operands do not fit.
    """
    equation, operands = _split(args)
    inputs, output = _parse(equation, operands)
    sizes: dict[Any, int] = {}
    terms = []
    for i, (operand, labels) in enumerate(zip(operands, inputs, strict=True)):
        operand, labels = _diagonals(operand, labels, i)
        _note_sizes(sizes, operand, labels, i)
        terms.append((operand, labels))
    while len(terms) > 1:
        (a, first), (b, second) = terms[:2]
        needed = set(output).union(*(labels for _, labels in terms[2:]))
        terms[:2] = [_contract(a, first, b, second, needed)]
    result, labels = terms[0]
    dropped = tuple(d for d, label in enumerate(labels) if label not in output)
    if dropped:
        result = _sum(result, dropped)
        labels = [label for label in labels if label in output]
    order = tuple(labels.index(label) for label in output)
    return result if order == tuple(range(len(order))) else _permute(result, order)


def _split(args: tuple) -> tuple[Any, list]:
    """The equation, as a string or as lists, and the operands."""
    if not args:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand"
        )
    if isinstance(args[0], str):
        rest = args[1:]
        operands = (
            list(rest[0]) if len(rest) == 1 and isinstance(rest[0], (list, tuple)) else list(rest)
        )
        if not operands:
            raise RuntimeError("einsum(): must provide at least one operand")
        return args[0], operands
    pairs = list(args[: len(args) // 2 * 2])
    text = ",".join(_letters(p) for p in pairs[1::2])
    if len(args) % 2:
        text += "->" + _letters(args[-1])
    return text, pairs[::2]


def _letters(numbers: Any) -> str:
    out = ""
    for n in numbers:
        if n is Ellipsis:
            out += _DOTS
        elif not 0 <= n < 52:
            raise RuntimeError(
                f"einsum(): expected subscripts to be within range [0, 52), but got {n}"
            )
        else:
            out += chr(ord("A") + n) if n < 26 else chr(ord("a") + n - 26)
    return out


def _labels(text: str, ndim: int | None, operand: int) -> list[Any]:
    """Letters, and -1, -2 ... for the dimensions of the dots, counted from the last."""
    text = text.replace(" ", "")
    place = text.find(_DOTS)
    letters = text.replace(_DOTS, "", 1)
    for i, c in enumerate(letters):
        if not (c.isascii() and c.isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
    if ndim is None:
        return [letters, place]
    if place < 0:
        if len(letters) != ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(letters)}) does not "
                "match the number of "
                f"dimensions ({ndim}) for operand {operand} and no ellipsis was given"
            )
        return list(letters)
    dots = ndim - len(letters)
    if dots < 0:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(letters)}) is more than "
            "the number of "
            f"dimensions ({ndim}) for operand {operand}"
        )
    return [*letters[:place], *range(-dots, 0), *letters[place:]]


def _parse(equation: str, operands: list) -> tuple[list[list], list]:
    """The labels of each operand and of the output."""
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    if len(parts) != len(operands):
        word = "fewer" if len(operands) < len(parts) else "more"
        raise RuntimeError(
            f"einsum(): {word} operands were provided than specified in the equation"
        )
    inputs = [
        _labels(part, op.ndim, i) for i, (part, op) in enumerate(zip(parts, operands, strict=True))
    ]
    every = [label for labels in inputs for label in labels]
    dots = sorted({label for label in every if isinstance(label, int)})
    if not arrow:
        once = sorted(c for c in set(every) - set(dots) if every.count(c) == 1)
        return inputs, [*dots, *once]
    letters, place = _labels(right, None, -1)
    for c in letters:
        if letters.count(c) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {c} appears more than once in the output"
            )
        if c not in every:
            raise RuntimeError(
                f"einsum(): output subscript {c} does not appear in the equation for any input "
                "operand"
            )
    return inputs, [*letters[:place], *dots, *letters[place:]] if place >= 0 else list(letters)


def _diagonals(operand: Any, labels: list, place: int) -> tuple[Any, list]:
    """A label that stands twice: the diagonal of its dimensions."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            n, m = operand.shape[i], operand.shape[j]
            if n != m:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {place} but the sizes "
                    f"don't match, {m} != {n}"
                )
            operand = diagonal(operand, 0, i, j)
            labels = [c for d, c in enumerate(labels) if d not in (i, j)] + [label]
    return operand, labels


def _note_sizes(sizes: dict, operand: Any, labels: list, place: int) -> None:
    for n, label in zip(operand.shape, labels, strict=True):
        known = sizes.get(label, 1)
        if n not in (1, known) and known != 1:
            raise RuntimeError(
                f"einsum(): subscript {label if isinstance(label, str) else _DOTS} has size {n} "
                f"for operand {place} "
                f"which does not broadcast with previously seen size {known}"
            )
        sizes[label] = n if known == 1 else known


def _contract(a: Any, first: list, b: Any, second: list, needed: set) -> tuple[Any, list]:
    """The product of two operands, summed over the labels that nothing else needs; one batch of
    matrix products.
    """
    a, first = _summed_alone(a, first, second, needed, b)
    b, second = _summed_alone(b, second, first, needed, a)
    shared = [c for c in first if c in second]
    batch = [c for c in shared if c in needed]
    inner = [c for c in shared if c not in needed]
    rows = [c for c in first if c not in shared]
    columns = [c for c in second if c not in shared]
    sizes = {c: max(_length(a, first, c), _length(b, second, c)) for c in batch}
    left = _matrices(a, first, batch, rows, inner, sizes)
    right = _matrices(b, second, batch, inner, columns, sizes)
    out = bmm(left, right)
    labels = batch + rows + columns
    shape = (
        [sizes[c] for c in batch]
        + [_length(a, first, c) for c in rows]
        + [_length(b, second, c) for c in columns]
    )
    return _reshape(out, tuple(shape)), labels


def _length(operand: Any, labels: list, label: Any) -> int:
    return operand.shape[labels.index(label)] if label in labels else 1


def _summed_alone(a: Any, labels: list, other: list, needed: set, b: Any) -> tuple[Any, list]:
    """Sum over what only this operand has, and over what the other has only with length 1."""
    alone = [
        d
        for d, c in enumerate(labels)
        if c not in needed and (c not in other or b.shape[other.index(c)] == 1 and a.shape[d] != 1)
    ]
    if not alone:
        return a, labels
    lost = [c for d, c in enumerate(labels) if d in alone and c in other]
    a = _sum(a, tuple(alone))
    labels = [c for d, c in enumerate(labels) if d not in alone]
    if lost:  # the other operand's length 1 needs a partner
        a = _reshape(a, (*a.shape, *(1,) * len(lost)))
        labels = labels + lost
    return a, labels


def _matrices(a: Any, labels: list, batch: list, rows: list, columns: list, sizes: dict) -> Any:
    """(batch, rows, columns), each of these several labels as one dimension."""
    order = batch + rows + columns
    turned = _permute(a, tuple(labels.index(c) for c in order))
    shape = tuple(turned.shape)
    wanted = tuple(sizes[c] for c in batch) + shape[len(batch) :]
    if wanted != shape:
        turned = turned.expand(wanted)
    n, m = len(batch), len(batch) + len(rows)
    return _reshape(turned, (math.prod(wanted[:n]), math.prod(wanted[n:m]), math.prod(wanted[m:])))


einsum.samples(
    lambda t: [
        ("ij,jk->ik", t(2, 3), t(3, 4)),
        ("ii->i", t(3, 3)),
        ("ij->", t(2, 3)),
        ("i,j,k->ijk", t(2), t(3), t(2)),
        ("bij,bjk", t(2, 2, 3), t(2, 3, 2)),
        ("...ij,...jk->...ik", t(2, 2, 3), t(3, 2)),
        ("ij,ij->j", t(2, 3), t(2, 3)),
    ]
)
