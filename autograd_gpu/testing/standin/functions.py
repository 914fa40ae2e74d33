"""The functions of CuPy's modules, made on demand from NumPy's and CuPy's own parameters."""

from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np

from . import calls, indexing, ufuncs
from .creation import CREATION
from .surface import module_rows, parsed

__all__ = ["attribute", "namespace"]

# Functions whose answer is no array, in CuPy too.
_PLAIN = frozenset((
    "can_cast", "common_type", "iscomplexobj", "isfortran", "isrealobj", "isscalar", "issubdtype",
    "may_share_memory", "mintypecode", "min_scalar_type", "ndim", "promote_types", "result_type",
    "shape", "shares_memory", "size", "typename", "broadcast_shapes", "isdtype", "base_repr",
    "binary_repr", "array_repr", "array_str", "array2string", "iterable", "format_float_positional",
    "format_float_scientific", "get_printoptions", "set_printoptions", "printoptions",
))  # fmt: skip
_NUMPY_TOO = frozenset(("may_share_memory", "shares_memory", "result_type", "asarray"))
# Where the names that NumPy gives its parameters are not CuPy's: CuPy's to NumPy's.
_RENAMED = {"reshape": {"newshape": "shape"}}
_COMPUTED: dict[str, Callable[..., Any]] = {"take": indexing.take}


def _bool_array(compute: Callable[..., Any]) -> Callable[..., Any]:
    """CuPy answers with an array where NumPy answers with a bool."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        return np.bool_(compute(*args, **kwargs))

    return answer


_COMPUTED |= {name: _bool_array(getattr(np, name)) for name in ("allclose", "array_equal")}
_COMPUTED["array_equiv"] = _bool_array(np.array_equiv)


def _numpy(module: str, name: str) -> Any:
    """NumPy's function of the same place and name."""
    if not module and name in _COMPUTED:
        return _COMPUTED[name]
    found: Any = np
    for part in filter(None, module.split(".")):
        found = getattr(found, part)
    return getattr(found, name, None)


def function(module: str, name: str, row: dict[str, Any]) -> Callable[..., Any] | None:
    """A function of CuPy's computed by NumPy; None where NumPy has none of the name."""
    if not module and name in CREATION:
        return CREATION[name]
    compute = _numpy(module, name)
    if compute is None or row["call"] is None:
        return None
    full = f"{module}.{name}" if module else name
    renamed = _RENAMED.get(full, {})
    parameters = parsed(full, row["call"])
    plain, numpy_too = name in _PLAIN, name in _NUMPY_TOO

    @wraps(compute, assigned=("__doc__",), updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        parameters.check(args, kwargs)
        if renamed:
            kwargs = {renamed.get(k, k): v for k, v in kwargs.items()}
        if plain:
            return compute(*calls.unwrap(args, [], True), **kwargs)
        return calls.call(full, compute, args, kwargs, numpy_too, packed=True)

    run.__name__ = run.__qualname__ = name
    return run


def attribute(module: str, name: str) -> Any:
    """What CuPy's module holds under a name. AttributeError where it holds nothing, or something
    that the stand-in cannot do."""
    rows = module_rows(module)
    dotted = ".".join(filter(None, ("cupy", module)))
    if name not in rows:
        raise AttributeError(f"module '{dotted}' has no attribute '{name}'")
    row = rows[name]
    made: Any = None
    if "ufunc" in row:
        made = ufuncs.find(name)
    elif "call" in row:
        made = function(module, name, row)
    elif "constant" in row or "type" in row:
        made = getattr(np, name, getattr(np.exceptions, name, None))
    elif row["object"] == "dtype":
        made = getattr(np, name)
    if made is None and row.get("constant") != "None":
        raise AttributeError(f"the stand-in does not offer {dotted}.{name}")
    return made


def namespace(path: str) -> ModuleType:
    """A submodule whose functions are made on demand."""
    module = ModuleType(f"autograd_gpu.testing.standin.{path}")
    module.__doc__ = f"The stand-in for `cupy.{path}`."

    def missing(name: str) -> Any:
        made = attribute(path, name)
        setattr(module, name, made)
        return made

    module.__getattr__ = missing  # type: ignore[method-assign]
    return module
