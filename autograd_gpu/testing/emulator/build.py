"""Compiles kernels for the CPU, and keeps what it compiled."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = [
    "CompileError", "build", "cache_folder", "can_contract", "identifier", "unavailable",
]  # fmt: skip

HERE = Path(__file__).resolve().parent
INCLUDE, RUNTIME = HERE / "include", HERE / "runtime"

COMMON = [
    "-std=c++20", "-g1", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-fno-strict-aliasing",
    "-fno-extern-tls-init",
]  # fmt: skip
PLAIN = [
    "-O1", "-ffp-contract=fast", "-w", "-fsanitize=alignment", "-fno-sanitize-recover=alignment",
    "-ftrivial-auto-var-init=pattern",
]  # fmt: skip
SANITIZERS = "signed-integer-overflow,bounds"
CHECKED = [
    "-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0", f"-fsanitize={SANITIZERS}",
    f"-fno-sanitize-recover={SANITIZERS}",
]  # fmt: skip
CONTRACTED = ["-mfma", "-fexpensive-optimizations"]  # the latter holds the pass that fuses
MAX_SHARED = 232448  # bytes a block may have on the newest GPUs; as in runtime.h


class CompileError(RuntimeError):
    """g++ is missing, or did not accept the kernel; the message holds what it said."""


def compiler() -> str:
    """The command that compiles: $CXX, else g++."""
    return os.environ.get("CXX") or "g++"


def unavailable() -> str:
    """Why the emulator cannot run here; "" where it can."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        here = f"{sys.platform} on {platform.machine()}"
        return f"the emulator runs on Linux on x86-64, and this is {here}"
    if shutil.which(compiler().split()[0]) is None:
        return (
            f"the emulator compiles kernels with {compiler()}, which is not on the PATH: "
            "install g++ 10 or later (Debian: apt install g++), or set CXX"
        )
    return ""


def cache_folder() -> Path:
    """Where compiled kernels are kept: $AUTOGRAD_GPU_EMULATOR_CACHE, else in the user's cache."""
    chosen = os.environ.get("AUTOGRAD_GPU_EMULATOR_CACHE")
    if chosen:
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "autograd_gpu" / "emulator"


def identifier(expression: str) -> str:
    """A kernel's name expression as a C identifier, different for different expressions."""
    digest = hashlib.sha256(expression.encode()).hexdigest()[:8]
    return re.sub(r"\W+", "_", expression).strip("_")[:80] + "_" + digest


def build(
    source: Path | str, expressions: Sequence[str], checked: bool, include: Iterable[Path] = (),
    contract: bool = False,
) -> Path:  # fmt: skip
    """The library with these kernels of a file, or of a text. CompileError where g++ fails.

    It is compiled anew when the file, a header (.cuh, .h, .hpp) of a folder that is searched, the
    compiler, its flags or the emulator has changed.
    """
    reason = unavailable()
    if reason:
        raise CompileError(reason)
    folders = list(include) + ([source.parent] if isinstance(source, Path) else [])
    text = f'#include "{source.resolve()}"\n' if isinstance(source, Path) else source + "\n"
    text += "".join(f"EMULATOR_EXPORT({identifier(e)}, {e})\n" for e in expressions)
    modes = [*(CHECKED if checked else []), *(CONTRACTED if contract else [])]
    flags = [*COMMON, *PLAIN, *modes, "-include", "cuda_emulator.h"]
    flags += [f"-I{folder.resolve()}" for folder in [INCLUDE, *folders]]
    read = [source] if isinstance(source, Path) else []
    read += [p for f in folders for p in sorted(f.iterdir()) if p.suffix in (".cuh", ".h", ".hpp")]
    texts = [p.read_text(encoding="utf-8") for p in read]
    key = _digest(text, *flags, version(compiler()), own_text(), *texts)
    library = cache_folder() / f"kernel-{key}.so"
    return _once(library, lambda work: _link(work, _compile(work, text, flags)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


@cache
def can_contract() -> bool:
    """Whether this CPU has fused multiply-adds."""
    with suppress(OSError):
        return bool(re.search(r"^flags.*\bfma\b", Path("/proc/cpuinfo").read_text(), re.M))
    return False


@cache
def version(command: str) -> str:
    """What a compiler says it is."""
    return _run([*command.split(), "--version"])


@cache
def own_text() -> str:
    """Everything that the emulator itself adds to a library."""
    paths = sorted(p for folder in (INCLUDE, RUNTIME) for p in folder.rglob("*") if p.is_file())
    return "\0".join(p.read_text(encoding="utf-8") for p in paths)


def _once(kept: Path, make: Callable[[str], Path]) -> Path:
    """A file of the cache; where it is missing, what `make` makes in a folder of its own.

    Other processes wait meanwhile rather than make the same. Should their lock not hold, as on some
    network drives, nothing is lost but time: a whole file replaces a whole file.
    """
    if kept.exists():
        return kept
    from fcntl import LOCK_EX, flock

    kept.parent.mkdir(parents=True, exist_ok=True)
    with open(kept.with_suffix(".lock"), "w") as lock:
        with suppress(OSError):
            flock(lock, LOCK_EX)
        if not kept.exists():
            with tempfile.TemporaryDirectory(prefix="build-", dir=kept.parent) as work:
                os.replace(make(work), kept)
    return kept


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise CompileError(f"{' '.join(command[:1])} failed:\n{done.stderr[-4000:]}")
    return done.stdout


def _compile(work: str, text: str, flags: list[str]) -> Path:
    unit, made = Path(work) / "unit.cpp", Path(work) / "unit.o"
    unit.write_text(text, encoding="utf-8")
    _run([*compiler().split(), *flags, "-c", str(unit), "-o", str(made)])
    return made


def _link(work: str, kernel: Path) -> Path:
    shared, made = Path(work) / "shared.s", Path(work) / "kernel.so"
    shared.write_text(_dynamic_shared(kernel))
    parts = [str(kernel), str(shared), *map(str, runtime_objects())]
    _run([*compiler().split(), "-shared", "-Wl,-Bsymbolic", "-o", str(made), *parts])
    return made


def _dynamic_shared(kernel: Path) -> str:
    """Assembly that puts every `extern __shared__` array of a kernel at one and the same place."""
    symbols = _run(["readelf", "--syms", "--wide", str(kernel)]).splitlines()
    undefined = [s.split()[7] for s in symbols if " TLS " in s and " UND " in s]
    names = "".join(
        f".globl {n}\n.hidden {n}\n.type {n},@object\n{n}:\n"
        for n in dict.fromkeys(["emulator_dynamic", *undefined])
    )
    return (
        f'.section .tbss,"awT",@nobits\n.balign 128\n{names}.zero {MAX_SHARED}\n'
        '.section .note.GNU-stack,"",@progbits\n'
    )


def runtime_objects() -> list[Path]:
    """The emulator's own code, compiled once for all kernels."""
    key = _digest(own_text(), version(compiler()), *COMMON)

    def compiled(source: Path) -> Callable[[str], Path]:
        def make(work: str) -> Path:
            made = Path(work) / "part.o"
            folders = [f"-I{INCLUDE}", f"-I{RUNTIME}"]
            command = [*compiler().split(), *COMMON, "-O1", *folders, "-c", str(source)]
            _run([*command, "-o", str(made)])
            return made

        return make

    sources = sorted(RUNTIME.glob("*.cpp"))
    return [_once(cache_folder() / f"{s.stem}-{key}.o", compiled(s)) for s in sources]
