"""The errors of files that cannot be read: FileError, and TruncatedFileError below it."""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["FileError", "TruncatedFileError", "brief", "refusal"]


class FileError(RuntimeError):
    """A checkpoint file is damaged, hostile, or of another format. The message names the file.

    It is not raised where the file cannot be opened (FileNotFoundError, IsADirectoryError and
    PermissionError keep their types), nor for content that would need code to run
    (`pickle.UnpicklingError`).
    """


class TruncatedFileError(FileError, EOFError):
    """A checkpoint file ends early. Also an EOFError, as PyTorch raises for an empty file."""


def refusal(reason: str) -> pickle.UnpicklingError:
    """The error for content that a reader which runs no code refuses."""
    return pickle.UnpicklingError(f"Weights only load failed. {reason}")


def brief(value: Any) -> str:
    """A value of a file for an error message: never long, whatever the file made it."""
    if isinstance(value, (str, bytes)):
        return repr(value[:60])
    if isinstance(value, int) and -(2**64) < value < 2**64:
        return repr(value)
    if type(value) is tuple and len(value) < 8 and all(type(v) in (int, str) for v in value):
        return f"({', '.join(map(brief, value))})"
    return f"a value of class {type(value).__name__}"
