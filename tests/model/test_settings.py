from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from forecaster.errors import Message, SettingsError
from forecaster.model.settings import Settings


def test_defaults_work_together():
    settings = Settings()
    assert (settings.cell, settings.supervise, settings.scale) == ("gru", "prefixes", "volatility")
    assert (settings.context_length, settings.horizon) == (64, 20)
    assert settings.norm_limit == 1.0


def test_windows_are_shorter_by_default():
    assert Settings(supervise="last").context_length == 60
    assert Settings(supervise="last", context=7).context_length == 7
    assert Settings(context=1).context_length == 1


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"cell": "transformer"}, "cell"),
        ({"activation": "gelu"}, "activation"),
        ({"supervise": "none"}, "supervise"),
        ({"windows": "all"}, "windows"),
        ({"scale": "log"}, "scale"),
        ({"bidirectional": "yes"}, "bidirectional"),
        ({"partial_bars": 1}, "partial_bars"),
        ({"layers": 0}, "layers"),
        ({"layers": 9}, "layers"),
        ({"units": 0}, "units"),
        ({"units": 2.5}, "units"),
        ({"dropout": 0.95}, "dropout"),
        ({"dropout": -0.1}, "dropout"),
        ({"dropout": math.nan}, "dropout"),
        ({"horizon": 0}, "horizon"),
        ({"horizon": 251}, "horizon"),
        ({"context": 0}, "context"),
        ({"context": 5000}, "context"),
        ({"context": 2.5}, "context"),
        ({"epochs": 0}, "epochs"),
        ({"patience": 0}, "patience"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": math.inf}, "learning_rate"),
        ({"clip_norm": -1.0}, "clip_norm"),
        ({"clip_norm": math.nan}, "clip_norm"),
        ({"clip_value": -1.0}, "clip_value"),
        ({"seed": -1}, "seed"),
        ({"quantiles": ()}, "quantiles"),
        ({"quantiles": (0.5, 0.5)}, "quantiles"),
        ({"quantiles": (0.9, 0.1)}, "quantiles"),
        ({"quantiles": (0.0, 0.5)}, "quantiles"),
        ({"quantiles": (0.5, 1.0)}, "quantiles"),
        ({"quantiles": (0.1, math.nan)}, "quantiles"),
        ({"quantiles": 0.5}, "quantiles"),
        ({"units": np.float64(8)}, "units"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_its_name(wrong, name):
    with pytest.raises(SettingsError) as refused:
        Settings(**wrong)
    assert str(refused.value).startswith(f"{name} is ")
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("units", np.int64(8), 8),
        ("dropout", np.float32(0.25), 0.25),
        ("partial_bars", np.bool_(True), True),
        ("quantiles", np.array([0.1, 0.5]), (0.1, 0.5)),
        ("quantiles", [0.1, 0.5], (0.1, 0.5)),
    ],
)
def test_values_of_numpy_and_lists_become_plain(name, value, plain):
    settings = Settings(**{name: value})
    assert getattr(settings, name) == plain
    assert type(getattr(settings, name)) is type(plain)
    assert settings == Settings(**{name: plain})


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({}, "clip_norm"),
        ({"clip_norm": 0.1}, "clip_norm"),
        ({"clip_norm": 0.0}, "give clip_norm 1"),
        ({"clip_value": 5.0}, "clip_value"),
        ({"clip_value": 5.0, "clip_norm": 0.0}, "clip_value"),
    ],
)
def test_the_advice_on_clipping_can_be_followed(given, advice):
    assert Message(Settings(**given).clipping_advice) == advice


def test_reading_backwards_needs_whole_windows():
    assert Settings(bidirectional=True, supervise="last").bidirectional
    with pytest.raises(SettingsError, match="supervise last"):
        Settings(bidirectional=True)


def test_only_rnn_has_a_choice_of_activation():
    assert Settings(cell="rnn", activation="relu").activation == "relu"
    with pytest.raises(SettingsError, match="only rnn"):
        Settings(cell="gru", activation="relu")


def test_price_levels_lack_nothing_where_bars_are_partial():
    assert Settings(partial_bars=True).partial_bars
    with pytest.raises(SettingsError, match="partial_bars was given with scale minmax"):
        Settings(partial_bars=True, scale="minmax")


def test_a_setting_that_came_later_is_said_where_it_was_chosen():
    # a model's id covers the state, and must not change with the version that reads its file
    plain, chosen = Settings(), Settings(partial_bars=True)
    assert set(plain.state()) == set(asdict(plain)) - {"partial_bars"}
    assert chosen.state() == {**plain.state(), "partial_bars": True}
    assert [Settings.from_state(s.state()) for s in (plain, chosen)] == [plain, chosen]


class TestClipping:
    def test_is_by_norm_one_unless_said_otherwise(self):
        assert Settings().norm_limit == 1.0
        assert Settings(clip_norm=0.0).norm_limit == 0.0
        assert Settings(clip_norm=5.0).norm_limit == 5.0

    def test_by_value_replaces_the_default_by_norm(self):
        assert Settings(clip_value=0.5).norm_limit == 0.0

    def test_goes_one_way(self):
        with pytest.raises(SettingsError, match="Leave one of them out"):
            Settings(clip_norm=1.0, clip_value=1.0)


class TestState:
    def test_survives_json(self):
        settings = Settings(cell="rnn", activation="relu", context=9, quantiles=(0.1, 0.5))
        state = json.loads(json.dumps(settings.state()))
        assert Settings.from_state(state) == settings

    def test_holds_every_field(self):
        chosen = Settings(partial_bars=True)
        assert set(chosen.state()) == {f.name for f in fields(Settings)}

    def test_an_unknown_name_is_refused(self):
        with pytest.raises(SettingsError, match="'heads'"):
            Settings.from_state({**Settings().state(), "heads": 8})

    def test_is_checked_like_anything_else(self):
        with pytest.raises(SettingsError, match=r"^units is 1000000"):
            Settings.from_state({**Settings().state(), "units": 10**6})


def test_settings_cannot_be_changed_by_accident():
    with pytest.raises(AttributeError):
        Settings().units = 3
    assert replace(Settings(), units=3).units == 3


class TestUnits:
    @pytest.mark.parametrize(
        ("cell", "few", "many"), [("gru", 32, 64), ("rnn", 32, 64), ("lstm", 32, 32)]
    )
    def test_grow_with_the_panel(self, cell, few, many):
        assert Settings(cell=cell).for_panel([2500] * 23).units == few
        assert Settings(cell=cell).for_panel([2500] * 24).units == many

    def test_have_a_default_where_no_panel_is_known(self):
        assert Settings().layer_units == 32
        assert Settings(units=7).layer_units == 7


class TestBatches:
    @pytest.mark.parametrize(
        ("count", "size"), [(1, 32), (5, 32), (12, 64), (31, 128), (5000, 128)]
    )
    def test_grow_with_the_panel(self, count, size):
        assert Settings().for_panel([2500] * count).batch_size == size

    def test_are_small_on_windows_which_are_many(self):
        assert Settings(supervise="last").for_panel([2500] * 96).batch_size == 32

    def test_are_as_they_were_asked_for(self):
        asked = Settings(units=5, batch_size=7, learning_rate=1e-3)
        assert asked.for_panel([2500] * 96) == asked

    def test_the_rate_grows_with_the_root_of_their_size(self):
        assert Settings().rate == 3e-3
        assert Settings().for_panel([2500] * 96).learning_rate == pytest.approx(6e-3)
        assert Settings(batch_size=64, learning_rate=1e-3).rate == 1e-3


@pytest.mark.parametrize(
    ("levels", "remedy"),
    [
        ((0.01, 0.2, 0.4), "0.01,0.2,0.4,0.5"),
        ((0.4,), "0.4,0.5"),
        ((0.6, 0.99), "0.5,0.6,0.99"),
    ],
)
def test_levels_that_the_median_lies_outside_of_are_not_trained(levels, remedy):
    """A model file may have them: they are read, and forecast."""
    settings = Settings(quantiles=levels)
    with pytest.raises(SettingsError, match=rf"quantiles {re.escape(remedy)}\.$"):
        settings.require_median()
    Settings(quantiles=tuple(map(float, remedy.split(",")))).require_median()


@pytest.mark.parametrize("levels", [(0.5,), (0.1, 0.9), (0.05, 0.5), (0.5, 0.95)])
def test_the_others_are(levels):
    Settings(quantiles=levels).require_median()
