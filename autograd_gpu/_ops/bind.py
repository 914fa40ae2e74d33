"""The in-place forms become methods of Tensor."""

import operator as operators
from typing import Any

from .._core.tensor import Tensor

__all__ = ["bind_composite", "bind_op", "inplace_doc", "inplace_stub"]


def inplace_doc(name: str) -> str:
    """The docstring of an in-place form."""
    return f"In-place form of `{name}`: the result is written into this tensor, which is returned."


def inplace_stub(*args: Any, **kwargs: Any) -> Any:
    """What an `f_` is before its first call: it gets its code, and is called again."""
    return graft(OP)(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def bind_op(op: Any) -> None:
    """Tensor's `f_` of an op, and its augmented operator where it has one (`__iadd__`)."""
    name = op.name.lstrip("_") + "_"
    method = op.inplace_method(name)
    augmented = ["__i" + dunder[2:] for dunder in op.methods]
    # of `__add__`, not of `__neg__`
    op.inplace = (name, *[each for each in augmented if hasattr(operators, each)])
    for each in op.inplace:
        setattr(Tensor, each, method)


def bind_composite(entry: Any) -> None:
    """Tensor's `f_` of a function in plain operations."""
    function, name = entry.function, entry.name + "_"

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        from .inplace import write_result

        return write_result(name, self, function, args, kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = inplace_doc(entry.name)
    setattr(Tensor, name, method)
    entry.inplace = (name,)
