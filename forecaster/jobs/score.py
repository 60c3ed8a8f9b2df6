"""Score: what became of the forecasts in the journal, beside the naive and the EWMA forecast.

So of the risks of portfolios: how often they lost more than was said.

A forecast that was made from a file is compared with a file alone: under its ticker a provider may
know something else. One that was made from the price store is compared with what the provider says,
unless a file is given that holds its ticker.
"""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from forecaster.errors import DataError, ForecastError, Message, UnknownTicker, parameter
from forecaster.jobs.bulk_reading import pool_for, stored_reader
from forecaster.jobs.matching import Matcher, place_of
from forecaster.jobs.portfolio_record import PortfolioRecord, by_portfolio, portfolio_record
from forecaster.jobs.present_names import PresentNames
from forecaster.jobs.track_record import Miss, Record, by_model, record_of
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import Calendars
from forecaster.market.fetch_options import DEFAULT_FETCH_OPTIONS, FetchOptions, StoredBars
from forecaster.market.files.read import LoadResult
from forecaster.market.load import on_calendar, read_sorted
from forecaster.market.memory import Shelf
from forecaster.market.notes import Failure, Note
from forecaster.market.providers.base import Provider
from forecaster.market.store import Store, journal
from forecaster.market.store.journal import Entry, JournalRecord
from forecaster.market.store.risk_journal import RiskEntry, risks
from forecaster.market.store.tickers import renames
from forecaster.wording import counted, few, were

WORST = 10
"""Misses that are listed."""
NAMED = 3
"""Files that a note names."""
RESTATED = 0.01
"""A close that differs by more of itself was restated, or is another column's."""
OTHER = 0.2
"""One of the price store that does is of another company, or in another unit."""


@dataclass(frozen=True)
class ScoreResult:
    """The live record of every model.

    Attributes:
        records: by model, in the order of the journal.
        misses: the worst of all.
        notes: what a user should know.
        failures: tickers and files whose bars cannot be had, and why.
        portfolios: what became of the risks of portfolios, in the order of the journal.
        histories: count of the tickers and files whose bars could be had.
    """

    records: tuple[Record, ...]
    misses: tuple[Miss, ...]
    notes: tuple[Note, ...]
    failures: tuple[Failure, ...]
    portfolios: tuple[PortfolioRecord, ...] = ()
    histories: int = 0

    @property
    def scored(self) -> int:
        """How many (forecast, step) and (risk, step) pairs are scored."""
        return sum(r.scored for r in self.records) + sum(p.scored for p in self.portfolios)


def score_journal(
    *,
    since: np.datetime64 | None = None,
    model: str | None = None,
    happened: Sequence[History] = (),
    fetching: FetchOptions = DEFAULT_FETCH_OPTIONS,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> ScoreResult:
    """Fetch what has happened since, join it with the journal, and score it.

    Args:
        since: first cutoff.
        model: name or id of a model; None: all.
        happened: histories that were read from files: their tickers are not fetched.
        fetching: how the others are fetched that were forecast from the price store; its calendar
            holds for files too.
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
            entries = list(journal.entries(tx, since=since, model=model))
            held = list(risks(tx, since=since, model=model))
            moves = renames(tx)
        if not entries and not held:
            raise DataError(_nothing(since, model))
        filed = LoadResult(Panel(tuple(happened)), (), ())
        if fetching.calendar is not None and happened:
            filed = on_calendar(filed, fetching.calendar, opened, moment)
        given = {history.ticker: history for history in filed.panel}
        names = PresentNames(moves, given)
        others = [entry.forecast for entry in entries if names.given_of(entry) is None]
        stored = _stored_names(entries, held, names)
        tickers = dict.fromkeys(name for name in stored if name not in given)
        workers = None if store is None else 1  # others open the usual store
        wanted = StoredBars(None, Shelf(), stored_reader(pool_for(len(tickers), workers)))
        loaded = read_sorted(
            [], list(tickers), fetching=fetching, store=opened, provider=provider, now=moment,
            stored=wanted, on_ticker=on_ticker,
        )  # fmt: skip
    fetched = {history.ticker: history for history in loaded.panel}
    calendars = Calendars({**loaded.calendars, **filed.calendars})
    matcher = Matcher(fetched, given, names, calendars, moment)
    records, misses = [], []
    for group in by_model(entries):
        record, missed = record_of(group, matcher)
        records.append(record)
        misses += missed
    misses.sort(key=lambda miss: -miss.distance)
    failures = tuple(replace(f, error=_perhaps_from_a_file(f.error)) for f in loaded.failures)
    notes = (
        *_waiting(others),
        *_mixed(entries, names),
        *_restated(entries, names, given),
        *_of_others(entries, names, fetched),
        *filed.notes,
        *loaded.notes,
    )
    portfolios = tuple(portfolio_record(group, matcher) for group in by_portfolio(held))
    return ScoreResult(
        tuple(records), tuple(misses[:WORST]), notes, failures, portfolios, len(fetched | given)
    )


def _stored_names(
    entries: Sequence[Entry], held: Sequence[RiskEntry], names: PresentNames
) -> Iterator[str]:
    """What the tickers are called now that were forecast from the price store."""
    for entry in entries:
        if entry.forecast.source is None:
            yield names.now(entry.forecast.ticker, entry.author)
    for risk in held:
        for history in risk.record.histories:
            if history.source is None:
                yield names.now(history.ticker, risk.author)


def _waiting(forecasts: Sequence[JournalRecord]) -> list[Note]:
    """What to do about forecasts from files that were not given."""
    files = [forecast.source for forecast in forecasts if forecast.source is not None]
    if not files:
        return []
    names = list(dict.fromkeys(reversed(files)))  # the newest first
    count = f"{counted(len(files), 'forecast')} {were(len(files))}"
    command = shlex.join(names) if len(names) <= NAMED else "FILE …"
    return [
        Note(
            f"{count} made from {few(names, NAMED)}, and no provider was asked about"
            f" {'it' if len(files) == 1 else 'them'}. Score with the prices as they are now:"
            f" forecast score {command}",
            source="journal",
        )
    ]


def _mixed(entries: Sequence[Entry], names: PresentNames) -> list[Note]:
    """Tickers of given files that were forecast from different bars of several sources."""
    bars: dict[tuple[str, str, np.datetime64], dict[str, str]] = {}
    for entry in entries:
        forecast, ticker = entry.forecast, names.given_of(entry)
        if ticker is not None:
            case = (ticker, entry.author.model_id, forecast.cutoff)
            bars.setdefault(case, {})[forecast.source or "the price store"] = forecast.fingerprint
    mixed: dict[str, dict[str, None]] = {}
    for (ticker, _, _), seen in bars.items():
        if len(set(seen.values())) > 1:
            mixed.setdefault(ticker, {}).update(dict.fromkeys(seen))
    return [
        Note(
            f"it was forecast from different bars of {few(list(sources), NAMED)}, and all of these"
            " forecasts are compared with the file given.",
            ticker,
        )
        for ticker, sources in mixed.items()
    ]


def _restated(
    entries: Sequence[Entry], names: PresentNames, given: Mapping[str, History]
) -> list[Note]:
    """Tickers of given files whose closes at cutoffs are not those that were forecast from."""
    told = ((entry.forecast, given.get(names.given_of(entry) or "")) for entry in entries)
    return [
        Note(
            Message(
                f"{counted(len(cases), 'forecast')} {were(len(cases))} made from another close than"
                f" the file has now, the last from {cases[-1][0].last_close:g} on"
                f" {cases[-1][0].cutoff}, where the file says {cases[-1][1]:g}. Prices were"
                " restated, as after a split, or another column is read: then name the one that was"
                f" forecast with {parameter('columns')} close=NAME."
            ),
            ticker,
            loud=True,
        )
        for ticker, cases in _moved(told, RESTATED).items()
    ]


def _of_others(
    entries: Sequence[Entry], names: PresentNames, fetched: Mapping[str, History]
) -> list[Note]:
    """Tickers of the price store whose closes at cutoffs are far from those of their forecasts."""
    told = (
        (entry.forecast, fetched.get(names.now(entry.forecast.ticker, entry.author)))
        for entry in entries
        if entry.forecast.source is None and names.given_of(entry) is None
    )
    return [
        Note(
            Message(
                f"{counted(len(cases), 'forecast')} {were(len(cases))} made from another close than"
                f" is stored now, the last from {cases[-1][0].last_close:g} on"
                f" {cases[-1][0].cutoff}, where {cases[-1][1]:g} is stored. Another company may"
                " have the ticker now, and its prices score them, or these are in another unit."
                f" {parameter('since')} {cases[-1][0].cutoff + 1} leaves them out."
            ),
            ticker,
            loud=True,
        )
        for ticker, cases in _moved(told, OTHER).items()
    ]


def _moved(
    told: Iterable[tuple[JournalRecord, History | None]], most: float
) -> dict[str, list[tuple[JournalRecord, float]]]:
    """Forecasts whose last close is another one in the history now, and that close, by ticker.

    Args:
        told: forecasts and the histories that score them, if there are any.
        most: share of the close that it may differ by.
    """
    moved: dict[str, list[tuple[JournalRecord, float]]] = {}
    for forecast, history in told:
        place = None if history is None else place_of(history.sessions, forecast.cutoff)
        if history is not None and place is not None:
            later = [split.value for split in history.splits if split.session > forecast.cutoff]
            close = float(history.close[place]) * math.prod(later)
            if abs(close - forecast.last_close) > most * forecast.last_close:
                moved.setdefault(history.ticker, []).append((forecast, close))
    return moved


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
    remedy = "See those it holds with: forecast journal list"
    if not what:
        remedy = "Make some with: forecast batch WATCHLIST"
    return f"the journal holds no forecast{what}; at least one is needed. {remedy}"
