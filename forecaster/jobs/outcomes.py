"""Outcomes: what became of each step of the risk of a portfolio that was written down.

A portfolio's profit is that of the positions that were written down, from the adjusted closes of
the sessions that the forecast saw to those of the session that it named, so that later splits and
dividends change nothing. A holding whose exchange was closed then has the last close before. What
counts is as in the record of a model's forecasts: a risk that was written down after the session
of one of its holdings had closed is *late*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.jobs.matching import UNTOLD, Bars, Matcher, State, place_of
from forecaster.joint.holdings import CASH, Position
from forecaster.joint.portfolio import Portfolio
from forecaster.market.calendars import day_ends
from forecaster.market.store.risk_journal import (
    HistoryWritten,
    RiskEntry,
    RiskRecord,
    RiskStepWritten,
)

_AHEAD = 60
"""Sessions of a calendar that are looked at beyond a step."""


@dataclass(frozen=True)
class Outcome:
    """What became of one step of the risk of a portfolio.

    Attributes:
        state: ``scored``; ``open``: bars may come; ``late``: it was written down after a session
            had closed; ``lost``: a bar will not come.
        entry: of several, the one that counts.
        step: as it was written.
        session: the date that its prices are of.
        profit: as a share of the value at the cutoff; NaN unless scored.
        ticker: of the history that it waits for, or lacks; empty otherwise.
        reason: why it is open or lost.
    """

    state: State
    entry: RiskEntry
    step: RiskStepWritten
    session: np.datetime64
    profit: float = np.nan
    ticker: str = ""
    reason: str = ""

    def exceeded(self, level: float) -> bool | None:
        """Whether more was lost than the value at risk; None where it has none of that level."""
        for one in self.step.levels:
            if one.level == level:
                return self.profit <= -one.var
        return None


def outcomes_of(entry: RiskEntry, matcher: Matcher) -> list[Outcome]:
    """What became of each step of one risk."""
    record = entry.record
    seen = [
        matcher.bars_of(h.ticker, entry.author, filed=h.source is not None)
        for h in record.histories
    ]
    return [_outcome(entry, step, seen) for step in record.steps]


_Seen = Bars | tuple[State, str]
"""The bars of a history, or what a risk is without them, and why."""


@dataclass(frozen=True)
class _Move:
    """What a history did up to a date.

    Attributes:
        state: ``scored``, ``open`` or ``lost``.
        closes: when the session that its price is of closes, UTC; None where it has none.
        log_return: 0 where it has no session.
        reason: why it is not scored.
    """

    state: State
    closes: np.datetime64 | None
    log_return: float = 0.0
    reason: str = ""


def _outcome(entry: RiskEntry, step: RiskStepWritten, seen: Sequence[_Seen]) -> Outcome:
    record = entry.record
    first = _leader(record)
    session = _session(record, step, seen[first], record.histories[first])
    named = None if step.session_estimated else first
    moves = [
        _move(bars, history, session, must_trade=place == named)
        for place, (bars, history) in enumerate(zip(seen, record.histories, strict=True))
    ]
    written = entry.author.written
    if any(move.closes is not None and written >= move.closes for move in moves):
        return Outcome("late", entry, step, session)
    leading = seen[first]
    if named is not None and isinstance(leading, Bars) and leading.untold(session, written):
        ticker = record.histories[first].ticker
        return Outcome("open", entry, step, session, ticker=ticker, reason=UNTOLD)
    for state in ("lost", "open"):
        for move, history in zip(moves, record.histories, strict=True):
            if move.state == state:
                return Outcome(
                    move.state, entry, step, session, ticker=history.ticker, reason=move.reason
                )
    returns = np.array([[move.log_return] for move in moves])
    profit = float(portfolio_of(record).profits(returns)[0]) / record.value
    return Outcome("scored", entry, step, session, profit)


def _leader(record: RiskRecord) -> int:
    """The history of the largest position, whose sessions count."""
    places = {history.ticker: place for place, history in enumerate(record.histories)}
    held = [position for position in record.positions if position.ticker != CASH]
    return places[max(held, key=lambda position: abs(position.value)).ticker]


def _session(
    record: RiskRecord, step: RiskStepWritten, bars: _Seen, history: HistoryWritten
) -> np.datetime64:
    """The date of a step: the one named, or the h-th session where its date was estimated.

    The h-th is that of the leading history's calendar as it is known today, or else its h-th bar.
    """
    named = np.datetime64(step.session, "D")
    row = bars.row_of(np.datetime64(history.cutoff, "D")) if isinstance(bars, Bars) else None
    if not step.session_estimated or row is None or not isinstance(bars, Bars):
        return named
    days, estimated = bars.sessions_after(row, step.step + _AHEAD)
    later = days > record.cutoff
    known = days[later & ~estimated]
    if len(known) >= step.step:
        return np.datetime64(known[step.step - 1], "D")
    traded = bars.history.sessions[bars.history.sessions > record.cutoff]
    return np.datetime64(traded[step.step - 1], "D") if len(traded) >= step.step else named


def _move(bars: _Seen, history: HistoryWritten, day: np.datetime64, *, must_trade: bool) -> _Move:
    """What a history did from its own cutoff to its last session up to a date.

    Args:
        bars: as they are now.
        history: as it was seen.
        day: the date.
        must_trade: whether the date has to be a session of it.
    """
    if not isinstance(bars, Bars):
        return _Move(bars[0], day_ends(day), reason=bars[1])
    cutoff = np.datetime64(history.cutoff, "D")
    row = bars.row_of(cutoff)
    if row is None:
        state, reason = bars.without(cutoff)
        return _Move(state, bars.close_of(day), reason=reason)
    session = day if must_trade else _last_session(bars, row, day)
    if session is None:
        return _Move("scored", None)
    place = place_of(bars.history.sessions, session)
    if place is not None and not session >= bars.running_from:
        return _Move("scored", bars.close_of(session), bars.log_return(row, place))
    state, reason = bars.missing(session, "named" if must_trade else "calendar")
    return _Move(state, bars.close_of(session), reason=reason)


def _last_session(bars: Bars, row: int, day: np.datetime64) -> np.datetime64 | None:
    """The last session after a row up to a date; None where there is none.

    Where no calendar tells, sessions are those that have a bar; as long as none of the date or
    later has come, it is the date itself.
    """
    history = bars.history
    span = int((day - history.sessions[row]).astype(int))
    if span < 1:
        return None
    days, estimated = bars.sessions_after(row, span)
    inside = days <= day
    if estimated[inside].any():
        if history.cutoff < day:
            return day
        days = history.sessions[row + 1 :]
        inside = days <= day
    return np.datetime64(days[inside][-1], "D") if inside.any() else None


def portfolio_of(record: RiskRecord) -> Portfolio:
    """The portfolio that was written down, on the histories of its row."""
    places = {history.ticker: place for place, history in enumerate(record.histories)}
    return Portfolio(
        positions=tuple(Position(p.ticker, p.amount, p.unit, p.currency) for p in record.positions),
        currency=record.currency,
        values=np.array([p.value for p in record.positions]),
        asset=np.array([places.get(p.ticker, -1) for p in record.positions], dtype=np.intp),
        pair=np.array([places.get(p.pair or "", -1) for p in record.positions], dtype=np.intp),
        pair_sign=np.array([-1.0 if p.inverse else 1.0 for p in record.positions]),
        are_weights=record.are_weights,
    )
