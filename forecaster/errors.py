"""Every failure that a user can cause, and the exit code that scripts see.

A message says what was found, what was needed, and one thing to do::

    prices/FB.csv has 1 bar (2012-05-18); a forecast needs at least 2. Add more sessions.

It calls a parameter by its name, through ``parameter``: "units is 0; it must be 1 to 1024. Change
units." The command line, where parameters are options, writes another name in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

INTERRUPTED = 130
TERMINATED = 143

_MARK = "\ufdd0"
"""Stands before a parameter's name in a marked text. Unicode gives it no character, ever."""


_VALUE = r'(?:\w+=)?"[^"]*"|[^\s]*[^\sa-z.,;:()](?:[^\s]*[^\s.,;:()])?|[.,](?=\s|\.?$)'
"""What is no word of a sentence: in quotation marks, or with figures, capitals or signs."""


def parameter(name: str) -> str:
    """The name of a parameter, marked as one; for the text of a ``Message`` or an error."""
    return _MARK + name


class Message(str):
    """Sentences for people. As a string they name parameters as Python does.

    Attributes:
        marked: the text with its parameters marked; what a longer message is made of.
    """

    marked: str

    def __new__(cls, text: str) -> Message:
        """From a marked text or another message."""
        marked = text.marked if isinstance(text, Message) else text
        message = super().__new__(cls, marked.replace(_MARK, ""))
        message.marked = marked
        return message

    def __add__(self, more: str) -> Message:
        return Message(self.marked + more)

    def naming(self, name: Callable[[str], str]) -> str:
        """The text with each parameter under the name that ``name`` gives it."""
        return re.sub(rf"{_MARK}(\w+)", lambda match: name(match[1]), self.marked)

    def assigning(self, write: Callable[[str, str], str]) -> str:
        """The text with each parameter that a value follows written as ``write`` does."""
        pattern = rf"{_MARK}(\w+) ({_VALUE})"
        return Message(re.sub(pattern, lambda match: write(match[1], match[2]), self.marked))


class ForecastError(Exception):
    """A failure that is the input's or the surroundings', not the program's; each kind below.

    Attributes:
        exit_code: what the process returns to the shell.
        code: one word for the kind of failure, used in JSON documents.
        message: what ``str`` gives, with its parameters marked.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"

    def __init_subclass__(cls, exit_code: int | None = None, code: str | None = None) -> None:
        cls.exit_code, cls.code = exit_code or cls.exit_code, code or cls.code

    def __init__(self, message: str) -> None:
        self.message = Message(message)
        super().__init__(self.message)


class ForecastWarning(UserWarning):
    """Something repaired or worth knowing about a result; Python's ``warnings`` filters it."""


class SettingsError(ForecastError, exit_code=2, code="settings"):
    """An option or a setting has a value that cannot work."""


class MachineError(SettingsError, code="machine"):
    """The machine or this process lacks what was asked for: memory, threads, files, packages."""


class SomeTickersFailed(ForecastError, exit_code=3, code="some_failed"):
    """The results of the other tickers are out; these failed."""


class DataError(ForecastError, exit_code=4, code="data"):
    """Price data was found and cannot be used."""


class UnknownTicker(DataError, code="unknown_ticker"):
    """The source has no such ticker, or the word cannot be one."""


class CalendarUnavailable(DataError, code="calendar"):
    """An exchange's calendar cannot be built, or not for these days; weekdays can stand in."""


class StaleBars(DataError, exit_code=3, code="stale"):
    """The last bar is so old that a forecast from it would be for sessions that are over."""


class SourceError(ForecastError, exit_code=5, code="source"):
    """A market data source cannot be used and no stored bars can stand in."""


class SourceUnavailable(SourceError):
    """A source did not answer, or answered with rubbish; asking again soon may help."""


class RateLimited(SourceError, code="rate_limit"):
    """A source refuses to answer because it was asked too often; asking again makes it worse."""


class StoreError(ForecastError, exit_code=5, code="store"):
    """The price store cannot be opened, is damaged, or was written by a newer version."""


class ModelError(ForecastError, exit_code=6, code="model"):
    """A model file is missing, damaged, or written by a newer version."""


class TrainingDiverged(ForecastError, exit_code=7, code="diverged"):
    """The training loss stopped being a finite number."""


class LockHeld(ForecastError, exit_code=8, code="locked"):
    """Another process is writing what this one wants to write."""


class VerdictNotHeld(ForecastError, exit_code=9, code="verdict"):
    """A verdict that was required did not hold."""


class WorkersLost(ForecastError, exit_code=10, code="workers"):
    """Processes that were computing died, and so did those that tried again."""


class ChecksFailed(ForecastError, exit_code=11, code="checks"):
    """Something is wrong with the installation."""


class Terminated(BaseException):
    """SIGTERM arrived; raised so that ``finally`` blocks run (a signal's default skips them)."""
