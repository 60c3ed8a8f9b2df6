"""The model that comes with the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.features.market_states import KnownStates
from forecaster.jobs.predict import predict
from forecaster.market.files.read import read_files
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED, BOXED_NAME, find

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def test_is_small_and_says_where_it_comes_from():
    assert BOXED.stat().st_size < 100_000
    model = load(BOXED)
    panel = read_files([str(SAMPLE)]).panel
    assert model.name == BOXED_NAME
    assert model.card.data.tickers == panel.tickers
    assert model.card.data.fingerprint == panel.fingerprint
    assert model.trained_to == np.datetime64("2013-03-01")
    assert model.card.scores.rows[0].skill["ewma"] > 0


def test_is_found_where_nothing_was_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTER_HOME", str(tmp_path))
    assert find(None) == BOXED
    assert find(BOXED_NAME) == BOXED


def test_forecasts_the_sample_data():
    made = predict(load(BOXED), read_files([str(SAMPLE)]).panel.histories, horizon=20)
    assert [f.ticker for f in made.forecasts] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    for forecast in made.forecasts:
        for step in forecast.steps:
            assert step.quantiles[0.5] == pytest.approx(forecast.last_close, rel=0.06)
            assert step.quantiles[0.05] < forecast.last_close < step.quantiles[0.95]


@pytest.mark.parametrize("together", [1, 2, 3, 13])
def test_a_forecast_does_not_depend_on_what_is_read_with_it(together):
    forecaster = load(BOXED).forecaster
    histories = [garch_history(f"A{i}", 1400 - 27 * i, seed=i) for i in range(26)]
    alone = KnownStates({history.ticker: None for history in histories})
    every = list(forecaster.newest(histories, alone))
    for start in range(0, len(histories), together):
        some = slice(start, start + together)
        made = forecaster.newest(histories[some], alone)
        for (found, how), (expected, as_then) in zip(made, every[some], strict=True):
            assert np.array_equal(found, expected)
            assert how == as_then
