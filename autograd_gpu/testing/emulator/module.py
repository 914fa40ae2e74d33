"""Compiled kernels and their launch, called as CuPy's RawModule and RawKernel are."""

import ctypes
import re
import subprocess
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import ArgumentError, check, parse
from .build import build, identifier
from .memory import Guarded, GuardError

__all__ = ["Kernel", "KernelError", "Module"]

SCHEDULES = ("forward", "reverse", "random")
_one_launch_at_a_time = threading.Lock()  # the handler of faults belongs to the whole process


class KernelError(RuntimeError):
    """A kernel did what it may not; the message says what, which thread, and in which line."""


class _Buffer(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64) for n in ("address", "bytes", "grain")]


class _Config(ctypes.Structure):
    _fields_ = [
        ("grid", ctypes.c_uint * 3), ("block", ctypes.c_uint * 3),
        ("shared_bytes", ctypes.c_uint64), ("seed", ctypes.c_uint64),
        ("schedule", ctypes.c_int), ("checked", ctypes.c_int),
        ("buffer_count", ctypes.c_uint64), ("buffers", ctypes.POINTER(_Buffer)),
    ]  # fmt: skip


class Module:
    """Kernels of one `.cu` file, or of one text, compiled for the CPU.

    `expressions`: the name of each kernel as C++ says it, with its template arguments. `checked`:
    watch every access to memory. `include`: folders of headers. CompileError where g++ is missing
    or refuses the kernel.
    """

    def __init__(
        self, source: Path | str, expressions: Sequence[str], *, checked: bool = False,
        include: Iterable[Path] = (),
    ) -> None:  # fmt: skip
        """Compile, or find what was compiled before, and load it."""
        self.path = build(source, expressions, checked, include)
        self.checked = checked
        self.library = ctypes.CDLL(str(self.path))
        self.library.emulator_message.restype = ctypes.c_char_p

    def get_function(self, expression: str) -> "Kernel":
        """The kernel of this name. AttributeError where it was not among `expressions`."""
        return Kernel(self, expression)

    def line(self, pc: int) -> str:
        """`file:line` of an instruction, as "" where it is not known."""
        maps = Path("/proc/self/maps").read_text().splitlines()
        base = min(int(m.split("-")[0], 16) for m in maps if m.endswith(str(self.path)))
        command = ["addr2line", "-e", str(self.path), hex(pc - 1 - base)]
        said = subprocess.run(command, capture_output=True, text=True).stdout.split()
        return said[0].rpartition("/")[2] if said and not said[0].startswith("?") else ""

    def explain(self, message: str) -> str:
        """A message of the runtime with lines for addresses."""

        def place(found: re.Match[str]) -> str:
            line = self.line(int(found[1], 16))
            return f" ({line})" if line else ""

        return re.sub(r" pc=(0x[0-9a-f]+)", place, message)


class Kernel:
    """One kernel: `kernel(grid, block, args, shared_mem=0)`."""

    def __init__(self, module: Module, expression: str) -> None:
        """Made by `Module.get_function`."""
        self.module, self.name = module, expression
        name = identifier(expression)
        self._launch = getattr(module.library, f"emulator_launch_{name}")
        signature = getattr(module.library, f"emulator_signature_{name}")
        signature.restype = ctypes.c_char_p
        self.parameters = parse(signature().decode())

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any],
        shared_mem: int = 0, *, schedule: str = "forward", seed: int = 0,
        also: Sequence[np.ndarray] = (),
    ) -> None:  # fmt: skip
        """Run every thread of the grid.

        `args`: for a pointer an array of its type, contiguous or `strided(array)`, or None; else a
        NumPy scalar, or a structured one for a structure. `schedule`: "forward" is fair, "reverse"
        lets the last warp run ahead, "random" a random one (of `seed`). `also`: arrays whose
        addresses lie within structures.

        ArgumentError for arguments of the wrong type, ValueError for an unknown schedule,
        KernelError for what the kernel did wrong: then no array has changed, but those of `also`.
        """
        if schedule not in SCHEDULES:
            raise ValueError(f"schedule: expected one of {', '.join(SCHEDULES)}, got {schedule!r}")
        checked = self._checked(args)
        with Guarded([a for a in checked if isinstance(a, np.ndarray)]) as memory:
            config = self._config(grid, block, shared_mem, schedule, seed, memory, also)
            with _one_launch_at_a_time:
                failed = self._launch(ctypes.byref(config), self._pointers(checked, memory))
                message = self.module.library.emulator_message().decode()
            if failed:
                raise KernelError(f"{self.name}: {self.module.explain(message)}")
            try:
                memory.commit()
            except GuardError as error:
                raise KernelError(f"{self.name}: {error}") from None

    def _checked(self, args: Sequence[Any]) -> list[Any]:
        if len(args) != len(self.parameters):
            raise ArgumentError(
                f"{self.name}: expected {len(self.parameters)} arguments "
                f"({', '.join(map(str, self.parameters))}), got {len(args)}"
            )
        pairs = zip(self.parameters, args, strict=True)
        return [check(f"{self.name}, argument {k}", p, a) for k, (p, a) in enumerate(pairs)]

    def _pointers(self, checked: list[Any], memory: Guarded) -> Any:
        """An array of addresses, each of one argument's value."""
        held: list[Any] = []
        for value in checked:
            if isinstance(value, bytes):
                held.append(ctypes.create_string_buffer(value, max(16, len(value))))
            else:
                held.append(ctypes.c_uint64(0 if value is None else memory.where(value)))
        pointers = (ctypes.c_void_p * max(1, len(held)))(*map(ctypes.addressof, held))
        pointers.held = held  # type: ignore[attr-defined]
        return pointers

    def _config(
        self, grid: tuple[int, ...], block: tuple[int, ...], shared: int, schedule: str, seed: int,
        memory: Guarded, also: Sequence[np.ndarray],
    ) -> _Config:  # fmt: skip
        regions = [(b.copy, b.end - b.begin, b.grain) for b in memory.blocks if b.end > b.begin]
        regions += [(a.ctypes.data, a.nbytes, a.itemsize) for a in also if a.size]
        buffers = (_Buffer * max(1, len(regions)))(*(_Buffer(*r) for r in regions))
        three = ctypes.c_uint * 3
        return _Config(
            three(*(*grid, 1, 1)[:3]), three(*(*block, 1, 1)[:3]), shared, seed,
            SCHEDULES.index(schedule), self.module.checked, len(regions), buffers,
        )  # fmt: skip
