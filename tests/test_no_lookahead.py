"""Nothing after the cutoff can reach a forecast. Never skip this file.

Every test changes what comes after a cutoff (noise, nothing, more bars) and demands that whatever
was known at the cutoff stays as it was, to the last bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history, noise_after, random_model, same_weights

from forecaster.evaluation.baselines import fit_baselines
from forecaster.evaluation.folds import split_panel
from forecaster.features.representation import Representation
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
    )
)


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
        context=40,
    )


@pytest.mark.parametrize("scale", SCALES)
class TestInputs:
    def test_what_is_fitted_up_to_the_cutoff_does_not_change(self, scale, other):
        one = Representation.fit(scale, list(PANEL.up_to(CUTOFF)))
        two = Representation.fit(scale, list(other.up_to(CUTOFF)))
        assert one.state() == two.state()

    @pytest.mark.parametrize("known", [True, False])
    def test_rows_up_to_the_cutoff_do_not_change(self, scale, other, known):
        fitted_on = PANEL.up_to(CUTOFF) if known else Panel((garch_history("ELSE", 90, 6),))
        representation = Representation.fit(scale, list(fitted_on))
        for history, changed in zip(PANEL, other, strict=True):
            seen = len(history.up_to(CUTOFF))
            one, two = representation.encode(history), representation.encode(changed)
            assert np.array_equal(one.inputs[:seen], two.inputs[:seen])
            outputs = np.ones((seen, 3, 2), np.float32)
            rows = np.arange(seen)
            assert np.array_equal(
                one.scale.log_returns(outputs, rows), two.scale.log_returns(outputs, rows)
            )

    def test_targets_whose_session_was_seen_do_not_change(self, scale, other):
        representation = Representation.fit(scale, list(PANEL.up_to(CUTOFF)))
        for history, changed in zip(PANEL, other, strict=True):
            seen = len(history.up_to(CUTOFF))
            one = representation.encode(history).scale.targets(3)
            two = representation.encode(changed).scale.targets(3)
            for h in (1, 2, 3):
                assert np.array_equal(
                    one[: max(seen - h, 0), h - 1], two[: max(seen - h, 0), h - 1]
                )


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("supervision", SUPERVISIONS)
class TestForecasts:
    def test_as_of_the_cutoff_do_not_change(self, scale, cell, supervision, other):
        model = random_model(settings_of(cell, supervision, scale), PANEL.up_to(CUTOFF))
        one = predict(model, PANEL.histories, as_of=CUTOFF)
        two = predict(model, other.histories, as_of=CUTOFF)
        assert len(one.forecasts) == 5
        assert one == two
        assert one == predict(model, PANEL.up_to(CUTOFF).histories)

    def test_at_every_earlier_session_do_not_change(self, scale, cell, supervision):
        settings = settings_of(cell, supervision, scale)
        model = random_model(settings, PANEL.up_to(CUTOFF))
        answers = []
        for panel in (PANEL, Panel(tuple(noise_after(h, CUTOFF) for h in PANEL))):
            encoded = [model.representation.encode(h) for h in panel]
            rows = [np.arange(len(h)) for h in panel]
            pieces = settings.supervise == "prefixes"
            answers.append(outputs_at(model.network, encoded, rows, 40, pieces=pieces))
        for history, one, two in zip(PANEL, *answers, strict=True):
            seen = len(history.up_to(CUTOFF))
            assert np.array_equal(one[:seen], two[:seen])
            assert seen == len(history) or not np.array_equal(one[seen:], two[seen:])


class TestBaselines:
    def test_fitted_and_forecasting_at_the_cutoff_do_not_change(self, other):
        levels = (0.1, 0.5, 0.9)
        ours = fit_baselines(PANEL.up_to(CUTOFF).histories, 3, levels)
        theirs = fit_baselines(other.up_to(CUTOFF).histories, 3, levels)
        for one, two in zip(ours, theirs, strict=True):
            for history, changed in zip(PANEL, other, strict=True):
                row = np.array([0, len(history.up_to(CUTOFF)) - 1])
                assert np.array_equal(one.forecast(history, row), two.forecast(changed, row)), (
                    one.name,
                    history.ticker,
                )


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
    from forecaster.jobs import train as job

    fitted, original = [], job.fit_baselines

    def watched(*args, **more):
        fitted.append(original(*args, **more))
        return fitted[-1]

    monkeypatch.setattr(job, "fit_baselines", watched)
    settings = Settings(
        units=3, horizon=3, quantiles=(0.05, 0.5, 0.95), epochs=3, context=32, batch_size=64
    )
    made, losses = {}, {}
    for name, change in {"as it was": lambda history: history, **FUTURES}.items():
        seen = []
        made[name] = job.train(
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
    for baselines in fitted[1:]:
        for one, two in zip(fitted[0], baselines, strict=True):
            assert np.array_equal(one.forecast(LONG, row), two.forecast(LONG, row)), one.name
