"""Containers of modules: Sequential, ModuleList, ModuleDict (and the two of parameters)."""
from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Self

from ._parameter_containers import ParameterDict, ParameterList
from ._tree import indent
from .module import Module

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _ModuleSequence(Module):
    """Modules in a row, under the names "0", "1", ...: what Sequential and ModuleList share."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [key for key in super().__dir__() if not key.isdigit()]

    def _name_at(self, index: int) -> str:
        position, length = operator.index(index), len(self)
        if not -length <= position < length:
            raise IndexError(f"index {position} is out of range")
        return list(self._modules)[position]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        for name in names:
            delattr(self, name)
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Module | None]) -> None:
        self._modules = OrderedDict((str(i), module) for i, module in enumerate(modules))

    def append(self, module: Module | None) -> Self:
        """Add a module at the end. Returns self."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int) -> Any:
        """Remove and return the module at an index; those behind it move up."""
        module = self[key]  # type: ignore[index]
        del self[key]
        return module


class Sequential(_ModuleSequence):
    """Modules that feed each other: the output of each is the input of the next.

    Made from modules, or from one ordered dict that names them. It takes indices, slices and
    item assignment like a list; `+` joins two and `*` repeats (the same modules).
    """

    def __init__(self, *args: Module | OrderedDict[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self._extend(args)

    def forward(self, input: Any) -> Any:
        """Pass the input through all modules in order."""
        module: Any
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            named: Any = OrderedDict(list(self._modules.items())[idx])
            return type(self)(named)
        return self._modules[self._name_at(idx)]

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before an index. Returns self; IndexError for an index out of range."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        length = len(self)
        if not -length <= index <= length:
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add the modules of another Sequential, or of any iterable, at the end."""
        return self._extend(list(sequential))

    def _extend(self, modules: Iterable[Any]) -> Self:
        for module in modules:
            self.append(module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        require_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        require_sequential(other)
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        require_factor(self, times)
        return Sequential(*chain.from_iterable([list(self)] * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        require_factor(self, times)
        return self.extend(list(self) * (times - 1))


def require_sequential(other: Any) -> None:
    """`+` is for two Sequentials (ValueError)."""
    if not isinstance(other, Sequential):
        raise ValueError(
            f"add operator supports only objects of Sequential class, but {type(other)} is given."
        )


def require_factor(module: Sequential, times: Any) -> None:
    """`*` is for a positive integer (TypeError, ValueError)."""
    if not isinstance(times, int):
        raise TypeError(f"unsupported operand type(s) for *: {type(module)} and {type(times)}")
    if times <= 0:
        raise ValueError(f"Non-positive multiplication factor {times} for {type(module)}")


class ModuleList(_ModuleSequence):
    """A list of modules that are registered: their parameters are found."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return self._modules[self._name_at(idx)]

    def insert(self, index: int, module: Module) -> None:
        """Put a module before an index, as `list.insert` does."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add the modules of an iterable at the end. Returns self; TypeError if not iterable."""
        require_iterable("ModuleList.extend", modules)
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return type(self)([*self, *other])

    def __repr__(self) -> str:
        """Like `Module.__repr__`, with equal neighbours told once: `(0-3): 4 x ReLU()`."""
        if not len(self):
            return f"{self._get_name()}()"
        runs: list[list[Any]] = []
        for i, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        lines = []
        for first, last, text in runs:
            label = f"({first})" if first == last else f"({first}-{last})"
            count = "" if first == last else f"{last - first + 1} x "
            lines.append(f"\n  {label}: {indent(count + text)}")
        return f"{self._get_name()}({''.join(lines)}\n)"


def require_iterable(name: str, value: Any, of: str = "an iterable") -> None:
    """TypeError for what cannot be iterated over."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} should be called with {of}, but got {type(value).__name__}")


class ModuleDict(Module):
    """A dict of modules that are registered: their parameters are found."""

    def __init__(self, modules: Any = None) -> None:
        """Begin with the modules of a mapping, or of an iterable of (name, module) pairs."""
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module | None) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove and return the module under a name (KeyError if there is none)."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """The (name, module) pairs."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping, or of an iterable of (name, module) pairs.

        Raises TypeError for anything else, ValueError for what is not a pair.
        """
        for name, module in pairs("ModuleDict", modules):
            self[name] = module


def pairs(name: str, source: Any) -> Iterator[tuple[str, Any]]:
    """The (key, value) pairs of a mapping, a ModuleDict or an iterable of pairs, checked."""
    require_iterable(f"{name}.update", source, "an iterable of key/value pairs")
    if isinstance(source, (Mapping, ModuleDict, ParameterDict)):
        yield from source.items()
        return
    for i, pair in enumerate(source):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{name} update sequence element #{i} should be Iterable; is{type(pair).__name__}"
            )
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(
                f"{name} update sequence element #{i} has length {len(pair)}; 2 is required"
            )
        yield pair
