"""The command line: `autograd-gpu train`, `info`, `parity` and `bench`."""

from ._main import main

__all__ = ["main"]
