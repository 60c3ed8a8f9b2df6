"""Options that do nothing beside the others: refused if they were typed, fine if they are set."""

from __future__ import annotations

from pathlib import Path

import pytest

FB = Path(__file__).resolve().parents[2] / "sample_data" / "FB.csv"
PAST = ["--train-end", "2012-10-01", "--allow-overlap"]
IDLE = [
    (["train", "P", "--windows", "vary"], "--windows", "Add --supervise last"),
    (["tune", "P", "--windows", "vary"], "--windows", "Add --supervise last"),
    (["backtest", "P", "--windows", "vary"], "--windows", "Add --supervise last"),
    (["train", "P", "--name", "a", "--model-file", "b.forecast"], "--name", "Leave --model-file"),
    (["train", "P", "--workers", "2"], "--workers", "Add --per-ticker"),
    (["train", "P", "--cluster", "tcp://h:1"], "--cluster", "Add --per-ticker"),
    (["backtest", "P", "--allow-overlap"], "--allow-overlap", "Add --model NAME"),
    (["score", "--decimal", ","], "--decimal", "Name them"),
    (["score", "--currency", "EUR"], "--currency", "Name them"),
    (["export", "blank", "--decimal", ","], "--decimal", "Add --example FILE"),
    (["export", "blank", "--calendar", "XNYS"], "--calendar", "Add --example FILE"),
    (["predict", "AAPL", "MSFT", "--currency", "EUR"], "--currency", "Give a price file"),
    (["predict", "L", "--currency", "EUR"], "--currency", "is no price file or folder here"),
    (["batch", "L", "--currency", "EUR"], "--currency", "Give a price file"),
    (
        ["risk", "AAPL=1", "MSFT=1", "CASH=9", "--currency", "EUR"],
        "--currency",
        "AAPL and MSFT are",
    ),
    (["risk", "AAPL=1", "L", "--decimal", ","], "--decimal", "Give a price file"),
    (["explain", "AAPL", "--decimal", ","], "--decimal", "Give a price file"),
    (
        ["train", "pricse", "--date-format", "%Y"],
        "--date-format",
        "pricse is no price file or folder",
    ),
    (["gradients", "P", "--cells", "gru", "--train", "2"], "--train", "Add one to --cells gru"),
    (["batch", "P", "--quiet", "--format", "csv"], "--format", "Add --output FILE"),
    (["batch", "P", "--quiet", "--level", "80"], "--level", "Add --output FILE"),
    (["risk", "ABC=1", "P", "--test-end", "2012-10-01"], "--test-end", "Add --backtest"),
    (["rank", "P", "--allow-overlap"], "--allow-overlap", "Add --backtest"),
    (["risk", "ABC=1", "P", "--backtest", "--loss", "5%"], "--loss", "Leave --backtest out"),
]


@pytest.mark.parametrize(("words", "option", "remedy"), IDLE)
def test_an_option_that_would_do_nothing_is_refused(
    forecast, model, prices, tmp_path, words, option, remedy
):
    named = {"P": prices, "L": tmp_path / "list.txt"}
    named["L"].write_text("AAPL\nMSFT\n")
    run = forecast(*(named.get(word, word) for word in words))
    assert run.returncode == 2
    assert f"error: {option} was given and" in run.stderr
    assert remedy in run.stderr
    assert f"or leave {option} out." in run.stderr


@pytest.mark.parametrize("words", [["P"], ["-"], ["AAPL", "--market", "P"]])
def test_an_option_of_price_files_has_a_use_where_one_is_read(forecast, model, words):
    run = forecast("predict", *(FB if word == "P" else word for word in words), "--decimal", ".")
    assert "--decimal was given" not in run.stderr


def test_so_it_has_beside_holdings(forecast, model):
    words = ("--decimal", ".", "-m", "sample", "--horizon", "1", "--draws", "1000")
    for prices in ([FB], ["--market", FB, "--offline"]):
        assert "--decimal was given" not in forecast("risk", "FB=1", *prices, *words).stderr


@pytest.mark.parametrize("option", ["--refit=fold", "--device=cpu", "--workers=2"])
def test_a_saved_model_is_not_trained(forecast, prices, option):
    run = forecast("backtest", prices, "--model", "sample", option)
    assert run.returncode == 2
    assert f"--model was given with {option.partition('=')[0]};" in run.stderr


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["batch", "P", "--quiet", "--max-age", "100000"], {"BATCH_LEVEL": "50"}),
        (["backtest", "P", *PAST, "--model", "sample"], {"BACKTEST_DEVICE": "cpu"}),
        (["risk", "FB=1", "P"], {"RISK_TEST_END": "2012-10-01", "RISK_ALLOW_OVERLAP": "1"}),
        (["risk", "FB=1", "P", "-m", "sample", "--backtest", *PAST], {"RISK_LOSS": "5%"}),
    ],
)
def test_it_may_be_set_for_other_runs(forecast, model, words, settings):
    said = {f"FORECASTER_{name}": value for name, value in settings.items()}
    run = forecast(*(FB if word == "P" else word for word in words), **said)
    assert run.returncode == 0, run.stderr


@pytest.mark.network
def test_windows_and_workers_may_be_set_for_other_networks(forecast, prices):
    said = {"FORECASTER_TRAIN_WINDOWS": "vary", "FORECASTER_TRAIN_WORKERS": "2"}
    small = ("--units", "2", "--epochs", "1", "--horizon", "1", "--no-refit")
    run = forecast("train", FB, *small, **said)
    assert run.returncode == 0, run.stderr
