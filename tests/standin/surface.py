"""Writes the stand-in's list of what CuPy offers, from the installed CuPy.

    python -m tests.standin.surface

It needs no GPU. Names, parameters and types of elements are listed; nothing is called.
"""

import inspect
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "autograd_gpu" / "testing" / "standin" / "surface.json"
MODULES = ("", "linalg", "fft", "random", "lib.stride_tricks")
METHODS = ("at", "reduce", "accumulate", "outer", "reduceat")


def parameters(signature: inspect.Signature) -> str:
    """ "a, axis=, *, dtype=": names; `=` has a default; `/`, `*` as Python says them."""
    out: list[str] = []
    starred = False
    for p in signature.parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            out.append("*" + p.name)
            starred = True
        elif p.kind is p.VAR_KEYWORD:
            out.append("**" + p.name)
        else:
            if p.kind is p.KEYWORD_ONLY and not starred:
                out.append("*")
                starred = True
            out.append(p.name + ("" if p.default is p.empty else "="))
    return ", ".join(out)


def documented(function: Any) -> str | None:
    """The same of a compiled function, from the first line of its documentation."""
    first = (function.__doc__ or "").strip().partition("\n")[0]
    found = re.match(r"[\w.]+\((.*)\)", first)
    if not found:
        return None
    out = []
    for part in filter(None, (p.strip() for p in found[1].split(","))):
        name, equals, _ = part.partition("=")
        name = name.split()[-1]
        if name != "self":
            out.append(name + equals)
    return ", ".join(out)


def of_callable(function: Any) -> str | None:
    """How a function is called; None where nothing says it."""
    try:
        return parameters(inspect.signature(function))
    except (TypeError, ValueError):
        return documented(function)


def permitted(ufunc: Any) -> list[str]:
    """The methods of a ufunc that do not refuse at once; found by calling them with nothing."""
    out = []
    for name in METHODS:
        try:
            getattr(ufunc, name)()
        except (NotImplementedError, AttributeError):
            continue
        except Exception:
            pass
        out.append(name)
    return out


def of_module(module: ModuleType, cupy: Any) -> dict[str, Any]:
    """{name: {"ufunc": types} | {"call": parameters} | {"type": ...} | {"constant": repr}}."""
    rows: dict[str, Any] = {}
    for name in sorted(dir(module)):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, ModuleType):
            continue
        if isinstance(value, cupy.ufunc):
            rows[name] = {"ufunc": list(value.types), "nin": value.nin, "nout": value.nout}
        elif isinstance(value, type):
            rows[name] = {"type": f"{value.__module__}.{value.__qualname__}"}
        elif callable(value):
            if getattr(value, "__module__", "") not in ("typing",):
                rows[name] = {"call": of_callable(value)}
        elif isinstance(value, (int, float, type(None))):
            rows[name] = {"constant": repr(value)}
        else:
            rows[name] = {"object": type(value).__name__}
    return rows


def of_array(cupy: Any) -> dict[str, Any]:
    """{name: parameters of a method, or None for an attribute} of `cupy.ndarray`."""
    rows: dict[str, Any] = {}
    for name in sorted(set(dir(cupy.ndarray)) - set(dir(object)) - {"__pyx_vtable__"}):
        value = getattr(cupy.ndarray, name)
        rows[name] = of_callable(value) or "" if callable(value) else None
    return rows


def surface() -> dict[str, Any]:
    """All of it."""
    import cupy

    modules = {}
    for path in MODULES:
        module = cupy
        for part in filter(None, path.split(".")):
            module = getattr(module, part)
        modules[path] = of_module(module, cupy)
    return {"cupy": cupy.__version__, "ndarray": of_array(cupy), "modules": modules}


def text() -> str:
    """The file: one name a line."""

    def block(rows: dict[str, Any], indent: str) -> str:
        lines = (f"{indent} {json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items())
        return "{\n" + ",\n".join(lines) + "\n" + indent + "}"

    found = surface()
    modules = ",\n".join(
        f"  {json.dumps(k)}: {block(v, '  ')}" for k, v in found["modules"].items()
    )
    return (
        f'{{\n "cupy": {json.dumps(found["cupy"])},\n "ndarray": {block(found["ndarray"], " ")},\n'
        f' "modules": {{\n{modules}\n }}\n}}\n'
    )


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(f"wrote {FILE}")
