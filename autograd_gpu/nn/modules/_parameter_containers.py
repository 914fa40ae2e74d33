"""Containers of parameters: ParameterList and ParameterDict."""
from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any, Self

from ..._core.tensor import Tensor
from ..parameter import Parameter
from .module import Module


def as_parameter(value: Any) -> Any:
    """A plain tensor becomes a Parameter; anything else stays what it is."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def describe(value: Any, kind: str) -> str:
    """One entry of the containers' repr. kind: what the dtype is called there."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    size = "x".join(str(length) for length in value.shape)
    label = "Parameter" if isinstance(value, Parameter) else "Tensor"
    place = "" if value.device.type == "cpu" else f" ({value.device})"
    return f"{label} containing: [{kind} of size {size}{place}]"


class ParameterList(Module):
    """A list of parameters that are registered.

    Tensors become Parameters; other values are kept, but are no parameters.
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def _name_at(self, index: int) -> str:
        position, length = operator.index(index), len(self)
        if not -length <= position < length:
            raise IndexError(f"index {position} is out of range")
        return str(position % length)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)([self[i] for i in range(*idx.indices(len(self)))])
        return getattr(self, self._name_at(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, self._name_at(idx), as_parameter(param))

    def append(self, value: Any) -> Self:
        """Add a value at the end. Returns self."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add the values of an iterable at the end. Returns self; TypeError if not iterable."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        kinds = [str(v.dtype) if isinstance(v, Tensor) else "" for v in self]
        lines = zip(self, kinds, strict=True)
        return "\n".join(f"  ({i}): {describe(v, kind)}" for i, (v, kind) in enumerate(lines))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dict of parameters that are registered, in the order of insertion.

    Tensors become Parameters; other values are kept, but are no parameters.
    """

    def __init__(self, parameters: Any = None) -> None:
        """Begin with the entries of a mapping, or of an iterable of (name, value) pairs."""
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, attribute_name(key))

    def __setitem__(self, key: str, value: Any) -> None:
        name = attribute_name(key)
        setattr(self, name, as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, attribute_name(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: Any) -> Any:
        result = other.copy()
        result.update(self)
        return result

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """A new ParameterDict with the same values."""
        return type(self)(dict(self.items()))

    def get(self, key: str, default: Any = None) -> Any:
        """The value under a name, or the default."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value under a name; the default is put there if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all entries."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove and return the value under a name."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the entry that was put in last. KeyError if there is none."""
        key, _ = self._keys.popitem()
        value = self[key]
        delattr(self, attribute_name(key))
        return key, value

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new ParameterDict with these names and one value."""
        return type(self)((key, default) for key in keys)

    def keys(self) -> Any:
        """The names."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The (name, value) pairs."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add the entries of a mapping, or of an iterable of (name, value) pairs.

        Raises TypeError for anything else, ValueError for what is not a pair.
        """
        from .container import pairs

        for key, value in pairs("ParameterDict", parameters):
            self[key] = value

    def extra_repr(self) -> str:
        # PyTorch names the dtype in another way here than in ParameterList.
        kinds = [v.type() if isinstance(v, Tensor) else "" for v in self.values()]
        lines = zip(self.items(), kinds, strict=True)
        return "\n".join(f"  ({key}): {describe(value, kind)}" for (key, value), kind in lines)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")


def attribute_name(key: Any) -> str:
    """The attribute an entry is stored under (TypeError for a key that is no string)."""
    if not isinstance(key, str):
        raise TypeError(
            "Index given to ParameterDict cannot be used as a key as it is not a string "
            f"(type is '{type(key).__name__}')."
        )
    return key
