"""Rename: the history of a ticker that has another name now goes on under that name.

What the journal holds under the old name stays there, and is scored with the bars of the new one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.errors import DataError, SettingsError, UnknownTicker
from forecaster.market.bars import Action, History
from forecaster.market.store import Store, bars, journal
from forecaster.market.store.risk_journal import risks
from forecaster.market.store.tickers import TickerInfo, record_rename, stored_tickers
from forecaster.market.symbols import checked_ticker
from forecaster.wording import counted, writable

if TYPE_CHECKING:
    from sqlalchemy import Connection

_CLOSE = 0.01
"""Relative difference of two prices up to which they are the same, rounded by another."""

_LEAP = math.log(2.0)
"""A log return from the last bar of the old name to the first of the new one that no share makes:
it was a split that nobody told, or it is another company."""


@dataclass(frozen=True)
class Renaming:
    """A history under its new name.

    Attributes:
        old: the name before.
        new: the name now.
        bars: how many it has.
        first: the first session.
        cutoff: the last one.
        joined: how many of the bars came from the old name.
    """

    old: str
    new: str
    bars: int
    first: np.datetime64
    cutoff: np.datetime64
    joined: int


@dataclass(frozen=True)
class _Stored:
    """Bars, dividends and what is known of a ticker."""

    history: History
    paid: tuple[Action, ...]
    info: TickerInfo


def rename(store: Store, old: str, new: str, *, now: datetime | None = None) -> Renaming:
    """Let a stored history go on under another name, joined with what is stored under that.

    Args:
        store: open.
        old: a stored ticker.
        new: its name now; bars that are stored under it follow those of the old name.
        now: with a time zone; None: by the clock.

    Raises:
        UnknownTicker: a word cannot be a ticker.
        SettingsError: both names are one.
        DataError: nothing is stored under the old name, or the two are not one history.
    """
    with store.writing() as tx:
        before, after = _name(tx, old), _name(tx, new)
        if before == after:
            raise SettingsError(
                f"{before} cannot be renamed to itself; give the name that it has now."
            )
        found = _read(tx, [before, after])
        if before in found:
            whole = _under(found[before], after)
            if after in found:
                whole = _joined(whole, found[after], before)
            bars.replace(tx, whole.history, whole.paid, whole.info)
            bars.forget(tx, before)
        elif after in found and _is_written(tx, before):
            whole = found[after]  # it has all bars, and forecasts of the old name are to be scored
        else:
            raise UnknownTicker(
                f"{before} is not stored; a stored ticker is needed. See forecast data list."
            )
        record_rename(tx, before, after, now or datetime.now(UTC))
    history = whole.history
    own = len(found[after].history) if after in found else 0
    return Renaming(before, after, len(history), history.first, history.cutoff, len(history) - own)


def _is_written(tx: Connection, ticker: str) -> bool:
    """Whether the journal holds a forecast of a ticker, or of a portfolio with it."""
    return any(journal.entries(tx, ticker=ticker)) or any(risks(tx, ticker=ticker))


def _name(tx: Connection, word: str) -> str:
    """A ticker as it is stored, or as a source would be asked for it."""
    is_stored = word == writable(word) and word in stored_tickers(tx, [word])
    return word if is_stored else checked_ticker(word)


def _read(tx: Connection, names: list[str]) -> dict[str, _Stored]:
    """What is stored of some tickers."""
    found = {}
    for ticker, stored in stored_tickers(tx, names).items():
        history = bars.read(tx, ticker)
        if history is not None:
            found[ticker] = _Stored(history, bars.dividends(tx, ticker), stored.info)
    return found


def _under(stored: _Stored, name: str) -> _Stored:
    """The same under another name, for which no source has been asked yet."""
    info = replace(stored.info, ticker=name, answered=stored.info.answered - timedelta(days=1))
    return _Stored(replace(stored.history, ticker=name), stored.paid, info)


def _joined(old: _Stored, new: _Stored, name: str) -> _Stored:
    """The bars of the old name up to the first of the new one, in its shares, and the new ones."""
    _check(old, new, name)
    a, b = old.history, new.history
    kept = int(np.searchsorted(a.sessions, b.first))
    price, adjusted = _factors(a, b, name)
    parts: dict[str, Any] = {
        field: np.concatenate([getattr(a, field)[:kept] * factor, getattr(b, field)])
        for field, factor in (
            ("open", price), ("high", price), ("low", price), ("close", price),
            ("volume", 1.0 / price), ("adjusted_close", adjusted),
        )
    }  # fmt: skip
    early = [action for action in a.splits if action.session < b.first]
    paid = [replace(one, value=one.value * price) for one in old.paid if one.session < b.first]
    sessions = np.concatenate([a.sessions[:kept], b.sessions])
    history = replace(b, sessions=sessions, splits=(*early, *b.splits), **parts)
    since = None if new.info.since is None else old.info.since
    return _Stored(history, (*paid, *new.paid), replace(new.info, since=since))


def _check(old: _Stored, new: _Stored, name: str) -> None:
    """Check that one history can go on with another.

    Raises:
        DataError: it cannot.
    """
    a, b = old.history, new.history
    if a.currency and b.currency and a.currency != b.currency:
        raise DataError(
            f"{name} is in {a.currency} and {b.ticker} in {b.currency}; one history has one"
            " currency. Leave both as they are."
        )
    if a.cutoff > b.cutoff:
        raise DataError(
            f"{name} goes on to {a.cutoff} and {b.ticker} ends on {b.cutoff}; a new name goes on"
            f" after the old one. Fetch it first: forecast fetch {b.ticker}"
        )


def _factors(a: History, b: History, name: str) -> tuple[float, float]:
    """What closes and adjusted closes of the old name are worth in shares of the new one.

    Raises:
        DataError: their prices are not those of one company.
    """
    common, i, j = np.intersect1d(a.sessions, b.sessions, return_indices=True)
    if len(common):
        ratios = b.close[j] / a.close[i]
        price = float(np.median(ratios))
        off = np.abs(ratios / price - 1.0)
        if off.max() > _CLOSE:
            worst = int(np.argmax(off))
            raise DataError(
                f"{name} has {a.close[i][worst]:g} and {b.ticker} {b.close[j][worst]:g} on"
                f" {common[worst]}, of {counted(len(common), 'session')} that both have; one"
                f" history has one price. Leave both, or delete one: forecast data prune {name}"
            )
        return price, float(b.adjusted_close[j][0] / a.adjusted_close[i][0])
    later = [split.value for split in b.splits if split.session > a.cutoff]
    price = 1.0 / math.prod(later)
    before, after = float(a.close[-1]) * price, float(b.close[0])
    if abs(math.log(after / before)) > _LEAP:
        raise DataError(
            f"{name} ends at {before:g} on {a.cutoff} and {b.ticker} begins at {after:g} on"
            f" {b.first}; one history has no such leap, and no split is known. If it is the same"
            f" company, let its source give all of it: forecast data prune {b.ticker}, rename,"
            f" and forecast fetch {b.ticker}"
        )
    adjusted = price * float(b.adjusted_close[0] / b.close[0])
    return price, adjusted * float(a.close[-1] / a.adjusted_close[-1])
