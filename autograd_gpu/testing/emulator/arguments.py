"""What a kernel's parameters accept: the checks that a GPU does not make."""

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
        size = int(parameter.type.partition(":")[2])
        if value.dtype.kind != "V" or value.dtype.itemsize != size:
            raise ArgumentError(
                f"{where}: expected a structure of {size} bytes, "
                f"got {value.dtype} of {value.dtype.itemsize} bytes"
            )
    elif value.dtype.name != parameter.type:
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
    native = array.dtype.isnative and array.dtype.name == parameter.type
    if parameter.type != "void" and not native and not parameter.type.startswith("struct:"):
        raise ArgumentError(f"{where}: expected an array for {parameter}, got {array.dtype}")
    if parameter.type.startswith("struct:") and array.dtype.itemsize != int(parameter.type[7:]):
        raise ArgumentError(
            f"{where}: expected an array of structures of {parameter.type[7:]} bytes, "
            f"got {array.dtype}"
        )
    if not isinstance(value, Strided) and not array.flags.c_contiguous:
        raise ArgumentError(
            f"{where}: the array is not contiguous (shape {array.shape}, strides {array.strides}); "
            "wrap it in strided(...) where the kernel is told its strides"
        )
    if not parameter.const and not array.flags.writeable:
        raise ArgumentError(f"{where}: {parameter} is written to, and the array is read-only")
    return array
