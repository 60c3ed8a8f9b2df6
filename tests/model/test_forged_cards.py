"""Documents of model files that somebody made by hand: every field is checked by itself and against
the others, and the message says which one it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from model_files import PANEL, SETTINGS, members_of, refusal, sealed
from synthetic import random_model

from forecaster.errors import SettingsError
from forecaster.jobs.train import train
from forecaster.model.artifact import from_bytes, to_bytes

DEEP = "in their place: lists, each in the other"


@pytest.fixture(scope="module")
def content():
    return to_bytes(random_model(SETTINGS, PANEL))


def changed(content: bytes, place: str, value: object) -> bytes:
    """The model with a value at a place such as ``card.data.first``."""
    members = members_of(content)
    document = json.loads(members["model.json"])
    *way, last = (int(step) if step.isdigit() else step for step in place.split("."))
    node = document
    for step in way:
        node = node[step]
    node[last] = value
    text = json.dumps(document).replace(json.dumps(DEEP), "[" * 900 + "]" * 900)
    return sealed(members | {"model.json": text.encode()})


@pytest.mark.parametrize(
    ("place", "values", "needed"),
    [
        ("format", [True, 0, -1, 1.0, "1", DEEP, 10**400], "model format"),
        (
            "name",
            [None, 3, "", "a/b", "..", "a\\b", "\x1b[31m", "a\nb", "\u202ea", "\ud800", "a" * 251],
            "name",
        ),
        ("id", [None, 3, "", "\ud800"], "id is"),
        (
            "created",
            [None, 3, "now", "2026-01-01T00:00:00", "1599-12-31T00:00:00Z", "9999-01-01T00:00:00Z"],
            "created is",
        ),
        ("settings", [None, [], "x", DEEP], "settings is"),
        ("settings.units", [True, 6.0, "6", float("nan"), DEEP], "units is"),
        ("settings.layers", [True, 0, 9], "layers is"),
        ("settings.dropout", [True, "0.1", float("nan"), 1.0, -0.1, 10**400], "dropout is"),
        ("settings.bidirectional", [0, 1, None, "yes", []], "bidirectional is"),
        ("settings.partial_bars", [0, 1, None, "yes", []], "partial_bars is"),
        ("settings.cell", ["rnn ", 1, None, DEEP], "cell is"),
        ("settings.quantiles", [[], [0.1, "0.5", 0.9], [0.1, True], [0.9, 0.1], [0, 0.5]], "quant"),
        ("representation", [None, [], DEEP], "representation is"),
        ("representation.scaling", [None, {}, {"name": "other"}, [], DEEP], "scaling"),
        (
            "representation.scaling.prior",
            [None, "1", True, 0, -1, float("nan"), float("inf"), 1e300, 10**400],
            "prior is",
        ),
        ("representation.mean.0", [None, True, float("nan"), float("inf"), 1e10, "1"], "mean[0]"),
        ("representation.deviation.0", [None, 0, -1, float("nan"), 1e10, 1e-320], "deviation[0]"),
        ("representation.mean", [[], [0.0]], "input features"),
        ("representation.features.0", ["other"], "input features"),
        ("representation.companions", [None, 0, 1, "true", []], "companions is"),
        ("card", [None, [], "x", DEEP], "card is"),
        ("card.data.first", ["1599-12-31", "2201-01-01", "2016-02-30", 20160101, None], "first"),
        ("card.trained_to", ["0001-01-01", "9999-12-31", "1970-01-01", [], True], "trained_to"),
        ("card.weights", [1, 0, -1, 2**60, "9", True], "weights"),
        ("card.device", ["tpu", "", None, "\x1b[31m"], "device is"),
        ("card.packages", [[], {"": "1"}, {"a": 1}, {"\ud800": "1"}], "packages"),
        ("card.targets_by_step", [[1, 2, 3], [1], []], "steps"),
        ("card.targets_by_step", [[-1, 1], [1.5, 1], "11", [True, 1]], "targets_by_step"),
        ("card.epochs", [-1, 1.5, None, True, 2**60], "epochs is"),
        ("card.market", ["A", [""], [1], {}], "market"),
        (
            "card.split",
            [
                [],
                {
                    "fit_end": "2015-01-01",
                    "valid_from": None,
                    "train_end": "2014-01-01",
                    "test_from": None,
                    "last": "2016-01-01",
                },
            ],
            "split",
        ),
    ],
)
def test_a_field_that_cannot_be_is_named(content, place, values, needed):
    for value in values:
        message = refusal(changed(content, place, value))
        assert needed in message, (value, message)
        assert len(message) < 800
        assert message.isascii()


def test_another_unit_than_the_settings_say(content):
    levels = to_bytes(random_model(replace(SETTINGS, scale="minmax"), PANEL))
    assert "another unit" in refusal(changed(levels, "settings.scale", "standard"))
    assert "another unit" in refusal(changed(content, "settings.scale", "minmax"))


@pytest.mark.parametrize("fitted", [[1.0], [1.0, 0.0], [1.0, -1.0], [None, 1.0], ["1", "1"]])
def test_a_level_of_no_width(fitted):
    content = to_bytes(random_model(replace(SETTINGS, scale="minmax"), PANEL))
    assert "fitted.A" in refusal(changed(content, "representation.scaling.fitted.A", fitted))


def test_lists_in_lists_at_any_depth_are_refused_in_a_line(content):
    """Some are too deep for the parser, some for what writes them into a message."""
    for depth in range(100, 1200, 25):
        text = json.dumps({"format": 1, "name": 0}).replace("0", "[" * depth + "]" * depth)
        refusal(sealed(members_of(content) | {"model.json": text.encode()}))


def test_keys_that_later_versions_add_are_passed_over(content):
    more = changed(content, "card.later", [1])
    assert from_bytes(more, "some.forecast").id == from_bytes(content, "some.forecast").id


@pytest.mark.parametrize("name", ["a/b", "", "..", "a\nb", "\x1b[31m"])
def test_no_model_gets_a_name_that_is_not_read_again(name):
    with pytest.raises(SettingsError, match="cannot be a model's name"):
        train(PANEL, SETTINGS, name=name)
