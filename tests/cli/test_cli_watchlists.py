"""A list of tickers is a source of every command that takes sources."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from yahoo_server import YahooServer

READERS = {
    "predict": ["-f", "csv"],
    "plot": [],
    "backtest": ["--model", "sample", "--baselines", "naive", "--train-end", "2023-12-29"],
}


@pytest.fixture(autouse=True)
def source(monkeypatch):
    """A stand-in for Yahoo."""
    with YahooServer() as server:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", server.url)
        monkeypatch.setenv("FORECASTER_DEADLINE", "30")
        yield server


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A folder with a list of two tickers."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "watchlist.txt"
    path.write_text("AAPL\nMSFT  # the other one\n")
    return path


@pytest.mark.parametrize("command", READERS)
def test_a_list_stands_for_its_tickers(forecast, listed, command):
    words = READERS[command]
    done = forecast(command, "watchlist.txt", *words)
    assert done.returncode == 0, done.stderr
    other = forecast(command, "AAPL", "MSFT", *words)
    assert untimed(done.stdout) == untimed(other.stdout)


def untimed(text: str) -> str:
    """What a command says but for the seconds that models took."""
    return re.sub(r"(?<=[a-z] )\d+\.\d(?=[,\n. ])", "#", text)


def test_a_list_may_stand_beside_other_sources(forecast, listed, prices):
    done = forecast("predict", "watchlist.txt", prices, "BTC-USD", "--horizon", "1", "-f", "json")
    tickers = {f["ticker"] for f in json.loads(done.stdout)["forecasts"]}
    assert tickers == {"ABC", "AAPL", "MSFT", "BTC-USD"}


def test_a_ticker_in_two_lists_is_forecast_once(forecast, listed):
    done = forecast("predict", "watchlist.txt", "AAPL", "--horizon", "1", "-f", "csv")
    assert len(list(csv.DictReader(io.StringIO(done.stdout)))) == 2


def test_one_history_is_wanted_where_it_is(forecast, listed):
    done = forecast("explain", "watchlist.txt")
    assert (done.returncode, "explain looks into one" in done.stderr) == (2, True)
    listed.write_text("AAPL\n")
    assert forecast("explain", "watchlist.txt", "--last", "2").returncode == 0


def test_a_list_that_goes_on_as_none_fails_and_the_others_are_done(forecast, listed, prices):
    listed.write_text("AAPL\nMSFT\nGOOG; the third\n")
    done = forecast("predict", prices, "watchlist.txt", "--horizon", "1", "-f", "json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [f["ticker"] for f in document["forecasts"]] == ["ABC"]
    assert "is no single ticker" in document["errors"][0]["message"]


def test_a_list_may_come_from_a_pipe(apart, listed):
    done = apart("predict", "-", "--horizon", "1", "-f", "csv", stdin=b"AAPL\nMSFT\n")
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ["AAPL", "MSFT"]


def test_fetch_takes_lists_and_refuses_prices(forecast, listed, prices):
    done = forecast("fetch", "watchlist.txt", "BTC-USD", "-f", "csv")
    assert done.returncode == 0, done.stderr
    assert {row["ticker"] for row in csv.DictReader(io.StringIO(done.stdout))} == {
        "AAPL", "MSFT", "BTC-USD",
    }  # fmt: skip
    done = forecast("fetch", prices)
    assert (done.returncode, f"forecast data import {prices}" in done.stderr) == (2, True)


def test_python_reads_lists_too(listed):
    import forecaster

    assert forecaster.read("watchlist.txt").tickers == ("AAPL", "MSFT")
