"""Matching: the bar that each step of a written forecast is compared with, or why there is none.

A step whose session came from a calendar is compared with the bar of that session and no other: a
row that a source lacks does not move the steps behind it. A step whose date was estimated named no
session for certain; it is compared with the h-th session after the cutoff, by the calendar that is
known today, and with the h-th bar where there is none. Rows of a journal that was written before
steps were joined on sessions are compared with the h-th bar, as they were then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np

from forecaster.arrays import Days, Floats, Mask
from forecaster.jobs.present_names import PresentNames
from forecaster.market.bars import History
from forecaster.market.calendars import (
    Calendars,
    Missed,
    Schedule,
    day_ends,
    first_running,
    missed_sessions,
    next_sessions,
)
from forecaster.market.store.journal import Author, Entry, JournalRecord
from forecaster.market.store.written_steps import WrittenSteps

LOST_AFTER = 20
"""Sessions without a bar after which a ticker is taken to be renamed or delisted."""

Joined = Literal["named", "calendar", "counted", "as_before"]
"""How a step found its bar: by the session it named; by today's calendar, as its date was
estimated; by counting bars, as there is no calendar either; or by counting, as it was when an
older version wrote it."""

State = Literal["scored", "open", "late", "lost"]

NOT_YET = "the session has not closed"
NO_BAR_YET = "the session is over, and its bar has not come"
HOLE = "the session has no bar, and later ones have"
NO_FILE = "the file is not given"
ENDED = (
    f"no bar came in {LOST_AFTER} sessions: delisted, not fetched, or renamed (forecast data rename"
    " OLD NEW)"
)
DROPPED = "the calendar has no such session any more"
CUTOFF_HOLE = "the cutoff has no bar any more, and later sessions have"
NO_CUTOFF = "the cutoff's bar is not stored any more"
NO_BARS = "no bars can be had"
UNTOLD = "written on the session's day: the batch's calendar tells whether it had closed"


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one step of the forecasts of one ticker and cutoff.

    Attributes:
        state: ``scored``; ``open``: its bar may come; ``late``: it was written down after its
            session had closed; ``lost``: its bar will not come.
        entry: of several forecasts, the one that counts.
        session: the session compared with.
        joined: how it was found.
        log_return: from the cutoff's close to the session's; NaN unless scored.
        reason: why it is open or lost.
    """

    state: State
    entry: Entry
    session: np.datetime64
    joined: Joined
    log_return: float = np.nan
    reason: str = ""


@dataclass(frozen=True)
class Case:
    """What became of all forecasts of one ticker and cutoff by one model.

    Attributes:
        ticker: the symbol, as it is now.
        matches: one for each step.
        history: its bars, and ``row`` the place of the cutoff; None where it has none.
    """

    ticker: str
    matches: Sequence[Match]
    history: History | None = None
    row: int = 0

    @property
    def last_close(self) -> float:
        """The price at the cutoff, as the newest forecast saw it."""
        return max((m.entry for m in self.matches), key=lambda e: e.number).forecast.last_close

    def quantiles(self, horizon: int) -> Floats:
        """Log returns, ``(H, Q)``; the last step's again where the forecasts end before H."""
        entries = {match.entry.number: match.entry for match in self.matches}
        logs = {number: _log_quantiles(entry) for number, entry in entries.items()}
        rows = [logs[match.entry.number][h] for h, match in enumerate(self.matches)]
        return np.stack(rows + rows[-1:] * (horizon - len(rows)))

    def actual(self, horizon: int) -> Floats:
        """Log returns, ``(H,)``; NaN where a step is not scored."""
        known = [match.log_return for match in self.matches]
        return np.array(known + [np.nan] * (horizon - len(known)))


class Matcher:
    """Joins forecasts with the bars that they are compared with."""

    def __init__(
        self,
        stored: Mapping[str, History],
        from_files: Mapping[str, History],
        names: PresentNames,
        calendars: Calendars,
        now: datetime,
    ) -> None:
        """Of all tickers.

        Args:
            stored: histories from the price store.
            from_files: histories from files, which go before stored ones.
            names: what tickers are called now.
            calendars: of the tickers' exchanges.
            now: with a time zone.
        """
        self._names = names
        self._files = {t: Bars(h, calendars, now) for t, h in from_files.items()}
        self._stored = {t: Bars(h, calendars, now) for t, h in stored.items()}

    def bars_of(self, ticker: str, author: Author, *, filed: bool) -> Bars | tuple[State, str]:
        """The bars of a ticker, or what its forecasts are without them, and why.

        Arguments are those of :meth:`PresentNames.given`.
        """
        given = self._names.given(ticker, author, filed=filed)
        if given is not None:
            return self._files[given]
        now = self._names.now(ticker, author)
        return ("open", NO_FILE) if filed else self._stored.get(now) or ("lost", NO_BARS)

    def name_of(self, entry: Entry) -> str:
        """A ticker as it is called now, whose forecasts under both names are of one history."""
        ticker, filed = entry.forecast.ticker, entry.forecast.source is not None
        bars = self.bars_of(ticker, entry.author, filed=filed)
        if isinstance(bars, Bars):
            return bars.history.ticker
        return self._names.now(ticker, entry.author)

    def case(self, entries: Sequence[Entry]) -> Case:
        """What became of all forecasts of one ticker and cutoff.

        Args:
            entries: by one model, all from a file or all from the price store.
        """
        forecast = entries[0].forecast
        ticker, cutoff = forecast.ticker, forecast.cutoff
        bars = self.bars_of(ticker, entries[0].author, filed=forecast.source is not None)
        if not isinstance(bars, Bars):
            return Case(ticker, _unmatched(entries, *bars))
        row = bars.row_of(cutoff)
        if row is None:
            return Case(ticker, _unmatched(entries, *bars.without(cutoff)))
        return Case(bars.history.ticker, bars.steps(entries, row), bars.history, row)


def _best(matches: Sequence[Match]) -> Match:
    """Of what became of one step of several forecasts, what counts; the last of equals."""
    order: tuple[State, ...] = ("late", "lost", "open", "scored")
    return max(reversed(matches), key=lambda match: order.index(match.state))


def _unmatched(entries: Sequence[Entry], state: State, reason: str) -> list[Match]:
    """What became of each step where there are no bars to compare with."""
    return _best_of_each([_without_bars(entry, state, reason) for entry in entries])


def _without_bars(entry: Entry, state: State, reason: str) -> list[Match]:
    planned = WrittenSteps.of(entry.forecast.steps).sessions
    late = (state == "open") & (entry.author.written >= day_ends(planned))
    return [
        Match("late", entry, session, joined)
        if missed
        else Match(state, entry, session, joined, reason=reason)
        for session, joined, missed in zip(planned, _promised(entry.forecast), late, strict=True)
    ]


def _best_of_each(matches: Sequence[Sequence[Match]]) -> list[Match]:
    """Of what became of each step of several forecasts, what counts."""
    if len(matches) == 1:
        return list(matches[0])
    horizon = max(map(len, matches))
    return [_best([some[h] for some in matches if len(some) > h]) for h in range(horizon)]


def _promised(forecast: JournalRecord) -> list[Joined]:
    """How steps are joined with bars, as far as their forecast tells."""
    if forecast.joined_on is None:
        return ["as_before"] * len(forecast.steps)
    return [
        "counted" if estimated else "named"
        for estimated in WrittenSteps.of(forecast.steps).estimated
    ]


class Bars:
    """What became of forecasts of one ticker, by its bars as they are now."""

    def __init__(self, history: History, calendars: Calendars, now: datetime) -> None:
        """Of one history.

        Args:
            history: the bars.
            calendars: with that of the history, if it is known.
            now: with a time zone.
        """
        self.history, self._calendars, self._now = history, calendars, now
        self._known = calendars.of(history)
        self.running_from = first_running(self._known, now)

    def row_of(self, cutoff: np.datetime64) -> int | None:
        """The place of a cutoff's bar; None where there is none."""
        return place_of(self.history.sessions, cutoff)

    def without(self, cutoff: np.datetime64) -> tuple[State, str]:
        """What forecasts from a cutoff that has no bar are, and why."""
        inside = self.history.first < cutoff < self.history.cutoff
        return ("open", CUTOFF_HOLE) if inside else ("lost", NO_CUTOFF)

    def sessions_after(self, row: int, count: int) -> tuple[Days, Mask]:
        """The sessions after a row, ``(count,)``, and which of them today's calendar lacks."""
        return next_sessions(self.history.slice(0, row + 1), count, self._known)

    def close_of(self, session: np.datetime64) -> np.datetime64:
        """When a session closed, UTC; without a calendar, the end of its day."""
        return self._calendars.close_of(self.history, session)

    def log_return(self, row: int, place: int) -> float:
        """From the close of one row to that of another, splits and dividends left out."""
        return float(self._logs[place] - self._logs[row])

    @cached_property
    def _logs(self) -> Floats:
        return np.log(self.history.adjusted_close)

    def steps(self, entries: Sequence[Entry], row: int) -> list[Match]:
        """What became of each step of forecasts from one row; of several, of the one that counts.

        Args:
            entries: in the order of the journal.
            row: of their cutoff.
        """
        horizon = max(len(entry.forecast.steps) for entry in entries)
        ahead = _Ahead(self, row, horizon, known=self._known is not None)
        return _best_of_each([self._matches(entry, ahead) for entry in entries])

    def _matches(self, entry: Entry, ahead: _Ahead) -> list[Match]:
        """What became of each step of one forecast."""
        joined, sessions, places = ahead.found(entry.forecast)
        written, matches = entry.author.written, []
        late = written >= self._calendars.closing_times(self.history, sessions)
        for how, session, place, missed in zip(joined, sessions, places, late, strict=True):
            if missed:
                matches.append(Match("late", entry, session, how))
            elif how == "named" and self.untold(session, written):
                matches.append(Match("open", entry, session, how, reason=UNTOLD))
            elif place >= 0 and not session >= self.running_from:
                moved = self.log_return(ahead.row, place)
                matches.append(Match("scored", entry, session, how, moved))
            else:
                state, reason = self.missing(session, how)
                matches.append(Match(state, entry, session, how, reason=reason))
        return matches

    def untold(self, session: np.datetime64, written: np.datetime64) -> bool:
        """Whether nothing tells if a session had closed when something was written down."""
        return self._known is None and bool(written >= session.astype("datetime64[s]"))

    def missing(self, session: np.datetime64, joined: Joined) -> tuple[State, str]:
        """Whether the bar of a session may still come, and why it is not there."""
        known = self._known
        if joined == "named" and known is not None and _dropped(session, known):
            return "lost", DROPPED
        closed = self._calendars.close_of(self.history, session)
        if np.datetime64(int(self._now.timestamp()), "s") < closed:
            return "open", NOT_YET
        if joined in ("named", "calendar") and session < self.history.cutoff:
            return "open", HOLE
        since = int(np.count_nonzero(self._missed.sessions > session))
        return ("lost", ENDED) if since >= LOST_AFTER else ("open", NO_BAR_YET)

    @cached_property
    def _missed(self) -> Missed:
        return missed_sessions(self.history, self._known, self._now)


class _Ahead:
    """The bars after one cutoff."""

    def __init__(self, bars: Bars, row: int, horizon: int, *, known: bool) -> None:
        self.row = row
        self._bars, self._history, self._known, self._horizon = bars, bars.history, known, horizon

    def found(self, forecast: JournalRecord) -> tuple[list[Joined], Days, list[int]]:
        """How each step finds its bar, of which session, and the bar's place, -1 for none."""
        joined, sessions = _promised(forecast), WrittenSteps.of(forecast.steps).sessions.copy()
        traded, places = self._history.sessions, [-1] * len(joined)
        for h, how in enumerate(joined):
            place = self.row + h + 1
            if how == "counted" and self._known and not self._by_calendar[1][h]:
                joined[h], sessions[h] = "calendar", self._by_calendar[0][h]
            elif how != "named" and place < len(traded):
                sessions[h], places[h] = traded[place], place
        of_dates = np.searchsorted(traded, sessions)
        there = traded[np.minimum(of_dates, len(traded) - 1)] == sessions
        for h, how in enumerate(joined):
            if how in ("named", "calendar") and there[h]:
                places[h] = int(of_dates[h])
        return joined, sessions, places

    @cached_property
    def _by_calendar(self) -> tuple[Days, Mask]:
        """The sessions after the cutoff, and which of them today's calendar does not know."""
        return self._bars.sessions_after(self.row, self._horizon)


def place_of(sessions: Days, session: np.datetime64) -> int | None:
    """The place of a session among others; None where it is not there."""
    place = int(np.searchsorted(sessions, session))
    return place if place < len(sessions) and sessions[place] == session else None


def _dropped(session: np.datetime64, known: Schedule) -> bool:
    """Whether a calendar that covers a date has no session on it."""
    covered = known.known_from <= session <= known.known_until
    return bool(covered) and place_of(known.sessions, session) is None


def _log_quantiles(entry: Entry) -> Floats:
    """Log returns, ``(steps, Q)``."""
    return np.log(WrittenSteps.of(entry.forecast.steps).prices / entry.forecast.last_close)
