from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history

from forecaster.features.bar_features import BAR_FEATURES, bar_features, volume_ratios
from forecaster.features.cross_section import FEWEST, MARKET_STATE_FEATURES
from forecaster.features.event_features import RHYTHM_FEATURES
from forecaster.features.representation import (
    UNTRAINED,
    VOLATILITY_FEATURES,
    Representation,
    _Moments,
)
from forecaster.features.scaling import VolatilityScaling
from forecaster.features.volatility import decay_of
from forecaster.market.bars import history_from_closes

SCALES = ("volatility", "minmax", "standard")
OWN = (*BAR_FEATURES, *RHYTHM_FEATURES)
"""The columns that a history has by itself."""


def columns_of(history, prior=2e-4):
    rows = bar_features(VolatilityScaling(prior).scale(history), prior)
    return dict(zip(OWN, rows.T, strict=True))


def constant(sessions: int, price: float = 7.0):
    days = np.datetime64("2020-01-01") + np.arange(sessions)
    return history_from_closes("FLAT", days, np.full(sessions, price))


class TestFeatures:
    def test_second_session_by_hand(self):
        # previous close 100; open 102, high 105, low 101, close 104; σ before is 0.02
        history = replace(
            history_from_closes("A", ["2020-01-02", "2020-01-03"], [100.0, 104.0]),
            open=np.array([100.0, 102.0]),
            high=np.array([100.0, 105.0]),
            low=np.array([100.0, 101.0]),
            volume=np.array([1000.0, 3000.0]),
        )
        found = {name: values[1] for name, values in columns_of(history, 4e-4).items()}
        assert found["return"] == pytest.approx(np.arcsinh(np.log(1.04) / 0.02), rel=1e-13)
        assert found["return_size"] == pytest.approx(np.log(np.log(1.04) / 0.02 + 0.1), rel=1e-13)
        assert found["body"] == pytest.approx(np.arcsinh(np.log(104 / 102) / 0.02), rel=1e-13)
        assert found["gap"] == pytest.approx(np.arcsinh(np.log(1.02) / 0.02), rel=1e-13)
        assert found["range"] == pytest.approx(np.log(np.log(105 / 101) / 0.02 + 0.1), rel=1e-13)
        # log volumes 0 and ln 3 over 1000, weights λ and 1
        for name, half_life in (("volume_5", 5.0), ("volume_22", 22.0), ("volume_120", 120.0)):
            decay = decay_of(half_life)
            assert found[name] == pytest.approx(np.log(3) - np.log(3) / (1 + decay), rel=1e-12), (
                name
            )

    @pytest.mark.parametrize("sessions", [1, 2, 5, 10, 300])
    def test_every_input_is_a_number(self, sessions):
        history = garch_history("A", sessions, seed=1)
        for kind in (history, close_only(history)):
            rows = np.column_stack(list(columns_of(kind).values()))
            assert rows.shape == (sessions, len(OWN))
            assert np.all(np.isfinite(rows))

    def test_constant_prices_give_numbers(self):
        rows = np.column_stack(list(columns_of(constant(2000)).values()))
        assert np.all(np.isfinite(rows))

    def test_one_gap_of_60_percent_is_cut_to_size(self):
        history = garch_history("A", 800, seed=2)
        fall = np.where(np.arange(800) >= 200, 0.4, 1.0)
        prices = {f: getattr(history, f) * fall for f in ("open", "high", "low", "close")}
        fallen = replace(history, **prices, adjusted_close=history.adjusted_close * fall)
        plain = Representation.fit("volatility", [history])
        inputs = plain.encode(fallen).inputs
        assert np.all(np.isfinite(inputs))
        assert np.abs(inputs).max() <= 6.0
        assert abs(inputs[200, 0]) == 6.0
        # 39 weeks later it is left in the slowest average and in the echoes of quarters alone
        calm = plain.encode(history).inputs
        echoes = {name for name in RHYTHM_FEATURES if name.startswith("event_")}
        slow = [name != "variance_250" and name not in echoes for name in VOLATILITY_FEATURES]
        assert inputs[399, slow] == pytest.approx(calm[399, slow], abs=0.25)
        # and two years later in the slowest average alone
        slow = [name != "variance_250" for name in VOLATILITY_FEATURES]
        assert inputs[799, slow] == pytest.approx(calm[799, slow], abs=0.25)

    def test_log_ranges_are_decaying_means_of_logs(self):
        history = garch_history("A", 90, seed=4)
        m = VolatilityScaling(2e-4).scale(history).measures
        found = columns_of(history)
        logs = 0.5 * np.log(m.session_variance + 0.01 * m.volatility_before**2)
        for half_life in (2.0, 5.0, 22.0):
            decay = 0.5 ** (1.0 / half_life)
            total, weight = 2 * half_life * 0.5 * np.log(2e-4), 2 * half_life
            for t in range(90):
                total, weight = decay * total + logs[t], decay * weight + 1.0
                expected = total / weight - np.log(m.volatility[t])
                column = found[f"log_range_{half_life:g}"]
                assert column[t] == pytest.approx(expected, rel=1e-9, abs=1e-12)

    def test_the_overnight_share_rises_with_gaps(self):
        # the same closes, once moving by night and once by day
        days = np.datetime64("2020-01-01") + np.arange(300)
        closes = np.exp(np.random.default_rng(5).normal(0.0, 0.01, 300).cumsum())
        before = np.concatenate([closes[:1], closes[:-1]])
        plain = history_from_closes("A", days, closes)

        def opened(at):
            high, low = np.maximum(at, closes), np.minimum(at, closes)
            return columns_of(replace(plain, open=at, high=high, low=low), 1e-4)

        night, day = opened(closes), opened(before)
        for name in ("overnight_5", "overnight_22"):
            assert np.exp(2 * night[name][-1]) == pytest.approx(1.02, abs=0.02)
            assert np.exp(2 * day[name][-1]) == pytest.approx(0.02, abs=0.02)
            # without bars it is the usual one
            usual = columns_of(plain, 1e-4)[name]
            assert np.exp(2 * usual) == pytest.approx(np.full(300, 0.27), rel=1e-6)

    def test_a_session_without_a_range_uses_its_return(self):
        history = garch_history("A", 50, seed=3)
        opened = history.open.copy()
        opened[30] = np.nan
        found, full = columns_of(replace(history, open=opened)), columns_of(history)
        assert found["body"][30] == found["return"][30]
        assert found["range"][30] == found["return_size"][30]
        assert found["gap"][30] == 0.0
        for name in ("body", "range", "gap"):
            assert np.array_equal(np.delete(found[name], 30), np.delete(full[name], 30))

    def test_a_session_whose_high_is_below_its_low_has_no_range(self):
        history = garch_history("A", 50, seed=3)
        high, low = history.high.copy(), history.low.copy()
        high[30], low[30] = low[30], high[30]
        unknown = history.high.copy()
        unknown[30] = np.nan
        found = columns_of(replace(history, high=high, low=low))
        expected = columns_of(replace(history, high=unknown))
        for name in OWN:
            assert np.array_equal(found[name], expected[name]), name

    def test_feature_names_are_unique(self):
        assert len(set(VOLATILITY_FEATURES)) == len(VOLATILITY_FEATURES)


class TestVolume:
    def test_unknown_or_nil_volume_counts_as_usual(self):
        found = volume_ratios(np.array([100.0, np.nan, 0.0, 100.0]), (22.0,))[0]
        assert found == pytest.approx([0.0, 0.0, 0.0, 0.0], abs=1e-14)

    def test_gaps_do_not_shift_the_mean(self):
        # known log volumes are 0 and 2; the mean at the end weighs them λ³ and 1
        found = volume_ratios(np.array([1.0, 0.0, np.nan, np.exp(2.0)]), (22.0,))[0]
        decay = decay_of(22.0)
        assert found == pytest.approx([0.0, 0.0, 0.0, 2.0 - 2.0 / (1.0 + decay**3)], abs=1e-13)

    def test_all_missing_gives_zeros(self):
        assert np.array_equal(volume_ratios(np.full(4, np.nan), (22.0,))[0], np.zeros(4))

    def test_volume_that_begins_late_leaves_earlier_sessions_at_zero(self):
        volume = np.array([np.nan] * 40 + [5.0, 50.0])
        found = volume_ratios(volume, (22.0,))[0]
        assert np.array_equal(found[:40], np.zeros(40))
        assert found[40] == pytest.approx(0.0, abs=1e-15)
        assert found[41] > 1.0


class TestRepresentation:
    def test_training_rows_have_mean_0_and_deviation_1(self):
        # one with a shock, or the bumps that follow one would never vary, and one of closes alone
        calm = garch_history("A", 300, seed=1)
        fall, loud = (np.where(np.arange(300) >= 200, 0.8, 1.0), calm.volume.copy())
        loud[200] *= 20.0
        prices = {f: getattr(calm, f) * fall for f in ("open", "high", "low", "close")}
        shaken = replace(calm, **prices, adjusted_close=calm.adjusted_close * fall, volume=loud)
        histories = [shaken, close_only(garch_history("B", 200, seed=2))]
        representation = Representation.fit("volatility", histories)
        rows = np.concatenate(
            [
                bar_features(representation.scaling.scale(h), representation.scaling.prior)
                for h in histories
            ]
        )
        width = rows.shape[1]
        standard = (rows - representation.mean[:width]) / representation.deviation[:width]
        assert standard.mean(axis=0) == pytest.approx(np.zeros(rows.shape[1]), abs=1e-12)
        assert standard.std(axis=0) == pytest.approx(np.ones(rows.shape[1]), abs=1e-12)

    @pytest.mark.parametrize("name", SCALES)
    def test_a_row_depends_on_its_past_alone_to_the_bit(self, name, panel):
        representation = Representation.fit(name, list(panel)[:3])
        for history in panel:
            whole = representation.encode(history)
            for t in range(len(history)):
                part = representation.encode(history.up_to(history.sessions[t]))
                assert np.array_equal(part.inputs, whole.inputs[: t + 1]), (history.ticker, t)

    @pytest.mark.parametrize("name", SCALES)
    def test_a_ticker_never_seen_depends_on_its_past_alone_to_the_bit(self, name, panel):
        representation = Representation.fit(name, list(panel)[:3])
        history = garch_history("NEW", 120, seed=11)
        whole = representation.encode(history)
        for t in range(0, 120, 7):
            part = representation.encode(history.up_to(history.sessions[t]))
            assert np.array_equal(part.inputs, whole.inputs[: t + 1])

    def test_the_unit_of_prices_does_not_matter(self):
        history = garch_history("A", 90, seed=1)
        fields = ("open", "high", "low", "close", "adjusted_close")
        yen = replace(history, **{f: getattr(history, f) * 128.0 for f in fields})
        representation = Representation.fit("volatility", [history])
        assert representation.encode(yen).inputs == pytest.approx(
            representation.encode(history).inputs, abs=1e-6
        )

    @pytest.mark.parametrize("name", SCALES)
    def test_state_survives_json_to_the_bit(self, name, long_history):
        representation = Representation.fit(name, [long_history])
        again = Representation.from_state(json.loads(json.dumps(representation.state())))
        one, two = representation.encode(long_history), again.encode(long_history)
        assert np.array_equal(one.inputs, two.inputs)
        assert np.array_equal(one.scale.targets(3), two.scale.targets(3), equal_nan=True)

    def test_other_features_are_refused(self, long_history):
        state = Representation.fit("volatility", [long_history]).state()
        state["features"] = [*state["features"][:-1], "moon_phase"]
        with pytest.raises(ValueError, match="other input features"):
            Representation.from_state(state)

    @pytest.mark.parametrize("part", ["mean", "deviation"])
    def test_a_state_of_the_wrong_width_is_refused(self, part, long_history):
        state = Representation.fit("volatility", [long_history]).state()
        state[part] = state[part][:-1]
        with pytest.raises(ValueError, match="input features"):
            Representation.from_state(state)

    def test_a_feature_that_never_varied_is_left_alone(self):
        representation = Representation.fit("volatility", [constant(50)])
        assert np.all(representation.deviation > 0)
        assert np.all(np.isfinite(representation.encode(garch_history("A", 50, seed=1)).inputs))

    def test_a_feature_that_never_varied_is_nothing_to_the_network_later(self):
        histories = [garch_history(f"T{i}", 90, seed=i) for i in range(4)]
        silent = [replace(h, volume=np.full(len(h), np.nan)) for h in histories]
        representation = Representation.fit("volatility", silent)
        of_volume = [name.startswith("volume_") for name in representation.features]
        for encoded in representation.encode_all(histories):
            assert np.all(encoded.inputs[:, of_volume] == 0)
            assert np.abs(encoded.inputs).max() > 1.0

    def test_inputs_are_float32(self, long_history):
        for name in SCALES:
            encoded = Representation.fit(name, [long_history]).encode(long_history)
            assert encoded.inputs.dtype == np.float32
            assert encoded.inputs.shape == (
                300,
                len(VOLATILITY_FEATURES) if name == "volatility" else 1,
            )


def crowd(tickers: int = 8, sessions: int = 120, seed: int = 40):
    """Histories of different lengths that end on one day."""
    return [
        garch_history(f"T{i}", sessions - 7 * i, seed=seed + i, last="2018-01-01")
        for i in range(tickers)
    ]


class TestCompanions:
    columns = slice(len(OWN), len(VOLATILITY_FEATURES))

    def test_own_columns_are_those_of_the_history_alone(self):
        histories = crowd()
        representation = Representation.fit("volatility", histories)
        for history, one in zip(histories, representation.encode_all(histories), strict=True):
            alone = representation.encode(history)
            assert np.array_equal(one.inputs[:, : len(OWN)], alone.inputs[:, : len(OWN)])
            assert np.all(alone.inputs[:, self.columns] == 0)
            assert np.array_equal(one.scale.targets(3), alone.scale.targets(3), equal_nan=True)

    def test_their_columns_are_the_last_ones(self):
        representation = Representation.fit("volatility", crowd())
        first, stop = representation.market_state_columns
        assert representation.features[first:stop] == MARKET_STATE_FEATURES
        assert stop == len(representation.features)
        assert Representation.fit("minmax", crowd()).market_state_columns == (0, 0)

    def test_the_flag_stays_0_or_1_and_the_rest_is_standardised_where_known(self):
        histories = crowd()
        representation = Representation.fit("volatility", histories)
        rows = np.concatenate([e.inputs for e in representation.encode_all(histories)])
        found = rows[:, self.columns].astype(float)
        known = found[:, 0] == 1
        assert set(found[:, 0]) == {0.0, 1.0}
        assert np.all(found[~known] == 0)
        assert found[known, 1:].mean(axis=0) == pytest.approx(np.zeros(9), abs=0.05)
        assert found[known, 1:].std(axis=0) == pytest.approx(np.ones(9), abs=0.1)

    def test_fewer_tickers_than_are_needed_are_each_alone(self):
        representation = Representation.fit("volatility", crowd())
        few = crowd()[: FEWEST - 1]
        for history, one in zip(few, representation.encode_all(few), strict=True):
            assert np.array_equal(one.inputs, representation.encode(history).inputs)

    def test_a_model_that_was_trained_without_them_never_sees_them(self):
        # its weights for these columns were never trained
        few = crowd()[: FEWEST - 1]
        representation = Representation.fit("volatility", few)
        again = Representation.from_state(json.loads(json.dumps(representation.state())))
        for one in (representation, again):
            for encoded in one.encode_all(crowd()):
                assert np.all(encoded.inputs[:, self.columns] == 0)
        knowing = Representation.from_state(Representation.fit("volatility", crowd()).state())
        assert np.any(knowing.encode_all(crowd())[0].inputs[:, self.columns] != 0)

    def test_nothing_gives_nothing(self):
        assert Representation.fit("volatility", crowd()).encode_all([]) == []


def test_moments_of_parts_are_those_of_all_rows():
    rows = np.random.default_rng(0).normal(5.0, [1.0, 30.0, 0.0], (100, 3))
    moments = _Moments()
    for part in np.split(rows, [0, 1, 40, 40, 99]):
        moments.add(part)
    mean, deviation = moments.both()
    assert mean == pytest.approx(rows.mean(axis=0), rel=1e-12)
    assert deviation[:2] == pytest.approx(rows.std(axis=0)[:2], rel=1e-12)
    assert deviation[2] == UNTRAINED
