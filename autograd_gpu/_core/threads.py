"""How many threads NumPy's BLAS uses: get_num_threads and set_num_threads."""

import ctypes
import itertools
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["get_num_threads", "set_num_threads"]


@cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """OpenBLAS's functions to get and to set the number, from the library in NumPy's wheel."""
    home = Path(np.__file__).parent
    folders = (home.parent / "numpy.libs", home / ".dylibs")
    for path in itertools.chain.from_iterable(folder.glob("*openblas*") for folder in folders):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in itertools.product(("scipy_", ""), ("64_", "")):
            get: Any = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            put: Any = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if get is not None and put is not None:
                return get, put
    return None


def get_num_threads() -> int:
    """How many threads matrix products may use on the CPU."""
    functions = _openblas()
    if functions is None:
        set_by_user = os.environ.get("OMP_NUM_THREADS", "")
        return int(set_by_user) if set_by_user.isdigit() else os.cpu_count() or 1
    return functions[0]()


def set_num_threads(int: int) -> None:  # noqa: A002  (PyTorch's name)
    """Let matrix products use that many threads on the CPU.

    Acts on the OpenBLAS of NumPy's wheels; with another BLAS nothing changes. TypeError for what
    is no integer, RuntimeError for less than 1.
    """
    if not hasattr(int, "__index__") or isinstance(int, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(int).__name__}")
    if int < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    functions = _openblas()
    if functions is not None:
        functions[1](int.__index__())
