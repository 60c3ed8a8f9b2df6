"""A batch forecasts all that can be forecast, writes it down once, and can be run again."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history, random_model

from forecaster.atomic import locked
from forecaster.errors import LockHeld, RateLimited, SettingsError, UnknownTicker
from forecaster.jobs.batch import BatchResult, batch
from forecaster.jobs.predict import predict
from forecaster.market import exchanges
from forecaster.market.bars import History, Panel
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.store import Store, journal
from forecaster.market.store.log import unfinished_run
from forecaster.market.watchlist import BatchSources, read_batch_sources
from forecaster.model.settings import Settings

FRIDAY = np.datetime64("2026-03-06")
NAMES = ("ABC", "DEF", "XYZ")


def history(ticker: str, bars: int = 120) -> History:
    known = exchanges.schedule("XNYS", FRIDAY - 3 * bars, FRIDAY)
    made = garch_history(ticker, bars, seed=sum(map(ord, ticker)))
    return replace(made, sessions=known.sessions[-bars:], adjusted_close=made.close.copy())


@pytest.fixture(scope="module")
def model():
    settings = Settings(units=4, horizon=3, quantiles=(0.05, 0.5, 0.95))
    return random_model(settings, Panel((history("ABC"),)))


@pytest.fixture(scope="module")
def seeing():
    """A model that was trained with a market state."""
    settings = Settings(units=4, horizon=3, quantiles=(0.05, 0.5, 0.95))
    return random_model(settings, Panel(tuple(map(history, NAMES))))


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({name: history(name) for name in NAMES})


def run(model, source: FakeProvider, *names: str, **options) -> BatchResult:
    options = {"now": evening(FRIDAY), "provider": lambda: source, **options}
    return batch(model, BatchSources(names or NAMES, ()), **options)


def written() -> list[journal.Entry]:
    with Store() as store, store.reading() as tx:
        assert not journal.verify(tx).broken
        return list(journal.entries(tx))


def rows_of(ticker: str) -> str:
    """A price file that names its ticker."""
    made = history("F")
    lines = [f"{ticker},{d},{c}" for d, c in zip(made.sessions, made.close, strict=True)]
    return "\n".join(["Ticker,Date,Close", *lines])


class TestForecasts:
    def test_are_those_of_predict(self, model, source):
        done = run(model, source)
        alone = predict(model, [history(name) for name in NAMES])
        assert [f.ticker for f in done.forecasts] == list(NAMES)
        for mine, theirs in zip(done.forecasts, alone.forecasts, strict=True):
            assert mine.cutoff == FRIDAY
            for a, b in zip(mine.steps, theirs.steps, strict=True):
                np.testing.assert_allclose(
                    list(a.quantiles.values()), list(b.quantiles.values()), rtol=1e-6
                )

    def test_go_into_the_journal(self, model, source):
        done = run(model, source)
        found = written()
        assert done.written == 3
        assert done.head == found[-1].hash
        for entry, forecast in zip(found, done.forecasts, strict=True):
            assert entry.author.run == done.run
            assert entry.author.model_hash == model.digest
            assert entry.forecast.fingerprint == forecast.fingerprint
            assert entry.forecast.steps == forecast.plain_steps()

    def test_a_bad_ticker_does_not_stop_the_others(self, model, source):
        source.truth["ONE"] = history("ABC").slice(0, 1)
        done = run(model, source, "ABC", "NONE", "BRK/B", "ONE", "DEF")
        assert [f.ticker for f in done.forecasts] == ["ABC", "DEF"]
        assert {failure.name: failure.error.code for failure in done.failures} == {
            "NONE": "unknown_ticker",
            "BRK/B": "unknown_ticker",
            "ONE": "data",
        }
        assert len(written()) == 2

    def test_a_ticker_listed_twice_is_forecast_once(self, model, source):
        assert len(run(model, source, "ABC", "abc", "ABC").forecasts) == 1

    def test_price_files_and_tickers(self, model, source, tmp_path):
        lines = [f"{d},{c}" for d, c in zip(history("F").sessions, history("F").close, strict=True)]
        (tmp_path / "FILE.csv").write_text("Date,Close\n" + "\n".join(lines))
        work = BatchSources(("ABC",), (str(tmp_path / "FILE.csv"),))
        done = batch(model, work, now=evening(FRIDAY), provider=lambda: source)
        assert [f.ticker for f in done.forecasts] == ["FILE", "ABC"]
        assert done.forecasts[0].steps[0].session_estimated
        named = FetchOptions(calendar="XNYS", offline=True)
        again = batch(model, work, fetching=named, now=evening(FRIDAY))
        assert [str(step.session) for step in again.forecasts[0].steps] == [
            "2026-03-09", "2026-03-10", "2026-03-11",
        ]  # fmt: skip
        assert not any(step.session_estimated for step in again.forecasts[0].steps)

    def test_the_journal_knows_which_file_a_forecast_is_from(self, model, source, tmp_path):
        """A file that calls itself as a listed company does stands beside the company itself."""
        own = tmp_path / "own.csv"
        own.write_text(rows_of("XYZ"))
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "M.csv").write_text(rows_of("MORE"))
        files = (str(own), str(tmp_path / "more"))
        first = batch(
            model, BatchSources(("ABC",), files), now=evening(FRIDAY), provider=lambda: source
        )
        assert {e.forecast.ticker: e.forecast.source for e in written()} == {
            "XYZ": str(own), "MORE": str(tmp_path / "more" / "M.csv"), "ABC": None,
        }  # fmt: skip
        assert run(model, source, "XYZ").written == 1
        for again in (BatchSources(("ABC",), files), BatchSources(("XYZ",), ())):
            done = batch(model, again, now=evening(FRIDAY), provider=lambda: source)
            assert done.written == 0
        assert first.written == 3
        assert [e.forecast.source for e in written() if e.forecast.ticker == "XYZ"] == [
            str(own),
            None,
        ]

    def test_a_file_whose_name_is_no_text(self, model, source, tmp_path):
        path = tmp_path / os.fsdecode(b"caf\xe9.csv")
        path.write_text(rows_of("OWN"))
        done = batch(model, BatchSources((), (str(path),)), now=evening(FRIDAY))
        (failure,) = done.failures
        assert "caf\\udce9.csv has a name that is not UTF-8" in str(failure.error)
        assert written() == []

    def test_is_dated_when_it_is_written_and_not_when_fetching_began(self, model, source):
        began = []
        source.before_answer = lambda _ticker: began.append(datetime.now(UTC)) or time.sleep(1.1)
        batch(model, BatchSources(("ABC",), ()), provider=lambda: source, max_age=10**6)
        (entry,) = written()
        assert entry.author.created > began[0]

    def test_another_horizon_than_the_model_s(self, model, source):
        with pytest.raises(SettingsError, match="trained for 1 to 3"):
            run(model, source, horizon=9)
        assert source.asked == []
        assert written() == []

    def test_a_rate_limit_in_the_middle_leaves_stored_bars(self, model, source):
        run(model, source, "ABC", "DEF")

        def limit(ticker: str) -> None:
            if ticker == "DEF":
                source.problem = RateLimited("too often.")

        source.before_answer = limit
        monday = evening(FRIDAY + 3)
        done = run(model, source, now=monday)
        assert [f.ticker for f in done.forecasts] == ["ABC", "DEF"]
        assert done.stale == ("DEF",)
        assert [failure.name for failure in done.failures] == ["XYZ"]


class TestTwice:
    def test_on_one_evening_changes_nothing(self, model, source):
        run(model, source)
        asked = len(source.asked)
        again = run(model, source, now=evening(FRIDAY) + timedelta(minutes=5))
        assert again.written == 0
        assert len(source.asked) == asked
        assert len(written()) == 3

    def test_the_next_session_is_new(self, model, source):
        source.truth = {name: history(name).slice(0, 119) for name in NAMES}
        run(model, source, now=evening(FRIDAY - 1))
        source.truth = {name: history(name) for name in NAMES}
        assert run(model, source).written == 3
        assert len(written()) == 6

    def test_at_once_only_one_works(self, model, source, home):
        for wait in (0.0, 0.01):
            said = f"another run is writing a batch; .* or give wait more seconds than {wait:g}.$"
            with locked(home / "batch", "a batch"), pytest.raises(LockHeld, match=said):
                run(model, source, wait=wait)
        assert source.asked == []


class TestResume:
    def cut_off(self, model, source) -> None:
        """A batch that dies after the second of three tickers."""

        def die(ticker: str) -> None:
            if ticker == "XYZ":
                raise KeyboardInterrupt

        source.before_answer = die
        with pytest.raises(KeyboardInterrupt):
            run(model, source)
        source.before_answer = None

    def test_asks_only_for_what_was_not_answered(self, model, source):
        self.cut_off(model, source)
        source.asked.clear()
        done = run(model, source, resume=True, now=evening(FRIDAY) + timedelta(hours=10))
        assert done.resumed
        assert [ticker for ticker, _ in source.asked] == ["XYZ"]
        assert len(done.forecasts) == 3
        assert {entry.author.run for entry in written()} == {done.run}

    def test_asks_again_once_another_session_has_closed(self, model, source):
        self.cut_off(model, source)
        source.asked.clear()
        done = run(model, source, resume=True, now=evening(FRIDAY) + timedelta(days=3))
        assert done.resumed
        assert len(source.asked) == 3

    def test_without_it_a_new_run_begins(self, model, source):
        self.cut_off(model, source)
        assert not run(model, source).resumed

    def test_other_work_is_not_resumed(self, model, source):
        self.cut_off(model, source)
        assert not run(model, source, "ABC", resume=True).resumed

    def test_nothing_to_resume_is_a_new_run(self, model, source):
        run(model, source)
        again = run(model, source, resume=True)
        assert not again.resumed
        assert again.written == 0
        with Store() as store, store.reading() as tx:
            assert unfinished_run(tx, "any") is None


class TestBatchSourcess:
    @pytest.mark.parametrize(
        ("name", "text", "tickers", "files"),
        [
            ("w.txt", "AAPL\nMSFT\n", 2, 0),
            ("w.csv", "ticker,name\nAAPL,Apple\n", 1, 0),
            ("w.csv", "symbol\nAAPL\n", 1, 0),
            ("p.csv", "Date,Close\n2024-01-02,1\n", 0, 1),
            ("p.csv", "ticker,date,close\nA,2024-01-02,1\n", 0, 1),
            ("p.csv", "Datum;Schlusskurs\n02.01.2024;1,5\n", 0, 1),
        ],
    )
    def test_a_source_is_one_or_the_other(self, tmp_path, name, text, tickers, files):
        path = tmp_path / name
        path.write_text(text)
        work = read_batch_sources([str(path)])
        assert (len(work.tickers), len(work.files)) == (tickers, files)

    def test_a_folder_holds_prices(self, tmp_path):
        assert read_batch_sources([str(tmp_path)]).files == (str(tmp_path),)


class TestMarketState:
    """Forecasts of a ticker are one identity only where one market state made them."""

    def test_the_journal_says_how_many_tickers_made_it(self, seeing, source):
        run(seeing, source)
        run(seeing, source, "ABC")
        assert [(e.forecast.ticker, e.forecast.market_tickers) for e in written()] == [
            *((name, 3) for name in NAMES),
            ("ABC", 0),
        ]

    def test_batches_of_an_evening_in_any_order_add_no_second_row(self, seeing, source):
        lists = [NAMES, ("ABC",), NAMES[::-1], ("ABC", "DEF")]
        for names in (*lists, *lists[::-1]):
            run(seeing, source, *names)
        identities = [(e.forecast.ticker, e.forecast.fingerprint) for e in written()]
        assert len(set(identities)) == len(identities) == 5

    def test_with_a_market_set_watchlists_agree(self, seeing, source):
        market = BatchSources(NAMES, ())
        for names in (NAMES, ("ABC",), ("DEF", "ABC")):
            run(seeing, source, *names, market=market)
        assert [e.forecast.market_tickers for e in written()] == [3, 3, 3]

    def test_a_smaller_market_state_than_the_watchlist_s_is_said(self, seeing, source):
        del source.truth["XYZ"]
        said = [note.message for note in run(seeing, source).notes]
        assert any("the market state is of 0 of 3 sources" in message for message in said)
        said = [note.message for note in run(seeing, source, "ABC", "DEF").notes]
        assert not any("market state" in message for message in said)

    def test_a_market_set_that_fails_in_part_is_said_and_whole_is_an_error(self, seeing, source):
        result = run(seeing, source, "ABC", market=BatchSources(("NOPE", *NAMES), ()))
        assert result.forecasts[0].market_tickers == 3
        assert any("not part of the market state" in note.message for note in result.notes)
        with pytest.raises(UnknownTicker):
            run(seeing, source, "ABC", market=BatchSources(("NOPE",), ()))
