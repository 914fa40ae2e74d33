"""The stages of `on_gpu.py`: their order, their limits, and what they share."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["STAGES", "Note", "Stage", "device", "seconds_left"]

_START = time.monotonic()


class Note:
    """What a stage has found so far, in a file that survives it."""

    def __init__(self, path: Path) -> None:
        self.path, self.found = path, {}

    def __setitem__(self, key: str, value: Any) -> None:
        self.found[key] = value
        self.path.write_text(json.dumps(self.found, default=str))


class Stage(NamedTuple):
    """`run(note, dry)` is true where all went well; `seconds` is its limit. `needs_gpu`: there is
    nothing of it that the stand-in could show."""

    run: Callable[[Note, bool], bool]
    seconds: float
    needs_gpu: bool = False


@contextmanager
def device(dry: bool) -> Iterator[Any]:
    """The library that computes for CUDA: the stand-in's in a dry run."""
    import autograd_gpu  # noqa: F401
    from autograd_gpu._core.library import cuda_library

    if dry:
        from autograd_gpu._core.library import installed
        from autograd_gpu.testing import standin

        with standin.activate():
            yield installed()
        return
    found = cuda_library()
    if isinstance(found, str):
        raise SystemExit(f"there is no GPU: {found}; --dry-run runs the plan on the stand-in")
    yield found


def seconds_left() -> float:
    """Of this stage's limit, less a little to write down what it found."""
    return float(os.environ.get("STAGE_SECONDS", 60)) - (time.monotonic() - _START) - 2


def _lazy(module: str, name: str) -> Callable[[Note, bool], bool]:
    def run(note: Note, dry: bool) -> bool:
        from importlib import import_module

        return bool(getattr(import_module(module), name)(note, dry))

    return run


STAGES = {
    "compile": Stage(_lazy("_checks", "compile_all"), 90),
    "behaviour": Stage(_lazy("_behaviour", "behaviour"), 40),
    "bandwidth": Stage(_lazy("_speed", "bandwidth"), 40),
    "launch": Stage(_lazy("_speed", "launch_costs"), 20),
    "gemm": Stage(_lazy("_speed", "gemm"), 30),
    "training": Stage(_lazy("_speed", "training"), 60),
    "parity": Stage(_lazy("_checks", "parity"), 100),
    "tests": Stage(_lazy("_checks", "tests"), 120),
    "sanitizer": Stage(_lazy("_checks", "sanitizer"), 150),
}
"""In the order in which they run; together they take less than their limits."""
