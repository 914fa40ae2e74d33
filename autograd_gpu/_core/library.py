"""The CUDA array library: CuPy, or the stand-in that plays it in tests, and what it does unlike
NumPy."""

import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from . import differences
from .errors import OutOfMemoryError
from .state import state

__all__ = [
    "KERNELS", "LAUNCHERS", "LIBRARIES", "QUICK", "RAW", "Library", "cuda_library", "explained",
    "install", "installed", "launcher", "loaded_class", "on_install", "uninstall",
]  # fmt: skip


class Library:
    """What ops compute with on CUDA, in NumPy's words: the functions of `module`, but those of
    `differences`, which do as NumPy does.

    `instances` holds what was compiled. `check_indices`: whether indices are checked against their
    range, which costs a wait for the device."""

    def __init__(self, module: Any) -> None:
        """See the class."""
        self.module = module
        self.ndarray = module.ndarray
        self.instances: dict[tuple, Any] = {}
        self.check_indices = True
        self.null = getattr(module, "null_pointer", np.uint64(0))
        self.several_devices = module.cuda.runtime.getDeviceCount() > 1
        self.new_array = _constructor(module.ndarray)
        self.structure = _structures(module)

    def __getattr__(self, name: str) -> Any:
        """The function of CuPy or the one that replaces it, found once."""
        if name in differences.MADE:
            value = differences.MADE[name](self)
        elif name in differences.REPLACED:
            value = partial(differences.REPLACED[name], self)
        else:
            value = getattr(self.module, name)
        self.__dict__[name] = value
        return value

    def current_device(self) -> int:
        """The number of the device that new arrays are made on."""
        return self.module.cuda.runtime.getDevice() if self.several_devices else 0

    def device(self, index: int) -> Any:
        """A context in which new arrays are made on a device and kernels run there."""
        return self.module.cuda.Device(index)

    @property
    def blas(self) -> Any:
        """cuBLAS, by the names and signatures of CuPy's bindings."""
        return self.module_of("cupy_backends.cuda.libs.cublas", "blas")

    def module_of(self, name: str, stand_in: str) -> Any:
        """A module beside CuPy, or the stand-in's attribute that plays it."""
        own = getattr(self.module, stand_in, None)
        if own is not None:
            return own
        import importlib

        return importlib.import_module(name)


RAW: set[type] = {np.ndarray}
"""The classes of raw arrays."""

LIBRARIES: dict[type, Any] = {np.ndarray: np}
"""class of arrays -> the library that computes on them."""

KERNELS: dict[str, dict[type, Any]] = {}
"""kernel's name -> {class of arrays: what runs it}; looked up by ops on every call."""

QUICK: dict[str, dict[type, Any]] = {}
"""Those of KERNELS that look at their arguments themselves: on the only device, arrays or numbers,
given by position. Ops call them first."""

LAUNCHERS: dict[str, Callable[..., Any]] = {}
"""kernel's name -> its launching function: the library, then the arguments of the plain body. What
it returns stands for the body's result; NotImplemented declines, and the body runs."""

_DRIVER_ERRORS = ("CUDADriverError", "CUBLASError", "CURANDError", "CUSOLVERError")
_hooks: list[Callable[[Library], None]] = []
_installed: list[Library] = []
_imported: list[Any] = []  # the Library of CuPy, or the reason why there is none


def launcher(name: str) -> Callable[[Any], Any]:
    """Declare the launching function of a kernel: see `LAUNCHERS`."""

    def wrap(function: Any) -> Any:
        if name in LAUNCHERS:
            raise ValueError(f"the kernel '{name}' has two launching functions")
        LAUNCHERS[name] = function
        for library in _installed:
            _bind(name, function, library)
        return function

    return wrap


def _bind(name: str, function: Any, library: Library) -> None:
    """Let ops find a launching function, which need not be given its library; one may say itself
    how."""
    bind = getattr(function, "bind", None)
    run = partial(function, library) if bind is None else bind(library)
    KERNELS.setdefault(name, {})[library.ndarray] = run
    if getattr(run, "quick", False):
        QUICK.setdefault(name, {})[library.ndarray] = run


def _structures(module: Any) -> Any:
    """What makes a structure an argument of kernels that can be passed again and again: CuPy asks
    a NumPy array for its address in 3 us."""
    found = getattr(module.cuda, "function", None)
    made = getattr(found, "CNumpyArray", None)
    return (lambda value: value) if made is None else lambda value: made(np.array(value))


def _constructor(ndarray: Any) -> Any:
    """`ndarray(shape, dtype)` in half the time where that is CuPy's, whose class is made of two,
    of which the upper one only passes on what it is given."""
    base = ndarray.__mro__[1]
    if base.__module__ != "cupy._core.core" or not hasattr(base, "_init"):
        return ndarray
    make = base.__new__

    def new_array(shape: tuple[int, ...], dtype: Any) -> Any:
        out = make(ndarray)
        out._init(shape, dtype)
        return out

    return new_array


def on_install(hook: Callable[[Library], None]) -> None:
    """Call a function with every library when it is installed: upper floors load launchers so."""
    _hooks.append(hook)


def install(module: Any) -> Library:
    """Let a module compute for `device("cuda")` from now on."""
    library = Library(module)
    _installed.append(library)
    state.several_devices = any(each.several_devices for each in _installed)
    RAW.add(library.ndarray)
    LIBRARIES[library.ndarray] = library
    for hook in _hooks:
        hook(library)
    for name, function in list(LAUNCHERS.items()):
        _bind(name, function, library)
    return library


def uninstall(library: Library | None = None) -> None:
    """Take back `install`, by default the last. Arrays of the library can no longer be computed
    with."""
    library = library or _installed[-1]
    _installed.remove(library)
    state.several_devices = any(each.several_devices for each in _installed)
    RAW.discard(library.ndarray)
    LIBRARIES.pop(library.ndarray, None)
    for kernels in (*KERNELS.values(), *QUICK.values()):
        kernels.pop(library.ndarray, None)


def installed() -> Library | None:
    """The library that computes for CUDA, if one was needed already."""
    return _installed[-1] if _installed else None


def cuda_library() -> Library | str:
    """The library that computes for CUDA, or the reason why there is none. Never raises."""
    if _installed:
        return _installed[-1]
    if not _imported:
        _imported.append(_cupy())
    found = _imported[0]
    if not isinstance(found, str):
        _imported.clear()
        return install(found)
    return found


def _cupy() -> Any:
    """CuPy's module where it works, else the reason why it does not."""
    found = _packages()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(?s).*multiple CuPy packages are installed")
            import cupy
    except ModuleNotFoundError as error:
        if error.name == "cupy":
            return "CuPy is not installed; see the extras cuda12x and cuda13x"
        return _broken(error, found)
    except Exception as error:  # a broken installation must not break an import of ours
        return _broken(error, found)
    if len(found) > 1:
        warnings.warn(_several(found), stacklevel=3)
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return f"CuPy found no usable CUDA driver or device: {error}"
    return cupy if count else "CuPy works, but there is no CUDA device"


def _packages() -> list[str]:
    """The installed packages that are CuPy, with their versions; they overwrite each other."""
    from importlib import metadata

    found = []
    for name in ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x"):
        with suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return found


def _several(found: list[str]) -> str:
    return (
        f"{' and '.join(found)} are installed side by side and overwrite each other's files: "
        "uninstall all of them, then install the one for your driver"
    )


def _broken(error: Exception, found: list[str]) -> str:
    """What keeps CuPy from being imported, in one line."""
    cause = error.__cause__ or error  # CuPy wraps the reason in a page of advice
    reason = " ".join(str(cause).split()) or type(cause).__name__
    more = f"; {_several(found)}" if len(found) > 1 else ""
    return f"CuPy is installed but does not import: {reason}{more}"


def explained(what: str, error: BaseException) -> Exception | None:
    """The error to raise instead of one of CUDA's: OutOfMemoryError with the bytes that were asked
    for, free and there, or a RuntimeError; None for any other error."""
    library = installed()
    if library is None:
        return None
    found = library.module.cuda
    if isinstance(error, found.memory.OutOfMemoryError):
        free, total = found.runtime.memGetInfo()
        return OutOfMemoryError(
            f"CUDA out of memory in {what}: {error} Of the device's {total:,} bytes {free:,} are "
            "free. Smaller batches, or del and cuda.empty_cache(), make room; nothing else is "
            "changed by this error."
        )
    if isinstance(error, found.runtime.CUDARuntimeError) or type(error).__name__ in _DRIVER_ERRORS:
        return RuntimeError(
            f"CUDA error in {what}: {error}. CUDA reports errors of kernels asynchronously, so it "
            "may be that of an earlier one (CUDA_LAUNCH_BLOCKING=1 shows which). After an illegal "
            "access the process cannot use the device any more and has to be started again."
        )
    return None


def loaded_class(array: Any) -> bool:
    """Is this an array of CuPy, whose library is installed by this very question?"""
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(array, cupy.ndarray):
        return not isinstance(cuda_library(), str)
    return array.__class__ in LIBRARIES
