"""Replacing a file in one step: whatever happens, either the old content or the new is there.

With `os` alone: pathlib would add 5 ms to the import of the package.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from typing import IO, Any

__all__ = ["write_file"]


def write_file(path: Any, fill: Callable[[IO[bytes]], None]) -> None:
    """Call `fill(file)` on a temporary file beside `path`, sync it, and move it into place.

    If anything fails, also a full disk or Ctrl-C, the temporary file is removed, the old file is
    as it was, and the exception goes on. Links are followed, an existing file keeps its
    permissions. What is no regular file (a pipe, `/dev/null`) is written directly.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError, OSError: as the system says.
    """
    target = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(target)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, "save: expected a file name, got a directory", target)
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as file:
            fill(file)
        return
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "save: there is no such folder", folder)
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "save: the file may not be written", target)
    temporary = os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}.tmp")
    try:
        with _create(temporary) as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(target):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _create(path: str) -> IO[bytes]:
    """A new file under the user's umask (tempfile's would be private)."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def _sync_folder(folder: str) -> None:
    """Make the new name durable. Some systems and file systems cannot, which is no failure."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
