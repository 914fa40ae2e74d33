"""The command: which calls are timed where, and what is said of them."""

import json
import platform
from contextlib import nullcontext
from typing import Any

import autograd_gpu as ag

from .._errors import Problem
from . import plot, report
from .kernels import CASES
from .timing import Call, Clock, CpuClock, CudaClock, interleaved
from .workloads import WORKLOADS

__all__ = ["bench", "measure", "where"]

Place = tuple[str, Any, str, Clock]  # what the column is called, the library, the device, its clock


def bench(options: Any) -> int:
    """Print the tables; write JSON and a picture where asked to. Returns the exit status."""
    with _context(options.device):
        places = where(options.device)
        if len(places) == 1:
            print(f"no GPU and no PyTorch to compare with: {ag.cuda.unavailable_reason()}")
        found = measure(places, options.only, options.quick)
    if not found["workloads"] and not found["kernels"]:
        known = ", ".join([*WORKLOADS, *CASES])
        raise Problem(f"nothing is called {', '.join(options.only)}; there are {known}")
    print(report.text(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.plot is not None and not plot.draw(found, options.plot):
        raise Problem("no picture without matplotlib: pip install 'autograd_gpu[app]'")
    return 0


def _context(device: str) -> Any:
    if device != "standin":
        return nullcontext()
    from ...testing.parity import device_context

    return device_context("standin")


def where(device: str) -> list[Place]:
    """The columns: the CPU, the GPU, and PyTorch on both where it is installed. RuntimeError for a
    GPU that is not there."""
    places: list[Place] = [("cpu", ag, "cpu", CpuClock())]
    gpu = device in ("cuda", "standin") or device == "auto" and ag.cuda.is_available()
    if device == "cuda" and not ag.cuda.is_available():
        raise Problem(f"no GPU to measure: {ag.cuda.unavailable_reason()}")
    if gpu:
        places.append((device if device == "standin" else "cuda", ag, "cuda", CudaClock(ag.cuda)))
    try:
        import torch  # type: ignore[import-not-found, unused-ignore]  # noqa: TID253
    except ImportError:
        return places
    places.append(("torch cpu", torch, "cpu", CpuClock()))
    if gpu and torch.cuda.is_available():
        places.append(("torch cuda", torch, "cuda", CudaClock(torch.cuda)))
    return places


def measure(places: list[Place], only: list[str] | None = None, quick: bool = False) -> dict:
    """Seconds a call: {"workloads": {name: {column: s}}, "kernels": {name: {size: {column: s}}}}.
    `quick`: few rounds and small sizes."""
    rounds, block = (3, 0.0) if quick else (7, 0.02)

    def times(build: Any) -> dict[str, float]:
        calls: list[tuple[Clock, Call]] = [
            (clock, build(lib, device)) for _, lib, device, clock in places
        ]
        return dict(zip([p[0] for p in places], interleaved(calls, rounds, block), strict=True))

    found: dict[str, Any] = {"machine": machine(), "workloads": {}, "kernels": {}}
    for name, workload in WORKLOADS.items():
        if not only and not (quick and name in "dghij") or only and name in only:
            found["workloads"][name] = times(workload)
    for name, case in CASES.items():
        if only and name not in only:
            continue
        rows = found["kernels"].setdefault(name, {})
        for n in case.sizes[:2] if quick else case.sizes:
            rows[str(n)] = times(lambda lib, device, n=n, case=case: case.build(lib, device, n))
    return found


def machine() -> dict[str, str]:
    """What the times belong to."""
    gpu = ag.cuda.get_device_name() if ag.cuda.is_available() else "none"
    return {"processor": platform.processor() or platform.machine(), "gpu": gpu,
            "python": platform.python_version(), "autograd_gpu": ag.__version__}  # fmt: skip
