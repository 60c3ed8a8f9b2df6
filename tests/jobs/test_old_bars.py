"""A forecast for a session that is over is never made in silence."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history, random_model

from forecaster.errors import SourceUnavailable, StaleBars
from forecaster.jobs.batch import BatchResult, batch
from forecaster.jobs.data import bring_in
from forecaster.market import exchanges
from forecaster.market.bars import History, Panel
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.store import Store, journal
from forecaster.market.watchlist import BatchSources
from forecaster.model.settings import Settings
from forecaster.output.batch import batch_json, write_csv, write_jsonl, write_parquet

FRIDAY = np.datetime64("2026-02-06")


def history(ticker: str, behind: int = 0, bars: int = 260, calendar: str = "XNYS") -> History:
    known = exchanges.schedule(calendar, FRIDAY - 2 * bars, FRIDAY)
    made = garch_history(ticker, bars, seed=sum(map(ord, ticker)))
    whole = replace(made, sessions=known.sessions[-bars:], adjusted_close=made.close.copy())
    return whole.slice(0, bars - behind)


@pytest.fixture(scope="module")
def model():
    settings = Settings(units=4, horizon=3, quantiles=(0.05, 0.5, 0.95))
    return random_model(settings, Panel((history("ABC"),)))


def run(model, *truth: History, exchange: str | None = "NMS", **options) -> BatchResult:
    source = FakeProvider({one.ticker: one for one in truth}, exchange=exchange)
    options = {"now": evening(FRIDAY), "provider": lambda: source, **options}
    return batch(model, BatchSources(tuple(source.truth), ()), **options)


def loud(result: BatchResult) -> list[str]:
    return [note.message for note in result.notes if note.loud]


def written() -> list[str]:
    with Store() as store, store.reading() as tx:
        return [entry.forecast.ticker for entry in journal.entries(tx)]


@pytest.mark.parametrize("behind", [1, 2, 5])
def test_from_the_first_session_on_it_is_said(model, behind):
    """On Saturday noon: Friday's bar has had all night to come."""
    done = run(model, history("OLD", behind), history("NEW"), now=evening(FRIDAY + 1))
    assert done.stale == ("OLD",)
    assert [f.sessions_behind for f in done.forecasts] == [behind, 0]
    (said,) = loud(done)
    assert f"{behind} session{'s' if behind > 1 else ''} behind" in said
    assert done.failures == ()


@pytest.mark.parametrize(
    ("minutes", "stale"), [(1, False), (170, False), (185, True), (24 * 60, True)]
)
def test_the_source_may_need_its_usual_time(model, minutes, stale):
    closed = datetime(2026, 2, 6, 21, tzinfo=UTC)
    done = run(model, history("OLD", 1), now=closed + timedelta(minutes=minutes))
    assert (done.stale == ("OLD",), bool(loud(done))) == (stale, stale)
    assert done.forecasts[0].sessions_behind == 1  # whatever the source may need


def test_two_sessions_behind_are_said_at_once(model):
    """Thursday's bar is overdue on Friday, a minute after the close."""
    done = run(model, history("OLD", 2), now=datetime(2026, 2, 6, 21, 1, tzinfo=UTC))
    assert done.stale == ("OLD",)


@pytest.mark.parametrize(
    ("behind", "max_age", "fails"),
    [(5, 5, False), (6, 5, True), (100, 5, True), (1, 0, True), (100, 100, False)],
)
def test_past_the_greatest_age_there_is_no_forecast(model, behind, max_age, fails):
    done = run(model, history("OLD", behind), history("NEW"), max_age=max_age)
    assert [f.ticker for f in done.forecasts] == (["NEW"] if fails else ["OLD", "NEW"])
    assert written() == [f.ticker for f in done.forecasts]
    assert [failure.ticker for failure in done.failures] == (["OLD"] if fails else [])
    if fails:
        error = done.failures[0].error
        assert isinstance(error, StaleBars)
        assert (error.exit_code, error.code) == (3, "stale")
        assert f"{behind} session{'s' if behind > 1 else ''} behind" in str(error)
        assert f"max_age is {max_age}" in str(error)


def test_five_sessions_are_the_default(model):
    done = run(model, history("FIVE", 5), history("SIX", 6))
    assert [failure.ticker for failure in done.failures] == ["SIX"]


def test_holidays_are_no_sessions_behind(model):
    """Christmas and the weekend after it."""
    known = exchanges.schedule("XNYS", FRIDAY - 500, np.datetime64("2025-12-24"))
    made = replace(history("ABC"), sessions=known.sessions[-260:])
    done = run(model, made, now=datetime(2025, 12, 26, 15, tzinfo=UTC))
    assert (done.stale, loud(done), done.forecasts[0].sessions_behind) == ((), [], 0)


def test_a_half_day_counts_from_its_early_close(model):
    """2025-12-24 closed at 18:00 UTC."""
    known = exchanges.schedule("XNYS", FRIDAY - 500, np.datetime64("2025-12-23"))
    made = replace(history("ABC"), sessions=known.sessions[-260:])
    for hour, behind in ((17, 0), (18, 1)):
        done = run(model, made, now=datetime(2025, 12, 24, hour, 1, tzinfo=UTC))
        assert done.forecasts[0].sessions_behind == behind


def test_tokyo_is_over_before_new_york_opens(model):
    made = history("7203.T", 1, calendar="XTKS")
    done = run(model, made, exchange="JPX", now=datetime(2026, 2, 6, 12, tzinfo=UTC))
    assert done.stale == ("7203.T",)


def test_a_calendar_that_ends_is_gone_on_with_by_weekdays(model, monkeypatch):
    known = exchanges.schedule("XNYS", FRIDAY - 900, FRIDAY - 10)
    monkeypatch.setattr(exchanges, "schedule", lambda *_: known)
    done = run(model, history("OLD", 10), max_age=50)
    assert done.forecasts[0].sessions_behind >= 8
    assert done.stale == ("OLD",)


def test_a_ticker_without_a_calendar_is_old_by_weekdays(model):
    done = run(model, history("OLD.XX", 40), history("NEW.XX"), exchange=None)
    assert [f.ticker for f in done.forecasts] == ["NEW.XX"]
    assert "by the weekdays seen" in str(done.failures[0].error)


def test_a_source_that_is_down(model):
    source = FakeProvider({"ABC": history("ABC", 3)})
    run_options = {"provider": lambda: source}
    batch(model, BatchSources(("ABC",), ()), now=evening(FRIDAY - 4), **run_options)
    source.problem = SourceUnavailable("no answer.")
    done = batch(model, BatchSources(("ABC",), ()), now=evening(FRIDAY), **run_options)
    assert done.stale == ("ABC",)
    (said,) = loud(done)
    assert said.startswith("no answer. Meanwhile stored bars to")


def test_an_answer_that_was_not_taken(model):
    """The source has a newer bar, of another company."""
    run(model, history("ABC", 2), now=evening(FRIDAY - 2))
    done = run(model, replace(history("XYZ"), ticker="ABC"))
    assert done.stale == ("ABC",)
    (said,) = loud(done)
    assert "as the source's answer was not taken" in said
    assert "forecast fetch ABC" in said


def test_offline(model):
    run(model, history("ABC", 2), now=evening(FRIDAY - 2))
    done = run(model, history("ABC"), fetching=FetchOptions(offline=True))
    assert (done.stale, len(loud(done))) == (("ABC",), 1)


class TestFiles:
    @pytest.fixture
    def file(self, tmp_path):
        made = history("FILE", 2)
        lines = [f"{d},{c}" for d, c in zip(made.sessions, made.close, strict=True)]
        path = tmp_path / "FILE.csv"
        path.write_text("Date,Close\n" + "\n".join(lines))
        return BatchSources((), (str(path),))

    @pytest.mark.parametrize(("max_age", "failed"), [(5, 0), (1, 1)])
    def test_with_a_calendar_it_is_as_a_ticker(self, model, file, max_age, failed):
        named = FetchOptions(calendar="XNYS")
        done = batch(model, file, now=evening(FRIDAY), fetching=named, max_age=max_age)
        assert len(done.failures) == failed
        assert len(loud(done)) == 1
        assert [f.sessions_behind for f in done.forecasts] == [2] * (1 - failed)

    def test_without_one_nobody_knows_and_that_is_said(self, model, file):
        done = batch(model, file, now=evening(FRIDAY + 100))
        assert (done.stale, done.failures, loud(done)) == ((), (), [])
        (note,) = done.notes
        assert "no calendar tells how many sessions" in note.message
        assert done.forecasts[0].sessions_behind is None


class TestABarOfASessionThatRuns:
    """New York closes at 21:00 UTC."""

    @pytest.mark.parametrize(("hour", "said"), [(17, 1), (21, 0)])
    @pytest.mark.parametrize("imported", [False, True])
    def test_is_said(self, model, tmp_path, hour, said, imported):
        made = history("FILE")
        path = tmp_path / "FILE.csv"
        lines = [f"{d},{c}" for d, c in zip(made.sessions, made.close, strict=True)]
        path.write_text("Date,Close\n" + "\n".join(lines))
        sources, named = BatchSources((), (str(path),)), FetchOptions(calendar="XNYS")
        if imported:
            with Store() as store:
                bring_in(store, [made])
            sources, named = BatchSources(("FILE",), ()), FetchOptions()
        now = evening(FRIDAY).replace(hour=hour, minute=0)
        done = batch(model, sources, now=now, fetching=named)
        assert [f"of {FRIDAY}, whose session has not closed" in s for s in loud(done)] == [
            True
        ] * said
        assert (done.stale, len(done.forecasts), done.failures) == ((), 1, ())


class TestWhatIsWritten:
    @pytest.fixture
    def done(self, model) -> BatchResult:
        return run(model, history("OLD", 2), history("NEW"), history("DEAD", 100))

    def test_lines(self, done):
        file = io.BytesIO()
        write_jsonl(file, done.model, done.forecasts)
        lines = [json.loads(line) for line in file.getvalue().splitlines()]
        assert [(one["ticker"], one["sessions_behind"]) for one in lines] == [
            ("OLD", 2),
            ("NEW", 0),
        ]

    def test_rows(self, done):
        file = io.BytesIO()
        write_csv(file, done.model, done.forecasts)
        rows = list(csv.DictReader(io.StringIO(file.getvalue().decode())))
        assert [row["sessions_behind"] for row in rows] == ["2"] * 3 + ["0"] * 3

    def test_parquet(self, done):
        import pyarrow.parquet as pq

        file = io.BytesIO()
        write_parquet(file, done.model, done.forecasts)
        assert pq.read_table(file)["sessions_behind"].to_pylist() == [2] * 3 + [0] * 3

    def test_the_summary(self, done):
        found = json.loads(batch_json(done))
        assert (found["stale"], found["sessions_behind"]) == (["OLD"], {"OLD": 2})
        assert [(e["ticker"], e["code"]) for e in found["errors"]] == [("DEAD", "stale")]
