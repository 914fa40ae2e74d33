"""Are two tensors, or two nests of tensors and numbers, close enough?"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._core.device import cpu, device_of, move
from .._core.dtype import dtype as Dtype
from .._core.dtype import get_default_dtype, of, promote
from .._core.size import Size
from .._core.tensor import Tensor

__all__ = ["assert_close"]

_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""(rtol, atol) of each type; everything else must be equal."""


class _Options(NamedTuple):
    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_stride: bool


class _Mismatch(Exception):
    """What differs, and where in a nest."""

    def __init__(self, text: str, path: tuple[Any, ...] = ()) -> None:
        super().__init__(text)
        self.text, self.path = text, path

    def __str__(self) -> str:
        where = "".join(f"[{part!r}]" for part in self.path)
        return self.text + (f"\n\nThe failure occurred for item {where}" if where else "")


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """AssertionError unless every element has |actual - expected| <= atol + rtol |expected|.

    `actual`, `expected`: Tensors, arrays, numbers, bools, None, or sequences and mappings of these.
    Without `rtol` and `atol` the tolerance is that of the type, of the wider one where two may
    differ: (rtol, atol) is (1.3e-6, 1e-5) for float32 and complex64, (1e-7, 1e-7) for float64 and
    complex128, (1e-3, 1e-5) for float16, (1.6e-2, 1e-5) for bfloat16; integers and bools must be
    equal. Infinities are close to themselves only, NaN only where `equal_nan`.

    Shapes must be equal, devices, types and, where asked for, strides too. `check_layout` is there
    for programs that name it: every tensor is strided. `msg`: the message, or a function of it.
    ValueError where one tolerance only is given, or a negative one; TypeError for what cannot be
    compared.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or omitted, "
            f"but got no {'rtol' if rtol is None else 'atol'}."
        )
    if rtol is not None and atol is not None and not (rtol >= 0 and atol >= 0):
        raise ValueError(f"rtol and atol must not be negative, got rtol={rtol} and atol={atol}")
    options = _Options(
        allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_stride
    )
    try:
        _compare(actual, expected, options, ())
    except _Mismatch as error:
        text = str(error)
    else:
        return
    raise AssertionError(text if msg is None else msg if isinstance(msg, str) else msg(text))


def _compare(actual: Any, expected: Any, options: _Options, path: tuple[Any, ...]) -> None:
    """Any two things; sequences and mappings item by item."""
    if _both(actual, expected, Sequence) and not isinstance(actual, str):
        if len(actual) != len(expected):
            lengths = f"{len(actual)} != {len(expected)}"
            raise _Mismatch(f"The length of the sequences mismatch: {lengths}", path)
        for place, (a, b) in enumerate(zip(actual, expected, strict=True)):
            _compare(a, b, options, (*path, place))
    elif _both(actual, expected, Mapping):
        _same_keys(actual, expected, path)
        for key in sorted(actual, key=str):
            _compare(actual[key], expected[key], options, (*path, key))
    else:
        try:
            _compare_leaves(actual, expected, options)
        except _Mismatch as error:
            raise _Mismatch(error.text, path) from None


def _both(actual: Any, expected: Any, kind: Any) -> bool:
    return isinstance(actual, kind) and isinstance(expected, kind)


def _same_keys(actual: Mapping, expected: Mapping, path: tuple[Any, ...]) -> None:
    missing, more = set(expected) - set(actual), set(actual) - set(expected)
    if missing or more:
        raise _Mismatch(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing, key=str)}\n"
            f"Additional keys in the actual mapping: {sorted(more, key=str)}",
            path,
        )


def _compare_leaves(actual: Any, expected: Any, options: _Options) -> None:
    if actual is None or expected is None:
        if actual is not expected:
            raise _Mismatch(f"None mismatch: {actual} is not {expected}")
    elif _both(actual, expected, (bool, np.bool_)):
        if bool(actual) is not bool(expected):
            raise _Mismatch(f"Booleans mismatch: {bool(actual)} is not {bool(expected)}")
    elif _both(actual, expected, (int, float, complex, np.number, np.bool_)):
        _compare_numbers(_plain(actual), _plain(expected), options)
    elif _comparable(actual, expected, options):
        _compare_arrays(actual, expected, options)
    else:
        raise TypeError(
            "No comparison pair was able to handle inputs of type "
            f"{type(actual)} and {type(expected)}."
        )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _comparable(actual: Any, expected: Any, options: _Options) -> bool:
    """Two Tensors or two arrays; of related classes, or of one class where no other is allowed."""
    first, second = type(actual), type(expected)
    if first is not second and not options.allow_subclasses:
        return False
    related = issubclass(first, second) or issubclass(second, first)
    return related and (isinstance(actual, Tensor) or hasattr(actual, "__array_function__"))


def _compare_numbers(actual: Any, expected: Any, options: _Options) -> None:
    if options.check_dtype and type(actual) is not type(expected):
        raise _Mismatch(f"The (d)types do not match: {type(actual)} != {type(expected)}.")
    kinds = {int: "int64", bool: "bool", float: "float64", complex: "complex128"}
    rtol, atol = _tolerance([kinds[type(actual)], kinds[type(expected)]], options)
    both_nan = options.equal_nan and actual != actual and expected != expected
    difference = abs(actual - expected)
    close = math.isfinite(difference) and difference <= atol + rtol * abs(expected)
    if actual == expected or both_nan or close:
        return
    size = abs(expected)
    relative = difference / size if size else math.inf
    raise _Mismatch(_of_numbers(actual, expected, difference, relative, rtol, atol))


def _tolerance(names: list[str], options: _Options) -> tuple[float, float]:
    if options.rtol is not None and options.atol is not None:
        return options.rtol, options.atol
    both = [_TOLERANCES.get(name, (0.0, 0.0)) for name in names]
    return max(rtol for rtol, _ in both), max(atol for _, atol in both)


def _allowed(tolerance: float, exact: bool) -> str:
    return "" if exact else f" (up to {tolerance} allowed)"


def _of_numbers(
    actual: Any, expected: Any, absolute: Any, relative: Any, rtol: float, atol: float
) -> str:
    exact = rtol == atol == 0
    return (
        f"Scalars are not {'equal' if exact else 'close'}!\n\n"
        f"Expected {expected} but got {actual}.\n"
        f"Absolute difference: {absolute}{_allowed(atol, exact)}\n"
        f"Relative difference: {relative}{_allowed(rtol, exact)}"
    )


def _raw(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _compare_arrays(actual: Any, expected: Any, options: _Options) -> None:
    a, b = _raw(actual), _raw(expected)
    _same("shape", Size(a.shape), Size(b.shape))
    if options.check_device:
        _same("device", device_of(a), device_of(b))
    if options.check_dtype:
        _same("dtype", _dtype(a), _dtype(b))
    if options.check_stride:
        _same("stride()", *(tuple(s // x.itemsize for s in x.strides) for x in (a, b)))
    rtol, atol = _tolerance([a.dtype.name, b.dtype.name], options)
    a, b = move(a, cpu), move(b, cpu)
    common = promote(a.dtype, b.dtype)
    if common.kind in "bu":
        common = np.dtype(np.int64)
    with np.errstate(all="ignore"):
        _compare_values(a.astype(common), b.astype(common), rtol, atol, options.equal_nan)


def _dtype(array: Any) -> Dtype | np.dtype:
    try:
        return of(array.dtype)
    except (TypeError, KeyError):
        return array.dtype


def _same(what: str, actual: Any, expected: Any) -> None:
    if actual != expected:
        raise _Mismatch(f"The values for attribute '{what}' do not match: {actual} != {expected}.")


def _compare_values(
    a: np.ndarray, b: np.ndarray, rtol: float, atol: float, equal_nan: bool
) -> None:
    difference = np.asarray(np.abs(a - b))
    size = np.asarray(np.abs(b))
    close = np.isfinite(difference) & (difference <= atol + rtol * size)
    close |= a == b
    if equal_nan:
        close |= (a != a) & (b != b)
    if close.all():
        return
    ratio = difference / size
    if difference.dtype.kind == "i":
        ratio = ratio.astype(get_default_dtype().numpy)
    relative = np.where(close, 0, ratio)
    absolute = np.where(close, 0, difference)
    if not a.ndim:
        raise _Mismatch(
            _of_numbers(a.item(), b.item(), absolute.item(), relative.item(), rtol, atol)
        )
    raise _Mismatch(_of_arrays(close, absolute, relative, rtol, atol))


def _of_arrays(
    close: np.ndarray, absolute: np.ndarray, relative: np.ndarray, rtol: float, atol: float
) -> str:
    exact = rtol == atol == 0
    wrong, total = int((~close).sum()), close.size
    return (
        f"Tensor-likes are not {'equal' if exact else 'close'}!\n\n"
        f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})\n"
        f"Greatest absolute difference: {_greatest(absolute)}{_allowed(atol, exact)}\n"
        f"Greatest relative difference: {_greatest(relative)}{_allowed(rtol, exact)}"
    )


def _greatest(differences: np.ndarray) -> str:
    """The largest one and its index; NaN counts as the largest."""
    index = np.unravel_index(int(differences.argmax()), differences.shape)
    return f"{differences[index].item()} at index {tuple(map(int, index))}"
