"""Replacing a file in one step: whatever happens, either the old content or the new is there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
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
    target = Path(os.path.realpath(os.fsdecode(path)))
    if target.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, "save: expected a file name, got a directory", str(target)
        )
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            fill(file)
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "save: there is no such folder", str(target.parent))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "save: the file may not be written", str(target))
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with _create(temporary) as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _create(path: Path) -> IO[bytes]:
    """A new file under the user's umask (tempfile's would be private)."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def _sync_folder(folder: Path) -> None:
    """Make the new name durable. Some systems and file systems cannot, which is no failure."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
