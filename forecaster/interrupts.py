"""Ctrl-C and SIGTERM: a command hears of them as exceptions, so that it can clean up.

While the program starts, and once a command is done, there is nothing to clean up: it leaves at
once and says nothing. Nothing is imported here that takes time.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_FAILED_BY_SIGNAL = 128
"""Plus the signal's number: the exit code, as shells count."""


def leave_at_once() -> None:
    """End the process at the next Ctrl-C or SIGTERM; Ctrl-C that is ignored stays ignored."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)


def raise_in_command() -> None:
    """Raise `KeyboardInterrupt` or `Terminated` from here on, where the process would leave."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) is _leave:
        signal.signal(signal.SIGTERM, _raise_terminated)


def raise_hidden(problem: BaseException | None) -> None:
    """Raise what a library made another error of while it was imported.

    Raises:
        KeyboardInterrupt, Terminated: one of them led to ``problem``.
    """
    from forecaster.errors import Terminated

    while problem is not None:
        if isinstance(problem, KeyboardInterrupt | Terminated):
            raise problem
        problem = problem.__cause__ or problem.__context__


def _leave(number: int, _frame: FrameType | None) -> None:
    os._exit(_FAILED_BY_SIGNAL + number)


def _raise_terminated(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a Python process without its ``finally`` blocks unless something is raised."""
    from forecaster.errors import Terminated

    raise Terminated
