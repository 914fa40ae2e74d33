"""Writes in place: f_ from f, with its checks, its history, and a quick way for the usual case."""

from typing import Any

import numpy as np

from .._core.device import guard
from .._core.dtype import can_cast, of
from .._core.layout import meet, overlaps
from .._core.library import LIBRARIES
from .._core.memory import pointer
from .._core.state import hush, modes, quiet, recording, state, unhush
from .._core.tensor import Tensor, as_array, make
from ..autograd.mutation import record_write
from ..autograd.saving import before_write, observe_write, writes_as_usual
from ..autograd.views import (
    base_of,
    edge_of,
    mark_written,
    origin_of,
    rebase,
    refuse_inplace,
    succeed,
    used_edge,
)
from .errors import explain, wrong_type
from .general import common, forward, is_recorded, record
from .inplace_source import is_plain
from .prepare import Call, flat, prepare

__all__ = ["NAMES", "refuse_overlap", "write_inplace", "write_result"]

NAMES: dict[str, Any] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "mark_written": mark_written,
    "meet": meet,
    "origin_of": origin_of,
    "overlaps": overlaps,
    "rebase": rebase,
    "record_write": record_write,
    "succeed": succeed,
    "writes_as_usual": writes_as_usual,
}
"""What generated in-place calls use besides what all generated calls do."""


def write_inplace(op: Any, target: Tensor, args: tuple, kwargs: dict) -> Tensor:
    """f_ from f: check, compute, write, number the node after the write, point the edge at it.

    What a formula names `out` is what stands in memory after the write; the written input, where a
    formula names it, is a copy made before.
    """
    if state.several_devices:
        with guard(target._array):
            return _write(op, target, args, kwargs)
    return _write(op, target, args, kwargs)


def _write(op: Any, target: Tensor, args: tuple, kwargs: dict) -> Tensor:
    token = hush(quiet)
    try:
        if modes and not writes_as_usual(target, args):
            return _write_inplace(op, target, args, kwargs)
        key = len(args), *kwargs
        quickly = op.quick.get(key)
        if quickly is None:
            quickly = op.quick[key] = _is_quick(op, args, kwargs)
        if quickly and _write_quickly(op, target, args, kwargs):
            return target
        return _write_inplace(op, target, args, kwargs)
    finally:
        unhush(token)


def _write_inplace(op: Any, target: Tensor, args: tuple, kwargs: dict) -> Tensor:
    values = (
        (target, *args)
        if not kwargs and len(args) + 1 == len(op.params)
        else _bind(op, target, args, kwargs)
    )
    if not op.differentiable and recording() and edge_of(target) is not None:
        return target.copy_(op.function(*values))  # type: ignore[attr-defined]  # what was there has no influence more
    base, steps, mark = base_of(target)
    if steps and recording() and edge_of(base) is not None:
        refuse_inplace(target, base, steps, mark)
    call = prepare(op, values)
    if call is None:
        raise wrong_type(op, target, op.arrays[0][1])
    array = target._array
    recorded = is_recorded(call) and array.dtype.kind not in "biu"
    if recorded:
        refuse_inplace(target, base, steps, mark)
    _check_target(op, target, call)
    _part(op, call, array, recorded)
    if op.writer is not None and call.arrays[0].dtype is array.dtype:
        _check_shape(op, call, array)
        result, extras = forward(op, call, array)
    else:
        result, extras = forward(op, call)
        result = as_array(result)
        if result.shape != array.shape:
            raise _grown(array, result.shape)
        if not can_cast(of(result.dtype), of(array.dtype)):
            raise _uncastable(result.dtype, array.dtype)
        array[...] = result
    if recorded:
        record_write(array)
        node = record(op, call, array, extras)
        rebase(base, steps, node, call.edges)
    else:
        mark_written(target)
    if modes:
        observe_write(op, target)
    return target


def write_result(name: str, target: Tensor, function: Any, args: tuple, kwargs: dict) -> Tensor:
    """f_ from a composite f: compute from a copy (what is saved must not be written), write, take
    over the history.
    """
    if state.several_devices:
        with guard(target._array):
            return _write_result(target, function, args, kwargs)
    return _write_result(target, function, args, kwargs)


def _write_result(target: Tensor, function: Any, args: tuple, kwargs: dict) -> Tensor:
    if modes:
        before_write(target)
    edge = used_edge(target)
    array = target._array
    if recording():
        target_now = make(array.copy(), edge) if edge is not None else target
        args = tuple([_apart(a, array) for a in args])
        kwargs = {k: _apart(v, array) for k, v in kwargs.items()}
        result = function(target_now, *args, **kwargs)
    else:
        result = function(target, *args, **kwargs)
    source = used_edge(result)
    base, steps, mark = base_of(target)
    if source is not None:
        refuse_inplace(target, base, steps, mark)
    if result._array.shape != array.shape:
        raise _grown(array, result._array.shape)
    if not can_cast(result.dtype, target.dtype):
        raise _uncastable(result._array.dtype, array.dtype)
    if _plainly(array, result._array) and source is None and not (recording() and edge):
        array[...] = result._array
        mark_written(target)
        return target
    if steps or source is None or result._array.dtype is not array.dtype:
        return target.copy_(result)  # type: ignore[attr-defined]
    array[...] = result._array
    record_write(array)
    rebase(base, steps, source, [])
    return target


def _plainly(array: Any, result: Any) -> bool:
    """May a result of the same dtype be written at once? Not into an expanded array, say."""
    return (
        array.__class__ is np.ndarray
        and result.dtype is array.dtype
        and (array.flags.c_contiguous or not overlaps(array))
    )


def _apart(value: Any, array: Any) -> Any:
    """An argument that a recorded write to `array` cannot change."""
    if isinstance(value, Tensor) and meet(value._array, array):
        return value.clone()  # type: ignore[attr-defined]
    return value


def _bind(op: Any, target: Tensor, args: tuple, kwargs: dict) -> tuple:
    """The arguments in the order of the forward's parameters. TypeError where they do not fit."""
    values, missing = [target, *args], len(kwargs)
    if len(values) <= len(op.params) - len(op.keywords):
        for name in op.params[len(values) :]:
            if name in kwargs:
                missing -= 1
                values.append(kwargs[name])
            elif name in op.defaults:
                values.append(op.defaults[name])
            else:
                missing = -1
                break
        if not missing:
            return tuple(values)
    import inspect

    inspect.signature(op.forward).bind(None, target, *args, **kwargs)  # says what is wrong
    raise TypeError(f"{op.name}_(): these arguments do not fit")


def _write_quickly(op: Any, target: Tensor, args: tuple, kwargs: dict) -> bool:
    """The usual write: dense floats, by nothing, a number or a Tensor of the same form, to what is
    no view. Was it one? If not, nothing has been done.
    """
    array = target._array
    xp = LIBRARIES.get(array.__class__)
    if xp is None or array.dtype.char not in "fd":
        return False
    if not (array.flags.c_contiguous if xp is np else _dense(xp, array)):
        return False
    recorded = recording()
    try:
        edges, sources = [target._edge if recorded else None], []
        if len(op.arrays) == 2:
            other = args[0]
            if other.__class__ is float or other.__class__ is int:
                sources, edges = [other], [*edges, None]
            elif not _like_target(other, array):
                return False
            else:
                sources, edges = [other._array], [*edges, other._edge]
    except AttributeError:  # a stale view
        return False
    values = [*sources, *args[len(sources) :]]
    if recorded:
        edge = edges[0]
        if getattr(target, "_view", None) is not None or edge is not None and not edge.seq:
            return False
        if edge is not None and 0 not in op.differentiable:
            return False
        recorded = any(edges[k] is not None for k in op.differentiable)
    before = array.copy() if recorded and op.arrays[0][1] in op.users else array
    if op.writer is not None:
        op.writer(xp, array, *values, **kwargs)
    elif not _computed(op, xp, array, values, kwargs):
        return False
    if recorded:
        values += [kwargs.get(p, op.defaults.get(p)) for p in op.params[1 + len(values) :]]
        _take_up(op, target, edges, [before, *values])
    else:
        mark_written(target)
    return True


def _dense(xp: Any, array: Any) -> bool:
    """Is a CUDA array contiguous, and on the only device?"""
    return bool(array._c_contiguous and not xp.several_devices)


def _computed(op: Any, xp: Any, array: Any, values: list, kwargs: dict) -> bool:
    """Write what the forward gives, if that has the array's form."""
    if xp is np:
        result = op.forward(np, array, *values, **kwargs)
    else:  # a kernel is given all arguments, the defaults too
        given = dict(zip(op.params, [array, *values], strict=False)) | kwargs
        named = {p: given.get(p, op.defaults.get(p)) for p in op.params}
        keywords = {p: named.pop(p) for p in op.keywords}
        result = op.elsewhere(*named.values(), **keywords)
    if result.dtype is not array.dtype or result.shape != array.shape:
        return False
    array[...] = result
    return True


def _take_up(op: Any, target: Tensor, edges: list, originals: list) -> None:
    """The write becomes the target's history."""
    record_write(target._array)
    call = Call()
    call.edges, call.originals = [edges[k] for k in op.differentiable], originals
    rebase(target, [], record(op, call, target._array), call.edges)


def _like_target(other: Any, array: Any) -> bool:
    """A Tensor of the same form in other memory?"""
    if not isinstance(other, Tensor):
        return False
    source = other._array
    if source.__class__ is not array.__class__:
        return False
    if source.dtype is not array.dtype or source.shape != array.shape:
        return False
    near = source is array or source.base is not None or array.base is not None
    return not near or not meet(source, array)


def _is_quick(op: Any, args: tuple, kwargs: dict) -> bool:
    """May this op be written quickly, and do the arguments fit its parameters as they are?"""
    if not is_plain(op) or len(op.arrays) == 2 and not args:
        return False
    positional = len(op.params) - len(op.keywords)
    taken = op.params[: len(args) + 1]
    return (
        len(args) < positional
        and all(p in kwargs or p in op.defaults for p in op.params[len(args) + 1 :])
        and all(k in op.params and k not in taken for k in kwargs)
    )


def _part(op: Any, call: Call, array: Any, recorded: bool) -> None:
    """Copies of what is read in the memory that is written (x.add_(x.mT)), and of what stands there
    now, where a formula names it."""
    sources = flat(call.arrays)[1:] + flat(call.originals)[1:]
    aliased = [a for a in sources if hasattr(a, "base") and meet(a, array)]
    saved = recorded and op.arrays[0][1] in op.users and 0 in op.differentiable
    if not aliased and not saved:
        return
    copies = {id(a): a.copy() for a in [array, *aliased]}

    def parted(value: Any) -> Any:
        if value.__class__ is list:
            return [parted(v) for v in value]
        return copies.get(id(value), value)

    call.originals, call.arrays = parted(call.originals), parted(call.arrays)


def _check_target(op: Any, target: Tensor, call: Call) -> None:
    array = target._array
    if not op.uniform:
        sources = flat(call.originals)[1:]
        if not op.promote:  # of these, one number is read before anything is written
            sources = [a for a in sources if getattr(a, "ndim", 0)]
        refuse_overlap(op, array, sources)
    if op.same_dtype or op.promote:
        dtype = np.dtype(bool) if op.promote == "bool" else common(op, call)
        if not can_cast(of(dtype), of(array.dtype)):
            raise _uncastable(dtype, array.dtype)


def refuse_overlap(op: Any, array: Any, sources: Any) -> None:
    """RuntimeError where a write would reach an element twice, or elements that a source has yet to
    be read from.
    """
    if array.size > 1 and (0 in array.strides or not array.flags.c_contiguous) and overlaps(array):
        raise RuntimeError(
            f"{op.name}_(): unsupported operation: more than one element of the written-to tensor "
            "refers to a single memory location. Please clone() the tensor before performing the "
            "operation."
        )
    for a in sources:
        if hasattr(a, "base") and a is not array and meet(a, array) and _partly(a, array):
            raise RuntimeError(
                f"{op.name}_(): unsupported operation: some elements of the input tensor and the "
                "written-to tensor refer to a single memory location. Please clone() the tensor "
                "before performing the operation."
            )


def _partly(a: Any, b: Any) -> bool:
    """Dense arrays of one memory that overlap without being the same elements in the same
    places.
    """
    if not (a.flags.c_contiguous and b.flags.c_contiguous) or not a.size or not b.size:
        return False
    first, second = pointer(a), pointer(b)
    same = first == second and a.shape == b.shape
    return not same and first < second + b.nbytes and second < first + a.nbytes


def _check_shape(op: Any, call: Call, array: Any) -> None:
    if not op.broadcasts or op.promote is None:
        return
    shapes = [a.shape for a in call.arrays if hasattr(a, "shape")]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise explain(op, call.arrays, error) or error from None
    if shape != array.shape:
        raise _grown(array, shape)


def _grown(array: Any, shape: tuple) -> RuntimeError:
    return RuntimeError(
        f"output with shape {list(array.shape)} doesn't match the broadcast shape {list(shape)}"
    )


def _uncastable(result: Any, target: Any) -> RuntimeError:
    return RuntimeError(
        f"result type {of(result).legacy} can't be cast to the desired output type "
        f"{of(target).legacy}"
    )
