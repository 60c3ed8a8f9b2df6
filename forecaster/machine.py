"""What a machine can refuse: memory, threads, files. A message in place of a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from forecaster.errors import MachineError
from forecaster.interrupts import raise_hidden

STARTING, ANY_COMMAND, KERAS = 64 * 2**20, 256 * 2**20, 2500 * 1000 * 1024
"""Bytes below which libraries end the process themselves when they start, without a message."""

_TOO_LITTLE = (MemoryError, ImportError, OSError, RuntimeError)
_NO_ROOM_FOR_AN_ERROR = ("error return without exception set", "without setting an exception")
"""What the interpreter says where there was no memory for an exception."""

_UNMAPPED = ("failed to map segment", "cannot allocate memory", "cannot apply additional memory")
_NO_THREAD = "can't start new thread"


def require_memory(needed: int, what: str) -> None:
    """Check the limit on this process's memory before a library finds it too low.

    Raises:
        MachineError: ``ulimit -v`` allows less.
    """
    limit = _limit()
    if limit is not None and limit < needed:
        raise MachineError(
            f"this process may use {limit // 2**20} MB of memory (ulimit -v), and {what} needs"
            f" {needed // 2**20} MB. Raise the limit."
        )


def trim_memory() -> None:
    """Give memory that was freed back to the machine, where the C library keeps it (as glibc does).

    It is worth a call before the largest arrays of a run are made.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _limit() -> int | None:
    """Bytes of address space that this process may use; None where there is no limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if soft == resource.RLIM_INFINITY else soft


@contextlib.contextmanager
def failures_named() -> Iterator[None]:
    """Say in a sentence what the machine refused.

    Raises:
        MachineError: memory, a thread or a file was refused.
    """
    try:
        yield
    except _TOO_LITTLE as problem:
        raise_hidden(problem)
        said = _said(problem)
        if said is None:
            raise
        problem.__traceback__ = None  # or its frames would keep what they had allocated
        raise MachineError(said) from None


def end_if_too_little() -> None:
    """End the process in a line where its limit is too low for the libraries of any command."""
    limit = _limit()
    if limit is None or limit >= STARTING:
        return
    try:
        require_memory(ANY_COMMAND, "forecast")
    except MachineError as problem:
        ended(problem)


def ended(problem: BaseException) -> None:
    """End the process in a line where the program itself could not start."""
    said = str(problem) if isinstance(problem, MachineError) else _said(problem)
    if said is None:
        raise problem
    os.write(2, f"error: {said}\n".encode(errors="backslashreplace"))
    os._exit(MachineError.exit_code)


def _said(problem: BaseException) -> str | None:
    text = str(problem).lower()
    unmapped = (*_UNMAPPED, *_NO_ROOM_FOR_AN_ERROR)
    if isinstance(problem, MemoryError) or any(words in text for words in unmapped):
        return "there is too little memory for this. Close other programs, or ask for less at once."
    if _NO_THREAD in text or getattr(problem, "errno", None) == errno.EAGAIN:
        return (
            "the machine lets no more threads or processes start. Close other programs, or raise"
            " the limit (ulimit -u)."
        )
    if isinstance(problem, OSError) and problem.strerror:
        name = problem.filename if isinstance(problem.filename, str) else "a file or stream"
        return f"{name} cannot be used ({problem.strerror}). Check it, and the disk that it is on."
    return None
