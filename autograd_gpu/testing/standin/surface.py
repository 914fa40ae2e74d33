"""What CuPy offers, as surface.json lists it: names, parameters, types of elements."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .rules import AXIS_NEEDS_DIMENSIONS, NO_ARRAYS

__all__ = ["Parameters", "array_members", "module_rows", "parsed", "version"]


@cache
def _all() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "surface.json").read_text(encoding="utf-8"))


def version() -> str:
    """The release of CuPy that is imitated."""
    return _all()["cupy"]


def module_rows(module: str) -> dict[str, Any]:
    """{name: row} of a module of CuPy, "" being the package itself."""
    return _all()["modules"][module]


def array_members() -> dict[str, str | None]:
    """{name: parameters, or None for an attribute} of CuPy's ndarray."""
    return _all()["ndarray"]


class Parameters:
    """The parameters of a function; `check` refuses a call that does not fit them."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        parts = [p for p in text.split(", ") if p and p != "/"]
        star = next((k for k, p in enumerate(parts) if p[0] == "*" and p[:2] != "**"), len(parts))
        plain = [p for p in parts[:star] if p[:2] != "**"]
        self.names = frozenset(p.rstrip("=") for p in parts if p[0] != "*")
        self.positional = [p.rstrip("=") for p in plain]
        self.required = [p for p in parts if p[0] != "*" and not p.endswith("=")]
        self.most = 10**6 if star < len(parts) and parts[star] != "*" else len(plain)
        self.dimensioned = name.removeprefix("ndarray.") in AXIS_NEEDS_DIMENSIONS
        self.open = any(p[:2] == "**" for p in parts)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """TypeError as Python says it."""
        given = len(args)
        if given > self.most:
            raise TypeError(
                f"{self.name}() takes at most {self.most} positional arguments ({given} given)"
            )
        for name in kwargs:
            if name not in self.names and not self.open:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'")
            if name in self.positional[:given]:
                raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
        named = [*zip(self.positional, args, strict=False), *kwargs.items()]
        for name, value in named:
            if name in NO_ARRAYS and hasattr(value, "__cuda_array_interface__"):
                raise TypeError(f"{self.name}(): {name}: an array is not a whole number")
        if self.dimensioned and getattr(args[0] if args else None, "ndim", 1) == 0:
            axis = dict(named).get("axis")
            if isinstance(axis, int):
                raise np.exceptions.AxisError(axis, 0)
        for name in self.required:
            if name not in kwargs and name not in self.positional[:given]:
                raise TypeError(f"{self.name}() missing a required argument: '{name}'")


@cache
def parsed(name: str, text: str) -> Parameters:
    """The parameters that a row states."""
    return Parameters(name, text)
