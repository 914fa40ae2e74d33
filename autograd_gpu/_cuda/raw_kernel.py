"""Users' kernels: CUDA source with declared parameters, launched with checked arguments."""

import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from .._core.declared import WORDS, assertion, prelude
from .._core.device import device_of
from .._core.library import LIBRARIES, Library
from .._core.manifest import SCALARS, Form, Kernel, Parameter
from .._core.sources import with_headers
from .._core.state import modes
from .._core.tensor import Tensor
from ..autograd.mutation import record_write
from ..autograd.saving import before_writes
from .launch import OPTIONS, Instance, blocks, key

__all__ = ["RawKernel"]

MAX_DYNAMIC_SHARED = 48 * 1024


class RawKernel:
    """A kernel of CUDA C++, with the types of its parameters.

        double_it = RawKernel(source, "double_it<{T}>", "x: const T*, y: T*, n: i64")
        double_it(x, y, x.size, threads=x.size)

    `source`: the text; `#include "common.cuh"` brings this package's header, whose `ag::widen` and
    `ag::narrow` compute with half types in float. `name`: as C++ spells it. In it {T} stands for
    the type of the arrays declared `T*`, {A} for the type to compute in (float for halves), {V} for
    how many fit into 16 bytes, {U} and {B} for the same of a second type; the kernel is compiled
    anew for each type that it meets. `parameters`: `name: type`, separated by ", ". Types are T, A,
    U, B, NumPy's names (float32, int64, bool ...) or i32, i64, u32, u64, f32, f64; `*` means an
    array, `const` that it is only read, `?` that it may be None. `options`: further ones for NVRTC.

    That the kernel does take these parameters is checked when it is compiled. ValueError for
    parameters that cannot be read.
    """

    def __init__(
        self, source: str, name: str, parameters: str, *, options: Sequence[str] = ()
    ) -> None:
        """Nothing is compiled before the first launch."""
        self.name, self.options = name, (*OPTIONS, *options)
        self._text = with_headers(source)
        self._row = Kernel(name, "", {"": Form(name, parameters)}, tuple(SCALARS))
        self.parameters = self._row.parameters("", "float32:int32")
        for p in self.parameters:
            if p.dtype not in WORDS:
                raise ValueError(
                    f"{name}: '{p.name}: {p.dtype}' is not a type: expected T, A, U, B, i32, i64, "
                    f"u32, u64, f32, f64 or one of {', '.join(WORDS)}"
                )
        words = [text.split(": ")[1].strip("?").removeprefix("const ")
                 for text in parameters.split(", ")]  # fmt: skip
        self._typed_by = [words.index(t) if t in words else None for t in ("T*", "U*")]

    def __repr__(self) -> str:
        return f"RawKernel({self.name!r})"

    def __call__(
        self, *args: Any, threads: int | None = None, grid: Any = None, block: Any = 256,
        shared_mem: int = 0,
    ) -> None:  # fmt: skip
        """Launch on the current stream of the arrays' device.

        `threads`: how many are needed, with blocks of `block`; 0 launches nothing. A grid has a
        largest size, so a kernel for any number of elements goes on in steps of all threads. Or
        `grid`: blocks, a number or a tuple of up to three. `args`: tensors or arrays on one CUDA
        device, contiguous and of the declared type; numbers are converted to the declared type.
        A tensor that the kernel writes counts as written in place.

        TypeError, ValueError or OverflowError for what the kernel would misread.
        """
        if (threads is None) == (grid is None):
            raise TypeError(f"{self.name}: expected either threads= or grid=")
        if shared_mem > MAX_DYNAMIC_SHARED:
            raise ValueError(
                f"{self.name}: shared_mem may be at most {MAX_DYNAMIC_SHARED}, got {shared_mem}"
            )
        if modes:
            before_writes(self._written(args))
        raw = [a._array if isinstance(a, Tensor) else a for a in args]
        xp, device = self._place(raw)
        with xp.device(device):
            run = self._instance(xp, self._dtype(raw), device)
            typed = run.typed(xp, list(map(_number, [self.name] * len(raw), run.parameters, raw)))
            if threads != 0:
                shape = blocks(threads or 1, _size(block)) if grid is None else grid
                run.function(_tuple(shape), _tuple(block), typed, shared_mem=shared_mem)
        for value in self._written(args):
            record_write(value._array)

    def _written(self, args: Sequence[Any]) -> list[Tensor]:
        """The arguments that the kernel writes, as far as they are Tensors."""
        return [
            value
            for parameter, value in zip(self.parameters, args, strict=False)
            if parameter.pointer and not parameter.const and isinstance(value, Tensor)
        ]

    def _place(self, args: Sequence[Any]) -> tuple[Library, int]:
        """The library and the device of the arrays, which are on one."""
        if len(args) != len(self.parameters):
            raise TypeError(
                f"{self.name}: expected {len(self.parameters)} arguments "
                f"({', '.join(p.name for p in self.parameters)}), got {len(args)}"
            )
        pairs = zip(self.parameters, args, strict=True)
        arrays = [a for p, a in pairs if p.pointer and a is not None]
        places = {}
        for array in arrays:
            if LIBRARIES.get(array.__class__, np) is np:
                what = "a CPU array" if isinstance(array, np.ndarray) else type(array).__name__
                raise TypeError(f"{self.name}: expected arrays on a CUDA device, got {what}")
            places[str(device_of(array))] = array
        if len(places) != 1:
            found = " and ".join(sorted(places)) or "none"
            raise RuntimeError(f"{self.name}: expected arrays on one CUDA device, found {found}")
        array = next(iter(places.values()))
        return LIBRARIES[array.__class__], array.device.id

    def _dtype(self, args: Sequence[Any]) -> str:
        """ "float32", or "float32:int64" where there is a second type."""
        names = []
        for place in self._typed_by:
            if place is not None and args[place] is not None:
                name = key(args[place].dtype)
                if name not in SCALARS:
                    raise TypeError(f"{self.name}: no kernels for arrays of {name}")
                names.append(name)
            elif not names:
                names.append("float32")
        return ":".join(names)

    def _instance(self, xp: Library, dtype: str, device: int) -> Instance:
        found = xp.instances.get((self, dtype, device))
        if found is None:
            expression, parameters = self._row.spell("", dtype), self._row.parameters("", dtype)
            text = f"{self._text}\n{prelude}{assertion(expression, parameters)}"
            module = xp.module.RawModule(
                code=text, options=self.options, name_expressions=[expression]
            )
            kernel = module.get_function(expression)
            found = Instance(expression, getattr(kernel, "kernel", kernel), parameters)
            xp.instances[self, dtype, device] = found
        return found


def _tuple(value: Any) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _size(block: Any) -> int:
    return int(np.prod(_tuple(block)))


def _number(where: str, parameter: Parameter, value: Any) -> Any:
    """A number in the declared type; an array as it is."""
    if parameter.pointer:
        return value
    kind = np.dtype(parameter.dtype)
    if kind.kind == "b":
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{where}: {parameter.name}: expected a bool, got {value!r}")
        return kind.type(value)
    if kind.kind in "iu":
        try:
            number = operator.index(value)
        except TypeError:
            raise TypeError(
                f"{where}: {parameter.name}: expected an integer for {kind}, got {value!r}"
            ) from None
        limits = np.iinfo(kind)
        if not limits.min <= number <= limits.max:
            raise OverflowError(f"{where}: {parameter.name}: {number} does not fit into {kind}")
        return kind.type(number)
    if not isinstance(value, (Real, np.floating)):
        raise TypeError(f"{where}: {parameter.name}: expected a number for {kind}, got {value!r}")
    with np.errstate(over="ignore"):
        return kind.type(value)
