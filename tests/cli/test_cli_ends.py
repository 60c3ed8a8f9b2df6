"""Ends of histories on the command line: renamed tickers, and steps that nothing taught."""

from __future__ import annotations

from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def test_a_renamed_ticker(forecast, stored):
    done = forecast("data", "rename", "msft", "softy")
    assert done.returncode == 0
    assert "MSFT is SOFTY now: " in done.stderr
    assert "of them from the old name" in done.stderr
    assert "SOFTY" in forecast("data", "list").stdout
    assert forecast("data", "rename", "MSFT", "SOFTY").returncode == 0  # its forecasts are there
    never = forecast("data", "rename", "NEVER", "SOFTY")
    assert (never.returncode, "NEVER is not stored" in never.stderr) == (4, True)


@pytest.mark.network
def test_steps_that_nothing_taught(forecast):
    done = forecast("train", SAMPLE / "FB.csv", "--horizon", "250", "--epochs", "1")
    assert done.returncode == 4
    assert "--horizon is 250, and nothing teaches the steps after 195" in done.stderr
    assert done.stderr.endswith("or --horizon 195.\n")
    done = forecast("train", SAMPLE / "FB.csv", "--horizon", "195", "--epochs", "1", "--units", "2")
    assert done.returncode == 0
    assert "step 195 was learned from 1 target" in done.stderr
    assert "or --horizon 96." in done.stderr
