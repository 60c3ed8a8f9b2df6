"""A fixed set of tickers whose bars make the market state of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from forecaster.errors import Message, parameter
from forecaster.features.cross_section import FEWEST
from forecaster.market.fetch_options import StoredBars
from forecaster.market.load import read_sorted
from forecaster.market.notes import Note
from forecaster.wording import counted, span

if TYPE_CHECKING:
    from forecaster.features.representation import Representation
    from forecaster.jobs.predict import TickerForecast
    from forecaster.market.bars import History, Panel
    from forecaster.market.fetch_options import FetchOptions
    from forecaster.market.files.read import ReadOptions
    from forecaster.market.providers.base import Provider
    from forecaster.market.store import Store
    from forecaster.market.watchlist import BatchSources
    from forecaster.model.artifact import Model

_SHOWN = 20
"""Tickers of a set that a note names."""


def read_market_set(
    sources: BatchSources,
    options: ReadOptions,
    fetching: FetchOptions,
    *,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    last: int | None = None,
) -> tuple[tuple[History, ...], list[Note]]:
    """The histories of a set, and notes on what was repaired and on those that cannot be read.

    Args:
        sources: tickers and price files.
        options: how files are read; each under its own ticker, whatever was named.
        fetching: how tickers are fetched; each on its own calendar, whatever was named.
        store: open; None: the default one.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        last: only so many bars of each ticker, the newest; None: all.

    Raises:
        ForecastError: none of them can be read.
    """
    loaded = read_sorted(
        sources.files, sources.tickers, replace(options, ticker=None),
        replace(fetching, calendar=None), store=store, provider=provider, now=now,
        stored=StoredBars(last),
    )  # fmt: skip
    if not len(loaded.panel) and loaded.failures:
        raise loaded.failures[-1].error
    notes = [replace(note, ticker=note.ticker or note.source) for note in loaded.notes]
    notes += [
        Note(Message(f"not part of the market state: {failure.error.message.marked}"), failure.name)
        for failure in loaded.failures
    ]
    return loaded.panel.histories, notes


def learned_with(panel: Panel, representation: Representation) -> tuple[str, ...] | None:
    """The tickers of a set that made the market state of a training; None: no set made one."""
    return panel.market_tickers if representation.market_state else None


def without_effect(panel: Panel, representation: Representation) -> list[Note]:
    """A note where a set was named and made no market state in any session of a training."""
    if panel.market is None or representation.market_state:
        return []
    named = parameter("market")
    why = f"no session of the training has bars of {FEWEST} or more of its tickers, which are"
    message = f"{named} had no effect: {why} needed. Name more of them."
    if representation.scaling.name != "volatility":
        message = (
            f"{named} had no effect: a network of price levels reads closes alone. Leave it out."
        )
    return [Note(Message(message))]


def other_than_learned(model: Model, members: Sequence[History] | None) -> list[Note]:
    """A note where the market state is of other tickers than the one that a model learned with."""
    learned = model.card.market
    used = None if members is None else sorted(history.ticker for history in members)
    if learned is None or used == sorted(learned):
        return []
    named = ",".join(learned[:_SHOWN]) + (",…" if len(learned) > _SHOWN else "")
    message = (
        f"it was trained with the market state of {named}; this one is of other tickers. Name the"
        f" same with {parameter('market')}."
    )
    return [Note(Message(message), source=f"model {model.name}")]


def forecast_alone(
    model: Model, members: Sequence[History] | None, forecasts: Sequence[TickerForecast]
) -> list[Note]:
    """A note where a set was named and made no market state of a forecast."""
    alone = [forecast for forecast in forecasts if not forecast.market_tickers]
    if members is None or not alone:
        return []
    named, first = parameter("market"), alone[0]
    why = f"model {model.name} reads no market state. Leave it out."
    if model.representation.market_state:
        why = (
            f"a market state needs bars of {FEWEST} or more tickers at the cutoff, {first.cutoff}."
            " Name more of them, or newer prices."
        )
    which = "it was" if len(alone) == 1 else f"it and {len(alone) - 1} more were"
    return [Note(Message(f"{which} forecast as without {named}: {why}"), first.ticker)]


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
    made = span(min(counts), max(counts))
    message = (
        f"the market state is of {made} of {counted(wanted, 'source')}: forecasts differ from those"
        f" of a whole watchlist. With {parameter('market')} they would not."
    )
    return [Note(Message(message), source="watchlist")]
