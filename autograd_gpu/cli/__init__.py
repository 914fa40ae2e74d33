"""The command line: `autograd-gpu train`, `info` and `parity`."""

from ._main import main

__all__ = ["main"]
