"""Batch: forecast a whole watchlist in one pass, write it down in the journal, start again safely.

One batch at a time works on a store. Forecasts go into the journal in one transaction before they
go anywhere else, and a forecast that is there already is not written again, so a batch that is run
twice changes nothing, and one that was cut off at any moment can be run again.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from forecaster.atomic import locked
from forecaster.features.closing_order import nothing
from forecaster.features.representation import REACH
from forecaster.jobs.bulk_reading import pool_for, stored_reader
from forecaster.jobs.market_set import (
    fewer_than_wanted,
    other_than_learned,
    read_market_set,
)
from forecaster.jobs.nightly_retraining import due, retrained
from forecaster.jobs.nightly_risk import Evening, NightlyRisk, risk_of_night
from forecaster.jobs.predict import TickerForecast, checked_horizon, predict
from forecaster.joint.holdings import Holdings
from forecaster.market.age import ages_of, file_notes
from forecaster.market.bars import History
from forecaster.market.fetch_options import DEFAULT_FETCH_OPTIONS, FetchOptions, StoredBars
from forecaster.market.files.read import DEFAULT_READ_OPTIONS, LoadResult, ReadOptions
from forecaster.market.load import read_sorted
from forecaster.market.memory import Shelf
from forecaster.market.notes import Failure, Note
from forecaster.market.providers.base import Provider
from forecaster.market.store import Store, journal
from forecaster.market.store.chain import written_head
from forecaster.market.store.journal import Author, JournalRecord
from forecaster.market.store.log import Run, begin_run, finish_run, unfinished_run
from forecaster.market.store.risk_journal import append_risk
from forecaster.market.watchlist import BatchSources
from forecaster.model.artifact import Model
from forecaster.packages import require_training
from forecaster.paths import home

MAX_AGE = 5
"""Sessions that a ticker's last bar may be behind: a week."""


@dataclass(frozen=True)
class BatchResult:
    """What a batch did.

    Attributes:
        run: its name in the journal.
        model: who forecast.
        forecasts: in the order of the watchlist.
        failures: tickers without a forecast, and why.
        stale: tickers forecast from bars that lack a session, or because their source failed.
        written: how many forecasts were new to the journal.
        resumed: whether an earlier run went on.
        journal_rows: count of all rows of the journal.
        head: hash of its last row.
        notes: what a user should know.
        seconds: from start to end.
        risk: of the portfolio; None where nobody asked.
        retrained: whether another model replaced the one in its file.
    """

    run: str
    model: Model
    forecasts: tuple[TickerForecast, ...]
    failures: tuple[Failure, ...]
    stale: tuple[str, ...]
    written: int
    resumed: bool
    journal_rows: int
    head: str
    notes: tuple[Note, ...]
    seconds: float
    risk: NightlyRisk | None = None
    retrained: bool = False

    @property
    def problems(self) -> tuple[Failure, ...]:
        """Failures of tickers, and that of the portfolio."""
        lacking = None if self.risk is None else self.risk.failure
        return self.failures if lacking is None else (*self.failures, lacking)

    @property
    def tickers(self) -> int:
        """Count of tickers of the watchlist."""
        return len(self.forecasts) + len(self.failures)


def batch(
    model: Model,
    sources: BatchSources,
    *,
    calibrate: bool = True,
    market: BatchSources | None = None,
    risk: Sequence[str] | Holdings | None = None,
    horizon: int | None = None,
    fetching: FetchOptions = DEFAULT_FETCH_OPTIONS,
    options: ReadOptions = DEFAULT_READ_OPTIONS,
    resume: bool = False,
    retrain_days: float | None = None,
    path: Path | None = None,
    wait: float = 0.0,
    max_age: int = MAX_AGE,
    workers: int | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    on_ticker: Callable[[str], None] | None = None,
    on_run: Callable[[str], None] | None = None,
) -> BatchResult:
    """Fetch what is missing, forecast every ticker in one pass, and write the journal.

    Args:
        model: who forecasts.
        calibrate: correct forecasts by how past ones fared, where the model can.
        sources: tickers and price files.
        market: those that make the market state; None: the watchlist itself.
        risk: holdings, or a file or words that hold them, whose risk is written down as well.
        horizon: steps; None: as ``predict``.
        fetching: how tickers are fetched.
        options: how files are read.
        resume: go on with a run that was cut off, and ask no source again that answered it.
        retrain_days: retrain the model first if it is at least so many days old, and so many days
            have passed since that was tried without a better model; None: never.
        path: the model's file, which a retrained one replaces.
        wait: seconds to wait for another batch.
        max_age: how many sessions the last bar of a ticker may be behind; one that is older is a
            failure, and is not forecast.
        workers: processes that read stored bars and forecast from them; None: one for each core
            from a thousand tickers on.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        on_ticker: called before each ticker is fetched.
        on_run: called with the run's name once it has one.

    Raises:
        LockHeld: another batch did not end in time.
        SettingsError: the model was not trained for that many steps, there are fewer workers than
            one, or the store is read-only.
        MachineError: it is to be retrained, and what that needs is not installed; or the clock is
            behind the journal.
        StoreError: the store cannot be used.
    """
    checked_horizon(model, horizon)  # before an evening's requests are made for nothing
    if retrain_days is not None:
        require_training()
    began, moment = time.perf_counter(), now or datetime.now(UTC)
    workforce = pool_for(len(sources.tickers), workers)
    with (
        locked(home() / "batch", "a batch", wait=wait),
        Store() as store,
        workforce.kept() as pool,
    ):
        with store.reading() as tx:
            journal.require_clock(tx, moment)  # before anything is fetched for nothing
        retraining = path is not None and due(store, model, retrain_days, moment)
        given, author = model, model if calibrate else model.uncalibrated()
        run, resumed = _run(store, _task(author, sources, market, horizon), moment, resume=resume)
        if on_run is not None:
            on_run(run.run)
        asked = replace(fetching, answered_since=run.started) if resumed else fetching
        reading = _Reading(store, options, asked, provider, moment, on_ticker)
        last, shelf = None if retraining else REACH, None if retraining else Shelf()
        wanted = StoredBars(last, shelf, stored_reader(pool))
        loaded = reading.of(sources.files, sources.tickers, wanted)
        members, missing = (None, []) if market is None else reading.market_set(market, last)
        ages = ages_of(loaded, moment)
        old = file_notes(loaded.files, ages)
        notes = [replace(note, ticker=note.ticker or note.source) for note in (*loaded.notes, *old)]
        if retraining and path is not None:
            panel = replace(loaded.panel, market=members)
            model, note = retrained(store, model, path, panel, moment)
            notes.append(note)
            author = model if calibrate else model.uncalibrated()
        evening = Evening.of(loaded, ages, max_age)
        result = predict(
            author, evening.histories, market=members, horizon=horizon,
            calendars=loaded.calendars, ages=ages,
            rest=nothing if shelf is None else shelf.rest, pool=pool,
        )  # fmt: skip
        notes += [*missing, *other_than_learned(author, members)]
        if members is None:
            notes += fewer_than_wanted(author, result.forecasts, sources)
        too_old = (n.ticker for n in old if n.loud and not ages[str(n.ticker)].running)
        stale = {*loaded.stale, *too_old}
        records = [_journal_record(forecast, loaded.files) for forecast in result.forecasts]
        written, journal_rows, head = _written(store, run, author, records, now)
        night = None
        if risk is not None:  # after the forecasts, which nothing in it can cost
            state = evening.histories if members is None else members

            def more(tickers: Sequence[str]) -> Evening:
                found = reading.of([], tickers, StoredBars(REACH))
                return Evening.of(found, ages_of(found, moment), max_age)

            night = risk_of_night(author, risk, evening, more, state)
            notes += night.notes
            night, journal_rows, head = _risk_written(store, run, author, night, now)
    return BatchResult(
        run=run.run,
        model=author,
        forecasts=result.forecasts,
        failures=(*evening.failures, *result.failures),
        stale=tuple(f.ticker for f in result.forecasts if f.ticker in stale),
        written=written,
        resumed=resumed,
        journal_rows=journal_rows,
        head=head,
        notes=tuple(notes),
        seconds=time.perf_counter() - began,
        risk=night,
        retrained=model is not given,
    )


@dataclass(frozen=True)
class _Reading:
    """How the sources of an evening are read."""

    store: Store
    options: ReadOptions
    fetching: FetchOptions
    provider: Callable[[], Provider] | None
    moment: datetime
    on_ticker: Callable[[str], None] | None

    def of(self, files: Sequence[str], tickers: Sequence[str], wanted: StoredBars) -> LoadResult:
        """Price files and tickers."""
        return read_sorted(
            files, tickers, self.options, self.fetching, store=self.store, provider=self.provider,
            now=self.moment, stored=wanted, on_ticker=self.on_ticker,
        )  # fmt: skip

    def market_set(
        self, sources: BatchSources, last: int | None
    ) -> tuple[tuple[History, ...], list[Note]]:
        """The tickers that make the market state, and what is missing of them."""
        return read_market_set(
            sources, self.options, self.fetching, store=self.store, provider=self.provider,
            now=self.moment, last=last,
        )  # fmt: skip


def _task(
    model: Model, sources: BatchSources, market: BatchSources | None, horizon: int | None
) -> str:
    """Digest of what is to be done: the same work by the same model has the same one."""
    parts = [sorted(sources.tickers), sorted(sources.files), model.digest, horizon]
    if market is not None:
        parts += [sorted(market.tickers), sorted(market.files)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _run(store: Store, task: str, now: datetime, *, resume: bool) -> tuple[Run, bool]:
    """The run that was cut off, or a new one; and whether it is an old one."""
    with store.writing() as tx:
        old = unfinished_run(tx, task) if resume else None
        if old is not None:
            return old, True
        new = Run(uuid.uuid4().hex, task, now)
        begin_run(tx, new)
        return new, False


def _written(
    store: Store,
    run: Run,
    model: Model,
    records: Sequence[JournalRecord],
    now: datetime | None,
) -> tuple[int, int, str]:
    """Write the journal and end the run; how many forecasts are new, all rows, the last's hash."""
    with store.writing() as tx:
        written = journal.append(tx, _author(run, model, now), records)
        rows, head = written_head(tx)
        finish_run(tx, run, datetime.now(UTC))
    return written, rows, head


def _risk_written(
    store: Store, run: Run, model: Model, night: NightlyRisk, now: datetime | None
) -> tuple[NightlyRisk, int, str]:
    """Write a portfolio's risk down; whether it was new, all rows, the last's hash."""
    with store.writing() as tx:
        if night.record is not None:
            new = append_risk(tx, _author(run, model, now), night.record)
            night = replace(night, written=new)
        return night, *written_head(tx)


def _author(run: Run, model: Model, now: datetime | None) -> Author:
    """Who writes, and when: fetching, or another writer, may have taken an hour."""
    return Author(run.run, now or datetime.now(UTC), model.name, model.id, model.digest)


def _journal_record(forecast: TickerForecast, files: Mapping[str, str]) -> JournalRecord:
    """A forecast as the journal has it, with the file that its bars came from, if it was one."""
    return JournalRecord(
        ticker=forecast.ticker,
        cutoff=forecast.cutoff,
        fingerprint=forecast.fingerprint,
        last_close=forecast.last_close,
        currency=forecast.currency,
        steps=forecast.plain_steps(),
        market_tickers=forecast.market_tickers,
        source=files.get(forecast.ticker),
    )
