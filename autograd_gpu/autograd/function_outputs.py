"""The outputs of a Function get their place in the graph: as results of its node, aliases of
inputs, views, or writes in place.
"""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.state import modes, recording, state, tick
from .._core.tensor import Tensor, make
from .function_names import settle
from .function_results import form_of
from .function_saved import keep
from .mutation import record_write
from .saving import node_observers
from .views import base_of, edge_of, link_view, mark_written, rebase, refuse_inplace

__all__ = ["finish"]


def finish(ctx: Any, tensors: list, output: Any, recorded: bool) -> Any:
    """What apply returns. `tensors`: those among the arguments; `recorded`: is there a node?"""
    several = isinstance(output, tuple)
    outputs = output if several else (output,)
    if ctx.dirty_tensors is None and ctx.non_differentiable is None:
        live = _usual(outputs, tensors, recorded)
        if live is not None:
            if recorded:
                _complete(ctx, tensors, outputs, live if len(live) > 1 else live[0] if live else 0)
                for i in live:
                    o = outputs[i]
                    if o._array.base is None:
                        o._edge = ctx.output_edge(i)
                    else:
                        _attach(ctx, o, i)
            return output if not several or output.__class__ is tuple else tuple(output)
    results = _place_all(ctx, tensors, outputs, recorded)
    return results if several else results[0]


def _usual(outputs: tuple, tensors: list, recorded: bool) -> list | None:
    """The numbers of the outputs with a derivative, if all outputs are what forward made, and need
    nothing but an edge.
    """
    live = []
    for i, o in enumerate(outputs):
        if o.__class__ is not Tensor:
            if isinstance(o, Tensor):
                return None
            continue
        for t in tensors:
            if t._array is o._array:
                return None
        if recorded and o._array.dtype.kind not in "biu":
            live.append(i)
        elif getattr(o, "_edge", o) is not None or o._array.base is not None:
            return None
    return live


def _complete(ctx: Any, tensors: list, outputs: tuple, live: Any, returned: Any = ()) -> None:
    """Make a node of ctx, and save what forward asked for. `returned`: the arguments, where some
    are outputs too.
    """
    ctx._live = live
    arrays = [t._array for t in tensors]
    if state.several_devices:
        ctx._in_forms = [form_of(a) for a in arrays]
    else:
        ctx._in_forms = [(a.shape, a.dtype, a.__class__) for a in arrays]
    forms = []
    for o in outputs:
        if o.__class__ is Tensor and (a := o._array).__class__ is np.ndarray:
            forms.append((a.shape, a.dtype, np))
        else:
            forms.append(_form(o))
    ctx._out_forms = tuple(forms)
    settle(ctx, tick())
    saved = ctx.to_save
    if saved is not None:
        keep(ctx, saved, outputs, returned)
        ctx.to_save = None
    if modes:
        for observe in node_observers:
            observe(ctx)


def _form(output: Any) -> Any:
    if not isinstance(output, Tensor):
        return None
    a = output._array
    return a.shape, a.dtype, library(a)


def _place_all(ctx: Any, tensors: list, outputs: tuple, recorded: bool) -> tuple:
    dirty, frozen = _marked(ctx, "dirty_tensors"), _marked(ctx, "non_differentiable")
    _check_dirty(ctx, outputs, dirty, tensors, recorded)
    live = [
        i for i, o in enumerate(outputs)
        if isinstance(o, Tensor) and o._array.dtype.kind not in "biu" and not _among(o, frozen)
    ]  # fmt: skip
    if recorded:
        _complete(ctx, tensors, outputs, live if len(live) > 1 else live[0] if live else 0, tensors)
    results = list(outputs)
    for i, o in enumerate(outputs):
        if not isinstance(o, Tensor):
            continue
        written, given = _among(o, dirty), _among(o, tensors)
        if not recorded or i not in live:
            results[i] = _without_history(o, given, written)
        elif written and given:
            _rebase(ctx, o, i, tensors)
        else:
            results[i] = o = _alias(o, _mark(ctx, i)) if given else o
            _attach(ctx, o, i)
    ctx.dirty_tensors = ctx.non_differentiable = None  # ctx must hold no tensors
    return tuple(results)


def _among(t: Tensor, tensors: Any) -> bool:
    return any(t is other for other in tensors)


_MARKING = {
    "dirty_tensors": "mark_dirty can only accept variables, but argument {} is of type {}",
    "non_differentiable": "mark_non_differentiable only accepts variable arguments, but argument "
    "{} is of type {}",
}


def _marked(ctx: Any, name: str) -> tuple:
    """The tensors that forward marked. RuntimeError for anything else."""
    marked = getattr(ctx, name)
    if marked is None:
        return ()
    if not isinstance(marked, tuple):
        raise RuntimeError(
            f"{name} attribute is expected to be a tuple but is {type(marked).__name__}"
        )
    for i, t in enumerate(marked):
        if not isinstance(t, Tensor):
            raise RuntimeError(_MARKING[name].format(i, type(t).__name__))
    return marked


def _check_dirty(ctx: Any, outputs: tuple, dirty: tuple, tensors: list, recorded: bool) -> None:
    """Count the writes. PyTorch's errors for those whose history cannot follow."""
    for t in dirty:
        if recorded:
            record_write(t._array)
        else:
            mark_written(t)
        if not _among(t, outputs):
            raise RuntimeError(
                f"{ctx.name()}: Some elements marked as dirty during the forward method were not "
                "returned as output. The inputs that are modified inplace must all be outputs of "
                "the Function."
            )
    for t in dirty:
        base, steps, mark = base_of(t)
        if not recording() or _among(t, ctx.non_differentiable or ()):
            continue
        if recorded and steps and len(outputs) > 1:
            raise RuntimeError(
                f"{ctx.name()}: If your Function modifies inplace an input that is a view of "
                "another Tensor, your Function cannot return more than one Tensor. Return "
                "several tensors without the write, or write into the base."
            )
        if recorded or mark is not None and edge_of(base) is not None:
            refuse_inplace(t, base, steps, mark)


def _without_history(o: Any, given: bool, written: bool) -> Tensor:
    """An output to which no gradient comes: it requires none, whatever forward did."""
    view = getattr(o, "_view", None)
    if view is not None and view[3] is None and not given:  # forward had recording switched on
        fn = o.grad_fn
        o._view = (*view[:3], "no_grad" if fn is None else ("function", fn.name(), o.output_nr))
    if not o.requires_grad:
        return _alias(o, "no_grad") if given and not written else o
    if given:
        return o.detach()
    return o if view is not None else o.detach_()


def _alias(t: Tensor, mark: Any) -> Tensor:
    """An input that is returned as it is comes back as another tensor of the same memory."""
    out = make(t._array[...])
    link_view(out, t, _same, (), mark)
    return out


def _same(value: Any) -> Any:
    return value


def _attach(ctx: Any, o: Tensor, index: int) -> None:
    """A result of this node. Made of a view, it is one that may not be written."""
    o._edge = ctx.output_edge(index)
    if getattr(o, "_view", None) is not None:
        o._view = (*o._view[:3], _mark(ctx, index))


def _mark(ctx: Any, index: int) -> tuple:
    return "multi" if ctx.several() else "function", ctx.name(), index


def _rebase(ctx: Any, o: Tensor, index: int, tensors: list) -> None:
    """An output that is an input which forward has written: its history is now this node."""
    place = next(i for i, t in enumerate(tensors) if t is o)
    base, steps, _ = base_of(o)
    rebase(base, steps, ctx, ctx._in_edges, place, ctx.output_edge(index))
    edge_of(o)
