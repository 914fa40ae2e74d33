"""`@layer`: a module that is one function and its options, said once as annotated attributes."""
from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform, overload

from ..._core.tensor import Tensor

__all__ = ["layer"]

Class = TypeVar("Class", bound=type[Any])


@overload
def layer(cls: Class) -> Class: ...
@overload
def layer(
    *, show: tuple[str, ...] | None = None, kw_only: bool = False
) -> Callable[[Class], Class]: ...
@dataclass_transform(eq_default=False)
def layer(cls: Any = None, *, show: tuple[str, ...] | None = None, kw_only: bool = False) -> Any:
    """Write the constructor and `extra_repr` of a module class from its annotated attributes.

        @layer
        class ELU(Module):
            alpha: float = 1.0
            inplace: bool = False

            def forward(self, input):
                return F.elu(input, self.alpha, self.inplace)

    gives `ELU(alpha=1.0, inplace=False)`, which stores its arguments, and prints `alpha=1.0`.
    An argument that is a Tensor, or is annotated so, becomes a buffer. `__post_init__`, where the
    class has one, checks the options. `inplace` is printed when it is True only; `show` names
    what is printed instead of all. kw_only: the arguments are keywords only.
    """

    def complete(cls: Any) -> Any:
        names = [name for name in inspect.get_annotations(cls) if not name.startswith("_")]
        cls.__init__ = make_init(cls, names, kw_only)
        for name in names:
            if name in cls.__dict__:
                delattr(cls, name)          # a default belongs to the constructor alone
        if "extra_repr" not in cls.__dict__:
            shown = names if show is None else list(show)
            cls.extra_repr = lambda self: describe(self, shown)
        return cls

    return complete if cls is None else complete(cls)


def make_init(cls: type[Any], names: list[str], kw_only: bool) -> Any:
    """The constructor: a function with a signature of its own, so that errors and help are good."""
    annotations = inspect.get_annotations(cls)
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    parameters = [f"{name}=defaults[{name!r}]" if name in defaults else name for name in names]
    if kw_only:
        parameters.insert(0, "*")
    options = ", ".join(f"{name}={name}" for name in names)
    source = (
        f"def __init__({', '.join(['self', *parameters])}):\n"
        "    super(cls, self).__init__()\n"
        f"    store(self, dict({options}))\n"
    )
    space: dict[str, Any] = {"cls": cls, "store": store, "defaults": defaults}
    exec(source, space)
    init = space["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    init.__annotations__ = {name: annotations[name] for name in names} | {"return": None}
    return init


def store(module: Any, options: dict[str, Any]) -> None:
    """Put a layer's options on it: tensors as buffers, the two old names of `reduction` apart."""
    if "size_average" in options:
        old = options.pop("size_average"), options.pop("reduce")
        if old != (None, None):
            options["reduction"] = old_reduction(*old)
    annotations = inspect.get_annotations(type(module))
    for name, value in options.items():
        if isinstance(value, Tensor) or "Tensor | None" == annotations.get(name):
            module.register_buffer(name, value)
        else:
            setattr(module, name, value)
    if hasattr(module, "__post_init__"):
        module.__post_init__()


def old_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """The `reduction` that two deprecated arguments ask for; each is True by default."""
    mean = size_average is None or size_average
    reduction = "none" if reduce is not None and not reduce else "mean" if mean else "sum"
    warnings.warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{reduction}' instead.",
        stacklevel=5,
    )
    return reduction


def describe(module: Any, names: list[str]) -> str:
    """`name=value` for each shown option, `inplace` only when it is set."""
    shown = [n for n in names if n != "inplace" or module.inplace]
    return ", ".join(f"{name}={getattr(module, name)!r}" for name in shown)
