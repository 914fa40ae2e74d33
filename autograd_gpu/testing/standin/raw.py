"""`RawModule`: CUDA source compiled for the CPU and run by the emulator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .. import emulator
from ..emulator.arguments import Strided
from . import calls, streams
from .arrays import ndarray

__all__ = ["Launch", "RawKernel", "RawModule", "launches", "running"]


class Launch(NamedTuple):
    """One launch of a kernel."""

    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]


class _Running:
    checked = False
    guarded = False
    schedule = "forward"
    seed = 0


_how = _Running()
_lists: list[list[Launch]] = []


@contextmanager
def launches() -> Iterator[list[Launch]]:
    """A list that grows by every launch within the context."""
    seen: list[Launch] = []
    _lists.append(seen)
    try:
        yield seen
    finally:
        _lists.remove(seen)


@contextmanager
def running(
    *, checked: bool = False, guarded: bool = False, schedule: str = "forward", seed: int = 0
) -> Iterator[None]:
    """How kernels run meanwhile: with every access watched; on copies between guard pages, at five
    times the cost of a small launch; in which order of threads."""
    before = vars(_how).copy()
    vars(_how).update(checked=checked, guarded=guarded, schedule=schedule, seed=seed)
    try:
        yield
    finally:
        vars(_how).clear()
        vars(_how).update(before)


class RawModule:
    """Kernels of one text; compiled on the first launch of any of them."""

    def __init__(
        self, *, code: str | None = None, path: str | None = None, options: tuple[str, ...] = (),
        backend: str = "nvrtc", translate_cucomplex: bool = False, enable_cooperative_groups:
        bool = False, name_expressions: Sequence[str] | None = None, jitify: bool = False,
    ) -> None:  # fmt: skip
        if code is None or path is not None:
            raise TypeError("the stand-in compiles code only, no files")
        if backend not in ("nvrtc", "nvcc"):
            raise ValueError(f"wrong backend: {backend}")
        self.code, self.options, self.backend = code, tuple(options), backend
        self.name_expressions = None if name_expressions is None else tuple(name_expressions)
        self._modules: dict[bool, emulator.Module] = {}

    def compile(self, log_stream: Any = None) -> None:
        """Compile now."""
        self.module(_how.checked)

    def module(self, checked: bool) -> emulator.Module:
        """The compiled kernels, plain or checked."""
        found = self._modules.get(checked)
        if found is None:
            names = self.name_expressions or ()
            found = emulator.Module(self.code, names, checked=checked)
            self._modules[checked] = found
        return found

    def get_function(self, name: str) -> "RawKernel":
        """A kernel by its name expression. KeyError-like RuntimeError where it is not listed."""
        if name not in (self.name_expressions or ()):
            raise RuntimeError(f"{name}: not among the module's name expressions")
        return RawKernel(self, name)


class RawKernel:
    """A kernel: `kernel(grid, block, args, shared_mem=0)`."""

    def __init__(self, module: RawModule, name: str) -> None:
        self._module, self.name = module, name
        self._functions: dict[int, Function] = {}

    def compile(self, log_stream: Any = None) -> None:
        """Compile now."""
        self._module.compile()

    @property
    def kernel(self) -> "Function":
        """The kernel on the current device, as the driver knows it."""
        device = streams.current_device()
        found = self._functions.get(device)
        if found is None:
            found = self._functions[device] = Function(self._module, self.name, device)
        return found

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any],
        *, shared_mem: int = 0,
    ) -> None:  # fmt: skip
        """Run it. emulator.ArgumentError for arguments that a GPU would misread."""
        self.kernel(grid, block, args, shared_mem)


class Function:
    """A kernel on one device: `function(grid, block, args, shared_mem=0, stream=None)`."""

    def __init__(self, module: RawModule, name: str, device: int) -> None:
        self._module, self.name, self.device = module, name, device
        self._kernels: dict[bool, emulator.Kernel] = {}

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any],
        shared_mem: int = 0, stream: Any = None, *, also: Sequence[ndarray] = (),
    ) -> None:  # fmt: skip
        """Run it. `also`: arrays whose addresses lie within structures or arrays, which a driver
        would not ask for. CUDARuntimeError on another device than it was compiled for."""
        if streams.current_device() != self.device:
            text = "CUDA_ERROR_INVALID_HANDLE: invalid resource handle"
            raise streams.CUDARuntimeError(400, text)
        for seen in _lists:
            seen.append(Launch(self.name, tuple(grid), tuple(block)))
        found: list[ndarray] = list(also)
        hosts = [self._argument(a, found) for a in args]
        if stream is None:
            calls.used(found)
        else:
            with stream:
                calls.used(found)
        kernel = self._kernels.get(_how.checked)
        if kernel is None:
            kernel = self._module.module(_how.checked).get_function(self.name)
            self._kernels[_how.checked] = kernel
        kernel(
            grid, block, hosts, shared_mem, schedule=_how.schedule, seed=_how.seed,
            also=[a._host for a in also], guarded=_how.guarded,
        )  # fmt: skip

    def _argument(self, value: Any, found: list[ndarray]) -> Any:
        if value.__class__ is ndarray:
            found.append(value)
            host = value._host
            return host if host.flags.c_contiguous else Strided(host)
        if isinstance(value, np.ndarray) and (value.ndim or value.dtype.names is None):
            raise TypeError(f"{self.name}: Unsupported type {type(value)}")
        return value
