from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, noise_after, same_weights

from forecaster.errors import TrainingDiverged
from forecaster.evaluation.metrics import pinball
from forecaster.features.representation import Representation
from forecaster.features.sequences import TrainingSet
from forecaster.model import optimisation, training
from forecaster.model.numpy_rnn import forward_last
from forecaster.model.optimisation import Trainer
from forecaster.model.settings import Settings
from forecaster.model.training import EPOCHS_UNWATCHED, Validation, fit

pytestmark = pytest.mark.network

HISTORIES = [garch_history("A", 100, seed=1), garch_history("B", 60, seed=2)]
SETTINGS = Settings(
    units=2, horizon=2, quantiles=(0.1, 0.5, 0.9), epochs=2, context=32, batch_size=32, patience=1
)
EXPLODING = {
    "cell": "rnn",
    "activation": "relu",
    "learning_rate": 10.0,
    "clip_norm": 0.0,
    "dropout": 0.0,
    "context": 100,
    "batch_size": 1,
    "units": 4,
}


def validation_of(histories=HISTORIES, sessions: int = 30) -> Validation:
    return Validation(histories, histories[0].sessions[-sessions])


class TestEpochs:
    def scripted(self, monkeypatch, losses, *, least=(1, 10_000), **changes):
        """A fit whose validation losses are these; gives it and the network after each epoch."""
        monkeypatch.setattr(training, "LEAST_EPOCHS", least[0])
        monkeypatch.setattr(training, "LEAST_STEPS", least[1])
        networks, script = [], iter(losses)

        def loss(_watch, network):
            networks.append(network)
            return next(script)

        monkeypatch.setattr(training._Watch, "loss", loss)
        seen = []
        settings = replace(SETTINGS, epochs=6, **changes)
        fitted = fit(settings, HISTORIES, validation_of(), on_epoch=seen.append)
        return fitted, networks, seen

    def test_stop_when_the_validation_loss_has_not_improved_for_patience(self, monkeypatch):
        fitted, networks, seen = self.scripted(monkeypatch, [3.0, 1.0, 2.0, 1.5, 9.0], patience=2)
        assert [e.number for e in seen] == [1, 2, 3, 4]
        assert [e.validation for e in seen] == [3.0, 1.0, 2.0, 1.5]
        assert {e.of for e in seen} == {6}
        assert fitted.epochs == 2
        assert fitted.validation == 1.0
        assert same_weights(fitted.network, networks[1])
        assert not same_weights(fitted.network, networks[3])

    def test_an_equal_loss_is_no_improvement(self, monkeypatch):
        fitted, _, seen = self.scripted(monkeypatch, [1.0, 1.0, 1.0], patience=1)
        assert (fitted.epochs, len(seen)) == (1, 2)

    def test_a_network_that_has_hardly_begun_is_not_the_best(self, monkeypatch):
        losses = [1.0, 2.0, 5.0, 4.0, 4.5, 4.5]
        fitted, networks, seen = self.scripted(monkeypatch, losses, least=(3, 10_000), patience=2)
        assert (fitted.epochs, fitted.validation, len(seen)) == (4, 4.0, 6)
        assert same_weights(fitted.network, networks[3])

    def test_it_has_begun_after_some_training_steps_as_well(self, monkeypatch):
        # one step an epoch
        fitted, _, seen = self.scripted(
            monkeypatch, [1.0, 2.0, 3.0, 4.0], least=(6, 2), patience=2, batch_size=99
        )
        assert (fitted.epochs, len(seen)) == (2, 4)

    def test_the_last_of_few_epochs_is_the_best(self, monkeypatch):
        fitted, _, seen = self.scripted(monkeypatch, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], least=(9, 999))
        assert (fitted.epochs, len(seen)) == (6, 6)

    def test_a_validation_loss_that_is_no_number_is_divergence(self, monkeypatch):
        with pytest.raises(TrainingDiverged, match="validation loss was nan in epoch 2"):
            self.scripted(monkeypatch, [1.0, np.nan])

    def test_unwatched_they_are_as_many_as_asked_for(self):
        seen = []
        fitted = fit(SETTINGS, HISTORIES, None, epochs=3, on_epoch=seen.append)
        assert (fitted.epochs, fitted.validation, len(seen)) == (3, None, 3)

    def test_unwatched_and_unasked_they_are_few(self):
        tiny = [garch_history("A", 8, seed=1)]
        assert fit(replace(SETTINGS, epochs=60), tiny, None).epochs == EPOCHS_UNWATCHED


class TestValidationLoss:
    @pytest.mark.parametrize("supervise", ["prefixes", "last"])
    def test_is_the_pinball_loss_of_scaled_targets(self, monkeypatch, supervise):
        rng = np.random.default_rng(0)

        def step(trainer, _batch):
            for weights in trainer.model.trainable_variables:
                weights.assign(rng.normal(0.0, 0.4, weights.shape))
            return 0.5

        monkeypatch.setattr(Trainer, "step", step)
        # a context as long as the history, so that every origin reads all that came before it
        settings = replace(SETTINGS, supervise=supervise, context=400, epochs=1)
        fitted = fit(settings, HISTORIES, validation_of())
        losses = []
        for history in HISTORIES:
            encoded = fitted.representation.encode(history)
            targets = encoded.scale.targets(2)
            for t in np.flatnonzero(history.sessions >= validation_of().first):
                answer = forward_last(fitted.network, encoded.inputs[None, : t + 1])[0]
                for h in (0, 1):
                    if np.isfinite(targets[t, h]):
                        q = answer[h].astype(float)[None]
                        losses.append(pinball(targets[t, h : h + 1], q, settings.quantiles)[0])
        assert fitted.validation == pytest.approx(np.mean(losses), rel=1e-5)

    def test_sees_a_network_that_answers_no_number(self, monkeypatch):
        def broken(network, encoded, rows, *_args, **_more):
            answers = [np.zeros((len(r), 2, 3), np.float32) for r in rows]
            answers[0][0] = np.nan
            return answers

        monkeypatch.setattr(training, "outputs_at", broken)
        with pytest.raises(TrainingDiverged, match="validation loss was nan"):
            fit(SETTINGS, HISTORIES, validation_of())


class TestSeed:
    def test_one_seed_gives_one_network_and_another_another(self):
        settings = replace(SETTINGS, epochs=1)
        one, two = fit(settings, HISTORIES, None), fit(settings, HISTORIES, None)
        other = fit(replace(settings, seed=1), HISTORIES, None)
        assert same_weights(one.network, two.network)
        assert not same_weights(one.network, other.network)

    def test_also_for_windows_of_many_lengths(self):
        settings = replace(
            SETTINGS, cell="rnn", supervise="last", windows="vary", context=8, epochs=1
        )
        one, two = (fit(settings, HISTORIES, None) for _ in range(2))
        assert same_weights(one.network, two.network)


class TestTraced:
    """Fits of the same layers in one process share what is traced, and nothing else."""

    @pytest.fixture(autouse=True)
    def traced(self, monkeypatch):
        """How often a first step was traced; nothing is left of other tests."""
        monkeypatch.setattr(optimisation, "_idle", {})
        made = []

        class Counted(Trainer):
            def __init__(self, model, settings):
                made.append(settings)
                super().__init__(model, settings)

        monkeypatch.setattr(optimisation, "Trainer", Counted)
        return made

    @pytest.fixture
    def steps_of_nothing(self, monkeypatch):
        """Steps that teach nothing and are not traced: what counts is who makes a trainer."""
        monkeypatch.setattr(Trainer, "step", lambda _trainer, _batch: 0.5)

    @pytest.mark.parametrize("changes", [{}, {"layers": 2}, {"cell": "lstm", "clip_value": 0.1}])
    def test_the_bits_are_those_of_a_first_fit(self, monkeypatch, traced, changes):
        settings = replace(SETTINGS, **changes)
        other = replace(settings, seed=7, learning_rate=0.02, epochs=3)
        fit(other, HISTORIES[::-1], validation_of())
        second = fit(settings, HISTORIES, validation_of())
        assert len(traced) == 1
        monkeypatch.setattr(optimisation, "_idle", {})
        first = fit(settings, HISTORIES, validation_of())
        assert len(traced) == 2
        assert same_weights(second.network, first.network)

    @pytest.mark.usefixtures("steps_of_nothing")
    def test_not_by_fits_of_other_layers_or_other_shapes(self, traced):
        settings = replace(SETTINGS, cell="rnn")
        fit(settings, HISTORIES, None, epochs=1)
        fit(settings, HISTORIES[:1], None, epochs=1)
        for changes in ({"units": 3}, {"dropout": 0.0}, {"horizon": 3}, {"clip_value": 0.1}):
            fit(replace(settings, **changes), HISTORIES, None, epochs=1)
        assert len(traced) == 6

    @pytest.mark.usefixtures("steps_of_nothing")
    def test_not_by_two_fits_at_a_time(self, traced):
        def another(_epoch):
            if len(traced) == 1:
                fit(SETTINGS, HISTORIES, None, epochs=1)

        fit(SETTINGS, HISTORIES, None, epochs=1, on_epoch=another)
        assert len(traced) == 2

    @pytest.mark.usefixtures("steps_of_nothing")
    def test_not_where_lengths_vary(self, traced):
        for _ in range(2):
            fit(replace(SETTINGS, cell="rnn", supervise="last"), HISTORIES, None, epochs=1)
        assert len(traced) == 2

    @pytest.mark.usefixtures("steps_of_nothing")
    def test_not_after_a_fit_that_was_broken_off(self, traced):
        def stop(_epoch):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit(SETTINGS, HISTORIES, None, epochs=1, on_epoch=stop)
        fit(SETTINGS, HISTORIES, None, epochs=1)
        assert len(traced) == 2

    @pytest.mark.usefixtures("steps_of_nothing")
    def test_only_the_latest_few_are_held(self, monkeypatch, traced):
        monkeypatch.setattr(optimisation, "_MOST_IDLE", 1)
        for units in (1, 2, 2, 1):
            fit(replace(SETTINGS, cell="rnn", units=units), HISTORIES, None, epochs=1)
            assert len(optimisation._idle) == 1
        assert len(traced) == 3


class TestWhatIsLearntFrom:
    def test_is_the_training_range_alone(self):
        # one epoch, so that early stopping has nothing to choose
        settings = replace(SETTINGS, epochs=1)
        first = HISTORIES[0].sessions[-30]
        training_part = [h.up_to(first - np.timedelta64(5, "D")) for h in HISTORIES]
        noisy = [noise_after(h, first - np.timedelta64(1, "D")) for h in HISTORIES]
        one = fit(settings, training_part, Validation(HISTORIES, first))
        two = fit(settings, training_part, Validation(noisy, first))
        assert same_weights(one.network, two.network)
        assert one.validation != two.validation

    def test_representation_is_fitted_on_it(self):
        fitted = fit(replace(SETTINGS, epochs=1), HISTORIES[:1], None)
        expected = Representation.fit("volatility", HISTORIES[:1])
        assert fitted.representation.state() == expected.state()

    def test_every_target_is_counted_once_an_epoch(self):
        fitted = fit(replace(SETTINGS, epochs=1), HISTORIES, None)
        assert fitted.targets == 99 + 59

    def test_training_lowers_the_loss(self):
        seen = []
        settings = replace(SETTINGS, units=8, learning_rate=0.03, dropout=0.0, scale="standard")
        fit(settings, HISTORIES, None, epochs=16, on_epoch=seen.append)
        assert seen[-1].loss < 0.7 * seen[0].loss


class TestDivergence:
    def test_is_said_with_the_learning_rate(self):
        settings = replace(SETTINGS, **EXPLODING)
        with pytest.raises(TrainingDiverged, match=r"the loss was (nan|inf)") as diverged:
            fit(settings, HISTORIES, None)
        assert diverged.value.exit_code == 7
        assert str(diverged.value).endswith("Lower learning_rate (it is 10) or give clip_norm 1.")
        assert "\n" not in str(diverged.value)

    def test_of_the_last_step_is_seen_in_the_weights(self, monkeypatch):
        def step(trainer, _batch):
            bias = next(w for w in trainer.optimiser._trainable_variables if len(w.shape) == 1)
            bias.assign(bias * np.nan)
            return 0.5

        monkeypatch.setattr(Trainer, "step", step)
        with pytest.raises(TrainingDiverged, match="weight"):
            fit(SETTINGS, HISTORIES, None, epochs=1)

    def test_is_cured_by_clipping(self):
        settings = replace(SETTINGS, **{**EXPLODING, "clip_norm": 1.0, "learning_rate": 3e-3})
        assert np.isfinite(fit(settings, HISTORIES, validation_of()).validation)


class TestParts:
    def epochs(self, monkeypatch, steps, count):
        monkeypatch.setattr(training, "EPOCH_STEPS", steps)
        history = garch_history("A", 700, seed=1)
        encoded = [Representation.fit("volatility", [history]).encode(history)]
        data = TrainingSet.of(encoded, [700], 2)
        settings = replace(SETTINGS, batch_size=1)
        parts = training._epochs(settings, data, np.random.default_rng(0))
        return [sum(int(b.weights[..., 0].sum()) for b in next(parts)) for _ in range(count)]

    def test_are_passes_over_a_small_panel(self, monkeypatch):
        assert self.epochs(monkeypatch, 100, 2) == [699, 699]

    def test_are_parts_of_a_pass_over_a_large_one(self, monkeypatch):
        counts = self.epochs(monkeypatch, 10, 3)
        assert sum(counts) == 699
        assert max(counts) < 300


class TestWatched:
    def validation(self, count):
        histories = [garch_history(f"T{i}", 50, seed=i) for i in range(count)]
        return Validation(histories, histories[0].sessions[30])

    def test_are_all_sessions_of_a_small_validation_part(self):
        watched = training._watched(self.validation(3), 1)
        assert [len(rows) for _, rows in watched] == [20, 20, 20]

    def test_are_those_of_some_tickers_of_a_large_one(self, monkeypatch):
        monkeypatch.setattr(training, "MOST_WATCHED", 60)
        watched = training._watched(self.validation(9), 1)
        assert [history.ticker for history, _ in watched] == ["T0", "T3", "T6"]

    def test_are_fewer_where_each_is_watched_several_times(self, monkeypatch):
        monkeypatch.setattr(training, "MOST_WATCHED", 60)
        watched = training._watched(self.validation(3), 3)
        assert [history.ticker for history, _ in watched] == ["T0"]


class TestPartialBars:
    def test_are_learnt_from_and_watched_with_the_targets_of_full_bars(self, monkeypatch):
        seen = {}

        def record(_trainer, _settings, representation, data, targets, watch, *_rest):
            seen.update(data=data, watch=watch, targets=targets, representation=representation)

        monkeypatch.setattr(training, "_epochs", lambda _settings, data, _rng: data)
        monkeypatch.setattr(training, "_run", record)
        fit(replace(SETTINGS, partial_bars=True), HISTORIES, validation_of(sessions=80))
        data, watch = seen["data"], seen["watch"]
        copies = [part.astype(float) for part in np.split(data.inputs, 4)]
        assert all(not np.array_equal(copies[0], part) for part in copies[1:])
        for values in (data.targets, data.ranges, data.left):
            first, *others = np.split(values, 4)
            assert all(np.array_equal(first, part) for part in others)
        assert data.starts.tolist() == [0, *np.cumsum([100, 60] * 4)]
        assert seen["targets"] == (99 + 59, 98 + 58)  # of sessions, not of copies
        plain = Representation.fit("volatility", HISTORIES, partial=True)
        assert seen["representation"].state() == plain.state()
        assert len(watch._encoded) == 8
        for place in (2, 4, 6):
            assert np.array_equal(watch._targets[0], watch._targets[place], equal_nan=True)
            assert not np.array_equal(watch._encoded[0].inputs, watch._encoded[place].inputs)
