"""The options of `forecast train` and the settings of a model have one set of defaults."""

from __future__ import annotations

import inspect
from dataclasses import fields
from enum import Enum
from typing import get_args, get_type_hints

import pytest

from forecaster.cli.train import train
from forecaster.model.settings import (
    _CHOICES,
    LEVELS,
    PREFIX_CONTEXT,
    WINDOW_CONTEXT,
    Device,
    Settings,
)

OPTIONS = inspect.signature(train).parameters
HINTS = get_type_hints(train, include_extras=True)
NAMES = [field.name for field in fields(Settings)]


def default_of(option: str):
    value = OPTIONS[option].default
    return value.value if isinstance(value, Enum) else value


def help_of(option: str) -> str:
    return get_args(HINTS[option])[1].help


@pytest.mark.parametrize("name", [n for n in NAMES if n != "quantiles"])
def test_every_setting_is_an_option_with_the_same_default(name):
    expected = getattr(Settings(), name)
    assert default_of(name) == expected
    assert type(default_of(name)) is type(expected)


def test_levels_that_are_not_given_are_the_settings_own():
    assert default_of("quantiles") is None
    assert Settings().quantiles == LEVELS
    assert f"{len(LEVELS)} from {LEVELS[0]:g} to {LEVELS[-1]:g}" in help_of("quantiles")


def test_help_says_the_defaults_that_depend_on_other_options():
    assert f"{PREFIX_CONTEXT}, or {WINDOW_CONTEXT} with --supervise last" in help_of("context")
    assert f"(default: {Settings().norm_limit:g})" in help_of("clip_norm")


@pytest.mark.parametrize("name", ["cell", "activation", "supervise", "windows", "scale"])
def test_choices_are_those_of_the_settings(name):
    choices = [choice.value for choice in type(OPTIONS[name].default)]
    assert tuple(choices) == _CHOICES[name]


def test_the_device_is_chosen_by_itself():
    assert default_of("device") == "auto"
    choices = [choice.value for choice in type(OPTIONS["device"].default)]
    assert tuple(choices) == get_args(Device)
