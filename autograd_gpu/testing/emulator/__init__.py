"""CUDA kernels on a CPU: a `.cu` file, compiled unchanged with g++, is run and checked.

    module = Module(Path("kernels/elementwise.cu"), [expression], checked=True)
    module.get_function(expression)(grid, block, (x, y, np.int64(n)))

The call is that of a `cupy.RawKernel`, with NumPy arrays. Every thread of a block is a fiber with
a stack of its own, so barriers, shuffles and shared memory work. Found in every launch: arguments
of the wrong type, accesses that leave an array by more than its alignment, misaligned vectors,
barriers and shuffles that not all threads reach, division of integers by zero; variables and shared
memory that were never written hold NaN. Found with `checked=True`, at about forty times the cost,
with the line of the kernel: every access out of bounds, also of arrays of fixed size, races in
shared and in global memory whatever the order in which threads ran, reads of uninitialised shared
memory, overflow of signed integers such as indices of 32 bits. There products and sums are also
fused, as NVRTC fuses them, and in the plain mode they are not: a kernel that holds in both does not
hang on it. `schedule="random"` runs threads in an order drawn at random: what depends on it shows
in the values.

It needs g++ 10 or later and Linux on x86-64; `unavailable()` says what is missing. It cannot show:
the speed of a GPU, flushed denormals, tensor cores, fences (a "last block done" pattern is
reported as a race), casts of NaN and of numbers too large for an integer (a GPU saturates them).
"""

from .arguments import ArgumentError, strided
from .build import CompileError, unavailable
from .module import Kernel, KernelError, Module

__all__ = [
    "ArgumentError", "CompileError", "Kernel", "KernelError", "Module", "strided", "unavailable",
]  # fmt: skip
