"""`autograd-gpu info`: versions, the BLAS, and why CUDA is or is not available."""

import importlib.metadata
import os
import platform
from typing import Any

import numpy as np

from .._core.device import cuda_status
from .._core.version import __version__

__all__ = ["info"]

EXTRAS = ("ml_dtypes", "tqdm", "matplotlib", "cupy-cuda12x", "cupy-cuda13x", "cupy")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE")


def info(options: Any) -> int:
    """Print a line for each fact."""
    available, why = cuda_status()
    facts = {
        "autograd_gpu": __version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": f"{platform.platform()}, {_cores()} cores",
        "NumPy": np.__version__,
        "BLAS": _blas(),
        **{name: _version(name) for name in EXTRAS if _known(name)},
        "CUDA": f"available: {why}" if available else f"not available: {why}",
    }
    width = max(map(len, facts))
    for name, fact in facts.items():
        print(f"{name:{width}}  {fact}")
    return 0


def _known(name: str) -> bool:
    return not name.startswith("cupy") or _version(name) != "not installed"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _blas() -> str:
    try:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
        text = f"{built['name']} {built['version']}"
    except (KeyError, TypeError):
        text = "unknown"
    settings = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return f"{text} ({', '.join(settings) or 'no thread settings in the environment'})"
