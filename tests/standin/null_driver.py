"""CuPy itself on a CUDA driver that does nothing, so that its own Python and Cython code tells
what it accepts and what it returns: a type, a shape, strides.

Memory is the host's, and copies and fills of bytes are done; a kernel is neither compiled nor run.
It works because CuPy's modules call the runtime through tables of function pointers
(`__pyx_capi__`), which are filled in here before CuPy is imported: so it must be the first in a
process to import CuPy. See `null_cupy`.
"""

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

__all__ = ["null_cupy"]

_libc: Any = ctypes.CDLL(None)
_libc.calloc.restype = ctypes.c_void_p
_libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]
_python: Any = ctypes.pythonapi
_python.PyCapsule_New.restype = ctypes.py_object
_python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_python.PyCapsule_GetName.restype = ctypes.c_char_p
_python.PyCapsule_GetName.argtypes = [ctypes.py_object]

_TYPES = {
    "int": ctypes.c_int, "unsigned int": ctypes.c_uint, "intptr_t": ctypes.c_ssize_t,
    "size_t": ctypes.c_size_t, "uintmax_t": ctypes.c_uint64, "float": ctypes.c_float,
    "PyObject *": ctypes.py_object, "void": None, "cudaMemcpyKind": ctypes.c_int,
    "int64_t": ctypes.c_int64, "int __pyx_skip_dispatch": ctypes.c_int, "double": ctypes.c_double,
}  # fmt: skip
_kept: list[Any] = []  # what C code points to


def _type(text: str) -> Any:
    text = text.strip()
    if text in _TYPES:
        return _TYPES[text]
    return ctypes.c_void_p if text.endswith("*") else ctypes.c_int  # an enumeration


def _signature(name: str) -> tuple[Any, list[Any]] | None:
    """The types of "int (int, size_t)"; None where a structure is returned by value."""
    found = re.match(r"(.+?) ?\((.*)\)$", name)
    assert found, name
    result, arguments = found[1].strip(), found[2]
    if result not in _TYPES:
        return None
    return _type(result), [_type(a) for a in arguments.split(", ") if a != "void"]


def _filled(module: Any, answers: dict[str, Callable[..., Any]], rest: bool = True) -> None:
    """Put functions of ours into a module's table and among its names; all others of the table
    return 0 or None where `rest` is true."""
    for name, capsule in list(module.__pyx_capi__.items()):
        title = _python.PyCapsule_GetName(capsule)
        types = _signature(title.decode()) if b"(" in title else None
        if types is None or not (rest or name in answers):
            continue
        result, arguments = types
        skip = bool(arguments) and title.endswith(b"__pyx_skip_dispatch)")
        answer = answers.get(name) or partial(_nothing, result)
        answer.__name__ = name  # type: ignore[attr-defined]
        function = ctypes.PYFUNCTYPE(result, *arguments)(partial(_answer, answer, skip))
        _kept.extend((function, title))
        address = ctypes.cast(function, ctypes.c_void_p)
        module.__pyx_capi__[name] = _python.PyCapsule_New(address, title, None)
        if hasattr(module, name):
            setattr(module, name, answer)
    for name, answer in answers.items():
        setattr(module, name, answer)


def _nothing(result: Any, *arguments: Any) -> Any:
    return None if result in (ctypes.py_object, None) else 0


def _answer(function: Callable[..., Any], skip: bool, *arguments: Any) -> Any:
    return function(*(arguments[:-1] if skip else arguments))


def _malloc(size: int, *rest: Any) -> int:
    return _libc.calloc(size + 64, 1)


def _copy(to: int, source: int, size: int, *rest: Any) -> None:
    ctypes.memmove(to, source, size)


def _fill(at: int, value: int, size: int, *rest: Any) -> None:
    ctypes.memset(at, value, size)


def _attribute(attribute: int, device: int) -> int:
    return {75: 9, 76: 0, 10: 32, 16: 132, 1: 1024}.get(attribute, 1024)


_RUNTIME: dict[str, Callable[..., Any]] = {
    "getDeviceCount": lambda: 1,
    "deviceGetAttribute": _attribute,
    "malloc": _malloc, "mallocAsync": _malloc, "hostAlloc": _malloc,
    "free": lambda at: _libc.free(at), "freeHost": lambda at: _libc.free(at),
    "memcpy": _copy, "memcpyAsync": _copy, "memset": _fill, "memsetAsync": _fill,
    "memGetInfo": lambda: (1 << 33, 1 << 34),
    "runtimeGetVersion": lambda: 13000, "driverGetVersion": lambda: 13000,
    "_getCUDAMajorVersion": lambda: 13,
    "getDeviceProperties": lambda device: {
        "name": b"none", "major": 9, "minor": 0, "multiProcessorCount": 132,
        "totalGlobalMem": 1 << 34, "maxThreadsPerBlock": 1024, "warpSize": 32,
        "maxThreadsPerMultiProcessor": 2048, "sharedMemPerBlock": 49152,
        "regsPerMultiprocessor": 65536, "l2CacheSize": 50 << 20,
    },
    "streamCreate": lambda: 16, "streamCreateWithFlags": lambda flags: 16,
    "eventCreate": lambda: 16, "eventCreateWithFlags": lambda flags: 16,
    "_ensure_context": lambda: None,
}  # fmt: skip
_DRIVER: dict[str, Callable[..., Any]] = {
    "moduleLoadData": lambda image: 16, "moduleLoad": lambda path: 16,
    "moduleGetFunction": lambda module, name: 16,
    "funcGetAttribute": lambda attribute, function: 1024,
    "occupancyMaxPotentialBlockSize": lambda function, shared, limit: (132, 1024),
    "occupancyMaxActiveBlocksPerMultiprocessor": lambda function, block, shared: 2,
    "ctxGetCurrent": lambda: 16,
}  # fmt: skip


def _stub_library(needed: Path, soname: str) -> None:
    """Load a library under this name in which every function that an extension module misses
    returns 0, "success", so that the module can be imported."""
    symbols = subprocess.run(
        ["nm", "-D", "--undefined-only", str(needed)], capture_output=True, text=True, check=True
    ).stdout.split()
    prefix = soname.removeprefix("lib").partition(".")[0]
    names = sorted({s.partition("@")[0] for s in symbols if s.startswith(prefix)})
    text = "".join(f"int {name}() {{ return 0; }}\n" for name in names)
    version = next((s.partition("@")[2] for s in symbols if s.startswith(prefix)), soname)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / soname
        script = Path(folder) / "versions"
        script.write_text(version.lstrip("@") + " { global: *; };\n")
        command = ["gcc", "-x", "c", "-", "-shared", "-fPIC", "-w", f"-Wl,-soname,{soname}", "-o"]
        command[-1:-1] = [f"-Wl,--version-script={script}"]
        subprocess.run([*command, str(library)], input=text, text=True, check=True)
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)


def _stub_libraries() -> None:
    """cuBLAS and cuSOLVER."""
    import cupy_backends.cuda.libs as libs

    whole = SimpleNamespace(_handle_uint=_libc._handle)
    libs._pathfinder.load_nvidia_dynamic_lib = lambda name: whole
    folder = Path(libs.__file__).parent
    for name in ("cublas", "cusolver", "cusparse", "curand"):
        module = next(folder.glob(f"{name}.*.so"))
        said = subprocess.run(["readelf", "-d", str(module)], capture_output=True, text=True)
        for soname in re.findall(rf"\[(lib{name}\w*\.so\.\d+)\]", said.stdout):
            _stub_library(module, soname)
        setattr(libs, name, __import__(f"{libs.__name__}.{name}", fromlist=["_"]))
        if name != "curand":
            _filled(getattr(libs, name), {})


def null_cupy(native: dict[str, int] | None = None) -> Any:
    """The module `cupy`, imported for the first time in this process, on the driver that does
    nothing. RuntimeError where CuPy was imported before. `native`: addresses of C functions that
    stand for functions of the runtime and the driver, where Python's would be too slow."""
    import sys

    if "cupy" in sys.modules:
        raise RuntimeError("CuPy is in this process already; it cannot change its driver")
    from cupy_backends.cuda.api import driver, runtime

    for module, answers in ((runtime, _RUNTIME), (driver, _DRIVER)):
        _filled(module, answers)
        for name in (native or {}).keys() & module.__pyx_capi__.keys():
            title = _python.PyCapsule_GetName(module.__pyx_capi__[name])
            _kept.append(title)
            module.__pyx_capi__[name] = _python.PyCapsule_New(native[name], title, None)
    _stub_libraries()
    from cupy_backends.cuda.libs import nvrtc

    _filled(nvrtc, {"getVersion": lambda: (13, 0)})
    import cupy
    from cupy.cuda import compiler, cub, thrust
    from cupy.cuda.function import Module

    def compiled(source: str, options: Any = (), **rest: Any) -> Any:
        module = Module()
        module.load(b"")
        module._set_mapping({})
        return module

    compiler._compile_module_with_cache = compiled
    for module in (cub, thrust):
        for name in dir(module):
            if callable(getattr(module, name)) and not name.startswith("_"):
                _silenced(module, name)
    cupy.cuda.set_allocator(None)  # memory without a pool is full of zeros
    return cupy


def _silenced(module: Any, name: str) -> None:
    """Let a function of a module do nothing, where it would reach the real runtime."""
    if type(getattr(module, name)).__name__ in ("builtin_function_or_method", "cython_function"):
        setattr(module, name, lambda *args, **named: None)
