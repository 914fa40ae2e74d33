"""What a kernel's parameters accept: the checks that a GPU does not make."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

__all__ = ["ArgumentError", "Parameter", "Strided", "check", "parse", "strided"]


class ArgumentError(TypeError):
    """An argument that a GPU would silently misread."""


class Parameter(NamedTuple):
    """One parameter of a kernel: `type` in NumPy's words, or struct:<bytes>."""

    type: str
    pointer: bool
    const: bool

    def __str__(self) -> str:
        """As C++ says it, with NumPy's names."""
        return f"{'const ' if self.const else ''}{self.type}{'*' if self.pointer else ''}"

    @property
    def bytes(self) -> int:
        """How many bytes are passed."""
        if self.pointer:
            return 8
        if self.type.startswith("struct:"):
            return int(self.type[7:])
        return 2 if self.type == "bfloat16" else np.dtype(self.type).itemsize


class Strided(NamedTuple):
    """An array whose strides the kernel knows; see `strided`."""

    array: np.ndarray


def strided(array: np.ndarray) -> Strided:
    """An argument that need not be contiguous, for a kernel that is told its strides."""
    return Strided(array)


def parse(signature: str) -> list[Parameter]:
    """The parameters that a library states: "const float32*,float32*,int64," and the like."""
    out = []
    for text in filter(None, signature.split(",")):
        const, pointer = text.startswith("const "), text.endswith("*")
        out.append(Parameter(text.removeprefix("const ").removesuffix("*"), pointer, const))
    return out


@cache
def _name(dtype: np.dtype) -> str:
    """As a parameter's type says it; "" where the bytes are not in this machine's order."""
    return dtype.name if dtype.isnative else ""


def check(where: str, parameter: Parameter, value: Any) -> Any:
    """The array or number as it is passed on: an ndarray for a pointer, None for a null pointer,
    bytes for anything else. ArgumentError where type, width, layout or writability is wrong."""
    if parameter.pointer:
        return _array(where, parameter, value)
    if not isinstance(value, (np.generic, np.ndarray)) or value.ndim:
        kind = "a Python number has no width, and CuPy would pass 8 bytes"
        raise ArgumentError(
            f"{where}: expected a NumPy scalar of {parameter}, got {type(value).__name__}"
            + (f" ({kind})" if isinstance(value, (int, float)) else "")
        )
    if parameter.type.startswith("struct:"):
        if value.dtype.kind != "V" or value.dtype.itemsize != parameter.bytes:
            raise ArgumentError(
                f"{where}: expected a structure of {parameter.bytes} bytes, "
                f"got {value.dtype} of {value.dtype.itemsize} bytes"
            )
    elif _name(value.dtype) != parameter.type:
        raise ArgumentError(f"{where}: expected {parameter}, got {value.dtype}")
    return value.tobytes()


def _array(where: str, parameter: Parameter, value: Any) -> np.ndarray | None:
    if value is None:
        return None
    array = value.array if isinstance(value, Strided) else value
    if not isinstance(array, np.ndarray):
        raise ArgumentError(
            f"{where}: expected an array for {parameter}, got {type(array).__name__}"
        )
    flags = array.flags
    if _name(array.dtype) != parameter.type:
        _check_type(where, parameter, array.dtype)
    if not flags.c_contiguous and not isinstance(value, Strided):
        raise ArgumentError(
            f"{where}: the array is not contiguous (shape {array.shape}, strides {array.strides}); "
            "wrap it in strided(...) where the kernel is told its strides"
        )
    if not parameter.const and not flags.writeable:
        raise ArgumentError(f"{where}: {parameter} is written to, and the array is read-only")
    return array


def _check_type(where: str, parameter: Parameter, dtype: np.dtype) -> None:
    """Of an array whose type is not simply the parameter's."""
    if parameter.type.startswith("struct:"):
        size = parameter.type[7:]
        if dtype.itemsize != int(size):
            raise ArgumentError(
                f"{where}: expected an array of structures of {size} bytes, got {dtype}"
            )
    elif parameter.type != "void":
        raise ArgumentError(f"{where}: expected an array for {parameter}, got {dtype}")
