"""Replacing a file in one piece, and the right to write it.

After a crash, a full disk or kill -9 the old file is there or the new one, never a part. What is
being written has no name in its folder until it is whole, where the file system can do that; where
it cannot, the next writer of the same file removes what a killed one left.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from forecaster.errors import LockHeld, SettingsError, parameter
from forecaster.paths import make_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".writing"
"""Suffix of files that are being written; a run that was killed can leave one behind."""

_STREAMS = ("stdin", "stdout", "stderr")
_OPEN_FILE = rf"/(?:dev/fd/|proc/self/fd/|dev/(?=std))(\d+|{'|'.join(_STREAMS)})"
"""Pattern of the names of files that this process has open."""
_CANNOT_BE_UNNAMED = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What file systems say that know no files without a name."""


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
    is replaced; the new file has the old one's mode. A pipe, a device, and an open file such as
    ``/dev/stdout`` are written to.

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
    make_folder(path.parent)
    _remove_abandoned(path)
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}{TEMPORARY}")
    try:
        with _new_file(temporary) as file:
            yield file
            file.flush()
            _keep_mode(file, path)
            os.fsync(file.fileno())
            _name(file, temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _duplicate(name: str) -> int:
    """A copy of an open descriptor, by its number or the name of its stream."""
    return os.dup(_STREAMS.index(name) if name in _STREAMS else int(name))


def _new_file(path: Path) -> BinaryIO:
    """A file of the folder without a name, or with this one where it must have one."""
    try:
        handle = os.open(path.parent, os.O_WRONLY | os.O_TMPFILE, 0o666)
    except AttributeError:  # the system knows no such files
        handle = _named(path)
    except OSError as problem:
        if problem.errno not in _CANNOT_BE_UNNAMED:
            raise
        handle = _named(path)
    if fcntl is not None:  # the system lets go of it when this process ends, however it does
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return os.fdopen(handle, "wb")


def _named(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)


def _keep_mode(file: BinaryIO, path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        mode = path.stat().st_mode & 0o777
        if mode != os.fstat(file.fileno()).st_mode & 0o777:
            os.fchmod(file.fileno(), mode)


def _name(file: BinaryIO, path: Path) -> None:
    """Give a file without a name this one."""
    handle = file.fileno()
    if os.fstat(handle).st_nlink == 0:  # src_dir_fd, which is not used, makes it follow the link
        os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle, follow_symlinks=True)


def _remove_abandoned(path: Path) -> None:
    """Remove what runs that were killed left of this file: nobody holds it any more."""
    for stale in path.parent.glob(f".{glob.escape(path.name)}.{'?' * 8}{TEMPORARY}"):
        with contextlib.suppress(OSError):
            if fcntl is not None:
                with stale.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stale.unlink()


def _or(remedy: str) -> str:
    return f", or {remedy}" if remedy else ""


@contextlib.contextmanager
def locked(
    path: Path, what: str, *, instead: str = "", wait: float | None = None
) -> Iterator[None]:
    """Hold the right to write ``path``; freed by the system even after kill -9.

    Args:
        path: the file that will be written.
        what: how a message calls it.
        instead: what can be done but waiting, as in "choose another name".
        wait: seconds to wait for another process, which the user chose; None: it is not waited for.

    Raises:
        LockHeld: another process holds it.
        SettingsError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.parent / f".{path.name}.lock")
    try:
        make_folder(path.parent)
        lock.acquire(timeout=wait or 0.0)
    except Timeout as held:
        longer = "" if wait is None else f"give {parameter('wait')} more seconds than {wait:g}"
        raise LockHeld(
            f"another run is writing {what}; only one may. Wait for it{_or(longer or instead)}."
        ) from held
    except OSError as problem:
        raise SettingsError(
            f"{path.parent} cannot be written ({problem.strerror}); {what} is kept there. Set"
            f" FORECASTER_HOME to a folder that can{_or(instead)}."
        ) from problem
    try:
        _remove_abandoned(path)
        yield
    finally:
        lock.release()
