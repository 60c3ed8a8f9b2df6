"""The age of bars: how many sessions are over since the last one, and what is said of it.

A source needs a while to have a session's bar. Until then a ticker is not called old; afterwards
every forecast from it is one for a session that is over, and nothing may hide that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecaster.errors import Message, StaleBars, parameter
from forecaster.market.bars import History
from forecaster.market.calendars import (
    Calendars,
    Schedule,
    day_ends,
    first_running,
    missed_sessions,
)
from forecaster.market.notes import Note
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.market.fetch_options import FetchOptions
    from forecaster.market.files.read import LoadResult
    from forecaster.market.update import TickerUpdate

_USUAL_DELAY = {"yahoo": timedelta(hours=3), "tiingo": timedelta(hours=4)}
"""How long after a close each source may need for the bar: funds and small exchanges are slow at
Yahoo, and Tiingo corrects its day until the evening. A file has no source to wait for."""


@dataclass(frozen=True)
class Age:
    """How old the last bar of a history is.

    Attributes:
        cutoff: its session.
        behind: sessions that have closed since.
        days: days that have passed since.
        unknown: whether no calendar tells, so that the sessions are the weekdays seen.
        overdue: whether the first of them should have its bar by now.
        running: whether the last bar is of a session that has begun and not closed.
    """

    cutoff: np.datetime64
    behind: int
    days: int
    unknown: bool
    overdue: bool
    running: bool = False

    def __str__(self) -> str:
        if self.unknown:
            return f"{counted(self.days, 'day')} old"
        return f"{counted(self.behind, 'session')} behind"


def age_of(
    history: History, known: Schedule | None, now: datetime, source: str | None = None
) -> Age:
    """How old the last bar of a history is.

    Args:
        history: at least 1 bar.
        known: sessions of its calendar, or None.
        now: with a time zone.
        source: the name of the provider that the bars came from; None: a file.
    """
    missed = missed_sessions(history, known, now)
    due = np.datetime64(int((now - _USUAL_DELAY.get(source or "", timedelta(0))).timestamp()), "s")
    return Age(
        cutoff=history.cutoff,
        behind=len(missed),
        days=int((np.datetime64(now.date(), "D") - history.cutoff).astype(int)),
        unknown=known is None,
        overdue=bool(np.any(missed.closes <= due)),
        running=bool(first_running(known, now) <= history.cutoff <= np.datetime64(now.date(), "D")),
    )


def age_note(update: TickerUpdate, age: Age, fetching: FetchOptions) -> Note | None:
    """Why stored bars are used, and how old they are; nothing of bars that are up to date.

    Args:
        update: what was done for the ticker.
        age: of what is stored now.
        fetching: how it was fetched.
    """
    message: str | None = None
    used = f"stored bars to {age.cutoff} are used, {age}"
    if update.info is not None and update.info.imported and (age.days < 0 or age.running):
        return _too_new(age, update.ticker)
    if update.problem is not None:
        message = f"{update.problem} Meanwhile {used}."
    elif age.behind and update.result is None and update.info and update.info.imported:
        message = f"{used}; they came from a file. For newer ones: forecast fetch {update.ticker}"
    elif age.behind and fetching.offline:
        message = Message(f"{used} ({parameter('offline')}).")
    elif age.overdue and update.result is not None and update.result.outcome == "kept":
        message = (
            f"its last bar is of {age.cutoff}, {age}, as the source's answer was not taken."
            f" To see why: forecast fetch {update.ticker}"
        )
    elif age.overdue:
        message = f"its last bar is of {age.cutoff}, {age}, and the source has no newer one"
    return None if message is None else Note(message, update.ticker, loud=age.overdue)


def ages_of(loaded: LoadResult, now: datetime) -> dict[str, Age]:
    """How old the last bars of all histories are, those of files too."""
    ages = dict(loaded.ages)
    for history in loaded.panel:
        if history.ticker not in ages:
            ages[history.ticker] = age_of(history, loaded.calendars.of(history), now)
    return ages


def file_notes(files: Iterable[str], ages: Mapping[str, Age]) -> list[Note]:
    """Remarks on the histories of files that end before the last session that is over, or after it.

    Only a calendar tells for certain. Without one a remark is no loud one: weekdays are not enough
    to say every evening that a file which somebody chose is old.

    Args:
        files: tickers that came from files.
        ages: of all tickers.
    """
    return [
        _file_note(ticker, ages[ticker])
        for ticker in files
        if ticker in ages
        and (ages[ticker].overdue or ages[ticker].running or ages[ticker].days < 0)
    ]


def _file_note(ticker: str, age: Age) -> Note:
    if age.days < 0 or age.running:
        return _too_new(age, ticker)
    if age.unknown:
        message = Message(
            f"its last bar is of {age.cutoff}, {age}, and no calendar tells how many sessions that"
            f" is. Name one with {parameter('calendar')}."
        )
        return Note(message, ticker)
    return Note(
        f"its last bar is of {age.cutoff}, {age}: the file has no newer one", ticker, loud=True
    )


def as_of_notes(
    histories: Iterable[History],
    calendars: Calendars,
    day: np.datetime64 | None,
    now: datetime | None = None,
) -> list[Note]:
    """Loud remarks on histories that end before the date from which a forecast was asked for.

    Args:
        histories: those with bars of the date or later pass.
        calendars: sessions of their calendars; where none tells, the weekdays seen.
        day: the date; None: nobody named one.
        now: with a time zone; None: by the clock. Sessions that are not over do not count.
    """
    notes: list[Note] = []
    if day is None:
        return notes
    now = now or datetime.now(UTC)
    end = int(min(day_ends(day), np.datetime64(int(now.timestamp()), "s")).astype(np.int64))
    last = min(day, np.datetime64(now.date(), "D"))
    moment = datetime.fromtimestamp(end, UTC)
    for history in histories:
        age = age_of(history, calendars.of(history), moment)
        if history.cutoff < day and age.behind:
            age = replace(age, days=int((last - age.cutoff).astype(np.int64)))
            message = (
                f"its last bar up to {day} is of {age.cutoff}, {age}: the forecast is of the"
                " sessions after that bar"
            )
            notes.append(Note(message, history.ticker, loud=True))
    return notes


def _too_new(age: Age, ticker: str) -> Note:
    """What is said of bars that a clock says have not come yet, or not whole."""
    today = age.cutoff + np.timedelta64(age.days, "D")
    said = (
        f"and this machine's clock says {today}: one of them is wrong. Check the dates, and the"
        " clock."
        if age.days < 0
        else "whose session has not closed: what was traded so far is taken for its whole. Leave"
        " that row out, or do it again after the close."
    )
    return Note(f"its last bar is of {age.cutoff}, {said}", ticker, loud=True)


def too_old(ticker: str, age: Age, most: int) -> StaleBars | None:
    """Why bars are too old to be forecast from; None where they are not.

    Args:
        ticker: the symbol.
        age: of its last bar.
        most: how many sessions it may be behind.
    """
    if age.behind <= most:
        return None
    about = f"about {counted(age.behind, 'session')} behind by the weekdays seen"
    return StaleBars(
        f"{ticker} has its last bar on {age.cutoff}, {about if age.unknown else age}, and"
        f" {parameter('max_age')} is {most}: its forecast would be for sessions that are over, and"
        f" none was made. Find newer bars, take it off the watchlist, or raise"
        f" {parameter('max_age')}."
    )
