"""A ctx may be given any attribute: those whose names the engine uses for itself are set aside."""

from typing import Any

from .hooks import Hooks
from .node import Node

__all__ = ["HooksOf", "OwnNames", "begin", "reserve", "settle"]

_UNSET: Any = object()
_reserved: set[str] = set()
_SETTABLE = (
    "_materialize_non_diff_grads", "dirty_tensors", "materialize_grads", "needs_input_grad",
    "non_differentiable", "saved_for_forward", "to_save",
)  # fmt: skip
_HOOKS: Any = Node.__dict__["hooks"]


def reserve(cls: type) -> None:
    """Note which names are the engine's: what the class of nodes has."""
    _reserved.update(n for n in dir(cls) if not n.startswith("__"))
    _reserved.difference_update(_SETTABLE)


def begin(ctx: Any) -> None:
    """Give every slot its value: nothing was saved or marked so far."""
    ctx.g = ctx._own = ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = None
    ctx.seq = _UNSET
    ctx._kept = ctx._out_forms = ()
    ctx.materialize_grads = True


def settle(ctx: Any, now: int) -> None:
    """Forward is over; the node's number is `now`."""
    if ctx.g is not None:
        set_aside(ctx, "g", None)
    if ctx.seq is not _UNSET:
        set_aside(ctx, "seq", now)
    ctx.seq = now
    attributes = ctx.__dict__
    if not _reserved.isdisjoint(attributes):
        for name in _reserved.intersection(attributes):
            _own(ctx)[name] = attributes.pop(name)


def set_aside(ctx: Any, name: str, value: Any) -> None:
    """The program gave a slot of the engine's a value: keep it elsewhere, and put `value` there."""
    _own(ctx)[name] = getattr(ctx, name)
    setattr(ctx, name, value)


def _own(ctx: Any) -> dict:
    if ctx._own is None:
        ctx._own = {}
    return ctx._own


class HooksOf:
    """The slot `hooks` of a node that is a ctx: what is no Hooks is the program's own."""

    def __get__(self, ctx: Any, cls: Any = None) -> Any:
        if ctx is None:
            return self
        if "hooks" in ctx.__dict__:
            return ctx.__dict__["hooks"]
        return _HOOKS.__get__(ctx, cls)

    def __set__(self, ctx: Any, value: Any) -> None:
        if isinstance(value, Hooks):
            _HOOKS.__set__(ctx, value)
        else:
            ctx.__dict__["hooks"] = value


class OwnNames:
    """The ctx as backward is given it where names were set aside: it has them as the program put
    them."""

    __slots__ = ("__weakref__", "_node")

    def __init__(self, node: Any) -> None:
        object.__setattr__(self, "_node", node)

    def __getattribute__(self, name: str) -> Any:
        node = object.__getattribute__(self, "_node")
        own = node._own
        return own[name] if name in own else getattr(node, name)

    def __setattr__(self, name: str, value: Any) -> None:
        node = object.__getattribute__(self, "_node")
        if name in _reserved:
            node._own[name] = value
        else:
            setattr(node, name, value)

    def __delattr__(self, name: str) -> None:
        node = object.__getattribute__(self, "_node")
        if name in node._own:
            del node._own[name]
        else:
            delattr(node, name)
