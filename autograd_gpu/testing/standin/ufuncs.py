"""CuPy's ufuncs: those of NumPy for the types of elements that CuPy's list names."""

from typing import Any

import numpy as np

from . import calls
from .arrays import BFLOAT16, ndarray
from .surface import module_rows

__all__ = ["ufunc"]

_SAME = str.maketrans("qQ", "lL")  # one type of eight bytes
_KEYWORDS = frozenset(("out", "dtype", "casting", "where"))
# What CuPy's own methods accept, and for which functions.
_REDUCED = {"add", "multiply"}
_AT = {
    "add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor",
}  # fmt: skip


def _char(dtype: np.dtype) -> str:
    return "E" if dtype.name == BFLOAT16 else dtype.char.translate(_SAME)


def _dtype(char: str) -> np.dtype:
    if char == "E":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(char)


class ufunc:
    """An elementwise function of arrays and numbers; `types` are CuPy's."""

    def __init__(self, name: str, row: dict[str, Any], compute: Any) -> None:
        self.name, self.__name__ = "cupy_" + name, name
        self.types = list(row["ufunc"])
        self.nin, self.nout = row["nin"], row["nout"]
        self.nargs = self.nin + self.nout
        self._compute = compute
        self._accepted = [t.split("->")[0].translate(_SAME) for t in self.types]
        self._plans: dict[Any, tuple[np.dtype, ...] | None] = {}

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"

    def _plan(self, kinds: tuple[Any, ...]) -> tuple[np.dtype, ...] | None:
        """The dtypes to convert inputs to; None for what NumPy makes of them by itself."""
        resolve = [k if isinstance(k, type) else np.dtype(k) for k in kinds]
        if isinstance(self._compute, np.ufunc):
            try:
                loop = self._compute.resolve_dtypes((*resolve, *[None] * self.nout))
            except TypeError:
                loop = ()
            if loop and "".join(map(_char, loop[: self.nin])) in self._accepted:
                return None
        for chars in self._accepted:
            if all(map(_castable, resolve, chars)):
                return tuple(map(_dtype, chars))
        raise TypeError(
            f"Wrong type ({tuple(getattr(k, 'name', k) for k in resolve)}) of arguments for "
            f"{self.name}"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute. TypeError for a dtype, an argument or a keyword that CuPy refuses."""
        if not _KEYWORDS.issuperset(kwargs):
            raise TypeError(f"Wrong arguments {sorted(set(kwargs) - _KEYWORDS)}")
        if len(args) not in (self.nin, self.nargs):
            raise TypeError(f"Wrong number of arguments for '{self.name}'")
        kwargs = {k: v for k, v in kwargs.items() if v is not None}
        kinds = tuple(map(_kind, args[: self.nin]))
        if "dtype" in kwargs:
            plan = None
        elif kinds in self._plans:
            plan = self._plans[kinds]
        else:
            plan = self._plans[kinds] = self._plan(kinds)
        compute = self._compute
        if plan is not None:
            inner = compute

            def compute(*hosts: Any, **named: Any) -> Any:
                inputs = [np.asarray(h).astype(d) for h, d in zip(hosts, plan, strict=False)]
                return inner(*inputs, *hosts[len(plan) :], **named)

        return calls.call(self.__name__, compute, args, kwargs, packed=True)

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """Unbuffered writes at indices, in place."""
        if self.__name__ not in _AT:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        from .indexing import _host_key

        found = [a]
        key = _host_key(a.shape, indices, found)
        args = (a, key, b)
        calls.call(self.__name__ + ".at", self._compute.at, args, {}, numpy_too=True)

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
        a, b = A.reshape(A.shape + (1,) * B.ndim), B
        return self(a, b, **kwargs)

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


def _castable(kind: Any, char: str) -> bool:
    if isinstance(kind, type):
        return np.dtype(char if char != "E" else "e").kind in {int: "iufc", float: "fc"}.get(
            kind, "c"
        )
    return bool(np.can_cast(kind, _dtype(char)))


def find(name: str) -> ufunc | None:
    """CuPy's ufunc of a name; None where NumPy has no function of the name."""
    row = module_rows("")[name]
    compute = getattr(np, name, None)
    return None if compute is None else ufunc(name, row, compute)
