"""`--skip-unreadable`: one unreadable file of a folder stops no one who says so."""

import json
import shutil
from pathlib import Path

import pytest

from forecaster.jobs import compare
from forecaster.jobs.compare import contenders

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
TINY = ("--units", "2", "--epochs", "1", "--horizon", "2")
BACKTEST = (
    "--model", "sample", "--train-end", "2012-10-01", "--test-end", "2012-12-31",
    "--allow-overlap", "--baselines", "naive",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Two histories and two files that cannot be read."""
    prices = tmp_path / "prices"
    prices.mkdir()
    for name in ("FB.csv", "IBM.csv"):
        shutil.copy(SAMPLE / name, prices / name)
    (prices / "empty.csv").write_text("")
    (prices / "text.csv").write_text("Prices of two stocks.\nThey end in 2020.\n")
    return prices


def test_an_unreadable_file_is_refused_and_the_message_names_the_option(forecast, home, folder):
    run = forecast("backtest", folder, *BACKTEST)
    assert run.returncode == 4
    assert run.stdout == ""
    assert "empty.csv is empty" in run.stderr
    assert "text.csv" in run.stderr
    assert "To use the other 2 histories, add --skip-unreadable." in run.stderr


def test_the_rest_is_used_and_every_failure_is_told(forecast, home, folder):
    run = forecast("backtest", folder, *BACKTEST, "--skip-unreadable", "--format", "json")
    assert run.returncode == 3
    document = json.loads(run.stdout)
    assert document["tickers"] == ["FB", "IBM"]
    assert [error["code"] for error in document["errors"]] == ["data", "data"]
    assert "empty.csv is empty" in run.stderr
    assert run.stderr.count("text.csv") == 1
    assert "2 of 4 failed; the others are done." in run.stderr


def test_where_nothing_is_left_it_is_refused(forecast, home, folder):
    files = [folder / "empty.csv", folder / "text.csv"]
    run = forecast("backtest", *files, *BACKTEST, "--skip-unreadable")
    assert run.returncode == 4
    assert "--skip-unreadable" not in run.stderr


def test_readable_files_need_no_word(forecast, home, folder):
    run = forecast("backtest", folder / "FB.csv", *BACKTEST, "--skip-unreadable")
    assert run.returncode == 0
    assert (
        json.loads(forecast("backtest", folder / "FB.csv", *BACKTEST, "-f", "json").stdout)[
            "errors"
        ]
        == []
    )


@pytest.mark.network
@pytest.mark.parametrize("command", ["train", "compare"])
def test_train_and_compare_skip_too(forecast, home, folder, command, monkeypatch):
    monkeypatch.setattr(compare, "contenders", lambda *chosen: contenders(*chosen)[-1:])
    (folder / "IBM.csv").unlink()
    run = forecast(command, folder, *TINY, "--skip-unreadable", "--format", "json")
    assert run.returncode == 3, run.stderr
    assert len(json.loads(run.stdout)["errors"]) == 2
    assert "2 of 3 failed; the others are done." in run.stderr


@pytest.mark.parametrize("command", [("predict",), ("backtest", *BACKTEST)])
def test_of_many_tickers_of_one_file_the_first_few_failures_are_told(
    forecast, home, tmp_path, command
):
    names = [f"T{place}X" for place in range(30)]
    days = [f"2020-{month:02d}-01" for month in range(1, 13)]
    rows = [",".join([day, *("10.5",) * 30]) for day in days]
    path = tmp_path / "monthly.csv"
    path.write_text("\n".join([",".join(["Date", *names]), *rows]) + "\n")
    run = forecast(command[0], path, *command[1:])
    assert run.returncode == 4
    assert run.stderr.count("a month apart") == 7
    assert f"{path}: 23 more tickers failed." in run.stderr
