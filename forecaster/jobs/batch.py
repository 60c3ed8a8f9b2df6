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
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from forecaster.errors import DataError, ForecastError, LockHeld, TrainingDiverged
from forecaster.features.representation import REACH
from forecaster.jobs.predict import TickerForecast, predict
from forecaster.jobs.worklist import Worklist
from forecaster.market.bars import Panel
from forecaster.market.calendars import Calendars
from forecaster.market.fetching import USUAL, Fetching
from forecaster.market.files import AS_THEY_ARE, ReadOptions, given_twice, read_files
from forecaster.market.quotes import Provider
from forecaster.market.sources import with_calendar
from forecaster.market.store import Store, journal, runs
from forecaster.market.store.journal import Author, Draft
from forecaster.market.store.runs import Run
from forecaster.market.tickers import Remark, load_tickers
from forecaster.model.artifact import Model, save
from forecaster.places import home, locked


@dataclass(frozen=True)
class Batched:
    """What a batch did.

    Attributes:
        run: its name in the journal.
        model: who forecast.
        forecasts: in the order of the watchlist.
        failures: tickers without a forecast, and why.
        stale: tickers forecast from stored bars because their source failed.
        written: how many forecasts were new to the journal.
        resumed: whether an earlier run went on.
        head: hash of the journal's last row.
        remarks: what a user should know.
        seconds: from start to end.
    """

    run: str
    model: Model
    forecasts: tuple[TickerForecast, ...]
    failures: tuple[tuple[str, ForecastError], ...]
    stale: tuple[str, ...]
    written: int
    resumed: bool
    head: str
    remarks: tuple[Remark, ...]
    seconds: float


@dataclass(frozen=True)
class _Loaded:
    """Histories to forecast, and what was said of them."""

    panel: Panel
    calendars: Calendars
    failures: list[tuple[str, ForecastError]]
    remarks: list[Remark]
    stale: tuple[str, ...]


def batch(
    model: Model,
    work: Worklist,
    *,
    horizon: int | None = None,
    fetching: Fetching = USUAL,
    options: ReadOptions = AS_THEY_ARE,
    resume: bool = False,
    retrain_days: float | None = None,
    path: Path | None = None,
    wait: float = 0.0,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> Batched:
    """Fetch what is missing, forecast every ticker in one pass, and write the journal.

    Args:
        model: who forecasts.
        work: tickers and price files.
        horizon: steps; None: as ``predict``.
        fetching: how tickers are fetched.
        options: how files are read.
        resume: go on with the last run of the same work if it was cut off: sources that answered
            it are not asked again.
        retrain_days: retrain the model first if it is at least so many days old; None: never.
        path: the model's file, which a retrained one replaces.
        wait: seconds to wait for another batch.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        on_ticker: called before each ticker is fetched.

    Raises:
        LockHeld: another batch did not end in time.
        SettingsError: the model was not trained for that many steps, or the store is read-only.
        StoreError: the store cannot be used.
    """
    began = time.perf_counter()
    moment = now or datetime.now(UTC)
    task = _task(model, work, horizon)
    due = retrain_days is not None and path is not None and _is_due(model, retrain_days, moment)
    with locked(home() / "batch", "a batch", wait=wait), Store() as store:
        run, resumed = _run(store, task, moment, resume=resume)
        asked = replace(fetching, answered_since=run.started) if resumed else fetching
        last = None if due else REACH
        loaded = _load(store, work, asked, options, provider, moment, last, on_ticker)
        if due and path is not None:
            model = _retrained(model, path, loaded)
        made = predict(model, loaded.panel.histories, horizon=horizon, calendars=loaded.calendars)
        written_at = now or datetime.now(UTC)  # fetching may have taken an hour
        author = Author(run.run, written_at, model.name, model.id, model.digest)
        with store.writing() as tx:
            written = journal.append(tx, author, [_draft(forecast) for forecast in made.forecasts])
            head = journal.head(tx)
            runs.finish(tx, run, datetime.now(UTC))
    return Batched(
        run=run.run,
        model=model,
        forecasts=made.forecasts,
        failures=(*loaded.failures, *((f.ticker, f.error) for f in made.failures)),
        stale=loaded.stale,
        written=written,
        resumed=resumed,
        head=head,
        remarks=tuple(loaded.remarks),
        seconds=time.perf_counter() - began,
    )


def _task(model: Model, work: Worklist, horizon: int | None) -> str:
    """Digest of what is to be done: the same work by the same model has the same one."""
    parts = [sorted(work.tickers), sorted(work.files), model.digest, horizon]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _run(store: Store, task: str, now: datetime, *, resume: bool) -> tuple[Run, bool]:
    """The run that was cut off, or a new one; and whether it is an old one."""
    with store.writing() as tx:
        old = runs.unfinished(tx, task) if resume else None
        if old is not None:
            return old, True
        new = Run(uuid.uuid4().hex, task, now)
        runs.begin(tx, new)
        return new, False


def _load(
    store: Store,
    work: Worklist,
    fetching: Fetching,
    options: ReadOptions,
    provider: Callable[[], Provider] | None,
    now: datetime,
    last: int | None,
    on_ticker: Callable[[str], None] | None,
) -> _Loaded:
    """Histories of files and tickers; what fails is left out and kept for the report."""
    read = read_files(work.files, options)
    if fetching.calendar is not None and work.files:
        read = with_calendar(read, fetching.calendar)
    failures: list[tuple[str, ForecastError]] = [
        (failure.ticker or failure.source, failure.error) for failure in read.failures
    ]
    given = load_tickers(
        work.tickers,
        fetching,
        store=store,
        provider=provider,
        now=now,
        last=last,
        on_ticker=on_ticker,
    )
    failures += given.failures
    seen = set(read.panel.tickers)
    for history in given.histories:
        if history.ticker in seen:
            failures.append((history.ticker, given_twice(history.ticker, "a file", "the store")))
    fetched = [history for history in given.histories if history.ticker not in seen]
    return _Loaded(
        panel=Panel((*read.panel.histories, *fetched)),
        calendars=Calendars({**read.calendars, **given.calendars}),
        failures=failures,
        remarks=[*(Remark(n.ticker or n.source, n.message) for n in read.notes), *given.remarks],
        stale=given.stale,
    )


def _is_due(model: Model, days: float, now: datetime) -> bool:
    """Whether a model is at least so many days old."""
    return (now - datetime.fromisoformat(model.created)).total_seconds() >= days * 86400


def _retrained(model: Model, path: Path, loaded: _Loaded) -> Model:
    """The model, trained on if that made it better; a failure to train leaves it as it is."""
    from forecaster.jobs.retrain import retrain

    try:
        with locked(path, f"model {path.stem}"):
            made = retrain(model, loaded.panel)
            if made.replaced:
                save(made.model, path)
    except (TrainingDiverged, DataError, LockHeld) as problem:
        loaded.remarks.append(Remark(model.name, f"it was not retrained: {problem}"))
        return model
    loaded.remarks.append(Remark(model.name, made.reason))
    return made.model


def _draft(forecast: TickerForecast) -> Draft:
    return Draft(
        ticker=forecast.ticker,
        cutoff=forecast.cutoff,
        fingerprint=forecast.fingerprint,
        last_close=forecast.last_close,
        currency=forecast.currency,
        steps=forecast.plain_steps(),
    )
