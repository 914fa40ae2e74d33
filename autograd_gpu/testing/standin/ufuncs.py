"""CuPy's ufuncs: those of NumPy for the types of elements that CuPy's list names."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import calls, indexing
from .arrays import BFLOAT16, ndarray
from .surface import module_rows

__all__ = ["ufunc"]

_SAME = str.maketrans("qQ", "lL")  # one type of eight bytes
_KEYWORDS = frozenset(("out", "dtype", "casting"))
# What CuPy's own methods accept, and for which functions.
_REDUCED = {"add", "multiply"}
_AT = {
    "add": "iIlLefd", "subtract": "iI", "maximum": "iIlLfd", "minimum": "iIlLfd",
    "bitwise_and": "iIlL", "bitwise_or": "iIlL", "bitwise_xor": "iIlL",
}  # fmt: skip


def _char(dtype: np.dtype) -> str:
    return "E" if dtype.name == BFLOAT16 else dtype.char.translate(_SAME)


def _dtype(char: str) -> np.dtype:
    if char == "E":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(char)


class _Plan(NamedTuple):
    """The types of the loop that CuPy runs."""

    inputs: tuple[np.dtype, ...]
    outputs: tuple[np.dtype, ...]


class ufunc:
    """An elementwise function of arrays and numbers; `types` are CuPy's."""

    def __init__(self, name: str, row: dict[str, Any], compute: Any) -> None:
        self.name, self.__name__ = "cupy_" + name, name
        self.types = list(row["ufunc"])
        self.nin, self.nout = row["nin"], row["nout"]
        self.nargs = self.nin + self.nout
        self._compute = compute
        self._loops = [tuple(t.translate(_SAME).split("->")) for t in self.types]
        self._plans: dict[Any, _Plan | None] = {}

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"

    def _plan(self, kinds: tuple[Any, ...]) -> "_Plan | None":
        """The types to compute with; None for those that NumPy finds by itself."""
        kinds = tuple(map(_strong, kinds)) if all(isinstance(k, type) for k in kinds) else kinds
        loop = self._numpy_loop(kinds)
        if loop and tuple("".join(map(_char, part)) for part in loop) in self._loops:
            return None
        for inputs, outputs in self._loops:
            if all(map(_castable, kinds, inputs)):
                return _Plan(tuple(map(_dtype, inputs)), tuple(map(_dtype, outputs)))
        told = tuple(getattr(k, "name", k) for k in kinds)
        raise TypeError(f"Wrong type ({told}) of arguments for {self.name}")

    def _numpy_loop(self, kinds: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """What NumPy makes of such inputs; None where it refuses or is no ufunc."""
        bfloat = any(getattr(k, "name", "") == BFLOAT16 for k in kinds)
        if bfloat or not isinstance(self._compute, np.ufunc):
            return None
        try:
            loop = self._compute.resolve_dtypes((*kinds, *[None] * self.nout))
        except TypeError:
            return None
        safe = all(_castable(k, _char(t)) for k, t in zip(kinds, loop, strict=False))
        return (loop[: self.nin], loop[self.nin :]) if safe else None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute. TypeError for a dtype, an argument or a keyword that CuPy refuses."""
        if not _KEYWORDS.issuperset(kwargs):
            raise TypeError(f"Wrong arguments {sorted(set(kwargs) - _KEYWORDS)}")
        if len(args) not in (self.nin, self.nargs):
            raise TypeError(f"Wrong number of arguments for '{self.name}'")
        if len(args) > self.nin:
            if "out" in kwargs:
                raise ValueError("Cannot specify 'out' as both a positional and keyword argument")
            args, kwargs["out"] = args[: self.nin], args[self.nin :]
        kwargs = {k: v for k, v in kwargs.items() if v is not None}
        kinds = tuple(map(_kind, args[: self.nin]))
        if "dtype" in kwargs:
            plan = None
        elif kinds in self._plans:
            plan = self._plans[kinds]
        else:
            plan = self._plans[kinds] = self._plan(kinds)
        compute = self._compute if plan is None else partial(self._planned, plan)
        return calls.call(self.__name__, compute, args, kwargs, packed=True)

    def _planned(self, plan: "_Plan", *hosts: Any, out: Any = None, **named: Any) -> Any:
        """Compute with the types of CuPy's own choice."""
        inputs = [np.asarray(h).astype(d) for h, d in zip(hosts, plan.inputs, strict=False)]
        result = self._compute(*inputs, **named)
        parts = result if self.nout > 1 else (result,)
        parts = tuple(np.asarray(r).astype(d) for r, d in zip(parts, plan.outputs, strict=True))
        given = out if isinstance(out, tuple) else (out,)
        if given[0] is not None:
            casting = named.get("casting", "same_kind")
            for target, part in zip(given, parts, strict=True):
                np.copyto(target, part, casting=casting)
            parts = tuple(given)
        return parts if self.nout > 1 else parts[0]

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """Unbuffered writes at indices, in place: repeated indices all count. TypeError for a
        type of elements that CuPy has no atomic operation for."""
        name = self.__name__
        if name not in _AT:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        if a.__class__ is not ndarray or _char(a.dtype) not in _AT[name]:
            known = ", ".join(np.dtype(c).name for c in _AT[name])
            raise TypeError(f"cupy.{name}.at only supports {known} as data type")
        calls.record(name + ".at", (a, indices, b), {})
        found = [a]
        key = indexing.host_key(a.shape, indices, found)
        value = indexing.value_of(b, found)
        calls.used(found)
        with np.errstate(all="ignore"):
            self._compute.at(a._host, key, value)

    def reduce(
        self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        """Fold dimensions."""
        self._only("reduce", _REDUCED)
        args = (array, axis, dtype, out, keepdims)
        return calls.call(self.__name__ + ".reduce", self._compute.reduce, args, {}, packed=True)

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """All partial folds along a dimension."""
        self._only("accumulate", _REDUCED)
        args = (array, axis, dtype, out)
        name = self.__name__ + ".accumulate"
        return calls.call(name, self._compute.accumulate, args, {}, packed=True)

    def reduceat(
        self, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
    ) -> Any:
        """Folds of slices."""
        self._only("reduceat", {"add"})
        args = (array, indices, axis, dtype, out)
        name = self.__name__ + ".reduceat"
        return calls.call(name, self._compute.reduceat, args, {}, packed=True)

    def outer(self, A: Any, B: Any, **kwargs: Any) -> Any:
        """Every element of A with every one of B."""
        calls.record(self.__name__ + ".outer", (A, B), kwargs)
        return self(A.reshape(A.shape + (1,) * B.ndim), B, **kwargs)

    def _only(self, method: str, names: set[str]) -> None:
        if self.__name__ not in names:
            raise NotImplementedError(f"`{self.name}.{method}` is not supported yet")


def _kind(value: Any) -> Any:
    """What of an argument decides the type of the result."""
    if value.__class__ is ndarray:
        return value._host.dtype
    if value.__class__ in (int, float, complex):
        return value.__class__
    if value.__class__ is bool:
        return np.dtype(bool)
    if isinstance(value, np.generic):
        return value.dtype
    raise TypeError(f"Unsupported type {type(value)}")


def _strong(kind: type) -> np.dtype:
    """A number's own type, where no array says another."""
    return np.dtype({int: "l", float: "d", complex: "D"}[kind])


def _castable(kind: Any, char: str) -> bool:
    """May CuPy choose a loop with this type for such an input? A Python float is no bfloat16 to
    it: together they make float32."""
    if not isinstance(kind, type):
        return bool(np.can_cast(kind, _dtype(char)))
    if char == "E":
        return kind is int
    return np.dtype(char).kind in {int: "iufc", float: "fc", complex: "c"}[kind]


def find(name: str) -> ufunc | None:
    """CuPy's ufunc of a name; None where NumPy has no function of the name."""
    row = module_rows("")[name]
    compute = getattr(np, name, None)
    return None if compute is None else ufunc(name, row, compute)
