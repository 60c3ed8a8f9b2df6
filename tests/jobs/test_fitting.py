from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, random_model

from forecaster.errors import DataError, ModelError
from forecaster.evaluation.baselines.fit import ALL
from forecaster.evaluation.folds import Split
from forecaster.evaluation.origins import Origins
from forecaster.evaluation.scores import score
from forecaster.features.cross_section import FEWEST
from forecaster.jobs.fitting import baseline_losses, fit_and_watch, quantiles_of
from forecaster.jobs.predict import predict
from forecaster.market.bars import Panel, history_from_closes
from forecaster.model.settings import Settings
from forecaster.output.format import table_state

LEVELS = (0.05, 0.5, 0.95)
SETTINGS = Settings(units=3, horizon=2, quantiles=LEVELS, context=12, supervise="last", dropout=0.0)


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


A = history_from_closes("A", [f"2020-01-0{d}" for d in (1, 2, 3, 6, 7)], [1.0, 2.0, 4.0, 8.0, 16.0])
B = history_from_closes("B", ["2020-01-03", "2020-01-06", "2020-01-08"], [10.0, 20.0, 10.0])
C = history_from_closes("C", ["2020-01-06", "2020-01-07"], [5.0, 6.0])


class TestOrigins:
    def test_have_a_bar_before_and_a_bar_after(self):
        found = Origins.of(Panel((A, B, C)), day("2020-01-01"), day("2020-01-31"))
        # C's first bar has none before it and its last one none after it
        assert [h.ticker for h in found.histories] == ["A", "B"]
        assert [r.tolist() for r in found.rows] == [[1, 2, 3], [1]]
        assert found.index == (0, 1)

    def test_lie_between_two_days_both_included(self):
        found = Origins.of(Panel((A, B, C)), day("2020-01-03"), day("2020-01-06"))
        assert [r.tolist() for r in found.rows] == [[2, 3], [1]]

    def test_every_second_session_is_counted_on_the_panels_days(self):
        # from the 1st: the 1st, 3rd and 7th, of which B traded the 3rd alone, its first
        found = Origins.of(Panel((C, A, B)), day("2020-01-01"), day("2020-01-31"), stride=2)
        assert [h.ticker for h in found.histories] == ["A"]
        assert found.rows[0].tolist() == [2]
        assert found.index == (1,)

    def test_may_be_none(self):
        found = Origins.of(Panel((A, B)), day("2021-01-01"), day("2021-02-01"))
        assert (found.histories, found.rows, found.index) == ((), (), ())

    def test_actuals_are_joined_end_to_end(self):
        two = math.log(2.0)
        found = Origins.of(Panel((C, A, B)), day("2020-01-03"), day("2020-01-31")).actuals(2)
        assert found.ticker.tolist() == [1, 1, 2]
        assert found.session.tolist() == [
            day(d).tolist() for d in ("2020-01-03", "2020-01-06", "2020-01-06")
        ]
        assert found.last_close.tolist() == [4.0, 8.0, 20.0]
        expected = np.array([[two, 2 * two], [two, np.nan], [-two, np.nan]])
        assert found.log_return == pytest.approx(expected, abs=1e-15, nan_ok=True)


def crowd() -> Panel:
    """Enough tickers for companions, one that begins late and one that ends early."""
    made = [garch_history(f"T{i}", 90, seed=70 + i, last="2018-01-01") for i in range(FEWEST + 1)]
    made.append(made[0].slice(0, 60))
    made[-1] = replace(made[-1], ticker="EARLY")
    made.append(garch_history("LATE", 25, seed=90, last="2018-01-01"))
    return Panel(tuple(made))


class TestNetworkQuantiles:
    def test_are_those_of_forecasts_made_day_by_day(self):
        panel = crowd()
        model = random_model(SETTINGS, panel, size=0.1)
        sessions = panel.sessions
        origins = Origins.of(panel, sessions[40], sessions[-1], stride=9)
        found = quantiles_of(model.forecaster, panel, origins)
        assert found.shape == (sum(len(r) for r in origins.rows), 2, 3)
        place = 0
        for history, rows in zip(origins.histories, origins.rows, strict=True):
            for row in rows:
                then = history.sessions[row]
                others = [h for h in panel if h.first <= then]
                made = predict(model, others, as_of=then, horizon=2)
                # a history that ended before is forecast from its own end
                one = next(f for f in made.forecasts if f.ticker == history.ticker)
                prices = np.array([list(s.quantiles.values()) for s in one.steps])
                expected = np.log(prices / history.close[row])
                assert found[place] == pytest.approx(expected, rel=1e-4, abs=1e-7)
                place += 1
        assert place == len(found)

    def test_that_are_not_finite_are_refused(self):
        panel = crowd()
        model = random_model(SETTINGS, panel, size=0.1)
        head = model.network.head
        broken = replace(model.network, head=replace(head, bias=head.bias * np.float32(np.nan)))
        origins = Origins.of(panel, panel.sessions[50], panel.sessions[-1])
        with pytest.raises(ModelError, match="not finite"):
            quantiles_of(replace(model, network=broken).forecaster, panel, origins)


class TestBaselineLosses:
    def test_have_every_baseline_and_what_could_not_be_fitted(self):
        panel = crowd()
        past = panel.up_to(panel.sessions[59])
        origins = Origins.of(panel, panel.sessions[62], panel.sessions[-1])
        actuals = origins.actuals(2)
        losses, notes = baseline_losses(ALL, past, origins, actuals, LEVELS)
        assert tuple(losses) == ALL
        *short, late = notes
        assert len(short) == len(past)
        assert all("garch could not be fitted" in note.message for note in short)
        assert "LATE (it begins after the cutoff)" in late.message
        for name in ALL:
            assert losses[name].pinball.shape == (len(actuals.session), 2)
            assert np.array_equal(
                np.isfinite(losses[name].pinball), np.isfinite(actuals.log_return)
            ), name
        assert np.all(losses["naive"].median == 0)
        assert np.any(losses["ewma"].median != 0)

    def test_a_history_with_one_bar_in_the_past_is_left_to_the_others(self):
        panel = crowd()
        late = next(h for h in panel if h.ticker == "LATE")
        past = panel.up_to(late.first)
        assert len(next(h for h in past if h.ticker == "LATE")) == 1
        origins = Origins.of(panel, late.sessions[3], panel.sessions[-1])
        losses, _ = baseline_losses(("drift", "har"), past, origins, origins.actuals(2), LEVELS)
        assert np.all(np.isfinite(losses["har"].median))


def test_a_table_as_plain_values_is_json():
    panel = crowd()
    origins = Origins.of(panel, panel.sessions[62], panel.sessions[-1])
    actuals = origins.actuals(2)
    losses, _ = baseline_losses(
        ("naive", "ewma"), panel.up_to(panel.sessions[59]), origins, actuals, LEVELS
    )
    table = score(actuals, {"net": losses["ewma"], **losses}, LEVELS, ("naive", "ewma"))
    state = table_state(table)
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    first = state["rows"][0]
    assert first["model"] == "net"
    assert first["var"]["0.05"]["rejected"] == list(table.rows[0].var["0.05"].rejected)
    assert first["tickers_won"]["ewma"] == [0, len(origins.histories)]


def test_nothing_to_fit_is_said_with_the_date():
    early = Split(day("2020-01-01"), None, day("2020-01-01"), None, day("2020-01-08"))
    with pytest.raises(DataError, match="no history has two sessions up to 2020-01-01"):
        fit_and_watch(Panel((A, B)), early, SETTINGS, None)
