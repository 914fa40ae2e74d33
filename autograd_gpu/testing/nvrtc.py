"""NVIDIA's run-time compiler without a GPU: what a kernel costs on each architecture.

    report = compile_for(90, source, ["twice<float>"])
    report.kernels["twice<float>"].registers

It needs two wheels, `nvidia-cuda-nvrtc` and `nvidia-cuda-runtime` (with the headers that it asks
for, `nvidia-cuda-crt` and `nvidia-cuda-cccl`), and no driver; `unavailable()` says what is missing.
"""

import ctypes
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["CompileError", "Report", "Usage", "compile_for", "unavailable", "version"]

WHEELS = "nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cccl"
OPTIONS = ("-std=c++17", "-default-device", "-Xptxas=-v")

_ENTRY = re.compile(r"Compiling entry function '(\w+)' for")
_FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")
_CUMULATIVE = re.compile(r"(\d+) bytes cumulative stack size")


class CompileError(RuntimeError):
    """NVRTC is missing or did not accept the source; the message holds what it said."""


class Usage(NamedTuple):
    """What one kernel uses on one architecture; bytes but for the registers (of a thread)."""

    registers: int
    stack: int  # local memory: arrays with computed indices, and what called functions need
    spills: int  # stores and loads of registers that did not suffice
    shared: int


class Report(NamedTuple):
    """`kernels` by name expression; `warnings` as the compiler wrote them."""

    kernels: dict[str, Usage]
    warnings: list[str]
    cubin: bytes


class _Library(NamedTuple):
    nvrtc: Any
    include: Path


@cache
def _find() -> _Library | str:
    """The compiler and its headers, or why there is none."""
    if sys.platform != "linux":
        return f"NVRTC is looked for on Linux only, and this is {sys.platform}"
    spec = find_spec("nvidia")
    roots = [Path(p) for p in spec.submodule_search_locations or ()] if spec else []
    found = sorted(p for root in roots for p in root.glob("*/lib/libnvrtc.so.[0-9]*"))
    headers = sorted(p.parent for root in roots for p in root.glob("*/include/cuda_fp16.h"))
    if not found or not headers:
        what = "libnvrtc.so" if not found else "cuda_fp16.h"
        return f"{what} was not found: pip install {WHEELS}"
    return _Library(ctypes.CDLL(str(found[-1])), headers[-1])


def unavailable() -> str:
    """Why nothing can be compiled here; "" where it can."""
    found = _find()
    return found if isinstance(found, str) else ""


def _library() -> _Library:
    found = _find()
    if isinstance(found, str):
        raise CompileError(found)
    return found


def version() -> tuple[int, int]:
    """NVRTC's own, (13, 1) for example."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _library().nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return major.value, minor.value


def compile_for(
    arch: int, source: str, expressions: Sequence[str] = (), options: Sequence[str] = OPTIONS
) -> Report:
    """Compile kernels for an architecture, 90 for sm_90, as CuPy does on such a GPU. `expressions`:
    their names as C++ says them, none for those that are `extern "C"`. CompileError with the
    compiler's messages where it refuses."""
    nvrtc, include = _library()
    program = ctypes.c_void_p()
    created = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
    )
    _check(nvrtc, created)
    try:
        for expression in expressions:
            _check(nvrtc, nvrtc.nvrtcAddNameExpression(program, expression.encode()))
        texts = [f"-arch=sm_{arch}", f"-I{include}", f"-I{include / 'cccl'}", *options]
        words = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
        failed = nvrtc.nvrtcCompileProgram(program, len(texts), words)
        log = _text(nvrtc, program, "ProgramLog").decode(errors="replace")
        if failed:
            raise CompileError(f"NVRTC refused the source for sm_{arch}:\n{log[:8000]}")
        lowered = {_lowered(nvrtc, program, e): e for e in expressions}
        return Report(_usage(log, lowered), _warnings(log), _text(nvrtc, program, "CUBIN"))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _check(nvrtc: Any, code: int) -> None:
    if code:
        nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise CompileError(f"NVRTC: {nvrtc.nvrtcGetErrorString(code).decode()}")


def _text(nvrtc: Any, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(nvrtc, getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    room = ctypes.create_string_buffer(size.value)
    _check(nvrtc, getattr(nvrtc, f"nvrtcGet{what}")(program, room))
    return room.raw


def _lowered(nvrtc: Any, program: ctypes.c_void_p, expression: str) -> str:
    """The name in the machine code."""
    name = ctypes.c_char_p()
    _check(nvrtc, nvrtc.nvrtcGetLoweredName(program, expression.encode(), ctypes.byref(name)))
    return (name.value or b"").decode()


def _warnings(log: str) -> list[str]:
    return [line for line in log.splitlines() if re.search(r"\bwarning\b", line, re.I)]


def _usage(log: str, names: dict[str, str]) -> dict[str, Usage]:
    """From the lines that ptxas writes: a kernel's name, its stack and spills, its registers."""
    out: dict[str, Usage] = {}
    parts = _ENTRY.split(log)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        frames, used = _FRAME.search(text), _USED.search(text)
        if frames is None or used is None:
            raise CompileError(f"ptxas said nothing of {name}; is -Xptxas=-v among the options?")
        stack, stores, loads = map(int, frames.groups())
        total, shared = _CUMULATIVE.search(text), _SHARED.search(text)
        stack = max(stack, int(total[1]) if total else 0)
        usage = Usage(int(used[1]), stack, stores + loads, int(shared[1]) if shared else 0)
        out[names.get(name, name)] = usage
    return out
