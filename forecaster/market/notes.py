"""What a user should know beside a result: notes on what is usable, failures where nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import ForecastError
from forecaster.market.bars import History
from forecaster.market.calendars import Schedule, missing_sessions, stray_sessions
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.market.update import TickerUpdate

_TICKERS_NAMED = 3
"""Tickers that are named one by one; of more only the first is."""

_CHECK = "check the calendar, or whether dates are a day off."
_NOT_FILLED = "nothing was filled in. Check the calendar, or whether rows are lost."

_CLOCK_OFF = timedelta(hours=1)
"""A clock may be so far behind the last answer before it is doubted."""


@dataclass(frozen=True)
class Note:
    """Something repaired or worth knowing; the caller shows it beside the result.

    Attributes:
        message: a plain sentence, with counts and the first row or date where it has some.
        ticker: the symbol, or None where it concerns the whole source.
        source: the file as the user named it, with the ticker behind it where it holds several, or
            whatever else it concerns; None for a ticker.
        loud: whether it is shown where nothing else is: a forecast without it would mislead.
    """

    message: str
    ticker: str | None = None
    source: str | None = None
    loud: bool = False


@dataclass(frozen=True)
class Failure:
    """A source, or one ticker of it, that could not be used.

    Attributes:
        error: why.
        ticker: the symbol, or the word that a user wrote for it; None: the whole source.
        source: the file as the user named it; None for a ticker.
    """

    error: ForecastError
    ticker: str | None = None
    source: str | None = None

    @property
    def name(self) -> str:
        """The ticker, or else the source."""
        return self.ticker or self.source or ""


def update_notes(
    update: TickerUpdate, schedule: Schedule | None, first: np.datetime64 | None = None
) -> list[Note]:
    """What an answer changed that a user should know.

    Args:
        update: of a ticker.
        schedule: of its calendar, or None.
        first: earlier sessions without a bar are not named; None: all are.
    """
    if update.result is None:
        return []
    notes = list(update.result.notes)
    new = update.result.new_sessions
    if schedule is not None and len(new):
        missing = missing_sessions(new, schedule)
        if first is not None:
            missing = missing[missing >= first]
        if len(missing) == 1:
            notes.append(
                f"the session {missing[0]} of {schedule.code} has no bar; it was not filled"
            )
        elif len(missing):
            notes.append(
                f"{len(missing)} sessions of {schedule.code} have no bar, the first {missing[0]},"
                f" the last {missing[-1]}; they were not filled"
            )
    return [Note(message, update.ticker) for message in notes]


def named_calendar_notes(histories: Sequence[History], schedule: Schedule | None) -> list[Note]:
    """Notes on what histories of files and the calendar that the user named do not share.

    Args:
        histories: of files.
        schedule: of the calendar, or None.
    """
    if schedule is None:
        return []
    closed = {history: stray_sessions(history, schedule) for history in histories}
    missing = {history: missing_sessions(history.sessions, schedule) for history in histories}
    bars = {history: f"{len(days)} of {len(history)} bars" for history, days in closed.items()}
    lacking = {history: counted(len(days), "session") for history, days in missing.items()}
    code = schedule.code
    return [
        *_noted(closed, bars, "bars", f"are of days on which {code} is closed", _CHECK, code),
        *_noted(missing, lacking, "sessions", f"without a bar by {code}", _NOT_FILLED, code),
    ]


def _noted(
    days: Mapping[History, Days],
    amounts: Mapping[History, str],
    what: str,
    fault: str,
    remedy: str,
    source: str,
) -> Iterator[Note]:
    """A note for each history with such days, or one on all of many."""
    found = [history for history, these in days.items() if len(these)]
    if len(found) > _TICKERS_NAMED:
        count, first = sum(len(days[history]) for history in found), found[0]
        whole = f"{count} {what} of {len(found)} tickers {fault}"
        yield Note(
            f"{whole}, the first of {first.ticker} on {days[first][0]}; {remedy}", source=source
        )
        return
    for history in found:
        message = f"{amounts[history]} {fault}, first {days[history][0]}; {remedy}"
        yield Note(message, history.ticker)


def clock_note(updates: Iterable[TickerUpdate], now: datetime) -> list[Note]:
    """A note where the clock stands before the last answer."""
    for update in updates:
        if update.before is not None and now < update.before.info.answered - _CLOCK_OFF:
            answered = f"{update.before.info.answered:%Y-%m-%d %H:%M}"
            message = (
                f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, and its bars were fetched at"
                f" {answered}: one of them is wrong. Check the clock."
            )
            return [Note(message, update.ticker)]
    return []
