"""The risk of a portfolio after a batch: what forecast risk says, once, and never instead of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history, random_model

from forecaster.errors import SettingsError, StaleBars, UnknownTicker
from forecaster.jobs.batch import BatchResult, batch
from forecaster.jobs.risk import risk
from forecaster.joint.holdings import Holdings, Position, holdings_of_words
from forecaster.market import exchanges
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import Calendars
from forecaster.market.providers.base import Quotes
from forecaster.market.store import Store, journal
from forecaster.market.store.risk_journal import RiskEntry, risks
from forecaster.market.watchlist import BatchSources
from forecaster.model.settings import Settings

FRIDAY = np.datetime64("2026-03-06")
LISTED = ("ABC", "DEF", "XYZ")
WORDS = ["ABC=10", "HELD=5", "CASH=100"]


def history(ticker: str, bars: int = 150) -> History:
    known = exchanges.schedule("XNYS", FRIDAY - 3 * bars, FRIDAY)
    made = garch_history(ticker, bars, seed=sum(map(ord, ticker)))
    return replace(made, sessions=known.sessions[-bars:], adjusted_close=made.close.copy())


MODEL = random_model(
    Settings(units=4, horizon=5, quantiles=(0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)),
    Panel(tuple(map(history, LISTED))), size=0.05,
)  # fmt: skip


class InCurrencies(FakeProvider):
    """A source that knows in which currency a ticker is."""

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        found = super().fetch(ticker, since)
        return replace(found, currency={"BAS": "EUR"}.get(ticker, "USD"))


@pytest.fixture
def source() -> FakeProvider:
    names = (*LISTED, "HELD", "BAS", "EURUSD=X")
    return InCurrencies({name: history(name) for name in names})


def run(source: FakeProvider, given: object = WORDS, *names: str, **options) -> BatchResult:
    options = {"now": evening(FRIDAY), "provider": lambda: source, **options}
    return batch(MODEL, BatchSources(names or LISTED, ()), risk=given, **options)


def journaled() -> list[RiskEntry]:
    with Store() as store, store.reading() as tx:
        assert not journal.verify(tx).broken
        return list(risks(tx))


def forecasts() -> list[journal.Entry]:
    with Store() as store, store.reading() as tx:
        return list(journal.entries(tx))


class TestTheRow:
    def test_is_what_risk_says_with_the_market_of_the_watchlist(self, source):
        done = run(source)
        (entry,) = journaled()
        calendars = Calendars({"XNYS": exchanges.schedule("XNYS", FRIDAY - 300, FRIDAY + 60)})
        seen = [replace(history(name), calendar="XNYS") for name in (*LISTED, "HELD")]
        alone = risk(MODEL, holdings_of_words(WORDS), seen, market=seen[:3], calendars=calendars)
        assert entry.record.value == pytest.approx(alone.portfolio.value)
        assert [step.step for step in entry.record.steps] == [1, 5]
        for step, other in zip(entry.record.steps, alone.steps, strict=True):
            assert (step.session, step.session_estimated) == (other.session.item(), False)
            for level, theirs in zip(step.levels, other.levels, strict=True):
                value = alone.portfolio.value
                assert level.var == pytest.approx(theirs.value_at_risk / value, rel=1e-5)
                assert level.es == pytest.approx(theirs.shortfall / value, rel=1e-5)
        assert entry.record == done.risk.record
        assert (entry.author.run, entry.record.currency) == (done.run, "USD")
        assert [p.ticker for p in entry.record.positions] == ["ABC", "HELD", "CASH"]
        assert done.head == entry.hash
        assert (done.written, done.journal_rows, done.risk.written) == (3, 4, True)

    def test_what_is_held_alone_changes_no_forecast(self, source, monkeypatch, tmp_path):
        without = run(source, None)
        assert without.risk is None
        monkeypatch.setenv("FORECASTER_HOME", str(tmp_path / "other"))
        source.asked.clear()
        with_risk = run(source)
        assert [f.fingerprint for f in with_risk.forecasts] == [
            f.fingerprint for f in without.forecasts
        ]
        assert [name for name, _ in source.asked] == [*LISTED, "HELD"]
        assert (with_risk.tickers, with_risk.failures) == (3, ())

    def test_twice_on_one_evening_changes_nothing(self, source):
        run(source)
        asked = len(source.asked)
        again = run(source, now=evening(FRIDAY) + timedelta(minutes=5))
        assert (again.written, again.risk.written, again.risk.failure) == (0, False, None)
        assert len(source.asked) == asked
        assert len(journaled()) == 1

    def test_the_next_session_is_new(self, source):
        whole = dict(source.truth)
        source.truth = {name: made.slice(0, 149) for name, made in whole.items()}
        run(source, now=evening(FRIDAY - 1))
        source.truth = whole
        assert run(source).risk.written
        assert [e.record.cutoff for e in journaled()] == [FRIDAY - 1, FRIDAY]

    def test_other_holdings_supersede_those_of_a_file(self, source, tmp_path):
        path = tmp_path / "mine.csv"
        for shares in (10, 10, 20):
            path.write_text(f"ticker,shares\nABC,{shares}\n")
            run(source, [str(path)])
        assert [e.record.positions[0].amount for e in journaled()] == [10, 20]
        assert {e.record.source for e in journaled()} == {str(path)}

    def test_a_currency_s_pair_is_fetched_and_written_down(self, source):
        done = run(source, ["ABC=1", "BAS=10"])
        assert done.risk.failure is None
        (entry,) = journaled()
        position = entry.record.positions[1]
        assert (position.pair, position.inverse) == ("EURUSD=X", False)
        worth = 10 * source.truth["BAS"].close[-1] * source.truth["EURUSD=X"].close[-1]
        assert position.value == pytest.approx(worth)
        assert "EURUSD=X" in [seen.ticker for seen in entry.record.histories]

    def test_weights_have_no_money(self, source):
        weights = Holdings((Position("ABC", 0.6, "weight"), Position("DEF", 0.4, "weight")))
        done = run(source, weights)
        (entry,) = journaled()
        assert (entry.record.value, entry.record.are_weights) == (1.0, True)
        assert (done.risk.name, entry.record.source) == ("holdings", None)

    def test_a_holding_from_a_file_names_it(self, source, tmp_path):
        path = tmp_path / "OWN.csv"
        made = history("OWN")
        lines = [f"{d},{c}" for d, c in zip(made.sessions, made.close, strict=True)]
        path.write_text("Date,Close\n" + "\n".join(lines))
        work = BatchSources(("ABC",), (str(path),))
        done = batch(
            MODEL, work, risk=["OWN=3", "ABC=1"], now=evening(FRIDAY), provider=lambda: source
        )
        assert done.risk.failure is None
        (entry,) = journaled()
        assert {seen.ticker: seen.source for seen in entry.record.histories} == {
            "OWN": str(path), "ABC": None,
        }  # fmt: skip

    def test_a_long_list_of_words_has_a_name_that_can_be_kept(self, source):
        for name in "ABCDEFGHIJKLMNOP":
            source.truth[f"{name}X{'Y' * 16}"] = history(f"{name}X")
        words = [f"{name}X{'Y' * 16}=1.0000000000000000" for name in "ABCDEFGHIJKLMNOP"]
        assert run(source, words).risk.failure is None
        assert len(journaled()[0].record.source) < 520


class TestFailures:
    """Whatever is wrong with holdings costs no forecast."""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["gone.csv"], "gone.csv cannot be read"),
            (["NOSUCH=1"], "nobody knows NOSUCH"),
            (["ABC=1", "NOSUCH=1"], "nobody knows NOSUCH"),
            (["ABC=-1"], "more than 0 is needed"),
            (["ABC=1", "ABC=2"], "held twice"),
            (["ABC=1", "abc=2"], "have one history"),
            (["CASH=1"], "all cash"),
            (["ABC=x"], "is no amount"),
            (["ABC=1", "prices.csv"], "prices.csv comes after the holdings"),
            ([], "no holdings were given"),
            (["ABC=1", "BRK/B=1"], "BRK-B"),
        ],
    )
    def test_are_named_after_the_forecasts(self, source, words, said):
        done = run(source, words)
        assert said in str(done.risk.failure.error)
        assert f"no risk of {' '.join(words)}" in str(done.risk.failure.error)
        assert (done.written, len(done.forecasts), done.failures) == (3, 3, ())
        assert done.problems == (done.risk.failure,)
        assert (done.risk.written, done.risk.record, journaled()) == (False, None, [])
        assert done.head == forecasts()[-1].hash

    def test_a_currency_without_a_pair(self, source):
        del source.truth["EURUSD=X"]
        done = run(source, ["ABC=1", "BAS=1"])
        assert isinstance(done.risk.failure.error, UnknownTicker)
        assert "EURUSD=X" in str(done.risk.failure.error)
        assert done.written == 3

    def test_a_holding_whose_last_bar_is_old(self, source):
        source.truth["HELD"] = history("HELD").slice(0, 130)
        done = run(source)
        assert isinstance(done.risk.failure.error, StaleBars)
        assert done.written == 3
        assert run(source, max_age=40).risk.failure is None

    def test_a_ticker_of_the_watchlist_that_failed_is_not_asked_for_again(self, source):
        del source.truth["DEF"]
        done = run(source, ["ABC=1", "DEF=1"])
        assert [name for name, _ in source.asked].count("DEF") == 1
        assert "nobody knows DEF" in str(done.risk.failure.error)
        assert [failure.name for failure in done.failures] == ["DEF"]

    def test_offline_and_not_stored(self, source):
        from forecaster.market.fetch_options import FetchOptions

        run(source, None)
        done = run(source, fetching=FetchOptions(offline=True))
        assert "nothing is stored of HELD" in str(done.risk.failure.error)

    def test_a_model_with_too_few_levels(self, source):
        few = random_model(Settings(units=4, horizon=2, quantiles=(0.5,)), Panel((history("A"),)))
        done = batch(
            few, BatchSources(("ABC",), ()), risk=["ABC=1"], now=evening(FRIDAY),
            provider=lambda: source,
        )  # fmt: skip
        assert isinstance(done.risk.failure.error, SettingsError)
        assert done.written == 1

    def test_a_batch_that_dies_over_it_keeps_the_forecasts(self, source, monkeypatch):
        def die(*_args, **_options):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("forecaster.jobs.nightly_risk.risk", die)
            with pytest.raises(KeyboardInterrupt):
                run(source)
        assert (len(forecasts()), journaled()) == (3, [])
        again = run(source, resume=True)
        assert (again.written, again.risk.written) == (0, True)

    def test_once_mended_the_same_evening_has_its_risk(self, source, tmp_path):
        path = tmp_path / "mine.csv"
        path.write_text("ticker,shares\nABC,ten\n")
        assert run(source, [str(path)]).risk.failure is not None
        path.write_text("ticker,shares\nABC,10\n")
        done = run(source, [str(path)])
        assert (done.written, done.risk.written, len(journaled())) == (0, True, 1)
