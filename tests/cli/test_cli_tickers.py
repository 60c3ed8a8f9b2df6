"""Tickers on the command line: the real client against a server on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import postgres
import pytest
from imports import loaded
from sqlalchemy import text
from waiting import wait_until
from yahoo_server import YahooServer

from forecaster.market.store import Store, bars


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[YahooServer]:
    monkeypatch.setenv("FORECASTER_DEADLINE", "8")  # time for one attempt, and none to wait again
    with YahooServer() as server:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", server.url)
        yield server


def stored(home: Path, ticker: str):
    with Store(f"sqlite:///{home}/prices.db") as store, store.reading() as tx:
        return bars.read(tx, ticker)


class TestFetch:
    def test_a_table_of_what_happened(self, apart, yahoo, home):
        done = apart("fetch", "AAPL", "BTC-USD")
        assert done.returncode == 0
        lines = done.stdout.split("\n")
        assert lines[1].split() == ["ticker", "outcome", "new", "bars", "from", "to"]
        assert lines[3].split() == ["AAPL", "new", "1,430", "1,430", "2019-01-02", "2024-06-28"]
        assert len(stored(home, "BTC-USD")) == 2005

    def test_again_asks_for_the_end_alone(self, forecast, yahoo):
        forecast("fetch", "MSFT")
        before = len(yahoo.charts("MSFT", probes=False))
        yahoo.change("MSFT", last="2024-07-03")
        done = forecast("fetch", "MSFT", "-f", "json")
        (row,) = json.loads(done.stdout)["tickers"]
        assert row == {
            "ticker": "MSFT", "outcome": "updated", "added": 3, "bars": 1433,
            "first": "2019-01-02", "cutoff": "2024-07-03",
        }  # fmt: skip
        (asked,) = yahoo.charts("MSFT", probes=False)[before:]
        since = np.datetime64(int(asked.params["period1"]), "s").astype("datetime64[D]")
        assert np.datetime64("2024-06-01") < since < np.datetime64("2024-06-12")

    def test_a_split_between_two_fetches(self, forecast, yahoo, home):
        forecast("fetch", "AAPL")
        before = stored(home, "AAPL")
        yahoo.change("AAPL", last="2024-07-03", splits={"2020-08-31": 4.0, "2024-07-02": 10.0})
        done = forecast("fetch", "AAPL")
        assert "AAPL: all bars were fetched again, because the close of 2024-06-" in done.stderr
        after = stored(home, "AAPL")
        np.testing.assert_allclose(after.close[:1430], before.close / 10.0, rtol=1e-5)
        assert [str(split.session) for split in after.splits] == ["2020-08-31", "2024-07-02"]

    def test_a_watchlist_and_words(self, forecast, yahoo, tmp_path):
        watchlist = tmp_path / "watch.txt"
        watchlist.write_text("MSFT # the other one\nNEWCO\n")
        done = forecast("fetch", "AAPL", "--from", watchlist, "-f", "csv")
        assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == [
            "AAPL",
            "MSFT",
            "NEWCO",
        ]

    @pytest.mark.parametrize("words", [["-"], ["--from", "-"]])
    def test_a_watchlist_from_a_pipe(self, apart, yahoo, words):
        done = apart("fetch", *words, "-f", "csv", stdin=b"NEWCO\n")
        assert done.stdout.splitlines()[1].startswith("NEWCO,new,5")

    def test_since_a_year_that_has_no_bars(self, forecast, yahoo, home):
        done = forecast("fetch", "AAPL", "--since", "0024-01-01")
        assert done.returncode == 2
        assert "--since is 0024-01-01; a date from 1600 to 2200 is needed" in done.stderr
        assert not yahoo.charts("AAPL")

    def test_since(self, forecast, yahoo, home):
        assert forecast("fetch", "AAPL", "--since", "2024-01-01").returncode == 0
        assert stored(home, "AAPL").first == np.datetime64("2024-01-02")

    def test_the_others_are_fetched_when_one_is_unknown(self, forecast, yahoo, home):
        done = forecast("fetch", "NEWCO", "NOSUCH", "BRK/B", "-f", "json")
        assert done.returncode == 3
        document = json.loads(done.stdout)
        assert [row["ticker"] for row in document["tickers"]] == ["NEWCO"]
        assert {e["ticker"]: e["code"] for e in document["errors"]} == {
            "NOSUCH": "unknown_ticker",
            "BRK/B": "unknown_ticker",
        }
        assert "Write BRK-B" in done.stderr
        assert "error: Yahoo knows no ticker NOSUCH" in done.stderr

    @pytest.mark.parametrize(("words", "code"), [([], 2), (["NOSUCH"], 4), (["BRK/B"], 4)])
    def test_exit_codes(self, forecast, yahoo, words, code):
        done = forecast("fetch", *words)
        assert done.returncode == code
        assert done.stdout == ""

    def test_a_rate_limit_stops_everything(self, forecast, yahoo):
        yahoo.fail("MSFT", "429")
        done = forecast("fetch", "AAPL", "MSFT", "NEWCO", "SPY")
        assert done.returncode == 3
        assert not yahoo.charts("NEWCO")
        assert not yahoo.charts("SPY")
        alone = forecast("fetch", "MSFT")
        assert alone.returncode == 5
        assert alone.stderr.count("error") == 1

    def test_prices_in_pence_stay_in_pence(self, forecast, yahoo, home):
        assert forecast("fetch", "VOD.L").returncode == 0
        assert stored(home, "VOD.L").currency == "GBp"

    def test_a_home_that_cannot_be_made(self, forecast, yahoo, home):
        home.write_text("a file")
        done = forecast("fetch", "AAPL")
        assert done.returncode == 2
        assert "FORECASTER_HOME" in done.stderr

    def test_an_address_that_is_not_on_this_machine(self, forecast):
        done = forecast("fetch", "AAPL", FORECASTER_YAHOO_URL="http://example.com")
        assert done.returncode == 2
        assert "only an address of this machine is accepted" in done.stderr

    def test_unknown_providers_and_calendars(self, forecast, yahoo):
        provider = forecast("fetch", "AAPL", "--provider", "bloomberg")
        assert provider.returncode == 2
        assert "yahoo or tiingo is needed" in provider.stderr
        calendar = forecast("fetch", "AAPL", "--calendar", "XNYX")
        assert calendar.returncode == 2
        assert "XNYS" in calendar.stderr


class TestPredict:
    def test_a_ticker_with_the_sessions_of_its_exchange(self, apart, yahoo, model):
        yahoo.change("AAPL", last="2024-07-02")
        done = apart("predict", "AAPL", "-f", "json")
        assert done.returncode == 0
        (made,) = json.loads(done.stdout)["forecasts"]
        assert made["currency"] == "USD"
        steps = [(step["session"], step["session_estimated"]) for step in made["steps"]]
        assert steps == [("2024-07-03", False), ("2024-07-05", False), ("2024-07-08", False)]

    def test_before_a_split_prices_are_as_they_were_traded(self, forecast, yahoo, model):
        forecast("fetch", "AAPL")
        done = forecast("predict", "AAPL", "--as-of", "2020-08-28", "-f", "json")
        (made,) = json.loads(done.stdout)["forecasts"]
        after = forecast("predict", "AAPL", "--as-of", "2020-08-31", "-f", "json")
        (later,) = json.loads(after.stdout)["forecasts"]
        assert 3.5 < made["last_close"] / later["last_close"] < 4.5

    def test_when_the_source_is_down_stored_bars_do(self, forecast, yahoo, model, home):
        forecast("fetch", "AAPL")
        yahoo.fail("*", "500")
        age(home)
        done = forecast("predict", "AAPL", "-f", "json")
        assert done.returncode == 0
        assert json.loads(done.stdout)["forecasts"][0]["cutoff"] == "2024-06-28"
        assert "Meanwhile stored bars to 2024-06-28 are used" in done.stderr

    def test_when_it_is_down_and_nothing_is_stored(self, forecast, yahoo, model):
        yahoo.fail("*", "500")
        done = forecast("predict", "AAPL")
        assert done.returncode == 5
        assert done.stdout == ""
        assert "Traceback" not in done.stderr

    def test_offline_asks_nobody(self, forecast, yahoo, model):
        forecast("fetch", "AAPL")
        asked = len(yahoo.requests)
        done = forecast("predict", "AAPL", "MSFT", "--offline", "-f", "json")
        assert done.returncode == 3
        assert len(yahoo.requests) == asked
        assert json.loads(done.stdout)["errors"][0]["code"] == "source"

    def test_a_file_and_a_ticker_together(self, forecast, yahoo, model, prices):
        done = forecast("predict", "NEWCO", prices, "-f", "json")
        assert [f["ticker"] for f in json.loads(done.stdout)["forecasts"]] == ["ABC", "NEWCO"]

    def test_a_ticker_that_a_file_has_too(self, forecast, yahoo, model, prices):
        done = forecast("predict", "NEWCO", prices, "--ticker", "NEWCO", "-f", "json")
        assert done.returncode == 3
        assert "NEWCO comes from a file and again from the store" in done.stderr

    def test_a_folder_that_is_not_there_is_no_ticker_either(self, forecast, yahoo, model):
        done = forecast("predict", "pricez")
        assert done.returncode == 4
        assert "There is no file or folder pricez here either" in done.stderr

    def test_a_calendar_for_a_file(self, forecast, model, prices):
        done = forecast("predict", prices, "--calendar", "24/7", "-f", "json")
        steps = json.loads(done.stdout)["forecasts"][0]["steps"]
        assert [step["session"] for step in steps] == ["2024-01-12", "2024-01-13", "2024-01-14"]
        assert not any(step["session_estimated"] for step in steps)

    def test_from_the_store_it_loads_nothing_heavy(self, forecast, yahoo, model):
        forecast("fetch", "AAPL")
        forecast("predict", "AAPL")
        assert loaded(["predict", "AAPL"]) == []
        heavy = ["yfinance", "curl_cffi", "requests", "stamina", "exchange_calendars"]
        assert loaded(["predict", "AAPL"], heavy) == []

    def test_on_postgresql_too(self, forecast, yahoo, model, postgres_url):
        assert forecast("fetch", "AAPL", FORECASTER_STORE=postgres_url).returncode == 0
        done = forecast("predict", "AAPL", "--offline", FORECASTER_STORE=postgres_url)
        assert done.returncode == 0
        assert "AAPL" in done.stdout

    @pytest.mark.parametrize("is_copy", [False, True])
    def test_what_is_due_on_a_server_that_only_reads(
        self, forecast, yahoo, model, postgres_url, is_copy
    ):
        forecast("fetch", "AAPL", FORECASTER_STORE=postgres_url)
        with Store(postgres_url) as store, store.writing() as tx:
            tx.execute(text("UPDATE histories SET answered = answered - 86400"))
        with postgres.reader(postgres_url, is_copy=is_copy) as address:
            done = forecast("predict", "AAPL", FORECASTER_STORE=address)
            refused = forecast("fetch", "AAPL", FORECASTER_STORE=address)
        assert done.returncode == 0
        assert "Meanwhile stored bars to 2024-06-28 are used" in " ".join(done.stderr.split())
        assert refused.returncode == 2
        assert "cannot be written with this user" in " ".join(refused.stderr.split())


def age(home: Path) -> None:
    """Make the last answer an old one, so that the next command asks again."""
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text("UPDATE histories SET answered = answered - 86400"))


class TestInterruptions:
    @pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_signals_end_a_fetch_that_stalls(self, start, yahoo, home, sent, code):
        yahoo.fail("MSFT", "stall")
        process = start("fetch", "NEWCO", "MSFT")
        wait_until(lambda: yahoo.charts("MSFT"))
        process.send_signal(sent)
        began = time.monotonic()
        assert process.wait(20) == code
        assert time.monotonic() - began < 10
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
        assert len(stored(home, "NEWCO")) == 5
        assert stored(home, "MSFT") is None


@pytest.mark.parametrize("command", ["predict", "plot"])
def test_a_horizon_that_the_model_lacks_is_refused_before_anything_is_asked(
    forecast, yahoo, model, command
):
    done = forecast(command, "AAPL", "--horizon", "99")
    assert done.returncode == 2
    assert "--horizon is 99; model blank was trained for 1 to" in done.stderr
    assert yahoo.charts("AAPL") == []


@pytest.mark.processes
def test_eight_processes_at_once(start, yahoo, home, model, monkeypatch):
    """Half fetch and half predict the same tickers; nobody hears of locks, nothing is lost."""
    monkeypatch.setenv("FORECASTER_DEADLINE", "60")  # eight at once may be slow
    names = ["AAPL", "MSFT", "SPY", "BRK-B", "NEWCO"]
    running = []
    for number in range(8):
        words = ["fetch", *names] if number % 2 else ["predict", *names, "-f", "csv"]
        running.append(start(*words, stdout=subprocess.PIPE, text=True))
    outputs = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 8, outputs
    assert not any("lock" in err.lower() for _, err in outputs)
    lines = {out for out, _ in outputs[::2]}
    assert len(lines) == 1
    for name in names:
        assert len(stored(home, name)) == (5 if name == "NEWCO" else 1430)
