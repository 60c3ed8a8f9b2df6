"""A fixed set of tickers whose bars make the market state of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from forecaster.errors import Message, parameter
from forecaster.features.cross_section import FEWEST
from forecaster.jobs.predict import TickerForecast
from forecaster.market.bars import History
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.files.read import ReadOptions
from forecaster.market.load import read_sorted
from forecaster.market.notes import Note
from forecaster.market.providers.base import Provider
from forecaster.market.store import Store
from forecaster.market.watchlist import BatchSources
from forecaster.model.artifact import Model
from forecaster.wording import counted


def read_market_set(
    sources: BatchSources,
    options: ReadOptions,
    fetching: FetchOptions,
    store: Store,
    provider: Callable[[], Provider] | None,
    now: datetime,
    *,
    last: int | None,
) -> tuple[tuple[History, ...], list[Note]]:
    """The histories of a set, and notes on what was repaired and on those that cannot be read.

    Args:
        sources: tickers and price files.
        options: how files are read.
        fetching: how tickers are fetched; each on its own calendar, whatever was named.
        store: open.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone.
        last: only so many bars of each ticker, the newest; None: all.

    Raises:
        ForecastError: none of them can be read.
    """
    loaded = read_sorted(
        sources.files, sources.tickers, options, replace(fetching, calendar=None), store=store,
        provider=provider, now=now, last=last,
    )  # fmt: skip
    if not len(loaded.panel) and loaded.failures:
        raise loaded.failures[-1].error
    notes = [replace(note, ticker=note.ticker or note.source) for note in loaded.notes]
    notes += [
        Note(Message(f"not part of the market state: {failure.error.message.marked}"), failure.name)
        for failure in loaded.failures
    ]
    return loaded.panel.histories, notes


def fewer_than_wanted(
    model: Model, forecasts: Sequence[TickerForecast], sources: BatchSources
) -> list[Note]:
    """A note where fewer tickers than a watchlist has made its own market state."""
    counts = [forecast.market_tickers for forecast in forecasts]
    wanted = len(sources.tickers) + len(sources.files)
    if not model.representation.market_state or not counts or wanted < FEWEST:
        return []
    if min(counts) >= wanted:
        return []
    made = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    message = (
        f"the market state is of {made} of {counted(wanted, 'source')}: forecasts differ from those"
        f" of a whole watchlist. With {parameter('market')} they would not."
    )
    return [Note(Message(message), source="watchlist")]
