"""The long way of a call: the forward, the node, `out=`; `prepare.py` makes the arguments ready.

Generated calls (generate.py) do the same for the usual case; this is how it reads in ordinary code.
"""

from contextlib import nullcontext
from typing import Any

import numpy as np

from .._core.device import device_of, guard, library
from .._core.dtype import can_cast, of
from .._core.library import RAW
from .._core.state import hush, local, modes, quiet, recording, state, tick, unhush
from .._core.tensor import Tensor, as_array, make, new
from ..autograd.node import Output
from ..autograd.saving import (
    before_write,
    concerns,
    observe_node,
    observe_result,
    observe_write,
    result_observers,
)
from ..autograd.views import link_view, mark_written, unfollowed, used_edge, view_list
from .declare import form, form_out, share_node
from .errors import explain, two_devices, wrong_type
from .prepare import NUMBERS, Call, cast, flat, prepare

__all__ = [
    "common",
    "finish",
    "forward",
    "general",
    "is_recorded",
    "on_their_device",
    "operator",
    "record",
    "wrapped",
]


def general(op: Any, values: tuple, out: Any = None) -> Any:
    """Do a call the long way."""
    token = hush(quiet)
    try:
        with on_their_device(values) if state.several_devices else nullcontext():
            return _general(op, values, out)
    finally:
        unhush(token)


def on_their_device(values: Any) -> Any:
    """A context in which the device of the arguments is the current one."""
    arrays = (getattr(v, "_array", v) for v in flat(values))
    found = (a for a in arrays if a.__class__ in RAW and a.__class__ is not np.ndarray)
    return guard(next(found, None))


def _general(op: Any, values: tuple, out: Any) -> Any:
    call = prepare(op, values)
    if call is None:  # raw arrays and NumPy scalars, in a formula
        first = next(v for v in flat(values) if hasattr(v, "dtype"))
        args, kwargs = _spread(op, values)
        result = _compute(op, library(first), args, kwargs)
        return result[0] if op.extras else result
    if out is not None:
        return _into(op, call, out)
    array, extras = forward(op, call)
    return wrapped(op, call, array, extras)


def operator(op: Any, values: tuple) -> Any:
    """The same for `x + y`: NotImplemented where the other operand is of an unknown class."""
    for v in values[1:2]:
        if not isinstance(v, (Tensor, *NUMBERS, np.ndarray, np.generic)) and op.arrays[1:]:
            return NotImplemented
    return general(op, values)


def _spread(op: Any, values: Any) -> tuple[list, dict]:
    """Positional and keyword-only arguments of the forward."""
    positional = [v for p, v in zip(op.params, values, strict=True) if p not in op.keywords]
    return positional, {p: v for p, v in zip(op.params, values, strict=True) if p in op.keywords}


def forward(op: Any, call: Call, write_to: Any = None) -> tuple[Any, tuple]:
    """Run the forward (or the writer, into an array): the result, and what it returned besides.
    NumPy's warnings are off here already, since promotion casts too."""
    args, kwargs = _spread(op, call.arrays)
    first = next(a for a in flat(args) if hasattr(a, "dtype"))
    xp = library(first)
    try:
        if write_to is not None:
            kept = op.writer(xp, write_to, *args[1:], **kwargs)
            return write_to, kept if op.extras else ()
        result = _compute(op, xp, args, kwargs)
    except Exception as error:
        better = explain(op, call.arrays, error)
        if better is None:
            raise
        raise better from None
    if op.extras:
        return result[0], tuple(result[1:])
    if op.same_dtype and not op.outputs:
        result = cast(as_array(result), common(op, call))
    return result, ()


def _compute(op: Any, xp: Any, args: list, kwargs: dict) -> Any:
    return op.forward(xp, *args, **kwargs) if xp is np else op.elsewhere(*args, **kwargs)


def common(op: Any, call: Call) -> np.dtype:
    for i, _, kind in op.arrays:
        found = call.arrays[i]
        found = found[0] if found.__class__ is list else found
        if not kind.startswith("index") and hasattr(found, "dtype"):
            return found.dtype
    raise AssertionError(op.name)


def wrapped(op: Any, call: Call, array: Any, extras: tuple) -> Any:
    """The result as Tensors, with a node where one is due."""
    if op.outputs:
        result = op.result([make(as_array(a)) for a in array])
    elif op.many:
        result = view_list(array, call.values[0], op.function, tuple(call.values[1:]))
    else:
        result = make(as_array(array))
        if op.view and (result._array.base is not None or array is call.arrays[0]):
            link_view(result, call.values[0], op.function, tuple(call.values[1:]))
    return _attach(op, call, result, extras)


def _attach(op: Any, call: Call, result: Any, extras: tuple) -> Any:
    """Give the results their place in the graph; `result`: a Tensor, or a tuple of them."""
    if modes:
        observe_result(op, result)
    if not is_recorded(call):
        if op.view and not op.many and op.differentiable and not recording():
            followed = getattr(call.values[0], "_edge", result) is not None
            result._edge = unfollowed(result) if followed else None
        return result
    if op.outputs:
        arrays = [t._array for t in result]
        node = record(op, call, arrays[0], extras, dict(zip(op.outputs, arrays, strict=True)))
        if op.relays:
            node.shapes_out = tuple(form_out(a) for a in arrays[: len(op.relays)])
            for i in range(len(op.relays)):
                result[i]._edge = Output(node, i)
        else:
            result[0]._edge = node
    elif op.many:
        if result:
            share_node(record(op, call, None), result)
    else:
        result._edge = record(op, call, result._array, extras)
    return result


def finish(op: Any, result: Any, values: tuple, extras: tuple) -> Any:
    """The end of a generated call where a rare mode is in force: `result` is made, but has no place
    in the graph yet. None where the call may end as usual."""
    token = local.inference
    if token is not None and not result_observers:
        if op.view:
            if not op.many and not hasattr(result, "_family"):  # a copy
                result._family = token
        elif not op.outputs:
            result._family, result._edge = token, None
            return result
        return None
    if not concerns(values):
        return None
    if not op.outputs and not op.many:
        result._edge = None
    call = Call()
    call.values = list(values)
    call.originals = [_raw(v) for v in values]
    call.edges = []
    for k in op.differentiable:
        v = values[op.arrays[k][0]]
        several = v.__class__ is list or v.__class__ is tuple
        for each in v if several else (v,):
            call.edges.append(each._edge if isinstance(each, Tensor) else None)
    return _attach(op, call, result, extras)


def _raw(value: Any) -> Any:
    if value.__class__ is list or value.__class__ is tuple:
        return [_raw(v) for v in value] if any(isinstance(v, Tensor) for v in value) else value
    return value._array if isinstance(value, Tensor) else value


def is_recorded(call: Call) -> bool:
    return recording() and any(e is not None for e in call.edges)


def record(op: Any, call: Call, out: Any, extras: tuple = (), outputs: dict | None = None) -> Any:
    """The node of a call: its edges, the forms of its inputs, and what its formulas name."""
    node = new(op.node_classes()["RepairNode"])
    if op.lists:
        node.edge_list = call.edges
        node.forms = tuple(form(a) for a in call.originals[op.arrays[0][0]])
    else:
        for k, edge in zip(op.differentiable, call.edges, strict=True):
            setattr(node, f"e{k}", edge)
        node.forms = tuple(form(call.originals[op.arrays[k][0]]) for k in op.differentiable)
    known = dict(zip(op.params, call.originals, strict=True), out=out, **(outputs or {}))
    known.update(zip(op.extras, extras, strict=False))
    for name, users in op.users.items():
        if name in known:
            value = known[name]
            if (
                not op.lists
                and name in op.saved_arrays
                and not any(call.edges[u] is not None for u in users)
            ):
                value = None
        else:
            # input_shape, input_dtype; of a list: a tuple of them
            base, _, what = name.rpartition("_")
            value = known[base]
            value = (
                tuple(getattr(a, what) for a in value)
                if value.__class__ is list
                else getattr(value, what)
            )
        setattr(node, name, value)
    node.g, node.seq = None, tick()
    if modes:
        observe_node(node, getattr(call, "values", call.originals))
    return node


def _into(op: Any, call: Call, out: Any) -> Any:
    """`out=`: the result goes into given tensors, resized where they are empty."""
    outs = out if isinstance(out, (tuple, list)) else (out,)
    for t in outs:
        if not isinstance(t, Tensor):
            raise wrong_type(op, t, "out")
    if recording() and any(e is not None for e in [*call.edges, *(used_edge(t) for t in outs)]):
        raise RuntimeError(
            f"{op.name}(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad."
        )
    for t in outs:
        if modes:
            before_write(t)
    array, _ = forward(op, call)
    arrays = [as_array(a) for a in (array if op.outputs else (array,))]
    for t, a in zip(outs, arrays, strict=True):  # all of them before any is written
        if device_of(a) != device_of(t._array):
            raise two_devices(op, device_of(a), device_of(t._array))
        if not can_cast(of(a.dtype), t.dtype):
            raise RuntimeError(
                f"result type {of(a.dtype).legacy} can't be cast to the desired output type "
                f"{t.dtype.legacy}"
            )
    for t, a in zip(outs, arrays, strict=True):
        if t._array.shape != a.shape:
            _warn_of_resizing(t, a)
            t._array = a.astype(t._array.dtype)
        else:
            t._array[...] = a
        mark_written(t)
        if modes:
            observe_write(op, t)
    return op.result(outs) if op.outputs else out


def _warn_of_resizing(t: Tensor, array: Any) -> None:
    if t._array.size:
        import warnings

        warnings.warn(
            "An output with one or more elements was resized since it had shape "
            f"{list(t.shape)}, which does not match the required output shape "
            f"{list(array.shape)}.",
            UserWarning,
            stacklevel=6,
        )
