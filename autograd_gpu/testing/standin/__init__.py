"""A CUDA device for tests without a GPU: a look-alike of the module `cupy`, on host memory.

    with standin.activate():
        x = autograd_gpu.randn(3, device="cuda")

Its names are CuPy's, and only CuPy's, with CuPy's parameters and types of elements; what is
computed is NumPy's, and kernels (`RawModule`) run in the emulator. Its arrays refuse to meet
arrays of NumPy's, as CuPy's do. Besides CuPy's names it has `activate`, `launches`, `running` and
`record_calls`.
"""

from types import ModuleType
from typing import Any

from . import blas, functions, methods, operators
from .activation import activate, record_calls
from .arrays import ndarray
from .raw import RawKernel, RawModule, launches, running
from .surface import version
from .ufuncs import ufunc

__all__ = [
    "RawKernel", "RawModule", "activate", "blas", "cuda", "fft", "get_default_memory_pool",
    "get_default_pinned_memory_pool", "launches", "lib", "linalg", "ndarray", "random",
    "record_calls", "running", "ufunc",
]  # fmt: skip

methods.attach()
operators.attach()
__version__ = version()

from . import cuda  # noqa: E402
from .memory import get_default_memory_pool, get_default_pinned_memory_pool  # noqa: E402

compiles_files = True  # a file's kernels together: g++ reads the headers slowly
null_pointer = None  # as an argument of a kernel

linalg = functions.namespace("linalg")
fft = functions.namespace("fft")
random = functions.namespace("random")
lib = ModuleType(__name__ + ".lib")
lib.stride_tricks = functions.namespace("lib.stride_tricks")  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    made = functions.attribute("", name)
    globals()[name] = made
    return made
