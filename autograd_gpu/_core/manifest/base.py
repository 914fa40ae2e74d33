"""What a row of the manifest says: a kernel's name, its file, and how C++ spells its instances."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

__all__ = [
    "FLOATS", "LAYOUT", "MAX_DIMS", "SCALARS", "STRUCTS", "Form", "Kernel", "Parameter", "Scalar",
]  # fmt: skip


class Scalar(NamedTuple):
    """A type of elements: its name in C++, that of what it is computed in, elements in 16 bytes."""

    c: str
    wide: str
    width: int


SCALARS = {
    "float32": Scalar("float", "float", 4),
    "float64": Scalar("double", "double", 2),
    "float16": Scalar("__half", "float", 8),
    "bfloat16": Scalar("__nv_bfloat16", "float", 8),
    "int64": Scalar("long long", "long long", 2),
    "int32": Scalar("int", "int", 4),
    "int16": Scalar("short", "int", 8),
    "int8": Scalar("signed char", "int", 16),
    "uint8": Scalar("unsigned char", "int", 16),
    "bool": Scalar("bool", "bool", 16),
}
FLOATS = ("float32", "float64", "float16", "bfloat16")

MAX_DIMS, _MAX_OPERANDS = 8, 6  # as in common.cuh
LAYOUT = np.dtype(
    [("ndim", "i8"), ("shape", "i8", MAX_DIMS), ("strides", "i8", (_MAX_OPERANDS, MAX_DIMS))]
)
"""The structure `Layout` of common.cuh: the result's shape, the operands' strides in elements."""

STRUCTS: dict[str, np.dtype] = {"Layout": LAYOUT}
"""Structures that kernels take by value: their names in C++ and their layouts in NumPy."""

_WORDS = {
    "i64": "int64", "i32": "int32", "u64": "uint64", "u32": "uint32", "f32": "float32",
    "f64": "float64", "u8": "uint8", "bool": "bool",
}  # fmt: skip
_NUMPY = {"float": "float32", "double": "float64", "long long": "int64", "int": "int32"}
_PARAMETER = re.compile(r"^(\w+): (const )?(\w+)(\*?)(\??)$")


class Parameter(NamedTuple):
    """One parameter of an instance. `dtype`: NumPy's name of the type, or that of a structure."""

    name: str
    dtype: str
    pointer: bool
    const: bool
    optional: bool


@dataclass(frozen=True)
class Form:
    """One template of a kernel: its name expression, and its parameters as

        "x: const T*, weight: const T*?, out: T*, mean: A*, rows: i64, eps: A"

    In the expression, {T} is the type of the elements in C++, {A} the type that they are computed
    in, {V} how many fit into 16 bytes, {U} and {B} the same as {T} and {A} of a second type. In the
    parameters these stand without braces, beside i64, i32, u64, u32, f32, f64, u8, bool and the
    structures of `STRUCTS`; `?` allows None for a pointer."""

    expression: str
    parameters: str


@dataclass
class Kernel:
    """One kernel: the name in `kernel=`, the file, its forms, the types that it is compiled for. A
    type may be a pair, "float32:int64" (T and U)."""

    name: str
    file: str
    forms: Mapping[str, Form] = field(default_factory=dict)
    dtypes: tuple[str, ...] = FLOATS

    @property
    def functor(self) -> str:
        """`tanh_backward` is TanhBackward in C++."""
        return "ag::" + "".join(map(str.capitalize, self.name.split("_")))

    def spell(self, form: str, dtype: str) -> str:
        """The name expression of one instance."""
        first, _, second = dtype.partition(":")
        t, u = SCALARS[first], SCALARS[second or first]
        words = {"T": t.c, "A": t.wide, "V": t.width, "U": u.c, "B": u.wide}
        return self.forms[form].expression.format(**words, functor=self.functor)

    def parameters(self, form: str, dtype: str) -> list[Parameter]:
        """What one instance takes."""
        return [
            self._parameter(text, dtype)
            for text in filter(None, self.forms[form].parameters.split(", "))
        ]

    def _parameter(self, text: str, dtype: str) -> Parameter:
        found = _PARAMETER.match(text)
        if found is None:
            raise ValueError(f"{self.name}: not a parameter: {text!r}")
        name, const, word, pointer, optional = found.groups()
        return Parameter(name, _name_of(word, dtype), bool(pointer), bool(const), bool(optional))

    def instances(self, dtype: str) -> list[str]:
        """The name expressions of every instance for a type of elements."""
        return [self.spell(form, dtype) for form in self.forms] if dtype in self.dtypes else []


def _name_of(word: str, dtype: str) -> str:
    first, _, second = dtype.partition(":")
    if word in ("T", "U"):
        return first if word == "T" else second or first
    if word in ("A", "B"):
        return _NUMPY.get(wide := SCALARS[first if word == "A" else second or first].wide, wide)
    return _WORDS.get(word, word)
