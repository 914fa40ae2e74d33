"""CuPy on a driver that does nothing, whose functions on the way of a launch are C's: what is
timed is the host's work, and no more."""

import ctypes
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = """
extern char _Py_NoneStruct;
void Py_IncRef(void *);
int zero() { return 0; }
void *none() { Py_IncRef(&_Py_NoneStruct); return &_Py_NoneStruct; }
"""
ZERO = ("getDevice", "streamIsCapturing", "_is_per_thread_default_stream")
NONE = ("launchKernel", "_ensure_context", "setDevice", "memsetAsync", "eventRecord")

__all__ = ["quiet_cupy"]


def quiet_cupy() -> Any:
    """The module `cupy`, on that driver; OSError or CalledProcessError without gcc."""
    sys.path.insert(0, str(ROOT))
    from tests.standin import null_driver

    library = _compiled()
    addresses = {}
    for names, answer in ((ZERO, library.zero), (NONE, library.none)):
        addresses |= {n: ctypes.cast(answer, ctypes.c_void_p).value for n in names}
    cupy = null_driver.null_cupy(addresses)
    from cupy.cuda import compiler
    from cupy.cuda.function import Module

    def compiled(source: str, options: Any = (), **rest: Any) -> Any:
        module = Module()
        module.load(b"")
        module._set_mapping({})
        return module

    compiler._compile_module_with_cache = compiled
    cupy.cuda.set_allocator(cupy.get_default_memory_pool().malloc)  # as users have it
    return cupy


def _compiled() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nothing.so"
        command = ["gcc", "-x", "c", "-O2", "-shared", "-fPIC", "-w", "-", "-o", str(path)]
        subprocess.run(command, input=SOURCE, text=True, check=True)
        return ctypes.PyDLL(str(path))
