"""A forecast of many histories holds the inputs of few at a time, and no measures of the others."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
from synthetic import garch_history, random_model

from forecaster.features import closing_order
from forecaster.features.scaling import VolatilityScaling
from forecaster.jobs.predict import predict
from forecaster.market.bars import Panel
from forecaster.model import forecaster
from forecaster.model.settings import Settings

HISTORIES = [garch_history(f"T{n:02d}", 150 + n % 3, seed=n) for n in range(24)]


@pytest.fixture(scope="module")
def model():
    settings = Settings(units=4, horizon=3, quantiles=(0.05, 0.5, 0.95))
    return random_model(settings, Panel(tuple(HISTORIES[:4])))


class Held:
    """How many measures of histories there are at the same time."""

    def __init__(self, monkeypatch) -> None:
        self._alive: list[weakref.ref[object]] = []
        self.most = 0
        scale = VolatilityScaling.scale

        def counted(scaling, history):
            made = scale(scaling, history)
            self._alive = [one for one in self._alive if one() is not None]
            self._alive.append(weakref.ref(made.measures))
            self.most = max(self.most, len(self._alive))
            return made

        monkeypatch.setattr(VolatilityScaling, "scale", counted)


@pytest.mark.parametrize("at_once", [1, 5])
def test_parts_hold_few_histories_and_give_the_same_forecasts(model, monkeypatch, at_once):
    whole = predict(model, HISTORIES)
    monkeypatch.setattr(forecaster, "_AT_ONCE", at_once)
    gc.collect()
    held = Held(monkeypatch)
    parts = predict(model, HISTORIES)
    assert held.most <= at_once + 3
    assert [f.ticker for f in parts.forecasts] == [h.ticker for h in HISTORIES]
    for one, other in zip(whole.forecasts, parts.forecasts, strict=True):
        assert one.fingerprint == other.fingerprint
        assert one.market_tickers == other.market_tickers > 3
        for a, b in zip(one.steps, other.steps, strict=True):
            assert a.quantiles == pytest.approx(b.quantiles, rel=1e-12)


def test_bars_rest_in_every_pass_over_them(model, monkeypatch):
    monkeypatch.setattr(forecaster, "_AT_ONCE", 6)
    monkeypatch.setattr(closing_order, "_IN_A_ROW", 8)
    rests = []
    predict(model, HISTORIES, rest=lambda: rests.append(1))
    parts, pass_of_the_state = 4, 3
    cutoffs = len({history.cutoff for history in HISTORIES})
    assert len(rests) == parts + pass_of_the_state * (1 + cutoffs)


def test_a_history_that_is_sliced_whole_is_itself():
    history = HISTORIES[0]
    assert history.slice(0, len(history)) is history
    later = replace(history, splits=())
    assert later.slice(0, len(later) - 1) is not later
