"""Files and stored bars read, and forecasts made, in several processes are those of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
from synthetic import garch_history, random_model

from forecaster.errors import SettingsError, WorkersLost
from forecaster.jobs import bulk_forecasts, bulk_reading, parallel
from forecaster.jobs.batch import BatchResult, batch
from forecaster.jobs.bulk_reading import reader
from forecaster.market.bars import Panel
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.files.read import LoadResult
from forecaster.market.load import read_sources
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import TickerInfo
from forecaster.market.watchlist import BatchSources
from forecaster.model.settings import Settings

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "FB.csv"
NOW = datetime(2026, 3, 6, 23, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Files good and bad, one ticker in two files, and one with a note."""
    place = tmp_path / "prices"
    place.mkdir()
    text = SAMPLE.read_text()
    for number in range(30):
        (place / f"T{number:02d}.csv").write_text(text)
    (place / "A.csv").write_text("Date,Close\n2020-01-02,x\n")
    (place / "B.csv").write_bytes(b"\x00\x01\x02")
    (place / "T05.txt").write_text("Date,Ticker,Close\n2020-01-02,T05,1\n2020-01-03,T05,2\n")
    (place / "U.csv").write_text(text + "not,a,row,of,this,table,at,all,no\n")
    return place


def said(loaded: LoadResult) -> tuple[object, ...]:
    failures = [(failure.name, str(failure.error)) for failure in loaded.failures]
    return loaded.panel.tickers, loaded.panel.fingerprint, loaded.notes, failures, loaded.files


@pytest.mark.processes
def test_files_are_the_same_read_here_and_by_two_workers(folder):
    alone = read_sources([str(folder)])
    assert len(alone.failures) > 1
    assert alone.notes
    seen = []
    for made in (reader(workers=1), reader(lambda *done: seen.append(done), workers=2)):
        assert said(read_sources([str(folder), "-"], reader=made))[:2] == said(alone)[:2]
        assert said(read_sources([str(folder)], reader=made)) == said(alone)
    count = len(list(folder.iterdir()))
    assert seen[0] == (0, count)
    assert seen[-1] == (count, count)


def test_few_files_are_read_here_and_counted(folder):
    seen = []
    read_sources([str(folder)], reader=reader(lambda *done: seen.append(done)))
    count = len(list(folder.iterdir()))
    assert seen == [(done, count) for done in range(1, count + 1)]


def test_large_files_are_read_by_a_worker_a_core(folder, monkeypatch):
    asked = []

    def run(pool, function, panel, tasks, **_):
        asked.append((pool.workers, len(tasks)))
        return [function(panel, task, None) for task in tasks]

    monkeypatch.setattr(parallel.Pool, "map", run)
    monkeypatch.setattr(bulk_reading, "_cores", lambda: 3)
    read_sources([str(folder)], reader=reader())
    assert asked == []
    monkeypatch.setattr(bulk_reading, "LARGE", 100_000)
    assert said(read_sources([str(folder)], reader=reader())) == said(read_sources([str(folder)]))
    assert asked == [(3, 5)]


@pytest.mark.parametrize(
    "why",
    [
        WorkersLost("they were killed. Start again."),
        PermissionError(13, "no semaphores"),
        ImportError("no multiprocessing"),
    ],
)
def test_this_process_reads_what_workers_did_not(folder, monkeypatch, why):
    def lost(*_: object, **__: object) -> None:
        raise why

    monkeypatch.setattr(parallel.Pool, "map", lost)
    assert said(read_sources([str(folder)], reader=reader(workers=2))) == said(
        read_sources([str(folder)])
    )


@pytest.fixture
def killed() -> Iterator[list[int]]:
    """The first process that starts to read is killed."""
    found: list[int] = []

    def look() -> None:
        for _ in range(3000):
            for child in psutil.Process().children():
                if "LokyProcess" in " ".join(child.cmdline()):
                    child.send_signal(signal.SIGKILL)
                    found.append(child.pid)
                    return
            threading.Event().wait(0.01)

    watcher = threading.Thread(target=look)
    watcher.start()
    yield found
    watcher.join()


@pytest.mark.processes
def test_files_of_a_worker_that_is_killed_are_read_all_the_same(folder, killed):
    found = read_sources([str(folder)], reader=reader(workers=2))
    assert len(killed) == 1
    assert said(found) == said(read_sources([str(folder)]))


NAMES = [f"T{number:02d}" for number in range(40)]


@pytest.fixture
def stored(monkeypatch) -> None:
    """Tickers in the store; one of them is damaged."""
    monkeypatch.setattr(bulk_reading, "TICKERS_IN_A_TASK", 3)
    monkeypatch.setattr(bulk_forecasts, "IN_A_TASK", 5)
    with Store() as store, store.writing() as tx:
        for seed, name in enumerate(NAMES):
            made = garch_history(name, 200 + seed % 2, seed)
            days = np.datetime64("2026-03-06") - np.arange(400, -1, -1)
            made = replace(made, sessions=days[np.is_busday(days)][-len(made) :], adjusted=True)
            facts = TickerInfo(name, "yahoo", "USD", None, None, None, True, None, NOW)
            bars.replace(tx, made, (), facts)
        tx.exec_driver_sql("UPDATE bars SET close = -1 WHERE history_id = 7 AND session > 20260301")


@pytest.fixture(scope="module")
def model():
    settings = Settings(units=4, horizon=3, quantiles=(0.05, 0.5, 0.95))
    panel = Panel(tuple(garch_history(name, 150, 1) for name in NAMES[:4]))
    return random_model(settings, panel)


def run(model, **options) -> BatchResult:
    fetching = FetchOptions(offline=True)
    return batch(model, BatchSources(NAMES, ()), fetching=fetching, now=NOW, **options)


def forecast(done: BatchResult) -> tuple[object, ...]:
    failures = [(failure.name, str(failure.error)) for failure in done.failures]
    return done.forecasts, failures, [str(note.message) for note in done.notes]


@pytest.mark.processes
def test_a_batch_is_the_same_to_the_bit_with_workers(model, stored):
    alone = run(model)
    assert len(alone.forecasts) == len(NAMES) - 1
    assert [failure.name for failure in alone.failures] == ["T06"]
    two = run(model, workers=2)
    assert forecast(two) == forecast(alone)
    assert (two.written, two.head) == (0, alone.head)


@pytest.mark.processes
def test_a_batch_that_loses_a_worker_is_the_same_to_the_bit(model, stored, killed):
    hurt = run(model, workers=2)
    assert len(killed) == 1
    assert forecast(hurt) == forecast(run(model))


@pytest.mark.parametrize(
    ("left", "read", "forecasts"), [(0, 0, 0), (5, 5, 0), (14, 14, 0), (17, 14, 3), (99, 14, 8)]
)
def test_a_batch_goes_on_without_its_workers_after_some_tickers(
    model, stored, monkeypatch, left, read, forecasts
):
    done = []

    def some(pool, function, tasks):
        for task in tasks:
            if len(done) == left:
                raise WorkersLost("they were killed. Start again.")
            done.append(function)
            yield function(Panel(()), task, None)

    alone = run(model)
    monkeypatch.setattr(parallel.Pool, "stream", some)
    assert forecast(run(model, workers=2)) == forecast(alone)
    assert done.count(bulk_reading.read_stored) == read
    assert done.count(bulk_forecasts.forecast_task) == forecasts


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """How many processes were asked for, each time; this one does their work."""
    counts = []

    def run(pool, function, tasks):
        counts.append(pool.workers)
        return (function(Panel(()), task, None) for task in tasks)

    monkeypatch.setattr(parallel.Pool, "stream", run)
    monkeypatch.setattr(bulk_reading, "_cores", lambda: 3)
    return counts


def test_nobody_else_works_unless_it_is_asked_for_or_tickers_are_many(
    model, stored, monkeypatch, asked
):
    for workers in (None, 1):
        assert len(run(model, workers=workers).forecasts) == len(NAMES) - 1
    assert asked == []
    run(model, workers=5)
    assert asked == [5, 5]
    monkeypatch.setattr(bulk_reading, "MANY_TICKERS", len(NAMES))
    run(model)
    assert asked[2:] == [3, 3]
    run(model, workers=1)
    assert asked[4:] == []


@pytest.mark.parametrize(("free", "expected"), [(1.5e9, [2, 2]), (1e8, []), (float("inf"), [3, 3])])
def test_as_many_work_as_there_is_memory_for(model, stored, monkeypatch, asked, free, expected):
    monkeypatch.setattr(bulk_reading, "MANY_TICKERS", len(NAMES))
    monkeypatch.setattr(bulk_reading, "free_bytes", lambda: free)
    run(model)
    assert asked == expected


def test_few_tickers_are_read_and_forecast_here(model, stored, monkeypatch, asked):
    monkeypatch.setattr(bulk_reading, "TICKERS_IN_A_TASK", len(NAMES))
    monkeypatch.setattr(bulk_forecasts, "IN_A_TASK", len(NAMES))
    run(model, workers=2)
    assert asked == []


def test_fewer_workers_than_one_are_refused_before_a_run_begins(model, stored):
    with pytest.raises(SettingsError, match="workers is 0"):
        run(model, workers=0)
    with Store() as store, store.reading() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM runs").scalar() == 0
