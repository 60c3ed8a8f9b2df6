"""What each input is worth: the loss of a forecast whose input is shuffled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only
from test_explain import KINDS, LEVELS, LONG, carded, model_of

from forecaster.features.representation import LEVEL_FEATURES, VOLATILITY_FEATURES
from forecaster.features.scaling import future_log_returns
from forecaster.jobs.importance import GROUPS, REPEATS, group_of, importance, scored_rows
from forecaster.model.numpy_rnn import Head, forward_last


def reading_only(model, name: str):
    """The model with a network that reads one input, at the last session and directly."""
    network, features = model.network, model.representation.features
    kernel = np.zeros_like(network.head.kernel)
    place = model.settings.units + features.index(name)
    kernel[place, model.settings.horizon :] = 0.7  # the spreads
    head = Head(kernel, np.zeros_like(network.head.bias), network.head.gaps)
    return replace(model, network=replace(network, head=head))


class TestImportance:
    def test_every_input_is_in_one_group(self):
        for feature in (*VOLATILITY_FEATURES, *LEVEL_FEATURES):
            homes = [
                group
                for group, names in GROUPS.items()
                if any(feature == n or (n[-1] == "_" and feature.startswith(n)) for n in names)
            ]
            assert homes == [group_of(feature)], feature
        assert group_of("return_size") == "ranges and volatility"
        assert group_of("since_event_now") == "news rhythm"
        with pytest.raises(ValueError, match="no group"):
            group_of("moon")

    def test_inputs_that_the_network_does_not_read_are_worth_nothing(self):
        model = reading_only(model_of(), "variance_5")
        found = importance(model, LONG, step=1, seed=0, one_by_one=True)
        others = [g for g in found.groups if g.name != "ranges and volatility"]
        assert {g.name: g.loss_percent for g in others} == {
            "returns": 0.0, "volume": 0.0, "weekday and month": 0.0, "news rhythm": 0.0,
            "other tickers": None,
        }  # fmt: skip
        assert found.groups[0].name == "ranges and volatility"
        alone = {g.name: g.loss_percent for g in found.inputs}
        assert abs(alone.pop("variance_5")) > 1.0
        assert {v for v in alone.values() if v is not None} == {0.0}
        assert alone["companions_move"] is None

    @pytest.mark.parametrize("kind", ["gru", "rnn on windows", "minmax"])
    def test_the_loss_is_that_of_shuffled_inputs_one_by_one(self, kind):
        model = model_of(**KINDS[kind])
        found = importance(model, LONG, step=2, seed=5, one_by_one=False)
        part, rows = scored_rows(model, LONG, 2)
        assert (part, found.sessions) == (found.part, len(rows))
        encoded = model.representation.encode(LONG)
        context = model.settings.context_length
        first = max(rows[0] - context + 1, 0)
        read = rows[-1] + 1 - first

        def loss(inputs):
            total = 0.0
            for row in rows:
                # a causal network reads a session's stretch with at least half its context
                window = inputs[max(row - context + 1, 0) : row + 1]
                made = forward_last(model.network, window[None])
                returns = encoded.scale.log_returns(made, np.array([row]))[0, 1]
                actual = future_log_returns(LONG, 2)[row, 1]
                for q, value in zip(LEVELS, returns, strict=True):
                    total += max(q * (actual - value), (q - 1) * (actual - value))
            return total / len(rows) / len(LEVELS)

        base = loss(encoded.inputs)
        exact = model.settings.supervise == "last"
        assert found.pinball == pytest.approx(base, rel=1e-5 if exact else 2e-2)
        gain = found.groups[0]
        columns = [model.representation.features.index(f) for f in gain.inputs]
        orders = np.random.default_rng(5).permuted(np.tile(np.arange(read), (REPEATS, 1)), axis=1)
        grown = []
        for order in orders:
            inputs = encoded.inputs.copy()
            inputs[first : rows[-1] + 1, columns] = inputs[first : rows[-1] + 1, columns][order]
            grown.append(100 * (loss(inputs) / base - 1))
        tolerance = {"rel": 1e-3} if exact else {"rel": 0.1, "abs": 0.3}
        assert gain.loss_percent == pytest.approx(np.mean(grown), **tolerance)
        assert gain.spread_points == pytest.approx(np.std(grown), **tolerance)

    def test_the_seed_decides(self):
        model = model_of()
        one, same, other = (
            importance(model, LONG, step=1, seed=s, one_by_one=False) for s in (0, 0, 1)
        )
        assert one == same
        assert one != other
        assert one.pinball == other.pinball

    def test_an_input_that_does_not_vary_is_not_called_unimportant(self):
        found = importance(model_of(), close_only(LONG), step=1, seed=0, one_by_one=False)
        assert {g.name for g in found.groups if g.loss_percent is None} == {
            "volume",
            "other tickers",
        }

    def test_sessions_after_training_come_first_then_those_held_out_then_the_last_year(self):
        day = [str(d) for d in LONG.sessions]
        cases = [
            (carded(model_of(), day[300]), "unseen", 301, 418),
            (carded(model_of(), day[419], day[350]), "held out", 350, 418),
            (carded(model_of(), day[330], day[350]), "unseen", 331, 418),  # not refitted
            (carded(model_of(), day[410]), "seen", 169, 418),
        ]
        for model, part, first, last in cases:
            found, rows = scored_rows(model, LONG, 1)
            assert (found, rows[0], rows[-1]) == (part, first, last)
            assert len(rows) == last - first + 1

    def test_windows_are_scored_on_fewer_sessions_evenly_spread(self):
        _, rows = scored_rows(carded(model_of(supervise="last"), str(LONG.cutoff)), LONG, 1)
        assert len(rows) == 40
        assert (rows[0], rows[-1]) == (169, 418)
        assert np.ptp(np.diff(rows)) <= 1
