"""Score: what became of the forecasts in the journal, beside the naive and the EWMA forecast."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from forecaster.errors import DataError, ForecastError, UnknownTicker
from forecaster.jobs.record import Miss, Record, by_model, record_of
from forecaster.market.bars import History
from forecaster.market.fetching import USUAL, Fetching
from forecaster.market.quotes import Provider
from forecaster.market.store import Store, journal
from forecaster.market.tickers import Remark, load_tickers

WORST = 10
"""Misses that are listed."""


@dataclass(frozen=True)
class Scored:
    """The live record of every model.

    Attributes:
        records: by model, in the order of the journal.
        misses: the worst of all.
        remarks: what a user should know.
        failures: tickers whose bars cannot be had, and why.
    """

    records: tuple[Record, ...]
    misses: tuple[Miss, ...]
    remarks: tuple[Remark, ...]
    failures: tuple[tuple[str, ForecastError], ...]


def score_journal(
    *,
    since: np.datetime64 | None = None,
    model: str | None = None,
    happened: Sequence[History] = (),
    fetching: Fetching = USUAL,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> Scored:
    """Fetch what has happened since, join it with the journal, and score it.

    Args:
        since: first cutoff.
        model: name or id of a model; None: all.
        happened: histories that were read from files: their tickers are not fetched.
        fetching: how the others are fetched.
        store: open; None: the usual one.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        on_ticker: called before each ticker is fetched.

    Raises:
        DataError: the journal has no such forecast.
    """
    moment = now or datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        opened = store or stack.enter_context(Store())
        with opened.reading() as tx:
            found = list(journal.entries(tx, since=since, model=model))
        if not found:
            raise DataError(_nothing(since, model))
        histories = {history.ticker: history for history in happened}
        named = dict.fromkeys(entry.draft.ticker for entry in found)
        tickers = [ticker for ticker in named if ticker not in histories]
        given = load_tickers(
            tickers, fetching, store=opened, provider=provider, now=moment, on_ticker=on_ticker
        )
    histories |= {history.ticker: history for history in given.histories}
    records, misses = [], []
    for group in by_model(found):
        record, missed = record_of(group, histories, given.calendars)
        records.append(record)
        misses += missed
    misses.sort(key=lambda miss: -miss.distance)
    failures = tuple((word, _perhaps_from_a_file(problem)) for word, problem in given.failures)
    return Scored(tuple(records), tuple(misses[:WORST]), given.remarks, failures)


def _perhaps_from_a_file(problem: ForecastError) -> ForecastError:
    """A ticker that no source knows was forecast from a file, and its future is in one too."""
    if not isinstance(problem, UnknownTicker):
        return problem
    return UnknownTicker(
        f"{problem} If it was forecast from a file, give that file as it is now: forecast score"
        " FILE."
    )


def _nothing(since: np.datetime64 | None, model: str | None) -> str:
    what = "" if model is None else f" by model {model}"
    what += "" if since is None else f" since {since}"
    return (
        f"the journal holds no forecast{what}; at least one is needed. Make some with: forecast"
        " batch WATCHLIST"
    )
