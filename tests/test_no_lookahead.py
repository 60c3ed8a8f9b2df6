"""Nothing after the cutoff can reach a forecast. Never skip this file.

Every test changes what comes after a cutoff (noise, nothing, more bars) and demands that whatever
was known at the cutoff stays as it was, to the last bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import (
    close_only,
    closing_at,
    garch_history,
    noise_after,
    random_model,
    same_weights,
)

from forecaster.evaluation.baselines.fit import ALL, fit_baselines
from forecaster.evaluation.folds import split_panel
from forecaster.evaluation.origins import Origins
from forecaster.features.cross_section import FEWEST
from forecaster.features.representation import Representation
from forecaster.jobs.fitting import quantiles_of
from forecaster.jobs.predict import predict
from forecaster.market.bars import PRICE_FIELDS, History, Panel
from forecaster.model.inference import outputs_at
from forecaster.model.settings import Settings

SCALES = ("volatility", "minmax", "standard")
CELLS = ("rnn", "lstm", "gru")
SUPERVISIONS = ("prefixes", "last", "last both ways")

LONG = garch_history("LONG", 320, seed=1)
CUTOFF = LONG.sessions[199]
PANEL = Panel(
    (
        LONG,
        garch_history("MIDDLE", 150, seed=2, last=str(LONG.sessions[260])),
        close_only(garch_history("CLOSES", 220, seed=3)),
        garch_history("TEN", 10, seed=4, last=str(LONG.sessions[204])),
        garch_history("FIVE", 5, seed=5, last=str(CUTOFF + 1)),
        # so that there are companions on every day, and enough returns for garch
        garch_history("OLD", 470, seed=6, first="2014-05-05"),
        garch_history("OTHER", 400, seed=7, first="2014-10-06"),
        garch_history("ANOTHER", 330, seed=8),
        garch_history("DELISTED", 150, seed=9),
    )
)
ELSEWHERE = Panel(tuple(garch_history(f"ELSE{i}", 90, 60 + i) for i in range(FEWEST + 1)))


def with_more(history: History, seed: int = 7) -> History:
    """The history as it was at the cutoff, and then 200 sessions that never happened."""
    seen = history.up_to(CUTOFF)
    future = garch_history(history.ticker, 200, seed, first=str(CUTOFF + 1))
    parts = {
        field: np.concatenate([getattr(seen, field), 3.0 * getattr(future, field)])
        for field in PRICE_FIELDS
    }
    return replace(seen, sessions=np.concatenate([seen.sessions, future.sessions]), **parts)


FUTURES = {
    "noise": lambda history: noise_after(history, CUTOFF),
    "other noise": lambda history: noise_after(history, CUTOFF, seed=3),
    "nothing": lambda history: history.up_to(CUTOFF),
    "more": with_more,
}


@pytest.fixture(params=FUTURES)
def other(request) -> Panel:
    """The panel with another future."""
    changed = Panel(tuple(FUTURES[request.param](history) for history in PANEL))
    assert changed.up_to(CUTOFF).fingerprint == PANEL.up_to(CUTOFF).fingerprint
    assert changed.fingerprint != PANEL.fingerprint
    return changed


def settings_of(cell: str, supervision: str, scale: str) -> Settings:
    return Settings(
        cell=cell,
        layers=2,
        units=4,
        supervise="prefixes" if supervision == "prefixes" else "last",
        bidirectional=supervision == "last both ways",
        scale=scale,
        horizon=3,
        quantiles=(0.1, 0.5, 0.9),
        context=16,
    )


@pytest.mark.parametrize("scale", SCALES)
class TestInputs:
    def test_what_is_fitted_up_to_the_cutoff_does_not_change(self, scale, other):
        one = Representation.fit(scale, list(PANEL.up_to(CUTOFF)))
        two = Representation.fit(scale, list(other.up_to(CUTOFF)))
        assert one.state() == two.state()

    @pytest.mark.parametrize("known", [True, False])
    def test_rows_up_to_the_cutoff_do_not_change(self, scale, other, known):
        fitted_on = PANEL.up_to(CUTOFF) if known else ELSEWHERE
        representation = Representation.fit(scale, list(fitted_on))
        ours = representation.encode_all(PANEL.histories)
        theirs = representation.encode_all(other.histories)
        for history, one, two in zip(PANEL, ours, theirs, strict=True):
            seen = len(history.up_to(CUTOFF))
            assert np.array_equal(one.inputs[:seen], two.inputs[:seen])
            outputs = np.ones((seen, 3, 2), np.float32)
            rows = np.arange(seen)
            assert np.array_equal(
                one.scale.log_returns(outputs, rows), two.scale.log_returns(outputs, rows)
            )

    def test_targets_whose_session_was_seen_do_not_change(self, scale, other):
        representation = Representation.fit(scale, list(PANEL.up_to(CUTOFF)))
        ours = representation.encode_all(PANEL.histories)
        theirs = representation.encode_all(other.histories)
        for history, mine, yours in zip(PANEL, ours, theirs, strict=True):
            seen = len(history.up_to(CUTOFF))
            one, two = mine.scale.targets(3), yours.scale.targets(3)
            for h in (1, 2, 3):
                assert np.array_equal(
                    one[: max(seen - h, 0), h - 1], two[: max(seen - h, 0), h - 1]
                )


def test_the_panel_has_companions_on_both_sides_of_the_cutoff():
    representation = Representation.fit("volatility", list(PANEL.up_to(CUTOFF)))
    first, _ = representation.market_state_columns
    long = representation.encode_all(PANEL.histories)[0]
    assert np.all(long.inputs[:260, first] == 1)
    assert np.any(long.inputs[:, first + 1 :] != representation.encode(LONG).inputs[:, first + 1 :])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("supervision", SUPERVISIONS)
class TestForecasts:
    def test_as_of_the_cutoff_do_not_change(self, scale, cell, supervision, other):
        settings = settings_of(cell, supervision, scale)
        model = random_model(settings, PANEL.up_to(CUTOFF), calibrated=True)
        one = predict(model, PANEL.histories, as_of=CUTOFF)
        two = predict(model, other.histories, as_of=CUTOFF)
        assert len(one.forecasts) == len(PANEL)
        assert one == two
        assert one == predict(model, PANEL.up_to(CUTOFF).histories)
        calibrated = [forecast.calibration is not None for forecast in one.forecasts]
        assert any(calibrated) == (scale == "volatility")

    def test_at_every_earlier_session_do_not_change(self, scale, cell, supervision):
        settings = settings_of(cell, supervision, scale)
        model = random_model(settings, PANEL.up_to(CUTOFF))
        answers = []
        for panel in (PANEL, Panel(tuple(noise_after(h, CUTOFF) for h in PANEL))):
            encoded = model.representation.encode_all(panel.histories)
            rows = [np.arange(len(h)) for h in panel]
            pieces = settings.supervise == "prefixes"
            answers.append(
                outputs_at(model.network, encoded, rows, settings.context_length, pieces=pieces)
            )
        for history, one, two in zip(PANEL, *answers, strict=True):
            seen = len(history.up_to(CUTOFF))
            assert np.array_equal(one[:seen], two[:seen])
            assert seen == len(history) or not np.array_equal(one[seen:], two[seen:])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("supervision", SUPERVISIONS)
def test_quantiles_of_a_test_part_before_the_cutoff_do_not_change(cell, supervision, other):
    settings = settings_of(cell, supervision, "volatility")
    model = random_model(settings, PANEL.up_to(CUTOFF), size=0.1, calibrated=True)
    made = []
    for panel in (PANEL, other):
        # the session of the cutoff itself is no origin where it is the last one
        origins = Origins.of(panel, LONG.sessions[150], LONG.sessions[198])
        quantiles = quantiles_of(model.forecaster, panel, origins)
        actuals = origins.actuals(3)
        made.append((quantiles, actuals.session, actuals.ticker, actuals.log_return[:, 0]))
    for one, two in zip(*made, strict=True):
        assert np.array_equal(one, two)
    assert len(made[0][0]) > 49 * FEWEST


HOURS = {"XTKS": 6, "XLON": 16, "XNYS": 21}
WORLD = Panel(
    tuple(
        closing_at(garch_history(f"{code}{i}", 260 - 7 * i, 70 + i, last="2016-01-01"), code, hour)
        for i in range(3)
        for code, hour in HOURS.items()
    )
)


def noise_when_closed_after(history: History, moment: np.datetime64) -> History:
    """The history with noise in every bar that closed after a moment."""
    seen = history.closes <= moment
    last = history.sessions[seen][-1] if seen.any() else history.first - 1
    return noise_after(history, last)


@pytest.mark.parametrize("place", range(len(HOURS)))
@pytest.mark.parametrize("market", [False, True])
class TestClosingTimes:
    """One date is not one moment: bars of that date that closed later are the future too."""

    day = np.datetime64("2015-11-25")

    def forecast(self, panel, place, market):
        settings = settings_of("gru", "prefixes", "volatility")
        model = random_model(settings, WORLD, size=0.1, calibrated=True)
        targets = (panel.histories[place],) if market else panel.histories
        made = predict(
            model, targets, market=panel.histories if market else None, as_of=self.day
        ).forecasts
        (mine,) = [one for one in made if one.ticker == panel.histories[place].ticker]
        return mine

    def test_bars_that_closed_later_change_no_bit(self, place, market):
        closed = WORLD.histories[place].up_to(self.day).closes[-1]
        noisy = Panel(tuple(noise_when_closed_after(h, closed) for h in WORLD))
        assert self.forecast(WORLD, place, market) == self.forecast(noisy, place, market)

    def test_bars_that_closed_just_before_change_it(self, place, market):
        closed = WORLD.histories[place].up_to(self.day).closes[-1] - np.timedelta64(24, "h")
        mine = WORLD.histories[place]
        noisy = Panel(tuple(h if h is mine else noise_when_closed_after(h, closed) for h in WORLD))
        one, two = (self.forecast(panel, place, market) for panel in (WORLD, noisy))
        assert one.fingerprint != two.fingerprint
        assert one.steps != two.steps

    def test_rows_up_to_a_session_do_not_change(self, place, market):
        mine = WORLD.histories[place]
        row = len(mine.up_to(self.day))
        representation = Representation.fit("volatility", list(WORLD))
        rows = []
        for panel in (
            WORLD,
            Panel(tuple(noise_when_closed_after(h, mine.closes[row - 1]) for h in WORLD)),
        ):
            members = panel.histories if market else None
            rows.append(representation.encode_all(panel.histories, members)[place].inputs)
        assert np.array_equal(rows[0][:row], rows[1][:row])
        assert not np.array_equal(rows[0][row:], rows[1][row:])


@pytest.mark.parametrize("name", ALL)
class TestBaselines:
    levels = (0.1, 0.5, 0.9)

    def fitted(self, panel, name):
        (baseline,) = fit_baselines((name,), panel.histories, 3, self.levels).baselines
        return baseline

    def test_fitted_and_forecasting_at_the_cutoff_do_not_change(self, name, other):
        one = self.fitted(PANEL.up_to(CUTOFF), name)
        two = self.fitted(other.up_to(CUTOFF), name)
        for history, changed in zip(PANEL, other, strict=True):
            row = np.array([0, len(history.up_to(CUTOFF)) - 1])
            assert np.array_equal(one.forecast(history, row), two.forecast(changed, row)), (
                history.ticker
            )

    def test_forecasts_from_later_sessions_see_no_bar_after_them(self, name):
        baseline = self.fitted(PANEL.up_to(CUTOFF), name)
        for day in LONG.sessions[[200, 230, 300]]:
            for history in PANEL:
                rows = np.flatnonzero(history.sessions <= day)
                noisy = noise_after(history, day)
                assert np.array_equal(
                    baseline.forecast(history, rows), baseline.forecast(noisy, rows)
                ), (history.ticker, day)

    def test_the_future_would_be_seen_if_they_were_fitted_on_it(self, name):
        # the tests above compare what can differ
        noisy = Panel(tuple(noise_after(h, CUTOFF) for h in PANEL))
        row = np.array([199])
        one, two = self.fitted(PANEL, name), self.fitted(noisy, name)
        assert not np.array_equal(one.forecast(LONG, row), two.forecast(LONG, row))


def test_garch_is_fitted_and_not_only_stood_in_for():
    made = fit_baselines(("garch",), PANEL.up_to(CUTOFF).histories, 3, (0.1, 0.9))
    assert set(made.baselines[0].parameters) == {"OLD", "OTHER"}


def test_the_parts_before_a_given_train_end_do_not_change(other):
    one, two = split_panel(PANEL, 3, CUTOFF), split_panel(other, 3, CUTOFF)
    assert (one.fit_end, one.valid_from, one.train_end) == (
        two.fit_end,
        two.valid_from,
        two.train_end,
    )
    assert one.valid_from is not None


@pytest.mark.network
def test_the_whole_training_run_does_not_change(monkeypatch):
    from forecaster.jobs import fitting
    from forecaster.jobs.train import train

    fitted, original = [], fitting.fit_baselines

    def watched(*args, **more):
        fitted.append(original(*args, **more))
        return fitted[-1]

    monkeypatch.setattr(fitting, "fit_baselines", watched)
    settings = Settings(
        units=3, horizon=3, quantiles=(0.05, 0.5, 0.95), epochs=2, context=64, batch_size=64
    )
    made, losses = {}, {}
    futures = {name: FUTURES[name] for name in ("noise", "nothing", "more")}
    for name, change in {"as it was": lambda history: history, **futures}.items():
        seen = []
        made[name] = train(
            Panel(tuple(change(history) for history in PANEL)),
            settings,
            name="test",
            train_end=CUTOFF,
            refit=False,
            device="cpu",
            on_progress=seen.append,
        )
        losses[name] = [(p.epoch.loss, p.epoch.validation) for p in seen]
    first = made["as it was"]
    assert first.split.train_end == CUTOFF
    assert first.split.valid_from is not None
    assert first.table is not None
    assert made["nothing"].table is None
    assert made["noise"].table.rows[0].pinball != first.table.rows[0].pinball
    for name, changed in made.items():
        assert losses[name] == losses["as it was"], name
        assert same_weights(changed.model.network, first.model.network), name
        assert changed.model.representation.state() == first.model.representation.state(), name
        assert changed.model.id == first.model.id, name
        assert predict(changed.model, PANEL.histories, as_of=CUTOFF) == predict(
            first.model, PANEL.histories, as_of=CUTOFF
        ), name
    row = np.array([199])
    for again in fitted[1:]:
        for one, two in zip(fitted[0].baselines, again.baselines, strict=True):
            assert np.array_equal(one.forecast(LONG, row), two.forecast(LONG, row)), one.name
