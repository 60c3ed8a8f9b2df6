"""Replacing a file in one piece, and the right to write it.

After a crash, a full disk or kill -9 the old file is there or the new one, never a part.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from forecaster.errors import LockHeld, SettingsError

TEMPORARY = ".writing"
"""Suffix of files that are being written; a run that was killed can leave one behind."""

_STREAMS = ("stdin", "stdout", "stderr")
_OPEN_FILE = rf"/(?:dev/fd/|proc/self/fd/|dev/(?=std))(\d+|{'|'.join(_STREAMS)})"
"""Pattern of the names of files that this process has open."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one piece.

    Raises:
        OSError: the folder cannot be written or the disk is full; ``path`` is untouched.
    """
    with replacing(path) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` at the end, if nothing went wrong.

    After a crash the old file is there or the new one. A link stays a link, and what it points to
    is replaced. A pipe, a device, and an open file such as ``/dev/stdout`` are written to.

    Raises:
        OSError: the folder cannot be written or the disk is full; ``path`` is untouched.
    """
    descriptor = re.fullmatch(_OPEN_FILE, str(path))
    if descriptor or (path.exists() and not path.is_file()):
        # an open file is not opened anew: that would lose what is in it already
        opened = os.fdopen(_duplicate(descriptor[1]), "wb") if descriptor else path.open("wb")
        with opened as device:
            yield device
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _duplicate(name: str) -> int:
    """A copy of an open descriptor, by its number or the name of its stream."""
    return os.dup(_STREAMS.index(name) if name in _STREAMS else int(name))


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    current = os.umask(0)
    os.umask(current)
    return current


@contextlib.contextmanager
def locked(path: Path, what: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the right to write ``path``; freed by the system even after kill -9.

    Args:
        path: the file that will be written.
        what: how a message calls it.
        wait: seconds to wait for another process.

    Raises:
        LockHeld: another process holds it.
        SettingsError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.parent / f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait)
    except Timeout as held:
        raise LockHeld(
            f"another run is writing {what}; only one may. Wait for it, or choose another name."
        ) from held
    except OSError as problem:
        raise SettingsError(
            f"{path.parent} cannot be written ({problem.strerror}); {what} is kept there. Set"
            " FORECASTER_HOME to a folder that can, or choose another file."
        ) from problem
    try:
        for stale in path.parent.glob(f".{glob.escape(path.name)}.{'?' * 8}{TEMPORARY}"):
            stale.unlink(missing_ok=True)  # left by a run that was killed: the lock is ours
        yield
    finally:
        lock.release()
