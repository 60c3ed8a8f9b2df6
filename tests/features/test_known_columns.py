"""Inputs that tell what is known of bars, those that training never saw, and files of before."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history

from forecaster.features.bar_features import BAR_FEATURES, KNOWN_FEATURES, bar_features
from forecaster.features.event_features import RHYTHM_FEATURES
from forecaster.features.representation import (
    FIRST_FEATURES,
    VOLATILITY_FEATURES,
    Representation,
)
from forecaster.features.scaling import VolatilityScaling
from forecaster.model.card import RepresentationState

PANEL = [garch_history(f"T{i}", 120 - 10 * i, seed=i) for i in range(4)]


def columns(inputs, *starts):
    """The columns whose names start like one of these."""
    return inputs[:, [name.startswith(starts) for name in VOLATILITY_FEATURES]]


class TestKnown:
    def shares(self, history):
        rows = bar_features(VolatilityScaling(2e-4).scale(history), 2e-4)
        named = dict(zip((*BAR_FEATURES, *RHYTHM_FEATURES), rows.T, strict=True))
        return [named[name] for name in KNOWN_FEATURES]

    def test_is_one_where_everything_always_was_and_zero_where_nothing_was(self):
        assert self.shares(PANEL[0]) == [pytest.approx(np.ones(120))] * 2
        assert np.array_equal(self.shares(close_only(PANEL[0])), np.zeros((2, 120)))

    def test_is_a_decaying_mean_of_22_sessions(self):
        opened, volume = PANEL[0].open.copy(), PANEL[0].volume.copy()
        opened[[0, 40, 41]] = np.nan
        volume[50:60], volume[60:70] = np.nan, 0.0
        found = self.shares(replace(PANEL[0], open=opened, volume=volume))
        for share, known in zip(found, (np.isfinite(opened), volume > 0), strict=True):
            total = weight = 0.0
            for t in range(120):
                total = 0.5 ** (1 / 22) * total + known[t]
                weight = 0.5 ** (1 / 22) * weight + 1.0
                assert share[t] == pytest.approx(total / weight, rel=1e-12)


class TestVaryingTooLittle:
    @pytest.mark.parametrize(("late", "reaches"), [(3, False), (60, True)])
    def test_in_training_makes_them_nothing_to_the_network_later(self, late, reaches):
        # the ranges of some first sessions in one history of two
        opened = PANEL[0].open.copy()
        opened[:late] = np.nan
        trained = Representation.fit("volatility", [replace(PANEL[0], open=opened), PANEL[1]])
        inputs = trained.encode(close_only(PANEL[2])).inputs
        assert bool(np.abs(columns(inputs, "range_known")).max() > 1.0) is reaches
        assert np.all(columns(inputs, "volume_known") == 0)

    def test_survive_the_limits_of_a_model_file(self):
        state = Representation.fit("volatility", [close_only(PANEL[0])]).state()
        RepresentationState.model_validate(json.loads(json.dumps(state)))


class TestModelsOfBefore:
    def test_have_their_own_columns_to_the_bit(self):
        trained = Representation.fit("volatility", PANEL)
        state, kept = trained.state(), np.isin(VOLATILITY_FEATURES, FIRST_FEATURES)
        assert len(FIRST_FEATURES) == len(VOLATILITY_FEATURES) - 2
        state["features"] = list(FIRST_FEATURES)
        for name in ("mean", "deviation"):
            state[name] = np.array(state[name])[kept].tolist()
        before = Representation.from_state(json.loads(json.dumps(state)))
        assert before.features == FIRST_FEATURES
        assert before.state() == state
        first, stop = before.market_state_columns
        assert stop - first == 10
        assert before.features[first] == "companions_known"
        for one, two in zip(before.encode_all(PANEL), trained.encode_all(PANEL), strict=True):
            assert np.array_equal(one.inputs, two.inputs[:, kept])
            assert one.inputs.flags.c_contiguous  # or sums over them would round otherwise

    @pytest.mark.parametrize(
        "features",
        [
            FIRST_FEATURES[1:],
            FIRST_FEATURES[::-1],
            (*FIRST_FEATURES[:-1], "moon_phase"),
            ("return", *FIRST_FEATURES[:-1]),
            (*FIRST_FEATURES, "range_known"),
            ("price",),
        ],
    )
    def test_with_other_columns_are_refused(self, features):
        state = Representation.fit("volatility", PANEL).state()
        state |= {"features": list(features)}
        state |= {name: [1.0] * len(features) for name in ("mean", "deviation")}
        with pytest.raises(ValueError, match="other input features"):
            Representation.from_state(state)
