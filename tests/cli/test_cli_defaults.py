"""The options of `forecast train` and the settings of a model have one set of defaults."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from forecaster.cli.train import train
from forecaster.errors import SettingsError
from forecaster.model.settings import LEVELS, PREFIX_CONTEXT, WINDOW_CONTEXT, Device, Settings

OPTIONS = inspect.signature(train).parameters
HINTS = get_type_hints(train, include_extras=True)
NAMES = [field.name for field in fields(Settings)]


def help_of(option: str) -> str:
    return get_args(HINTS[option])[1].help


@pytest.mark.parametrize("name", [n for n in NAMES if n != "quantiles"])
def test_every_setting_is_an_option_with_the_same_default(name):
    expected = getattr(Settings(), name)
    assert OPTIONS[name].default == expected
    assert type(OPTIONS[name].default) is type(expected)


def test_levels_that_are_not_given_are_the_settings_own():
    assert OPTIONS["quantiles"].default is None
    assert Settings().quantiles == LEVELS
    assert f"{len(LEVELS)} from {LEVELS[0]:g} to {LEVELS[-1]:g}" in help_of("quantiles")


def test_help_says_the_defaults_that_depend_on_other_options():
    assert f"{PREFIX_CONTEXT}, or {WINDOW_CONTEXT} with --supervise last" in help_of("context")
    assert f"(default: {Settings().norm_limit:g})" in help_of("clip_norm")


def choices_of(option: str) -> tuple[str, ...]:
    return get_args(get_args(HINTS[option])[0])


@pytest.mark.parametrize("name", ["cell", "activation", "supervise", "windows", "scale"])
def test_choices_are_those_of_the_settings(name):
    with pytest.raises(SettingsError, match=f"it must be {', '.join(choices_of(name))}. Change"):
        Settings(**{name: "none"})


def test_the_device_is_chosen_by_itself():
    assert OPTIONS["device"].default == "auto"
    assert choices_of("device") == get_args(Device)


def test_the_age_of_old_bars_is_that_of_the_job():
    from forecaster.cli.batch import batch
    from forecaster.jobs.batch import MAX_AGE

    assert inspect.signature(batch).parameters["max_age"].default == MAX_AGE
