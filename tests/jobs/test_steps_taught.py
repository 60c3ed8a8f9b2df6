"""No step is forecast that nothing taught."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.errors import DataError
from forecaster.evaluation.folds import split_panel
from forecaster.features.representation import Representation
from forecaster.features.sequences import TrainingSet
from forecaster.jobs.train import FEW_TARGETS, train
from forecaster.market.bars import Panel
from forecaster.model.artifact import from_bytes, to_bytes
from forecaster.model.settings import Settings
from forecaster.model.training import targets_by_step


def panel(*lengths: int) -> Panel:
    return Panel(tuple(garch_history(f"T{n}", n, seed=n) for n in lengths))


def settings(horizon: int) -> Settings:
    return Settings(units=2, horizon=horizon, context=8, epochs=1, quantiles=(0.1, 0.5, 0.9))


class TestCounts:
    @pytest.mark.parametrize("scale", ["volatility", "minmax", "standard"])
    def test_are_those_of_the_training_set(self, scale):
        made = panel(60, 41, 12)
        encoded = Representation.fit(scale, made.histories).encode_all(made.histories)
        data = TrainingSet.of(encoded, [60, 41, 12], 30)
        known = data.known(np.arange(60 + 41 + 12)).sum(axis=0)
        assert targets_by_step([60, 41, 12], 30) == tuple(known)

    def test_by_hand(self):
        assert targets_by_step([3, 5], 4) == (2 + 4, 1 + 3, 2, 1)

    @pytest.mark.parametrize(
        ("lengths", "longest"), [((196,), 195), ((40, 100), 99), ((250,), 249)]
    )
    def test_a_step_without_a_target_is_refused(self, lengths, longest):
        with pytest.raises(DataError) as raised:
            targets_by_step(lengths, 250)
        assert f"nothing teaches the steps after {longest}" in str(raised.value)
        assert str(raised.value).endswith(f"or horizon {longest}.")
        assert targets_by_step(lengths, longest)[-1] == 1

    def test_a_bar_is_no_target(self):
        with pytest.raises(DataError, match="add sessions"):
            targets_by_step([1, 1], 1)


class TestSplit:
    @pytest.mark.parametrize(("n", "horizon"), [(300, 150), (300, 250), (196, 60), (700, 200)])
    def test_a_part_is_held_out_only_where_all_steps_are_taught_without_it(self, n, horizon):
        made = panel(n)
        split = split_panel(made, horizon)
        fitted = int(np.searchsorted(made.sessions, split.fit_end)) + 1
        assert targets_by_step([fitted], horizon)[-1] >= 1

    def test_short_horizons_are_split_as_ever(self):
        made = panel(200)
        split = split_panel(made, 5)
        assert split.test_from is not None
        assert split.valid_from is not None


class TestTraining:
    def test_is_refused(self):
        with pytest.raises(DataError, match="horizon is 250, and nothing teaches the steps after"):
            train(panel(196), settings(250), name="m")

    @pytest.mark.network
    def test_few_targets_are_said_and_counted_in_the_card(self):
        made = train(panel(196), settings(150), name="m")
        (note,) = [note for note in made.notes if "was learned from" in note.message]
        assert "step 150 was learned from 46 targets, step 96 from 100 or more" in note.message
        assert note.message.endswith("Give longer histories, or horizon 96.")
        card = from_bytes(to_bytes(made.model), "m").card
        assert card.targets_by_step == tuple(range(195, 45, -1))
        assert card.targets == 195

    @pytest.mark.network
    def test_where_no_step_has_enough_no_horizon_is_advised(self):
        made = train(panel(50), settings(2), name="m")
        (note,) = [note for note in made.notes if "was learned from" in note.message]
        assert "no step from 100 or more" in note.message
        assert note.message.endswith("Give longer histories.")

    @pytest.mark.network
    def test_enough_are_nothing_to_say(self):
        made = train(panel(140), settings(3), name="m")
        assert made.model.card.targets_by_step[-1] >= FEW_TARGETS
        assert not [note for note in made.notes if "was learned from" in note.message]
