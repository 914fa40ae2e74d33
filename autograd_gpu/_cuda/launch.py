"""One launcher for every kernel: it finds or compiles an instance, types and checks each argument,
and launches on the current stream.

CuPy's own launch misreads silently: it ignores strides, passes a Python int as 8 bytes and a float
as a double, and does not look at an array's dtype. So nothing is passed to it that was not checked
against the parameters declared in the manifest."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.library import Library, launcher
from .._core.manifest import KERNELS, STRUCTS, Kernel, Parameter
from .._core.sources import source

__all__ = ["OPTIONS", "Instance", "blocks", "find", "kernel", "key", "launch"]

OPTIONS = ("-std=c++17", "-default-device")
MAX_GRID = (1 << 31) - 1

kernel = launcher

_NAMES: dict[np.dtype, str] = {}


def key(dtype: np.dtype) -> str:
    """A dtype as the manifest calls it: "float32"."""
    name = _NAMES.get(dtype)
    if name is None:
        name = _NAMES[dtype] = dtype.name
    return name


def blocks(n: int, block: int = 256, most: int = MAX_GRID) -> int:
    """How many blocks cover n threads; at least 1, and no more than a grid may have (kernels go on
    where the grid ends)."""
    return min(max(1, -(-n // block)), most)


class Instance:
    """One compiled kernel on one device, and what it takes."""

    __slots__ = ("converters", "function", "parameters", "strided", "title")

    def __init__(self, title: str, function: Any, parameters: Sequence[Parameter]) -> None:
        """See the class."""
        self.title, self.function, self.parameters = title, function, list(parameters)
        self.strided = any(p.dtype in ("Layout", "Reduction") for p in parameters)
        self.converters = [
            None if p.pointer or p.dtype in STRUCTS else np.dtype(p.dtype).type for p in parameters
        ]

    def typed(self, xp: Library, args: Sequence[Any]) -> tuple:
        """The arguments as the driver takes them. TypeError for what it would misread."""
        if len(args) != len(self.parameters):
            raise TypeError(
                f"{self.title}: expected {len(self.parameters)} arguments "
                f"({', '.join(p.name for p in self.parameters)}), got {len(args)}"
            )
        ndarray = xp.ndarray
        return tuple([
            convert(a)
            if convert is not None
            else a
            if a.__class__ is ndarray
            and a._c_contiguous
            and p.pointer
            and _NAMES.get(a.dtype) == p.dtype
            else _checked(self, xp, p, a)
            for p, convert, a in zip(self.parameters, self.converters, args, strict=True)
        ])


def _checked(instance: Instance, xp: Library, parameter: Parameter, value: Any) -> Any:
    """An argument that is not the usual array, as the driver takes it; errors."""
    if value is None and parameter.optional:
        return xp.null
    where = f"{instance.title}: {parameter.name}"
    if not parameter.pointer:
        wanted = STRUCTS[parameter.dtype]
        if getattr(value, "dtype", None) != wanted:
            raise TypeError(f"{where}: expected a structure {parameter.dtype}, got {value!r}")
        return value[()]  # CuPy asks a 0-d array for its address in 3 us, a scalar in 1
    if value.__class__ is not xp.ndarray:
        raise TypeError(
            f"{where}: expected an array on a CUDA device, got {type(value).__name__}"
        )
    if key(value.dtype) != parameter.dtype:
        raise TypeError(f"{where}: expected {parameter.dtype}, got {value.dtype}")
    if not (value._c_contiguous or instance.strided and parameter.const):
        raise ValueError(
            f"{where}: expected a contiguous array, got shape {value.shape} with strides "
            f"{value.strides}"
        )
    return value


def launch(
    xp: Library, name: str, form: str, dtype: str, grid: Any, block: Any, *args: Any,
    shared_mem: int = 0, also: Sequence[Any] = (),
) -> None:  # fmt: skip
    """Run a kernel. `grid`, `block`: numbers or tuples. `also`: arrays whose addresses lie within
    structures or arrays, which only the emulator wants to know."""
    device = _device(xp, args) if xp.several_devices else 0
    run = xp.instances.get((name, form, dtype, device))
    if run is None:
        run = find(xp, name, form, dtype, device)
    grid = grid if grid.__class__ is tuple else (grid,)
    block = block if block.__class__ is tuple else (block,)
    typed = run.typed(xp, args)
    if also and hasattr(xp.module, "null_pointer"):
        run.function(grid, block, typed, shared_mem=shared_mem, also=also)
    elif xp.several_devices and device != xp.current_device():
        with xp.device(device):
            run.function(grid, block, typed, shared_mem=shared_mem)
    else:
        run.function(grid, block, typed, shared_mem=shared_mem)


def _device(xp: Library, args: Sequence[Any]) -> int:
    of_arrays = (a.data.device_id for a in args if a.__class__ is xp.ndarray)
    return next(of_arrays, xp.current_device())


def find(xp: Library, name: str, form: str, dtype: str, device: int) -> Instance:
    """The instance, compiled with all other forms of its kernel for the dtype where it is new."""
    row = KERNELS.get(name)
    if row is None or dtype not in row.dtypes or form not in row.forms:
        raise RuntimeError(f"the kernel '{name}' has no form '{form}' for {dtype}")
    with xp.device(device):
        module = _module(xp, row, dtype, device)
        for each in row.forms:
            # CuPy's RawKernel looks the device up in every launch; the Function in it does not
            found = module.get_function(row.spell(each, dtype))
            xp.instances[name, each, dtype, device] = Instance(
                f"{name} ({each}, {dtype})",
                getattr(found, "kernel", found),
                row.parameters(each, dtype),
            )
    return xp.instances[name, form, dtype, device]


def _module(xp: Library, row: Kernel, dtype: str, device: int) -> Any:
    """The compiled module of a kernel's instances for a dtype. NVRTC is quick, so that a program
    waits least where each kernel is compiled when it is first used; g++, behind the stand-in,
    takes seconds to read the headers, so there a whole file is compiled at once."""
    if not getattr(xp.module, "compiles_files", False):
        return xp.module.RawModule(
            code=source(row.file), options=OPTIONS, name_expressions=row.instances(dtype)
        )
    first = dtype.partition(":")[0]
    unit = ("module", row.file, first, device)
    if unit not in xp.instances:
        names = [
            e for each in KERNELS.values() if each.file == row.file
            for d in each.dtypes if d.partition(":")[0] == first for e in each.instances(d)
        ]  # fmt: skip
        xp.instances[unit] = xp.module.RawModule(
            code=source(row.file), options=OPTIONS, name_expressions=list(dict.fromkeys(names))
        )
    return xp.instances[unit]


def supports(row: Kernel, dtype: np.dtype) -> bool:
    """Is a kernel compiled for a type?"""
    return key(dtype) in row.dtypes
