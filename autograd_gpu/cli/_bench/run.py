"""The command: which calls are timed where, and what is said of them."""

import json
import platform
import sys
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import autograd_gpu as ag

from ..._core.version import __version__
from .._errors import Problem
from . import plot, report
from .kernels import CASES
from .timing import Call, Clock, CpuClock, CudaClock, interleaved
from .workloads import WORKLOADS

__all__ = ["bench", "measure", "where"]

Place = tuple[str, Any, str, Clock]  # what the column is called, the library, the device, its clock
QUICK = ("a", "a (forward)", "b")
"""The workloads of a trial: steps of some milliseconds, also where kernels are emulated."""


def bench(options: Any) -> int:
    """Print the tables; write JSON and a picture where asked to. Returns the exit status."""
    unknown = [n for n in options.only or [] if n not in WORKLOADS and n not in CASES]
    if unknown:
        known = ", ".join([*WORKLOADS, *CASES])
        raise Problem(f"nothing is called {', '.join(unknown)}; there are {known}")
    if options.plot is not None and not plot.available():
        raise Problem("no picture without matplotlib: pip install 'autograd_gpu[app]'")
    with _context(options.device):
        places = where(options.device)
        if len(places) == 1:
            print(f"no GPU and no PyTorch to compare with: {ag.cuda.unavailable_reason()}")
        found = measure(places, options.only, options.quick)
    print(report.text(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.plot is not None:
        plot.draw(found, options.plot)
    return 0


def _context(device: str) -> Any:
    if device != "standin":
        return nullcontext()
    from ...testing.emulator import unavailable
    from ...testing.parity import device_context

    if unavailable():
        raise Problem(f"the stand-in runs kernels in the emulator, and {unavailable()}")
    return device_context("standin")


def where(device: str) -> list[Place]:
    """The columns: the CPU, the GPU, and PyTorch on both where it is installed. Problem for a GPU
    that is not there."""
    places: list[Place] = [("cpu", ag, "cpu", CpuClock())]
    if device == "cuda" and not ag.cuda.is_available():
        raise Problem(f"no GPU to measure: {ag.cuda.unavailable_reason()}")
    gpu = device in ("cuda", "standin") or device == "auto" and ag.cuda.is_available()
    if gpu:
        places.append((device if device == "standin" else "cuda", ag, "cuda", CudaClock(ag.cuda)))
    torch = _torch()
    if torch is not None:
        places.append(("torch cpu", torch, "cpu", CpuClock()))
        if gpu and torch.cuda.is_available():
            places.append(("torch cuda", torch, "cuda", CudaClock(torch.cuda)))
    return places


def _torch() -> Any:
    """PyTorch where it is installed and works: what is measured is compared with it, and nothing
    else of the package ever loads it."""
    try:
        return import_module("torch")
    except Exception as error:  # a broken installation is as good as none
        if not isinstance(error, ModuleNotFoundError):
            print(f"PyTorch is left out, it does not import: {error}", file=sys.stderr)
        return None


def measure(places: list[Place], only: list[str] | None = None, quick: bool = False) -> dict:
    """Seconds a call: {"workloads": {name: {column: s}}, "kernels": {name: {size: {column: s}}}}.
    `quick`: few rounds, small sizes, and the smallest workloads unless others are asked for."""
    rounds, block = (3, 0.0) if quick else (7, 0.02)

    def times(build: Any) -> dict[str, float]:
        calls: list[tuple[Clock, Call]] = [
            (clock, build(lib, device)) for _, lib, device, clock in places
        ]
        return dict(zip([p[0] for p in places], interleaved(calls, rounds, block), strict=True))

    workloads = [n for n in WORKLOADS if (n in only if only else n in QUICK or not quick)]
    kernels = [n for n in CASES if not only or n in only]
    found: dict[str, Any] = {"machine": machine(), "workloads": {}, "kernels": {}}
    for place, name in enumerate([*workloads, *kernels], 1):
        _show(f"{place}/{len(workloads) + len(kernels)} {name}")
        if name in WORKLOADS:
            found["workloads"][name] = times(WORKLOADS[name])
            continue
        case, rows = CASES[name], found["kernels"].setdefault(name, {})
        for n in case.sizes[:2] if quick else case.sizes:
            rows[str(n)] = times(lambda lib, device, n=n, case=case: case.build(lib, device, n))
    _show("")
    return found


def _show(text: str) -> None:
    """Where it is, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def machine() -> dict[str, str]:
    """What the times belong to."""
    gpu = ag.cuda.get_device_name() if ag.cuda.is_available() else "none"
    return {"processor": platform.processor() or platform.machine(), "gpu": gpu,
            "python": platform.python_version(), "autograd_gpu": __version__}  # fmt: skip
