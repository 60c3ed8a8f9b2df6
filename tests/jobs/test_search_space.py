"""What a search varies, and what it tries next."""

from __future__ import annotations

import logging

import optuna
import pytest

from forecaster.errors import SettingsError
from forecaster.jobs.search_space import STARTUP, VALUES, SearchSpace, Told
from forecaster.model.settings import Settings

LENGTHS = [3000, 2500]


def told(values, loss: float | None = 1.0, folds: int = 3, complete: bool = True) -> Told:
    return Told(values, loss, folds, complete)


def searched(space: SearchSpace, trials: int, together: int, loss) -> list[dict]:
    """The values of a search in which each trial has the loss of its values."""
    before: list[Told] = []
    while len(before) < trials:
        count = min(together, trials - len(before))
        before += [told(v, loss(v)) for v in space.proposals(before, count)]
    return [dict(one.values) for one in before]


def by_units(values) -> float:
    return 1.0 + abs((values["units"] or 32) - 96) / 100


class TestValues:
    def test_the_default_of_every_setting_is_among_its_values(self):
        space = SearchSpace.around(Settings(), LENGTHS)
        assert space.values["layers"] == VALUES["layers"]
        assert space.settings(space.first) == Settings()

    def test_none_stands_in_the_place_of_what_it_depends_on(self):
        values = SearchSpace.around(Settings(), LENGTHS).values
        assert values["context"] == (32, None, 128)
        assert values["units"][3] is None
        assert values["batch_size"] == (None, 64, 128)
        assert values["learning_rate"][3:6] == (2e-3, None, 4e-3)
        larger = SearchSpace.around(Settings(batch_size=128), [3000]).values
        assert larger["learning_rate"][4:7] == (3e-3, 4e-3, None)  # twice as large
        assert set(VALUES["batch_size"]) - {*values["batch_size"]} == {32}

    def test_a_default_is_filled_in_by_the_panel(self):
        values = SearchSpace.around(Settings(), [5000] * 60).values
        assert values["batch_size"] == (32, 64, None)

    def test_what_is_set_is_kept(self):
        space = SearchSpace.around(Settings(cell="lstm", units=40), LENGTHS)
        assert set(space.values) == set(VALUES) - {"cell", "units"}
        assert space.settings({"layers": 2}) == Settings(cell="lstm", units=40, layers=2)

    def test_a_value_of_the_base_takes_its_place_among_the_others(self):
        space = SearchSpace.around(
            Settings(units=200, supervise="last"), LENGTHS, ["units", "context"]
        )
        assert space.values["units"] == (*VALUES["units"], 200)
        assert space.values["context"] == (32, None, 64, 128)
        assert space.first == {"units": 200, "context": None}

    def test_a_base_value_of_another_type_is_the_one_in_the_list(self):
        first = SearchSpace.around(Settings(dropout=0), LENGTHS, ["dropout"]).first
        assert type(first["dropout"]) is float

    def test_only_an_rnn_keeps_another_activation(self):
        space = SearchSpace.around(
            Settings(cell="rnn", activation="relu"), LENGTHS, ["cell", "units"]
        )
        assert space.settings({"cell": "gru", "units": 8}).activation == "tanh"
        assert space.settings({"cell": "rnn", "units": 8}).activation == "relu"

    @pytest.mark.parametrize("names", [[], ["unit"], ["units", "seed"], ["horizon"]])
    def test_names_that_cannot_be_searched_are_refused(self, names):
        with pytest.raises(SettingsError, match=r"search names .* learning_rate is needed"):
            SearchSpace.around(Settings(), LENGTHS, names)

    def test_a_base_in_which_all_is_set_leaves_nothing(self):
        every = Settings(
            cell="rnn", layers=2, units=8, dropout=0.0, context=16, batch_size=16,
            learning_rate=1e-3,
        )  # fmt: skip
        with pytest.raises(SettingsError, match="search names nothing"):
            SearchSpace.around(every, LENGTHS)


class TestProposals:
    def test_the_first_is_the_base(self):
        space = SearchSpace.around(Settings(units=96), LENGTHS)
        assert space.proposals([], 3)[0] == space.first

    def test_a_seed_gives_the_same_and_another_one_others(self):
        one, other = (SearchSpace.around(Settings(seed=seed), LENGTHS) for seed in (0, 1))
        assert searched(one, 12, 4, by_units) == searched(one, 12, 4, by_units)
        assert searched(one, 12, 4, by_units) != searched(other, 12, 4, by_units)

    def test_fewer_proposals_are_the_first_of_more(self):
        space = SearchSpace.around(Settings(), LENGTHS)
        before = [told(v) for v in space.proposals([], 4)]
        assert space.proposals(before, 1) == space.proposals(before, 4)[:1]

    def test_nothing_is_tried_twice_and_a_small_space_is_tried_whole(self):
        space = SearchSpace.around(Settings(), LENGTHS, ["layers", "context"])
        made = searched(space, space.size, 3, lambda values: values["layers"])
        assert space.size == 6
        assert len({tuple(values.items()) for values in made}) == 6
        assert space.proposals([told(values) for values in made], 4) == []

    def test_the_sampler_learns_from_losses(self):
        space = SearchSpace.around(Settings(), LENGTHS)
        late = searched(space, STARTUP + 16, 4, by_units)[STARTUP:]
        assert sum((values["units"] or 32) >= 64 for values in late) > len(late) * 0.8

    def test_it_learns_from_what_diverged(self):
        space = SearchSpace.around(Settings(), LENGTHS, ["learning_rate", "units", "dropout"])

        def loss(values) -> float | None:
            return (
                None if (values["learning_rate"] or 3e-3) > 3e-3 else 1.0 - values["dropout"] / 100
            )

        before: list[Told] = []
        while len(before) < 40:
            for values in space.proposals(before, 4):
                diverged = loss(values) is None
                before.append(told(values, loss(values), 0 if diverged else 3, not diverged))
        late = before[-20:]
        assert sum(one.loss is None for one in late) < len(late) * 0.3

    def test_optuna_is_as_loud_after_it_as_before(self, caplog):
        before = optuna.logging.get_verbosity()
        with caplog.at_level(logging.DEBUG):
            SearchSpace.around(Settings(), LENGTHS).proposals([], 2)
        assert optuna.logging.get_verbosity() == before
        assert caplog.records == []
