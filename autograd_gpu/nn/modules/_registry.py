"""The dicts in which a module keeps its parameters, buffers and submodules, mirrored as attributes.

Why mirrored: PyTorch keeps these only in dicts of their own and finds `self.weight` through
`Module.__getattr__`. On CPython a class with `__getattr__` loses the specialised attribute reads
of *every* attribute (`self.forward` and `self.stride` too), and a call to the hook costs more than
a small matrix product. So each entry is stored twice: in the registry, where programs look it up
and change it (`module._parameters["weight"] = p` works), and in the module's `__dict__`, where an
ordinary attribute read finds it. A registry knows its module by a weak reference, so that a module
is freed by reference counting as before.
"""
from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["Registry"]

V = TypeVar("V")


class Registry(dict[str, V]):
    """A dict whose entries are also attributes of the module that owns it.

    Copies and pickles of a registry are plain dicts: an entry has one owner.
    """

    __slots__ = ("_owner",)
    _owner: Callable[[], Any]

    def __init__(self, owner: object, entries: Mapping[str, V] | None = None) -> None:
        super().__init__()
        self._owner = weakref.ref(owner)
        if entries:
            self.update(entries)

    def _attributes(self) -> dict[str, Any]:
        owner = self._owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: V) -> None:
        super().__setitem__(name, value)
        self._attributes()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._attributes().pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        if name not in self:
            return super().pop(name, *default)
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, V]:
        name, value = super().popitem()
        self._attributes().pop(name, None)
        return name, value

    def clear(self) -> None:
        for name in self:
            self._attributes().pop(name, None)
        super().clear()

    def update(self, *args: Any, **entries: V) -> None:
        for name, value in dict(*args, **entries).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, other: Any) -> Registry[V]:  # type: ignore[override,misc]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (), None, None, iter(self.items())
