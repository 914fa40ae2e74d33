"""The command line: `autograd-gpu train` and `autograd-gpu info`."""

from ._main import main

__all__ = ["main"]
