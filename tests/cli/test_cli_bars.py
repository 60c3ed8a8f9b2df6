"""Bars that are not daily are refused by every command that reads files."""

import numpy as np
import pytest


@pytest.fixture
def weekly(tmp_path):
    path = tmp_path / "ABC.csv"
    days = [np.datetime64("2020-01-03") + 7 * week for week in range(60)]
    path.write_text(
        "Date,Close\n" + "".join(f"{day},{100 + day.astype(int) % 5}\n" for day in days)
    )
    return path


@pytest.mark.parametrize(
    "command", [("predict",), ("data", "import"), ("train",), ("backtest",), ("compare",)]
)
def test_weekly_bars_are_exit_code_4(forecast, model, weekly, command):
    run = forecast(*command, weekly)
    assert run.returncode == 4
    assert "bars are a week apart (median 7 days); one bar a session is needed" in run.stderr
    assert "Give daily bars." in run.stderr
