"""Compiled kernels and their launch, called as CuPy's RawModule and RawKernel are."""

import ctypes
import re
import struct
import subprocess
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import ArgumentError, Parameter, check, parse
from .build import INCLUDE, build, can_contract, identifier
from .memory import REGION, Guarded, GuardError, regions_of

__all__ = ["Kernel", "KernelError", "Module"]

SCHEDULES = ("forward", "reverse", "random")
_one_launch_at_a_time = threading.Lock()  # the handler of faults belongs to the whole process


class KernelError(RuntimeError):
    """A kernel did what it may not; the message says what, which thread, and in which line."""


_CONFIG = struct.Struct("=6I2Q2i4Q")  # `Config` of runtime.h


class Module:
    """Kernels of one `.cu` file, or of one text, compiled for the CPU.

    `expressions`: the name of each kernel as C++ says it, with its template arguments. `checked`:
    watch every access to memory. `include`: folders of headers. `contract`: fuse a product and a
    sum, rounding once, where NVRTC would by default; None means where `checked`, so that both are
    seen, and a CPU that has no fused multiply-add computes without. `schedule`: that of launches
    which name none. CompileError where g++ is missing or refuses the kernel.
    """

    def __init__(
        self, source: Path | str, expressions: Sequence[str], *, checked: bool = False,
        include: Iterable[Path] = (), contract: bool | None = None, schedule: str = "forward",
    ) -> None:  # fmt: skip
        """Compile, or find what was compiled before, and load it."""
        self.contract = (checked if contract is None else contract) and can_contract()
        self.path = build(source, expressions, checked, include, self.contract)
        self.checked, self.schedule = checked, schedule
        self.library = ctypes.CDLL(str(self.path))
        self.library.emulator_message.restype = ctypes.c_char_p

    def get_function(self, expression: str) -> "Kernel":
        """The kernel of this name. AttributeError where it was not among `expressions`."""
        return Kernel(self, expression)

    def line(self, pc: int) -> str:
        """`file:line` of an instruction, as "" where it is not known: the innermost that is not
        the emulator's own."""
        maps = Path("/proc/self/maps").read_text().splitlines()
        base = min(int(m.split("-")[0], 16) for m in maps if m.endswith(str(self.path)))
        command = ["addr2line", "-i", "-e", str(self.path), hex(pc - 1 - base)]
        said = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        own = str(INCLUDE / "emulator")
        places = [s.split()[0] for s in said if s[:1] not in ("?", "") and not s.startswith(own)]
        return places[0].rpartition("/")[2] if places else ""

    def explain(self, message: str) -> str:
        """A message of the runtime with lines for addresses."""

        def place(found: re.Match[str]) -> str:
            line = self.line(int(found[1], 16))
            return f" ({line})" if line else ""

        return re.sub(r" pc=(0x[0-9a-f]+)", place, message)


class Kernel:
    """One kernel: `kernel(grid, block, args, shared_mem=0)`. As with CuPy's, dynamic shared memory
    beyond 48 KiB has to be asked for, by setting `max_dynamic_shared_size_bytes`."""

    def __init__(self, module: Module, expression: str) -> None:
        """Made by `Module.get_function`."""
        self.module, self.name = module, expression
        name = identifier(expression)
        self._launch = getattr(module.library, f"emulator_launch_{name}")
        signature = getattr(module.library, f"emulator_signature_{name}")
        signature.restype = ctypes.c_char_p
        self.parameters = parse(signature().decode())
        self.max_dynamic_shared_size_bytes = 48 * 1024
        self._launches = 0
        self._labels = [f"{self.name}, argument {k}" for k in range(len(self.parameters))]
        self._format, self._values, self._pointers = _storage(self.parameters)

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any],
        shared_mem: int = 0, *, schedule: str | None = None, seed: int | None = None,
        also: Sequence[np.ndarray] = (), guarded: bool = True, blocks: Sequence[int] = (),
    ) -> None:  # fmt: skip
        """Run every thread of the grid.

        `args`: for a pointer an array of its type, contiguous or `strided(array)`, or None; else a
        NumPy scalar, or a structured one for a structure. `schedule`: "forward" is fair, "reverse"
        lets the last warp run ahead, "random" a random one (of `seed`, else of this object's
        launches so far). `also`: arrays whose addresses lie within structures. `guarded=False` runs
        on the arrays themselves rather than on copies between guard pages: a small launch then
        costs a fifth. `blocks`: run only these of the grid, counted from 0 with x fastest: so the
        end of a huge grid can be seen.

        ArgumentError for arguments of the wrong type, ValueError for an unknown schedule,
        KernelError for what the kernel did wrong: then no array has changed, but those of `also`
        and those that were not guarded.
        """
        if shared_mem > self.max_dynamic_shared_size_bytes:
            raise KernelError(
                f"{self.name}: {shared_mem} bytes of dynamic shared memory, and a launch may have "
                f"{self.max_dynamic_shared_size_bytes}: set max_dynamic_shared_size_bytes before"
            )
        schedule = schedule or self.module.schedule
        seed = self._launches if seed is None else seed
        self._launches += 1
        if schedule not in SCHEDULES:
            raise ValueError(f"schedule: expected one of {', '.join(SCHEDULES)}, got {schedule!r}")
        values, chosen = self._checked(args), np.array(blocks, np.int64)
        config = (*(*grid, 1, 1)[:3], *(*block, 1, 1)[:3], shared_mem, seed)
        config = (*config, SCHEDULES.index(schedule), self.module.checked)
        arrays = [a for a in values if isinstance(a, np.ndarray)]
        if not guarded:
            return self._run(config, [_plain(v) for v in values], [*arrays, *also], chosen)
        with Guarded(arrays) as memory:
            places = [memory.where(v) if isinstance(v, np.ndarray) else v or 0 for v in values]
            self._run(config, places, also, chosen, memory)
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
        return list(map(check, self._labels, self.parameters, args))

    def _run(
        self, config: tuple[int, ...], values: Sequence[Any], arrays: Sequence[np.ndarray],
        chosen: np.ndarray, memory: Guarded | None = None,
    ) -> None:  # fmt: skip
        """Launch the chosen blocks with addresses and bytes as arguments. The checker allows what
        lies in `memory` and in `arrays`."""
        regions = b""
        if self.module.checked:
            regions = regions_of(arrays, memory.blocks if memory else ())
        with _one_launch_at_a_time:
            self._format.pack_into(self._values, 0, *values)
            held = ctypes.create_string_buffer(regions, max(1, len(regions)))
            end = (len(regions) // REGION.size, ctypes.addressof(held), chosen.size, _plain(chosen))
            failed = self._launch(_CONFIG.pack(*config, *end), self._pointers)
            message = self.module.library.emulator_message().decode() if failed else ""
        if failed:
            raise KernelError(f"{self.name}: {self.module.explain(message)}")


def _plain(value: Any) -> Any:
    """An argument where no copies are made."""
    if isinstance(value, np.ndarray):
        return value.__array_interface__["data"][0]
    return value or 0


def _storage(parameters: Sequence[Parameter]) -> tuple[struct.Struct, Any, Any]:
    """Where the arguments' values lie at a launch: their format, the memory, and an array of
    addresses, each of one value."""
    codes, places, size = [], [], 0
    for parameter in parameters:
        width = parameter.bytes
        room = -(-width // 16) * 16
        codes.append(("Q" if parameter.pointer else f"{width}s") + f"{room - width}x")
        places.append(size)
        size += room
    memory = ctypes.create_string_buffer(size + 16)
    first = ctypes.addressof(memory)
    memory_at = first + -first % 16
    view = (ctypes.c_char * max(1, size)).from_buffer(memory, memory_at - first)
    pointers = (ctypes.c_void_p * max(1, len(places)))(*(memory_at + p for p in places))
    return struct.Struct("=" + "".join(codes)), view, pointers
