"""Training on from a model's weights: a fair contest, and the better one stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from synthetic import garch_history, same_weights

from forecaster.atomic import locked
from forecaster.errors import ModelError, SettingsError, TrainingDiverged
from forecaster.evaluation.metrics import pinball
from forecaster.jobs.retrain import (
    HELD_OUT,
    NEEDED,
    RetrainResult,
    _contest,
    _train_on,
    retrain,
)
from forecaster.jobs.score_card import date_of
from forecaster.jobs.train import train
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model, load, save
from forecaster.model.settings import Settings

SETTINGS = Settings(units=3, horizon=2, context=8, epochs=2, quantiles=(0.1, 0.5, 0.9))
WHOLE = Panel(tuple(garch_history(name, 260, seed=s) for s, name in enumerate(("A", "B", "C"))))
DAY = WHOLE.sessions


@pytest.fixture(scope="module")
def model() -> Model:
    """Trained on the first 200 sessions, not long enough ago to be as good as it can be."""
    return train(WHOLE.up_to(DAY[199]), SETTINGS, name="m").model


@pytest.mark.network
class TestContest:
    def test_the_better_one_takes_the_place(self, model):
        made = retrain(model, WHOLE)
        new, old = losses(made.reason)
        assert made.replaced == (new <= old)
        assert new != old

    def test_a_bad_model_is_replaced(self, model, tmp_path):
        head = model.network.head
        awful = replace(model.network, head=replace(head, bias=head.bias + 3.0))
        made = retrain(replace(model, network=awful), WHOLE)
        assert made.replaced
        assert made.model.trained_to == DAY[-1]
        assert made.model.card.retrained.origin != made.model.id
        assert made.model.card.retrained.held_out_from == date_of(DAY[-HELD_OUT - 1])
        scores = made.model.card.scores
        assert {verdict.model for verdict in scores.verdict} == {"gru"}
        assert set(scores.months[0].pinball) == {"gru", "naive", "drift", "ewma"}
        own = [row for row in scores.rows if row.model == "gru"]
        by_months = sum(m.sessions * m.pinball["gru"] for m in scores.months)
        assert by_months / HELD_OUT == pytest.approx(own[0].pinball)
        path = tmp_path / "m.forecast"
        save(made.model, path)
        assert load(path).id == made.model.id

    def test_a_worse_candidate_is_not_taken(self, model, monkeypatch):
        def worse(_model, _panel):
            head = model.network.head
            return replace(model.network, head=replace(head, bias=head.bias + 3.0))

        monkeypatch.setattr("forecaster.jobs.retrain._train_on", worse)
        made = retrain(model, WHOLE)
        assert not made.replaced
        assert made.model is model
        assert "was kept: training on was no better" in made.reason

    def test_the_held_out_sessions_are_seen_by_neither(self, model, monkeypatch):
        seen = []
        monkeypatch.setattr(
            "forecaster.jobs.retrain._train_on", lambda m, p: seen.append(p) or _train_on(m, p)
        )
        retrain(model, WHOLE)
        assert seen[0].sessions[-1] == DAY[-HELD_OUT - 1]
        assert seen[0].sessions[-1] > model.trained_to

    def test_losses_by_hand(self, model):
        table, _ = _contest(model, model.network, WHOLE, DAY[-HELD_OUT - 1])
        one, two = (
            next(r for r in table.rows if r.model == name and r.step == 1)
            for name in ("gru", "model in use")
        )
        assert one.pinball == two.pinball
        assert one.n == 3 * HELD_OUT
        assert pinball(np.zeros(1), np.zeros((1, 3)), SETTINGS.quantiles)[0] == 0.0

    def test_training_on_begins_at_the_model_s_weights(self, model, monkeypatch):
        monkeypatch.setattr("forecaster.jobs.retrain.EPOCHS", 1)
        still = replace(model, settings=replace(model.settings, learning_rate=1e-7))
        made = _train_on(still, WHOLE)
        for a, b in zip(made.weights.values(), model.network.weights.values(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def losses(reason: str) -> tuple[float, float]:
    words = reason.replace(",", "").split()
    place = words.index("against")
    return float(words[place - 1]), float(words[place + 1])


class TestNotYet:
    def test_too_few_sessions_have_come(self, model):
        made = retrain(model, WHOLE.up_to(DAY[199 + NEEDED - 1]))
        assert not made.replaced
        assert f"{NEEDED - 1} sessions came since" in made.reason

    def test_none_has(self, model):
        assert not retrain(model, WHOLE.up_to(DAY[150])).replaced

    def test_a_panel_of_nothing(self, model):
        assert not retrain(model, Panel(())).replaced


@pytest.mark.network
class TestInABatch:
    @pytest.fixture
    def kept(self, model, home):
        path = home / "models" / "m.forecast"
        save(model, path)
        return path

    def files(self, tmp_path) -> tuple[str, ...]:
        made = []
        for history in WHOLE:
            path = tmp_path / f"{history.ticker}.csv"
            rows = zip(history.sessions, history.close, strict=True)
            path.write_text("Date,Close\n" + "".join(f"{d},{c}\n" for d, c in rows))
            made.append(str(path))
        return tuple(made)

    def batch(self, model, path, tmp_path, days, later=0.0):
        from forecaster.jobs.batch import batch
        from forecaster.market.watchlist import BatchSources

        now = datetime.fromisoformat(model.created).replace(tzinfo=UTC) + timedelta(days=later)
        work = BatchSources((), self.files(tmp_path))
        return batch(model, work, retrain_days=days, path=path, now=now)

    def test_a_young_model_is_left_alone(self, model, kept, tmp_path):
        done = self.batch(model, kept, tmp_path, 7.0)
        assert done.model is model

    def test_an_old_one_is_retrained_and_forecasts(self, model, kept, tmp_path):
        head = model.network.head
        awful = replace(model.network, head=replace(head, bias=head.bias + 3.0))
        bad = replace(model, network=awful)
        save(bad, kept)
        done = self.batch(bad, kept, tmp_path, 0.0)
        assert done.retrained
        assert done.model.id == load(kept).id
        assert done.model.id not in (bad.id, model.id)
        assert any("was retrained" in note.message for note in done.notes)

    def test_one_that_another_took_the_place_of_is_left(self, model, kept, tmp_path):
        head = model.network.head
        other = replace(
            model, network=replace(model.network, head=replace(head, bias=head.bias + 3))
        )
        done = self.batch(other, kept, tmp_path, 0.0)
        assert done.model is other
        assert not done.retrained
        assert load(kept).id == model.id
        (said,) = (note for note in done.notes if note.source == model.name)
        assert f"another model m ({model.id}) was saved since this batch began" in said.message
        assert said.loud

    @pytest.mark.parametrize("failure", [TrainingDiverged, ModelError, SettingsError])
    def test_one_that_cannot_be_retrained_stays(self, model, kept, tmp_path, monkeypatch, failure):
        def diverge(_model, _panel):
            raise failure("no.")

        monkeypatch.setattr("forecaster.jobs.retrain._train_on", diverge)
        done = self.batch(model, kept, tmp_path, 0.0)
        assert done.model is model
        assert same_weights(load(kept).network, model.network)
        assert any("was not retrained: no." in note.message for note in done.notes)
        assert len(done.forecasts) == 3

    @pytest.mark.parametrize("outcome", ["kept", "too few sessions", "diverged"])
    def test_a_try_that_changed_nothing_counts_as_one(
        self, model, kept, tmp_path, monkeypatch, outcome
    ):
        """Weekly is weekly: the next one comes a week later, not on the next evening."""
        tries = []

        def stay(model, panel):
            tries.append(panel)
            if outcome == "diverged":
                raise TrainingDiverged("no.")
            return RetrainResult(model, False, outcome)

        monkeypatch.setattr("forecaster.jobs.retrain.retrain", stay)
        for later, count in ((6, 0), (7, 1), (8, 1), (13.9, 1), (14, 2), (15, 2)):
            done = self.batch(model, kept, tmp_path, 7.0, later)
            assert len(tries) == count, later
            told = any(note.source == "m" for note in done.notes)
            assert told == (later in (7, 14))

    def test_always_tries_always(self, model, kept, tmp_path, monkeypatch):
        tries = []

        def stay(model, panel):
            tries.append(panel)
            return RetrainResult(model, False, "kept")

        monkeypatch.setattr("forecaster.jobs.retrain.retrain", stay)
        for later in (0, 0, 0.1):
            self.batch(model, kept, tmp_path, 0.0, later)
        assert len(tries) == 3

    def test_a_model_that_is_locked_was_not_tried(self, model, kept, tmp_path, monkeypatch):
        tries = []

        def stay(model, panel):
            tries.append(panel)
            return RetrainResult(model, False, "kept")

        monkeypatch.setattr("forecaster.jobs.retrain.retrain", stay)
        with locked(kept, "a model"):
            done = self.batch(model, kept, tmp_path, 7.0, 7)
        said = (
            "it was not retrained: another run is writing model m, and the next batch tries again"
        )
        assert said in [note.message for note in done.notes]
        self.batch(model, kept, tmp_path, 7.0, 7.1)
        assert len(tries) == 1
