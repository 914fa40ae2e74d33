"""The arguments of a call, made ready: checked, brought to one device, promoted to one dtype."""

from typing import Any

import numpy as np

from .._core.device import device_of
from .._core.dtype import category, of, result_dtype
from .._core.library import RAW
from .._core.tensor import Tensor, make
from ..autograd.views import used_edge
from .errors import two_devices, wrong_type

__all__ = ["NUMBERS", "Call", "cast", "flat", "number", "prepare"]

NUMBERS = (int, float, complex, bool)


class Call:
    """The arguments of one call: as they came, as raw arrays of one dtype, and the edges of those
    that have one.
    """

    __slots__ = ("arrays", "edges", "originals", "values")
    arrays: list
    edges: list
    originals: list
    values: list


def prepare(op: Any, values: tuple) -> Call | None:
    """Unwrap and promote; None where there is no Tensor at all but raw arrays (a formula at
    work).
    """
    call = Call()
    call.values = list(values)
    found: list = []
    for i, _, kind in op.arrays:
        v = values[i]
        if "list" in kind:
            found += v if isinstance(v, (tuple, list)) else [v]
        else:
            found.append(v)
    if not any(isinstance(v, Tensor) for v in found):
        if any(v.__class__ in RAW or isinstance(v, (np.ndarray, np.generic)) for v in found):
            return None
        if op.lists and not found:
            op.forward(np, [], *values[1:])  # says in the op's own words that there is nothing
        raise wrong_type(op, found[0] if found else values, op.arrays[0][1])
    for i, name, kind in op.arrays:
        call.values[i] = _checked(op, values[i], name, kind, first=i == op.arrays[0][0])
    if op.check is not None:
        op.check([call.values[i] for i, _, _ in op.arrays])
    _same_device(op, call)
    _promote(op, call)
    return call


def _checked(op: Any, value: Any, name: str, kind: str, first: bool) -> Any:
    """A Tensor, a Python number where allowed, or a TypeError. NumPy's arrays and scalars are taken
    as such.
    """
    if "list" in kind:
        if isinstance(value, Tensor) or not isinstance(value, (tuple, list)):
            raise wrong_type(op, value, name, "tuple of Tensors")
        return [_checked(op, v, name, "array", first=True) for v in value]
    if isinstance(value, Tensor):
        used_edge(value)  # a stale view is replayed
        return value
    if isinstance(value, np.ndarray) or value.__class__ in RAW:
        of(value.dtype)  # type: ignore[attr-defined]
        return make(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None and "None" in kind:
        return None
    if isinstance(value, NUMBERS) and "float" in kind and not (first and not op.promote):
        return value
    raise wrong_type(op, value, name)


def _same_device(op: Any, call: Call) -> None:
    """RuntimeError for tensors of two devices. A 0-d tensor on the CPU may stand beside tensors on
    CUDA: it is copied there, by an op with a derivative."""
    tensors = [v for v in flat([call.values[i] for i, _, _ in op.arrays]) if isinstance(v, Tensor)]
    if all(t._array.__class__ is np.ndarray for t in tensors):
        return
    kept = [t for t in tensors if t._array.ndim or t._array.__class__ is not np.ndarray]
    places = list(dict.fromkeys(device_of(t._array) for t in kept))
    if len(places) > 1:
        raise two_devices(op, places[0], places[1])
    for i, _, _ in op.arrays:
        v = call.values[i]
        several = isinstance(v, list)
        call.values[i] = [_on(t, places[0]) for t in v] if several else _on(v, places[0])


def _on(value: Any, place: Any) -> Any:
    if isinstance(value, Tensor) and device_of(value._array) != place:
        return value.to(place)
    return value


def _promote(op: Any, call: Call) -> None:
    """Raw arrays of the common dtype; the originals stay what formulas are given."""
    tensors = [i for i, _, kind in op.arrays if not kind.startswith("index")]
    members: list[Any] = []
    for i in tensors:
        v = call.values[i]
        members += v if isinstance(v, list) else [] if v is None else [v]
    dtype = None
    if op.promote is not None:
        dtype = result_dtype(
            [v._array if isinstance(v, Tensor) else v for v in members], op.floating
        )
    call.arrays, call.originals, call.edges = list(call.values), list(call.values), []
    for i, _, _kind in op.arrays:
        v = call.values[i]
        wanted = dtype if i in tensors else None
        if isinstance(v, list):
            call.originals[i] = [t._array for t in v]
            call.arrays[i] = [cast(t._array, wanted) for t in v]
        elif isinstance(v, Tensor):
            call.originals[i] = v._array
            call.arrays[i] = cast(v._array, wanted)
        elif v is not None and wanted is not None:
            call.arrays[i] = number(v, wanted)
    for k in op.differentiable:
        v = call.values[op.arrays[k][0]]
        if isinstance(v, list):
            call.edges += [used_edge(t) for t in v]
        else:
            call.edges.append(used_edge(v) if isinstance(v, Tensor) else None)


def cast(array: Any, dtype: Any) -> Any:
    return (
        array
        if dtype is None or array.dtype is dtype or array.dtype == dtype
        else array.astype(dtype)
    )


def number(value: Any, dtype: np.dtype) -> Any:
    """A Python number for an array of `dtype`: integers wrap around, as in PyTorch."""
    if dtype.kind in "iu" and not isinstance(value, float):
        bits = 8 * dtype.itemsize
        value = int(value) % (1 << bits)
        return value - (1 << bits) if dtype.kind == "i" and value >> (bits - 1) else value
    if dtype.kind == "b":
        return bool(value)
    if category(dtype) == 2 and not isinstance(value, complex):
        return float(value)
    return value


def flat(values: Any) -> list[Any]:
    out: list[Any] = []
    for v in values:
        out += v if isinstance(v, (list, tuple)) else [v]
    return out
