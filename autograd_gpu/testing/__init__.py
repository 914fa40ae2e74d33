"""For tests of programs: `assert_close`, and in `emulator` CUDA kernels that run on a CPU."""

from ._compare import assert_close

__all__ = ["assert_close"]
