"""The market state from outside: what made it is said, and can be chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
FB, IBM = SAMPLE / "FB.csv", SAMPLE / "IBM.csv"


def forecast_of(run, ticker):
    assert run.returncode in {0, 3}, run.stderr
    (found,) = [f for f in json.loads(run.stdout)["forecasts"] if f["ticker"] == ticker]
    return found


def test_a_table_says_what_made_the_market_state(forecast, home):
    alone = forecast("predict", FB, "-m", "sample", "--horizon", "1")
    assert "Forecast alone.\n" in alone.stdout
    together = forecast("predict", SAMPLE, "-m", "sample", "--horizon", "1")
    assert "Forecast with the market state of 5 tickers, where bars of one date" in together.stdout
    assert "market_tickers" in forecast("predict", FB, "-m", "sample", "-f", "csv").stdout


def test_so_do_tables_of_several_tickers(forecast, home):
    said = "Forecast with the market state of 5 tickers, where bars of one date"
    risk = ("risk", "FB=1", "-m", "sample", "--horizon", "1", "--draws", "1000")
    assert said in forecast(*risk, SAMPLE).stdout
    assert said in forecast(*risk, FB, "--market", SAMPLE).stdout
    assert "market state" not in forecast(*risk, FB).stdout
    assert said in forecast("rank", SAMPLE, "-m", "sample", "--groups", "2").stdout


def test_a_market_set_takes_the_neighbours_out_of_a_forecast(forecast, home):
    as_json = ("-m", "sample", "--market", SAMPLE, "-f", "json")
    alone = forecast_of(forecast("predict", FB, *as_json), "FB")
    assert alone["market_tickers"] == 5
    assert forecast_of(forecast("predict", IBM, FB, *as_json), "FB") == alone
    assert forecast_of(forecast("predict", FB, "nowhere.csv", *as_json), "FB") == alone
    without = forecast_of(forecast("predict", FB, "-m", "sample", "-f", "json"), "FB")
    assert without["market_tickers"] == 0
    assert without["steps"] != alone["steps"]


def test_a_market_set_that_makes_no_state_is_named(forecast, home):
    run = forecast("predict", FB, IBM, "-m", "sample", "--market", IBM, "-f", "json")
    assert forecast_of(run, "FB")["market_tickers"] == 0
    assert "FB: it and 1 more were forecast as without --market: a market state needs" in run.stderr


def test_several_files_may_stand_between_commas(forecast, home, tmp_path):
    (tmp_path / "list.txt").write_text("MSFT\n")
    files = f"{IBM}, {SAMPLE / 'AAPL.csv'},{SAMPLE / 'GOOG.csv'}"
    run = forecast("predict", FB, "-m", "sample", "--market", files, "-f", "json")
    assert forecast_of(run, "FB")["market_tickers"] == 3
    mixed = f"{IBM},AAPL,{tmp_path / 'list.txt'}"
    none = forecast("predict", FB, "-m", "sample", "--offline", "--market", mixed)
    assert "nothing is stored of AAPL" in none.stderr
    assert "nothing is stored of MSFT" in none.stderr
    one = tmp_path / "a,b.csv"
    one.write_bytes(IBM.read_bytes())
    named = forecast("predict", FB, "-m", "sample", "--market", f"{files},{FB}", "--market", one)
    assert "with the market state of 5 tickers" in named.stdout


def test_no_output_is_a_file_of_a_market_set(forecast, home, tmp_path):
    kept = tmp_path / "x.csv"
    kept.write_bytes(IBM.read_bytes())
    run = forecast("predict", FB, "-m", "sample", "--market", f"{FB},{kept}", "-o", kept)
    assert (run.returncode, kept.read_bytes()) == (2, IBM.read_bytes())
    assert "an output needs a file of its own" in run.stderr


def test_a_market_set_that_fails_in_part_is_named(forecast, home, tmp_path):
    (tmp_path / "bad.csv").write_text("Date,Close\nnever,1\n")
    run = forecast(
        "predict", FB, "-m", "sample", "--market", SAMPLE, "--market", tmp_path / "bad.csv"
    )
    assert run.returncode == 0
    assert "bad.csv: not part of the market state" in run.stderr


@pytest.mark.parametrize(
    ("market", "code", "said"),
    [
        ("nowhere.csv", 4, "nowhere.csv cannot be read"),
        ("", 2, "--market names no ticker"),
        (",", 2, "--market names no ticker"),
        ("x/" * 3000 + ",AAPL", 2, "File name too long"),
    ],
)
def test_a_market_set_that_fails_whole_is_an_error(forecast, home, market, code, said):
    run = forecast("predict", FB, "-m", "sample", "--market", market)
    assert (run.returncode, run.stdout) == (code, "")
    assert said in run.stderr


def test_another_market_than_the_one_of_the_training_is_said(forecast, home, tmp_path):
    from dataclasses import replace

    from forecaster.model.artifact import load, save
    from forecaster.model.registry import BOXED

    boxed = load(BOXED)
    card = boxed.card.model_copy(update={"market": ("AAPL", "FB")})
    save(replace(boxed, name="with", card=card), home / "models" / "with.forecast")
    run = forecast("predict", FB, "-m", "with")
    assert "trained with the market state of AAPL,FB; this one is of other tickers" in run.stderr
    same = forecast("predict", FB, "-m", "with", "--market", SAMPLE / "AAPL.csv", "--market", FB)
    assert "trained with" not in same.stderr
    watchlist = tmp_path / "list.txt"
    watchlist.write_text(str(FB))
    night = forecast("batch", watchlist, "-m", "with")
    assert "trained with the market state of AAPL,FB; this one is of other tickers" in night.stderr


def test_a_picture_is_drawn_with_a_market_set(forecast, home):
    plain, other = (
        forecast("plot", FB, "-m", "sample", "--horizon", "3", *more)
        for more in ((), ("--market", SAMPLE))
    )
    assert plain.returncode == other.returncode == 0
    assert plain.stdout != other.stdout


def test_settings_may_name_the_market_set(forecast, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("forecaster.toml").write_text(f'[predict]\nmarket = ["{SAMPLE}"]\n')
    run = forecast("predict", FB, "-m", "sample", "-f", "json")
    assert forecast_of(run, "FB")["market_tickers"] == 5


@pytest.mark.network
def test_a_model_keeps_the_set_that_it_was_trained_with(forecast, home, tmp_path):
    file = tmp_path / "m.forecast"
    trained = forecast(
        "train", FB, "--market", SAMPLE, "--model-file", file, "--epochs", "1", "--units", "2",
        "--horizon", "2",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    from forecaster.model.artifact import load

    model = load(file)
    assert model.card.market == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert model.representation.market_state
    scored = forecast(
        "backtest", FB, "--model", file, "--market", SAMPLE, "--train-end", "2012-12-03",
        "--allow-overlap", "--baselines", "naive", "-f", "json",
    )  # fmt: skip
    alone = forecast(
        "backtest", FB, "--model", file, "--train-end", "2012-12-03", "--allow-overlap",
        "--baselines", "naive", "-f", "json",
    )  # fmt: skip
    scores = [json.loads(run.stdout)["rows"][0]["pinball"] for run in (scored, alone)]
    assert scores[0] != scores[1]
