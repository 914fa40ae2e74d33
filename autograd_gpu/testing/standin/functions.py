"""The functions of CuPy's modules, made on demand from NumPy's and CuPy's own parameters."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import calls, ufuncs
from .arrays import ndarray
from .creation import CREATION
from .imitated import COMPUTED
from .rules import KEEP_ORDER, NUMBERS_TOO, NUMPY_TOO, PLAIN, RENAMED
from .surface import Parameters, module_rows, parsed

__all__ = ["attribute", "namespace"]

def _numpy(module: str, name: str) -> Any:
    """NumPy's function of the same place and name, or the one that imitates CuPy's."""
    full = f"{module}.{name}" if module else name
    if full in COMPUTED:
        return COMPUTED[full]
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
    run = _checked(full, parsed(full, row["call"]), compute)
    run.__name__ = run.__qualname__ = name
    run.__doc__ = f"`numpy.{full}` with CuPy's parameters: ({row['call']})."
    return run


def _checked(name: str, parameters: Parameters, compute: Callable[..., Any]) -> Callable[..., Any]:
    """The function of device arrays that refuses what CuPy refuses."""
    renamed, plain = RENAMED.get(name, {}), name in PLAIN
    numpy_too, numbers_too = name in NUMPY_TOO, name in NUMBERS_TOO
    packed = name not in KEEP_ORDER

    def run(*args: Any, **kwargs: Any) -> Any:
        parameters.check(args, kwargs)
        if not numbers_too:
            first = args[0] if args else kwargs.get(parameters.positional[0])
            if first.__class__ is not ndarray:
                raise TypeError(
                    f"{name}() wants an array of the device first, got {type(first).__name__}"
                )
        if renamed:
            kwargs = {renamed.get(k, k): v for k, v in kwargs.items()}
        if plain:
            calls.record(name, args, kwargs)
            return compute(*calls.unwrap(args, [], numpy_too), **kwargs)
        return calls.call(name, compute, args, kwargs, numpy_too, packed)

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
