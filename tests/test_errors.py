"""Messages that name parameters: plainly by themselves, otherwise where a caller wants it."""

from __future__ import annotations

import copy
import pickle

import pytest

from forecaster.errors import DataError, ForecastError, Message, SettingsError, parameter

MARKED = f"{parameter('clip_norm')} is 3; leave {parameter('clip_norm')} out."
PLAIN = "clip_norm is 3; leave clip_norm out."


def test_a_message_reads_as_python_names_its_parameters():
    assert Message(MARKED) == PLAIN
    assert f"{Message(MARKED)} And more." == f"{PLAIN} And more."


def test_an_error_reads_alike_wherever_python_shows_it():
    error = SettingsError(MARKED)
    assert (str(error), f"{error}", error.args) == (PLAIN, PLAIN, (PLAIN,))
    assert repr(error) == f"SettingsError({PLAIN!r})"


def test_a_caller_can_name_the_parameters():
    assert SettingsError(MARKED).message.naming(str.upper) == (
        "CLIP_NORM is 3; leave CLIP_NORM out."
    )


def test_a_word_that_is_no_parameter_stays_as_it_is():
    text = Message(f"{parameter('units')} is 0 in units.csv, whose units differ.")
    assert text.naming(str.upper) == "UNITS is 0 in units.csv, whose units differ."


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_copy_still_knows_its_parameters(again):
    """Errors come back from worker processes."""
    for made in (again(Message(MARKED)), again(DataError(MARKED)).message):
        assert made == PLAIN
        assert made.naming(str.upper).startswith("CLIP_NORM is")


def test_a_longer_message_still_knows_its_parameters():
    longer = Message(MARKED) + " And more."
    assert longer == f"{PLAIN} And more."
    assert longer.naming(str.upper).startswith("CLIP_NORM is")
    assert Message(f"It failed: {SettingsError(MARKED).message.marked}").naming(str.upper) == (
        "It failed: CLIP_NORM is 3; leave CLIP_NORM out."
    )


def test_every_error_takes_a_message_alone():
    """Whoever names parameters otherwise makes an error of the same class."""
    kinds = [ForecastError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert str(kind(MARKED)) == PLAIN
    assert len(kinds) > 12
