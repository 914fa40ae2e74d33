"""How a module keeps its parameters, buffers and submodules: registration and attribute access."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..._core.tensor import Tensor
from ..parameter import Buffer, Parameter
from ._hook_tables import registration_hooks
from ._registry import Registry

if TYPE_CHECKING:
    from .module import Module

REGISTRIES = ("_parameters", "_buffers", "_modules")


class MissingAttribute:
    """The last base of a module class that defines `__getattr__`, so that `super()` finds one.

    `Module` itself has no `__getattr__` (see `_registry`); a class that adds one may end with
    `return super().__getattr__(name)`, and gets the usual AttributeError from here.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


class Attributes:
    """The part of `Module` that stores things: three registries, and what assignment means."""

    call_super_init: ClassVar[bool] = False
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make an empty module in training mode.

        A class with `call_super_init = True` hands its arguments on to the next class of a
        multiple inheritance; otherwise there must be none (TypeError).
        """
        if not self.call_super_init:
            refuse_arguments(type(self).__name__, args, kwargs)
        attributes = self.__dict__
        attributes["training"] = True
        for name in REGISTRIES:
            attributes[name] = Registry(self)
        attributes["_non_persistent_buffers_set"] = set()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__getattr__" in cls.__dict__ and MissingAttribute not in cls.__mro__:
            cls.__bases__ = (*cls.__bases__, MissingAttribute)

    # Registration -------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None keeps the name without a parameter.

        Raises KeyError for a name that is empty, dotted or taken, TypeError for a value that is
        not a Parameter, ValueError for a tensor that is the result of an operation.
        """
        parameters = self._registry("_parameters", "parameter")
        check_name(self, "parameter", name, parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}': a parameter must be a leaf "
                "of the graph. To compute it from other tensors, do so in forward()."
            )
        parameters[name] = registration_hooks("parameter", self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module's state but is not trained.

        A buffer follows `to()` and, if `persistent`, is part of `state_dict`.
        Raises KeyError for a name that is empty, dotted or taken, TypeError for a non-tensor.
        """
        buffers = self._registry("_buffers", "buffer")
        check_name(self, "buffer", name, buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        buffers[name] = registration_hooks("buffer", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name; None keeps the name without a module.

        Raises TypeError for a value that is not a Module or a name that is not a string, KeyError
        for a name that is empty, dotted or taken.
        """
        if module is not None and not isinstance(module, Attributes):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        modules = self._registry("_modules", "module")
        check_name(self, "module", name, modules)
        modules[name] = registration_hooks("module", self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _registry(self, name: str, kind: str) -> dict[str, Any]:
        registry: dict[str, Any] | None = self.__dict__.get(name)
        if registry is None:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        return registry

    # Attribute access ---------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign: a Parameter, Buffer or Module is registered, anything else is an attribute.

        A name that is registered takes only its own kind or None (TypeError otherwise).
        """
        mine = self.__dict__
        if name in REGISTRIES:
            replace_registry(self, name, value)
        elif isinstance(value, Parameter):
            self._registry("_parameters", "parameters")
            forget(mine, name, "_parameters")
            self.register_parameter(name, value)
        elif name in mine.get("_parameters", ()):
            refuse_other_kind(value, name, "parameter", "torch.nn.Parameter")
            mine["_parameters"][name] = None
        elif isinstance(value, Attributes):
            modules = self._registry("_modules", "module")
            forget(mine, name, "_modules")
            modules[name] = registration_hooks("module", self, name, value)
        elif name in mine.get("_modules", ()):
            refuse_other_kind(value, name, "child module", "torch.nn.Module")
            mine["_modules"][name] = None
        elif isinstance(value, Buffer) and name not in mine.get("_buffers", ()):
            self._registry("_buffers", "buffer")
            forget(mine, name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in mine.get("_buffers", ()):
            if not isinstance(value, Tensor):
                refuse_other_kind(value, name, "buffer", "torch.nn.Buffer, torch.Tensor")
            mine["_buffers"][name] = registration_hooks("buffer", self, name, value)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for registry in REGISTRIES:
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({key for key in (*dir(type(self)), *self.__dict__) if not key[:1].isdigit()})

    # Copies and pickles -------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        mine = self.__dict__
        mirrored = {name for registry in REGISTRIES for name in mine.get(registry, ())}
        state = {name: value for name, value in mine.items() if name not in mirrored}
        for registry in REGISTRIES:
            if registry in state:
                state[registry] = dict(state[registry])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({k: v for k, v in state.items() if k not in REGISTRIES})
        for name in REGISTRIES:
            if name in state:
                replace_registry(self, name, state[name])


def replace_registry(module: Attributes, name: str, entries: dict[str, Any]) -> None:
    """Give the module a new registry, as programs do by `module._parameters = {...}`."""
    mine = module.__dict__
    if name in mine:
        for entry in mine[name]:
            mine.pop(entry, None)
    mine[name] = Registry(module, entries)


def forget(mine: dict[str, Any], name: str, keep: str) -> None:
    """Drop what a name meant before, where it was an attribute or an entry of another kind."""
    for registry in REGISTRIES:
        if registry != keep and name in mine[registry]:
            del mine[registry][name]
    if name not in mine[keep]:
        mine.pop(name, None)
    mine["_non_persistent_buffers_set"].discard(name)


def check_name(module: Attributes, kind: str, name: Any, registry: dict[str, Any]) -> None:
    """Refuse a name that is no string, empty, dotted (dots join paths) or taken by another kind."""
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" * (kind == "module")))
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if name not in registry and hasattr(module, name):
        raise KeyError(f"attribute '{name}' already exists")


def refuse_other_kind(value: Any, name: str, kind: str, expected: str) -> None:
    """A registered name may be set to None, but not to a value of another kind."""
    if value is not None:
        raise TypeError(
            f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} or None expected)"
        )


def refuse_arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """The TypeError of a function that takes no arguments but `self`."""
    if kwargs:
        key = next(iter(kwargs))
        raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{key}'")
    if args:
        count = len(args) + 1
        raise TypeError(f"{name}.__init__() takes 1 positional argument but {count} were given")


def typename(value: Any) -> str:
    """The type as PyTorch's messages name it: 'torch.FloatTensor' for tensors."""
    if isinstance(value, Tensor):
        return str(value.type())
    cls = type(value)
    module = cls.__module__
    return cls.__qualname__ if module in ("builtins", None) else f"{module}.{cls.__qualname__}"
