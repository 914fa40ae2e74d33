"""Where CuPy does otherwise than NumPy: functions that stand for CuPy's own, by name.

Each takes the library first and then NumPy's arguments. CI holds this list against the calls that
ops make and the CuPy that is installed (`tests/standin/test_audit.py`)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import determinism

__all__ = ["MADE", "REPLACED", "Reducing"]

REPLACED: dict[str, Callable[..., Any]] = {}
"""name in NumPy -> the function that does the same on CUDA arrays."""


MADE: dict[str, Callable[[Any], Any]] = {}
"""name in NumPy -> what makes the value that stands for CuPy's, of the library."""


def replaces(name: str) -> Callable[[Any], Any]:
    """Declare a difference."""

    def wrap(function: Any) -> Any:
        REPLACED[name] = function
        return function

    return wrap


class Reducing:
    """A ufunc with the `reduce` that CuPy leaves out: a reduction of the same meaning."""

    def __init__(self, ufunc: Any, reduction: Any) -> None:
        """See the class."""
        self.ufunc, self.reduction = ufunc, reduction
        self.at, self.outer = ufunc.at, ufunc.outer

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """The ufunc."""
        return self.ufunc(*arguments, **options)

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
               keepdims: bool = False) -> Any:  # fmt: skip
        """Along one dimension or several."""
        found = self.reduction(array, axis=axis, keepdims=keepdims)
        if out is not None:
            out[...] = found
        return found if out is None else out


def _truth(value: Any) -> Any:
    """Complex numbers as what they count as in logic: CuPy's functions do not take them."""
    return value != 0 if getattr(value, "dtype", np.dtype("?")).kind == "c" else value


def _logical(ufunc: Any) -> Any:
    def logical(*arguments: Any, **options: Any) -> Any:
        return ufunc(*map(_truth, arguments), **options)

    logical.at, logical.outer = ufunc.at, ufunc.outer  # type: ignore[attr-defined]
    return logical


def _reducing(name: str, reduction: str) -> None:
    def make(xp: Any) -> Any:
        ufunc = getattr(xp.module, name)
        ufunc = _logical(ufunc) if name.startswith("logical") else ufunc
        return Reducing(ufunc, getattr(xp.module, reduction))

    MADE[name] = make


for _name, _reduction in {
    "maximum": "amax", "minimum": "amin", "logical_or": "any", "logical_and": "all",
}.items():  # fmt: skip
    _reducing(_name, _reduction)


for _name in ("logical_xor", "logical_not"):
    MADE[_name] = lambda xp, _name=_name: _logical(getattr(xp.module, _name))  # type: ignore[misc]


@replaces("from_host")
def from_host(xp: Any, array: Any) -> Any:
    """A copy of a NumPy array on the current device; CuPy keeps no negative strides."""
    return xp.module.asarray(array)


@replaces("bincount")
def bincount(xp: Any, x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """CuPy's, which adds weights in the order in which threads come."""
    if weights is not None:
        determinism.refuse("bincount with weights on CUDA")
    return xp.module.bincount(x, weights, minlength)


def _scanning(name: str) -> None:
    def scan(xp: Any, a: Any, *options: Any, **more: Any) -> Any:
        """CuPy's, whose blocks add up what came before in any order."""
        if a.dtype.kind not in "biu":
            determinism.refuse(f"{name} on CUDA")
        return getattr(xp.module, name)(a, *options, **more)

    REPLACED[name] = scan


for _name in ("cumsum", "cumprod"):
    _scanning(_name)


def _narrow(xp: Any, name: str, *arrays: Any) -> Any:
    """CuPy's function, whose result is bfloat16 where all arrays are: CuPy makes float32 of it."""

    def run(*arguments: Any, **options: Any) -> Any:
        out = getattr(xp.module, name)(*arguments, **options)
        dtypes = {a.dtype for a in arrays if isinstance(a, (xp.ndarray, np.generic))}
        narrow = len(dtypes) == 1 and "bfloat16" in (d.name for d in dtypes)
        return out.astype(dtypes.pop()) if narrow and out.dtype == np.float32 else out

    return run


@replaces("where")
def where(xp: Any, condition: Any, *choices: Any) -> Any:
    """CuPy's, which chooses no bfloat16."""
    return _narrow(xp, "where", *choices)(condition, *choices)


@replaces("clip")
def clip(xp: Any, a: Any, a_min: Any = None, a_max: Any = None, out: Any = None) -> Any:
    """CuPy's, which refuses bfloat16 where a bound is None."""
    if a.dtype.name == "bfloat16":
        low = -np.inf if a_min is None else a_min
        high = np.inf if a_max is None else a_max
        return _narrow(xp, "clip", a, low, high)(a, low, high, out)
    return xp.module.clip(a, a_min, a_max, out)


def _narrowed(name: str) -> None:
    def run(xp: Any, array: Any, *arguments: Any, **options: Any) -> Any:
        return _narrow(xp, name, array)(array, *arguments, **options)

    REPLACED[name] = run


for _name in ("tril", "triu", "round", "around"):
    _narrowed(_name)
