"""Gradients that travel back: measured by Keras, held to the textbook and to finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, random_model

from forecaster.errors import DataError, SettingsError
from forecaster.features.sequences import Batch
from forecaster.jobs.gradients import factor_per_step, measure_gradients, word_for
from forecaster.market.bars import Panel
from forecaster.model.gradients import (
    _norms_by_lag,
    input_gradients,
    linear_unit_gradients,
    training_step,
)
from forecaster.model.numpy_rnn import forward_last
from forecaster.model.optimisation import step_weights
from forecaster.model.settings import Settings

ACME = garch_history("ACME", 90, seed=1)
LEVELS = (0.1, 0.5, 0.9)


def model_of(size: float = 0.4, **more):
    settings = {"units": 3, "horizon": 2, "quantiles": LEVELS, "context": 32, **more}
    return random_model(Settings(**settings), Panel((ACME,)), size=size)


class TestFactor:
    def test_it_is_the_base_of_a_power(self):
        assert factor_per_step(3.0 * 0.7 ** np.arange(30)) == pytest.approx(0.7)

    def test_a_few_wild_norms_and_the_last_session_decide_nothing(self):
        norms = 0.9 ** np.arange(40.0)
        norms[[0, 7, 39]] = 1e6
        assert factor_per_step(norms) == pytest.approx(0.9, rel=1e-2)

    def test_what_has_vanished_to_nothing_is_zero_and_what_overflowed_is_infinite(self):
        assert factor_per_step(np.array([1.0, 1e-40, 0.0, 0.0])) == 0.0
        assert factor_per_step(np.array([1.0, 1e38, np.inf])) == np.inf
        assert factor_per_step(np.array([1.0, 1e38, np.nan])) == np.inf
        # a weight of 0.1 in float32
        norms = np.where(np.arange(60) < 45, 0.1 ** np.arange(60.0), 0.0)
        assert factor_per_step(norms) == pytest.approx(0.1, rel=0.01)
        # it grew for a while, and nothing came through in the end
        norms = np.where(np.arange(80) < 40, 1.2 ** np.arange(80.0), 0.0)
        assert word_for(factor_per_step(norms)) == "vanishes"

    @pytest.mark.parametrize(
        ("factor", "word"),
        [(0.0, "vanishes"), (0.5, "vanishes"), (0.911, "vanishes"), (0.913, "steady"),
         (1.0, "steady"), (1.095, "steady"), (1.097, "explodes"), (2.0, "explodes"),
         (1e300, "explodes"), (np.inf, "explodes")],
    )  # fmt: skip
    def test_words_are_for_a_hundredfold_over_fifty_steps(self, factor, word):
        assert word_for(factor) == word


@pytest.mark.network
class TestTextbook:
    def test_a_weight_of_2_explodes_as_2_to_the_k(self):
        norms = linear_unit_gradients(2.0, 50)
        assert norms == pytest.approx(2.0 ** np.arange(51), rel=1e-6)
        assert norms[50] == pytest.approx(1.125899906842624e15, rel=1e-6)
        assert factor_per_step(norms) == pytest.approx(2.0)

    def test_a_weight_of_a_half_vanishes_as_a_half_to_the_k(self):
        norms = linear_unit_gradients(0.5, 50)
        assert norms == pytest.approx(0.5 ** np.arange(51), rel=1e-6)
        assert norms[50] == pytest.approx(8.881784197001252e-16, rel=1e-6)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("weight", [2.0, 0.5])
    def test_a_thousand_steps_neither_overflow_nor_get_lost(self, weight):
        norms = linear_unit_gradients(weight, 1000)
        assert norms[1000] == weight**1000
        assert factor_per_step(norms) == pytest.approx(weight)

    def test_a_weight_of_1_stays_and_a_sign_does_not_matter(self):
        assert linear_unit_gradients(1.0, 20) == pytest.approx(np.ones(21), rel=1e-12)
        assert linear_unit_gradients(-1.1, 20) == pytest.approx(1.1 ** np.arange(21), rel=1e-9)


def windows_of(model, steps: int, count: int = 3) -> Batch:
    rng = np.random.default_rng(0)
    features, horizon = len(model.representation.features), model.settings.horizon
    shape = (count, horizon)
    return Batch(
        inputs=rng.normal(size=(count, steps, features)).astype(np.float32),
        targets=rng.normal(size=shape).astype(np.float32),
        ranges=rng.normal(0, 0.3, shape).astype(np.float32),
        weights=np.ones(shape, dtype=np.float32),
    )


def loss_of(model, batch: Batch, inputs: np.ndarray) -> np.ndarray:
    """Each window's pinball loss from the numpy engine, ``(B,)``."""
    made = forward_last(model.network, inputs).astype(np.float64)
    error = batch.targets[..., None] - made
    levels = np.asarray(LEVELS)
    pinball = np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)
    return (pinball * step_weights(model.settings.horizon)).sum(axis=-1) / model.settings.horizon


@pytest.mark.network
@pytest.mark.parametrize(
    "kind",
    [{"cell": "rnn"}, {"cell": "lstm"}, {"cell": "gru", "layers": 2},
     {"cell": "gru", "supervise": "last", "bidirectional": True}],
    ids=["rnn", "lstm", "gru", "both ways"],
)  # fmt: skip
def test_norms_are_those_of_finite_differences(kind):
    # price levels have one input and no ranges in the loss
    model = model_of(scale="minmax", size=0.8, **kind)
    batch = windows_of(model, steps=7)
    norms = input_gradients(model.network, model.settings, 1, batch)
    by_hand = np.zeros((len(batch.inputs), 7))
    for t in range(7):
        moved = [batch.inputs.copy() for _ in range(2)]
        moved[0][:, t, 0] += 2e-3
        moved[1][:, t, 0] -= 2e-3
        up, down = (loss_of(model, batch, inputs) for inputs in moved)
        by_hand[:, t] = (up - down) / 4e-3
    expected = np.abs(by_hand).mean(axis=0)[::-1]
    assert norms == pytest.approx(expected, rel=0.03, abs=2e-4)
    assert norms[1] > 1e-3  # there is something to compare


@pytest.fixture(scope="module")
def found():
    return measure_gradients(model_of(), ACME, cells=("rnn", "gru"), lags=20)


@pytest.mark.network
class TestRows:
    def test_the_models_cell_is_shown_trained_and_as_it_starts_others_as_they_start(self, found):
        assert [(r.name, r.weights) for r in found.rows] == [
            ("rnn", "initial"), ("gru", "initial"), ("gru", "trained"),
            ("unit × 2", "textbook"), ("unit × 0.5", "textbook"),
        ]  # fmt: skip
        assert all(len(r.norms) == 21 for r in found.rows)
        assert [r.word for r in found.rows[-2:]] == ["explodes", "vanishes"]
        assert found.rows[-2].factor == pytest.approx(2.0)
        assert found.stepped == "gru, trained"
        assert found.windows == 64  # of 69 with a target

    def test_the_same_model_gives_the_same_numbers(self, found):
        again = measure_gradients(model_of(), ACME, cells=("rnn", "gru"), lags=20)
        for one, other in zip(found.rows, again.rows, strict=True):
            assert np.array_equal(one.norms, other.norms)
        assert (found.usual, found.burst) == (again.usual, again.burst)

    def test_large_recurrent_weights_reach_further_back_than_small_ones(self):
        factors = []
        for scale in (0.1, 0.5, 3.0):
            model = model_of(cell="rnn", activation="relu", size=0.3)
            (layer,) = model.network.layers
            # all units stay switched on, and a state passes on whatever the input is
            cell = replace(
                layer.forward,
                recurrent=scale * np.eye(3, dtype=np.float32),
                bias=np.full(3, 9, np.float32),
            )
            network = replace(model.network, layers=(replace(layer, forward=cell),))
            norms = input_gradients(
                network, model.settings, len(model.representation.features), windows_of(model, 12)
            )
            factors.append(factor_per_step(norms))
        assert factors == pytest.approx([0.1, 0.5, 3.0], rel=0.05)

    def test_an_overflow_explodes(self):
        model = model_of(cell="rnn", activation="relu", size=0.3)
        (layer,) = model.network.layers
        cell = replace(layer.forward, recurrent=np.full((3, 3), 9.0, np.float32))
        network = replace(model.network, layers=(replace(layer, forward=cell),))
        found = measure_gradients(replace(model, network=network), ACME, cells=("rnn",), lags=80)
        trained = found.rows[1]
        assert not np.all(np.isfinite(trained.norms))
        assert (trained.factor, trained.word) == (np.inf, "explodes")

    def test_other_cells_are_trained_on_request(self):
        found = measure_gradients(model_of(), ACME, cells=("lstm", "gru"), lags=5, epochs=1)
        assert [(r.name, r.weights) for r in found.rows[:4]] == [
            ("lstm", "initial"), ("lstm", "trained here"), ("gru", "initial"), ("gru", "trained"),
        ]  # fmt: skip
        assert not np.array_equal(found.rows[0].norms, found.rows[1].norms)

    @pytest.mark.parametrize(
        "kind",
        [{"scale": "standard"}, {"supervise": "last", "bidirectional": True},
         {"quantiles": (0.5,)}, {"horizon": 60}],
    )  # fmt: skip
    def test_models_of_every_kind(self, kind):
        found = measure_gradients(model_of(**kind), ACME, cells=("gru",), lags=10)
        assert all(np.all(np.isfinite(r.norms)) for r in found.rows)
        both = any("both ways" in n.message for n in found.notes)
        assert both == bool(kind.get("bidirectional"))

    def test_lags_beyond_the_context_are_remarked(self):
        assert any("reads 32 sessions" in n.message for n in
                   measure_gradients(model_of(), ACME, cells=("rnn",), lags=32).notes)  # fmt: skip
        assert not measure_gradients(model_of(), ACME, cells=("rnn",), lags=31).notes


LIMITS = (("none", None), ("norm", 0.01), ("value", 0.001))


@pytest.fixture(scope="module")
def steps():
    model = model_of(learning_rate=0.01)
    features = len(model.representation.features)
    rng = np.random.default_rng(1)
    shape = (4, 12, 2)
    batch = Batch(
        inputs=rng.normal(size=(4, 12, features)).astype(np.float32),
        targets=rng.normal(size=shape).astype(np.float32),
        ranges=np.zeros(shape, dtype=np.float32),
        weights=np.ones(shape, dtype=np.float32),
    )
    return training_step(model.network, model.settings, features, batch, LIMITS)


@pytest.mark.network
class TestClipping:
    def test_without_clipping_the_plain_step_is_the_gradient_times_the_rate(self, steps):
        for row in (steps[0][0], steps[1][0]):
            assert row.after == pytest.approx(row.before, rel=1e-4)
            assert row.plain == pytest.approx(0.01 * row.before, rel=1e-4)
        assert steps[1][0].before == pytest.approx(100 * steps[0][0].before, rel=1e-5)

    def test_a_norm_is_cut_to_its_limit(self, steps):
        for row in (steps[0][1], steps[1][1]):
            assert row.before > 0.01
            assert row.after == pytest.approx(0.01, rel=1e-3)
            assert row.plain == pytest.approx(1e-4, rel=1e-3)

    def test_a_value_is_cut_to_its_limit(self, steps):
        usual, burst = steps[0][2], steps[1][2]
        assert usual.after < usual.before
        assert usual.after <= burst.after
        count = model_of().network.weight_count
        assert burst.after <= 0.001 * np.sqrt(count) * (1 + 1e-4)
        assert burst.after > 0.0005 * np.sqrt(count * 0.3)

    def test_an_ordinary_step_of_adam_is_as_long_as_its_rate_whatever_the_limit(self, steps):
        count = model_of().network.weight_count
        for row in steps[0]:
            assert 0.3 * 0.01 * np.sqrt(count) < row.adam < 1.01 * 0.01 * np.sqrt(count)

    def test_a_limit_that_is_not_reached_changes_nothing(self):
        found = measure_gradients(model_of(), ACME, cells=("gru",), lags=5, clip_norm=1e6)
        none, norm = found.usual
        assert norm.limit == 1e6
        assert norm.after == pytest.approx(none.after, rel=1e-6)

    def test_the_limits_asked_for_are_shown_or_the_models_own(self):
        model = model_of(clip_value=0.2)
        own = measure_gradients(model, ACME, cells=("gru",), lags=5)
        assert [(r.clipping, r.limit) for r in own.usual] == [("none", None), ("value", 0.2)]
        asked = measure_gradients(
            model, ACME, cells=("gru",), lags=5, clip_norm=0.1, clip_value=0.3
        )
        assert [r.limit for r in asked.burst] == [None, 0.1, 0.3]

    def test_without_the_models_cell_the_first_one_steps_as_it_starts(self):
        found = measure_gradients(model_of(), ACME, cells=("lstm", "rnn"), lags=5)
        assert found.stepped == "lstm, initial"


@pytest.mark.parametrize(
    ("bars", "lags", "advice"),
    [
        (30, 50, "longer history, or lags 28."),
        (4, 3, "longer history, or lags 2."),
        (3, 50, "longer history, or one of 4 bars and lags 2."),
        (2, 3, "longer history, or one of 4 bars and lags 2."),
        (3, 2, "longer history."),
    ],
)
def test_a_history_shorter_than_the_lags_is_refused(bars, lags, advice):
    said = f"ACME has {bars} bars; to look {lags} sessions back, {lags + 2} are needed. Give a "
    with pytest.raises(DataError) as refused:
        measure_gradients(model_of(), ACME.slice(0, bars), lags=lags)
    assert str(refused.value) == said + advice


@pytest.mark.network
def test_the_shortest_history_with_the_fewest_lags_is_measured():
    assert measure_gradients(model_of(), ACME.slice(0, 4), cells=("rnn",), lags=2).windows == 1


@pytest.mark.network
def test_a_history_as_long_as_the_lags_ask_for_is_enough():
    assert measure_gradients(model_of(), ACME.slice(0, 12), cells=("rnn",), lags=10).windows == 1
    with pytest.raises(DataError, match="12 are needed"):
        measure_gradients(model_of(), ACME.slice(0, 11), cells=("rnn",), lags=10)


def test_one_bar_is_not_several():
    with pytest.raises(DataError, match="ACME has 1 bar; to look"):
        measure_gradients(model_of(), ACME.slice(0, 1), lags=2)


@pytest.mark.filterwarnings("error")
def test_norms_of_any_size_are_measured():
    size = np.array([0.0, 1e-320, 1e-200, 1.0, 1e200, np.inf, np.nan])
    made = _norms_by_lag(np.array([3.0, 4.0]) * size[None, ::-1, None])
    assert made == pytest.approx(5.0 * size, rel=1e-3, nan_ok=True)


@pytest.mark.parametrize("lags", [1, 1001])
def test_lags_out_of_range_are_refused(lags):
    with pytest.raises(SettingsError, match=f"lags is {lags}"):
        measure_gradients(model_of(), ACME, lags=lags)


@pytest.mark.network
def test_another_backend_is_refused(monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(SettingsError, match="KERAS_BACKEND is jax"):
        linear_unit_gradients(2.0, 5)
