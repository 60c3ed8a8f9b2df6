"""`--currency`: what a file does not say about its prices."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import forecaster

FB = Path(__file__).resolve().parents[2] / "sample_data/FB.csv"
DAYS = [f"2024-01-{day:02d}" for day in range(2, 28)]
MODEL = ("--model", "sample")


@pytest.fixture
def said(tmp_path):
    """A file that names its currency."""
    path = tmp_path / "SAP.csv"
    rows = "".join(f"{day},{100 + n},USD\n" for n, day in enumerate(DAYS))
    path.write_text(f"Date,Close,Currency\n{rows}")
    return path


def currency_of(run):
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["forecasts"][0]["currency"]


def test_it_is_that_of_prices_whose_file_names_none(forecast):
    assert currency_of(forecast("predict", FB, *MODEL, "-f", "json")) is None
    given = ("--currency", "EUR")
    assert currency_of(forecast("predict", FB, *MODEL, "-f", "json", *given)) == "EUR"
    shown = forecast("predict", FB, *MODEL, *given).stdout
    assert "FB  27.78 EUR on" in shown
    assert "28.7 EUR, one time in ten" in shown
    assert shown.split(" session ")[1].split("─")[0].split()[-6:] == ["EUR"] * 6


def test_it_is_a_setting_of_all_commands(forecast, home):
    run = forecast("predict", FB, *MODEL, "-f", "json", FORECASTER_CURRENCY="EUR")
    assert currency_of(run) == "EUR"
    home.mkdir(exist_ok=True)
    (home / "forecaster.toml").write_text('currency = "CHF"\n')
    assert currency_of(forecast("predict", FB, *MODEL, "-f", "json")) == "CHF"


def test_a_file_that_names_its_own_keeps_it_with_a_note(forecast, said):
    run = forecast("predict", said, *MODEL, "-f", "json", "--currency", "EUR")
    assert currency_of(run) == "USD"
    assert "are in USD by the file, and not in EUR" in run.stderr
    run = forecast("predict", said, *MODEL, "-f", "json", "--currency", "USD")
    assert (currency_of(run), "by the file" in run.stderr) == ("USD", False)


def test_a_file_of_several_is_of_none_whatever_is_given(forecast, said):
    said.write_text(said.read_text().replace(f"{DAYS[-1]},125,USD", f"{DAYS[-1]},125,CHF"))
    run = forecast("predict", said, *MODEL, "-f", "json", "--currency", "EUR")
    assert currency_of(run) is None
    assert "are in CHF and USD by the file, and not in EUR" in run.stderr


def test_each_ticker_of_a_file_has_its_own(forecast, tmp_path):
    path = tmp_path / "long.csv"
    rows = "".join(f"{d},A,{9 + n},GBP\n{d},B,{9 + n},\n" for n, d in enumerate(DAYS))
    path.write_text(f"date,ticker,close,currency\n{rows}")
    run = forecast("predict", path, *MODEL, "-f", "json", "--currency", "EUR")
    made = {one["ticker"]: one["currency"] for one in json.loads(run.stdout)["forecasts"]}
    assert made == {"A": "GBP", "B": "EUR"}


def test_the_store_keeps_it(forecast, home):
    assert forecast("data", "import", FB, "--currency", "GBp").returncode == 0
    listed = json.loads(forecast("data", "list", "-f", "json").stdout)["tickers"]
    assert [row["currency"] for row in listed] == ["GBp"]


def test_every_command_that_reads_files_has_it(program):
    for name in ("train", "predict", "plot", "backtest", "compare", "report", "batch", "explain"):
        assert "--currency" in {o for p in program.commands[name].params for o in p.opts}, name


@pytest.mark.parametrize(
    ("code", "advice"), [("eur", "--currency EUR"), ("euro", "--currency EUR"), ("", "EUR")]
)
def test_what_is_no_code_is_refused(forecast, code, advice):
    run = forecast("predict", FB, *MODEL, "--currency", code)
    assert run.returncode == 2
    assert f'--currency is "{code}"; a code of three letters is needed' in run.stderr
    assert run.stderr.rstrip().endswith(advice)


def test_python_takes_it(said):
    panel = forecaster.read([str(FB)], currency="EUR")
    assert [history.currency for history in panel] == ["EUR"]
    with pytest.warns(forecaster.ForecastWarning, match="by the file, and not in EUR"):
        assert forecaster.read(str(said), currency="EUR").histories[0].currency == "USD"


def test_a_frame_s_ticker_stands_once_before_its_note(said):
    with pytest.warns(forecaster.ForecastWarning) as caught:
        forecaster.read({"X": pd.read_csv(said)}, currency="EUR")
    (text,) = (str(w.message) for w in caught if "by the file" in str(w.message))
    assert text == "X: closes of X are in USD by the file, and not in EUR."
