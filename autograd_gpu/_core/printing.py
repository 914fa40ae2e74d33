"""How tensors are written as text: the layout of numbers and brackets, the suffixes, the options.

A repr is made in three steps. The array is cut down to the elements that will be seen (only these
leave the device), one format is chosen that fits all of them, and the rows are laid out between
brackets, wrapped at the line width. The result is, character for character, what PyTorch prints.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np

from .device import cpu, move
from .dtype import get_default_dtype

__all__ = [
    "get_printoptions",
    "printoptions",
    "set_printoptions",
    "tensor_format",
    "tensor_repr",
]


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()
_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors print; what is not given stays as it was, except `sci_mode`.

    Args:
        precision: digits after the point (4).
        threshold: a tensor with more elements than this prints only its edges (1000).
        edgeitems: how many elements are kept at each end of a dimension (3).
        linewidth: characters a line (80).
        profile: `"default"`, `"short"` or `"full"`, applied before the other arguments.
        sci_mode: True or False decides scientific notation; None (the default, also when it is
            not given) lets the values decide: scientific where max / min of the finite non-zero
            magnitudes passes 1000, the largest 1e8, or (for fractions) the smallest is below 1e-4.

    Raises:
        ValueError: the profile has another name; nothing is changed then.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(
                f"set_printoptions: got profile={profile!r}, expected one of {sorted(_PROFILES)}"
            )
        for name, value in _PROFILES[profile].items():
            setattr(_options, name, value)
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name, number in given.items():
        if number is not None:
            setattr(_options, name, number)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as a dictionary with the argument names of `set_printoptions`."""
    return asdict(_options)


@contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Print with other options inside a `with` block; takes what `set_printoptions` takes.

    The former options come back at the end, also after an exception.
    """
    before = get_printoptions()
    try:
        set_printoptions(**kwargs)
        yield
    finally:
        set_printoptions(**before)


# ---- one number


class _Whole:
    """Integers and booleans: as Python writes them, to the width of the longest."""

    def __init__(self, values: list[Any]) -> None:
        self.width = max((len(str(v)) for v in values), default=1)

    def __call__(self, value: Any) -> str:
        return str(value).rjust(self.width)


class _Real:
    """Floating-point numbers: `3.`, `3.1416` or `3.1416e+00`, one form for a whole tensor.

    Only finite values other than zero decide the form and the width, so that `[0., nan]` is not
    padded. (As in PyTorch; a lone `inf` among short numbers therefore may stand out.)
    """

    def __init__(self, values: list[float]) -> None:
        seen = [v for v in values if v != 0 and math.isfinite(v)]
        whole = all(v.is_integer() for v in seen)
        scientific = bool(seen) and _options.sci_mode
        if scientific is None:
            scientific = _is_wide([abs(v) for v in seen], whole)
        digits = _options.precision
        self.point = "." if whole and not scientific else ""
        self.spec = f".{digits}e" if scientific else ".0f" if whole else f".{digits}f"
        self.width = max((len(self.plain(v)) for v in seen), default=1)

    def plain(self, value: float) -> str:
        text = format(value, self.spec)
        return text + self.point if math.isfinite(value) else text

    def __call__(self, value: float) -> str:
        return self.plain(value).rjust(self.width)


def _is_wide(magnitudes: list[float], whole: bool) -> bool:
    least, most = min(magnitudes), max(magnitudes)
    return most / least > 1000.0 or most > 1.0e8 or (not whole and least < 1.0e-4)


class _Complex:
    """Complex numbers: the two parts each have their own form; only the real part is padded."""

    def __init__(self, values: list[complex]) -> None:
        self.real = _Real([v.real for v in values])
        self.imag = _Real([v.imag for v in values])
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = self.imag.plain(value.imag)
        sign = "" if imag.startswith("-") else "+"
        return f"{self.real(value.real)}{sign}{imag}j"


def _format_for(dtype: Any, values: list[Any]) -> Callable[[Any], str]:
    if dtype.is_complex:
        return _Complex(values)
    return _Real(values) if dtype.is_floating_point else _Whole(values)


# ---- brackets, lines, edges


def _visible(array: Any, edge: int) -> np.ndarray:
    """The elements that a summary shows, on the host: both ends of every long dimension."""
    cut = [axis for axis, n in enumerate(array.shape) if n > 2 * edge]
    out = np.empty([min(n, 2 * edge) for n in array.shape], array.dtype)
    for ends in itertools.product((slice(None, edge), slice(-edge, None)), repeat=len(cut)):
        place = [slice(None)] * array.ndim
        for axis, end in zip(cut, ends, strict=True):
            place[axis] = end
        out[tuple(place)] = move(array[tuple(place)], cpu)
    return out


class _Layout:
    """Rows between brackets, `indent` columns from the left, cut where `shape` says so."""

    def __init__(self, form: Any, shape: tuple[int, ...], summary: bool) -> None:
        self.form = form
        self.edge = _options.edgeitems
        self.cut = [summary and n > 2 * self.edge for n in shape]

    def lines(self, values: Any, depth: int, indent: int) -> str:
        """The text of nested lists that stand `depth` dimensions deep."""
        left = len(self.cut) - depth
        if not left:
            return cast(str, self.form(values))
        if left == 1:
            return self.row(values, self.cut[depth], indent)
        parts = [self.lines(v, depth + 1, indent + 1) for v in values]
        if self.cut[depth]:
            parts.insert(self.edge, "...")
        return "[" + ("," + "\n" * (left - 1) + " " * (indent + 1)).join(parts) + "]"

    def row(self, values: list[Any], cut: bool, indent: int) -> str:
        parts = [self.form(v) for v in values]
        if cut:
            parts.insert(self.edge, " ...")
        count = max(1, (_options.linewidth - indent) // (self.form.width + 2))
        rows = (", ".join(parts[i : i + count]) for i in range(0, len(parts), count))
        return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"


def _numbers(tensor: Any, indent: int) -> str:
    array = tensor._array
    summary = array.ndim > 0 and array.size > _options.threshold
    if summary and not _options.edgeitems:
        return "[...]"
    shown = _visible(array, _options.edgeitems) if summary else move(array, cpu)
    if tensor.dtype.name == "bfloat16":
        shown = shown.astype(np.float32)  # its scalars do not all become Python floats
    form = _format_for(tensor.dtype, shown.ravel().tolist())
    return _Layout(form, tuple(array.shape), summary).lines(shown.tolist(), 0, indent)


# ---- the whole


def tensor_repr(tensor: Any, prefix: str = "tensor(") -> str:
    """The text of a tensor: `tensor([1., 2.], requires_grad=True)`.

    Args:
        tensor: any tensor; read are its array, dtype, device and place in the graph.
        prefix: what stands before the numbers; continued lines are indented by its length.

    Suffixes follow where they say something: the device unless it is the CPU, the size of an
    empty tensor, the dtype unless the numbers show it, and `grad_fn` or `requires_grad`.
    """
    suffixes = []
    if tensor.device.type != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    implicit = _has_implicit_dtype(tensor.dtype)
    if not math.prod(tensor.shape):
        text = "[]"
        implicit = tensor.dtype is get_default_dtype()
        if len(tensor.shape) != 1:
            suffixes.append(f"size={tuple(tensor.shape)}")
    else:
        text = _numbers(tensor, len(prefix))
        if not _options.edgeitems:  # the numbers need not show it
            suffixes.append(f"size={tuple(tensor.shape)}")
    if not implicit:
        suffixes.append(f"dtype={tensor.dtype!r}")
    suffixes += _history(tensor)
    return _with_suffixes(prefix + text, suffixes, len(prefix))


def _has_implicit_dtype(dtype: Any) -> bool:
    """Is this what Python's numbers become, so that the elements alone show it?"""
    default = get_default_dtype()
    return dtype is default or dtype.name in ("int64", "bool", default.to_complex().name)


def _history(tensor: Any) -> list[str]:
    try:
        grad_fn = tensor.grad_fn
    except RuntimeError:  # a view that a write has left without a history
        return ["grad_fn=<Invalid>"]
    if grad_fn is not None:
        return [f"grad_fn=<{type(grad_fn).__name__}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """A suffix that would pass the line width starts a new line."""
    parts = [text]
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            column = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            column += len(suffix) + 2
    return "".join(parts) + ")"


def tensor_format(tensor: Any, spec: str) -> str:
    """What `format(tensor, spec)` and f-strings give: a 0-d tensor is its number, others their str.

    Raises:
        TypeError: a non-empty `spec` for a tensor that has dimensions.
        ValueError: Python's own, where `spec` does not suit the number.
    """
    if not tensor.shape and type(tensor).__name__ == "Tensor":
        return format(tensor._array.item(), spec)
    if spec:
        raise TypeError(
            f"unsupported format string passed to {type(tensor).__name__}.__format__: "
            f"got {spec!r} for a tensor of shape {tuple(tensor.shape)}; "
            "only 0-d tensors take a format"
        )
    return str(tensor)
