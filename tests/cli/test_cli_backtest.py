"""`forecast backtest` and `forecast compare` from outside."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from forecaster.jobs import compare
from forecaster.jobs.compare import contenders

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
FAST = ("--stride", "20", "--horizon", "3", "--baselines", "naive,ewma,garch")


def test_a_saved_model_is_scored_and_json_follows_the_contract(apart):
    run = apart(
        "backtest", SAMPLE, "--model", "sample", "--train-end", "2011-12-30", "--allow-overlap",
        "--stride", "20", "--baselines", "naive,ewma,garch,har", "--format", "json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert document["schema"] == "backtest/1"
    assert document["train_end"] == "2011-12-30"
    assert document["tickers"] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert [r["model"] for r in document["rows"]][:5] == ["sample", "naive", "ewma", "garch", "har"]
    row = document["rows"][0]
    assert set(row["skill"]) == {"naive", "ewma", "garch", "har"}
    assert set(row["coverage"]) == {"0.5", "0.8", "0.9"}
    assert row["tickers_won"]["garch"][1] == 5
    assert {v["baseline"] for v in document["verdict"]} == {"naive", "ewma", "garch", "har"}
    assert {v["step"] for v in document["verdict"]} == {1, 20}
    assert any("FB" in note and "garch" in note for note in document["notes"])
    assert "garch was not fitted to FB" in run.stderr


def test_an_overlap_is_refused_with_exit_code_2(forecast):
    run = forecast("backtest", SAMPLE, "--model", "sample", "--train-end", "2011-12-30")
    assert run.returncode == 2
    assert "--allow-overlap" in run.stderr


def test_a_test_after_the_data_is_exit_code_4(forecast):
    run = forecast("backtest", SAMPLE, "--model", "sample")
    assert run.returncode == 4
    assert "--train-end" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--baselines", "naive,arima"], "'arima'"),
        (["--cells", "gru,transformer"], "'transformer'"),
        (["--require", "wins:naive"], "beats:BASELINE"),
        (["--require", "beats:har", "--baselines", "naive"], "--require"),
        (["--folds", "0"], "--folds is 0"),
        (["--model", "sample", "--seeds", "3"], "--seeds"),
        (["--model", "sample", "--horizon", "1"], "--model was given with --horizon;"),
        (["--model", "sample", "--units", "7", "--cells", "lstm"], "with --units, --cells;"),
        (["--test-end", "soon"], "--test-end"),
    ],
)
def test_wrong_options_are_exit_code_2(forecast, arguments, said):
    run = forecast("backtest", SAMPLE, *arguments)
    assert run.returncode == 2
    assert said in run.stderr


def test_a_verdict_that_does_not_hold_is_exit_code_9_after_the_result(forecast):
    base = (
        "backtest", SAMPLE / "FB.csv", "--model", "sample", "--train-end", "2012-10-01",
        "--allow-overlap", "--baselines", "naive,ewma", "--format", "csv",
    )  # fmt: skip
    run = forecast(*base, "--require", "beats:ewma")
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert rows[0]["model"] == "sample"
    assert run.returncode == 9
    assert "--require" in run.stderr
    assert forecast(*base).returncode == 0


@pytest.mark.network
def test_networks_are_trained_and_scored_in_a_table(forecast):
    run = forecast(
        "backtest", SAMPLE / "IBM.csv", SAMPLE / "MSFT.csv", "--train-end", "2010-12-31",
        "--cells", "rnn", "--units", "3", "--epochs", "1", *FAST,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for needed in ("Cutoffs    2010-12-31", "vs garch", "value at risk", "lower loss than garch"):
        assert needed in run.stdout
    assert "rnn" in run.stdout


@pytest.mark.network
def test_compare_prints_every_network(forecast, monkeypatch):
    monkeypatch.setattr(compare, "contenders", lambda *chosen: contenders(*chosen)[-2:])
    run = forecast("compare", SAMPLE / "FB.csv", "--units", "2", "--epochs", "1", "-f", "csv")
    assert run.returncode == 0, run.stderr
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert [r["network"] for r in rows] == ["feed-forward", "gru minmax"]
    assert all(float(r["h1_pinball"]) > 0 for r in rows)
